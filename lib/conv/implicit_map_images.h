/* Inside implicit_gemm's forward and input gradient: images on the lanes. */
#ifndef CB_CONV_IMPLICIT_MAP_IMAGES_H
#define CB_CONV_IMPLICIT_MAP_IMAGES_H

#include "conv/boxes.h"
#include "conv/implicit.h"

enum {
  CB_MAP_COLUMNS = 256,    /* the most outputs of a row */
  CB_MAP_LEAST_OUTPUTS = 8 /* the least outputs of a job, if outputs are shared out */
};

/* The state of a plan. Pitches and offsets are in elements; names in _at are byte offsets in a thread's scratch. */
typedef struct {
  const cb_engine *engine;
  cb_gather gather;
  int64_t outputs;                               /* outputs of one group: filters, or input channels */
  cb_chain_rule rule;                            /* where sums are cut into chains */
  int64_t chunks;                                /* number of chains of a sum */
  int64_t rows, bands;                           /* output rows of a band; bands of an image */
  int64_t output_groups;                         /* jobs that share a band's work, each with some of the outputs */
  int64_t margin;                                /* columns of zeros on either side of a band's row */
  int64_t row_pitch, plane_pitch, channel_pitch; /* elements from one row, plane, channel of a band to the next */
  int64_t stage_plane;                           /* elements from one output of a stage to the next */
  /* elements of a plane of the source and of the destination, and from one image to the next */
  int64_t source_plane, source_image, dest_plane, dest_image;
  int64_t weight_output, weight_channel; /* elements from one output's weights, one channel's, to the next's */
  int64_t tiles;                         /* tiles of a row */
  double work; /* work of a row that meets all taps of the other axes, in multiply-adds, calls of kernels included */
  size_t stage_at, walk_at, bytes; /* bytes: of a thread's scratch in all */
  int32_t row[CB_MAX_ROWS];        /* where the weights of a tile's outputs lie */
  uint8_t width[CB_MAP_COLUMNS];   /* output columns of each tile of a row */
  int32_t weight_tap[];            /* [taps] the filter's tap of each of the gather's taps */
} cb_map_images;

/* Taps [lo, hi) of an axis; no taps if both are the same. */
typedef struct {
  int64_t lo, hi;
} cb_taps;

/* All taps that outputs [first, first + count) of an axis meet inside the source. */
cb_taps cb_map_images_taps(const cb_gather_axis *a, int64_t first, int64_t count);

/* The source positions [*lo, *hi) on axis 1 that a band has for output rows [first, first + count). */
void cb_map_images_rows(const cb_gather_axis *a, int64_t first, int64_t count, int64_t *lo, int64_t *hi);

/* The functions of the table's row: why it cannot do the problem or never pays (NULL if it applies), the estimated
   seconds if it applies, the plan's state and tiling, the loops of a call. */
const char *cb_map_images_why_not(const cb_problem *problem);
double cb_map_images_cost(const cb_problem *problem);
cnnblas_status cb_map_images_prepare(cnnblas_conv_plan *plan);
void cb_map_images_work(cb_call *call);

#endif
