/*
 * Pooling as its loops see it: the sizes of a layer, some channels of a call, and the families of loops among which
 * pooling.c chooses. The families' sources (pool_*.c) are compiled once for each type and level, and see the second half of this
 * header too: which families their compilation has, and what they call of each other.
 */
#ifndef CB_LAYERS_POOL_H
#define CB_LAYERS_POOL_H

#include <cnnblas/layers.h>
#include <stdbool.h>
#include <stdint.h>

/* A pooling layer's sizes with three axes always: d, h, w; an axis that the layer does not have has size 1. */
typedef struct {
  cnnblas_pool_kind kind;
  bool count_include_pad;
  bool adaptive; /* windows follow from size and out alone; kernel and stride are 0 */
  int64_t size[3], out[3], kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3];
  int64_t plane, out_plane; /* elements of one channel */
  int64_t rows; /* output rows of a channel, of out[1], in which there may be several channels below each other */
} cb_pool_geometry;

/* Elements from a window's first to its last, on one axis. */
static inline int64_t cb_pool_reach(const cb_pool_geometry *g, int axis)
{
  return (g->kernel[axis] - 1) * g->dilation[axis] + 1;
}

/* The elements *from, *from + dilation, ... below *to that the window at output position o takes of the image, on one axis;
   returns how many an average counts. */
static inline int64_t cb_pool_extent(const cb_pool_geometry *g, int axis, int64_t o, int64_t *from, int64_t *to)
{
  const int64_t size = g->size[axis], out = g->out[axis], step = g->dilation[axis];
  if (g->adaptive) {
    *from = o * size / out;
    *to = ((o + 1) * size + out - 1) / out;
    return *to - *from;
  }
  const int64_t start = o * g->stride[axis] - g->pad_begin[axis], end = start + cb_pool_reach(g, axis);
  const int64_t padded = size + g->pad_end[axis];
  *from = start < 0 ? start + (-start + step - 1) / step * step : start;
  *to = end < size ? end : size;
  if (g->count_include_pad) return ((end < padded ? end : padded) - start + step - 1) / step;
  return *to > *from ? (*to - *from + step - 1) / step : 0;
}

/* Some channels after each other: x, dx [planes][d][h][w]; y, dy, indices [planes][od][oh][ow]. */
typedef struct {
  const cb_pool_geometry *geo;
  int64_t planes;
  const void *x, *y_in, *dy;
  void *y, *dx;
  int32_t *indices;
  const int32_t *indices_in;
} cb_pool_run;

/* One family of loops. Where `serves` says no, it has none for these sizes in this direction. */
typedef struct {
  bool (*serves)(const cb_pool_geometry *geo, bool backward);
  void (*forward)(const cb_pool_run *run);
  void (*backward)(const cb_pool_run *run);
} cb_pool_family;

enum { CB_POOL_FAMILIES = 5 }; /* the most families that a type and level has */

#ifdef CB_LEVEL
#include "gemm/level_build.h"
#include <stddef.h>

extern const cb_pool_family CB_NAME(cb_pool_whole);        /* pool_windows.c: averages of whole channels */
extern const cb_pool_family CB_NAME(cb_pool_routes);       /* pool_routes.c: gradients of maxima by windows 3/1 */
extern const cb_pool_family CB_NAME(cb_pool_half_windows); /* pool_windows.c with half vectors: short rows */
extern const cb_pool_family
    CB_NAME(cb_pool_whole_windows);                /* pool_windows.c with whole vectors: windows 2/2, 3/2 and 3/1 */
extern const cb_pool_family CB_NAME(cb_pool_rows); /* pool_rows.c: any windows, any elements */

/* The longest rows of outputs that the family of half vectors takes, 0 where the build has none: it pays where they still have
   eight lanes, for rows that fill no more; and where a part of a vector is slow to store, for rows shorter than a vector. */
#if CB_LEVEL_ROW(CB_LEVEL_BYTES) == 64
#define CB_POOL_HALVES (CB_REAL_BITS == 32 ? 8 : 0)
#elif CB_LEVEL_ROW(CB_LEVEL_BYTES) == 32
#define CB_POOL_HALVES (CB_REAL_BITS == 32 ? 7 : 0)
#else
#define CB_POOL_HALVES 0
#endif

/* Whether v, which comes after m in row-major order, takes its place as the largest. */
#define LATER_BEATS(v, m) (((v) > (m)) | (((v) != (v)) & ((m) == (m))))

/* The part of a run that is its channel i alone. */
static inline cb_pool_run cb_pool_channel(const cb_pool_run *run, int64_t i)
{
  const int64_t in = i * run->geo->plane, out = i * run->geo->out_plane;
  cb_pool_run one = {.geo = run->geo, .planes = 1};
  one.x = run->x ? (const real *)run->x + in : NULL;
  one.dx = run->dx ? (real *)run->dx + in : NULL;
  one.y = run->y ? (real *)run->y + out : NULL;
  one.y_in = run->y_in ? (const real *)run->y_in + out : NULL;
  one.dy = run->dy ? (const real *)run->dy + out : NULL;
  one.indices = run->indices ? run->indices + out : NULL;
  one.indices_in = run->indices_in ? run->indices_in + out : NULL;
  return one;
}
#endif

#endif
