/*
 * The weight gradient of a depthwise convolution, one channel at a time, in the rows of plain NCHW:
 *
 *     correlate_weights   sums[th][tw] += sum over images and outputs of x[ih][iw] * y[oh][ow]
 *
 * A stretch is a vector of outputs of every row; each tap has a vector of sums, whose lanes are added up at the end of
 * a plane. Dense 3 x 3 and 5 x 5 taps have loops of their own (planes_square_weights.c); 3 x 3 taps that are dilated
 * are instances here.
 */
#include "gemm/engine_build.h"
#include "gemm/planes_down.h"
#include "gemm/vectors.h"

enum {
  MOST_COLUMNS = 8, /* the most tap columns of one pass */
  STRETCHES = 8,    /* stretches opened at a time: rows of 128 outputs in one go, with AVX-512 */
  BLOCK_ROWS = 16   /* rows of a block of a wide plane: what its stretches share is still in the cache */
};

/* What one tap column reads for a stretch of outputs. */
typedef struct {
  int64_t start;  /* column of the first element to load */
  int64_t lo, hi; /* lanes [lo, hi) are inside the row */
  mask inside;    /* the mask of these lanes */
} tap_column;

/* The shape of a pass: its fields are constants in the instances for 3 x 3. */
typedef struct {
  int64_t rows, columns; /* tap rows and tap columns */
  int64_t stride;        /* the stride along the row */
  int64_t row_stride;    /* the stride across rows */
  bool narrow; /* the stride is 2 and a row has at most half a vector of outputs, for which one load suffices */
  bool known;  /* the taps are 3 x 3 */
} shape;

/* What tap column t reads for outputs [o, o + count). */
INLINE tap_column column_at(const cb_plane_axis *w, const shape s, int64_t t, int64_t o, int64_t count)
{
  tap_column c = {0};
  c.start = o * s.stride + w->base + t * w->step;
  c.lo = c.start < 0 ? (-c.start + s.stride - 1) / s.stride : 0;
  c.hi = c.start < w->in ? (w->in - 1 - c.start) / s.stride + 1 : 0;
  if (c.hi > count) c.hi = count;
  if (c.lo >= c.hi) c.lo = c.hi = 0;
  c.inside = lanes_between(c.lo, c.hi);
  return c;
}

/* Loads the tap column's elements of the input row p, one by one. */
static vector fetch_each(const real *p, const tap_column *c, int64_t stride)
{
  vector v = {0};
  for (int64_t l = c->lo; l < c->hi; l++) v[l] = p[c->start + l * stride];
  return v;
}

/* Loads the tap column's elements by vectors; elements beside the row are loaded and masked. */
INLINE vector fetch(const real *p, const tap_column *c, const shape s)
{
  vector v = *(const vector *)(p + c->start);
  if (s.stride == 2) v = take_even(v, s.narrow ? v : *(const vector *)(p + c->start + LANES));
  return keep(c->inside, v);
}

/* The input row that tap row t of output row o meets, or -1. */
INLINE int64_t input_row(const cb_plane_axis *h, const shape s, int64_t o, int64_t t)
{
  int64_t place = o * s.row_stride + h->base + t * h->step;
  return place >= 0 && place < h->in ? place : -1;
}

/* A pass over a stretch of outputs: LANES columns from o on, with tap columns [t0, t0 + s.columns). */
typedef struct {
  const cb_plane *plane;
  int64_t o, count, t0;
  tap_column column[MOST_COLUMNS];
  mask counted;      /* lanes [0, count) */
  int64_t low, high; /* elements [low, high) of an input row are those that vectors touch */
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
    int64_t end = c->start + (s.stride == 2 && !s.narrow ? 2 : 1) * LANES;
    if (c->start < r->low) r->low = c->start;
    if (end > r->high) r->high = end;
  }
}

/* The rows of an input plane: x is its element 0, and elements x[-before] to x[after - 1] may be read. */
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
  int64_t first = o0 * s.row_stride + h.base + low, last = (o1 - 1) * s.row_stride + h.base + high;
  first = first < 0 ? 0 : first < h.in ? first : h.in - 1;
  last = last < 0 ? 0 : last < h.in ? last : h.in - 1;
  return within(r, s, from, first * r->plane->w.in) && within(r, s, from, last * r->plane->w.in);
}

/* Opens the stretches from output `o` on, at most STRETCHES. Returns how many. */
static int open_stretches(stretch r[STRETCHES], const cb_plane *p, const shape s, int64_t o, int64_t t0)
{
  int count = 0;
  for (; count < STRETCHES && o < p->w.out; count++, o += LANES) open_stretch(&r[count], p, s, o, t0);
  return count;
}

/* The rows of a block: one stretch has all rows at once, and several take turns. */
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

/* The instances: kernels of 3 x 3 have every loop over taps unrolled. */
#define SHAPE_3X3(STRIDE, NARROW)                                                                                      \
  (shape)                                                                                                              \
  {                                                                                                                    \
    .rows = 3, .columns = 3, .stride = STRIDE, .row_stride = STRIDE, .narrow = NARROW, .known = true                   \
  }

/* The stride that an instance for 3 x 3 is made for, or 0. */
static int64_t known_stride(const cb_plane *p)
{
  bool known = p->h.taps == 3 && p->w.taps == 3 && p->w.stride == p->h.stride && p->w.stride <= 2;
  return known ? p->w.stride : 0;
}

/* Loads output row o of a stretch, with zeros in lanes that are not its own. */
INLINE vector output_row(const stretch *r, const real *y, int64_t o)
{
  const int64_t out = r->plane->w.out, size = r->plane->h.out * out - r->o;
  vector d = load(y + o * out + r->o, o * out + LANES <= size ? LANES : r->count);
  return keep(r->counted, d);
}

/* Adds output rows [o0, o1) of one stretch to the sums of tap rows [t, t + s.rows): three, or one. */
INLINE void weigh_rows(const stretch *r, const shape s, const source *from, const real *y, int64_t t, int64_t o0,
                       int64_t o1, vector *sum)
{
  const cb_plane_axis h = r->plane->h;
  const int64_t in = r->plane->w.in;
  tap_column local[3];
  vector part[9] = {0}; /* the sums of these rows alone, added to `sum` at the end */
  if (s.known) UNROLL for (int c = 0; c < 3; c++) local[c] = r->column[c];
  for (int64_t o = o0; o < o1; o++) {
    const vector d = output_row(r, y, o);
    if (s.known) {
      UNROLL for (int k = 0; k < 3; k++)
      {
        int64_t i = input_row(&h, s, o, t + k);
        if (i < 0) continue;
        UNROLL for (int c = 0; c < 3; c++) part[k * 3 + c] += fetch(from->x + i * in, &local[c], s) * d;
      }
    } else {
      int64_t i = input_row(&h, s, o, t);
      for (int64_t c = 0; i >= 0 && c < s.columns; c++) part[c] += fetch(from->x + i * in, &r->column[c], s) * d;
    }
  }
  for (int64_t k = 0; k < s.rows * s.columns; k++) sum[k] += part[k];
}

/* Adds what weigh_rows adds, element by element. */
static void weigh_each(const stretch *r, const shape s, const source *from, const real *y, int64_t t, int64_t o0,
                       int64_t o1, vector *sum)
{
  const cb_plane *p = r->plane;
  for (int64_t o = o0; o < o1; o++) {
    vector d = load(y + o * p->w.out + r->o, r->count);
    for (int64_t k = 0; k < s.rows; k++) {
      int64_t i = input_row(&p->h, s, o, t + k);
      for (int64_t c = 0; i >= 0 && c < s.columns; c++)
        sum[k * s.columns + c] += fetch_each(from->x + i * p->w.in, &r->column[c], s.stride) * d;
    }
  }
}

/* Adds up plane n over all its images, for tap rows [t, t + s.rows) and the tap columns of the stretches. */
INLINE void weigh_plane(const stretch *r, int stretches, const shape s, int64_t n, int64_t t, vector *sum)
{
  const cb_plane *p = r->plane;
  const int64_t rows = p->h.out, step = block_rows(stretches, rows);
  for (int64_t image = 0; image < p->images; image++) {
    const int64_t at = n * p->x_pitch + image * p->x_image;
    const source from = {(const real *)p->x + at, p->before + at, p->after - at};
    const real *y = (const real *)p->y + n * p->y_pitch + image * p->y_image;
    for (int64_t o = 0; o < rows; o += step)
      for (int i = 0; i < stretches; i++) {
        const int64_t end = o + step < rows ? o + step : rows;
        if (all_within(&r[i], s, &from, o, end))
          weigh_rows(&r[i], s, &from, y, t, o, end, sum);
        else
          weigh_each(&r[i], s, &from, y, t, o, end, sum);
      }
  }
}

/* The sum of a vector's elements, which are added in pairs. */
INLINE real total(vector v)
{
  real part[LANES] = {0};
  *(vector *)part = v;
  UNROLL for (int half = LANES / 2; half > 0; half /= 2) UNROLL for (int l = 0; l < half; l++) part[l] +=
      part[l + half];
  return part[0];
}

INLINE void weigh(const cb_plane *p, const shape s, real *sums)
{
  stretch r[STRETCHES];
  for (int64_t t0 = 0; t0 < p->w.taps; t0 += MOST_COLUMNS) {
    const shape pass = pass_of(s, p, t0);
    for (int64_t o = 0; o < p->w.out; o += STRETCHES * LANES) {
      int stretches = open_stretches(r, p, pass, o, t0);
      for (int64_t n = 0; n < p->planes; n++)
        for (int64_t t = 0; t < p->h.taps; t += s.rows) {
          vector sum[3 * MOST_COLUMNS] = {0};
          weigh_plane(r, stretches, pass, n, t, sum);
          for (int64_t k = 0; k < pass.rows * pass.columns; k++)
            sums[(n * p->h.taps + t + k / pass.columns) * p->w.taps + t0 + k % pass.columns] += total(sum[k]);
        }
    }
  }
}

static void weigh_3x3(const cb_plane *p, real *sums)
{
  weigh(p, SHAPE_3X3(1, false), sums);
}
static void weigh_3x3_by_2(const cb_plane *p, real *sums)
{
  weigh(p, SHAPE_3X3(2, false), sums);
}
static void weigh_3x3_by_2_narrow(const cb_plane *p, real *sums)
{
  weigh(p, SHAPE_3X3(2, true), sums);
}
static void weigh_any(const cb_plane *p, real *sums)
{
  weigh(p, (shape){.rows = 1, .stride = p->w.stride, .row_stride = p->h.stride}, sums);
}

void CB_NAME(cb_correlate_weights)(const cb_plane *p, void *sums)
{
  if (CB_NAME(cb_weigh_down)(p, sums) || CB_NAME(cb_correlate_weights_square)(p, sums)) return;
  int64_t stride = known_stride(p);
  if (stride == 0)
    weigh_any(p, sums);
  else if (stride == 1)
    weigh_3x3(p, sums);
  else if (p->w.out <= LANES / 2)
    weigh_3x3_by_2_narrow(p, sums);
  else
    weigh_3x3_by_2(p, sums);
}
