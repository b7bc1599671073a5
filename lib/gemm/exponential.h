/*
 * The exponential function and its kin on vectors of the type and level that is being compiled (vectors.h): no
 * branches, no tables. A processor overlaps few vectors' operations, so that the chain of those that wait for each other
 * is kept short.
 *
 * exp(x) for x <= 0: x = n ln2 + r with |r| <= ln2 / 2, and e^r - 1 = r + r^2 P(r). P interpolates in Chebyshev's nodes
 * for f32 (error 7e-8) and is Taylor's series for f64 (the first term left out is below a quarter unit in the last
 * place). The sum that rounds x / ln2 to n has n in its last bits, and with the right constant n's exponent bits: one
 * shift makes 2^(n + lift) of them. The lift is taken back by a product or a quotient, which may round to a subnormal.
 * sigmoid(x) = 2^-LIFT / (2^-LIFT + e^-x 2^-LIFT), and tanh(x) = m / (m + 2) with m = e^(2|x|) - 1.
 * log(1 + e) is e - e^2 R(e) with a quotient R of polynomials for f32 (error 2e-9). For f64 it is 2 artanh(s) with s = e / (2 + e):
 * 2 s (1 + s^2 Q(s^2)), Q from Chebyshev's nodes (error 6e-18).
 */
#ifndef CB_GEMM_EXPONENTIAL_H
#define CB_GEMM_EXPONENTIAL_H

#include "gemm/vectors.h"
#include <math.h>

#if CB_REAL_BITS == 32
enum { MANTISSA = 23, BIAS = 127, LIFT = 64 };
static const real rounder = 12582912.0f + BIAS, log2e = 1.44269504f, ln2_high = 0.693359375f;
static const real ln2_low = -2.12194440e-4f, lowest = -110, tanh_limit = 20;
static const real expm1_terms[] = {1.3926326e-3f, 8.3632928e-3f, 4.16665538e-2f, 1.66665763e-1f, 0.5f};
static const real log1p_above[] = {0.0708005159f, 0.447292266f, 0.499999908f};
static const real log1p_below[] = {0.0741228579f, 0.682485151f, 1.56124545f, 1};
#else
enum { MANTISSA = 52, BIAS = 1023, LIFT = 64 };
static const real rounder = 6755399441055744.0 + BIAS, log2e = 1.4426950408889634074;
static const real ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
static const real lowest = -752, tanh_limit = 40;
static const real expm1_terms[] = {1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0,
                                   1.0 / 362880.0,     1.0 / 40320.0,     1.0 / 5040.0,     1.0 / 720,
                                   1.0 / 120,          1.0 / 24,          1.0 / 6,          0.5};
static const real artanh_terms[] = {0.080820228059717661105, 0.044003692430723369411, 0.060005364047953562676,
                                    0.066570721048274680752, 0.076927850324793115517, 0.090908947180664290846,
                                    0.11111111358713931495,  0.14285714283554378581,  0.20000000000007291337,
                                    0.33333333333333329281};
#endif

static const real lower = (real)0x1p-64; /* 2^-LIFT */
static const bits SIGN = (bits)1 << (CB_REAL_BITS - 1);

/* The polynomial of x with these terms, the highest first. Terms are joined in pairs, and the pairs by Horner's rule in x^2, so
   that half as many products wait for each other as by Horner's rule in x. */
#define POLYNOMIAL(terms, x) polynomial(terms, sizeof(terms) / sizeof *(terms), x)

INLINE vector polynomial(const real *terms, size_t count, vector x)
{
  const vector square = x * x;
  vector sum = (vector){0} + terms[0];
  if (count % 2 == 0) sum = sum * x + terms[1];
  _Pragma("GCC unroll 12") for (size_t i = 2 - count % 2; i < count; i += 2) sum =
      sum * square + (x * terms[i] + terms[i + 1]);
  return sum;
}

INLINE vector magnitude(vector v)
{
  return (vector)((uvector)v & (bits)~SIGN);
}

/* -|v| */
INLINE vector minus_magnitude(vector v)
{
  return (vector)((uvector)v | SIGN);
}

/* v, but at least `least` (not_below) or at most `most` (not_above); NaN stays. */
INLINE vector not_below(vector v, real least)
{
  vector bound = (vector){0} + least;
#ifdef __AVX__
  return REALS(max)(bound, v);
#else
  return choose(greater(bound, v), bound, v);
#endif
}

INLINE vector not_above(vector v, real most)
{
  vector bound = (vector){0} + most;
#ifdef __AVX__
  return REALS(min)(bound, v);
#else
  return choose(greater(v, bound), bound, v);
#endif
}

/* e^r - 1 for |r| <= ln2 / 2: the two lowest terms of P are joined with r, so that they do not wait for the others. */
INLINE vector small_expm1(vector r)
{
  enum { OTHERS = sizeof expm1_terms / sizeof *expm1_terms - 2 };
  const vector square = r * r, first = (r * expm1_terms[OTHERS] + expm1_terms[OTHERS + 1]) * square + r;
  return polynomial(expm1_terms, OTHERS, r) * (square * square) + first;
}

/* Sets *r to the r of sign * x = n ln2 + r; returns 2^(n + lift). */
INLINE vector reduce(vector x, real sign, real lift, vector *r)
{
  real to_integer = rounder + lift;
  vector shifted = x * (sign * log2e) + to_integer, n = shifted - to_integer;
  *r = (sign * x - n * ln2_high) - n * ln2_low;
  return (vector)((uvector)shifted << MANTISSA);
}

/* Splits times * x into n ln2 + r as reduce() does, without a lift and with one fused product in place of two. The remainder r
   is off by |n| units of ln2's last place, which e^x - 1 can bear: where |n| is large its own rounding is larger. */
INLINE vector reduce_short(vector x, real times, vector *r)
{
#ifdef __FMA__
  vector shifted = x * (times * log2e) + rounder, n = shifted - rounder;
  *r = times * x - n * (real)0.69314718055994530942;
  return (vector)((uvector)shifted << MANTISSA);
#else
  return reduce(x, times, 0, r);
#endif
}

/* e^x times 2^LIFT for x <= 0, NaN for NaN. */
INLINE vector lifted_exp_negative(vector x)
{
  vector r, scale = reduce(not_below(x, lowest), 1, LIFT, &r);
  return small_expm1(r) * scale + scale;
}

/* e^x - 1 for x <= 0, NaN for NaN; an x below -tanh_limit counts as -tanh_limit. */
INLINE vector expm1_negative(vector x)
{
  vector r, scale = reduce_short(not_below(x, -tanh_limit), 1, &r);
  return small_expm1(r) * scale + (scale - 1);
}

#ifdef __FMA__
/* Returns e^(-a^2 / 2) - 1 without the powers of 2, of which *scale is the product times 2^LIFT, so that the whole is result * scale +
   scale. For a >= 0, whose square is at most -2 * lowest; NaN for NaN. The remainder of n ln2 has one rounding of a^2 / 2 less
   the part of n ln2 that is exact. */
INLINE vector expm1_of_square(vector a, vector *scale)
{
  const vector half = a * (real)-0.5, to_integer = (vector){0} + (rounder + LIFT);
  vector shifted = (half * a) * log2e + to_integer, n = shifted - to_integer;
  *scale = (vector)((uvector)shifted << MANTISSA);
  return small_expm1(REALS(fmsub)(half, a, n * ln2_high) - n * ln2_low);
}
#else
/* a^2 - square, where square is the rounded a^2: exact but for underflow. By Veltkamp's halves of a, whose products are exact
   (Dekker, 1971). */
INLINE vector square_rest(vector a, vector square)
{
  const real split = CB_REAL_BITS == 32 ? (real)4097 : (real)134217729;
  vector scaled = a * split, high = scaled - (scaled - a), below = a - high;
  return ((high * high - square) + 2 * high * below) + below * below;
}

/* Returns e^(-a^2 / 2) - 1 without the powers of 2, of which *scale is the product times 2^LIFT, so that the whole is result * scale +
   scale. For a >= 0, whose square is at most -2 * lowest; NaN for NaN. */
INLINE vector expm1_of_square(vector a, vector *scale)
{
  vector square = a * a, r;
  *scale = reduce(square * (real)-0.5, 1, LIFT, &r);
  return small_expm1(r + square_rest(a, square) * (real)-0.5);
}
#endif

/* log(1 + e) for 0 <= e <= 1. */
INLINE vector log1p_fraction(vector e)
{
#if CB_REAL_BITS == 32
  return e - e * (POLYNOMIAL(log1p_above, e) / POLYNOMIAL(log1p_below, e)) * e;
#else
  vector s = e / (2 + e), square = s * s;
  return 2 * (s + s * (square * POLYNOMIAL(artanh_terms, square)));
#endif
}

/* log(1 + e^x) */
INLINE vector softplus(vector x)
{
  return not_below(x, 0) + log1p_fraction(lifted_exp_negative(minus_magnitude(x)) * lower);
}

/* small_expm1() with one product less, all of which wait for each other: for loops that mix several vectors and wait for none. */
INLINE vector small_expm1_chained(vector r)
{
  vector sum = expm1_terms[0] * r + expm1_terms[1];
  _Pragma("GCC unroll 12") for (size_t i = 2; i < sizeof expm1_terms / sizeof *expm1_terms; i++) sum =
      sum * r + expm1_terms[i];
  return sum * (r * r) + r;
}

/* 1 / (1 + e^-x), which is 1 for x above tanh_limit. */
INLINE vector sigmoid(vector x)
{
  vector r, scale = reduce(not_above(not_below(x, lowest), tanh_limit), -1, -LIFT, &r);
#if CB_REAL_BITS == 32 && CB_VECTOR_BYTES == 32
  return lower / (small_expm1_chained(r) * scale + (scale + lower));
#else
  return lower / (small_expm1(r) * scale + (scale + lower));
#endif
}

INLINE vector hyperbolic_tangent(vector x)
{
  vector a = not_above(magnitude(x), tanh_limit / 2), r, scale = reduce_short(a, 2, &r);
  vector m = small_expm1(r) * scale + (scale - 1), t = m / (m + 2);
  return (vector)((uvector)t | ((uvector)x & SIGN));
}

#endif
