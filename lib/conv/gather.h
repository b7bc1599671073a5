/*
 * The walk over a zero-padded band: which addresses a convolution reads.
 *
 * A gather is one dense convolution: every output o of a grid, and every tap j of a subset of the filter's taps, meet at
 * source position  o * stride + off0 + j * off_step  on each axis. A forward or weight-gradient problem is one gather. An
 * input gradient is one gather for each residue of the input position modulo the stride (a phase): of all taps only those
 * that reach an output take part, at stride 1, so no inserted zero is ever multiplied.
 *
 * A band is a copy of the part of the source that a block of outputs needs, zeros included where the block reaches over
 * the edge: [image][channel][d][row][column]. Every (pixel, tap) pair is then at
 *     band + row(pixel) + walk(tap)
 * An axis with one tap and a stride keeps only the positions that are read.
 */
#ifndef CB_CONV_GATHER_H
#define CB_CONV_GATHER_H

#include "conv/geometry.h"

typedef struct {
  int64_t in;                   /* source positions */
  int64_t outs, stride;         /* outputs, and source positions from one to the next */
  int64_t taps, tap0, tap_step; /* tap j is the filter's tap0 + j * tap_step */
  int64_t off0, off_step;       /* and reads off0 + j * off_step from the output's place */
  int64_t out0, out_step;       /* output o lies at out0 + o * out_step in the destination */
} cb_gather_axis;

typedef struct {
  cb_gather_axis axis[3];
  int64_t channels; /* of the source, in one group */
  int64_t taps;     /* of all axes together */
  int64_t q;        /* channels * taps: steps of a sum */
} cb_gather;

/* How blocks of a gather's outputs are cut, and the layout of their bands; indices in elements. */
typedef struct {
  int64_t outs[3], blocks[3]; /* outputs of a block on each axis, and blocks */
  int64_t images;             /* images of a block */
  int64_t pixels;             /* outputs of a full block, all images */
  int64_t column_pitch[3];    /* from one band position to the next on each axis; [2] is 1 */
  int64_t channel_pitch, image_pitch;
  int64_t elements; /* of a full band, 0 if the source is read in place */
} cb_band;

/* One block of outputs. */
typedef struct {
  int64_t first[3], count[3]; /* outputs on each axis */
  int64_t image, images;
} cb_block_range;

/* Outputs from inputs: forward and weight gradient. */
void cb_gather_forward(cb_gather *gather, const cb_geometry *geo);

/* Phases of the input gradient, and phase i of them; a phase may have no outputs, or no taps (its outputs are 0). */
int64_t cb_gather_phases(const cb_geometry *geo);
void cb_gather_phase(cb_gather *gather, const cb_geometry *geo, int64_t i);

/* Cuts blocks of about `pixels` outputs whose band holds at most `bytes`; in_place: no band, pixels alone decide (the
   gather must be pointwise: one axis, one tap, stride 1). Images are grouped while whole images fit. */
void cb_band_cut(cb_band *band, const cb_gather *gather, int64_t n, int64_t pixels, int64_t elements, bool in_place,
                 int64_t source_pitch);

/* walk[q] for all (channel, tap) in the filter's order; taps[t] (may be NULL) gets the filter's tap index of tap t. */
void cb_band_walk(const cb_gather *gather, const cb_band *band, int32_t *walk);

/* The filter's tap index of the gather's tap t; kernel: the geometry's axes. */
int64_t cb_gather_tap(const cb_gather *gather, const cb_geometry *geo, int64_t t);

/* Block b of the band's grid (image blocks slowest, then d, h, w), clipped to n images. */
cb_block_range cb_band_block(const cb_gather *gather, const cb_band *band, int64_t n, int64_t b);

/* Number of blocks for n images. */
int64_t cb_band_blocks(const cb_band *band, int64_t n);

/* rows[i] = where pixel i of the block lies in its band; position[i] = its index in one channel plane of the destination
   plus its image's displacement, (image - block's first) * image_pitch. dest: the destination's size on each axis. */
void cb_band_pixels(const cb_gather *gather, const cb_band *band, const cb_block_range *block, const int64_t dest[3],
                    int64_t image_pitch, int32_t *rows, int64_t *position);

/* Fills the band from channels of a source whose channel planes are contiguous: source points at channel 0 of the block's
   first image, image_pitch elements to the next image. */
void cb_band_fill(const cb_gather *gather, const cb_band *band, const cb_block_range *block, const void *source,
                  int64_t image_pitch, size_t element, void *to);

#endif
