/*
 * The parts of algorithm "implicit_gemm" and what they share. implicit_images.c plans y and dx, implicit_weights.c dw;
 * implicit_batch.c and implicit_batch_weights.c do the same with images on the lanes. implicit_gemm.c has the table's rows,
 * one for each orientation.
 */
#ifndef CB_CONV_IMPLICIT_H
#define CB_CONV_IMPLICIT_H

#include "conv/gather.h"
#include "conv/plan.h"
#include "gemm/panel.h"
#include "gemm/product.h"

enum {
  CB_BAND_BYTES = 768 << 10 /* bytes of a band: a tile touches a fraction of it, the panel has the L2 cache */
};

/* True if no size that the halves compute can overflow: sums of at most 2^26 terms, images of at most about 10^16 elements
   with their padding. What is within is then checked against 31-bit offsets and the budget. */
bool cb_implicit_in_reach(const cb_geometry *geo);

/* A store with the call's epilogue of results from element `at` of the output on, which belong to output channel `output`;
   their block and its order are left to fill in. */
cb_store cb_implicit_store(const cb_call *call, int64_t at, int64_t output);

/* Most steps of one chain of sums, of a forward or an input gradient. */
int64_t cb_images_chunk(const cb_problem *problem);

/* Each half: whether it can do the problem within its budget, its estimated seconds if so, making the plan's state and
   tiling, and the loops of a call. pixel_lanes: pixels on the lanes instead of channels. inputs: input channels on the lanes instead of filters. */
bool cb_images_apply(const cb_problem *problem, bool pixel_lanes, char *why, size_t size);
double cb_images_cost(const cb_problem *problem, bool pixel_lanes);
cnnblas_status cb_images_prepare(cnnblas_conv_plan *plan, bool pixel_lanes);
void cb_images_work(cb_call *call);

bool cb_weights_apply(const cb_problem *problem, bool inputs, char *why, size_t size);
double cb_weights_cost(const cb_problem *problem, bool inputs);
cnnblas_status cb_weights_prepare(cnnblas_conv_plan *plan, bool inputs);
void cb_weights_work(cb_call *call);

/* How a forward's weights are packed once. (implicit_packing.c) */
extern const cb_packing cb_implicit_packing;

#endif
