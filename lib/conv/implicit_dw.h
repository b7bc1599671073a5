/*
 * Inside implicit_gemm's weight gradient: implicit_dw.c plans, implicit_dw_run.c runs.
 */
#ifndef CB_CONV_IMPLICIT_DW_H
#define CB_CONV_IMPLICIT_DW_H

#include "conv/boxes.h"
#include "conv/implicit.h"

/* The state of a plan. Names in _at are byte offsets in a thread's scratch, behind the band. */
typedef struct {
  const cb_engine *engine;
  bool swapped;                    /* true if filters are on the rows and input channels on the lanes */
  int64_t rows_all, lanes_all;     /* channels of an image that go on the rows, on the lanes */
  int64_t rows_each, lanes_each;   /* channels of one group that go on the rows, on the lanes */
  int64_t rows_plane, lanes_plane; /* elements of a channel's plane where the rows, the lanes come from */
  cb_gather gather;                /* the gather whose channels are those on a job's rows */
  cb_band band;
  /* panels of one group's lanes; jobs that share them; the most panels of one job */
  int64_t panels, panel_groups, group_panels;
  int64_t channel_groups; /* parts that the channels on the rows are cut into */
  bool lanes_strided;     /* true if the lanes' pixels lie at a stride: they are gathered before they are packed */
  size_t gathered_at;     /* if so, the gathered pixels of a panel, [lane][pixel] */
  /* packed lanes, the pixels' rows in the band, their places in the lanes' array, sums */
  size_t lanes_at, rows_at, position_at, sums_at;
  size_t lanes_bytes;    /* bytes of one panel's packed lanes */
  bool packs_rows;       /* true if rows are packed too, some channels at a time, for kernels of packed operands */
  int64_t part_channels; /* if packs_rows, channels that are packed at a time: they stay in the L2 cache */
  int64_t kept_panels;   /* panels whose packed lanes a job keeps: all that meet a part of its rows */
  size_t packed_at;      /* if packs_rows, the packed rows */
  size_t ends_at;        /* if packs_rows, [pixels] where each stretch of pixels side by side ends */
  size_t sums_bytes, slot_bytes; /* bytes of one panel's sums; of a partial result, which has all panels of a job */
  int64_t leaves;                /* leaves of the tree in which the pixels are summed */
  bool by_taps;                  /* true if each tile has one tap only */
  int64_t inner[3][2];           /* the outputs [from, to) on each axis that all taps reach */
  size_t walks_at;               /* the pixels that each tap reaches (cb_tap_walk) */
  cb_hops hops;
  int32_t tap[]; /* [gather.q] element of the band where tap (channel, r, s) lies; if by_taps, (r, s, channel) */
} cb_dw;

/* The pixels of a block that one tap reaches: their number, their places in the band and in the packed lanes. */
typedef struct {
  int64_t count;
  const int32_t *band, *lanes;
} cb_tap_walk;

/* The weight gradient's functions of the table's row: whether it can do the problem within its budget, the estimated
   seconds if it can, the plan's state and tiling, the loops of a call. inputs: input channels are on the lanes instead
   of filters. */
bool cb_dw_apply(const cb_problem *problem, bool inputs, char *why, size_t size);
double cb_dw_cost(const cb_problem *problem, bool inputs);
cnnblas_status cb_dw_prepare(cnnblas_conv_plan *plan, bool inputs);
void cb_dw_work(cb_call *call);

/* The same functions with images on the lanes. The first says why the problem cannot be done or never pays, or is
   NULL. */
const char *cb_dw_images_why_not(const cb_problem *problem);
double cb_dw_images_cost(const cb_problem *problem);
cnnblas_status cb_dw_images_prepare(cnnblas_conv_plan *plan);
void cb_dw_images_work(cb_call *call);

/* The outputs that the gather's tap t reaches. */
cb_box cb_dw_reach(const cb_gather *gather, int64_t t);

#endif
