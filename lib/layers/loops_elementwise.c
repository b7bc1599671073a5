/*
 * Activations, softmax, the optimiser and bias rows: loops without branches, which the compiler turns into vectors.
 *
 * exp(x) for x <= 0: x = n ln2 + r with |r| <= ln2 / 2, e^r - 1 by its Taylor series (7 terms for f32, 13 for f64: the
 * first one left out is below a quarter unit in the last place), and 2^n by its exponent bits in two factors, so that
 * results may become subnormal. tanh(x) = m / (m + 2) with m = e^(2|x|) - 1.
 */
#include "layers/loops_build.h"
#include <math.h>
#include <string.h>

#if CB_REAL_BITS == 32
static const real magic = 12582912.0f, log2e = 1.44269504f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
static const real lowest = -104, tanh_limit = 20;
enum { MANTISSA = 23, BIAS = 127 };
#else
static const real magic = 6755399441055744.0, log2e = 1.4426950408889634074;
static const real ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
static const real lowest = -746, tanh_limit = 40;
enum { MANTISSA = 52, BIAS = 1023 };
#endif

static inline real power_of_two(real n)
{
  real shifted = n + magic, zero = magic;
  bits a, b;
  memcpy(&a, &shifted, sizeof a);
  memcpy(&b, &zero, sizeof b);
  a = (a - b + BIAS) << MANTISSA;
  memcpy(&shifted, &a, sizeof shifted);
  return shifted;
}

/* e^r - 1 for |r| <= ln2 / 2. */
static inline real small_expm1(real r)
{
#if CB_REAL_BITS == 32
  real p = (real)(1.0 / 5040);
#else
  real p = (real)(1.0 / 6227020800.0);
  p = p * r + (real)(1.0 / 479001600.0);
  p = p * r + (real)(1.0 / 39916800.0);
  p = p * r + (real)(1.0 / 3628800.0);
  p = p * r + (real)(1.0 / 362880.0);
  p = p * r + (real)(1.0 / 40320.0);
  p = p * r + (real)(1.0 / 5040.0);
#endif
  p = p * r + (real)(1.0 / 720);
  p = p * r + (real)(1.0 / 120);
  p = p * r + (real)(1.0 / 24);
  p = p * r + (real)(1.0 / 6);
  p = p * r + (real)0.5;
  return p * r * r + r;
}

/* The n and r of x = n ln2 + r. */
static inline real reduce(real x, real *r)
{
  real n = (x * log2e + magic) - magic;
  *r = (x - n * ln2_high) - n * ln2_low;
  return n;
}

/* e^x for x <= 0, NaN for NaN. */
static inline real exp_negative(real x)
{
  real r, clipped = x < lowest ? lowest : x;
  real n = reduce(clipped, &r), half = (n * (real)0.5 + magic) - magic;
  real e = (small_expm1(r) + 1) * power_of_two(half) * power_of_two(n - half);
  return x < lowest ? 0 : e;
}

static inline real sigmoid(real x)
{
  real e = exp_negative(x < 0 ? x : -x);
  return (x < 0 ? e : 1) / (1 + e);
}

static inline real hyperbolic_tangent(real x)
{
  real r, twice = x < 0 ? -2 * x : 2 * x;
  twice = twice > tanh_limit ? tanh_limit : twice;
  real scale = power_of_two(reduce(twice, &r));
  real m = small_expm1(r) * scale + (scale - 1), t = m / (m + 2);
  return x < 0 ? -t : (x == 0 ? x : t);
}

void CB_NAME(cb_activate)(cnnblas_nonlinearity kind, double slope, int64_t count, const void *from, void *to)
{
  const real *x = from, a = (real)slope;
  real *y = to;
  /* Each iteration reads its own element before writing it, so y == x is as good as apart. */
#define EACH(value) _Pragma("GCC ivdep") for (int64_t i = 0; i < count; i++) y[i] = value
  if (kind == CNNBLAS_NONLINEARITY_RELU)
    EACH(x[i] < 0 ? 0 : x[i]);
  else if (kind == CNNBLAS_NONLINEARITY_LEAKY_RELU)
    EACH(x[i] > 0 ? x[i] : a * x[i]);
  else if (kind == CNNBLAS_NONLINEARITY_SIGMOID)
    EACH(sigmoid(x[i]));
  else
    EACH(hyperbolic_tangent(x[i]));
#undef EACH
}

void CB_NAME(cb_activate_back)(cnnblas_nonlinearity kind, double slope, int64_t count, const void *result,
                               const void *error, void *to)
{
  const real *y = result, *dy = error, a = (real)slope;
  real *dx = to;
#define EACH(value) _Pragma("GCC ivdep") for (int64_t i = 0; i < count; i++) dx[i] = value
  if (kind == CNNBLAS_NONLINEARITY_RELU)
    EACH(y[i] <= 0 ? 0 : dy[i]);
  else if (kind == CNNBLAS_NONLINEARITY_LEAKY_RELU)
    EACH(y[i] > 0 ? dy[i] : a * dy[i]);
  else if (kind == CNNBLAS_NONLINEARITY_SIGMOID)
    EACH(dy[i] * (y[i] * (1 - y[i])));
  else
    EACH(dy[i] * (1 - y[i] * y[i]));
#undef EACH
}

void CB_NAME(cb_sgd)(double rate, double momentum, double decay, int64_t count, void *parameters, const void *gradient,
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

void CB_NAME(cb_bias_relu)(int64_t rows, int64_t out, const void *offsets, int relu, void *to)
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

void CB_NAME(cb_column_sums)(int64_t rows, int64_t out, const void *error, void *to)
{
  real *restrict db = to;
  memset(db, 0, (size_t)out * sizeof *db);
  for (int64_t in = 0; in < rows; in++) {
    const real *restrict dy = (const real *)error + in * out;
    for (int64_t o = 0; o < out; o++) db[o] += dy[o];
  }
}

void CB_NAME(cb_softmax)(int64_t count, const void *logits, void *to, double *log_sum)
{
  const real *z = logits;
  real *p = to;
  real largest = z[0];
  double sum = 0;
  for (int64_t j = 1; j < count; j++) largest = z[j] > largest ? z[j] : largest;
#pragma GCC ivdep
  for (int64_t j = 0; j < count; j++) p[j] = exp_negative(z[j] - largest);
  for (int64_t j = 0; j < count; j++) sum += (double)p[j];
  real scale = (real)(1 / sum);
  for (int64_t j = 0; j < count; j++) p[j] *= scale;
  *log_sum = log(sum) + (double)largest;
}

uint32_t CB_NAME(cb_largest_index)(int64_t count, const int32_t *indices)
{
  uint32_t largest = 0;
  for (int64_t i = 0; i < count; i++) largest = (uint32_t)indices[i] > largest ? (uint32_t)indices[i] : largest;
  return largest;
}
