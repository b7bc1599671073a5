/*
 * Products of packed operands: the micro-kernel whose operands both lie in the order in which it reads them, and the
 * packing of its lanes.
 *
 *     c[i][j] = before[i][j] + sum over s < steps of  weights[s * m + i] * sliver[s * width + j]
 *
 * A sliver is a few vectors of output pixels by the steps of a chunk: small enough for L1, where every tile of outputs
 * multiplies it. Neither operand has a table of addresses, so that a step is loads at constant distances; four steps
 * are unrolled. At AVX2, whose six rows of a tile use a third of each cache line that a walk over the band touches,
 * this took 3x3 layers from 66 to 91 GFLOP/s of 104 (Zen 3, one core).
 */
#include "gemm/engine_build.h"
#include "gemm/vectors.h"

enum { STEPS = 4 }; /* steps of the unrolled loop */

/* One of the unrolled steps, number o: the weights lie at a. The lanes lie at b or, if the kernel `packs`, are read from a run of
   pixels and left at b. A kernel that `asks` fetches the step's last lane of the next run, at `next`, whose line no run before reads. */
#define STEP(o)                                                                                                        \
  {                                                                                                                    \
    vector lane[CB_PACKED_VECTORS];                                                                                    \
    UNROLL for (int v = 0; v < nv; v++)                                                                                \
    {                                                                                                                  \
      lane[v] = *(const vector *)((packs ? run + walk[o] : b + (o)*nv * LANES) + v * LANES);                           \
      OPAQUE_VECTOR(lane[v]);                                                                                          \
      if (packs) *(vector *)(b + ((o)*nv + v) * LANES) = lane[v];                                                      \
    }                                                                                                                  \
    if (asks) __builtin_prefetch(next + walk[o], 0, 2);                                                                \
    UNROLL for (int i = 0; i < m; i++)                                                                                 \
    {                                                                                                                  \
      real x = a[(o)*m + i];                                                                                           \
      UNROLL for (int v = 0; v < nv; v++) acc[i][v] += x * lane[v];                                                    \
    }                                                                                                                  \
  }

INLINE void multiply_packed(const cb_packed_tile *tile, const int m, const int nv, const bool packs, const bool asks)
{
  const real *a = tile->weights, *before = tile->before, *run = tile->run,
             *next = asks ? run + tile->ahead + nv * LANES - 1 : NULL;
  real *b = tile->sliver;
  const int32_t *walk = tile->walk;
  real *c = tile->c;
  const int64_t ldc = tile->ldc;
  vector acc[CB_MAX_ROWS][CB_PACKED_VECTORS];
  UNROLL for (int i = 0; i < m; i++) UNROLL for (int v = 0; v < nv; v++) acc[i][v] = (vector){0};
  if (before)
    UNROLL for (int i = 0; i < m; i++) UNROLL for (int v = 0; v < nv; v++)
        __builtin_prefetch(before + (i * nv + v) * LANES);
  if (tile->last) UNROLL for (int i = 0; i < m; i++)
    {
      __builtin_prefetch(c + i * ldc, 1);
      __builtin_prefetch(c + i * ldc + nv * LANES - 1, 1);
    }

  int64_t left = tile->steps;
  for (; left >= STEPS; left -= STEPS) {
    STEP(0) STEP(1) STEP(2) STEP(3) a += STEPS * m;
    b += STEPS * nv * LANES;
    if (packs) walk += STEPS;
  }
  for (; left > 0; left--) {
    STEP(0)
    a += m;
    b += nv * LANES;
    if (packs) walk++;
  }

  if (before)
    UNROLL for (int i = 0; i < m; i++) UNROLL for (int v = 0; v < nv; v++) acc[i][v] =
        *(const vector *)(before + (i * nv + v) * LANES) + acc[i][v];
  if (tile->last) UNROLL for (int i = 0; i < m; i++) UNROLL for (int v = 0; v < nv; v++) acc[i][v] += (vector){0};
  UNROLL for (int i = 0; i < m; i++, c += ldc) UNROLL for (int v = 0; v < nv; v++) * (vector *)(c + v * LANES) =
      acc[i][v];
}

#define DEFINE_PACKED(M, NV)                                                                                           \
  void CB_NAME(cb_packed_##M##x##NV)(const cb_packed_tile *tile)                                                       \
  {                                                                                                                    \
    multiply_packed(tile, M, NV, false, false);                                                                        \
  }
CB_PACKED(DEFINE_PACKED)

#define DEFINE_PACKING(M, NV)                                                                                          \
  void CB_NAME(cb_packing_##M##x##NV)(const cb_packed_tile *tile)                                                      \
  {                                                                                                                    \
    if (tile->ahead)                                                                                                   \
      multiply_packed(tile, M, NV, true, true);                                                                        \
    else                                                                                                               \
      multiply_packed(tile, M, NV, true, false);                                                                       \
  }
CB_PACKING(DEFINE_PACKING)

/* Packs a sliver so that nothing but the runs is read, and nothing but the lanes that they fill is written. */
static void pack_exactly(const cb_sliver *t)
{
  const real *from = t->from;
  real *to = t->to;
  for (int64_t s = 0; s < t->steps; s++, to += t->width)
    for (int i = 0; i < t->runs; i++) {
      const cb_run *run = &t->run[i];
      const real *at = from + run->at + t->walk[s];
      for (int64_t j = 0; j < run->count; j += LANES)
        put(to + run->lane + j, load(at + j, run->count - j), run->count - j);
    }
}

/* Packs a sliver of nv vectors from n runs, of which each takes at most one vector if `single`. */
INLINE void pack_runs(const cb_sliver *t, const int n, const int nv, const bool single)
{
  const real *from[4];
  int64_t lane[4];
  const int32_t *walk = t->walk;
  real *to = t->to;
  UNROLL for (int i = 0; i < n; i++)
  {
    from[i] = (const real *)t->from + t->run[i].at;
    lane[i] = t->run[i].lane;
  }
  for (int64_t s = 0; s < t->steps; s++, to += nv * LANES) {
    UNROLL for (int i = 0; i < n; i++)
    {
      const real *at = from[i] + walk[s];
      vector low = *(const vector *)at, high = low;
      if (!single) high = *(const vector *)(at + LANES);
      *(vector *)(to + lane[i]) = low;
      if (!single) *(vector *)(to + lane[i] + LANES) = high;
    }
  }
}

/* Packs two runs into two vectors: the longer run is loaded as two vectors. */
static void pack_two(const cb_sliver *t)
{
  const cb_run *run = t->run;
  const real *first = (const real *)t->from + run[0].at, *second = (const real *)t->from + run[1].at;
  const int64_t lane = run[1].lane;
  real *to = t->to;
  const int32_t *walk = t->walk, *const end = walk + t->steps;
  if (lane <= LANES)
    for (; walk < end; walk++, to += 2 * LANES) {
      vector a = *(const vector *)(first + *walk), b = *(const vector *)(second + *walk),
             c = *(const vector *)(second + *walk + LANES);
      *(vector *)to = a;
      *(vector *)(to + lane) = b;
      *(vector *)(to + lane + LANES) = c;
    }
  else
    for (; walk < end; walk++, to += 2 * LANES) {
      vector a = *(const vector *)(first + *walk), b = *(const vector *)(first + *walk + LANES),
             c = *(const vector *)(second + *walk);
      *(vector *)to = a;
      *(vector *)(to + LANES) = b;
      *(vector *)(to + lane) = c;
    }
}

/* Packs any number of runs. */
static void pack_many(const cb_sliver *t)
{
  const real *from = t->from;
  real *to = t->to;
  for (int64_t s = 0; s < t->steps; s++, to += t->width)
    for (int i = 0; i < t->runs; i++) {
      const real *at = from + t->run[i].at + t->walk[s];
      *(vector *)(to + t->run[i].lane) = *(const vector *)at;
      if (t->run[i].count > LANES) *(vector *)(to + t->run[i].lane + LANES) = *(const vector *)(at + LANES);
    }
}

/* Packs a sliver of two vectors. */
static void pack_wide(const cb_sliver *t)
{
  bool single = true;
  for (int i = 0; i < t->runs; i++) single &= t->run[i].count <= LANES;
  if (t->runs == 1)
    pack_runs(t, 1, 2, false);
  else if (t->runs == 2)
    pack_two(t);
  else if (t->runs == 3 && single)
    pack_runs(t, 3, 2, true);
  else if (t->runs == 4 && single)
    pack_runs(t, 4, 2, true);
  else
    pack_many(t);
}

/* Runs are written as whole vectors in rising order: what reaches beyond a run is overwritten by the next, beyond a
   step by the next step. */
void CB_NAME(cb_pack_sliver)(const cb_sliver *t)
{
  if (t->exact)
    pack_exactly(t);
  else if (t->width == 2 * LANES)
    pack_wide(t);
  else if (t->runs == 1)
    pack_runs(t, 1, 1, true);
  else if (t->runs == 2)
    pack_runs(t, 2, 1, true);
  else
    pack_many(t);
}

/* to[i] = from[stride * i], i < count; nothing past from[stride * (count - 1)] is read. */
void CB_NAME(cb_take_every)(void *to_, const void *from_, int64_t stride, int64_t count)
{
  real *to = to_;
  const real *from = from_;
  int64_t i = 0;
  if (stride == 2)
    for (; i + LANES < count; i += LANES) { /* a pair of loads reads one element past the last that it takes */
      vector low = *(const vector *)(from + 2 * i), high = *(const vector *)(from + 2 * i + LANES);
      *(vector *)(to + i) = take_even(low, high);
    }
  for (; i < count; i++) to[i] = from[stride * i];
}

/* Weaves two rows into one whose elements come from them in turn; a row that is NULL gives zeros. */
INLINE void weave_pairs(real *to, const real *first, const real *second, int64_t count, int64_t most)
{
  int64_t i = 0;
  for (; i + LANES <= count && 2 * (i + LANES) <= most; i += LANES) {
    vector a = first ? *(const vector *)(first + i) : (vector){0};
    vector b = second ? *(const vector *)(second + i) : (vector){0};
    *(vector *)(to + 2 * i) = weave_low(a, b);
    *(vector *)(to + 2 * i + LANES) = weave_high(a, b);
  }
  for (; i < count && 2 * i < most; i++) {
    to[2 * i] = first ? first[i] : 0;
    if (2 * i + 1 < most) to[2 * i + 1] = second ? second[i] : 0;
  }
}

void CB_NAME(cb_weave)(const cb_woven *t)
{
  real *to = t->to;
  for (int64_t row = 0; row < t->rows; row++, to += t->ldt) {
    const real *from[2] = {t->from[0] ? (const real *)t->from[0] + row * t->ldf : NULL,
                           t->ways > 1 && t->from[1] ? (const real *)t->from[1] + row * t->ldf : NULL};
    if (t->ways == 2) {
      weave_pairs(to, from[0], from[1], t->count, t->most);
      continue;
    }
    for (int64_t i = 0; i < t->count; i++)
      for (int64_t j = 0; j < t->ways && i * t->ways + j < t->most; j++)
        to[i * t->ways + j] = t->from[j] ? ((const real *)t->from[j])[row * t->ldf + i] : 0;
  }
}
