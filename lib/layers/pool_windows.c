/*
 * Pooling by square windows whose size K and stride S are constants, over planes of h and w alone. This file is compiled with
 * vectors of the level's width, and again with vectors of half that width (CB_HALF_VECTORS) for rows that fill no more; the
 * gradients are in pool_windows_back.c.
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
#include "layers/pool_windows.h"

#if POOL_WINDOWS
/* Sums of squares between these have lost nothing that counts. */
#if CB_REAL_BITS == 32
static const real LEAST_SUM = 0x1p-90f, MOST_SUM = 0x1p127f;
#else
static const real LEAST_SUM = 0x1p-900, MOST_SUM = 0x1p1023;
#endif

typedef struct {
  vector value;
  ivector at; /* its place in the channel; of a norm, the bits of all elements together */
} best;

/* LANES neighbouring outputs of a row, and the columns that their windows take. */
typedef struct {
  int64_t first; /* the output on lane 0 */
  int64_t
      last; /* lane 0's output in the last of the blocks like this one, which are LANES apart but for the last two */
  int edge; /* 1 if a lane is no output or its window leaves the image, or if the block is the last */
  int last_inside; /* the column behind 2 * LANES others, for windows 3/2, lies in the image */
  mask out;        /* lanes that are outputs */
  mask inside
      [3]; /* lanes whose column is in the image: tap u's for stride 1, those of the first and second vector for stride 2 */
  ivector column[3]; /* each tap's column; tap 0's is 0 where it would lie left of the image */
  vector counts;     /* how many columns each lane's average counts */
} block;

/* The planes' common state. */
typedef struct {
  const cb_pool_geometry *geo;
  const real *x; /* the plane's first element */
  mask bad;      /* something to be looked after was seen */
} strip;

INSTANCE void open_block(block *b, const cb_pool_geometry *g, int64_t first, instance how)
{
  int64_t start = first * how.S - g->pad_begin[2], width = g->size[2], from, to;
  b->first = first;
  b->last = first;
  b->edge = start < 0 || start + (LANES - 1) * how.S + how.K > width ||
            first + LANES + (how.K == 3 && how.S == 2) > g->out[2];
  b->out = lanes_between(0, g->out[2] - first);
  UNROLL for (int u = 0; u < how.K; u++)
  {
    int64_t at = how.S == 1 ? start + u : start + u * LANES;
    b->inside[u] = lanes_between(-at, width - at);
    b->column[u] = counting() * (integer)how.S + (integer)(start + u);
  }
  b->column[0] &= b->column[0] >= 0;
  b->last_inside = start + 2 * LANES < width;
  b->counts = (real)how.K - (vector){0};
  for (int i = 0; how.result == AVERAGE && i < LANES && first + i < g->out[2]; i++)
    b->counts[i] = (real)cb_pool_extent(g, 2, first + i, &from, &to);
}

/* The taps of the windows in one row, x being lane 0's first; outside the image `blank`. */
INSTANCE void load_taps(const real *x, const block *b, instance how, real blank, vector *tap)
{
  vector blanks = blank - (vector){0};
#define LOAD(u, from) (how.edge ? load_if(b->inside[u], from, blanks) : *(const vector *)(from))
  if (how.S == 1) {
    UNROLL for (int u = 0; u < how.K; u++) tap[u] = LOAD(u, x + u);
    return;
  }
  vector low = LOAD(0, x), high = LOAD(1, x + LANES);
  tap[0] = take_even(low, high);
  tap[1] = take_odd(low, high);
  if (how.K == 3) {
    real last = !how.edge || b->last_inside ? x[2 * LANES] : blank;
    tap[2] = next(tap[0], last - (vector){0});
  }
#undef LOAD
}

/* The larger of v and m; of equals m, which comes first. */
INSTANCE best later(best v, best m, int places)
{
  if (places) m.at = choose_integer(greater(v.value, m.value), v.at, m.at);
  m.value = larger(v.value, m.value);
  return m;
}

/* NaN is looked for in two taps, which are all columns of the block; of windows 3/2 they leave out the last column, which is
   the next block's. */
INSTANCE best max_across(strip *p, ivector row, const vector *tap, const block *b, instance how)
{
  const int places = how.result == PLACED;
  p->bad = either(p->bad, unordered(tap[0], tap[how.K == 3 && how.S == 1 ? 2 : 1]));
  if (how.K == 3 && how.S == 2 && how.edge) p->bad = either(p->bad, unordered(tap[2], tap[2]));
  best m = {tap[0], b->column[0]};
  UNROLL for (int u = 1; u < how.K; u++)
  {
    best v = {tap[u], b->column[u]};
    m = later(v, m, places);
  }
  if (places) m.at += row;
  return m;
}

/* A row of the image, x being lane 0's first tap. */
INSTANCE best take_across(strip *p, const real *x, ivector row, const block *b, instance how)
{
  vector tap[3];
  load_taps(x, b, how, how.result <= PLACED ? -(real)INFINITY : 0, tap);
  if (how.result <= PLACED) return max_across(p, row, tap, b, how);
  if (how.result == AVERAGE) return (best){.value = how.K == 3 ? (tap[0] + tap[1]) + tap[2] : tap[0] + tap[1]};
  best m = {tap[0] * tap[0], (ivector)tap[0]};
  UNROLL for (int u = 1; u < how.K; u++)
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

/* Row h. A row outside the image is blank. For a maximum its place is that of the image's first row, which a window with nothing
   larger keeps; for a norm it has no bits. */
INSTANCE best row_or_none(strip *p, int64_t h, const real *x, ivector row, const block *b, instance how)
{
  if (h >= 0 && h < p->geo->size[1]) return take_across(p, x, row, b, how);
  if (how.result > PLACED) return (best){{0}, {0}};
  return (best){-(real)INFINITY - (vector){0}, b->column[0] + row - (integer)(h * p->geo->size[2])};
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
INSTANCE vector finish(strip *p, best m, int64_t counted, const block *b, instance how)
{
  if (how.result == AVERAGE && how.edge) return m.value / ((real)counted * b->counts);
  if (how.result == AVERAGE) return m.value / (real)(counted == how.K ? how.K * how.K : counted * how.K);
  if (how.result != NORM) return m.value;
  mask nothing = is_zero((vector)m.at), normal = greater(m.value, LEAST_SUM - (vector){0});
  normal &= greater(MOST_SUM - (vector){0}, m.value);
  p->bad = either(p->bad, (mask) ~(normal | nothing));
  return square_root(m.value);
}

/* The output row under K rows: the kept ones of the row before and S new ones, x being the first of these; all of them
   in the image unless `checked`. */
INSTANCE best window(strip *p, int64_t oh, const real *x, ivector row, const block *b, best *kept, int checked,
                     instance how)
{
  int64_t width = p->geo->size[2], h = oh * how.S - p->geo->pad_begin[1] + how.K - how.S;
  best all[3] = {{{0}, {0}}}, m;
  UNROLL for (int i = 0; i < how.K; i++)
  {
    const real *from = x + (i - how.K + how.S) * width;
    ivector at = row + (integer)((i - how.K + how.S) * width);
    if (i < how.K - how.S)
      all[i] = kept[i];
    else if (checked)
      all[i] = row_or_none(p, h + i - how.K + how.S, from, at, b, how);
    else
      all[i] = take_across(p, from, at, b, how);
  }
  m = all[0];
  UNROLL for (int i = 1; i < how.K; i++) m = join_rows(all[i], m, how.result);
  UNROLL for (int i = 0; i < how.K - how.S; i++) kept[i] = all[how.S + i];
  return m;
}

INSTANCE void put_result(strip *p, best m, int64_t counted, const block *b, real *y, int32_t *places, instance how)
{
  vector value = finish(p, m, counted, b, how);
  if (how.edge)
    put_if(b->out, y, value);
  else
    *(vector *)y = value;
  if (how.result != PLACED) return;
  if (how.edge)
    put_narrow_if(b->out, places, m.at);
  else
    *(narrow *)places = __builtin_convertvector(m.at, narrow);
}

/* All output rows of a block. */
INSTANCE void walk(strip *p, const block *block_at, real *y, int32_t *places, instance how)
{
  const cb_pool_geometry *g = p->geo;
  const block b = *block_at;
  strip s = *p;
  best kept[2];
  int64_t width = g->size[2], ow = g->out[2], h = -g->pad_begin[1], inside = g->size[1] + g->pad_begin[1] - how.K;
  const real *x = s.x + h * width + b.first * how.S - g->pad_begin[2];
  ivector row = (integer)(h * width) - (ivector){0};
  UNROLL for (int i = 0; i < how.K - how.S; i++, h++, x += width, row += (integer)width) kept[i] =
      row_or_none(&s, h, x, row, &b, how);
  y += b.first;
  if (how.result == PLACED) places += b.first;
  for (int64_t oh = 0; oh < g->out[1]; oh++, h += how.S, x += how.S * width, row += (integer)(how.S * width), y += ow) {
    int64_t from, to, counted = how.result == AVERAGE ? cb_pool_extent(g, 1, oh, &from, &to) : how.K;
    best m;
    if (__builtin_expect(oh * how.S <= inside && h >= 0, 1))
      m = window(&s, oh, x, row, &b, kept, 0, how);
    else
      m = window(&s, oh, x, row, &b, kept, 1, how);
    put_result(&s, m, counted, &b, y, places, how);
    if (how.result == PLACED) places += ow;
  }
  p->bad = s.bad;
}

/* The blocks of a row. `inner` is where block 0 would be if the plane had no edges. */
typedef struct {
  block block[MOST_BLOCKS], inner;
  int64_t count;
} row_blocks;

/* Lane 0's outputs of the blocks alike from b on. */
#define EACH_FIRST(b, j)                                                                                               \
  for (int64_t j = (b)->first, left = 1; left; left = j < (b)->last, j = j + LANES < (b)->last ? j + LANES : (b)->last)

/* What the first output row's windows share with a row before it, of all blocks. */
INSTANCE void keep_first(strip *p, const row_blocks *all, best (*kept)[2], instance how)
{
  const cb_pool_geometry *g = p->geo;
  int64_t h = -g->pad_begin[1], width = g->size[2];
  const real *x = p->x + h * width - g->pad_begin[2];
  for (const block *b = all->block; b < all->block + all->count; b++) EACH_FIRST(b, j)
    {
      UNROLL for (int i = 0; i < how.K - how.S; i++)
      {
        const real *from = x + i * width + j * how.S;
        ivector row = (integer)((h + i) * width) - (ivector){0}, moved = row + (integer)(j * how.S);
        (*kept)[i] = b->edge ? row_or_none(p, h + i, from, row, b, EDGE(how, 1))
                             : row_or_none(p, h + i, from, moved, &all->inner, EDGE(how, 0));
      }
      kept++;
    }
}

/* Output row oh of all blocks; kept is what each has of the row before. */
INSTANCE void put_row(strip *p, int64_t oh, const row_blocks *all, best (*kept)[2], real *y, int32_t *places,
                      instance how)
{
  const cb_pool_geometry *g = p->geo;
  int64_t from, to, counted = cb_pool_extent(g, 1, oh, &from, &to), h = oh * how.S - g->pad_begin[1] + how.K - how.S;
  int64_t at = h * g->size[2];
  const real *x = p->x + at - g->pad_begin[2];
  strip s = *p;
  for (const block *b = all->block; b < all->block + all->count; b++) EACH_FIRST(b, j)
    {
      int32_t *to_places = how.result == PLACED ? places + j : NULL;
      ivector row = (integer)at - (ivector){0};
      best m;
      if (b->edge) {
        m = window(&s, oh, x + j * how.S, row, b, *kept, 1, EDGE(how, 1));
        put_result(&s, m, counted, b, y + j, to_places, EDGE(how, 1));
      } else {
        row += (integer)(j * how.S);
        if (__builtin_expect(h >= 0 && h + how.S <= g->size[1], 1))
          m = window(&s, oh, x + j * how.S, row, &all->inner, *kept, 0, EDGE(how, 0));
        else
          m = window(&s, oh, x + j * how.S, row, &all->inner, *kept, 1, EDGE(how, 0));
        put_result(&s, m, counted, &all->inner, y + j, to_places, EDGE(how, 0));
      }
      if (how.K > how.S) kept++;
    }
  p->bad = s.bad;
}

INSTANCE void do_plane(strip *p, const row_blocks *all, real *y, int32_t *places, instance how)
{
  int64_t ow = p->geo->out[2];
  best kept[MOST_BLOCKS][2];
  if (p->geo->plane > WALKED) {
    keep_first(p, all, kept, how);
    for (int64_t oh = 0; oh < p->geo->out[1]; oh++, y += ow) {
      put_row(p, oh, all, kept, y, places, how);
      if (how.result == PLACED) places += ow;
    }
  } else
    for (const block *b = all->block; b < all->block + all->count; b++)
      if (b->edge)
        walk(p, b, y, places, EDGE(how, 1));
      else
        walk(p, b, y, places, EDGE(how, 0));
}

INSTANCE void each_plane(const cb_pool_run *p, instance how)
{
  const cb_pool_geometry *g = p->geo;
  row_blocks all;
  int64_t count = 0, last = g->out[2] > LANES ? g->out[2] - LANES : 0;
  for (int64_t j = 0; j < g->out[2]; j += LANES) {
    open_block(&all.block[count], g, j < last ? j : last, how);
    if (g->plane > WALKED && count && !all.block[count].edge && !all.block[count - 1].edge)
      all.block[count - 1].last = all.block[count].first;
    else
      count++;
  }
  all.count = count;
  open_block(&all.inner, g, 0, how);
  all.inner.column[0] = all.inner.column[1] - 1;
  for (int64_t i = 0; i < p->planes; i++) {
    strip s = {.geo = g, .x = (const real *)p->x + i * g->plane, .bad = lanes_between(0, 0)};
    int32_t *places = p->indices ? p->indices + i * g->out_plane : NULL;
    do_plane(&s, &all, (real *)p->y + i * g->out_plane, places, how);
    if (any(s.bad)) {
      cb_pool_run again = cb_pool_channel(p, i);
      CB_NAME(cb_pool_rows).forward(&again);
    }
  }
}

/* The loops for windows K/S with each result. */
#define FORWARD(K, S)                                                                                                  \
  do {                                                                                                                 \
    if (run->geo->kind == CNNBLAS_POOL_L2)                                                                             \
      each_plane(run, (instance){K, S, 0, NORM});                                                                      \
    else if (run->geo->kind == CNNBLAS_POOL_AVG)                                                                       \
      each_plane(run, (instance){K, S, 0, AVERAGE});                                                                   \
    else if (run->indices)                                                                                             \
      each_plane(run, (instance){K, S, 0, PLACED});                                                                    \
    else                                                                                                               \
      each_plane(run, (instance){K, S, 0, LARGEST});                                                                   \
  } while (0)

static void forward(const cb_pool_run *run)
{
  if (run->geo->kernel[2] == 2)
    FORWARD(2, 2);
  else if (run->geo->stride[2] == 2)
    FORWARD(3, 2);
  else
    FORWARD(3, 1);
}

/* Square windows over two axes whose rows are not too long; places of lanes beside the plane fit in 32 bits as well. */
static bool has_loops(const cb_pool_geometry *g)
{
  const int64_t k = g->kernel[2], s = g->stride[2];
  return !g->adaptive && ((k == 2 && s == 2) || (k == 3 && (s == 1 || s == 2))) && g->kernel[1] == k &&
         g->stride[1] == s && g->dilation[1] == 1 && g->dilation[2] == 1 && g->size[0] == 1 && g->kernel[0] == 1 &&
         g->out[2] <= MOST_OUT && g->plane < INT32_MAX / 2;
}

/* All gradients of the maximum; of the others those of windows of 2 x 2 inside the image, and of the norm only if they cover
   it: the share that an element without a window gets is 0, and 0 times an infinite x is no 0. */
static bool serves(const cb_pool_geometry *g, bool backward)
{
  if (!has_loops(g)) return false;
  if (!backward || g->kind == CNNBLAS_POOL_MAX) return true;
  if (g->kernel[2] != 2 || g->pad_begin[1] || g->pad_begin[2] || 2 * g->out[1] > g->size[1] ||
      2 * g->out[2] > g->size[2])
    return false;
  return g->kind == CNNBLAS_POOL_AVG || (2 * g->out[1] == g->size[1] && 2 * g->out[2] == g->size[2]);
}

const cb_pool_family WINDOWS = {serves, forward, WINDOWS_BACK};
#endif
