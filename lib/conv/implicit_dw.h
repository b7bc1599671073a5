/*
 * Inside implicit_gemm's weight gradient: implicit_dw.c plans, implicit_dw_run.c runs.
 */
#ifndef CB_CONV_IMPLICIT_DW_H
#define CB_CONV_IMPLICIT_DW_H

#include "conv/boxes.h"
#include "conv/implicit.h"

/* The state of a plan. */
typedef struct {
  const cb_engine *engine;
  bool swapped;                  /* filters on the rows, input channels on the lanes */
  int64_t rows_all, lanes_all;   /* channels of an image on either side */
  int64_t rows_each, lanes_each; /* of one group */
  cb_gather gather;              /* its channels are those on a job's rows */
  cb_band band;
  int64_t panels, panel_groups, group_panels;     /* of one group of channels; group_panels: most of one job */
  int64_t channel_groups;                         /* parts of the channels on the rows */
  size_t lanes_at, rows_at, position_at, sums_at; /* in a thread's scratch, behind the band */
  size_t sums_bytes, slot_bytes;                  /* of one panel; of a partial result: all panels of a job */
  int64_t leaves;                                 /* of the tree in which the pixels are summed */
  bool by_taps;                                   /* tiles of one tap each */
  int64_t inner[3][2];                            /* the outputs [from, to) on each axis that all taps reach */
  size_t walks_at;                                /* in a thread's scratch: the pixels that each tap reaches */
  cb_hops hops;
  int32_t tap[]; /* [gather.q] where tap (channel, r, s) lies in the band; by taps: tap (r, s, channel) */
} cb_dw;

/* The pixels of a block that one tap reaches: places in the band, and in the packed lanes. */
typedef struct {
  int64_t count;
  const int32_t *band, *lanes;
} cb_tap_walk;

/* Whether it can do the problem within its budget, its estimated seconds if so, making the plan's state and tiling, and the
   loops of a call. inputs: input
   channels on the lanes instead of filters. */
bool cb_dw_apply(const cb_problem *problem, bool inputs, char *why, size_t size);
double cb_dw_cost(const cb_problem *problem, bool inputs);
cnnblas_status cb_dw_prepare(cnnblas_conv_plan *plan, bool inputs);
void cb_dw_work(cb_call *call);

/* The same with images on the lanes; why it cannot do the problem, or never pays, or NULL. */
const char *cb_dw_images_why_not(const cb_problem *problem);
double cb_dw_images_cost(const cb_problem *problem);
cnnblas_status cb_dw_images_prepare(cnnblas_conv_plan *plan);
void cb_dw_images_work(cb_call *call);

/* The outputs that the gather's tap t reaches. */
cb_box cb_dw_reach(const cb_gather *gather, int64_t t);

#endif
