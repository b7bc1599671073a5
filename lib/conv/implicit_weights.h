/*
 * Inside implicit_gemm's weight gradient: implicit_weights.c plans, implicit_weights_jobs.c runs.
 */
#ifndef CB_CONV_IMPLICIT_WEIGHTS_H
#define CB_CONV_IMPLICIT_WEIGHTS_H

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
} cb_weights;

/* The pixels of a block that one tap reaches: places in the band, and in the packed lanes. */
typedef struct {
  int64_t count;
  const int32_t *band, *lanes;
} cb_tap_walk;

/* The outputs that the gather's tap t reaches. */
cb_box cb_weights_reach(const cb_gather *gather, int64_t t);

#endif
