/*
 * One layer, direction and shape that --set layers times, with its arrays.
 */
#ifndef BENCH_LAYERS_RIG_H
#define BENCH_LAYERS_RIG_H

#include "openblas.h"
#include <cnnblas/layers.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>

/* LAYER_MORE: those of layers_more.h. */
typedef enum { LAYER_ACTIVATION, LAYER_POOL, LAYER_FC, LAYER_SGD, LAYER_MORE } layer_family;

/* Which arrays a call writes: y; dx; w's gradient. SGD has the first only. */
typedef enum { LAYER_FORWARD, LAYER_BACKWARD, LAYER_WEIGHTS } layer_direction;

/* What is timed. Activations, pooling and others: c channels of size x size; FC: c inputs, size outputs; SGD: c parameters. */
typedef struct layer_case {
  layer_family family;
  int kind; /* a place in the list of activations or of further layers, or cnnblas_pool_kind */
  layer_direction direction;
  int64_t c, size, kernel, stride, pad;
} layer_case;

enum { LAYER_ARRAYS = 8 };

/* Arrays of inputs (x, dx) and outputs (y, dy) elements; w [out][in] is the FC's weights or SGD's velocity. */
typedef struct layer_rig {
  const layer_case *layer;
  cnnblas_dtype dtype;
  size_t element;
  int64_t n, out; /* images; output size of an axis */
  int64_t inputs, outputs, weights;
  cnnblas_activation_desc activation;
  cnnblas_pool_desc pool;
  cnnblas_fc_desc fc;
  cnnblas_sgd_desc sgd;
  void *x, *y, *dy, *dx, *w, *dw;
  int32_t *indices;
  int threads;
  /* the yardstick: a copy of half the bytes that the call moves, or for FC the matrix product alone */
  void *from, *to;
  size_t copy_bytes, moved_bytes;
  bench_gemm_args gemm;
  void *pages[LAYER_ARRAYS]; /* what to release */
  size_t page_bytes[LAYER_ARRAYS];
  int page_count;
} layer_rig;

/* Element i of an array of the rig's type. */
static inline double layer_at(const layer_rig *r, const void *array, int64_t i)
{
  return r->dtype == CNNBLAS_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

/* The roundoff of that type. */
static inline double layer_unit(const layer_rig *r)
{
  return r->dtype == CNNBLAS_F64 ? DBL_EPSILON / 2 : FLT_EPSILON / 2;
}

/* |got - wanted| / bound; a NaN or a miss of an exact result is infinitely wrong. */
static inline double layer_share(double got, long double wanted, long double bound)
{
  long double error = fabsl(got - wanted);
  if (error == 0) return 0;
  return error <= bound ? (double)(error / bound) : INFINITY;
}

#endif
