/*
 * Loads and stores of vectors where only the first elements may be touched, and stores past the caches (vectors.h
 * includes this file).
 */
#ifndef CB_GEMM_PARTS_H
#define CB_GEMM_PARTS_H

/* Copies the first m elements of a vector, in pieces of which no two have the same size. */
INLINE void copy_part(real *to, const real *from, int64_t m)
{
  UNROLL for (int piece = LANES / 2; piece > 0; piece /= 2) if (m & piece)
  {
    memcpy(to, from, (size_t)piece * sizeof(real));
    to += piece;
    from += piece;
  }
}

/* load_part   the first m < LANES elements at `from`, zeros behind
   put_part    the first m elements of v to `to`
   put_spread  the first m elements of v to to[0], to[2], to[4], ...
   shift_down  elements `by` and on of v, in front; what follows is undefined */
#ifdef __AVX512F__
INLINE mask first_lanes(int64_t m)
{
  return (mask)((1u << m) - 1);
}
INLINE vector load_part(const real *from, int64_t m)
{
  return REALS(maskz_loadu)(first_lanes(m), from);
}
INLINE void put_part(real *to, vector v, int64_t m)
{
  REALS(mask_storeu)(to, first_lanes(m), v);
}
INLINE void put_spread(real *to, vector v, int64_t m)
{
  const mask even = (mask)0x5555;
  REALS(mask_storeu)(to, even & first_lanes(m < LANES / 2 ? 2 * m : LANES), weave_low(v, v));
  if (m > LANES / 2) REALS(mask_storeu)(to + LANES, even & first_lanes(2 * m - LANES), weave_high(v, v));
}
INLINE vector shift_down(vector v, int64_t by)
{
  return REALS(permutexvar)((wide_integers)(counting() + (integer)by), v);
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

/* The vector at `from`, of which m elements may be read; the others are zeros. */
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

/* Stores v at `to`, which is aligned to a vector, past the caches where the level can. */
INLINE void put_past(real *to, vector v)
{
#ifdef __AVX__
  REALS(stream)(to, v);
#else
  *(vector *)to = v;
#endif
}

#endif
