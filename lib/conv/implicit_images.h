/*
 * Inside implicit_gemm's forward and input gradient: what implicit_images.c plans and implicit_tiles.c runs.
 */
#ifndef CB_CONV_IMPLICIT_IMAGES_H
#define CB_CONV_IMPLICIT_IMAGES_H

#include "conv/implicit.h"

enum { CB_PIXEL_VECTORS = 3 }; /* of a tile with pixels on the lanes */

/* One gather of the plan: all of a forward, one phase of an input gradient. */
typedef struct {
  cb_gather gather;
  cb_band band;
  int32_t *walk;     /* [q] */
  int64_t *tap;      /* [taps] the filter's tap of each of the gather's */
  int64_t panels_at; /* elements before this phase's packed panels */
  bool in_place;
} cb_phase;

/* Byte offsets of the parts of a thread's scratch. */
typedef struct {
  size_t band, panel, rows, position, spare, sums, bytes;
} cb_scratch_parts;

/* The state of a plan. */
typedef struct {
  const cb_engine *engine;
  int64_t phases;
  bool shared_panels, empty_phases; /* some outputs have no tap: they are zeroed first */
  int64_t outputs;                  /* lanes of one group in all */
  bool pixel_lanes;                 /* orientation: pixels on the lanes instead of the rows */
  int64_t panels, panel_groups;     /* of one group */
  int64_t panel_width;              /* outputs of a packed panel */
  int64_t dest[3], source_image, dest_image, source_plane, dest_plane; /* elements */
  cb_scratch_parts parts;
  cb_hops hops;
  cb_phase phase[];
} cb_images;

/* What the tiles of one job share. */
typedef struct {
  const cb_call *call;
  const cb_phase *ph;
  const cb_block_range *block;
  const void *band; /* or the source itself */
  void *spare;      /* room for a packed vector of pixels, q steps */
  int32_t *rows;
  int64_t *position;
  void *sums;
  int64_t pixels;
  int64_t dest; /* element of the block's first image, group's first channel */
  int64_t ig;
} cb_images_job;

/* Outputs [first, first + count) of panel b, packed width apart. */
cb_panel cb_images_panel(const cb_images *st, int64_t b);

/* All tiles of the job with one packed panel: pixels on the rows. */
void cb_tiles_run_rows(const cb_images_job *job, const cb_panel *panel, const void *lanes);

/* All tiles of the job with panels [first, last) of those packed one behind the other: pixels on the lanes. */
void cb_tiles_run_lanes(const cb_images_job *job, int64_t first, int64_t last, const void *weights);

#endif
