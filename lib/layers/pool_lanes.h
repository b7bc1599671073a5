/*
 * Vectors of LANES elements, their places and masks, for the pooling loops; included once for each number of lanes.
 * With AVX-512 a mask is a mask register, elsewhere a vector of all bits or none a lane. Loads and stores under a mask
 * touch no memory outside it.
 */
#define NAME(name) CB_JOIN(name##_, LANES)
#define vec        NAME(vec)
#define ivec       NAME(ivec)
#define uvec       NAME(uvec)
#define narrow     NAME(narrow)
#define mask       NAME(mask)

typedef real vec __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real))));
typedef place ivec __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real))));
typedef bits uvec __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real))));
typedef int32_t narrow __attribute__((vector_size(LANES * sizeof(int32_t)), aligned(sizeof(int32_t))));

/* The intrinsics of this width: WIDE(name) of a whole vector, NARROW_PLACES(name) of LANES indices. */
#if LANES * CB_REAL_BITS == 512
#define WIDE(name)    CB_JOIN_(_mm512_, name)
#define WIDE_INTEGERS __m512i
#elif LANES * CB_REAL_BITS == 256
#define WIDE(name)    CB_JOIN_(_mm256_, name)
#define WIDE_INTEGERS __m256i
#else
#define WIDE(name)    CB_JOIN_(_mm_, name)
#define WIDE_INTEGERS __m128i
#endif
#if LANES == 16
#define NARROW_PLACES(name) CB_JOIN_(_mm512_, name)
#define NARROW_INTEGERS     __m512i
#elif LANES == 8
#define NARROW_PLACES(name) CB_JOIN_(_mm256_, name)
#define NARROW_INTEGERS     __m256i
#else
#define NARROW_PLACES(name) CB_JOIN_(_mm_, name)
#define NARROW_INTEGERS     __m128i
#endif
#if CB_REAL_BITS == 32
#define REALS(name)    WIDE(name##_ps)
#define PLACES(name)   WIDE(name##_epi32)
#define COMPARED(name) WIDE(name##_ps_mask)
#define SAME           WIDE(cmpeq_epi32_mask)
#define AT_LEAST       WIDE(cmpge_epu32_mask)
#define SIGNS          WIDE(movepi32_mask)
#else
#define REALS(name)    WIDE(name##_pd)
#define PLACES(name)   WIDE(name##_epi64)
#define COMPARED(name) WIDE(name##_pd_mask)
#define SAME           WIDE(cmpeq_epi64_mask)
#define AT_LEAST       WIDE(cmpge_epu64_mask)
#define SIGNS          WIDE(movepi64_mask)
#endif

#ifdef __AVX512F__
#if LANES == 16
typedef __mmask16 mask;
#else
typedef __mmask8 mask;
#endif

INLINE mask NAME(greater)(vec a, vec b)
{
  return COMPARED(cmp)(a, b, _CMP_GT_OQ);
}

/* Where a or b is NaN. */
INLINE mask NAME(unordered)(vec a, vec b)
{
  return COMPARED(cmp)(a, b, _CMP_UNORD_Q);
}

INLINE mask NAME(same)(ivec a, ivec b)
{
  return SAME((WIDE_INTEGERS)a, (WIDE_INTEGERS)b);
}

/* Where a >= b, a negative place counting as larger than all others. */
INLINE mask NAME(at_least)(ivec a, ivec b)
{
  return AT_LEAST((WIDE_INTEGERS)a, (WIDE_INTEGERS)b);
}

/* A vector of all bits or none a lane as a mask. */
INLINE mask NAME(mask_of)(ivec whole)
{
  return SIGNS((WIDE_INTEGERS)whole);
}

INLINE vec NAME(choose)(mask take, vec a, vec b)
{
  return REALS(mask_blend)(take, b, a);
}

INLINE ivec NAME(choose_place)(mask take, ivec a, ivec b)
{
  return (ivec)PLACES(mask_blend)(take, (WIDE_INTEGERS)b, (WIDE_INTEGERS)a);
}

/* v where it is larger than m, else m. */
INLINE vec NAME(larger)(vec v, vec m)
{
  return REALS(max)(v, m);
}

/* In mask registers, where `|` would fetch both. */
INLINE mask NAME(either)(mask a, mask b)
{
#if LANES == 16
  return _kor_mask16(a, b);
#else
  return _kor_mask8(a, b);
#endif
}

INLINE int NAME(any)(mask m)
{
  return m != 0;
}

/* The elements under the mask, and `otherwise` for the others. */
INLINE vec NAME(load_if)(mask take, const real *from, vec otherwise)
{
  return REALS(mask_loadu)(otherwise, take, from);
}

INLINE narrow NAME(load_narrow_if)(mask take, const int32_t *from, narrow otherwise)
{
  return (narrow)NARROW_PLACES(mask_loadu_epi32)((NARROW_INTEGERS)otherwise, take, from);
}

INLINE void NAME(put_if)(mask take, real *to, vec v)
{
  REALS(mask_storeu)(to, take, v);
}

/* Of 64 bits, narrowed by the store itself: GCC 12 makes a narrowed vector's masked store one that may fault. */
INLINE void NAME(put_places_if)(mask take, int32_t *to, ivec v)
{
#if CB_REAL_BITS == 32
  PLACES(mask_storeu)(to, take, (WIDE_INTEGERS)v);
#else
  WIDE(mask_cvtepi64_storeu_epi32)(to, take, (WIDE_INTEGERS)v);
#endif
}
#else
typedef ivec mask;

INLINE mask NAME(greater)(vec a, vec b)
{
  return (mask)(a > b);
}

INLINE mask NAME(unordered)(vec a, vec b)
{
  return (mask)(a != a) | (mask)(b != b);
}

INLINE mask NAME(same)(ivec a, ivec b)
{
  return (mask)(a == b);
}

INLINE mask NAME(at_least)(ivec a, ivec b)
{
  return (mask)((uvec)a >= (uvec)b);
}

INLINE mask NAME(mask_of)(ivec whole)
{
  return whole;
}

INLINE vec NAME(choose)(mask take, vec a, vec b)
{
  return (vec)((take & (ivec)a) | (~take & (ivec)b));
}

INLINE ivec NAME(choose_place)(mask take, ivec a, ivec b)
{
  return (take & a) | (~take & b);
}

INLINE vec NAME(larger)(vec v, vec m)
{
  return NAME(choose)((mask)(v > m), v, m);
}

INLINE mask NAME(either)(mask a, mask b)
{
  return a | b;
}

INLINE int NAME(any)(mask m)
{
  place all = 0;
  UNROLL for (int i = 0; i < LANES; i++) all |= m[i];
  return all != 0;
}

#ifdef __AVX2__
INLINE vec NAME(load_if)(mask take, const real *from, vec otherwise)
{
  return NAME(choose)(take, (vec)REALS(maskload)(from, (WIDE_INTEGERS)take), otherwise);
}

INLINE narrow NAME(load_narrow_if)(mask take, const int32_t *from, narrow otherwise)
{
  narrow some = __builtin_convertvector(take, narrow);
  return (some & (narrow)NARROW_PLACES(maskload_epi32)(from, (NARROW_INTEGERS)some)) | (~some & otherwise);
}

INLINE void NAME(put_if)(mask take, real *to, vec v)
{
  REALS(maskstore)(to, (WIDE_INTEGERS)take, v);
}

INLINE void NAME(put_places_if)(mask take, int32_t *to, ivec v)
{
  NARROW_PLACES(maskstore_epi32)
  (to, (NARROW_INTEGERS) __builtin_convertvector(take, narrow), (NARROW_INTEGERS) __builtin_convertvector(v, narrow));
}
#else
INLINE vec NAME(load_if)(mask take, const real *from, vec otherwise)
{
  UNROLL for (int i = 0; i < LANES; i++) if (take[i]) otherwise[i] = from[i];
  return otherwise;
}

INLINE narrow NAME(load_narrow_if)(mask take, const int32_t *from, narrow otherwise)
{
  UNROLL for (int i = 0; i < LANES; i++) if (take[i]) otherwise[i] = from[i];
  return otherwise;
}

INLINE void NAME(put_if)(mask take, real *to, vec v)
{
  UNROLL for (int i = 0; i < LANES; i++) if (take[i]) to[i] = v[i];
}

INLINE void NAME(put_places_if)(mask take, int32_t *to, ivec v)
{
  UNROLL for (int i = 0; i < LANES; i++) if (take[i]) to[i] = (int32_t)v[i];
}
#endif
#endif

INLINE vec NAME(magnitude)(vec v)
{
  return (vec)((uvec)v & (~(bits)0 >> 1));
}

/* Where the bits are those of 0 or -0. */
INLINE mask NAME(zero)(ivec v)
{
  return NAME(same)((ivec)((uvec)v << 1), (ivec){0});
}

INLINE vec NAME(square_root)(vec v)
{
#ifdef __AVX2__
  return (vec)REALS(sqrt)(v);
#else
  UNROLL for (int i = 0; i < LANES; i++) v[i] = (real)__builtin_sqrt((double)v[i]);
  return v;
#endif
}

/* Lanes from <= i < to as a mask. */
INLINE mask NAME(lanes)(int64_t from, int64_t to)
{
  static const place counting[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  ivec lane = *(const ivec *)counting;
  place low = (place)(from < 0 ? 0 : from), high = (place)(to > LANES ? LANES : to);
  return NAME(mask_of)((lane >= low) & (lane < high));
}

#undef WIDE
#undef WIDE_INTEGERS
#undef NARROW_PLACES
#undef NARROW_INTEGERS
#undef REALS
#undef PLACES
#undef COMPARED
#undef SAME
#undef AT_LEAST
#undef SIGNS
