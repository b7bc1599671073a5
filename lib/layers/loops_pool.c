/*
 * Pooling: chooses the loops for some channels, and has those for what no other file serves: long rows, L2 in f64, and
 * indices routed one by one. The loops run over output rows, inside over the window's taps, innermost over the row's
 * columns: tap u of column j is element j * stride + u - pad, so that a tap is one strided run. At the image's edge a tap
 * serves fewer columns.
 */
#include "gemm/vectors.h"
#include "layers/loops_build.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* One output row, and one tap of its windows. */
typedef struct {
  int64_t out;            /* offset of the row in y */
  int64_t d0, d1, h0, h1; /* the input rows that its windows cover: [d0, d1) x [h0, h1) */
  int64_t rows;           /* what the average counts of them */
} out_row;

typedef struct {
  int64_t in;       /* offset in x of column 0's element; may lie before the row */
  int64_t from, to; /* the columns that have this element inside the image */
} tap;

typedef void row_function(const cb_pool_run *plane, const out_row *row);

static void each_row(const cb_pool_run *plane, row_function *run)
{
  const cb_pool_geometry *g = plane->geo;
  for (int64_t od = 0; od < g->out[0]; od++)
    for (int64_t oh = 0; oh < g->out[1]; oh++) {
      out_row row = {.out = (od * g->out[1] + oh) * g->out[2]};
      row.rows = cb_pool_extent(g, 0, od, &row.d0, &row.d1);
      row.rows *= cb_pool_extent(g, 1, oh, &row.h0, &row.h1);
      run(plane, &row);
    }
}

static tap tap_of(const cb_pool_geometry *g, int64_t d, int64_t h, int64_t u)
{
  int64_t offset = u - g->pad_begin[2], s = g->stride[2], last = g->size[2] - 1 - offset;
  tap t = {.in = (d * g->size[1] + h) * g->size[2] + offset};
  t.from = offset < 0 ? (-offset + s - 1) / s : 0;
  t.to = last < 0 ? 0 : last / s + 1;
  if (t.to > g->out[2]) t.to = g->out[2];
  return t;
}

#define EACH_TAP(g, row, t)                                                                                            \
  for (int64_t d = (row)->d0; d < (row)->d1; d++)                                                                      \
    for (int64_t h = (row)->h0; h < (row)->h1; h++)                                                                    \
      for (int64_t u = 0; u < (g)->kernel[2]; u++)                                                                     \
        for (tap t = tap_of(g, d, h, u); t.from < t.to; t.from = t.to)

/* The commonest strides as constants, so that strided runs become shuffles instead of gathers. */
#define BY_STRIDE(s, call)                                                                                             \
  do {                                                                                                                 \
    if ((s) == 1)                                                                                                      \
      call(1);                                                                                                         \
    else if ((s) == 2)                                                                                                 \
      call(2);                                                                                                         \
    else                                                                                                               \
      call(s);                                                                                                         \
  } while (0)

/* ---- max ---- */

/* v beats m if it is larger, or NaN while m is not. */
#define BEATS(v, m) (!((v) <= (m)) & ((m) == (m)))

INLINE void max_tap(const real *restrict x, tap t, int64_t s, real *restrict y, int32_t *restrict index)
{
  x += t.in;
  for (int64_t j = t.from; j < t.to; j++) {
    real v = x[j * s], m = y[j];
    int beats = BEATS(v, m);
    y[j] = beats ? v : m;
    if (index) index[j] = beats ? (int32_t)(t.in + j * s) : index[j];
  }
}

static void max_row(const cb_pool_run *plane, const out_row *row)
{
  const cb_pool_geometry *g = plane->geo;
  const real *x = plane->x;
  real *y = (real *)plane->y + row->out;
  int32_t *index = plane->indices ? plane->indices + row->out : NULL;
  int64_t first = (row->d0 * g->size[1] + row->h0) * g->size[2], s = g->stride[2];
  for (int64_t j = 0; j < g->out[2]; j++) y[j] = -(real)INFINITY;
  if (index)
    for (int64_t j = 0; j < g->out[2]; j++) {
      int64_t start = j * s - g->pad_begin[2];
      index[j] = (int32_t)(first + (start < 0 ? 0 : start));
    }
  EACH_TAP(g, row, t)
  {
#define WITH_INDEX(stride) max_tap(x, t, stride, y, index)
#define WITHOUT(stride)    max_tap(x, t, stride, y, NULL)
    if (index)
      BY_STRIDE(s, WITH_INDEX);
    else
      BY_STRIDE(s, WITHOUT);
  }
}

/* ---- average ---- */

INLINE void add_tap(const real *restrict x, tap t, int64_t s, real *restrict y)
{
  x += t.in;
  for (int64_t j = t.from; j < t.to; j++) y[j] += x[j * s];
}

/* What the average of column j divides by. */
static inline real divisor(const cb_pool_geometry *g, const out_row *row, int32_t j)
{
  int32_t start = j * (int32_t)g->stride[2] - (int32_t)g->pad_begin[2], end = start + (int32_t)g->kernel[2];
  int32_t limit = (int32_t)(g->count_include_pad ? g->size[2] + g->pad_end[2] : g->size[2]);
  int32_t least = g->count_include_pad ? start : 0;
  start = start < least ? least : start;
  end = end < limit ? end : limit;
  return (real)row->rows * (real)(end - start);
}

static void average_row(const cb_pool_run *plane, const out_row *row)
{
  const cb_pool_geometry *g = plane->geo;
  const real *x = plane->x;
  real *y = (real *)plane->y + row->out;
  int64_t s = g->stride[2];
  memset(y, 0, (size_t)g->out[2] * sizeof *y);
  EACH_TAP(g, row, t)
  {
#define ADD(stride) add_tap(x, t, stride, y)
    BY_STRIDE(s, ADD);
  }
  for (int32_t j = 0; j < (int32_t)g->out[2]; j++) y[j] /= divisor(g, row, j);
}

/* The same for large windows: each of their rows is summed alone, and these sums in double. */
static void wide_average_row(const cb_pool_run *plane, const out_row *row)
{
  const cb_pool_geometry *g = plane->geo;
  const real *x = plane->x;
  real *y = (real *)plane->y + row->out;
  int64_t s = g->stride[2];
  for (int32_t j = 0; j < (int32_t)g->out[2]; j++) {
    int64_t from = j * s - g->pad_begin[2], to = from + g->kernel[2];
    double sum = 0;
    from = from < 0 ? 0 : from;
    to = to < g->size[2] ? to : g->size[2];
    for (int64_t d = row->d0; d < row->d1; d++)
      for (int64_t h = row->h0; h < row->h1; h++) {
        const real *line = x + (d * g->size[1] + h) * g->size[2];
        enum { PARTS = 16 };
        double part[PARTS] = {0}; /* of a piece */
        int64_t i = from;
        for (; i + PARTS <= to; i += PARTS)
          for (int k = 0; k < PARTS; k++) part[k] += (double)line[i + k];
        for (; i < to; i++) part[0] += (double)line[i];
        for (int step = PARTS / 2; step; step /= 2)
          for (int k = 0; k < step; k++) part[k] += part[k + step];
        sum += part[0];
      }
    y[j] = (real)(sum / (double)divisor(g, row, j));
  }
}

/* dx[j * s] += dy[j] / divisor. */
static void average_row_back(const cb_pool_run *plane, const out_row *row)
{
  const cb_pool_geometry *g = plane->geo;
  const real *dy = (const real *)plane->dy + row->out;
  real *dx = plane->dx;
  int64_t s = g->stride[2];
  enum { PIECE = 128 };
  real share[PIECE];
  for (int64_t begin = 0; begin < g->out[2]; begin += PIECE) {
    int64_t end = begin + PIECE < g->out[2] ? begin + PIECE : g->out[2];
    for (int64_t j = begin; j < end; j++) share[j - begin] = dy[j] / divisor(g, row, (int32_t)j);
    EACH_TAP(g, row, t)
    {
      int64_t from = t.from > begin ? t.from : begin, to = t.to < end ? t.to : end;
      for (int64_t j = from; j < to; j++) dx[t.in + j * s] += share[j - begin];
    }
  }
}

/* ---- L2 ---- */

INLINE void largest_tap(const real *restrict x, tap t, int64_t s, real *restrict y)
{
  x += t.in;
  for (int64_t j = t.from; j < t.to; j++) {
    real v = x[j * s], a = v < 0 ? -v : v;
    y[j] = a > y[j] ? a : y[j];
  }
}

/* A piece [begin, end) of a row: sums of squares, scaled by scale[j] in f64, where a square could overflow or vanish. */
INLINE void square_tap(const real *restrict x, tap t, int64_t s, int64_t begin, int64_t end, const real *restrict scale,
                       double *restrict sum)
{
  int64_t from = t.from > begin ? t.from : begin, to = t.to < end ? t.to : end;
  x += t.in;
  for (int64_t j = from; j < to; j++) {
    double v = (double)x[j * s];
    if (sizeof(real) == sizeof(double)) v /= (double)scale[j];
    sum[j - begin] += v * v;
  }
}

static void l2_row(const cb_pool_run *plane, const out_row *row)
{
  const cb_pool_geometry *g = plane->geo;
  const real *x = plane->x;
  real *y = (real *)plane->y + row->out;
  int64_t s = g->stride[2];
  enum { PIECE = 128 };
  double sum[PIECE];
  if (sizeof(real) == sizeof(double)) { /* y holds the scales first: the window's largest magnitude */
    memset(y, 0, (size_t)g->out[2] * sizeof *y);
    EACH_TAP(g, row, t)
    {
#define LARGEST(stride) largest_tap(x, t, stride, y)
      BY_STRIDE(s, LARGEST);
    }
    for (int64_t j = 0; j < g->out[2]; j++) {
      real m = y[j] > (real)DBL_MAX ? (real)DBL_MAX : y[j];
      y[j] = m > 0 ? m : 1;
    }
  }
  for (int64_t begin = 0; begin < g->out[2]; begin += PIECE) {
    int64_t end = begin + PIECE < g->out[2] ? begin + PIECE : g->out[2];
    memset(sum, 0, sizeof sum);
    EACH_TAP(g, row, t)
    {
#define SQUARE(stride) square_tap(x, t, stride, begin, end, y, sum)
      BY_STRIDE(s, SQUARE);
    }
    for (int64_t j = begin; j < end; j++)
      y[j] = sizeof(real) == sizeof(double) ? (real)((double)y[j] * __builtin_sqrt(sum[j - begin]))
                                            : (real)__builtin_sqrt(sum[j - begin]);
  }
}

/* dx += dy * x / y, nothing where y is 0. */
static void l2_row_back(const cb_pool_run *plane, const out_row *row)
{
  const cb_pool_geometry *g = plane->geo;
  const real *x = plane->x, *y = (const real *)plane->y_in + row->out, *dy = (const real *)plane->dy + row->out;
  real *dx = plane->dx;
  int64_t s = g->stride[2];
  EACH_TAP(g, row, t)
  for (int64_t j = t.from; j < t.to; j++) dx[t.in + j * s] += y[j] == 0 ? 0 : dy[j] * (x[t.in + j * s] / y[j]);
}

/* ---- the channels ---- */

cb_pool_run CB_NAME(cb_pool_channel)(const cb_pool_run *run, int64_t i)
{
  const cb_pool_geometry *g = run->geo;
  int64_t in = i * g->plane, out = i * g->out_plane;
  cb_pool_run one = {.geo = g, .planes = 1};
#define MOVED(name, type, by) one.name = run->name ? (type *)run->name + (by) : NULL
  MOVED(x, const real, in);
  MOVED(dx, real, in);
  MOVED(y, real, out);
  MOVED(y_in, const real, out);
  MOVED(dy, const real, out);
  MOVED(indices, int32_t, out);
  MOVED(indices_in, const int32_t, out);
#undef MOVED
  return one;
}

void CB_NAME(cb_pool_forward_any)(cnnblas_pool_kind kind, const cb_pool_run *run)
{
  static row_function *const rows[] = {max_row, average_row, l2_row};
  int separable = CB_NAME(cb_pool_separable)(kind, run->geo);
  for (int64_t i = 0; i < run->planes; i++) {
    cb_pool_run plane = CB_NAME(cb_pool_channel)(run, i);
    if (separable)
      CB_NAME(cb_pool_forward_separable)(kind, &plane);
    else
      each_row(&plane, kind == CNNBLAS_POOL_AVG && cb_pool_is_wide(run->geo) ? wide_average_row : rows[kind]);
  }
}

void CB_NAME(cb_pool_forward)(cnnblas_pool_kind kind, const cb_pool_run *run)
{
  if (!CB_NAME(cb_pool_forward_whole)(kind, run) && !CB_NAME(cb_pool_forward_windows)(kind, run))
    CB_NAME(cb_pool_forward_any)(kind, run);
}

static void route(const cb_pool_run *plane)
{
  const real *dy = plane->dy;
  real *dx = plane->dx;
  for (int64_t j = 0; j < plane->geo->out_plane; j++) dx[plane->indices_in[j]] += dy[j];
}

void CB_NAME(cb_pool_backward_any)(cnnblas_pool_kind kind, const cb_pool_run *run)
{
  const cb_pool_geometry *g = run->geo;
  /* A column between windows has share 0, and 0 times an infinite x is no 0. */
  int gaps = kind == CNNBLAS_POOL_L2 && g->stride[2] > g->kernel[2];
  int separable = !gaps && CB_NAME(cb_pool_separable)(kind, g);
  for (int64_t i = 0; i < run->planes; i++) {
    cb_pool_run plane = CB_NAME(cb_pool_channel)(run, i);
    memset(plane.dx, 0, (size_t)g->plane * sizeof(real));
    if (kind == CNNBLAS_POOL_MAX)
      route(&plane);
    else if (separable)
      CB_NAME(cb_pool_backward_separable)(kind, &plane);
    else
      each_row(&plane, kind == CNNBLAS_POOL_AVG ? average_row_back : l2_row_back);
  }
}

void CB_NAME(cb_pool_backward)(cnnblas_pool_kind kind, const cb_pool_run *run)
{
  if (!CB_NAME(cb_pool_backward_whole)(kind, run) && !CB_NAME(cb_pool_backward_windows)(kind, run))
    CB_NAME(cb_pool_backward_any)(kind, run);
}
