/*
 * Pooling by square windows whose size K and stride S are constants, over planes of h and w alone: the loops for vectors
 * of LANES elements. loops_pool_windows.c includes this once for each number of lanes.
 *
 * A vector is LANES neighbouring outputs. Each input row is reduced across first, its taps taken apart by shuffles, and
 * the rows after each other: the first in row-major order is the first of a row, then the first row. A row's outputs
 * are cut into blocks, the last one overlapping the one before; rows of up to LANES outputs are one block each, stored
 * whole: what it writes too far, the next row or plane writes again. Rows that the next windows share stay in registers.
 *
 * No NaN is looked after here: they are only noticed, and the plane is left to loops that do.
 */
#include "layers/pool_lanes.h"

#define best  NAME(best)
#define block NAME(block)
#define strip NAME(strip)

typedef struct {
  vec value;
  ivec at; /* its place in the channel */
} best;

/* LANES columns; inside[u] has all bits where tap u lies in the image. */
typedef struct {
  int64_t first; /* lane 0's output */
  int edge;      /* some lane of inside is not set */
  ivec column;   /* of tap 0 */
  vec counts;    /* what an average counts of columns */
  mask inside[3];
} block;

/* The planes' common state. */
typedef struct {
  const cb_pool_geometry *geo;
  const real *x;      /* the plane */
  int64_t begin, end; /* what may be read, from x */
  int64_t width, pad; /* of a row */
  mask bad;           /* a NaN was seen */
  int inner;          /* whole vectors may be read and written all over the plane */
} strip;

INLINE void NAME(columns)(block *b, const cb_pool_geometry *g, int64_t first, int K, int S)
{
  static const place counting[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  int64_t start = first * S - g->pad_begin[2], from, to;
  b->first = first;
  b->edge = start < 0 || start + (LANES - 1) * S + K > g->size[2];
  b->column = *(const ivec *)counting * (place)S + (place)start;
  if (!b->edge) return;
  UNROLL for (int u = 0; u < K; u++) b->inside[u] =
      NAME(mask_of)((b->column + u >= 0) & (b->column + u < (place)g->size[2]));
  b->counts = (real)K - (vec){0};
  for (int i = 0; i < LANES && first + i < g->out[2]; i++)
    b->counts[i] = (real)pool_extent(g, 2, first + i, &from, &to);
}

/* The taps of the windows in one row; outside the image `blank`. */
INLINE void NAME(taps)(const strip *p, int64_t row, int K, int S, const block *b, int edge, real blank, vec *tap)
{
  int64_t at = row + b->first * S - p->pad;
#define LOAD(from) (p->inner ? *(const vec *)(p->x + (from)) : NAME(load)(p->x, from, p->begin, p->end))
  if (S == 1)
    UNROLL for (int u = 0; u < K; u++) tap[u] = LOAD(at + u);
  else {
    vec low = LOAD(at), high = LOAD(at + LANES);
    tap[0] = EVEN(LANES, low, high);
    tap[1] = ODD(LANES, low, high);
    if (K == 3) tap[2] = ODD(LANES, LOAD(at + 1), LOAD(at + 1 + LANES));
  }
#undef LOAD
  if (edge) {
    vec blanks = blank - (vec){0};
    UNROLL for (int u = 0; u < K; u++) tap[u] = NAME(choose)(b->inside[u], tap[u], blanks);
  }
}

/* m, or v where v comes later and is larger. */
INLINE best NAME(later)(best v, best m, int places)
{
  if (places) m.at = NAME(choose_place)(NAME(greater)(v.value, m.value), v.at, m.at);
  m.value = NAME(larger)(v.value, m.value);
  return m;
}

INLINE best NAME(max_across)(strip *p, int64_t row, int K, int S, const block *b, int edge, int places)
{
  vec tap[3];
  NAME(taps)(p, row, K, S, b, edge, -(real)INFINITY, tap);
  p->bad |= NAME(unordered)(tap[0], tap[1]);
  if (K == 3) p->bad |= NAME(unordered)(tap[2], tap[2]);
  best m = {.value = tap[0]};
  if (places) m.at = (edge ? b->column & (b->column >= 0) : b->column) + (place)row; /* never left of the image */
  UNROLL for (int u = 1; u < K; u++)
  {
    best v = {tap[u], b->column + ((place)row + u)};
    m = NAME(later)(v, m, places);
  }
  return m;
}

INLINE best NAME(sum_across)(strip *p, int64_t row, int K, int S, const block *b, int edge)
{
  vec tap[3];
  NAME(taps)(p, row, K, S, b, edge, 0, tap);
  return (best){.value = K == 3 ? (tap[0] + tap[1]) + tap[2] : tap[0] + tap[1]};
}

INLINE best NAME(across)(strip *p, int64_t h, int K, int S, const block *b, int edge, pool_result result)
{
  int64_t row = h * p->width;
  return result == AVERAGE ? NAME(sum_across)(p, row, K, S, b, edge)
                           : NAME(max_across)(p, row, K, S, b, edge, result == PLACED);
}

INLINE best NAME(down)(best v, best m, pool_result result)
{
  if (result != AVERAGE) return NAME(later)(v, m, result == PLACED);
  m.value += v.value;
  return m;
}

/* One output row of a block whose windows have the input rows from h on, `rows` of them; the first ones are kept if
   `shared`. */
INLINE best NAME(windows)(strip *p, const block *b, best *kept, int64_t h, int64_t rows, int shared, int K, int S,
                          int edge, pool_result result)
{
  best m, row[3];
  if (rows < K) {
    m = NAME(across)(p, h, K, S, b, edge, result);
    for (int64_t i = 1; i < rows; i++) m = NAME(down)(NAME(across)(p, h + i, K, S, b, edge, result), m, result);
    return m;
  }
  if (K > S && !shared) UNROLL for (int i = 0; i < K - S; i++) kept[i] = NAME(across)(p, h + i, K, S, b, edge, result);
  UNROLL for (int i = 0; i < K; i++) row[i] = i < K - S ? kept[i] : NAME(across)(p, h + i, K, S, b, edge, result);
  m = row[0];
  UNROLL for (int i = 1; i < K; i++) m = NAME(down)(row[i], m, result);
  UNROLL for (int i = 0; i < K - S; i++) kept[i] = row[S + i];
  return m;
}

/* Output rows oh to end of a block; y and places are what is left of the run's outputs from the plane's first on. */
INLINE void NAME(rows)(strip *p, const block *b, int64_t oh, int64_t end, real *y, int32_t *places, int64_t room, int K,
                       int S, int edge, pool_result result)
{
  const cb_pool_geometry *g = p->geo;
  int64_t rows_before = 0;
  best kept[2] = {0};
  for (; oh < end; oh++) {
    int64_t from, to, counted = pool_extent(g, 1, oh, &from, &to), rows = to - from;
    best m = NAME(windows)(p, b, kept, from, rows, rows_before == K, K, S, edge, result);
    rows_before = rows;
    if (result == AVERAGE && edge)
      m.value /= (real)counted * b->counts;
    else if (result == AVERAGE && counted == K)
      m.value /= (real)(K * K);
    else if (result == AVERAGE)
      m.value /= (real)(counted * K);
    int64_t out = oh * g->out[2] + b->first, left = p->inner ? LANES : room - out;
    NAME(put)(y + out, left, m.value);
    if (result == PLACED) NAME(put_places)(places + out, left, m.at);
  }
}

/* The plane p->x, row after row as it lies in memory; windows that share rows, and rows of one block, go down the
   blocks instead. */
INLINE void NAME(plane)(strip *p, const block *blocks, int64_t count, real *y, int32_t *places, int64_t room, int K,
                        int S, pool_result result)
{
  int64_t rows = p->geo->out[1], step = K > S || count == 1 ? rows : 1;
  for (int64_t oh = 0; oh < rows; oh += step)
    for (const block *b = blocks; b < blocks + count; b++)
      if (b->edge)
        NAME(rows)(p, b, oh, oh + step, y, places, room, K, S, 1, result);
      else
        NAME(rows)(p, b, oh, oh + step, y, places, room, K, S, 0, result);
}

INLINE void NAME(forward)(const cb_pool_run *p, int K, int S, pool_result result)
{
  const cb_pool_geometry *g = p->geo;
  block blocks[MOST_BLOCKS];
  int64_t count = 0, last = g->out[2] > LANES ? g->out[2] - LANES : 0;
  for (int64_t j = 0; j < g->out[2]; j += LANES) NAME(columns)(&blocks[count++], g, j < last ? j : last, K, S);
  int64_t reach = (g->size[1] - 1) * g->size[2] + last * S - g->pad_begin[2] + 2 * LANES + 1; /* reads end there */
  for (int64_t i = 0; i < p->planes; i++) {
    int64_t in = i * g->plane, out = i * g->out_plane, room = (p->planes - i) * g->out_plane;
    strip s = {.geo = g, .x = (const real *)p->x + in, .width = g->size[2], .pad = g->pad_begin[2]};
    s.begin = -p->before - in;
    s.end = (p->planes - i) * g->plane + p->after;
    s.bad = NAME(mask_of)((ivec){0});
    real *y = (real *)p->y + out;
    int32_t *places = p->indices ? p->indices + out : NULL;
    s.inner = s.begin <= -s.pad && reach <= s.end && g->out_plane + LANES <= room;
    if (s.inner) /* in two copies, one without checks */
      NAME(plane)(&s, blocks, count, y, places, room, K, S, result);
    else
      NAME(plane)(&s, blocks, count, y, places, room, K, S, result);
    if (NAME(any)(s.bad)) pool_redo(p, i);
  }
}

/* ---- the windows that have loops ---- */

static void NAME(forward_windows)(cnnblas_pool_kind kind, const cb_pool_run *p)
{
  int64_t K = p->geo->kernel[2], S = p->geo->stride[2];
  pool_result result = kind == CNNBLAS_POOL_AVG ? AVERAGE : p->indices ? PLACED : LARGEST;
#define FORWARD(k, s)                                                                                                  \
  do {                                                                                                                 \
    if (result == AVERAGE)                                                                                             \
      NAME(forward)(p, k, s, AVERAGE);                                                                                 \
    else if (result == PLACED)                                                                                         \
      NAME(forward)(p, k, s, PLACED);                                                                                  \
    else                                                                                                               \
      NAME(forward)(p, k, s, LARGEST);                                                                                 \
  } while (0)
  if (K == 2)
    FORWARD(2, 2);
  else if (S == 2)
    FORWARD(3, 2);
  else
    FORWARD(3, 1);
#undef FORWARD
}

#include "layers/pool_windows_back.h"

#undef NAME
#undef vec
#undef ivec
#undef narrow
#undef mask
#undef best
#undef block
#undef strip
