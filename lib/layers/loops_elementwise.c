/*
 * Sums and products, the optimiser and bias rows: loops without branches, which the compiler turns into vectors. And the table of the
 * layers' vector loops of this compilation.
 */
#include "layers/loops.h"
#include "layers/pool.h"
#include <string.h>

/* Each iteration of these two reads its own elements before writing one, so y == a is as good as apart. */
static void add(int64_t count, const void *first, const void *second, void *sum)
{
  const real *a = first, *b = second;
  real *y = sum;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; i++) y[i] = a[i] + b[i];
}

static void multiply(int64_t count, const void *first, const void *second, void *product)
{
  const real *a = first, *b = second;
  real *y = product;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; i++) y[i] = a[i] * b[i];
}

static void sgd(double rate, double momentum, double decay, int64_t count, void *parameters, const void *gradient,
                void *velocity)
{
  const real lr = (real)rate, mu = (real)momentum, wd = (real)decay;
  real *restrict p = parameters, *restrict v = velocity;
  const real *restrict g = gradient;
  if (v)
    for (int64_t i = 0; i < count; i++) {
      v[i] = mu * v[i] + (g[i] + wd * p[i]);
      p[i] -= lr * v[i];
    }
  else
    for (int64_t i = 0; i < count; i++) p[i] -= lr * (g[i] + wd * p[i]);
}

static void bias_relu(int64_t rows, int64_t out, const void *offsets, int relu, void *to)
{
  const real *restrict bias = offsets;
  for (int64_t in = 0; in < rows; in++) {
    real *restrict y = (real *)to + in * out;
    if (bias)
      for (int64_t o = 0; o < out; o++) y[o] += bias[o];
    if (relu)
      for (int64_t o = 0; o < out; o++) y[o] = y[o] < 0 ? 0 : y[o];
  }
}

/* ---- sums over rows: leaves of LEAF rows, joined in a binary tree ---- */

enum {
  LEAF = 32,
  WIDTH = 128, /* columns that are summed at a time */
  LEVELS = 24  /* levels of the tree; the last one takes what is beyond 2^28 rows */
};

static void sum_leaf(int64_t rows, int64_t width, int64_t pitch, const real *restrict dy, real *restrict sum)
{
  memcpy(sum, dy, (size_t)width * sizeof *sum);
  for (int64_t in = 1; in < rows; in++)
    for (int64_t o = 0; o < width; o++) sum[o] += dy[in * pitch + o];
}

static void add_row(int64_t width, const real *restrict more, real *restrict sum)
{
  for (int64_t o = 0; o < width; o++) sum[o] = more[o] + sum[o];
}

/* One sum of 2^l leaves waits on each level l whose bit is set in the number of leaves so far. */
static void sum_columns(int64_t rows, int64_t width, int64_t pitch, const real *dy, real *db)
{
  real level[LEVELS][WIDTH], sum[WIDTH];
  int64_t leaves = 0, l;
  for (int64_t in = 0; in < rows; in += LEAF, leaves++) {
    sum_leaf(rows - in < LEAF ? rows - in : LEAF, width, pitch, dy + in * pitch, sum);
    for (l = 0; l < LEVELS - 1 && leaves >> l & 1; l++) add_row(width, level[l], sum);
    if (l == LEVELS - 1 && leaves >> l) add_row(width, level[l], sum); /* the last level takes all of its size */
    memcpy(level[l], sum, (size_t)width * sizeof *sum);
  }
  for (l = 0; !(leaves >> l & 1) && l < LEVELS - 1;) l++;
  memcpy(sum, level[l], (size_t)width * sizeof *sum);
  for (l++; l < LEVELS && leaves >> l; l++)
    if (l == LEVELS - 1 || leaves >> l & 1) add_row(width, level[l], sum);
  memcpy(db, sum, (size_t)width * sizeof *db);
}

static void column_sums(int64_t rows, int64_t out, int64_t pitch, const void *error, void *to)
{
  real *db = to;
  if (rows < 1) memset(db, 0, (size_t)out * sizeof *db);
  for (int64_t o = 0; o < out && rows > 0; o += WIDTH)
    sum_columns(rows, out - o < WIDTH ? out - o : WIDTH, pitch, (const real *)error + o, db + o);
}

static uint32_t largest_index(int64_t count, const int32_t *indices)
{
  uint32_t largest = 0;
  for (int64_t i = 0; i < count; i++) largest = (uint32_t)indices[i] > largest ? (uint32_t)indices[i] : largest;
  return largest;
}

extern const cb_layer_loops CB_NAME(cb_layer_loops);
const cb_layer_loops CB_NAME(cb_layer_loops) = {
    .add = add,
    .multiply = multiply,
    .sgd = sgd,
    .bias_relu = bias_relu,
    .column_sums = column_sums,
    .largest_index = largest_index,
    .pool =
        {
            &CB_NAME(cb_pool_whole),
            &CB_NAME(cb_pool_routes),
#if CB_POOL_HALVES
            &CB_NAME(cb_pool_half_windows),
#endif
            &CB_NAME(cb_pool_whole_windows),
            &CB_NAME(cb_pool_rows),
        },
};
