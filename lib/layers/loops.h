/*
 * The vector loops of the layers: one table of functions for each type and instruction-set level. The sources
 * (loops_elementwise.c, pool_*.c) are compiled once for each pair; cb_layer_loops_for() chooses.
 *
 * Arrays are of the table's type. Every function is serial and works on one piece of a layer.
 */
#ifndef CB_LAYERS_LOOPS_H
#define CB_LAYERS_LOOPS_H

#include "layers/pool.h"
#include <cnnblas/layers.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  /* y[i] = a[i] + b[i], a[i] * b[i]; y may be a or b */
  void (*add)(int64_t count, const void *a, const void *b, void *y);
  void (*multiply)(int64_t count, const void *a, const void *b, void *y);
  /* p, v after one step of cnnblas_sgd_step; v may be NULL */
  void (*sgd)(double lr, double momentum, double decay, int64_t count, void *p, const void *g, void *v);
  /* y[in][o] += bias[o] for rows images of `out` outputs, then max(0, y) if relu; bias may be NULL */
  void (*bias_relu)(int64_t rows, int64_t out, const void *bias, int relu, void *y);
  /* db[o] = sum over in < rows of dy[in][o], in the images' order, for o < out; rows of dy are `pitch` elements apart */
  void (*column_sums)(int64_t rows, int64_t out, int64_t pitch, const void *dy, void *db);
  /* the largest of count indices, a negative one counting as above all others */
  uint32_t (*largest_index)(int64_t count, const int32_t *indices);
  /* pooling's loops: the first family that serves is taken; the last one serves everything */
  const cb_pool_family *pool[CB_POOL_FAMILIES];
} cb_layer_loops;

/* The table for a type on this machine. Thread safe. */
const cb_layer_loops *cb_layer_loops_for(cnnblas_dtype dtype);

/* Elements that one task of an elementwise layer takes: fixed, so that nothing depends on the thread count. */
enum { CB_CHUNK = 16384 };

#endif
