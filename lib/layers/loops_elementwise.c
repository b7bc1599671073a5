/*
 * Activations, softmax, the optimiser and bias rows: loops without branches, which the compiler turns into vectors. And the
 * table of all vector loops of this compilation.
 *
 * exp(x) for x <= 0: x = n ln2 + r with |r| <= ln2 / 2, and e^r - 1 = r + r^2 P(r). P interpolates in Chebyshev's nodes
 * for f32 (error 7e-8) and is Taylor's series for f64 (the first term left out is below a quarter unit in the last
 * place). The sum that rounds x / ln2 to n has n in its last bits, and with the right constant n's exponent bits: one
 * shift makes 2^(n + LIFT) of them. The lift is taken back by a product, which may round to a subnormal.
 * tanh(x) = m / (m + 2) with m = e^(2|x|) - 1.
 */
#include "gemm/level_build.h"
#include "layers/loops.h"
#include "layers/pool_build.h"
#include <math.h>
#include <string.h>

#if CB_REAL_BITS == 32
enum { MANTISSA = 23, BIAS = 127, LIFT = 64 };
static const real rounder = 12582912.0f + BIAS, log2e = 1.44269504f, ln2_high = 0.693359375f;
static const real ln2_low = -2.12194440e-4f, lowest = -104, tanh_limit = 20;
#else
enum { MANTISSA = 52, BIAS = 1023, LIFT = 64 };
static const real rounder = 6755399441055744.0 + BIAS, log2e = 1.4426950408889634074;
static const real ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
static const real lowest = -746, tanh_limit = 40;
#endif

/* e^r - 1 for |r| <= ln2 / 2. */
static inline real small_expm1(real r)
{
#if CB_REAL_BITS == 32
  real p = 1.3926326e-3f;
  p = p * r + 8.3632928e-3f;
  p = p * r + 4.16665538e-2f;
  p = p * r + 1.66665763e-1f;
#else
  real p = (real)(1.0 / 6227020800.0);
  p = p * r + (real)(1.0 / 479001600.0);
  p = p * r + (real)(1.0 / 39916800.0);
  p = p * r + (real)(1.0 / 3628800.0);
  p = p * r + (real)(1.0 / 362880.0);
  p = p * r + (real)(1.0 / 40320.0);
  p = p * r + (real)(1.0 / 5040.0);
  p = p * r + (real)(1.0 / 720);
  p = p * r + (real)(1.0 / 120);
  p = p * r + (real)(1.0 / 24);
  p = p * r + (real)(1.0 / 6);
#endif
  p = p * r + (real)0.5;
  return p * r * r + r;
}

/* The r of x = n ln2 + r; returns 2^(n + lift). */
static inline real reduce(real x, real lift, real *r)
{
  real to_integer = rounder + lift, shifted = x * log2e + to_integer, n = shifted - to_integer;
  bits power;
  memcpy(&power, &shifted, sizeof power);
  power <<= MANTISSA;
  memcpy(&shifted, &power, sizeof shifted);
  *r = (x - n * ln2_high) - n * ln2_low;
  return shifted;
}

/* e^x for x <= 0, NaN for NaN, times 2^LIFT. */
static inline real lifted_exp_negative(real x)
{
  real r, scale = reduce(x < lowest ? lowest : x, LIFT, &r);
  return (small_expm1(r) + 1) * scale;
}

static const real lower = (real)0x1p-64; /* 2^-LIFT */

static inline real sigmoid(real x)
{
  real lifted = lifted_exp_negative(-(real)fabs(x));
  return (x < 0 ? lifted * lower : 1) / (lifted * lower + 1);
}

static inline real hyperbolic_tangent(real x)
{
  real r, twice = 2 * (real)fabs(x), scale = reduce(twice > tanh_limit ? tanh_limit : twice, 0, &r);
  real m = small_expm1(r) * scale + (scale - 1);
  return (real)copysign(m / (m + 2), x);
}

static void activate(const cnnblas_activation *f, int64_t count, const void *from, void *to)
{
  const real *x = from, alpha = (real)f->alpha, beta = (real)f->beta;
  real *y = to;
  /* Each iteration reads its own element before writing it, so y == x is as good as apart. */
#define EACH(value) _Pragma("GCC ivdep") for (int64_t i = 0; i < count; i++) y[i] = value
  if (f->kind == CNNBLAS_RELU)
    EACH(x[i] < 0 ? 0 : x[i]);
  else if (f->kind == CNNBLAS_LEAKY_RELU)
    EACH(x[i] > 0 ? x[i] : alpha * x[i]);
  else if (f->kind == CNNBLAS_CLIP)
    EACH(x[i] < alpha ? alpha : x[i] > beta ? beta : x[i]);
  else if (f->kind == CNNBLAS_SIGMOID)
    EACH(sigmoid(x[i]));
  else if (f->kind == CNNBLAS_TANH)
    EACH(hyperbolic_tangent(x[i]));
  else if (x != y)
    memcpy(y, x, (size_t)count * sizeof *y);
#undef EACH
}

static void activate_back(const cnnblas_activation *f, int64_t count, const void *result, const void *error, void *to)
{
  const real *y = result, *dy = error, alpha = (real)f->alpha, beta = (real)f->beta;
  real *dx = to;
#define EACH(value) _Pragma("GCC ivdep") for (int64_t i = 0; i < count; i++) dx[i] = value
  if (f->kind == CNNBLAS_RELU)
    EACH(y[i] <= 0 ? 0 : dy[i]);
  else if (f->kind == CNNBLAS_LEAKY_RELU)
    EACH(y[i] > 0 ? dy[i] : alpha * dy[i]);
  else if (f->kind == CNNBLAS_CLIP)
    EACH(((y[i] <= alpha) | (y[i] >= beta)) ? 0 : dy[i]);
  else if (f->kind == CNNBLAS_SIGMOID)
    EACH(dy[i] * (y[i] * (1 - y[i])));
  else if (f->kind == CNNBLAS_TANH)
    EACH(dy[i] * (1 - y[i] * y[i]));
  else if (dx != dy)
    memcpy(dx, dy, (size_t)count * sizeof *dx);
#undef EACH
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

enum { LEAF = 32, WIDTH = 128 /* columns at a time */, LEVELS = 24 /* the last one takes what is beyond 2^28 rows */ };

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

static void softmax(int64_t count, const void *logits, void *to, double *log_sum)
{
  const real *z = logits;
  real *p = to;
  real largest = z[0];
  double sum = 0;
  for (int64_t j = 1; j < count; j++) largest = z[j] > largest ? z[j] : largest;
#pragma GCC ivdep
  for (int64_t j = 0; j < count; j++) p[j] = lifted_exp_negative(z[j] - largest) * lower;
  for (int64_t j = 0; j < count; j++) sum += (double)p[j];
  real scale = (real)(1 / sum);
  for (int64_t j = 0; j < count; j++) p[j] *= scale;
  *log_sum = log(sum) + (double)largest;
}

static uint32_t largest_index(int64_t count, const int32_t *indices)
{
  uint32_t largest = 0;
  for (int64_t i = 0; i < count; i++) largest = (uint32_t)indices[i] > largest ? (uint32_t)indices[i] : largest;
  return largest;
}

extern const cb_layer_loops CB_NAME(cb_layer_loops);
const cb_layer_loops CB_NAME(cb_layer_loops) = {
    .activate = activate,
    .activate_back = activate_back,
    .sgd = sgd,
    .bias_relu = bias_relu,
    .column_sums = column_sums,
    .softmax = softmax,
    .largest_index = largest_index,
    .pool =
        {
            &CB_NAME(cb_pool_whole),
#if CB_POOL_HALVES
            &CB_NAME(cb_pool_half_windows),
#endif
            &CB_NAME(cb_pool_whole_windows),
            &CB_NAME(cb_pool_rows),
            &CB_NAME(cb_pool_each),
        },
};
