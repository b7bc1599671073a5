/*
 * Winograd's transforms of one axis, on vectors (vectors.h): by their number of points.
 *
 *     points   at                     outputs for 3 taps
 *     1        none: the element itself, for an axis without taps
 *     4        0, 1, -1, inf          2
 *
 * B^T makes points of inputs, G points of weights, A^T outputs of points. G and B^T serve a weight gradient too, whose `taps` are
 * the two rows of a piece of dy and whose three outputs are the taps. All arguments but the vectors are compile-time constants.
 */
#ifndef CB_GEMM_WINOGRAD_FORMS_H
#define CB_GEMM_WINOGRAD_FORMS_H

#include "gemm/vectors.h"

enum { WINOGRAD_POINTS = 4 /* most of an axis */ };

/* v = B^T d, as many as points. */
INLINE void to_points(const int points, const vector *d, vector *v)
{
  if (points == 1) {
    v[0] = d[0];
  } else if (points == 4) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
  }
}

/* u = G g of `taps` weights. */
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
  }
}

/* y = A^T m: `outputs` outputs. */
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
  }
}

#endif
