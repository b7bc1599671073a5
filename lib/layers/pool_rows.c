/*
 * Pooling by any windows, one channel at a time: columns first, then rows. The rows of a window are reduced into one line
 * as wide as the padded image, a vector at a time whatever the stride; the lines of several output rows lie in one buffer
 * of pitch op * stride, so that output f of the buffer reduces elements f * stride + u * dilation, u < kernel, across the
 * ends of rows as well. Only where op is above the number of outputs in a row are the results moved together. Rows that are
 * longer than the buffer are cut into stretches of outputs.
 *
 *     line[r * pitch + i] = reduction over the window's rows h of x[h][first + i]     padding: -inf, or 0
 *     t[f]                = reduction over u of line[f * stride + u * dilation]
 *
 * The maximum carries its place in the channel; of equal elements, or of two NaN, the smaller place wins, which is the
 * first in row-major order. Sums are kept in double. Backward, the shares of an average are spread over a line, and the line
 * is added to the windows' rows.
 */
#include "base/size.h"
#include "gemm/vectors.h"
#include "layers/pool.h"
#include <math.h>

enum { ROOM = 1024, RESERVE = 256, NOWHERE = INT32_MAX };

/* A stretch of outputs in each row: their lines hold the columns [first, first + need) of the padded image. */
typedef struct {
  int64_t begin, count; /* the stretch's first output in a row, and how many it has */
  int64_t first,
      need;         /* the first column that its windows read, which may be negative, and how many columns they read */
  int64_t from, to; /* the columns [from, to) of a line that lie in the image */
  int64_t reach, pitch,
      op;       /* columns that a window spans; elements of a line; outputs in a line, the unwanted ones too */
  int64_t rows; /* output rows that are done at a time */
} stretch;

static stretch open_stretch(const cb_pool_geometry *g, int64_t begin)
{
  int64_t s = g->stride[2], most = (ROOM - 2 * RESERVE) / s + 1;
  stretch t = {.begin = begin, .count = cb_min(g->out[2] - begin, most), .reach = cb_pool_reach(g, 2)};
  t.first = begin * s - g->pad_begin[2];
  t.need = (t.count - 1) * s + t.reach;
  t.from = cb_min(t.need, cb_max(0, -t.first));
  t.to = cb_max(t.from, cb_min(t.need, g->size[2] - t.first));
  t.op = cb_ceil_div(t.need, s);
  t.pitch = t.op * s;
  t.rows = ROOM / t.pitch;
  return t;
}

/* Calls `reduce` with the offset of each row of the image that the windows of output row r take, in order. */
#define EACH_INPUT_ROW(g, r, offset)                                                                                   \
  for (int64_t d0_, d1_, h0_, h1_,                                                                                     \
       once_ = (cb_pool_extent(g, 0, (r) / (g)->out[1], &d0_, &d1_),                                                   \
                cb_pool_extent(g, 1, (r) % (g)->out[1], &h0_, &h1_), 1);                                               \
       once_; once_ = 0)                                                                                               \
    for (int64_t d_ = d0_; d_ < d1_; d_ += (g)->dilation[0])                                                           \
      for (int64_t h_ = h0_, offset = (d_ * (g)->size[1] + h_) * (g)->size[2]; h_ < h1_;                               \
           h_ += (g)->dilation[1], offset += (g)->dilation[1] * (g)->size[2])

/* Strides 1 and 2 as constants, so that runs of elements become vector loads and shuffles. */
#define BY_STRIDE(s, CALL)                                                                                             \
  do {                                                                                                                 \
    if ((s) == 1)                                                                                                      \
      CALL(1);                                                                                                         \
    else if ((s) == 2)                                                                                                 \
      CALL(2);                                                                                                         \
    else                                                                                                               \
      CALL(s);                                                                                                         \
  } while (0)

/* ---- max ---- */

static void start_max(int64_t count, const real *restrict x, integer first, real *restrict value, integer *restrict at)
{
  for (int32_t i = 0; i < (int32_t)count; i++) {
    value[i] = x[i];
    at[i] = first + i;
  }
}

static void more_max(int64_t count, const real *restrict x, integer first, real *restrict value, integer *restrict at)
{
  for (int32_t i = 0; i < (int32_t)count; i++) {
    real v = x[i], m = value[i];
    integer p = first + i, q = at[i];
    value[i] = LATER_BEATS(v, m) ? v : m;
    at[i] = LATER_BEATS(v, m) ? p : q;
  }
}

static void more_max_value(int64_t count, const real *restrict x, real *restrict value)
{
  for (int64_t i = 0; i < count; i++) {
    real v = x[i], m = value[i];
    value[i] = ((v > m) | (v != v)) ? v : m;
  }
}

/* A line's taps, their step and the windows' stride. */
typedef struct {
  int64_t count, kernel, step;
} taps;

/* The columns come in any order here: equal elements and NaN are told apart by their places. */
INLINE void across_max(taps t, int64_t s, const real *restrict value, const integer *restrict at, real *restrict y,
                       integer *restrict where)
{
  for (int64_t f = 0; f < t.count; f++) {
    y[f] = value[f * s];
    where[f] = at[f * s];
  }
  for (int64_t u = 1; u < t.kernel; u++)
    for (int64_t f = 0; f < t.count; f++) {
      real v = value[f * s + u * t.step], m = y[f];
      integer p = at[f * s + u * t.step], q = where[f];
      integer first = p < q ? -1 : 0, over = v > m ? -1 : 0, equal = v == m ? -1 : 0;
      integer v_nan = v != v ? -1 : 0, m_real = m == m ? -1 : 0;
      integer take = over | (equal & first) | (v_nan & (m_real | first));
      y[f] = take ? v : m;
      where[f] = take ? p : q;
    }
}

INLINE void across_max_value(taps t, int64_t s, const real *restrict value, real *restrict y)
{
  for (int64_t f = 0; f < t.count; f++) y[f] = value[f * s];
  for (int64_t u = 1; u < t.kernel; u++)
    for (int64_t f = 0; f < t.count; f++) {
      real v = value[f * s + u * t.step], m = y[f];
      y[f] = ((v > m) | (v != v)) ? v : m;
    }
}

/* Fills a piece of a line with elements that any other beats. */
static void nothing(int64_t count, real *line, integer *places)
{
  for (int64_t c = 0; c < count; c++) {
    line[c] = -(real)INFINITY;
    places[c] = NOWHERE;
  }
}

static void max_lines(const cb_pool_run *plane, const stretch *t, int64_t r, int64_t rows, real *value, integer *at)
{
  const cb_pool_geometry *g = plane->geo;
  const real *x = (const real *)plane->x + t->first + t->from;
  int64_t count = t->to - t->from;
  for (int64_t i = 0; i < rows; i++) {
    real *line = value + i * t->pitch + t->from;
    integer *places = at + i * t->pitch + t->from;
    int started = 0;
    nothing(t->from, line - t->from, places - t->from);
    nothing(t->pitch - t->to, line + count, places + count);
    EACH_INPUT_ROW(g, r + i, row)
    {
      integer place = (integer)(row + t->first + t->from);
      if (!started)
        start_max(count, x + row, place, line, places);
      else if (plane->indices)
        more_max(count, x + row, place, line, places);
      else
        more_max_value(count, x + row, line);
      started = 1;
    }
  }
  nothing(t->reach, value + rows * t->pitch, at + rows * t->pitch);
}

static void max_stretch(const cb_pool_run *plane, const stretch *t)
{
  const cb_pool_geometry *g = plane->geo;
  real value[ROOM + RESERVE], y[ROOM];
  integer at[ROOM + RESERVE], where[ROOM];
  int64_t all = g->out[0] * g->out[1], ow = g->out[2], s = g->stride[2];
  for (int64_t r = 0; r < all; r += t->rows) {
    int64_t rows = cb_min(all - r, t->rows);
    taps own = {rows * t->op, g->kernel[2], g->dilation[2]};
    max_lines(plane, t, r, rows, value, at);
    if (plane->indices) {
#define WITH_PLACES(s) across_max(own, s, value, at, y, where)
      BY_STRIDE(s, WITH_PLACES);
    } else {
#define VALUES(s) across_max_value(own, s, value, y)
      BY_STRIDE(s, VALUES);
    }
    int64_t pieces = t->op == ow ? 1 : rows, width = t->op == ow ? rows * ow : t->count;
    for (int64_t i = 0; i < pieces; i++) {
      int64_t to = (r + i) * ow + t->begin;
      memcpy((real *)plane->y + to, y + i * t->op, (size_t)width * sizeof *y);
      for (int64_t j = 0; plane->indices && j < width; j++) plane->indices[to + j] = (int32_t)where[i * t->op + j];
    }
  }
}

/* ---- sums: average, and L2 ---- */

static void add_row(int64_t count, const real *restrict x, bool squares, double *restrict line)
{
  if (squares)
    for (int64_t i = 0; i < count; i++) line[i] += (double)x[i] * (double)x[i];
  else
    for (int64_t i = 0; i < count; i++) line[i] += (double)x[i];
}

INLINE void across_sum(taps t, int64_t s, const double *restrict line, double *restrict y)
{
  for (int64_t f = 0; f < t.count; f++) y[f] = line[f * s];
  for (int64_t u = 1; u < t.kernel; u++)
    for (int64_t f = 0; f < t.count; f++) y[f] += line[f * s + u * t.step];
}

/* How many rows of the image an average in output row r counts. */
static int64_t rows_counted(const cb_pool_geometry *g, int64_t r)
{
  int64_t from, to, depth = cb_pool_extent(g, 0, r / g->out[1], &from, &to);
  return depth * cb_pool_extent(g, 1, r % g->out[1], &from, &to);
}

static void columns_counted(const cb_pool_geometry *g, const stretch *t, double *counts)
{
  int64_t from, to;
  for (int64_t j = 0; j < t->count; j++) counts[j] = (double)cb_pool_extent(g, 2, t->begin + j, &from, &to);
}

static void sum_stretch(const cb_pool_run *plane, const stretch *t)
{
  const cb_pool_geometry *g = plane->geo;
  const real *x = (const real *)plane->x + t->first + t->from;
  double line[ROOM + RESERVE], y[ROOM], counts[ROOM];
  int64_t all = g->out[0] * g->out[1], ow = g->out[2], s = g->stride[2];
  bool norm = g->kind == CNNBLAS_POOL_L2;
  columns_counted(g, t, counts);
  for (int64_t r = 0; r < all; r += t->rows) {
    int64_t rows = cb_min(all - r, t->rows);
    taps own = {rows * t->op, g->kernel[2], g->dilation[2]};
    memset(line, 0, (size_t)(rows * t->pitch + t->reach) * sizeof *line);
    for (int64_t i = 0; i < rows; i++)
      EACH_INPUT_ROW(g, r + i, row) add_row(t->to - t->from, x + row, norm, line + i * t->pitch + t->from);
#define SUMS(s) across_sum(own, s, line, y)
    BY_STRIDE(s, SUMS);
    for (int64_t i = 0; i < rows; i++) {
      int64_t first = (r + i) * ow + t->begin;
      double by = (double)rows_counted(g, r + i);
      const double *sum = y + i * t->op;
      real *to = (real *)plane->y + first;
      if (norm)
        for (int64_t j = 0; j < t->count; j++) to[j] = (real)CB_NAME(cb_pool_norm)(plane, first + j, sum[j]);
      else
        for (int64_t j = 0; j < t->count; j++) to[j] = (real)(sum[j] / (by * counts[j]));
    }
  }
}

/* ---- backward ---- */

/* The shares of a stretch's outputs are spread over their columns in a line, and the line is added to the windows' rows. */
static void average_stretch_back(const cb_pool_run *plane, const stretch *t)
{
  const cb_pool_geometry *g = plane->geo;
  real line[ROOM + RESERVE], share[ROOM], *dx = (real *)plane->dx + t->first + t->from;
  double counts[ROOM];
  int64_t ow = g->out[2], s = g->stride[2], k = g->kernel[2], step = g->dilation[2], count = t->to - t->from;
  columns_counted(g, t, counts);
  for (int64_t r = 0; r < g->out[0] * g->out[1]; r++) {
    const real *dy = (const real *)plane->dy + r * ow + t->begin;
    double by = (double)rows_counted(g, r);
    for (int64_t j = 0; j < t->count; j++) share[j] = dy[j] / (real)(by * counts[j]);
    memset(line, 0, (size_t)t->need * sizeof *line);
    if (s == 1)
      for (int64_t u = 0; u < k; u++)
        for (int64_t j = 0; j < t->count; j++) line[j + u * step] += share[j];
    else
      for (int64_t j = 0; j < t->count; j++)
        for (int64_t u = 0; u < k; u++) line[j * s + u * step] += share[j];
    EACH_INPUT_ROW(g, r, row)
    for (int64_t i = 0; i < count; i++) dx[row + i] += line[t->from + i];
  }
}

/* ---- the family ---- */

static void each_stretch(const cb_pool_run *run, void (*reduce)(const cb_pool_run *plane, const stretch *t))
{
  for (int64_t i = 0; i < run->planes; i++) {
    cb_pool_run plane = cb_pool_channel(run, i);
    if (plane.dx) memset(plane.dx, 0, (size_t)run->geo->plane * sizeof(real));
    for (int64_t j = 0; j < run->geo->out[2];) {
      stretch t = open_stretch(run->geo, j);
      reduce(&plane, &t);
      j += t.count;
    }
  }
}

/* Windows whose columns are alike and few enough for a line; of the gradients, the average's. */
static bool serves(const cb_pool_geometry *g, bool backward)
{
  if (backward && g->kind != CNNBLAS_POOL_AVG) return false;
  return !g->adaptive && cb_pool_reach(g, 2) <= RESERVE && g->stride[2] <= RESERVE;
}

static void forward(const cb_pool_run *run)
{
  each_stretch(run, run->geo->kind == CNNBLAS_POOL_MAX ? max_stretch : sum_stretch);
}

static void backward(const cb_pool_run *run)
{
  each_stretch(run, average_stretch_back);
}

const cb_pool_family CB_NAME(cb_pool_rows) = {serves, forward, backward};
