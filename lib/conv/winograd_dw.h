/*
 * Inside the rows "winograd*": the weight gradient. winograd_dw.c plans, winograd_dw_run.c runs, winograd_dw_direct.c computes again
 * what is not finite.
 *
 * All tiles of all images are one row of numbers. Chains of CB_WINOGRAD_TILE_CHAIN tiles are added up in a leaf of so many chains, and
 * the leaves are joined in a binary tree: none of this depends on how many tiles are transformed at once.
 */
#ifndef CB_CONV_WINOGRAD_DW_H
#define CB_CONV_WINOGRAD_DW_H

#include "conv/row.h"
#include "gemm/engine.h"
#include "gemm/winograd_gradient.h"

enum {
  CB_WINOGRAD_LEAF = 32 * CB_WINOGRAD_TILE_CHAIN, /* tiles of a leaf: 32 sums of as many tiles each */
  CB_WINOGRAD_PIECE = 64,                         /* most tiles of a band, */
  CB_WINOGRAD_BAND = 528,                         /* whose columns, of all its rows, are at most so many */
  CB_WINOGRAD_STAGE = 32                          /* channels that are transformed back at once */
};

/* The state of a plan. */
typedef struct {
  const cb_winograd *kernels; /* of x */
  const cb_winograd_gradient *dw;
  const cb_engine *engine;
  bool square;                          /* 3 x 3 taps, else 3 along rows */
  bool turned[2];                       /* taps of h, of w are met backwards */
  int64_t first[2];                     /* where the first tap of output 0 reads, outside x perhaps */
  int64_t tiles[2];                     /* rows of tiles, tiles in a row */
  int64_t step[2];                      /* elements of dy from one tile to the next */
  int64_t points, taps;                 /* of a tile; of a filter's plane */
  int64_t c_vectors, k_vectors;         /* of a group */
  int64_t block;                        /* tiles that are transformed at once: a part of a leaf */
  int64_t pitch;                        /* elements of a vector of channels, or filters, in V and D: block * L */
  int64_t v_pitch, d_pitch, sums_pitch; /* from one point to the next */
  int64_t v_group, d_group, sums_group; /* from one group to the next */
  int64_t slots;                        /* partial sums that are held at once */
  bool near;            /* a task has a whole leaf, whose V, D and sums stay in its thread's caches; block is then
                                           what is transformed at once in the thread's scratch */
  int64_t round_leaves; /* leaves of a round, whose sums lie behind the slots */
  size_t near_at;       /* V and D in a thread's scratch */
  size_t d_at, sums_at, slot_bytes; /* in the shared workspace, behind V */
  size_t columns_at, stage_at;      /* in a thread's scratch, behind the band */
} cb_winograd_dw_plan;

/* Tiles of a call on n images. */
static inline int64_t cb_winograd_dw_tiles(const cb_winograd_dw_plan *st, int64_t n)
{
  return n * st->tiles[0] * st->tiles[1];
}

/* Whether it can do the problem within its budget; its estimated seconds if so; making the plan's state and tiling; the loops of a
   call. */
bool cb_winograd_dw_apply(const cb_problem *problem, char *why, size_t size);
double cb_winograd_dw_cost(const cb_problem *problem);
cnnblas_status cb_winograd_dw_prepare(cnnblas_conv_plan *plan);
void cb_winograd_dw_work(cb_call *call);

/* The weight gradient of filter k of the group with its channel c, by the definition, summed in double: tap t to
   to[t * pitch]. */
void cb_winograd_dw_directly(const cb_call *call, int64_t group, int64_t k, int64_t c, void *to, int64_t pitch);

#endif
