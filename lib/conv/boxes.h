/*
 * Boxes: where a convolution with padding does less than it seems to.
 *
 * Near the edge of an image some taps fall on the padding and multiply zeros. On each axis the outputs fall into ranges
 * that the same taps reach: for 3 taps and one zero around, the first output, the last one, and those between. A box is
 * a product of such ranges; within it the sums run over its own taps only.
 *
 *     +--+-----------+--+    14 x 14 pixels, 3 x 3 taps: 12 x 12 of them have 9 taps, 4 x 12 have 6, the corners 4:
 *     |4 |     6     | 4|    91% of 9 * 14 * 14
 *     +--+-----------+--+
 *     |6 |     9     | 6|
 *     +--+-----------+--+
 *     |4 |     6     | 4|
 *     +--+-----------+--+
 */
#ifndef CB_CONV_BOXES_H
#define CB_CONV_BOXES_H

#include "conv/gather.h"

enum { CB_AXIS_RANGES = 7, CB_MAX_BOXES = 49 };

typedef struct {
  int64_t first[3], count[3]; /* the box's first output on each axis, and how many outputs it has there */
  int64_t tap[3], taps[3];    /* on each axis, the first of the gather's taps that reach the box, and how many do */
} cb_box;

/* The taps [*lo, *hi) of the axis that meet a source position from output o; *lo <= *hi. */
void cb_taps_of_output(const cb_gather_axis *axis, int64_t o, int64_t *lo, int64_t *hi);

/* The outputs [*lo, *hi) that meet a source position at tap j; *lo <= *hi. */
void cb_outputs_of_tap(const cb_gather_axis *axis, int64_t j, int64_t *lo, int64_t *hi);

/* Cuts the gather's outputs into boxes on those axes whose bit is set in `axes`; on the others all taps count. Returns
   the number of boxes, or 0 if there would be more than CB_MAX_BOXES, or more than CB_AXIS_RANGES ranges on an axis. */
int cb_boxes_cut(const cb_gather *gather, unsigned axes, cb_box boxes[CB_MAX_BOXES]);

/* Number of the box's taps, of one channel. */
static inline int64_t cb_box_taps(const cb_box *box)
{
  return box->taps[0] * box->taps[1] * box->taps[2];
}

/* steps[i] = the position in the gather's order (channel, tap) of the box's step i. Returns the number of steps,
   channels * taps. */
int64_t cb_box_steps(const cb_gather *gather, const cb_box *box, int32_t *steps);

/* The part of a block of outputs that lies in the box; its counts may be 0. */
cb_block_range cb_box_in_block(const cb_box *box, const cb_block_range *block);

#endif
