/*
 * Vectors of LANES elements, their places and masks, for the pooling loops; included once for each number of lanes.
 * With AVX-512 a mask is a mask register, to which GNU C's comparisons come by way of a vector of ones and zeros;
 * elsewhere it is a vector of all bits or none a lane.
 */
#define NAME(name) CB_JOIN(name, LANES)
#define vec        NAME(vec)
#define ivec       NAME(ivec)
#define narrow     NAME(narrow)
#define mask       NAME(mask)

typedef real vec __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real))));
typedef place ivec __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real))));
typedef int32_t narrow __attribute__((vector_size(LANES * sizeof(int32_t)), aligned(sizeof(int32_t))));

#ifdef __AVX512F__
#if LANES * CB_REAL_BITS == 512
#define WIDE(name)    CB_JOIN2(_mm512, name)
#define WIDE_INTEGERS __m512i
#elif LANES * CB_REAL_BITS == 256
#define WIDE(name)    CB_JOIN2(_mm256, name)
#define WIDE_INTEGERS __m256i
#else
#define WIDE(name)    CB_JOIN2(_mm, name)
#define WIDE_INTEGERS __m128i
#endif
#if CB_REAL_BITS == 32
#define REALS(operation)  WIDE(operation##_ps)
#define PLACES(operation) WIDE(operation##_epi32)
#define COMPARED          WIDE(cmp_ps_mask)
#define SAME              WIDE(cmpeq_epi32_mask)
#define SIGNS             WIDE(movepi32_mask)
#else
#define REALS(operation)  WIDE(operation##_pd)
#define PLACES(operation) WIDE(operation##_epi64)
#define COMPARED          WIDE(cmp_pd_mask)
#define SAME              WIDE(cmpeq_epi64_mask)
#define SIGNS             WIDE(movepi64_mask)
#endif

#if LANES == 16
typedef __mmask16 mask;
#else
typedef __mmask8 mask;
#endif

INLINE mask NAME(greater)(vec a, vec b)
{
  return COMPARED(a, b, _CMP_GT_OQ);
}

/* Where a or b is NaN. */
INLINE mask NAME(unordered)(vec a, vec b)
{
  return COMPARED(a, b, _CMP_UNORD_Q);
}

INLINE mask NAME(same)(ivec a, ivec b)
{
  return SAME((WIDE_INTEGERS)a, (WIDE_INTEGERS)b);
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

INLINE int NAME(any)(mask m)
{
  return m != 0;
}

#undef WIDE
#undef WIDE_INTEGERS
#undef REALS
#undef PLACES
#undef COMPARED
#undef SAME
#undef SIGNS
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

INLINE int NAME(any)(mask m)
{
  place all = 0;
  UNROLL for (int i = 0; i < LANES; i++) all |= m[i];
  return all != 0;
}
#endif

/* Elements [at, at + LANES) of an array that may be read from `begin` to `end`; 0 for the others. */
static __attribute__((noinline)) vec NAME(load_part)(const real *x, int64_t at, int64_t begin, int64_t end)
{
  vec v = {0};
  for (int64_t i = at < begin ? begin - at : 0; i < LANES && at + i < end; i++) v[i] = x[at + i];
  return v;
}

INLINE vec NAME(load)(const real *x, int64_t at, int64_t begin, int64_t end)
{
  if (__builtin_expect(at >= begin && at + LANES <= end, 1)) return *(const vec *)(x + at);
  return NAME(load_part)(x, at, begin, end);
}

static __attribute__((noinline)) narrow NAME(load_part_places)(const int32_t *from, int64_t at, int64_t end)
{
  narrow v = {0};
  for (int64_t i = 0; i < LANES && at + i < end; i++) v[i] = from[at + i];
  return v;
}

INLINE ivec NAME(load_places)(const int32_t *from, int64_t at, int64_t end)
{
  if (__builtin_expect(at + LANES <= end, 1)) return __builtin_convertvector(*(const narrow *)(from + at), ivec);
  return __builtin_convertvector(NAME(load_part_places)(from, at, end), ivec);
}

/* The vector, or as much of it as there is room for. */
static __attribute__((noinline)) void NAME(put_part)(real *to, int64_t room, vec v)
{
  for (int64_t i = 0; i < room; i++) to[i] = v[i];
}

INLINE void NAME(put)(real *to, int64_t room, vec v)
{
  if (__builtin_expect(room >= LANES, 1))
    *(vec *)to = v;
  else
    NAME(put_part)(to, room, v);
}

static __attribute__((noinline)) void NAME(put_part_places)(int32_t *to, int64_t room, narrow v)
{
  for (int64_t i = 0; i < room; i++) to[i] = v[i];
}

INLINE void NAME(put_places)(int32_t *to, int64_t room, ivec v)
{
  if (__builtin_expect(room >= LANES, 1))
    *(narrow *)to = __builtin_convertvector(v, narrow);
  else
    NAME(put_part_places)(to, room, __builtin_convertvector(v, narrow));
}
