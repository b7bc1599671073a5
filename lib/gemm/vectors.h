/* Vectors of the level and type that is being compiled, and how they meet memory of which only a part may be touched. */
#ifndef CB_GEMM_VECTORS_H
#define CB_GEMM_VECTORS_H

#include "gemm/engine_build.h"
#include <string.h>
#ifdef __AVX__
#include <immintrin.h>
#endif

#define UNROLL _Pragma("GCC unroll 16")
#define INLINE static inline __attribute__((always_inline))

/* Integers of an element's size; in a mask, all bits of a lane or none. */
#if CB_VECTOR_BYTES / CB_LANES == 4
typedef int32_t integer;
#else
typedef int64_t integer;
#endif
typedef integer mask __attribute__((vector_size(CB_VECTOR_BYTES)));

/* The first m elements of a vector, in pieces of which no two have the same size. */
INLINE void copy_part(real *to, const real *from, int64_t m)
{
  UNROLL for (int piece = LANES / 2; piece > 0; piece /= 2) if (m & piece)
  {
    memcpy(to, from, (size_t)piece * sizeof(real));
    to += piece;
    from += piece;
  }
}

/* Partial vectors, masked where the level has masks.
     load_part   the first m < LANES elements at `from`, zeros behind
     put_part    the first m of v to `to`
     put_spread  the first m of v to to[0], to[2], to[4], ...
     shift_down  elements `by` and on of v, in front; what follows is undefined */
#if defined __AVX512F__ && CB_LANES == 16
INLINE __mmask16 first_lanes(int64_t m)
{
  return (__mmask16)((1u << m) - 1);
}
INLINE vector load_part(const real *from, int64_t m)
{
  return (vector)_mm512_maskz_loadu_ps(first_lanes(m), from);
}
INLINE void put_part(real *to, vector v, int64_t m)
{
  _mm512_mask_storeu_ps(to, first_lanes(m), (__m512)v);
}
INLINE void put_spread(real *to, vector v, int64_t m)
{
  const __mmask16 even = 0x5555;
  const __m512i low = {0x0000000000000000, 0x0000000100000001, 0x0000000200000002, 0x0000000300000003,
                       0x0000000400000004, 0x0000000500000005, 0x0000000600000006, 0x0000000700000007};
  const __m512i high = low + 0x0000000800000008;
  _mm512_mask_storeu_ps(to, even & first_lanes(m < 8 ? 2 * m : 16), _mm512_permutexvar_ps(low, (__m512)v));
  if (m > 8) _mm512_mask_storeu_ps(to + LANES, even & first_lanes(2 * m - 16), _mm512_permutexvar_ps(high, (__m512)v));
}
INLINE vector shift_down(vector v, int64_t by)
{
  const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  return (vector)_mm512_permutexvar_ps(_mm512_add_epi32(lane, _mm512_set1_epi32((int)by)), (__m512)v);
}
#elif defined __AVX512F__
INLINE __mmask8 first_lanes(int64_t m)
{
  return (__mmask8)((1u << m) - 1);
}
INLINE vector load_part(const real *from, int64_t m)
{
  return (vector)_mm512_maskz_loadu_pd(first_lanes(m), from);
}
INLINE void put_part(real *to, vector v, int64_t m)
{
  _mm512_mask_storeu_pd(to, first_lanes(m), (__m512d)v);
}
INLINE void put_spread(real *to, vector v, int64_t m)
{
  const __mmask8 even = 0x55;
  const __m512i low = {0, 0, 1, 1, 2, 2, 3, 3}, high = low + 4;
  _mm512_mask_storeu_pd(to, even & first_lanes(m < 4 ? 2 * m : 8), _mm512_permutexvar_pd(low, (__m512d)v));
  if (m > 4) _mm512_mask_storeu_pd(to + LANES, even & first_lanes(2 * m - 8), _mm512_permutexvar_pd(high, (__m512d)v));
}
INLINE vector shift_down(vector v, int64_t by)
{
  const __m512i lane = {0, 1, 2, 3, 4, 5, 6, 7};
  return (vector)_mm512_permutexvar_pd(lane + (long long)by, (__m512d)v);
}
#else
INLINE vector load_part(const real *from, int64_t m)
{
  vector v = {0};
  copy_part((real *)&v, from, m);
  return v;
}
INLINE void put_part(real *to, vector v, int64_t m)
{
  copy_part(to, (const real *)&v, m);
}
INLINE void put_spread(real *to, vector v, int64_t m)
{
  for (int64_t i = 0; i < m; i++) to[2 * i] = v[i];
}
INLINE vector shift_down(vector v, int64_t by)
{
  real room[2 * LANES];
  memset(room + LANES, 0, LANES * sizeof(real));
  *(vector *)room = v;
  return *(const vector *)(room + by);
}
#endif

/* v to `to`, which is aligned to a vector, past the caches where the level can. */
#if defined __AVX512F__ && CB_LANES == 16
INLINE void put_past(real *to, vector v)
{
  _mm512_stream_ps(to, (__m512)v);
}
#elif defined __AVX512F__
INLINE void put_past(real *to, vector v)
{
  _mm512_stream_pd(to, (__m512d)v);
}
#elif defined __AVX__ && CB_LANES == 8
INLINE void put_past(real *to, vector v)
{
  _mm256_stream_ps(to, (__m256)v);
}
#elif defined __AVX__
INLINE void put_past(real *to, vector v)
{
  _mm256_stream_pd(to, (__m256d)v);
}
#else
INLINE void put_past(real *to, vector v)
{
  *(vector *)to = v;
}
#endif

/* A vector of which m elements may be read; zeros for the others. */
INLINE vector load(const real *from, int64_t m)
{
  return m >= LANES ? *(const vector *)from : load_part(from, m);
}

INLINE void put(real *to, vector v, int64_t m)
{
  if (m >= LANES)
    *(vector *)to = v;
  else
    put_part(to, v, m);
}

/* One step of a transposition: of vectors a and b, D rows apart, the off-diagonal blocks of D elements change places.
   Numbers over LANES name elements of b. */
#if CB_LANES == 16
#define SWAP_8(X, a, b)                                                                                                \
  X(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),                                                     \
      X(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)
#define SWAP_4(X, a, b)                                                                                                \
  X(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),                                                   \
      X(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31)
#define SWAP_2(X, a, b)                                                                                                \
  X(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),                                                   \
      X(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define SWAP_1(X, a, b)                                                                                                \
  X(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),                                                  \
      X(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31)
#elif CB_LANES == 8
#define SWAP_4(X, a, b) X(a, b, 0, 1, 2, 3, 8, 9, 10, 11), X(a, b, 4, 5, 6, 7, 12, 13, 14, 15)
#define SWAP_2(X, a, b) X(a, b, 0, 1, 8, 9, 4, 5, 12, 13), X(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define SWAP_1(X, a, b) X(a, b, 0, 8, 2, 10, 4, 12, 6, 14), X(a, b, 1, 9, 3, 11, 5, 13, 7, 15)
#elif CB_LANES == 4
#define SWAP_2(X, a, b) X(a, b, 0, 1, 4, 5), X(a, b, 2, 3, 6, 7)
#define SWAP_1(X, a, b) X(a, b, 0, 4, 2, 6), X(a, b, 1, 5, 3, 7)
#else
#define SWAP_1(X, a, b) X(a, b, 0, 2), X(a, b, 1, 3)
#endif

#define SWAP(D)                                                                                                        \
  UNROLL for (int i = 0; i < LANES; i++) if (!(i & D))                                                                 \
  {                                                                                                                    \
    vector pair[2] = {SWAP_##D(__builtin_shufflevector, v[i], v[i + D])};                                              \
    v[i] = pair[0];                                                                                                    \
    v[i + D] = pair[1];                                                                                                \
  }

#endif
