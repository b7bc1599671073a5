/*
 * What the two loops of a depthwise convolution share (planes.c, planes_weights.c): stretches of output rows, and what each tap
 * column loads and keeps for them.
 */
#ifndef CB_GEMM_PLANE_STRETCH_H
#define CB_GEMM_PLANE_STRETCH_H

#include "gemm/engine_build.h"
#include "gemm/vectors.h"

enum {
  MOST_COLUMNS = 8, /* tap columns of one pass */
  QUAD = 4          /* output rows at a time, where rows of the input follow each other */
};

/* What one tap column reads for a stretch of outputs. */
typedef struct {
  int64_t start;  /* column of the first element to load */
  int64_t first;  /* lane of that element: 1 for the odd half of a transposed stride of 2, else 0 */
  int64_t lo, hi; /* lanes [lo, hi) are inside the row */
  mask inside;    /* those */
} tap_column;

/* How a pass goes: constants in the instances for 3 x 3. */
typedef struct {
  int64_t rows, columns; /* taps */
  int64_t stride;        /* along the row */
  int64_t row_stride;
  bool narrow; /* stride 2 and at most half a vector of outputs: one load has every second element of them */
  bool up;
  bool known; /* 3 x 3 */
} shape;

/* Lanes [lo, hi) of those from `first` on that a step of `every` meets. */
INLINE mask lanes_of(int64_t lo, int64_t hi, int64_t first, int64_t every)
{
  mask taken = lanes_between(lo, hi);
  if (every > 1) taken &= mask_of((counting() - (integer)first) % (integer)every == 0);
  return taken;
}

/* Tap column t for outputs [o, o + count). */
INLINE tap_column column_at(const cb_plane_axis *w, const shape s, int64_t t, int64_t o, int64_t count)
{
  tap_column c = {0};
  int64_t place = (s.up ? o : o * s.stride) + w->base + t * w->step;
  if (s.up) {
    c.first = (s.stride - (place % s.stride + s.stride) % s.stride) % s.stride;
    c.start = (place + c.first) / s.stride; /* whole */
    c.lo = c.start < 0 ? c.first - c.start * s.stride : c.first;
    c.hi = c.first + (w->in - 1 - c.start) * s.stride + 1;
  } else {
    c.start = place;
    c.lo = place < 0 ? (-place + s.stride - 1) / s.stride : 0;
    c.hi = place < w->in ? (w->in - 1 - place) / s.stride + 1 : 0;
  }
  if (c.hi > count) c.hi = count;
  if (c.lo >= c.hi) c.lo = c.hi = 0;
  c.inside = lanes_of(c.lo, c.hi, c.first, s.up ? s.stride : 1);
  return c;
}

/* The tap column's elements of the input row p, one by one. */
static vector fetch_each(const real *p, const tap_column *c, int64_t stride, bool up)
{
  vector v = {0};
  for (int64_t l = c->lo; l < c->hi; l += up ? stride : 1)
    v[l] = p[up ? c->start + (l - c->first) / stride : c->start + l * stride];
  return v;
}

/* The same by vectors; elements beside the row are loaded and masked. */
INLINE vector fetch(const real *p, const tap_column *c, const shape s)
{
  vector v = *(const vector *)(p + c->start);
  if (s.stride == 2 && s.up) v = weave_low(v, v);
  if (s.stride == 2 && !s.up) v = take_even(v, s.narrow ? v : *(const vector *)(p + c->start + LANES));
  return keep(c->inside, v);
}

/* The input row that tap row t of output row o meets, or -1. */
INLINE int64_t input_row(const cb_plane_axis *h, const shape s, int64_t o, int64_t t)
{
  int64_t place = (s.up ? o : o * s.row_stride) + h->base + t * h->step;
  if (s.up) {
    if (place < 0 || place % s.row_stride) return -1;
    place /= s.row_stride;
  }
  return place >= 0 && place < h->in ? place : -1;
}

/* A pass over a stretch of outputs: LANES columns from o on, with tap columns [t0, t0 + s.columns). */
typedef struct {
  const cb_plane *plane;
  int64_t o, count, t0;
  tap_column column[MOST_COLUMNS];
  mask counted;      /* lanes [0, count) */
  int64_t low, high; /* elements that vectors touch, from the row's first on */
} stretch;

static void open_stretch(stretch *r, const cb_plane *plane, const shape s, int64_t o, int64_t t0)
{
  *r = (stretch){.plane = plane, .o = o, .t0 = t0};
  r->count = plane->w.out - o < LANES ? plane->w.out - o : LANES;
  r->counted = lanes_between(0, r->count);
  r->low = INT64_MAX, r->high = INT64_MIN;
  for (int64_t t = 0; t < s.columns; t++) {
    tap_column *c = &r->column[t];
    *c = column_at(&plane->w, s, t0 + t, o, r->count);
    int64_t end = c->start + (s.stride == 2 && !s.up && !s.narrow ? 2 : 1) * LANES;
    if (c->start < r->low) r->low = c->start;
    if (end > r->high) r->high = end;
  }
}

enum {
  STRETCHES = 8,  /* opened at a time: rows of 128 outputs in one go, with AVX-512 */
  BLOCK_ROWS = 16 /* of a wide plane: what its stretches share is still in the cache */
};

/* The rows of an input plane: element 0, and how far from it the array may be read. */
typedef struct {
  const real *x;
  int64_t before, after;
} source;

/* True if the vectors of a row that begins at element `at` stay in the array. */
INLINE bool within(const stretch *r, const shape s, const source *x, int64_t at)
{
  return s.stride <= 2 && at + r->low >= -x->before && at + r->high <= x->after;
}

/* True if the vectors of all input rows that output rows [o0, o1) may meet stay in the array. */
INLINE bool all_within(const stretch *r, const shape s, const source *from, int64_t o0, int64_t o1)
{
  const cb_plane_axis h = r->plane->h;
  const int64_t reach = (h.taps - 1) * h.step, low = reach < 0 ? reach : 0, high = reach < 0 ? 0 : reach;
  int64_t first = (s.up ? o0 : o0 * s.row_stride) + h.base + low;
  int64_t last = (s.up ? o1 - 1 : (o1 - 1) * s.row_stride) + h.base + high;
  if (s.up) first /= s.row_stride, last /= s.row_stride;
  first = first < 0 ? 0 : first < h.in ? first : h.in - 1;
  last = last < 0 ? 0 : last < h.in ? last : h.in - 1;
  return within(r, s, from, first * r->plane->w.in) && within(r, s, from, last * r->plane->w.in);
}

/* Opens the stretches from output `o` on, at most STRETCHES; `again`: the last of a wide row may begin early enough to be
   whole and compute some outputs again. Returns how many. */
static int open_stretches(stretch r[STRETCHES], const cb_plane *p, const shape s, int64_t o, int64_t t0, bool again)
{
  int count = 0;
  for (; count < STRETCHES && o < p->w.out; count++, o += LANES)
    open_stretch(&r[count], p, s, again && p->w.out > LANES && o + LANES > p->w.out ? p->w.out - LANES : o, t0);
  return count;
}

/* Rows of a block, so that one stretch has all of them and several take turns. */
INLINE int64_t block_rows(int stretches, int64_t rows)
{
  return stretches == 1 ? rows : BLOCK_ROWS;
}

/* The tap columns of one pass: all that an instance knows of, or at most MOST_COLUMNS of any number. */
INLINE shape pass_of(const shape s, const cb_plane *p, int64_t t0)
{
  shape pass = s;
  if (!s.known) pass.columns = p->w.taps - t0 < MOST_COLUMNS ? p->w.taps - t0 : MOST_COLUMNS;
  return pass;
}

/* True if QUAD output rows can go at once: an instance for 3 x 3 whose rows follow each other. */
INLINE bool goes_by_quads(const shape s, const cb_plane_axis *h)
{
  return s.known && s.row_stride == 1 && (h->step == 1 || h->step == -1);
}

/* The instances: kernels of 3 x 3 have every loop over taps unrolled. */
#define SHAPE_3X3(STRIDE, NARROW, UP)                                                                                  \
  (shape)                                                                                                              \
  {                                                                                                                    \
    .rows = 3, .columns = 3, .stride = STRIDE, .row_stride = STRIDE, .narrow = NARROW, .up = UP, .known = true         \
  }

/* The stride that an instance for 3 x 3 is made for, or 0. A transpose of stride 1 is a correlation as any other. */
static int64_t known_stride(const cb_plane *p)
{
  bool known = p->h.taps == 3 && p->w.taps == 3 && p->w.stride == p->h.stride && p->w.stride <= 2;
  return known ? p->w.stride : 0;
}

#endif
