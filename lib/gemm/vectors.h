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

#endif
