/*
 * The walk over a zero-padded band: which addresses a convolution reads.
 *
 * A gather is one dense convolution: every output o of a grid, and every tap j of a subset of the filter's taps, meet
 * at source position  o * stride + off0 + j * off_step  on each axis. A forward or weight-gradient problem is one
 * gather. An input gradient is one gather for each residue of the input position modulo the stride (a phase): of all
 * taps only those that reach an output take part, at stride 1, so no inserted zero is ever multiplied.
 *
 * A band is a copy of the part of the source that a block of outputs needs, zeros included where the block reaches over
 * the edge: [image][channel][d][row][column]. Every (pixel, tap) pair is then at
 *     band + row(pixel) + walk(tap)
 * All phases share one band. An axis with one tap and a stride keeps only the positions that are read. Where every
 * position that is read lies in the source (kernel 1, no padding), the band is the source itself: it is read in place.
 * One tap may have its band in tiles instead, [image][tile][channel][pixel of the tile]: then a kernel that walks over
 * the channels reads on and on, where in the source each channel has a cache line of its own. Where neighbouring
 * outputs must be neighbours and the stride is s > 1, a row is split into s: positions 0, s, 2s, ..., then 1, 1 + s,
 * ...
 */
#ifndef CB_CONV_GATHER_H
#define CB_CONV_GATHER_H

#include "conv/geometry.h"

/* One axis of a gather. */
typedef struct {
  int64_t in;                   /* source positions on the axis */
  int64_t outs, stride;         /* number of outputs; source positions from one output to the next */
  int64_t taps, tap0, tap_step; /* number of taps; the gather's tap j is the filter's tap tap0 + j * tap_step */
  int64_t off0, off_step;       /* tap j reads at off0 + j * off_step from the output's place */
  int64_t out0, out_step;       /* output o lies at out0 + o * out_step in the destination */
} cb_gather_axis;

typedef struct {
  cb_gather_axis axis[3];
  int64_t channels; /* source channels of one group */
  int64_t taps;     /* taps of all axes together */
  int64_t q;        /* steps of a sum, channels * taps; if 0, the outputs of this phase are 0 */
} cb_gather;

/* How blocks of outputs are cut, and the layout of their bands; pitches and sizes in elements. */
typedef struct {
  int64_t outs[3], blocks[3]; /* outputs of a block on each axis; number of blocks on it */
  int64_t images;             /* the most images of a block */
  int64_t pixels;             /* outputs of a full block, all its images together */
  int64_t lowest[3];          /* the band's first source position, counted from the place of the block's first output */
  int64_t reach[3];           /* distance from the lowest source position that an output reads to the highest */
  int64_t tiled;              /* pixels of a tile if the band is cut in tiles, else 0 */
  int64_t keep[3];            /* every keep[i]-th source position of axis i is kept */
  int64_t split;    /* band positions of each residue modulo the stride, if rows are stored by residues; else 0 */
  int64_t pitch[3]; /* elements from one band position to the next on each axis; pitch[2] is 1 */
  int64_t channel_pitch, image_pitch;
  int64_t elements; /* elements of a full band; 0 if the source is read in place */
} cb_band;

/* What cb_band_cut holds to. */
typedef struct {
  int64_t n;            /* images of the batch */
  int64_t pixels;       /* the most outputs of a block */
  int64_t elements;     /* the most elements of a band (one output's band may be larger) */
  int64_t source_image; /* elements from one image of the source to the next */
  bool side_by_side;    /* neighbouring outputs must be neighbours in the band, stride or not */
  bool dense;           /* a band leaves out what the stride does: such a source is not read in place */
  bool tiled;           /* a gather of one tap and no padding is wanted in tiles, even if it could be read in place */
  int64_t tile; /* outputs that a tile takes of a row: rows are cut in multiples of it; 0: rows are cut anywhere */
} cb_band_limits;

/* One block of outputs. */
typedef struct {
  int64_t first[3], count[3]; /* the block's first output on each axis, and how many outputs it has there */
  int64_t image, images;      /* the block's first image, and how many images it has */
} cb_block_range;

/* False for a phase without outputs. */
static inline bool cb_gather_has_outputs(const cb_gather *gather)
{
  return gather->axis[0].outs && gather->axis[1].outs && gather->axis[2].outs;
}

/* Fills the gather of a forward or a weight gradient: outputs from inputs. */
void cb_gather_forward(cb_gather *gather, const cb_geometry *geo);

/* Fills the gather of the outputs' gradient for a weight gradient of one tap: each of its outputs is a pixel of that gradient, and lies
   in the destination where the input's pixel does. */
void cb_gather_outputs(cb_gather *gather, const cb_geometry *geo);

/* Number of phases of the input gradient, and the gather of phase i. A phase may have no outputs, or no taps; phase 0
   has the most outputs. */
int64_t cb_gather_phases(const cb_geometry *geo);
void cb_gather_phase(cb_gather *gather, const cb_geometry *geo, int64_t i);

/* Fills the gather of a forward, or of phase i of an input gradient, without the first and the last taps of each axis that meet
   no source position from any output; at least one tap stays. */
void cb_gather_map(cb_gather *gather, const cb_geometry *geo, bool forward, int64_t i);

/* The filter's tap index of the gather's tap t. */
int64_t cb_gather_tap(const cb_gather *gather, const cb_geometry *geo, int64_t t);

/* Cuts the gathers' outputs into blocks and lays out the band that all `count` gathers share. */
void cb_band_cut(cb_band *band, const cb_gather *gathers, int64_t count, const cb_band_limits *limits);

/* Number of band positions that `outs` neighbouring outputs take on an axis. */
int64_t cb_band_extent(const cb_gather *gather, const cb_band *band, int axis, int64_t outs);

/* walk[q] = where step q = (channel, tap), channels slowest, lies in the band, in elements from the pixel's row. */
void cb_band_walk(const cb_gather *gather, const cb_band *band, int32_t *walk);

/* Number of blocks for n images. */
int64_t cb_band_blocks(const cb_band *band, int64_t n);

/* Block b of the grid (image blocks slowest, then d, h, w), clipped to n images and to the gather's outputs. */
cb_block_range cb_band_block(const cb_gather *gather, const cb_band *band, int64_t n, int64_t b);

/* rows[i] = where pixel i of part of a block lies in the band of the block, whose first outputs are origin[]. */
void cb_band_rows(const cb_gather *gather, const cb_band *band, const int64_t origin[3], const cb_block_range *part,
                  int32_t *rows);

/* position[i] = the element of the destination where pixel i of a block, or of part of one, goes. dest[] is the size of
   a destination plane, first[] the position of its corner on each axis, image_pitch the elements from one image to the
   next (the block's first image is at 0). */
void cb_band_positions(const cb_gather *gather, const cb_block_range *block, const int64_t dest[3],
                       const int64_t first[3], int64_t image_pitch, int64_t *position);

/* The band of a block: filled at `to` from the source, or, if it is read in place, its address in the source. source
   points to the block's first image and the group's first channel; `element` is the bytes of an element. */
const void *cb_band_open(const cb_gather *gather, const cb_band *band, const cb_block_range *block, const void *source,
                         int64_t image_pitch, size_t element, void *to);

#endif
