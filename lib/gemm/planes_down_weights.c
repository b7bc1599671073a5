/*
 * The weight gradient of depthwise convolutions with 3 x 3 taps, at strides of 1 and 2, where vector registers are few:
 *
 *     sums[th][tw] += sum over images and outputs of x[ih][iw] * y[oh][ow]       (engine.h: where they meet)
 *
 * Nine vectors of sums, a tap each, stay in registers while a vector of columns goes down the rows, as in planes_down.c:
 * each row of x is met once, by the two or three rows of y whose taps meet it. A block of rows of one vector of columns
 * has sums of its own, which are then added to the plane's, so that no chain grows long; rows of one or two vectors share
 * theirs at stride 1. At the end the lanes of each sum are added up, for as many planes at once as a vector has lanes:
 * halves of the vector first, then quarters, down to one.
 */
#include "gemm/lane_sums.h"
#include "gemm/planes_down.h"
#include "gemm/planes_down_parts.h"

/* A vector of columns: its masks, its function, and which elements of a row of x its vectors touch. */
typedef struct {
  masks at;
  int function;
  int64_t o, low, high;
  bool part; /* it has fewer outputs than lanes */
} columns;

/* What goes down columns: row i of x, which the first row of y meets with its first tap row; the first row of y; how many
   rows of y; some vectors of columns, which go down one after the other. */
typedef struct {
  const real *x, *y;
  int64_t in, out, i, end; /* elements from a row of x to the next that is met, and of y; row i of x; rows of x */
  int64_t hop, step;       /* rows of x from one that is met to the next; elements from a tap column to the next */
  int64_t rows;
  const columns *k;
  int count;   /* vectors of columns */
  vector *sum; /* [9] what the sums are added to */
  bool first;  /* `sum` holds nothing yet */
} job;

typedef void (*down_function)(const job *j);

/* Adds what a row of x gives to the sums of tap rows [t0, t1): d[t] is the row of y whose tap row t meets it. */
INLINE void weigh_row(const square s, const int masked, const masks *v, int64_t step, const int t0, const int t1,
                      const real *x, const vector d[TAPS], vector *sum)
{
  vector tap[TAPS + 1];
  load_row(s, masked, v, step, x, tap);
  UNROLL for (int c = 0; c < TAPS; c++) UNROLL for (int t = t0; t < t1; t++) sum[t * TAPS + c] += d[t] * tap[c];
}

/* Loads a row of y, with zeros in lanes that are not the column's. */
INLINE vector load_y(const square s, const int masked, const masks *v, const real *y)
{
  const vector d = load_at_edge(y, v->out, masked == EVERY ? EVERY : masked == EDGES, 1);
  return s.stride == 2 ? near(d) : d;
}

/* Adds three rows of x to the sums, which nine rows of taps of y meet. */
INLINE void weigh_three(const job *j, const square s, const int masked, const masks *v, int64_t step, const real *x,
                        const real *y, vector d[TAPS], vector *sum)
{
  vector tap[TAPS + 1];
  UNROLL for (int k = 0; k < 3; k++) /* the row of y that is met first takes the place of the one that is met last */
  {
    const int first = 2 - k;
    OPAQUE(v); /* masks are fetched from memory: the sums need the registers */
    d[first] = load_y(s, masked, v, y + k * j->out);
    load_row(s, masked, v, step, x + k * j->in, tap);
    UNROLL for (int c = 0; c < TAPS; c++) UNROLL for (int t = 0; t < TAPS; t++) sum[t * TAPS + c] +=
        d[(first + t) % TAPS] * tap[c];
  }
}

INLINE void down_by_1(const job *j, const square s, const int masked, const columns *k, vector *sum)
{
  const masks *v = &k->at;
  const int64_t in = j->in, out = j->out, step = j->step;
  const uint64_t end = (uint64_t)j->end, hop = (uint64_t)j->hop;
  const real *x = j->x + k->low, *y = j->y + k->o;
  uint64_t i = (uint64_t)j->i;
  int64_t rest = j->rows;
  vector d[TAPS] = {load_y(s, masked, v, y), {0}, {0}};
  if (i < end) weigh_row(s, masked, v, step, 0, 1, x, d, sum);
  i += hop, x += in, y += out, rest--;
  d[1] = d[0];
  if (rest > 0) d[0] = load_y(s, masked, v, y);
  if (i < end && rest > 0) weigh_row(s, masked, v, step, 0, 2, x, d, sum);
  if (i < end && rest <= 0) weigh_row(s, masked, v, step, 1, 2, x, d, sum);
  i += hop, x += in, y += out, rest--;
  for (; rest > 0; rest--, i += hop, x += in, y += out) {
    for (; rest > 2 && i < end && i + 2 * hop < end; rest -= 3, i += 3 * hop, x += 3 * in, y += 3 * out)
      weigh_three(j, s, masked, v, step, x, y, d, sum);
    if (rest == 0) break;
    d[2] = d[1], d[1] = d[0];
    d[0] = load_y(s, masked, v, y);
    if (i < end) weigh_row(s, masked, v, step, 0, 3, x, d, sum);
  }
  d[2] = d[1], d[1] = d[0];
  if (rest == 0) { /* there is more than one row of y */
    if (i < end) weigh_row(s, masked, v, step, 1, 3, x, d, sum);
    i += hop, x += in;
    d[2] = d[1];
  }
  if (i < end) weigh_row(s, masked, v, step, 2, 3, x, d, sum);
}

INLINE void down_by_2(const job *j, const square s, const int masked, const columns *k, vector *sum)
{
  const masks *v = &k->at;
  const int64_t in = j->in, out = j->out, step = j->step;
  const uint64_t end = (uint64_t)j->end;
  const real *x = j->x + k->low, *y = j->y + k->o;
  uint64_t i = (uint64_t)j->i;
  vector d[TAPS] = {load_y(s, masked, v, y), {0}, {0}};
  if (i < end) weigh_row(s, masked, v, step, 0, 1, x, d, sum);
  for (int64_t rest = j->rows; rest > 0; rest--) {
    d[1] = d[2] = d[0];
    i++, x += in, y += out;
    if (i < end) weigh_row(s, masked, v, step, 1, 2, x, d, sum);
    i++, x += in;
    if (rest == 1) {
      if (i < end) weigh_row(s, masked, v, step, 2, 3, x, d, sum);
      break;
    }
    d[0] = load_y(s, masked, v, y);
    if (i >= end) continue;
    vector tap[TAPS + 1];
    load_row(s, masked, v, step, x, tap);
    UNROLL for (int c = 0; c < TAPS; c++)
    {
      sum[c] += d[0] * tap[c];
      sum[2 * TAPS + c] += d[2] * tap[c];
    }
  }
}

INLINE void go_down(const job *j, const square s, const int masked)
{
  vector sum[TAPS * TAPS];
  UNROLL for (int t = 0; t < TAPS * TAPS; t++) sum[t] = (vector){0};
  if (s.stride == 1)
    for (int k = 0; k < j->count; k++) down_by_1(j, s, masked, &j->k[k], sum);
  else
    down_by_2(j, s, masked, j->k, sum);
  if (j->first)
    UNROLL for (int t = 0; t < TAPS * TAPS; t++) j->sum[t] = sum[t];
  else
    UNROLL for (int t = 0; t < TAPS * TAPS; t++) j->sum[t] += sum[t];
}

/* The instances for a stride, by the loads that need masks. */
#define DOWN(NAME, STRIDE, MASKED)                                                                                     \
  static void NAME(const job *j)                                                                                       \
  {                                                                                                                    \
    go_down(j, (square){TAPS, TAPS, STRIDE, 1, 0, 1, true}, MASKED);                                                   \
  }
#define DOWNS(NAME, STRIDE)                                                                                            \
  DOWN(NAME##_inside, STRIDE, NONE)                                                                                    \
  DOWN(NAME##_first, STRIDE, 1)                                                                                        \
  DOWN(NAME##_edges, STRIDE, EDGES)                                                                                    \
  DOWN(NAME##_apart, STRIDE, EVERY)                                                                                    \
  static const down_function NAME[] = {NAME##_inside, NAME##_first, NAME##_edges, NAME##_apart};
DOWNS(down_1, 1)
DOWNS(down_2, 2)
enum { INSIDE, AT_FIRST, AT_EDGES, APART };

/* Opens the vector of columns from o on. Masks of one whose loads need none are made if `always`. */
INLINE void columns_open(columns *k, const call *q, const square s, int64_t step, int64_t o, const bool always)
{
  const int64_t rest = q->outs - o < LANES ? q->outs - o : LANES, in = q->plane->w.in;
  k->o = o;
  k->part = rest < LANES;
  k->low = o * s.stride + q->low;
  k->high = k->low + (s.stride == 1 ? (TAPS - 1) * step : TAPS - 1) + s.stride * LANES;
  k->function = INSIDE;
  if (!always && !k->part && k->low >= 0 && k->high <= in) return;
  const int edges = masks_open(&k->at, s, k->low, step, rest, in, true);
  k->function = k->part ? AT_EDGES : edges == NONE ? INSIDE : edges == load_bit(s, 0, 0) ? AT_FIRST : AT_EDGES;
}

enum {
  OPEN = 8,  /* vectors of columns that are opened once for all planes */
  JOINED = 2 /* vectors of columns of a narrow plane, which share their sums at stride 1 */
};

/* What the columns of an image's plane share. */
typedef struct {
  const call *q;
  const down_function *functions;
  job j;
  int64_t before, after; /* elements that may be read before the plane's first, and from it on */
  bool last;             /* no other plane of y is behind this one */
  bool joined;           /* the vectors of columns share their sums */
  columns open[OPEN];    /* the first vectors of columns */
} plane_job;

/* Adds rows [o, end) of phase `which` of y for `count` vectors of columns of a plane. */
INLINE void weigh_columns(plane_job *f, const square s, const columns *k, int count, int64_t which, int64_t o,
                          int64_t end, const real *x, const real *y)
{
  const cb_plane *p = f->q->plane;
  job *j = &f->j;
  const columns *last = k + count - 1;
  const int64_t row = which + o * j->hop;
  j->rows = end - o;
  j->i = row * s.stride + f->q->rows.at[0];
  j->x = x + j->i * p->w.in;
  j->y = y + row * p->w.out;
  j->k = k;
  j->count = count;
  const bool in_x = k->low >= -f->before && (p->h.in - 1) * p->w.in + last->high <= f->after;
  const int function = count > 1 ? AT_EDGES : k->function;
  f->functions[!in_x || (last->part && f->last) ? APART : function](j);
  j->first = false;
}

/* Adds rows which, which + dilation, ... of y for all vectors of columns of a plane. */
INLINE void weigh_phase(plane_job *f, const square s, int64_t which, const real *x, const real *y)
{
  const cb_plane *p = f->q->plane;
  const int64_t rows = (p->h.out - which + f->j.hop - 1) / f->j.hop, outs = f->q->outs;
  const int together = f->joined ? (int)((outs + LANES - 1) / LANES) : 1;
  for (int64_t o = 0; o < rows; o += BLOCK_ROWS) {
    const int64_t end = o + BLOCK_ROWS < rows ? o + BLOCK_ROWS : rows;
    for (int64_t c = 0; c < outs; c += together * LANES) {
      columns own;
      const columns *k = &f->open[c / LANES];
      if (c / LANES >= OPEN) {
        columns_open(&own, f->q, s, f->j.step, c, false);
        k = &own;
      }
      weigh_columns(f, s, k, together, which, o, end, x, y);
    }
  }
}

/* The sum of a vector's lanes, in the order of fold(). */
INLINE real total(vector v)
{
  real part[LANES] = {0};
  *(vector *)part = v;
  UNROLL for (int half = LANES / 2; half > 0; half /= 2) UNROLL for (int l = 0; l < half; l++) part[l] +=
      part[l + half];
  return part[0];
}

/* Where the sums of a plane's taps lie: that of tap i, by rows and columns in rising order of what they meet, at at[i];
   `turned`: that is not i. */
typedef struct {
  int at[TAPS * TAPS];
  bool turned;
} tap_places;

/* Adds the lanes of the sums [plane][tap] of `planes` planes to their gradients. */
INLINE void add_sums(const vector *sum, int planes, const tap_places *places, real *to)
{
  enum { ALL = TAPS * TAPS * LANES };
  if (planes < LANES) {
    for (int n = 0; n < planes; n++, to += TAPS * TAPS)
      for (int i = 0; i < TAPS * TAPS; i++) to[places->at[i]] += total(sum[n * TAPS * TAPS + i]);
    return;
  }
  for (int first = 0; first < ALL; first += LANES) {
    vector v[LANES];
    UNROLL for (int i = 0; i < LANES; i++) v[i] = sum[first + i];
    const vector totals = fold(v, LANES);
    if (places->turned)
      for (int i = first; i < first + LANES; i++)
        to[i / (TAPS * TAPS) * (TAPS * TAPS) + places->at[i % (TAPS * TAPS)]] += totals[i - first];
    else
      *(vector *)(to + first) += totals;
  }
}

/* Makes the sums of plane n over all its images. */
INLINE void weigh_plane(plane_job *f, const square s, int64_t n)
{
  const cb_plane *p = f->q->plane;
  f->j.first = true;
  for (int64_t image = 0; image < p->images; image++) {
    const int64_t at = n * p->x_pitch + image * p->x_image;
    f->before = p->before + at;
    f->after = p->after - at;
    f->last = (p->planes - 1 - n) * p->y_pitch + (p->images - 1 - image) * p->y_image < LANES;
    for (int64_t which = 0; which < f->j.hop && which < p->h.out; which++)
      weigh_phase(f, s, which, (const real *)p->x + at, (const real *)p->y + n * p->y_pitch + image * p->y_image);
  }
}

INLINE void weigh(const call *q, const square s, const down_function *functions, real *sums)
{
  const cb_plane *p = q->plane;
  const int64_t hop = p->h.step < 0 ? -p->h.step : p->h.step;
  plane_job f = {.q = q, .functions = functions, .joined = s.stride == 1 && q->outs <= JOINED * LANES};
  f.j = (job){.in = hop * p->w.in,
              .out = hop * p->w.out,
              .end = p->h.in,
              .hop = hop,
              .step = p->w.step < 0 ? -p->w.step : p->w.step};
  tap_places places;
  for (int t = 0; t < TAPS; t++)
    for (int c = 0; c < TAPS; c++)
      places.at[t * TAPS + c] = (int)q->rows.tap[t] * TAPS + (int)(q->flip_columns ? q->flip_columns - c : c);
  places.turned = places.at[0] != 0 || places.at[1] != 1;
  for (int64_t c = 0; c < OPEN && c * LANES < q->outs; c++)
    columns_open(&f.open[c], q, s, f.j.step, c * LANES, f.joined);
  vector sum[LANES * TAPS * TAPS];
  for (int64_t n = 0; n < p->planes; n += LANES, sums += LANES * TAPS * TAPS) {
    const int count = p->planes - n < LANES ? (int)(p->planes - n) : LANES;
    for (int i = 0; i < count; i++) {
      f.j.sum = sum + i * TAPS * TAPS;
      weigh_plane(&f, s, n + i);
    }
    add_sums(sum, count, &places, sums);
  }
}

bool CB_NAME(cb_weigh_down)(const cb_plane *p, void *sums)
{
  if (!goes_down(p)) return false;
  if (p->images == 0) return true;
  const call q = call_of(p, false, 0);
  if (p->w.stride == 1)
    weigh(&q, (square){TAPS, TAPS, 1, 1, 0, 1, true}, down_1, sums);
  else
    weigh(&q, (square){TAPS, TAPS, 2, 1, 0, 1, true}, down_2, sums);
  return true;
}
