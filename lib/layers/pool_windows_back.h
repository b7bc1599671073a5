/*
 * The gradient of pooling by windows of K x K with stride S. Every element of dx is written
 * once, as the sum over the windows that it lies in, in the outputs' order: of a maximum, of those whose index names it.
 *
 * In front of output i of a row are the S columns i * S - pad and on: its slots. Slot e has taps e of output i, e + S of
 * output i - 1, and so on: T outputs at most. LANES outputs make a vector of each slot; those of stride 2 are stored in
 * turn. Rows are the same: output row oh makes dx rows oh * S - pad and on, with the T - 1 output rows before it. There
 * are as many outputs, or none that exist, as the image has slots.
 */
#ifndef CB_LAYERS_POOL_WINDOWS_BACK_H
#define CB_LAYERS_POOL_WINDOWS_BACK_H

#include "layers/pool_windows.h"

/* A channel's gradient that the loops here do not do right, again. */
static __attribute__((noinline)) void pool_redo_back(cnnblas_pool_kind kind, const cb_pool_run *run, int64_t i)
{
  cb_pool_run plane = CB_NAME(cb_pool_channel)(run, i);
  CB_NAME(cb_pool_backward_any)(kind, &plane);
}

/* LANES slots of a row. */
typedef struct {
  int64_t first;        /* lane 0's output */
  int64_t last;         /* as in a block */
  int edge;             /* an output does not exist, or a slot or a part of a window is not in the image */
  mask has[3];          /* lanes whose output, `t` before, exists */
  mask inside[2];       /* columns in the image: of the first and second vector */
  ivector column[2];    /* of slot e */
  ivector begin, width; /* of each lane's window in the image */
} slots;

/* What outputs t before each lane's have: dy or its share, and indices. */
typedef struct {
  vector error[3];
  ivector at[3];
} given;

INSTANCE void open_slots(slots *b, const cb_pool_geometry *g, int64_t first, int K, int S)
{
  int64_t start = first * S - g->pad_begin[2], T = (K + S - 1) / S, width = g->size[2];
  ivector begin = counting() * (integer)S + (integer)start, end = begin + K, right = (integer)width - (ivector){0};
  b->first = first;
  b->last = first;
  b->edge = start < 0 || start + LANES * S > width || start + (LANES - 1) * S + K > width || first < T - 1 ||
            first + LANES > g->out[2];
  UNROLL for (int t = 0; t < T; t++) b->has[t] = lanes_between(t - first, g->out[2] + t - first);
  UNROLL for (int e = 0; e < S; e++)
  {
    b->column[e] = begin + e;
    b->inside[e] = lanes_between(-start - e * LANES, width - start - e * LANES);
  }
  b->begin = begin & (begin >= 0);
  b->width = ((end & (end < right)) | (right & (end >= right))) - b->begin;
}

INSTANCE vector magnitude(vector v)
{
  return (vector)((uvector)v & (~(bits)0 >> 1));
}

/* dy / y, and nothing where y is 0. *astray gains the lanes where the quotient may have lost something. */
INSTANCE vector norm_share(vector dy, vector y, mask *astray)
{
  vector one = 1 - (vector){0}, nothing = {0};
  mask zero = is_zero(y), no_error = is_zero(dy);
  vector share = dy / choose(zero, one, y), size = magnitude(share);
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
INSTANCE given take_row(const cb_pool_run *p, int64_t at, ivector row, const slots *b, int found, int K, int S,
                        int edge, pool_result result, mask *astray)
{
  int64_t T = (K + S - 1) / S;
  const real *dy = (const real *)p->dy + at;
  const int32_t *indices = result == PLACED ? p->indices_in + at : NULL;
  given r = {0};
#define LOAD(t, array, none) (edge ? load_if(b->has[t], array, none) : *(const vector *)(array))
  UNROLL for (int t = 0; t < T; t++)
  {
    r.error[t] = LOAD(t, dy - t, (vector){0});
    if (result == AVERAGE) r.error[t] /= (real)(K * K);
    if (result == NORM)
      r.error[t] = norm_share(r.error[t], LOAD(t, (const real *)p->y_in + at - t, 1 - (vector){0}), astray);
    if (result != PLACED) continue;
    narrow none = -1 - (narrow){0};
    narrow places = edge ? load_narrow_if(b->has[t], indices - t, none) : *(const narrow *)(indices - t);
    r.at[t] = __builtin_convertvector(places, ivector);
  }
#undef LOAD
  if (result != PLACED || found) return r;
  mask out = outside(r.at[0], row, b, p->geo->size[2], K);
  *astray = either(*astray, edge ? out & b->has[0] : out);
  return r;
}

/* Slot e of slot f of the rows, which begins at place `row`: rows[t] is output row t before. *found gains the lanes whose
   index names it, where windows do not overlap. */
INSTANCE vector sum_slot(const given *rows, const slots *b, ivector row, int f, int e, int K, int S, pool_result result,
                         mask *found)
{
  ivector here = b->column[e] + row;
  vector sum = {0};
  UNROLL for (int r = (K - 1 - f) / S; r >= 0; r--) UNROLL for (int t = (K - 1 - e) / S; t >= 0; t--)
  {
    if (result != PLACED)
      sum = rows[r].error[t];
    else if (K == S) {
      mask named = same(rows[r].at[t], here);
      *found = either(*found, named);
      sum = choose(named, rows[r].error[t], sum);
    } else
      sum = choose(same(rows[r].at[t], here), sum + rows[r].error[t], sum);
  }
  return sum;
}

INSTANCE void put_slots(real *dx, const real *x, const vector *slot, const slots *b, int S, int edge,
                        pool_result result)
{
  vector whole[2] = {slot[0]};
  if (S == 2) {
    whole[0] = weave_low(slot[0], slot[1]);
    whole[1] = weave_high(slot[0], slot[1]);
  }
  UNROLL for (int e = 0; e < S; e++)
  {
    int64_t at = e * LANES;
    if (result == NORM) whole[e] *= edge ? load_if(b->inside[e], x + at, (vector){0}) : *(const vector *)(x + at);
    if (edge)
      put_if(b->inside[e], dx + at, whole[e]);
    else
      *(vector *)(dx + at) = whole[e];
  }
}

/*
 * The S rows of slots from place `row` on; out and in are lane 0's offsets in the run's outputs and inputs. The rows are
 * in the image, and so are their outputs, unless `checked`. Output rows before oh are those that the last call left in
 * `kept`, or taken anew if it is NULL.
 */
INSTANCE void put_rows(const cb_pool_run *p, given *kept, const slots *b, int64_t oh, int64_t out, int64_t in,
                       ivector row, int checked, int K, int S, int edge, pool_result result, mask *astray)
{
  const cb_pool_geometry *g = p->geo;
  int64_t h = oh * S - g->pad_begin[1];
  int all = K == S && !edge && !checked; /* every window has all its slots here */
  given rows[3], none = {{{0}}, {-1 - (ivector){0}, -1 - (ivector){0}, -1 - (ivector){0}}};
  UNROLL for (int t = 0; t < 3; t++)
  {
    rows[t] = none;
    if (t >= (K + S - 1) / S) continue;
    if (t && kept)
      rows[t] = kept[t - 1];
    else if (!checked || (oh - t >= 0 && oh - t < g->out[1]))
      rows[t] = take_row(p, out - t * g->out[2], row, b, t || all, K, S, edge, result, astray);
  }
  mask found = lanes_between(0, 0);
  UNROLL for (int f = 0; f < S; f++)
  {
    vector slot[2];
    if (checked && (h + f < 0 || h + f >= g->size[1])) continue;
    UNROLL for (int e = 0; e < S; e++) slot[e] =
        sum_slot(rows, b, row + (integer)(f * g->size[2]), f, e, K, S, result, &found);
    int64_t at = in + f * g->size[2];
    put_slots((real *)p->dx + at, result == NORM ? (const real *)p->x + at : NULL, slot, b, S, edge, result);
  }
  if (result == PLACED && all) *astray = either(*astray, (mask)~found);
  if (kept) kept[1] = rows[1];
  if (kept) kept[0] = rows[0];
}

/* A block's slots in all rows, `down` output rows. */
INSTANCE void walk_back(const cb_pool_run *p, int64_t i, const slots *block_at, int64_t down, int K, int S, int edge,
                        pool_result result, mask *astray)
{
  const cb_pool_geometry *g = p->geo;
  const slots b = *block_at;
  mask bad = *astray;
  int64_t lines = S * g->size[2], height = g->size[1] + g->pad_begin[1], h = -g->pad_begin[1],
          out = i * g->out_plane + b.first;
  int64_t in = i * g->plane + h * g->size[2] + b.first * S - g->pad_begin[2];
  ivector row = (integer)(h * g->size[2]) - (ivector){0};
  given kept[2] = {{{{0}}, {{0}}}};
  UNROLL for (int r = 0; r < 2; r++) UNROLL for (int t = 0; t < 3; t++) kept[r].at[t] = -1 - (ivector){0};
  for (int64_t oh = 0; oh < down; oh++, out += g->out[2], in += lines, row += (integer)lines)
    if (__builtin_expect(oh < g->out[1] && oh * S >= g->pad_begin[1] && (oh + 1) * S <= height, 1))
      put_rows(p, kept, &b, oh, out, in, row, 0, K, S, edge, result, &bad);
    else
      put_rows(p, kept, &b, oh, out, in, row, 1, K, S, edge, result, &bad);
  *astray = bad;
}

/* All slots of `down` output rows, row after row as they lie in memory. `inner` is where block 0 would be without
   edges. */
INSTANCE void rows_back(const cb_pool_run *p, int64_t i, int64_t down, const slots *blocks, int64_t count,
                        const slots *inner, int K, int S, pool_result result, mask *astray)
{
  const cb_pool_geometry *g = p->geo;
  const slots all = *inner;
  int64_t lines = S * g->size[2], h = -g->pad_begin[1], at = h * g->size[2];
  int64_t out = i * g->out_plane, in = i * g->plane + at - g->pad_begin[2];
  mask bad = *astray;
  for (int64_t oh = 0; oh < down; oh++, h += S, at += lines, in += lines, out += g->out[2])
    for (const slots *b = blocks; b < blocks + count; b++) {
      int64_t j = b->first;
      if (b->edge || oh < (K - 1) / S || oh >= g->out[1] || h < 0 || h + S > g->size[1]) {
        for (;; j = j + LANES < b->last ? j + LANES : b->last) {
          ivector row = (integer)(b->edge ? at : at + j * S - b->first * S) - (ivector){0};
          put_rows(p, NULL, b, oh, out + j, in + j * S, row, 1, K, S, 1, result, &bad);
          if (j == b->last) break;
        }
        continue;
      }
      for (;; j = j + LANES < b->last ? j + LANES : b->last) {
        put_rows(p, NULL, &all, oh, out + j, in + j * S, (integer)(at + j * S) - (ivector){0}, 0, K, S, 0, result,
                 &bad);
        if (j == b->last) break;
      }
    }
  *astray = bad;
}

INSTANCE void backward(cnnblas_pool_kind kind, const cb_pool_run *p, int K, int S, pool_result result)
{
  const cb_pool_geometry *g = p->geo;
  slots blocks[MOST_BLOCKS + 1], inner;
  int64_t count = 0, across = (g->size[2] + g->pad_begin[2] + S - 1) / S;
  int64_t down = (g->size[1] + g->pad_begin[1] + S - 1) / S;
  int64_t last = across > LANES ? across - LANES : 0;
  int rows = across > LANES && (K == S || g->plane > WALKED);
  for (int64_t first = 0; first < across; first += LANES) {
    open_slots(&blocks[count], g, first < last ? first : last, K, S);
    if (rows && count && !blocks[count].edge && !blocks[count - 1].edge)
      blocks[count - 1].last = blocks[count].first;
    else
      count++;
  }
  open_slots(&inner, g, 0, K, S);
  inner.begin = inner.column[0];
  inner.width = (integer)K - (ivector){0};
  for (int64_t i = 0; i < p->planes; i++) {
    mask astray = lanes_between(0, 0);
    if (rows)
      rows_back(p, i, down, blocks, count, &inner, K, S, result, &astray);
    else
      for (const slots *b = blocks; b < blocks + count; b++)
        if (b->edge)
          walk_back(p, i, b, down, K, S, 1, result, &astray);
        else
          walk_back(p, i, b, down, K, S, 0, result, &astray);
    if (any(astray)) pool_redo_back(kind, p, i);
  }
}

static void backward_windows(cnnblas_pool_kind kind, const cb_pool_run *p)
{
  if (kind == CNNBLAS_POOL_AVG)
    backward(kind, p, 2, 2, AVERAGE);
  else if (kind == CNNBLAS_POOL_L2)
    backward(kind, p, 2, 2, NORM);
  else if (p->geo->kernel[2] == 2)
    backward(kind, p, 2, 2, PLACED);
  else if (p->geo->stride[2] == 2)
    backward(kind, p, 3, 2, PLACED);
  else
    backward(kind, p, 3, 1, PLACED);
}

#endif
