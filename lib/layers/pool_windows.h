/*
 * Pooling by square windows whose size K and stride S are constants, over planes of h and w alone: the loops for vectors
 * of LANES elements. loops_pool_windows.c includes them for whole vectors, loops_pool_halves.c for halves.
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
#ifndef CB_LAYERS_POOL_WINDOWS_H
#define CB_LAYERS_POOL_WINDOWS_H

#include "gemm/vectors.h"
#include "layers/loops_build.h"
#include <math.h>

/* Constants of an instance reach its loops by inlining; under AddressSanitizer that takes the compiler minutes. */
#ifdef __SANITIZE_ADDRESS__
#define INSTANCE static inline
#else
#define INSTANCE INLINE
#endif

/* Vectors of outputs in the longest rows that are served. */
enum { MOST_BLOCKS = 64 };

typedef enum { LARGEST, PLACED, AVERAGE, NORM } pool_result;

/* Elements of a plane that lies in the first cache: its blocks are done one after the other. In larger ones rows are, as
   they lie in memory, unless windows share them. */
enum { WALKED = 8192 };

/* Sums of squares, and quotients dy / y, between these have lost nothing that counts. */
#if CB_REAL_BITS == 32
static const real LEAST_SUM = 0x1p-90f, MOST_SUM = 0x1p127f, LEAST_SHARE = 0x1p-90f, MOST_SHARE = 0x1p90f;
#else
static const real LEAST_SUM = 0x1p-900, MOST_SUM = 0x1p1023, LEAST_SHARE = 0x1p-900, MOST_SHARE = 0x1p900;
#endif

/* A channel that the loops here do not do right, again. */
static __attribute__((noinline)) void pool_redo(cnnblas_pool_kind kind, const cb_pool_run *run, int64_t i)
{
  cb_pool_run plane = CB_NAME(cb_pool_channel)(run, i);
  CB_NAME(cb_pool_forward_any)(kind, &plane);
}

typedef struct {
  vector value;
  ivector at; /* its place in the channel; of a norm, the bits of all elements together */
} best;

/* LANES columns. */
typedef struct {
  int64_t first;     /* lane 0's output */
  int64_t last;      /* of the blocks alike from there on, LANES apart but for the last one */
  int edge;          /* a lane is no output, or its window leaves the image, or it is the last block */
  int last_inside;   /* the column behind 2 * LANES others, for windows 3/2, lies in the image */
  mask out;          /* lanes that are outputs */
  mask inside[3];    /* columns in the image: of tap u for stride 1, of the first and second vector for stride 2 */
  ivector column[3]; /* of each tap; of tap 0, not left of the image */
  vector counts;     /* what an average counts of columns */
} block;

/* The planes' common state. */
typedef struct {
  const cb_pool_geometry *geo;
  const real *x; /* the plane */
  mask bad;      /* something to be looked after was seen */
} strip;

INSTANCE void open_block(block *b, const cb_pool_geometry *g, int64_t first, int K, int S, pool_result result)
{
  int64_t start = first * S - g->pad_begin[2], width = g->size[2], from, to;
  b->first = first;
  b->last = first;
  b->edge = start < 0 || start + (LANES - 1) * S + K > width || first + LANES + (K == 3 && S == 2) > g->out[2];
  b->out = lanes_between(0, g->out[2] - first);
  UNROLL for (int u = 0; u < K; u++)
  {
    int64_t at = S == 1 ? start + u : start + u * LANES;
    b->inside[u] = lanes_between(-at, width - at);
    b->column[u] = counting() * (integer)S + (integer)(start + u);
  }
  b->column[0] &= b->column[0] >= 0;
  b->last_inside = start + 2 * LANES < width;
  b->counts = (real)K - (vector){0};
  for (int i = 0; result == AVERAGE && i < LANES && first + i < g->out[2]; i++)
    b->counts[i] = (real)cb_pool_extent(g, 2, first + i, &from, &to);
}

/* The taps of the windows in one row, x being lane 0's first; outside the image `blank`. */
INSTANCE void load_taps(const real *x, const block *b, int K, int S, int edge, real blank, vector *tap)
{
  vector blanks = blank - (vector){0};
#define LOAD(u, from) (edge ? load_if(b->inside[u], from, blanks) : *(const vector *)(from))
  if (S == 1) {
    UNROLL for (int u = 0; u < K; u++) tap[u] = LOAD(u, x + u);
    return;
  }
  vector low = LOAD(0, x), high = LOAD(1, x + LANES);
  tap[0] = take_even(low, high);
  tap[1] = take_odd(low, high);
  if (K == 3) {
    real last = !edge || b->last_inside ? x[2 * LANES] : blank;
    tap[2] = next(tap[0], last - (vector){0});
  }
#undef LOAD
}

/* m, or v where v comes later and is larger. */
INSTANCE best later(best v, best m, int places)
{
  if (places) m.at = choose_integer(greater(v.value, m.value), v.at, m.at);
  m.value = larger(v.value, m.value);
  return m;
}

/* The two taps looked at for NaN are all columns; but for windows 3/2 the last, which the next block looks at. */
INSTANCE best max_across(strip *p, ivector row, const vector *tap, const block *b, int K, int S, int edge, int places)
{
  p->bad = either(p->bad, unordered(tap[0], tap[K == 3 && S == 1 ? 2 : 1]));
  if (K == 3 && S == 2 && edge) p->bad = either(p->bad, unordered(tap[2], tap[2]));
  best m = {tap[0], b->column[0]};
  UNROLL for (int u = 1; u < K; u++)
  {
    best v = {tap[u], b->column[u]};
    m = later(v, m, places);
  }
  if (places) m.at += row;
  return m;
}

/* A row of the image, x being lane 0's first tap. */
INSTANCE best take_across(strip *p, const real *x, ivector row, const block *b, int K, int S, int edge,
                          pool_result result)
{
  vector tap[3];
  load_taps(x, b, K, S, edge, result <= PLACED ? -(real)INFINITY : 0, tap);
  if (result <= PLACED) return max_across(p, row, tap, b, K, S, edge, result == PLACED);
  if (result == AVERAGE) return (best){.value = K == 3 ? (tap[0] + tap[1]) + tap[2] : tap[0] + tap[1]};
  best m = {tap[0] * tap[0], (ivector)tap[0]};
  UNROLL for (int u = 1; u < K; u++)
  {
    m.value += tap[u] * tap[u];
    m.at |= (ivector)tap[u];
  }
  return m;
}

INSTANCE best join_rows(best v, best m, pool_result result)
{
  if (result <= PLACED) return later(v, m, result == PLACED);
  m.value += v.value;
  m.at |= v.at;
  return m;
}

/* Row h, or what no row is, the place of the image's first for a window of nothing larger. */
INSTANCE best row_or_none(strip *p, int64_t h, const real *x, ivector row, const block *b, int K, int S, int edge,
                          pool_result result)
{
  if (h >= 0 && h < p->geo->size[1]) return take_across(p, x, row, b, K, S, edge, result);
  return (best){(result <= PLACED ? -(real)INFINITY : 0) - (vector){0},
                b->column[0] + row - (integer)(h * p->geo->size[2])};
}

INSTANCE vector square_root(vector v)
{
#ifdef __AVX2__
  return REALS(sqrt)(v);
#else
  UNROLL for (int i = 0; i < LANES; i++) v[i] = (real)__builtin_sqrt((double)v[i]);
  return v;
#endif
}

/* The result of `counted` rows. */
INSTANCE vector finish(strip *p, best m, int64_t counted, const block *b, int K, int edge, pool_result result)
{
  if (result == AVERAGE && edge) return m.value / ((real)counted * b->counts);
  if (result == AVERAGE) return m.value / (real)(counted == K ? K * K : counted * K);
  if (result != NORM) return m.value;
  mask nothing = is_zero((vector)m.at), normal = greater(m.value, LEAST_SUM - (vector){0});
  normal &= greater(MOST_SUM - (vector){0}, m.value);
  p->bad = either(p->bad, (mask) ~(normal | nothing));
  return square_root(m.value);
}

/* The output row under K rows: the kept ones of the row before and S new ones, x being the first of these; all of them
   in the image unless `checked`. */
INSTANCE best window(strip *p, int64_t oh, const real *x, ivector row, const block *b, best *kept, int checked, int K,
                     int S, int edge, pool_result result)
{
  int64_t width = p->geo->size[2], h = oh * S - p->geo->pad_begin[1] + K - S;
  best all[3] = {{{0}, {0}}}, m;
  UNROLL for (int i = 0; i < K; i++)
  {
    const real *from = x + (i - K + S) * width;
    ivector at = row + (integer)((i - K + S) * width);
    if (i < K - S)
      all[i] = kept[i];
    else if (checked)
      all[i] = row_or_none(p, h + i - K + S, from, at, b, K, S, edge, result);
    else
      all[i] = take_across(p, from, at, b, K, S, edge, result);
  }
  m = all[0];
  UNROLL for (int i = 1; i < K; i++) m = join_rows(all[i], m, result);
  UNROLL for (int i = 0; i < K - S; i++) kept[i] = all[S + i];
  return m;
}

INSTANCE void put_result(strip *p, best m, int64_t counted, const block *b, real *y, int32_t *places, int K, int edge,
                         pool_result result)
{
  vector value = finish(p, m, counted, b, K, edge, result);
  if (edge)
    put_if(b->out, y, value);
  else
    *(vector *)y = value;
  if (result != PLACED) return;
  if (edge)
    put_narrow_if(b->out, places, m.at);
  else
    *(narrow *)places = __builtin_convertvector(m.at, narrow);
}

/* All output rows of a block. */
INSTANCE void walk(strip *p, const block *block_at, real *y, int32_t *places, int K, int S, int edge,
                   pool_result result)
{
  const cb_pool_geometry *g = p->geo;
  const block b = *block_at;
  strip s = *p;
  best kept[2];
  int64_t width = g->size[2], ow = g->out[2], h = -g->pad_begin[1], inside = g->size[1] + g->pad_begin[1] - K;
  const real *x = s.x + h * width + b.first * S - g->pad_begin[2];
  ivector row = (integer)(h * width) - (ivector){0};
  UNROLL for (int i = 0; i < K - S; i++, h++, x += width, row += (integer)width) kept[i] =
      row_or_none(&s, h, x, row, &b, K, S, edge, result);
  y += b.first;
  if (result == PLACED) places += b.first;
  for (int64_t oh = 0; oh < g->out[1]; oh++, h += S, x += S * width, row += (integer)(S * width), y += ow) {
    int64_t from, to, counted = result == AVERAGE ? cb_pool_extent(g, 1, oh, &from, &to) : K;
    best m;
    if (__builtin_expect(oh * S <= inside && h >= 0, 1))
      m = window(&s, oh, x, row, &b, kept, 0, K, S, edge, result);
    else
      m = window(&s, oh, x, row, &b, kept, 1, K, S, edge, result);
    put_result(&s, m, counted, &b, y, places, K, edge, result);
    if (result == PLACED) places += ow;
  }
  p->bad = s.bad;
}

/* Lane 0's outputs of the blocks alike from b on. */
#define EACH_FIRST(b, j)                                                                                               \
  for (int64_t j = (b)->first, left = 1; left; left = j < (b)->last, j = j + LANES < (b)->last ? j + LANES : (b)->last)

/* What the first output row's windows share with a row before it, of all blocks. */
INSTANCE void keep_first(strip *p, const block *blocks, int64_t count, const block *inner, best (*kept)[2], int K,
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
        ivector row = (integer)((h + i) * width) - (ivector){0}, moved = row + (integer)(j * S);
        (*kept)[i] = b->edge ? row_or_none(p, h + i, from, row, b, K, S, 1, result)
                             : row_or_none(p, h + i, from, moved, inner, K, S, 0, result);
      }
      kept++;
    }
}

/* Output row oh of all blocks; kept is what each has of the row before. `inner` is where block 0 would be without edges. */
INSTANCE void put_row(strip *p, int64_t oh, const block *blocks, int64_t count, const block *inner, best (*kept)[2],
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
      ivector row = (integer)at - (ivector){0};
      best m;
      if (b->edge) {
        m = window(&s, oh, x + j * S, row, b, *kept, 1, K, S, 1, result);
        put_result(&s, m, counted, b, y + j, to_places, K, 1, result);
      } else {
        row += (integer)(j * S);
        if (__builtin_expect(h >= 0 && h + S <= g->size[1], 1))
          m = window(&s, oh, x + j * S, row, inner, *kept, 0, K, S, 0, result);
        else
          m = window(&s, oh, x + j * S, row, inner, *kept, 1, K, S, 0, result);
        put_result(&s, m, counted, inner, y + j, to_places, K, 0, result);
      }
      if (K > S) kept++;
    }
  p->bad = s.bad;
}

INSTANCE void do_plane(strip *p, const block *blocks, int64_t count, const block *inner, real *y, int32_t *places,
                       int K, int S, pool_result result)
{
  int64_t ow = p->geo->out[2];
  best kept[MOST_BLOCKS][2];
  if (p->geo->plane > WALKED) {
    keep_first(p, blocks, count, inner, kept, K, S, result);
    for (int64_t oh = 0; oh < p->geo->out[1]; oh++, y += ow) {
      put_row(p, oh, blocks, count, inner, kept, y, places, K, S, result);
      if (result == PLACED) places += ow;
    }
  } else
    for (const block *b = blocks; b < blocks + count; b++)
      if (b->edge)
        walk(p, b, y, places, K, S, 1, result);
      else
        walk(p, b, y, places, K, S, 0, result);
}

INSTANCE void forward(cnnblas_pool_kind kind, const cb_pool_run *p, int K, int S, pool_result result)
{
  const cb_pool_geometry *g = p->geo;
  block blocks[MOST_BLOCKS], inner;
  int64_t count = 0, last = g->out[2] > LANES ? g->out[2] - LANES : 0;
  for (int64_t j = 0; j < g->out[2]; j += LANES) {
    open_block(&blocks[count], g, j < last ? j : last, K, S, result);
    if (g->plane > WALKED && count && !blocks[count].edge && !blocks[count - 1].edge)
      blocks[count - 1].last = blocks[count].first;
    else
      count++;
  }
  open_block(&inner, g, 0, K, S, result);
  inner.column[0] = inner.column[1] - 1;
  for (int64_t i = 0; i < p->planes; i++) {
    strip s = {.geo = g, .x = (const real *)p->x + i * g->plane, .bad = lanes_between(0, 0)};
    int32_t *places = p->indices ? p->indices + i * g->out_plane : NULL;
    do_plane(&s, blocks, count, &inner, (real *)p->y + i * g->out_plane, places, K, S, result);
    if (any(s.bad)) pool_redo(kind, p, i);
  }
}

/* ---- the windows that have loops ---- */

static void forward_windows(cnnblas_pool_kind kind, const cb_pool_run *p)
{
  int64_t K = p->geo->kernel[2], S = p->geo->stride[2];
#define FORWARD(k, s)                                                                                                  \
  do {                                                                                                                 \
    if (kind == CNNBLAS_POOL_L2)                                                                                       \
      forward(kind, p, k, s, NORM);                                                                                    \
    else if (kind == CNNBLAS_POOL_AVG)                                                                                 \
      forward(kind, p, k, s, AVERAGE);                                                                                 \
    else if (p->indices)                                                                                               \
      forward(kind, p, k, s, PLACED);                                                                                  \
    else                                                                                                               \
      forward(kind, p, k, s, LARGEST);                                                                                 \
  } while (0)
  if (K == 2)
    FORWARD(2, 2);
  else if (S == 2)
    FORWARD(3, 2);
  else
    FORWARD(3, 1);
#undef FORWARD
}

#endif
