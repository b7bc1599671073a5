/*
 * Vectors of the type and level that is being compiled (level_build.h), their masks, and how they meet memory of which
 * only a part may be touched; shuffles.h and parts.h belong to it. Engine and layers know no other vectors. A source
 * that wants vectors of half the level's width defines CB_HALF_VECTORS first.
 *
 * A mask is a mask register with AVX-512, elsewhere a vector of all bits or none a lane; what is loaded or stored under
 * a mask or in part touches no memory beside it.
 */
#ifndef CB_GEMM_VECTORS_H
#define CB_GEMM_VECTORS_H

#include "gemm/level_build.h"
#include <stdbool.h>
#include <string.h>
#ifdef __AVX__
#include <immintrin.h>
#endif

#define UNROLL _Pragma("GCC unroll 16")
#define INLINE static inline __attribute__((always_inline))

enum { LANES = CB_LANES };

/* Integers of an element's size: places, and the bits of masks. */
#if CB_REAL_BITS == 32
typedef int32_t integer;
#else
typedef int64_t integer;
#endif

/* Vectors as they lie in memory: they have the alignment of elements, and may alias their elements. */
typedef real vector __attribute__((vector_size(CB_VECTOR_BYTES), aligned(sizeof(real)), may_alias));
typedef integer ivector __attribute__((vector_size(CB_VECTOR_BYTES), aligned(sizeof(real))));
typedef bits uvector __attribute__((vector_size(CB_VECTOR_BYTES), aligned(sizeof(real))));

/* A vector of as many 32-bit integers as a vector of reals has lanes. */
typedef int32_t narrow __attribute__((vector_size(CB_LANES * 4), aligned(4), may_alias));

/* The intrinsics of this width and type: REALS(loadu) is _mm512_loadu_ps; INTEGERS those of integers of an element's
   size, NARROW those of 32-bit integers, as many as lanes. */
#if CB_VECTOR_BYTES == 64
#define WIDE(name) CB_JOIN_(_mm512_, name)
typedef __m512i wide_integers;
#elif CB_VECTOR_BYTES == 32
#define WIDE(name) CB_JOIN_(_mm256_, name)
typedef __m256i wide_integers;
#elif defined __AVX__
#define WIDE(name) CB_JOIN_(_mm_, name)
typedef __m128i wide_integers;
#endif
#if CB_LANES == 16
#define NARROW(name) CB_JOIN_(_mm512_, name)
typedef __m512i narrow_integers;
#elif CB_LANES == 8 && defined __AVX__
#define NARROW(name) CB_JOIN_(_mm256_, name)
typedef __m256i narrow_integers;
#elif defined __AVX__
#define NARROW(name) CB_JOIN_(_mm_, name)
typedef __m128i narrow_integers;
#endif
#if CB_REAL_BITS == 32
#define REALS(name)    WIDE(name##_ps)
#define INTEGERS(name) WIDE(name##_epi32)
#else
#define REALS(name)    WIDE(name##_pd)
#define INTEGERS(name) WIDE(name##_epi64)
#endif

/* Takes a vector out of the optimiser's sight: gcc would fold the load of the lanes into every multiply-add, m loads
   a step in place of one; 4 x 16 fell to 63% of the core's multiply-adds. */
#if defined __AVX512F__
#define OPAQUE_VECTOR(v) __asm__("" : "+v"(v))
#elif defined __x86_64__
#define OPAQUE_VECTOR(v) __asm__("" : "+x"(v))
#elif defined __aarch64__
#define OPAQUE_VECTOR(v) __asm__("" : "+w"(v))
#else
#define OPAQUE_VECTOR(v) ((void)0)
#endif

#include "gemm/shuffles.h"

/* The vector of the lanes' numbers, 0, 1, ... */
INLINE ivector counting(void)
{
  static const integer numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return *(const ivector *)numbers;
}

#ifdef __AVX512F__
#if CB_LANES == 16
typedef __mmask16 mask;
#else
typedef __mmask8 mask;
#endif

/* The mask made from a vector that has all bits or none in each lane. */
INLINE mask mask_of(ivector whole)
{
#if CB_REAL_BITS == 32
  return WIDE(movepi32_mask)((wide_integers)whole);
#else
  return WIDE(movepi64_mask)((wide_integers)whole);
#endif
}

#if CB_REAL_BITS == 32
#define COMPARED(a, b, how) WIDE(cmp_ps_mask)(a, b, how)
#else
#define COMPARED(a, b, how) WIDE(cmp_pd_mask)(a, b, how)
#endif

INLINE mask greater(vector a, vector b)
{
  return COMPARED(a, b, _CMP_GT_OQ);
}

/* The lanes in which a or b is NaN. */
INLINE mask unordered(vector a, vector b)
{
  return COMPARED(a, b, _CMP_UNORD_Q);
}

INLINE mask same(ivector a, ivector b)
{
#if CB_REAL_BITS == 32
  return WIDE(cmpeq_epi32_mask)((wide_integers)a, (wide_integers)b);
#else
  return WIDE(cmpeq_epi64_mask)((wide_integers)a, (wide_integers)b);
#endif
}

/* The lanes in which a >= b, where a negative integer counts as larger than all others. */
INLINE mask at_least(ivector a, ivector b)
{
#if CB_REAL_BITS == 32
  return WIDE(cmpge_epu32_mask)((wide_integers)a, (wide_integers)b);
#else
  return WIDE(cmpge_epu64_mask)((wide_integers)a, (wide_integers)b);
#endif
}

/* The union of two masks, taken in mask registers; `|` would fetch both from there. */
INLINE mask either(mask a, mask b)
{
#if CB_LANES == 16
  return _kor_mask16(a, b);
#else
  return _kor_mask8(a, b);
#endif
}

INLINE bool any(mask m)
{
  return m != 0;
}

INLINE vector choose(mask take, vector a, vector b)
{
  return REALS(mask_blend)(take, b, a);
}

INLINE ivector choose_integer(mask take, ivector a, ivector b)
{
  return (ivector)INTEGERS(mask_blend)(take, (wide_integers)b, (wide_integers)a);
}

/* v in the lanes under the mask, zeros in the others. */
INLINE vector keep(mask take, vector v)
{
  return REALS(maskz_mov)(take, v);
}

/* Adds v to the sum in the lanes under the mask; in the others -0 may become 0. */
INLINE vector add_kept(mask take, vector sum, vector v)
{
  return REALS(mask_add)(sum, take, sum, v);
}

/* Lane by lane, v where it is larger than m, else m. */
INLINE vector larger(vector v, vector m)
{
  return REALS(max)(v, m);
}

/* The elements at `from` that are under the mask, and those of `otherwise` for the others. */
INLINE vector load_if(mask take, const real *from, vector otherwise)
{
  return REALS(mask_loadu)(otherwise, take, from);
}

/* The elements at `from` that are under the mask, and zeros for the others. */
INLINE vector load_kept(mask take, const real *from)
{
  return REALS(maskz_loadu)(take, from);
}

INLINE narrow load_narrow_if(mask take, const int32_t *from, narrow otherwise)
{
  return (narrow)NARROW(mask_loadu_epi32)((narrow_integers)otherwise, take, from);
}

INLINE void put_if(mask take, real *to, vector v)
{
  REALS(mask_storeu)(to, take, v);
}

/* The store itself narrows integers of 64 bits: GCC 12 makes a narrowed vector's masked store one that may fault. */
INLINE void put_narrow_if(mask take, int32_t *to, ivector v)
{
#if CB_REAL_BITS == 32
  INTEGERS(mask_storeu)(to, take, (wide_integers)v);
#else
  WIDE(mask_cvtepi64_storeu_epi32)(to, take, (wide_integers)v);
#endif
}
#else
typedef ivector mask;

INLINE mask mask_of(ivector whole)
{
  return whole;
}

INLINE mask greater(vector a, vector b)
{
  return (mask)(a > b);
}

INLINE mask unordered(vector a, vector b)
{
  return (mask)(a != a) | (mask)(b != b);
}

INLINE mask same(ivector a, ivector b)
{
  return (mask)(a == b);
}

INLINE mask at_least(ivector a, ivector b)
{
  return (mask)((uvector)a >= (uvector)b);
}

INLINE mask either(mask a, mask b)
{
  return a | b;
}

INLINE bool any(mask m)
{
#ifdef __AVX__
  return REALS(movemask)((vector)m) != 0;
#else
  integer all = 0;
  UNROLL for (int i = 0; i < LANES; i++) all |= m[i];
  return all != 0;
#endif
}

INLINE vector choose(mask take, vector a, vector b)
{
#ifdef __AVX__
  return REALS(blendv)(b, a, (vector)take);
#else
  return (vector)((take & (ivector)a) | (~take & (ivector)b));
#endif
}

INLINE ivector choose_integer(mask take, ivector a, ivector b)
{
  return (ivector)choose(take, (vector)a, (vector)b);
}

INLINE vector keep(mask take, vector v)
{
  return (vector)(take & (ivector)v);
}

INLINE vector add_kept(mask take, vector sum, vector v)
{
  return sum + keep(take, v);
}

INLINE vector larger(vector v, vector m)
{
#ifdef __AVX__
  return REALS(max)(v, m);
#else
  return choose((mask)(v > m), v, m);
#endif
}

#ifdef __AVX2__
INLINE vector load_kept(mask take, const real *from)
{
  return (vector)REALS(maskload)(from, (wide_integers)take);
}

INLINE vector load_if(mask take, const real *from, vector otherwise)
{
  return choose(take, load_kept(take, from), otherwise);
}

INLINE narrow load_narrow_if(mask take, const int32_t *from, narrow otherwise)
{
  narrow some = __builtin_convertvector(take, narrow);
  return (some & (narrow)NARROW(maskload_epi32)(from, (narrow_integers)some)) | (~some & otherwise);
}

INLINE void put_if(mask take, real *to, vector v)
{
  REALS(maskstore)(to, (wide_integers)take, v);
}

INLINE void put_narrow_if(mask take, int32_t *to, ivector v)
{
  NARROW(maskstore_epi32)
  (to, (narrow_integers) __builtin_convertvector(take, narrow), (narrow_integers) __builtin_convertvector(v, narrow));
}
#else
INLINE vector load_if(mask take, const real *from, vector otherwise)
{
  UNROLL for (int i = 0; i < LANES; i++) if (take[i]) otherwise[i] = from[i];
  return otherwise;
}

INLINE vector load_kept(mask take, const real *from)
{
  return load_if(take, from, (vector){0});
}

INLINE narrow load_narrow_if(mask take, const int32_t *from, narrow otherwise)
{
  UNROLL for (int i = 0; i < LANES; i++) if (take[i]) otherwise[i] = from[i];
  return otherwise;
}

INLINE void put_if(mask take, real *to, vector v)
{
  UNROLL for (int i = 0; i < LANES; i++) if (take[i]) to[i] = v[i];
}

INLINE void put_narrow_if(mask take, int32_t *to, ivector v)
{
  UNROLL for (int i = 0; i < LANES; i++) if (take[i]) to[i] = (int32_t)v[i];
}
#endif
#endif

/* The lanes whose bits are those of 0 or -0. */
INLINE mask is_zero(vector v)
{
  return same((ivector)((uvector)v << 1), (ivector){0});
}

/* The mask of lanes i, from <= i < to. */
INLINE mask lanes_between(int64_t from, int64_t to)
{
  integer low = (integer)(from < 0 ? 0 : from), high = (integer)(to > LANES ? LANES : to);
  return mask_of((counting() >= low) & (counting() < high));
}

#include "gemm/parts.h"

#endif
