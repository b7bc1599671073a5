/*
 * Pooling by square windows whose size K and stride S are constants, over planes of h and w alone: the loops for vectors
 * of LANES elements. loops_pool_windows.c includes this once for each number of lanes.
 *
 * A vector is LANES neighbouring outputs. Each input row is reduced across first, its taps taken apart by shuffles, and
 * the rows after each other: the first in row-major order is the first of a row, then the first row. A row's outputs
 * are cut into blocks, the last one overlapping the one before; a row of fewer than LANES is one block. A small plane is
 * done block after block, the rows that the next windows share in registers; a large one row after row as it lies in
 * memory, these rows in a buffer. Where a window leaves the image, loads are under a mask, and only outputs are stored:
 * nothing beside the plane is touched.
 *
 * NaN, and squares whose sum overflows or vanishes, are only noticed here, and the plane is left to loops that look
 * after them.
 */
#include "layers/pool_lanes.h"

#define best  NAME(best)
#define block NAME(block)
#define strip NAME(strip)

typedef struct {
  vec value;
  ivec at; /* its place in the channel; of a norm, the bits of all elements together */
} best;

/* LANES columns. */
typedef struct {
  int64_t first;   /* lane 0's output */
  int64_t last;    /* of the blocks alike from there on, LANES apart but for the last one */
  int edge;        /* a lane is no output, or its window leaves the image, or it is the last block */
  int last_inside; /* the column behind 2 * LANES others, for windows 3/2, lies in the image */
  mask out;        /* lanes that are outputs */
  mask inside[3];  /* columns in the image: of tap u for stride 1, of the first and second vector for stride 2 */
  ivec column[3];  /* of each tap; of tap 0, not left of the image */
  vec counts;      /* what an average counts of columns */
} block;

/* The planes' common state. */
typedef struct {
  const cb_pool_geometry *geo;
  const real *x; /* the plane */
  mask bad;      /* something to be looked after was seen */
} strip;

INLINE void NAME(columns)(block *b, const cb_pool_geometry *g, int64_t first, int K, int S, pool_result result)
{
  static const place counting[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  int64_t start = first * S - g->pad_begin[2], width = g->size[2], from, to;
  b->first = first;
  b->last = first;
  b->edge = start < 0 || start + (LANES - 1) * S + K > width || first + LANES + (K == 3 && S == 2) > g->out[2];
  b->out = NAME(lanes)(0, g->out[2] - first);
  UNROLL for (int u = 0; u < K; u++)
  {
    int64_t at = S == 1 ? start + u : start + u * LANES;
    b->inside[u] = NAME(lanes)(-at, width - at);
    b->column[u] = *(const ivec *)counting * (place)S + (place)(start + u);
  }
  b->column[0] &= b->column[0] >= 0;
  b->last_inside = start + 2 * LANES < width;
  b->counts = (real)K - (vec){0};
  for (int i = 0; result == AVERAGE && i < LANES && first + i < g->out[2]; i++)
    b->counts[i] = (real)cb_pool_extent(g, 2, first + i, &from, &to);
}

/* The taps of the windows in one row, x being lane 0's first; outside the image `blank`. */
INLINE void NAME(taps)(const real *x, const block *b, int K, int S, int edge, real blank, vec *tap)
{
  vec blanks = blank - (vec){0};
#define LOAD(u, from) (edge ? NAME(load_if)(b->inside[u], from, blanks) : *(const vec *)(from))
  if (S == 1) {
    UNROLL for (int u = 0; u < K; u++) tap[u] = LOAD(u, x + u);
    return;
  }
  vec low = LOAD(0, x), high = LOAD(1, x + LANES);
  tap[0] = EVEN(LANES, low, high);
  tap[1] = ODD(LANES, low, high);
  if (K == 3) {
    real last = !edge || b->last_inside ? x[2 * LANES] : blank;
    tap[2] = NEXT(LANES, tap[0], last - (vec){0});
  }
#undef LOAD
}

/* m, or v where v comes later and is larger. */
INLINE best NAME(later)(best v, best m, int places)
{
  if (places) m.at = NAME(choose_place)(NAME(greater)(v.value, m.value), v.at, m.at);
  m.value = NAME(larger)(v.value, m.value);
  return m;
}

/* The two taps looked at for NaN are all columns; but for windows 3/2 the last, which the next block looks at. */
INLINE best NAME(max_across)(strip *p, ivec row, const vec *tap, const block *b, int K, int S, int edge, int places)
{
  p->bad = NAME(either)(p->bad, NAME(unordered)(tap[0], tap[K == 3 && S == 1 ? 2 : 1]));
  if (K == 3 && S == 2 && edge) p->bad = NAME(either)(p->bad, NAME(unordered)(tap[2], tap[2]));
  best m = {tap[0], b->column[0]};
  UNROLL for (int u = 1; u < K; u++)
  {
    best v = {tap[u], b->column[u]};
    m = NAME(later)(v, m, places);
  }
  if (places) m.at += row;
  return m;
}

/* A row of the image, x being lane 0's first tap. */
INLINE best NAME(across)(strip *p, const real *x, ivec row, const block *b, int K, int S, int edge, pool_result result)
{
  vec tap[3];
  NAME(taps)(x, b, K, S, edge, result <= PLACED ? -(real)INFINITY : 0, tap);
  if (result <= PLACED) return NAME(max_across)(p, row, tap, b, K, S, edge, result == PLACED);
  if (result == AVERAGE) return (best){.value = K == 3 ? (tap[0] + tap[1]) + tap[2] : tap[0] + tap[1]};
  best m = {tap[0] * tap[0], (ivec)tap[0]};
  UNROLL for (int u = 1; u < K; u++)
  {
    m.value += tap[u] * tap[u];
    m.at |= (ivec)tap[u];
  }
  return m;
}

INLINE best NAME(down)(best v, best m, pool_result result)
{
  if (result <= PLACED) return NAME(later)(v, m, result == PLACED);
  m.value += v.value;
  m.at |= v.at;
  return m;
}

/* Row h, or what no row is, the place of the image's first for a window of nothing larger. */
INLINE best NAME(row_or_none)(strip *p, int64_t h, const real *x, ivec row, const block *b, int K, int S, int edge,
                              pool_result result)
{
  if (h >= 0 && h < p->geo->size[1]) return NAME(across)(p, x, row, b, K, S, edge, result);
  return (best){(result <= PLACED ? -(real)INFINITY : 0) - (vec){0}, b->column[0] + row - (place)(h * p->geo->size[2])};
}

/* The result of `counted` rows. */
INLINE vec NAME(finish)(strip *p, best m, int64_t counted, const block *b, int K, int edge, pool_result result)
{
  if (result == AVERAGE && edge) return m.value / ((real)counted * b->counts);
  if (result == AVERAGE) return m.value / (real)(counted == K ? K * K : counted * K);
  if (result != NORM) return m.value;
  mask nothing = NAME(zero)(m.at), normal = NAME(greater)(m.value, LEAST_SUM - (vec){0});
  normal &= NAME(greater)(MOST_SUM - (vec){0}, m.value);
  p->bad = NAME(either)(p->bad, (mask) ~(normal | nothing));
  return NAME(square_root)(m.value);
}

/* The output row under K rows: the kept ones of the row before and S new ones, x being the first of these; all of them
   in the image unless `checked`. */
INLINE best NAME(window)(strip *p, int64_t oh, const real *x, ivec row, const block *b, best *kept, int checked, int K,
                         int S, int edge, pool_result result)
{
  int64_t width = p->geo->size[2], h = oh * S - p->geo->pad_begin[1] + K - S;
  best all[3] = {{{0}, {0}}}, m;
  UNROLL for (int i = 0; i < K; i++)
  {
    const real *from = x + (i - K + S) * width;
    ivec at = row + (place)((i - K + S) * width);
    if (i < K - S)
      all[i] = kept[i];
    else if (checked)
      all[i] = NAME(row_or_none)(p, h + i - K + S, from, at, b, K, S, edge, result);
    else
      all[i] = NAME(across)(p, from, at, b, K, S, edge, result);
  }
  m = all[0];
  UNROLL for (int i = 1; i < K; i++) m = NAME(down)(all[i], m, result);
  UNROLL for (int i = 0; i < K - S; i++) kept[i] = all[S + i];
  return m;
}

INLINE void NAME(put_result)(strip *p, best m, int64_t counted, const block *b, real *y, int32_t *places, int K,
                             int edge, pool_result result)
{
  vec value = NAME(finish)(p, m, counted, b, K, edge, result);
  if (edge)
    NAME(put_if)(b->out, y, value);
  else
    *(vec *)y = value;
  if (result != PLACED) return;
  if (edge)
    NAME(put_places_if)(b->out, places, m.at);
  else
    *(narrow *)places = __builtin_convertvector(m.at, narrow);
}

/* All output rows of a block. */
INLINE void NAME(walk)(strip *p, const block *block_at, real *y, int32_t *places, int K, int S, int edge,
                       pool_result result)
{
  const cb_pool_geometry *g = p->geo;
  const block b = *block_at;
  strip s = *p;
  best kept[2];
  int64_t width = g->size[2], ow = g->out[2], h = -g->pad_begin[1], inside = g->size[1] + g->pad_begin[1] - K;
  const real *x = s.x + h * width + b.first * S - g->pad_begin[2];
  ivec row = (place)(h * width) - (ivec){0};
  UNROLL for (int i = 0; i < K - S; i++, h++, x += width, row += (place)width) kept[i] =
      NAME(row_or_none)(&s, h, x, row, &b, K, S, edge, result);
  y += b.first;
  if (result == PLACED) places += b.first;
  for (int64_t oh = 0; oh < g->out[1]; oh++, h += S, x += S * width, row += (place)(S * width), y += ow) {
    int64_t from, to, counted = result == AVERAGE ? cb_pool_extent(g, 1, oh, &from, &to) : K;
    best m;
    if (__builtin_expect(oh * S <= inside && h >= 0, 1))
      m = NAME(window)(&s, oh, x, row, &b, kept, 0, K, S, edge, result);
    else
      m = NAME(window)(&s, oh, x, row, &b, kept, 1, K, S, edge, result);
    NAME(put_result)(&s, m, counted, &b, y, places, K, edge, result);
    if (result == PLACED) places += ow;
  }
  p->bad = s.bad;
}

/* Lane 0's outputs of the blocks alike from b on. */
#define EACH_FIRST(b, j)                                                                                               \
  for (int64_t j = (b)->first, left = 1; left; left = j < (b)->last, j = j + LANES < (b)->last ? j + LANES : (b)->last)

/* What the first output row's windows share with a row before it, of all blocks. */
INLINE void NAME(keep_first)(strip *p, const block *blocks, int64_t count, const block *inner, best (*kept)[2], int K,
                             int S, pool_result result)
{
  const cb_pool_geometry *g = p->geo;
  int64_t h = -g->pad_begin[1], width = g->size[2];
  const real *x = p->x + h * width - g->pad_begin[2];
  for (const block *b = blocks; b < blocks + count; b++) EACH_FIRST(b, j)
    {
      UNROLL for (int i = 0; i < K - S; i++)
      {
        const real *from = x + i * width + j * S;
        ivec row = (place)((h + i) * width) - (ivec){0}, moved = row + (place)(j * S);
        (*kept)[i] = b->edge ? NAME(row_or_none)(p, h + i, from, row, b, K, S, 1, result)
                             : NAME(row_or_none)(p, h + i, from, moved, inner, K, S, 0, result);
      }
      kept++;
    }
}

/* Output row oh of all blocks; kept is what each has of the row before. `inner` is where block 0 would be without edges. */
INLINE void NAME(row)(strip *p, int64_t oh, const block *blocks, int64_t count, const block *inner, best (*kept)[2],
                      real *y, int32_t *places, int K, int S, pool_result result)
{
  const cb_pool_geometry *g = p->geo;
  int64_t from, to, counted = cb_pool_extent(g, 1, oh, &from, &to), h = oh * S - g->pad_begin[1] + K - S;
  int64_t at = h * g->size[2];
  const real *x = p->x + at - g->pad_begin[2];
  strip s = *p;
  for (const block *b = blocks; b < blocks + count; b++) EACH_FIRST(b, j)
    {
      int32_t *to_places = result == PLACED ? places + j : NULL;
      ivec row = (place)at - (ivec){0};
      best m;
      if (b->edge) {
        m = NAME(window)(&s, oh, x + j * S, row, b, *kept, 1, K, S, 1, result);
        NAME(put_result)(&s, m, counted, b, y + j, to_places, K, 1, result);
      } else {
        row += (place)(j * S);
        if (__builtin_expect(h >= 0 && h + S <= g->size[1], 1))
          m = NAME(window)(&s, oh, x + j * S, row, inner, *kept, 0, K, S, 0, result);
        else
          m = NAME(window)(&s, oh, x + j * S, row, inner, *kept, 1, K, S, 0, result);
        NAME(put_result)(&s, m, counted, inner, y + j, to_places, K, 0, result);
      }
      if (K > S) kept++;
    }
  p->bad = s.bad;
}

INLINE void NAME(plane)(strip *p, const block *blocks, int64_t count, const block *inner, real *y, int32_t *places,
                        int K, int S, pool_result result)
{
  int64_t ow = p->geo->out[2];
  best kept[MOST_BLOCKS][2];
  if (p->geo->plane > WALKED) {
    NAME(keep_first)(p, blocks, count, inner, kept, K, S, result);
    for (int64_t oh = 0; oh < p->geo->out[1]; oh++, y += ow) {
      NAME(row)(p, oh, blocks, count, inner, kept, y, places, K, S, result);
      if (result == PLACED) places += ow;
    }
  } else
    for (const block *b = blocks; b < blocks + count; b++)
      if (b->edge)
        NAME(walk)(p, b, y, places, K, S, 1, result);
      else
        NAME(walk)(p, b, y, places, K, S, 0, result);
}

INLINE void NAME(forward)(cnnblas_pool_kind kind, const cb_pool_run *p, int K, int S, pool_result result)
{
  const cb_pool_geometry *g = p->geo;
  block blocks[MOST_BLOCKS], inner;
  int64_t count = 0, last = g->out[2] > LANES ? g->out[2] - LANES : 0;
  for (int64_t j = 0; j < g->out[2]; j += LANES) {
    NAME(columns)(&blocks[count], g, j < last ? j : last, K, S, result);
    if (g->plane > WALKED && count && !blocks[count].edge && !blocks[count - 1].edge)
      blocks[count - 1].last = blocks[count].first;
    else
      count++;
  }
  NAME(columns)(&inner, g, 0, K, S, result);
  inner.column[0] = inner.column[1] - 1;
  for (int64_t i = 0; i < p->planes; i++) {
    strip s = {.geo = g, .x = (const real *)p->x + i * g->plane, .bad = NAME(lanes)(0, 0)};
    int32_t *places = p->indices ? p->indices + i * g->out_plane : NULL;
    NAME(plane)(&s, blocks, count, &inner, (real *)p->y + i * g->out_plane, places, K, S, result);
    if (NAME(any)(s.bad)) pool_redo(kind, p, i);
  }
}

/* ---- the windows that have loops ---- */

static void NAME(forward_windows)(cnnblas_pool_kind kind, const cb_pool_run *p)
{
  int64_t K = p->geo->kernel[2], S = p->geo->stride[2];
#define FORWARD(k, s)                                                                                                  \
  do {                                                                                                                 \
    if (kind == CNNBLAS_POOL_L2)                                                                                       \
      NAME(forward)(kind, p, k, s, NORM);                                                                              \
    else if (kind == CNNBLAS_POOL_AVG)                                                                                 \
      NAME(forward)(kind, p, k, s, AVERAGE);                                                                           \
    else if (p->indices)                                                                                               \
      NAME(forward)(kind, p, k, s, PLACED);                                                                            \
    else                                                                                                               \
      NAME(forward)(kind, p, k, s, LARGEST);                                                                           \
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
#undef uvec
#undef narrow
#undef mask
#undef best
#undef block
#undef strip
