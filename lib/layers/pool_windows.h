/*
 * Pooling of one channel by windows whose width K and stride S along a row are constants: the loops for vectors of LANES
 * elements. loops_pool_windows.c includes this once for each number of lanes; any kernel and stride along h and d.
 *
 * A vector is LANES neighbouring outputs. Each input row is reduced across first, its taps taken apart by
 * shuffles, and the rows after each other: the first in row-major order is the first of a row, then the first row. Rows
 * of up to LANES outputs are one vector each, stored whole: what it writes too far, the next row writes again.
 */
#define NAME(name) CB_JOIN(name, LANES)
#define vec        NAME(vec)
#define ivec       NAME(ivec)
#define narrow     NAME(narrow)
#define best       NAME(best)
#define block      NAME(block)

typedef real vec __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real))));
typedef place ivec __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real))));
typedef int32_t narrow __attribute__((vector_size(LANES * sizeof(int32_t)), aligned(sizeof(int32_t))));

typedef struct {
  vec value;
  ivec at; /* its place in the channel */
} best;

/* LANES columns; inside[u] has all bits where tap u lies in the image. */
typedef struct {
  int64_t first; /* lane 0's output */
  ivec column;   /* of tap 0 */
  ivec inside[3];
  vec counts; /* what an average counts of columns */
  int edge;   /* some lane of inside is not set */
} block;

INLINE vec NAME(choose)(ivec take, vec a, vec b)
{
  return (vec)((take & (ivec)a) | (~take & (ivec)b));
}

INLINE ivec NAME(choose_place)(ivec take, ivec a, ivec b)
{
  return (take & a) | (~take & b);
}

/* Elements [at, at + LANES) of an array; 0 for what lies outside of it. */
static __attribute__((noinline)) vec NAME(load_part)(const real *x, int64_t at, int64_t size)
{
  vec v = {0};
  for (int64_t i = at < 0 ? -at : 0; i < LANES && at + i < size; i++) v[i] = x[at + i];
  return v;
}

INLINE vec NAME(load)(const real *x, int64_t at, int64_t size)
{
  if (__builtin_expect(at >= 0 && at + LANES <= size, 1)) return *(const vec *)(x + at);
  return NAME(load_part)(x, at, size);
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

INLINE block NAME(columns)(const cb_pool_geometry *g, cnnblas_pool_kind kind, int64_t first, int K, int S)
{
  static const place counting[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  int64_t start = first * S - g->pad_begin[2], from, to;
  block b = {.first = first, .edge = start < 0 || start + (LANES - 1) * S + K > g->size[2]};
  b.column = *(const ivec *)counting * (place)S + (place)start;
  UNROLL for (int u = 0; u < K; u++) b.inside[u] = (b.column + u >= 0) & (b.column + u < (place)g->size[2]);
  b.counts = (real)K - (vec){0};
  if (kind == CNNBLAS_POOL_AVG && b.edge)
    for (int i = 0; i < LANES && first + i < g->out[2]; i++)
      b.counts[i] = (real)pool_extent(g, 2, first + i, &from, &to);
  return b;
}

/* The taps of the windows in one row, `at` being lane 0's first; outside the image `blank`. */
INLINE void NAME(taps)(const real *x, int64_t at, int64_t size, int K, int S, const block *b, int edge, real blank,
                       vec *tap)
{
  if (S == 1)
    UNROLL for (int u = 0; u < K; u++) tap[u] = NAME(load)(x, at + u, size);
  else {
    vec low = NAME(load)(x, at, size), high = NAME(load)(x, at + LANES, size);
    tap[0] = EVEN(LANES, low, high);
    tap[1] = ODD(LANES, low, high);
    if (K == 3) tap[2] = ODD(LANES, NAME(load)(x, at + 1, size), NAME(load)(x, at + 1 + LANES, size));
  }
  if (edge) {
    vec blanks = blank - (vec){0};
    UNROLL for (int u = 0; u < K; u++) tap[u] = NAME(choose)(b->inside[u], tap[u], blanks);
  }
}

/* m, or v where v comes later and beats it: larger, or the first NaN. */
INLINE ivec NAME(beats)(vec v, vec m)
{
  return (ivec)(v > m) | ((ivec)(v != v) & (ivec)(m == m));
}

INLINE best NAME(max_across)(const cb_pool_plane *p, const block *b, int64_t row, int K, int S, int places, int edge)
{
  const cb_pool_geometry *g = p->geo;
  vec tap[3];
  int64_t start = b->first * S - g->pad_begin[2];
  NAME(taps)(p->x, row + start, g->plane, K, S, b, edge, -(real)INFINITY, tap);
  best m = {.value = tap[0]};
  if (places) m.at = edge ? b->column & (b->column >= 0) : b->column; /* never left of the image */
  UNROLL for (int u = 1; u < K; u++)
  {
    ivec take = NAME(beats)(tap[u], m.value);
    m.value = NAME(choose)(take, tap[u], m.value);
    if (places) m.at = NAME(choose_place)(take, b->column + u, m.at);
  }
  if (places) m.at += (place)row;
  return m;
}

/* All output rows of a block of columns; each input row's maxima are kept in `kept`, or made afresh if that is NULL. */
INLINE void NAME(max_block)(const cb_pool_plane *p, const block *b, best *kept, int K, int S, int places, int edge)
{
  const cb_pool_geometry *g = p->geo;
  int64_t w = g->size[2];
  if (kept)
    for (int64_t i = 0; i < g->size[0] * g->size[1]; i++) kept[i] = NAME(max_across)(p, b, i * w, K, S, places, edge);
  for (int64_t r = 0, od = 0; od < g->out[0]; od++)
    for (int64_t oh = 0; oh < g->out[1]; oh++, r++) {
      int64_t d0, d1, h0, h1;
      pool_extent(g, 0, od, &d0, &d1);
      pool_extent(g, 1, oh, &h0, &h1);
      int64_t i = d0 * g->size[1] + h0;
      best m = kept ? kept[i] : NAME(max_across)(p, b, i * w, K, S, places, edge);
      for (int64_t d = d0; d < d1; d++)
        for (int64_t h = h0 + (d == d0); h < h1; h++) {
          i = d * g->size[1] + h;
          best v = kept ? kept[i] : NAME(max_across)(p, b, i * w, K, S, places, edge);
          ivec take = NAME(beats)(v.value, m.value);
          m.value = NAME(choose)(take, v.value, m.value);
          if (places) m.at = NAME(choose_place)(take, v.at, m.at);
        }
      int64_t out = r * g->out[2] + b->first;
      NAME(put)((real *)p->y + out, g->out_plane - out, m.value);
      if (places) NAME(put_places)(p->indices + out, g->out_plane - out, m.at);
    }
}

INLINE vec NAME(sum_across)(const cb_pool_plane *p, const block *b, int64_t row, int K, int S, int edge)
{
  vec tap[3];
  NAME(taps)(p->x, row + b->first * S - p->geo->pad_begin[2], p->geo->plane, K, S, b, edge, 0, tap);
  return K == 3 ? (tap[0] + tap[1]) + tap[2] : tap[0] + tap[1];
}

INLINE void NAME(average_block)(const cb_pool_plane *p, const block *b, best *kept, int K, int S, int edge)
{
  const cb_pool_geometry *g = p->geo;
  int64_t w = g->size[2];
  if (kept)
    for (int64_t i = 0; i < g->size[0] * g->size[1]; i++) kept[i].value = NAME(sum_across)(p, b, i * w, K, S, edge);
  for (int64_t r = 0, od = 0; od < g->out[0]; od++)
    for (int64_t oh = 0; oh < g->out[1]; oh++, r++) {
      int64_t d0, d1, h0, h1, rows = pool_extent(g, 0, od, &d0, &d1) * pool_extent(g, 1, oh, &h0, &h1);
      vec sum = {0};
      for (int64_t d = d0; d < d1; d++)
        for (int64_t h = h0; h < h1; h++) {
          int64_t i = d * g->size[1] + h;
          sum += kept ? kept[i].value : NAME(sum_across)(p, b, i * w, K, S, edge);
        }
      int64_t out = r * g->out[2] + b->first;
      NAME(put)((real *)p->y + out, g->out_plane - out, sum / ((real)rows * b->counts));
    }
}

INLINE void NAME(forward)(cnnblas_pool_kind kind, const cb_pool_plane *p, int K, int S)
{
  const cb_pool_geometry *g = p->geo;
  best lines[KEPT_ROWS], *kept = NULL;
  if ((g->kernel[1] > g->stride[1] || g->kernel[0] > g->stride[0]) && g->size[0] * g->size[1] <= KEPT_ROWS)
    kept = lines;
  for (int64_t j = 0; j < g->out[2]; j += LANES) {
    int64_t last = g->out[2] > LANES ? g->out[2] - LANES : 0; /* the last block overlaps the one before */
    block b = NAME(columns)(g, kind, j < last ? j : last, K, S);
    if (kind == CNNBLAS_POOL_AVG && b.edge)
      NAME(average_block)(p, &b, kept, K, S, 1);
    else if (kind == CNNBLAS_POOL_AVG)
      NAME(average_block)(p, &b, kept, K, S, 0);
    else if (p->indices && b.edge)
      NAME(max_block)(p, &b, kept, K, S, 1, 1);
    else if (p->indices)
      NAME(max_block)(p, &b, kept, K, S, 1, 0);
    else if (b.edge)
      NAME(max_block)(p, &b, kept, K, S, 0, 1);
    else
      NAME(max_block)(p, &b, kept, K, S, 0, 0);
  }
}

/* ---- the windows that have loops ---- */

static void NAME(forward_windows)(cnnblas_pool_kind kind, const cb_pool_plane *p)
{
  int64_t K = p->geo->kernel[2], S = p->geo->stride[2];
  if (K == 2)
    NAME(forward)(kind, p, 2, 2);
  else if (S == 2)
    NAME(forward)(kind, p, 3, 2);
  else
    NAME(forward)(kind, p, 3, 1);
}

#undef NAME
#undef vec
#undef ivec
#undef narrow
#undef best
#undef block
