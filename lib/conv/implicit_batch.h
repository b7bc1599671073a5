/* Inside implicit_gemm: images on the lanes. implicit_batch.c does the forward and the input gradient,
   implicit_batch_weights.c the weight gradient. */
#ifndef CB_CONV_IMPLICIT_BATCH_H
#define CB_CONV_IMPLICIT_BATCH_H

#include "conv/implicit.h"

enum { CB_BATCH_COLUMNS = 256 /* most outputs of a row */ };

/* The state of a plan. Pitches and offsets in elements, _at in bytes of a thread's scratch. */
typedef struct {
  const cb_engine *engine;
  cb_gather gather;
  int64_t outputs;                               /* of one group */
  int64_t chunk;                                 /* most steps of one chain of sums */
  int64_t rows, bands;                           /* output rows of a band */
  int64_t output_groups;                         /* jobs that share a band's work */
  int64_t margin;                                /* columns of zeros on either side of a band's row */
  int64_t row_pitch, plane_pitch, channel_pitch; /* of a band */
  int64_t stage_plane;                           /* from one output to the next in a stage */
  int64_t source_plane, source_image, dest_plane, dest_image;
  int64_t weight_output, weight_channel; /* from one output's weights to the next's, one channel's */
  int64_t tiles;                         /* of a row */
  double work; /* of a row that meets all taps of the other axes, in multiply-adds, calls included */
  size_t stage_at, walk_at, bytes;
  int32_t row[CB_MAX_ROWS];
  uint8_t width[CB_BATCH_COLUMNS]; /* columns of each tile of a row */
  int32_t weight_tap[];            /* [taps] */
} cb_batch;

#define CB_BATCH_NO_ROOM "the images of a vector need more workspace than it has"

/* Why there are too few images or taps for either of the two, or NULL. */
const char *cb_batch_too_few(const cb_geometry *geo, const cb_engine *engine);

/* Why it cannot do the problem, or never pays; NULL if it applies. The estimated seconds if so, and making the plan. */
const char *cb_batch_why_not(const cb_problem *problem);
double cb_batch_cost(const cb_problem *problem);
cnnblas_status cb_batch_prepare(cnnblas_conv_plan *plan);
void cb_batch_work(cb_call *call);

const char *cb_batch_weights_why_not(const cb_problem *problem);
double cb_batch_weights_cost(const cb_problem *problem);
cnnblas_status cb_batch_weights_prepare(cnnblas_conv_plan *plan);
void cb_batch_weights_work(cb_call *call);

#endif
