/*
 * Winograd's transforms of one axis, on vectors (vectors.h): by their number of points.
 *
 *     points   at                              outputs for 3 taps
 *     1        none: the element itself, for an axis without taps
 *     4        0, 1, -1, inf                   2
 *     5        3/8, -3/8, 5/4, -5/4, inf       3
 *     6        0, 5/8, -5/8, 3/2, -3/2, inf    4
 *
 * B^T makes points of inputs, G points of weights, A^T outputs of points: of points p_i and N_i the product of p_i -
 * p_j over the others, row i of G has p_i^j / N_i, of B^T the coefficients of the product of x - p_j, and column i of
 * A^T has p_i^j. The point inf takes the last element. With 4 points G and A^T serve a weight gradient too, whose
 * `taps` are two rows of dy and whose three outputs are the taps. All arguments but the vectors are compile-time
 * constants; constants are exact but for those of G.
 */
#ifndef CB_GEMM_WINOGRAD_FORMS_H
#define CB_GEMM_WINOGRAD_FORMS_H

#include "gemm/vectors.h"

enum { WINOGRAD_POINTS = 6 /* the most points of an axis */ };

/* The points of the longer forms, and their squares. */
#define P5  0.375
#define Q5  1.25
#define P52 (P5 * P5)
#define Q52 (Q5 * Q5)
#define P6  0.625
#define Q6  1.5
#define P62 (P6 * P6)
#define Q62 (Q6 * Q6)

/* A constant of the vectors' type. */
#define R(x) ((real)(x))

/* The weights at points p and -p: (even + odd) / N and (even - odd) / N, where N may change its sign with p. */
INLINE void weights_to_pair(const int taps, const double p, const double n, const vector *g, vector *plus,
                            vector *minus)
{
  vector even = g[0] * R(1 / n), odd = g[1] * R(p / n);
  if (taps == 3) even += g[2] * R(p * p / n);
  *plus = even + odd;
  *minus = even - odd;
}

/* v = B^T d, where d has as many elements as there are points. */
INLINE void to_points(const int points, const vector *d, vector *v)
{
  if (points == 1) {
    v[0] = d[0];
  } else if (points == 4) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
  } else if (points == 5) {
    vector even = d[3] - R(Q52) * d[1], odd = d[2] - R(Q52) * d[0];
    v[0] = even + R(P5) * odd;
    v[1] = even - R(P5) * odd;
    even = d[3] - R(P52) * d[1];
    odd = d[2] - R(P52) * d[0];
    v[2] = even + R(Q5) * odd;
    v[3] = even - R(Q5) * odd;
    v[4] = d[4] - R(P52 + Q52) * d[2] + R(P52 * Q52) * d[0];
  } else if (points == 6) {
    vector even = d[4] - R(Q62) * d[2], odd = d[3] - R(Q62) * d[1];
    v[0] = d[4] - R(P62 + Q62) * d[2] + R(P62 * Q62) * d[0];
    v[1] = even + R(P6) * odd;
    v[2] = even - R(P6) * odd;
    even = d[4] - R(P62) * d[2];
    odd = d[3] - R(P62) * d[1];
    v[3] = even + R(Q6) * odd;
    v[4] = even - R(Q6) * odd;
    v[5] = d[5] - R(P62 + Q62) * d[3] + R(P62 * Q62) * d[1];
  }
}

/* u = G g, where g has `taps` weights. */
INLINE void weights_to_points(const int points, const int taps, const vector *g, vector *u)
{
  if (points == 1) {
    u[0] = g[0];
  } else if (points == 4) {
    vector even = g[0], odd = g[1] * (real)0.5;
    if (taps == 3) even += g[2];
    even *= (real)0.5;
    u[0] = g[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = g[taps - 1];
  } else if (points == 5) {
    vector minus;
    weights_to_pair(taps, P5, 2 * P5 * (P52 - Q52), g, &u[0], &minus);
    u[1] = -minus;
    weights_to_pair(taps, Q5, 2 * Q5 * (Q52 - P52), g, &u[2], &minus);
    u[3] = -minus;
    u[4] = g[taps - 1];
  } else if (points == 6) {
    u[0] = g[0] * R(1 / (P62 * Q62));
    weights_to_pair(taps, P6, 2 * P62 * (P62 - Q62), g, &u[1], &u[2]);
    weights_to_pair(taps, Q6, 2 * Q62 * (Q62 - P62), g, &u[3], &u[4]);
    u[5] = g[taps - 1];
  }
}

/* y = A^T m, where y has `outputs` outputs. */
INLINE void from_points(const int points, const int outputs, const vector *m, vector *y)
{
  if (points == 1) {
    y[0] = m[0];
  } else if (points == 4) {
    const vector even = m[1] + m[2], odd = m[1] - m[2];
    y[0] = m[0] + even;
    if (outputs == 2) {
      y[1] = odd + m[3];
    } else {
      y[1] = odd;
      y[2] = even + m[3];
    }
  } else if (points == 5) {
    const vector even = m[0] + m[1], odd = m[0] - m[1], even2 = m[2] + m[3], odd2 = m[2] - m[3];
    y[0] = even + even2;
    y[1] = R(P5) * odd + R(Q5) * odd2;
    y[2] = m[4] + R(P52) * even + R(Q52) * even2;
  } else if (points == 6) {
    const vector even = m[1] + m[2], odd = m[1] - m[2], even2 = m[3] + m[4], odd2 = m[3] - m[4];
    y[0] = m[0] + (even + even2);
    y[1] = R(P6) * odd + R(Q6) * odd2;
    y[2] = R(P62) * even + R(Q62) * even2;
    y[3] = m[5] + R(P62 * P6) * odd + R(Q62 * Q6) * odd2;
  }
}

#undef P5
#undef Q5
#undef P52
#undef Q52
#undef P6
#undef Q6
#undef P62
#undef Q62
#undef R

#endif
