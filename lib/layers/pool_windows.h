/*
 * Pooling of LANES neighbouring outputs by square windows of K x K with stride S, over planes of h and w alone: the bodies of the
 * loops, of which pool_windows.c makes an instance for each window, result and direction. They are compiled with whole vectors
 * and, for narrow rows, at some levels again with half vectors (CB_HALF_VECTORS).
 *
 * Forward, each row of the image is reduced across first, its taps taken apart by shuffles, and the rows after each other: the
 * first in row-major order is the first of a row, then the first row.
 *
 * Backward, each element of dx is written once. It is the sum, in the outputs' order, of what the windows that hold it give it:
 * for a maximum only those windows count whose index names the element. In front of output i of a row are the S columns i * S - pad and on: its slots.
 * Slot e has taps e of output i, e + S of output i - 1, and so on: T outputs at most. LANES outputs make a vector of each
 * slot; those of stride 2 are stored in turn. Rows are the same: output row oh makes dx rows oh * S - pad and on, with the T - 1
 * output rows before it. Where the image has more slots than outputs, the last slots belong to outputs that do not exist.
 *
 * Where a window leaves the image, loads are under a mask, and only outputs and slots in the image are stored: nothing beside
 * the plane is touched. NaN, squares whose sum overflows or vanishes, such quotients dy / y, and indices outside their window
 * are only noticed here, in *astray: the plane is then done again by loops that look after them.
 */
#ifndef CB_LAYERS_POOL_WINDOWS_H
#define CB_LAYERS_POOL_WINDOWS_H

#include "base/size.h"
#include "gemm/vectors.h"
#include "layers/pool.h"
#include <math.h>

/* Sums of squares, and quotients dy / y, between these have lost nothing that counts. */
#if CB_REAL_BITS == 32
static const real LEAST_SUM = 0x1p-90f, MOST_SUM = 0x1p127f, LEAST_SHARE = 0x1p-90f, MOST_SHARE = 0x1p90f;
#else
static const real LEAST_SUM = 0x1p-900, MOST_SUM = 0x1p1023, LEAST_SHARE = 0x1p-900, MOST_SHARE = 0x1p900;
#endif

/* Constants of an instance reach its loops by inlining; under AddressSanitizer that takes the compiler minutes. */
#ifdef __SANITIZE_ADDRESS__
#define INSTANCE static inline
#else
#define INSTANCE INLINE
#endif

typedef enum { LARGEST, PLACED, AVERAGE, NORM } pool_result;

/* What the bodies are made for: constants in each instance. */
typedef struct {
  int K, S;
  int backward;
  int edge; /* some lanes of a block, or their windows, leave the image */
  pool_result result;
} instance;

/* LANES neighbouring outputs of a row, and the columns that their windows take. */
typedef struct {
  int64_t first; /* the output on lane 0 */
  int64_t
      last; /* lane 0 in the last of the blocks alike that follow this one, each LANES on, the last one perhaps less */
  int edge; /* a lane is no output, or its window or slots leave the image */
  int last_inside;         /* the column behind 2 * LANES others, for windows 3/2, lies in the image */
  int64_t from[2], end[2]; /* lanes that are stored: of the outputs, or of each vector of slots */
  mask has[3];             /* lanes whose output, or the one that lies t before it, exists */
  mask inside[3];    /* lanes whose column is in the image: tap u's for stride 1, of vector u of columns for stride 2 */
  ivector column[3]; /* each tap's column; tap 0's is 0 where it would lie left of the image */
  ivector width;     /* how many of each lane's K columns are in the image */
  vector counted[3]; /* how many columns the average of the output that lies t before each lane's own counts */
  int64_t rows;      /* the rows that `share` counts */
  vector share[3];   /* backward, of one element in that average: 1 / (counted * rows) */
} block;

/* How many rows an average in output row oh counts: cb_pool_extent() without a division. */
INSTANCE int64_t rows_counted(const cb_pool_geometry *g, int64_t oh, instance how)
{
  int64_t start = oh * how.S - g->pad_begin[1], end = start + how.K, size = g->size[1];
  int64_t last = g->count_include_pad ? size + g->pad_end[1] : size;
  return (end < last ? end : last) - (start < 0 && !g->count_include_pad ? 0 : start);
}

INSTANCE void open_block(block *b, const cb_pool_geometry *g, int64_t first, instance how)
{
  const int64_t T = (how.K + how.S - 1) / how.S, width = g->size[2], start = first * how.S - g->pad_begin[2];
  int64_t from, to, hidden = how.backward || how.K == how.S || how.S == 1 ? 0 : 1;
  b->first = b->last = first;
  b->rows = 0;
  b->edge = start < 0 || start + (LANES - 1) * how.S + how.K > width || first + LANES + hidden > g->out[2] ||
            (how.backward && first < T - 1);
  b->last_inside = start + 2 * LANES < width;
  UNROLL for (int e = 0; e < how.S; e++)
  {
    const int64_t at = start + e * LANES;
    b->from[e] = how.backward ? cb_max(0, cb_min(LANES, -at)) : 0;
    b->end[e] = cb_max(b->from[e], cb_min(LANES, how.backward ? width - at : g->out[2] - first));
  }
  UNROLL for (int u = 0; u < how.K; u++)
  {
    int64_t at = how.S == 1 ? start + u : start + u * LANES;
    b->inside[u] = lanes_between(-at, width - at);
    b->column[u] = counting() * (integer)how.S + (integer)(start + u);
  }
  ivector end = b->column[0] + how.K, right = (integer)width - (ivector){0};
  b->column[0] &= b->column[0] >= 0;
  b->width = ((end & (end < right)) | (right & (end >= right))) - b->column[0];
  UNROLL for (int t = 0; t < T; t++)
  {
    b->has[t] = lanes_between(t - first, g->out[2] + t - first);
    b->counted[t] = 1 - (vector){0};
    for (int64_t i = 0; how.result == AVERAGE && i < LANES; i++)
      if (first + i - t >= 0 && first + i - t < g->out[2])
        b->counted[t][i] = (real)cb_pool_extent(g, 2, first + i - t, &from, &to);
  }
}

/* ---- forward ---- */

typedef struct {
  vector value;
  ivector at; /* its place in the channel; of a norm, the bits of all elements together */
} best;

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
  if (how.K == 3) tap[2] = next(tap[0], (!how.edge || b->last_inside ? x[2 * LANES] : blank) - (vector){0});
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
INSTANCE best max_across(ivector row, const vector *tap, const block *b, instance how, mask *astray)
{
  const int places = how.result == PLACED;
  *astray = either(*astray, unordered(tap[0], tap[how.K == 3 && how.S == 1 ? 2 : 1]));
  if (how.K == 3 && how.S == 2 && how.edge) *astray = either(*astray, unordered(tap[2], tap[2]));
  best m = {tap[0], b->column[0]};
  UNROLL for (int u = 1; u < how.K; u++) m = later((best){tap[u], b->column[u]}, m, places);
  if (places) m.at += row;
  return m;
}

/* Row h of the image, x being lane 0's first tap and `row` the row's place in the channel. Where it is `checked`, a row outside the
   image is blank: for a maximum its place is that of the image's first row, which a window with nothing larger keeps; for a
   norm it has no bits. */
INSTANCE best take_across(const cb_pool_geometry *g, int64_t h, const real *x, ivector row, const block *b, int checked,
                          instance how, mask *astray)
{
  vector tap[3];
  const int max = how.result <= PLACED;
  if (checked && (h < 0 || h >= g->size[1])) {
    if (!max) return (best){{0}, {0}};
    return (best){-(real)INFINITY - (vector){0}, b->column[0] + row - (integer)(h * g->size[2])};
  }
  load_taps(x, b, how, max ? -(real)INFINITY : 0, tap);
  if (max) return max_across(row, tap, b, how, astray);
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

INSTANCE vector square_root(vector v)
{
#ifdef __AVX2__
  return REALS(sqrt)(v);
#else
  UNROLL for (int i = 0; i < LANES; i++) v[i] = (real)__builtin_sqrt((double)v[i]);
  return v;
#endif
}

/* The result of a window that counts `counted` rows. */
INSTANCE vector finish(best m, int64_t counted, const block *b, instance how, mask *astray)
{
  if (how.result == AVERAGE && how.edge) return m.value / ((real)counted * b->counted[0]);
  if (how.result == AVERAGE) return m.value / (real)(counted == how.K ? how.K * how.K : counted * how.K);
  if (how.result != NORM) return m.value;
  mask nothing = is_zero((vector)m.at), normal = greater(m.value, LEAST_SUM - (vector){0});
  normal &= greater(MOST_SUM - (vector){0}, m.value);
  *astray = either(*astray, (mask) ~(normal | nothing));
  return square_root(m.value);
}

/* Copies bytes from, ..., end - 1 of a vector of `size` bytes at v to the same places from `to` on. */
INSTANCE void put_span(void *to, const void *v, size_t size, size_t from, size_t end)
{
  char *t = (char *)to + from;
  const char *f = (const char *)v + from;
  const size_t half = size / 2;
  size_t bytes = end - from;
  if (bytes >= half) {
    memcpy(t, f, half);
    memcpy(t + bytes - half, f + bytes - half, half);
    return;
  }
  UNROLL for (size_t piece = size / 4; piece >= 4; piece /= 2) if (bytes & piece)
  {
    memcpy(t, f, piece);
    t += piece;
    f += piece;
  }
}

/* Stores lanes from, ..., end - 1 of a vector, of which `take` is the mask. AVX2's store under a mask takes a Zen 3 14 cycles. */
INSTANCE void put_lanes(mask take, int64_t from, int64_t end, real *to, vector v)
{
#if defined __AVX2__ && !defined __AVX512F__
  (void)take;
  put_span(to, &v, LANES * sizeof(real), (size_t)from * sizeof(real), (size_t)end * sizeof(real));
#else
  (void)from, (void)end;
  put_if(take, to, v);
#endif
}

INSTANCE void put_narrow_lanes(mask take, int64_t from, int64_t end, int32_t *to, ivector v)
{
#if defined __AVX2__ && !defined __AVX512F__
  const narrow n = __builtin_convertvector(v, narrow);
  (void)take;
  put_span(to, &n, LANES * sizeof *to, (size_t)from * sizeof *to, (size_t)end * sizeof *to);
#else
  (void)from, (void)end;
  put_narrow_if(take, to, v);
#endif
}

INSTANCE void put_result(best m, vector value, const block *b, real *y, int32_t *places, instance how)
{
  const int64_t from = b->from[0], end = b->end[0];
  const int all = !how.edge || end - from == LANES;
  if (all)
    *(vector *)y = value;
  else
    put_lanes(b->has[0], from, end, y, value);
  if (how.result != PLACED) return;
  if (!all)
    put_narrow_lanes(b->has[0], from, end, places, m.at);
  else
    *(narrow *)places = __builtin_convertvector(m.at, narrow);
}

/* ---- backward ---- */

/* An output row as the slots see it. Of a maximum, for t = 0, 1, 2 the dy and the index of the output that lies t before each
   lane's own; else what the row adds to each slot. */
typedef struct {
  vector error[3];
  ivector at[3];
} given;

/* An output row that does not exist. */
INSTANCE given no_row(void)
{
  ivector none = -1 - (ivector){0};
  return (given){.at = {none, none, none}};
}

/* dy / y, and nothing where y is 0. *astray gains the lanes where the quotient may have lost something. */
INSTANCE vector norm_share(vector dy, vector y, mask *astray)
{
  vector one = 1 - (vector){0}, nothing = {0};
  mask zero = is_zero(y), no_error = is_zero(dy);
  vector share = dy / choose(zero, one, y), size = larger(share, -share);
  mask good = greater(size, LEAST_SHARE - nothing);
  good &= greater(MOST_SHARE - nothing, size);
  *astray = either(*astray, (mask) ~(good | zero | no_error));
  return choose(zero, nothing, share);
}

/* The lanes whose index is none of their window, row being the place in front of the window's first row. */
INSTANCE mask outside(ivector at, ivector row, const block *b, int64_t width, int K)
{
  ivector inside = at - b->column[0] - row, line = (integer)width - (ivector){0};
  UNROLL for (int k = 1; k < K; k++) inside = choose_integer(at_least(inside, line), inside - line, inside);
  return at_least(inside, b->width);
}

/* The output row that begins `at` elements after the run's first; lanes astray are looked for if it is `fresh`. */
INSTANCE given take_row(const cb_pool_run *p, int64_t at, ivector row, const block *b, int fresh, instance how,
                        mask *astray)
{
  const int T = (how.K + how.S - 1) / how.S;
  const real *dy = (const real *)p->dy + at;
  const int32_t *indices = how.result == PLACED ? p->indices_in + at : NULL;
  given r = no_row();
  vector error[3];
#define LOAD(t, array, none) (how.edge ? load_if(b->has[t], array, none) : *(const vector *)(array))
  UNROLL for (int t = 0; t < T; t++)
  {
    error[t] = LOAD(t, dy - t, (vector){0});
    if (how.result == AVERAGE) error[t] *= b->share[t];
    if (how.result == NORM)
      error[t] = norm_share(error[t], LOAD(t, (const real *)p->y_in + at - t, 1 - (vector){0}), astray);
    r.error[t] = error[t];
    if (how.result != PLACED) continue;
    narrow none = -1 - (narrow){0};
    narrow places = how.edge ? load_narrow_if(b->has[t], indices - t, none) : *(const narrow *)(indices - t);
    r.at[t] = __builtin_convertvector(places, ivector);
  }
#undef LOAD
  if (how.result != PLACED) {
    UNROLL for (int e = 0; e < how.S; e++)
    {
      r.error[e] = error[0];
      for (int t = 1; t <= (how.K - 1 - e) / how.S; t++) r.error[e] += error[t];
    }
    return r;
  }
  if (!fresh) return r;
  mask out = outside(r.at[0], row, b, p->geo->size[2], how.K);
  *astray = either(*astray, how.edge ? out & b->has[0] : out);
  return r;
}

/* Slot e of slot f of the rows, which begins at place `row`: rows[t] is output row t before. *found gains the lanes whose
   index names it, where windows do not overlap. */
INSTANCE vector sum_slot(const given *rows, const block *b, ivector row, int f, int e, instance how, mask *found)
{
  const int last = (how.K - 1 - f) / how.S;
  ivector here = b->column[e] + row;
  vector sum = {0};
  if (how.result != PLACED) {
    sum = rows[last].error[e];
    UNROLL for (int r = last - 1; r >= 0; r--) sum += rows[r].error[e];
    return sum;
  }
  UNROLL for (int r = last; r >= 0; r--) UNROLL for (int t = (how.K - 1 - e) / how.S; t >= 0; t--)
  {
    mask named = same(rows[r].at[t], here);
    if (how.K == how.S) *found = either(*found, named);
    sum = how.K == how.S ? keep(named, rows[r].error[t]) : add_kept(named, sum, rows[r].error[t]);
  }
  return sum;
}

INSTANCE void put_slots(real *dx, const real *x, const vector *slot, const block *b, instance how)
{
  vector whole[2] = {slot[0]};
  if (how.S == 2) {
    whole[0] = weave_low(slot[0], slot[1]);
    whole[1] = weave_high(slot[0], slot[1]);
  }
  UNROLL for (int e = 0; e < how.S; e++)
  {
    int64_t at = e * LANES;
    if (how.result == NORM)
      whole[e] *= how.edge ? load_if(b->inside[e], x + at, (vector){0}) : *(const vector *)(x + at);
    if (how.edge && b->end[e] - b->from[e] < LANES)
      put_lanes(b->inside[e], b->from[e], b->end[e], dx + at, whole[e]);
    else
      *(vector *)(dx + at) = whole[e];
  }
}

#endif
