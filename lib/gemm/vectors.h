/* Vectors of the level and type that is being compiled, and how they meet memory of which only a part may be touched. */
#ifndef CB_GEMM_VECTORS_H
#define CB_GEMM_VECTORS_H

#include "gemm/engine_build.h"
#include <string.h>

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

/* A vector of which m elements may be read; zeros for the others. */
INLINE vector load(const real *from, int64_t m)
{
  if (m >= LANES) return *(const vector *)from;
  vector v = {0};
  copy_part((real *)&v, from, m);
  return v;
}

INLINE void put(real *to, vector v, int64_t m)
{
  if (m >= LANES)
    *(vector *)to = v;
  else
    copy_part(to, (const real *)&v, m);
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
