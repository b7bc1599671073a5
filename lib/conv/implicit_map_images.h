/* Inside implicit_gemm's forward and input gradient: images on the lanes. */
#ifndef CB_CONV_IMPLICIT_MAP_IMAGES_H
#define CB_CONV_IMPLICIT_MAP_IMAGES_H

#include "conv/boxes.h"
#include "conv/implicit.h"

enum {
  CB_MAP_COLUMNS = 256,    /* most outputs of a row */
  CB_MAP_LEAST_OUTPUTS = 8 /* a job has at least these, if outputs are shared out */
};

/* The state of a plan. Pitches and offsets in elements, _at in bytes of a thread's scratch. */
typedef struct {
  const cb_engine *engine;
  cb_gather gather;
  int64_t outputs;                               /* of one group */
  cb_chain_rule rule;                            /* where sums are cut, */
  int64_t chunks;                                /* into so many chains */
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
  uint8_t width[CB_MAP_COLUMNS]; /* columns of each tile of a row */
  int32_t weight_tap[];          /* [taps] */
} cb_map_images;

/* Taps [lo, hi) of an axis; none if both are the same. */
typedef struct {
  int64_t lo, hi;
} cb_taps;

/* All taps that outputs [first, first + count) of an axis meet inside the source. */
cb_taps cb_map_images_taps(const cb_gather_axis *a, int64_t first, int64_t count);

/* The band's rows for output rows [first, first + count): source positions [*lo, *hi) on axis 1. */
void cb_map_images_rows(const cb_gather_axis *a, int64_t first, int64_t count, int64_t *lo, int64_t *hi);

/* Why it cannot do the problem, or never pays; NULL if it applies. The estimated seconds if so, making the plan, and the loops of a
   call. */
const char *cb_map_images_why_not(const cb_problem *problem);
double cb_map_images_cost(const cb_problem *problem);
cnnblas_status cb_map_images_prepare(cnnblas_conv_plan *plan);
void cb_map_images_work(cb_call *call);

#endif
