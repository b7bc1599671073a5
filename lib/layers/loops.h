/*
 * The vector loops of the layers: one table of functions for each type and instruction-set level. The sources
 * (loops_elementwise.c, loops_pool*.c) are compiled once for each pair; cb_layer_loops_for() chooses.
 *
 * Arrays are of the table's type. Every function is serial and works on one piece of a layer.
 */
#ifndef CB_LAYERS_LOOPS_H
#define CB_LAYERS_LOOPS_H

#include <cnnblas/layers.h>
#include <stdbool.h>
#include <stdint.h>

/* A pooling layer's sizes with three axes always: d, h, w; an axis that the layer does not have has size 1. */
typedef struct {
  int64_t size[3], out[3], kernel[3], stride[3], pad_begin[3], pad_end[3];
  int64_t plane, out_plane; /* elements of one channel */
  int count_include_pad;
} cb_pool_geometry;

/* Whether a window has so many elements that the digits which their plain sum loses would be noticed. */
static inline bool cb_pool_is_wide(const cb_pool_geometry *g)
{
  enum { PLAIN = 1024 };
  return g->kernel[0] * g->kernel[1] > PLAIN || g->kernel[0] * g->kernel[1] * g->kernel[2] > PLAIN;
}

/* The part [*from, *to) of the window at output position o that lies in the image, on one axis; returns what an average
   counts of it. */
static inline int64_t cb_pool_extent(const cb_pool_geometry *g, int axis, int64_t o, int64_t *from, int64_t *to)
{
  int64_t start = o * g->stride[axis] - g->pad_begin[axis], end = start + g->kernel[axis];
  int64_t padded = g->size[axis] + g->pad_end[axis], counted = (end < padded ? end : padded) - start;
  *from = start < 0 ? 0 : start;
  *to = end < g->size[axis] ? end : g->size[axis];
  return g->count_include_pad ? counted : *to - *from;
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

typedef struct {
  /* y[i] = f(x[i]); dx[i] = dy[i] * f'(net), from y[i] = f(net); y may be x, dx may be dy */
  void (*activate)(const cnnblas_activation *f, int64_t count, const void *x, void *y);
  void (*activate_back)(const cnnblas_activation *f, int64_t count, const void *y, const void *dy, void *dx);
  /* p, v after one step of cnnblas_sgd_step; v may be NULL */
  void (*sgd)(double lr, double momentum, double decay, int64_t count, void *p, const void *g, void *v);
  /* y[in][o] += bias[o] for rows images of `out` outputs, then max(0, y) if relu; bias may be NULL */
  void (*bias_relu)(int64_t rows, int64_t out, const void *bias, int relu, void *y);
  /* db[o] = sum over in < rows of dy[in][o], in the images' order, for o < out; rows of dy are `pitch` elements apart */
  void (*column_sums)(int64_t rows, int64_t out, int64_t pitch, const void *dy, void *db);
  /* p[j] = exp(z[j] - max z) / sum; returns log(sum exp(z - max)) + max in *log_sum; p may be z */
  void (*softmax)(int64_t count, const void *z, void *p, double *log_sum);
  /* the largest of count indices, a negative one counting as above all others */
  uint32_t (*largest_index)(int64_t count, const int32_t *indices);
  void (*pool_forward)(cnnblas_pool_kind kind, const cb_pool_run *run);
  void (*pool_backward)(cnnblas_pool_kind kind, const cb_pool_run *run);
} cb_layer_loops;

/* The table for a type on this machine. Thread safe. */
const cb_layer_loops *cb_layer_loops_for(cnnblas_dtype dtype);

/* Elements that one task of an elementwise layer takes: fixed, so that nothing depends on the thread count. */
enum { CB_CHUNK = 16384 };

#endif
