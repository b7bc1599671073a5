/*
 * The exponential function and its kin for loops that the compiler turns into vectors, in the type and level that is being
 * compiled (level_build.h): no branches, no tables.
 *
 * exp(x) for x <= 0: x = n ln2 + r with |r| <= ln2 / 2, and e^r - 1 = r + r^2 P(r). P interpolates in Chebyshev's nodes
 * for f32 (error 7e-8) and is Taylor's series for f64 (the first term left out is below a quarter unit in the last
 * place). The sum that rounds x / ln2 to n has n in its last bits, and with the right constant n's exponent bits: one
 * shift makes 2^(n + LIFT) of them. The lift is taken back by a product, which may round to a subnormal.
 * tanh(x) = m / (m + 2) with m = e^(2|x|) - 1; log(1 + e) = 2 artanh(s) with s = e / (2 + e), by its series.
 */
#ifndef CB_GEMM_EXPONENTIAL_H
#define CB_GEMM_EXPONENTIAL_H

#include "gemm/level_build.h"
#include <math.h>
#include <string.h>

#if CB_REAL_BITS == 32
enum { MANTISSA = 23, BIAS = 127, LIFT = 64 };
static const real rounder = 12582912.0f + BIAS, log2e = 1.44269504f, ln2_high = 0.693359375f;
static const real ln2_low = -2.12194440e-4f, lowest = -110, tanh_limit = 20;
#else
enum { MANTISSA = 52, BIAS = 1023, LIFT = 64 };
static const real rounder = 6755399441055744.0 + BIAS, log2e = 1.4426950408889634074;
static const real ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
static const real lowest = -752, tanh_limit = 40;
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

/* e^x - 1, of -limit for x below that; x <= 0, NaN for NaN. */
static inline real expm1_negative(real x)
{
  real r, scale = reduce(x < -tanh_limit ? -tanh_limit : x, 0, &r);
  return small_expm1(r) * scale + (scale - 1);
}

/* log(1 + e) for 0 <= e <= 1. */
static inline real log1p_fraction(real e)
{
  enum { TERMS = CB_REAL_BITS == 32 ? 8 : 17 }; /* s^2 <= 1/9: the first term left out is below half a unit */
  real s = e / (2 + e), square = s * s, sum = 0;
  _Pragma("GCC unroll 16") for (int k = TERMS - 1; k > 0; k--) sum = (sum + (real)1 / (real)(2 * k + 1)) * square;
  return 2 * (s + s * sum);
}

/* log(1 + e^x) */
static inline real softplus(real x)
{
  real e = lifted_exp_negative(-(real)fabs(x)) * lower;
  return (x > 0 ? x : x == x ? 0 : x) + log1p_fraction(e);
}

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

#endif
