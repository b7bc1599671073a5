/*
 * The gradient of pooling by windows of K x K with stride S (pool_windows.c). Every element of dx is written once, as the
 * sum over the windows that it lies in, in the outputs' order: of a maximum, of those whose index names it.
 *
 * In front of output i of a row are the S columns i * S - pad and on: its slots. Slot e has taps e of output i, e + S of
 * output i - 1, and so on: T outputs at most. LANES outputs make a vector of each slot; those of stride 2 are stored in
 * turn. Rows are the same: output row oh makes dx rows oh * S - pad and on, with the T - 1 output rows before it. Where the
 * image has more slots than outputs, the last slots belong to outputs that do not exist.
 *
 * Indices outside their window, and quotients dy / y that overflow or vanish, are only noticed here, and the plane is left
 * to loops that look after them.
 */
#include "layers/pool_windows.h"

#if POOL_WINDOWS
/* Quotients dy / y between these have lost nothing that counts. */
#if CB_REAL_BITS == 32
static const real LEAST_SHARE = 0x1p-90f, MOST_SHARE = 0x1p90f;
#else
static const real LEAST_SHARE = 0x1p-900, MOST_SHARE = 0x1p900;
#endif

/* LANES slots of a row. */
typedef struct {
  int64_t first;        /* the output on lane 0 */
  int64_t last;         /* lane 0's output in the last of the blocks like this one, as in pool_windows.c */
  int edge;             /* an output does not exist, or a slot or a part of a window is not in the image */
  mask has[3];          /* lanes where the output that lies t before their own exists */
  mask inside[2];       /* columns in the image: of the first and second vector */
  ivector column[2];    /* the column of slot e, for each lane */
  ivector begin, width; /* the first column of each lane's window that is in the image, and how many are */
} slots;

/* An output row as the slots see it: for t = 0, 1, 2 the dy (or its share) and the index of the output that lies t before each lane's own. */
typedef struct {
  vector error[3];
  ivector at[3];
} given;

INSTANCE void open_slots(slots *b, const cb_pool_geometry *g, int64_t first, instance how)
{
  int64_t start = first * how.S - g->pad_begin[2], T = (how.K + how.S - 1) / how.S, width = g->size[2];
  ivector begin = counting() * (integer)how.S + (integer)start, end = begin + how.K,
          right = (integer)width - (ivector){0};
  b->first = first;
  b->last = first;
  b->edge = start < 0 || start + LANES * how.S > width || start + (LANES - 1) * how.S + how.K > width ||
            first < T - 1 || first + LANES > g->out[2];
  UNROLL for (int t = 0; t < T; t++) b->has[t] = lanes_between(t - first, g->out[2] + t - first);
  UNROLL for (int e = 0; e < how.S; e++)
  {
    b->column[e] = begin + e;
    b->inside[e] = lanes_between(-start - e * LANES, width - start - e * LANES);
  }
  b->begin = begin & (begin >= 0);
  b->width = ((end & (end < right)) | (right & (end >= right))) - b->begin;
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
INSTANCE mask outside(ivector at, ivector row, const slots *b, int64_t width, int K)
{
  ivector inside = at - b->begin - row, line = (integer)width - (ivector){0};
  UNROLL for (int k = 1; k < K; k++) inside = choose_integer(at_least(inside, line), inside - line, inside);
  return at_least(inside, b->width);
}

/* An output row as the slots see it, from `at` elements of the run on. Lanes astray are not looked for if they will be
   `found` by their slots. */
INSTANCE given take_row(const cb_pool_run *p, int64_t at, ivector row, const slots *b, int found, instance how,
                        mask *astray)
{
  int64_t T = (how.K + how.S - 1) / how.S;
  const real *dy = (const real *)p->dy + at;
  const int32_t *indices = how.result == PLACED ? p->indices_in + at : NULL;
  given r = {0};
#define LOAD(t, array, none) (how.edge ? load_if(b->has[t], array, none) : *(const vector *)(array))
  UNROLL for (int t = 0; t < T; t++)
  {
    r.error[t] = LOAD(t, dy - t, (vector){0});
    if (how.result == AVERAGE) r.error[t] /= (real)(how.K * how.K);
    if (how.result == NORM)
      r.error[t] = norm_share(r.error[t], LOAD(t, (const real *)p->y_in + at - t, 1 - (vector){0}), astray);
    if (how.result != PLACED) continue;
    narrow none = -1 - (narrow){0};
    narrow places = how.edge ? load_narrow_if(b->has[t], indices - t, none) : *(const narrow *)(indices - t);
    r.at[t] = __builtin_convertvector(places, ivector);
  }
#undef LOAD
  if (how.result != PLACED || found) return r;
  mask out = outside(r.at[0], row, b, p->geo->size[2], how.K);
  *astray = either(*astray, how.edge ? out & b->has[0] : out);
  return r;
}

/* Slot e of slot f of the rows, which begins at place `row`: rows[t] is output row t before. *found gains the lanes whose
   index names it, where windows do not overlap. */
INSTANCE vector sum_slot(const given *rows, const slots *b, ivector row, int f, int e, instance how, mask *found)
{
  ivector here = b->column[e] + row;
  vector sum = {0};
  UNROLL for (int r = (how.K - 1 - f) / how.S; r >= 0; r--) UNROLL for (int t = (how.K - 1 - e) / how.S; t >= 0; t--)
  {
    if (how.result != PLACED)
      sum = rows[r].error[t];
    else if (how.K == how.S) {
      mask named = same(rows[r].at[t], here);
      *found = either(*found, named);
      sum = choose(named, rows[r].error[t], sum);
    } else
      sum = choose(same(rows[r].at[t], here), sum + rows[r].error[t], sum);
  }
  return sum;
}

INSTANCE void put_slots(real *dx, const real *x, const vector *slot, const slots *b, instance how)
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
    if (how.edge)
      put_if(b->inside[e], dx + at, whole[e]);
    else
      *(vector *)(dx + at) = whole[e];
  }
}

/* Where S rows of slots are: their output row, lane 0's offsets in the run's outputs and inputs, and the place in the channel
   where the first of them begins. */
typedef struct {
  int64_t oh, out, in;
  ivector row;
} place;

/*
 * Writes the S rows of slots at a place. The rows are in the image, and so are their outputs, unless `checked`. Output rows before oh are those that the last call left in
 * `kept`, or taken anew if it is NULL.
 */
INSTANCE void put_rows(const cb_pool_run *p, given *kept, const slots *b, const place *at, int checked, instance how,
                       mask *astray)
{
  const cb_pool_geometry *g = p->geo;
  const int64_t oh = at->oh, out = at->out;
  int64_t h = oh * how.S - g->pad_begin[1];
  int all = how.K == how.S && !how.edge && !checked; /* every window has all its slots here */
  given rows[3], none = {{{0}}, {-1 - (ivector){0}, -1 - (ivector){0}, -1 - (ivector){0}}};
  UNROLL for (int t = 0; t < 3; t++)
  {
    rows[t] = none;
    if (t >= (how.K + how.S - 1) / how.S) continue;
    if (t && kept)
      rows[t] = kept[t - 1];
    else if (!checked || (oh - t >= 0 && oh - t < g->out[1]))
      rows[t] = take_row(p, out - t * g->out[2], at->row, b, t || all, how, astray);
  }
  mask found = lanes_between(0, 0);
  UNROLL for (int f = 0; f < how.S; f++)
  {
    vector slot[2];
    if (checked && (h + f < 0 || h + f >= g->size[1])) continue;
    UNROLL for (int e = 0; e < how.S; e++) slot[e] =
        sum_slot(rows, b, at->row + (integer)(f * g->size[2]), f, e, how, &found);
    int64_t in = at->in + f * g->size[2];
    put_slots((real *)p->dx + in, how.result == NORM ? (const real *)p->x + in : NULL, slot, b, how);
  }
  if (how.result == PLACED && all) *astray = either(*astray, (mask)~found);
  if (kept) kept[1] = rows[1];
  if (kept) kept[0] = rows[0];
}

/* The blocks of slots of a row, and the output rows that its slots have. `inner` is where block 0 would be if the plane had no
   edges. */
typedef struct {
  slots block[MOST_BLOCKS + 1], inner;
  int64_t count, down;
} row_slots;

/* Writes a block's slots in all rows of channel i. */
INSTANCE void walk_back(const cb_pool_run *p, int64_t i, const slots *block_at, int64_t down, instance how,
                        mask *astray)
{
  const cb_pool_geometry *g = p->geo;
  const slots b = *block_at;
  mask bad = *astray;
  int64_t lines = how.S * g->size[2], height = g->size[1] + g->pad_begin[1], h = -g->pad_begin[1];
  place at = {0, i * g->out_plane + b.first, i * g->plane + h * g->size[2] + b.first * how.S - g->pad_begin[2],
              (integer)(h * g->size[2]) - (ivector){0}};
  given kept[2] = {{{{0}}, {{0}}}};
  UNROLL for (int r = 0; r < 2; r++) UNROLL for (int t = 0; t < 3; t++) kept[r].at[t] = -1 - (ivector){0};
  for (; at.oh < down; at.oh++, at.out += g->out[2], at.in += lines, at.row += (integer)lines)
    if (__builtin_expect(at.oh < g->out[1] && at.oh * how.S >= g->pad_begin[1] && (at.oh + 1) * how.S <= height, 1))
      put_rows(p, kept, &b, &at, 0, how, &bad);
    else
      put_rows(p, kept, &b, &at, 1, how, &bad);
  *astray = bad;
}

/* The next block alike after lane 0's output j. */
INSTANCE int64_t next_alike(const slots *b, int64_t j)
{
  return j + LANES < b->last ? j + LANES : b->last;
}

/* Writes all slots of channel i, row after row as they lie in memory. */
INSTANCE void rows_back(const cb_pool_run *p, int64_t i, const row_slots *all, instance how, mask *astray)
{
  const cb_pool_geometry *g = p->geo;
  const slots inner = all->inner;
  int64_t lines = how.S * g->size[2], h = -g->pad_begin[1], row = h * g->size[2];
  int64_t out = i * g->out_plane, in = i * g->plane + row - g->pad_begin[2];
  mask bad = *astray;
  for (int64_t oh = 0; oh < all->down; oh++, h += how.S, row += lines, in += lines, out += g->out[2])
    for (const slots *b = all->block; b < all->block + all->count; b++) {
      int edge = b->edge || oh < (how.K - 1) / how.S || oh >= g->out[1] || h < 0 || h + how.S > g->size[1];
      for (int64_t j = b->first;; j = next_alike(b, j)) {
        int64_t moved = !edge ? j * how.S : b->edge ? 0 : (j - b->first) * how.S;
        const place at = {oh, out + j, in + j * how.S, (integer)(row + moved) - (ivector){0}};
        if (edge)
          put_rows(p, NULL, b, &at, 1, EDGE(how, 1), &bad);
        else
          put_rows(p, NULL, &inner, &at, 0, EDGE(how, 0), &bad);
        if (j == b->last) break;
      }
    }
  *astray = bad;
}

INSTANCE void each_plane_back(const cb_pool_run *p, instance how)
{
  const cb_pool_geometry *g = p->geo;
  row_slots all;
  int64_t count = 0, across = (g->size[2] + g->pad_begin[2] + how.S - 1) / how.S;
  int64_t last = across > LANES ? across - LANES : 0;
  int rows = across > LANES && (how.K == how.S || g->plane > WALKED);
  for (int64_t first = 0; first < across; first += LANES) {
    open_slots(&all.block[count], g, first < last ? first : last, how);
    if (rows && count && !all.block[count].edge && !all.block[count - 1].edge)
      all.block[count - 1].last = all.block[count].first;
    else
      count++;
  }
  all.count = count;
  all.down = (g->size[1] + g->pad_begin[1] + how.S - 1) / how.S;
  open_slots(&all.inner, g, 0, how);
  all.inner.begin = all.inner.column[0];
  all.inner.width = (integer)how.K - (ivector){0};
  for (int64_t i = 0; i < p->planes; i++) {
    mask astray = lanes_between(0, 0);
    if (rows)
      rows_back(p, i, &all, how, &astray);
    else
      for (const slots *b = all.block; b < all.block + count; b++)
        if (b->edge)
          walk_back(p, i, b, all.down, EDGE(how, 1), &astray);
        else
          walk_back(p, i, b, all.down, EDGE(how, 0), &astray);
    if (any(astray)) {
      cb_pool_run again = cb_pool_channel(p, i);
      CB_NAME(cb_pool_each).backward(&again);
    }
  }
}

void WINDOWS_BACK(const cb_pool_run *run)
{
  if (run->geo->kind == CNNBLAS_POOL_AVG)
    each_plane_back(run, (instance){2, 2, 0, AVERAGE});
  else if (run->geo->kind == CNNBLAS_POOL_L2)
    each_plane_back(run, (instance){2, 2, 0, NORM});
  else if (run->geo->kernel[2] == 2)
    each_plane_back(run, (instance){2, 2, 0, PLACED});
  else if (run->geo->stride[2] == 2)
    each_plane_back(run, (instance){3, 2, 0, PLACED});
  else
    each_plane_back(run, (instance){3, 1, 0, PLACED});
}
#endif
