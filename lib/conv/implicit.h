/*
 * The parts of algorithm "implicit_gemm" and what they share. implicit_images.c plans y and dx, implicit_weights.c dw;
 * implicit_batch.c and implicit_batch_weights.c do the same with images on the lanes. implicit_gemm.c is the table's row and
 * chooses between them.
 */
#ifndef CB_CONV_IMPLICIT_H
#define CB_CONV_IMPLICIT_H

#include "conv/gather.h"
#include "conv/plan.h"
#include "gemm/engine.h"

enum {
  CB_CHUNK = 512,           /* most steps of one chain of sums: the next chunk starts a fresh one, for accuracy */
  CB_PANEL_VECTORS = 2,     /* vectors of lanes of a packed panel */
  CB_BAND_BYTES = 768 << 10 /* bytes of a band: a tile touches a fraction of it, the panel has the L2 cache */
};

/* Number of even parts of at most `most` that a total is cut into; at least 1. */
static inline int64_t cb_parts(int64_t total, int64_t most)
{
  return cb_max(1, cb_ceil_div(total, most));
}

/* True if no size that the halves compute can overflow: sums of at most 2^26 terms, images of at most about 10^16 elements
   with their padding. What is within is then checked against 31-bit offsets and the budget. */
bool cb_implicit_in_reach(const cb_geometry *geo);

/* Lanes of panel b of `total` outputs: the last may need fewer vectors. */
typedef struct {
  int64_t first, count; /* outputs */
  int vectors;
  int64_t width; /* lanes stored: vectors * engine lanes */
} cb_panel;

cb_panel cb_panel_at(const cb_engine *engine, int64_t total, int64_t b);

/* Panels of `total` outputs, and the elements that they take with `steps` steps each, before panel b. */
int64_t cb_panels(const cb_engine *engine, int64_t total);
int64_t cb_panel_offset(const cb_engine *engine, int64_t steps, int64_t b);
int64_t cb_panel_elements(const cb_engine *engine, int64_t total, int64_t steps);

/* hop[v][s] = s * v * lanes for s < CB_CHUNK: the walks of packed panels. */
typedef struct {
  int32_t hop[CB_PANEL_VECTORS + 1][CB_CHUNK];
} cb_hops;

void cb_hops_init(cb_hops *hops, const cb_engine *engine);

/* The state of every plan begins with it. */
typedef struct {
  void (*run)(const cb_call *call);
} cb_implicit_head;

/* Most steps of one chain of sums, of a forward or an input gradient. */
int64_t cb_images_chunk(const cb_problem *problem);

/* Each half: whether it can do the problem within its budget, its estimated seconds if so, making the plan's state and
   tiling. */
bool cb_images_apply(const cb_problem *problem, char *why, size_t size);
double cb_images_cost(const cb_problem *problem);
cnnblas_status cb_images_prepare(cnnblas_conv_plan *plan);

bool cb_weights_apply(const cb_problem *problem, char *why, size_t size);
double cb_weights_cost(const cb_problem *problem);
cnnblas_status cb_weights_prepare(cnnblas_conv_plan *plan);

#endif
