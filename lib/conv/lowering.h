/*
 * im2col and its transpose, a tile at a time.
 *
 * The lowered matrix of one image and group is col[q][p], q = (channel, tap) and p = output pixel, both counted in the
 * arrays' order; column p holds the input patch under output pixel p. A view says how pixel p and tap t meet, so the
 * same code lowers x for the forward and the weight gradient, and dy for the input gradient in its rot180 form.
 */
#ifndef CB_CONV_LOWERING_H
#define CB_CONV_LOWERING_H

#include "conv/geometry.h"

/* How the pixels of a source meet taps. */
typedef struct {
  cb_axis axis[3]; /* the axes, with in and out as this view sees them */
  int64_t image;   /* source pixels of one channel */
  int64_t taps;    /* taps of all axes together */
  size_t element;  /* bytes of an element */
} cb_view;

/* A block of the lowered matrix: rows [q0, q1) and columns [p0, p1), stored as [q - q0][p - p0], ld elements from row
   to row. */
typedef struct {
  int64_t q0, q1, p0, p1, ld;
} cb_block;

/* x seen from y: the lowering of the forward and the weight gradient. */
cb_view cb_view_forward(const cb_geometry *geo);

/* dy seen from dx, for stride 1: pad(delta) * rot180(W). */
cb_view cb_view_rot180(const cb_geometry *geo);

/* tile[q - q0][p - p0] = source[channel(q)][position of p and tap(q)], 0 outside the source.
   source points to the image's and group's first channel of
   [channels][in d][in h][in w]. */
void cb_lower(const cb_view *view, const void *source, const cb_block *block, void *tile);

/* source[channel(q)][position] += tile[q - q0][p - p0], in order of q, then p: the transpose of cb_lower (col2im).
   `cleared` bytes of a channel's plane are set to zero before its first row is added. What of the tile meets nothing of
   the source may be overwritten. */
void cb_unlower_add(const cb_view *view, void *tile, const cb_block *block, size_t cleared, void *source);

#endif
