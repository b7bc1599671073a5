/*
 * Turning rows of memory onto the lanes: transpose() of shuffles.h, whose first step is done by loads that put halves
 * of two rows into one vector.
 */
#ifndef CB_GEMM_TURN_H
#define CB_GEMM_TURN_H

#include "gemm/vectors.h"

/* The vector whose lower half lies at `low` and whose upper half lies at `high`. */
#if CB_VECTOR_BYTES == 64
INLINE vector load_halves(const real *low, const real *high)
{
  const __m512d half = _mm512_castpd256_pd512(_mm256_loadu_pd((const double *)low));
  return (vector)_mm512_insertf64x4(half, _mm256_loadu_pd((const double *)high), 1);
}
#elif CB_VECTOR_BYTES == 32
INLINE vector load_halves(const real *low, const real *high)
{
  const __m256d half = _mm256_castpd128_pd256(_mm_loadu_pd((const double *)low));
  return (vector)_mm256_insertf128_pd(half, _mm_loadu_pd((const double *)high), 1);
}
#endif

/* v[j][i] = from[i * pitch + j] */
INLINE void turn_rows(const real *from, int64_t pitch, vector v[LANES])
{
#if CB_VECTOR_BYTES >= 32
  enum { HALF = LANES / 2 };
  UNROLL for (int i = 0; i < HALF; i++)
  {
    const real *low = from + i * pitch, *high = low + HALF * pitch;
    v[i] = load_halves(low, high);
    v[i + HALF] = load_halves(low + HALF, high + HALF);
  }
#if CB_LANES == 16
  SWAP(4)
#endif
#if CB_LANES >= 8
  SWAP(2)
#endif
  SWAP(1)
#else
  UNROLL for (int i = 0; i < LANES; i++) v[i] = *(const vector *)(from + i * pitch);
  transpose(v);
#endif
}

#endif
