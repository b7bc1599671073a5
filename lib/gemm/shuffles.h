/*
 * Shuffles of vectors (vectors.h, which includes this): of two vectors a and b
 *     take_even, take_odd       a[0], a[2], ..., b[0], b[2], ...; a[1], a[3], ..., b[1], b[3], ...
 *     weave_low, weave_high     a[0], b[0], a[1], b[1], ... of the first halves; of the second halves
 *     next                      a[1], a[2], ..., b[0]
 */
#ifndef CB_GEMM_SHUFFLES_H
#define CB_GEMM_SHUFFLES_H

#if CB_LANES == 16
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD  1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define LOW  0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define NEXT 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#elif CB_LANES == 8
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define ODD  1, 3, 5, 7, 9, 11, 13, 15
#define LOW  0, 8, 1, 9, 2, 10, 3, 11
#define HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define NEXT 1, 2, 3, 4, 5, 6, 7, 8
#elif CB_LANES == 4
#define EVEN 0, 2, 4, 6
#define ODD  1, 3, 5, 7
#define LOW  0, 4, 1, 5
#define HIGH 2, 6, 3, 7
#define NEXT 1, 2, 3, 4
#elif CB_LANES == 2
#define EVEN 0, 2
#define ODD  1, 3
#define LOW  0, 2
#define HIGH 1, 3
#define NEXT 1, 2
#endif

INLINE vector take_even(vector a, vector b)
{
  return __builtin_shufflevector(a, b, EVEN);
}
INLINE vector take_odd(vector a, vector b)
{
  return __builtin_shufflevector(a, b, ODD);
}
INLINE vector weave_low(vector a, vector b)
{
  return __builtin_shufflevector(a, b, LOW);
}
INLINE vector weave_high(vector a, vector b)
{
  return __builtin_shufflevector(a, b, HIGH);
}
INLINE vector next(vector a, vector b)
{
  return __builtin_shufflevector(a, b, NEXT);
}

#undef EVEN
#undef ODD
#undef LOW
#undef HIGH
#undef NEXT

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

/* v[i][j] becomes v[j][i]. */
INLINE void transpose(vector v[LANES])
{
#if CB_LANES >= 16
  SWAP(8)
#endif
#if CB_LANES >= 8
  SWAP(4)
#endif
#if CB_LANES >= 4
  SWAP(2)
#endif
  SWAP(1)
}

#endif
