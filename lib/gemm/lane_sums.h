/*
 * Sums over the lanes of several vectors at once: a transposition whose every exchange is followed by an addition of the two
 * halves. The sum of a vector's lanes has one order, whatever the other vectors are.
 */
#ifndef CB_GEMM_LANE_SUMS_H
#define CB_GEMM_LANE_SUMS_H

#include "gemm/vectors.h"

#define FOLD(D)                                                                                                        \
  UNROLL for (int i = 0; i < D; i++)                                                                                   \
  {                                                                                                                    \
    const vector a = v[i], b = v[i + D];                                                                               \
    const vector pair[2] = {SWAP_##D(__builtin_shufflevector, a, b)};                                                  \
    v[i] = pair[0] + pair[1];                                                                                          \
  }

/* Adds up the lanes of each of `lanes` vectors: lane l of the result has the sum of vector l. With fewer vectors than lanes,
   each stretch of `lanes` lanes is added up by itself. */
INLINE vector fold(vector v[LANES], const int lanes)
{
#if CB_LANES >= 16
  if (lanes >= 16) FOLD(8)
#endif
#if CB_LANES >= 8
  if (lanes >= 8) FOLD(4)
#endif
#if CB_LANES >= 4
  if (lanes >= 4) FOLD(2)
#endif
  if (lanes >= 2) FOLD(1)
  return v[0];
}
#undef FOLD

#endif
