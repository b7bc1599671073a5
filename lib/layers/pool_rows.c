/*
 * Pooling by any windows, one channel at a time. Where the columns of a window fit in a buffer, rows come first: the rows of a
 * window are reduced into one line as wide as the padded image, a vector at a time whatever the stride; the lines of several
 * output rows lie in one buffer of pitch op * stride, so that output f of the buffer reduces elements f * stride + u * dilation,
 * u < kernel, across the ends of rows as well. Only where op is above the number of outputs in a row are the results moved
 * together. Rows that are longer than the buffer are cut into stretches of outputs.
 *
 *     line[r * pitch + i] = reduction over the window's rows h of x[h][first + i]     padding: -inf, or 0
 *     t[f]                = reduction over u of line[f * stride + u * dilation]
 *
 * The maximum carries its place in the channel; of equal elements, or of two NaN, the smaller place wins, which is the
 * first in row-major order. Sums are kept in double. Backward, the shares of an average are spread over a line, and the line
 * is added to the windows' rows.
 *
 * One output after the other go longer windows, adaptive ones, which differ in width, and the gradients of maximum and norm.
 */
#include "base/size.h"
#include "gemm/vectors.h"
#include "layers/pool.h"
#include <float.h>
#include <math.h>

enum { ROOM = 1024, RESERVE = 256, NOWHERE = INT32_MAX };

/* A stretch of outputs in each row: their lines hold the columns [first, first + need) of the padded image. */
typedef struct {
  int64_t begin, count; /* the stretch's first output in a row, and how many it has */
  int64_t first, need;  /* the first column that its windows read, which may be negative, and how many they read */
  int64_t from, to;     /* the columns [from, to) of a line that lie in the image */
  int64_t reach;        /* columns that a window spans */
  int64_t pitch, op;    /* elements of a line; outputs in a line, the unwanted ones too */
  int64_t rows;         /* output rows that are done at a time */
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

/* Does what follows with the offset of each row of the image that the windows of output row r take, in order. */
#define EACH_INPUT_ROW(g, r, offset)                                                                                   \
  for (int64_t d0_, d1_, h0_, h1_,                                                                                     \
       once_ = (cb_pool_extent(g, 0, (r) / (g)->out[1], &d0_, &d1_),                                                   \
                cb_pool_extent(g, 1, (r) % (g)->out[1], &h0_, &h1_), 1);                                               \
       once_; once_ = 0)                                                                                               \
    for (int64_t d_ = d0_; d_ < d1_; d_ += (g)->dilation[0])                                                           \
      for (int64_t h_ = h0_, offset = (d_ * (g)->size[1] + h_) * (g)->size[2]; h_ < h1_;                               \
           h_ += (g)->dilation[1], offset += (g)->dilation[1] * (g)->size[2])

/* How many rows of the image an average in output row r counts. */
static int64_t rows_counted(const cb_pool_geometry *g, int64_t r)
{
  int64_t from, to, depth = cb_pool_extent(g, 0, r / g->out[1], &from, &to);
  return depth * cb_pool_extent(g, 1, r % g->out[1], &from, &to);
}

/* ---- one output after the other ---- */

/* Output o's columns begin at *from and end before *to; returns how many elements its average counts. */
static double columns_of(const cb_pool_geometry *g, int64_t o, int64_t *from, int64_t *to)
{
  double columns = (double)cb_pool_extent(g, 2, o % g->out[2], from, to);
  return columns * (double)rows_counted(g, o / g->out[2]);
}

static int64_t largest_place(const cb_pool_geometry *g, int64_t o, const real *x)
{
  int64_t place = -1, from, to;
  columns_of(g, o, &from, &to);
  EACH_INPUT_ROW(g, o / g->out[2], row)
  for (int64_t i = row + from; i < row + to; i += g->dilation[2])
    if (place < 0 || LATER_BEATS(x[i], x[place])) place = i;
  return place;
}

/* The sum of elements, or of the squares of v / scale: 16 running sums a row, joined in a tree. */
static double window_sum(const cb_pool_geometry *g, int64_t o, const real *x, double scale)
{
  enum { PARTS = 16 };
  double sum = 0;
  int64_t step = g->dilation[2], from, to;
  columns_of(g, o, &from, &to);
  EACH_INPUT_ROW(g, o / g->out[2], row)
  {
    double part[PARTS] = {0};
    for (int64_t i = row + from; i < row + to; i += PARTS * step)
      for (int64_t k = 0; k < PARTS && i + k * step < row + to; k++) {
        double v = (double)x[i + k * step];
        part[k] += scale == 0 ? v : v / scale * (v / scale);
      }
    for (int half = PARTS / 2; half; half /= 2)
      for (int k = 0; k < half; k++) part[k] += part[k + half];
    sum += part[0];
  }
  return sum;
}

/* Output o of a norm whose squares' sum is given: its root, or computed anew and scaled by the largest magnitude where the sum
   overflowed or vanished. */
static double norm_of(const cb_pool_run *plane, int64_t o, double sum)
{
  if (sizeof(real) == sizeof(float) || (sum > 1e-280 && sum < 1e300)) return __builtin_sqrt(sum);
  const cb_pool_geometry *g = plane->geo;
  const real *x = plane->x;
  double most = 0;
  int64_t from, to;
  columns_of(g, o, &from, &to);
  EACH_INPUT_ROW(g, o / g->out[2], row)
  for (int64_t i = row + from; i < row + to; i += g->dilation[2]) {
    double size = fabs((double)x[i]);
    most = size > most ? size : most;
  }
  if (most > DBL_MAX) most = DBL_MAX;
  if (most == 0) most = 1; /* all elements are zeros or NaN */
  return most * __builtin_sqrt(window_sum(g, o, x, most));
}

static void each_output(const cb_pool_run *plane)
{
  const cb_pool_geometry *g = plane->geo;
  const real *x = plane->x;
  real *y = plane->y;
  for (int64_t o = 0; o < g->out_plane; o++) {
    int64_t place = g->kind == CNNBLAS_POOL_MAX ? largest_place(g, o, x) : -1, from, to;
    if (place >= 0) {
      y[o] = x[place];
      if (plane->indices) plane->indices[o] = (int32_t)place;
    } else if (g->kind == CNNBLAS_POOL_AVG)
      y[o] = (real)(window_sum(g, o, x, 0) / columns_of(g, o, &from, &to));
    else
      y[o] = (real)norm_of(plane, o, window_sum(g, o, x, 1));
  }
}

/* Of a maximum, dx += dy where the index says. */
static void route(const cb_pool_run *plane)
{
  const real *dy = plane->dy;
  real *dx = plane->dx;
  for (int64_t o = 0; o < plane->geo->out_plane; o++) dx[plane->indices_in[o]] += dy[o];
}

/* Of an average, dx += dy / counted; of a norm, dx += dy * x / y, nothing where y is 0. */
static void each_output_back(const cb_pool_run *plane)
{
  const cb_pool_geometry *g = plane->geo;
  const real *dy = plane->dy, *y = plane->y_in, *x = plane->x;
  bool norm = g->kind == CNNBLAS_POOL_L2;
  for (int64_t o = 0; o < g->out_plane; o++) {
    int64_t from, to;
    if (norm && y[o] == 0) continue;
    real share = dy[o] / (real)columns_of(g, o, &from, &to), *dx = plane->dx;
    EACH_INPUT_ROW(g, o / g->out[2], row)
    for (int64_t i = row + from; i < row + to; i += g->dilation[2]) dx[i] += norm ? dy[o] * (x[i] / y[o]) : share;
  }
}

/* ---- a maximum by lines; `places` is a constant that says whether they are wanted ---- */

INLINE void more_max(int64_t count, const real *restrict x, integer first, int places, real *restrict value,
                     integer *restrict at)
{
  for (int32_t i = 0; i < (int32_t)count; i++) {
    real v = x[i], m = value[i];
    integer p = first + i, q = at[i];
    value[i] = LATER_BEATS(v, m) ? v : m;
    if (places) at[i] = LATER_BEATS(v, m) ? p : q;
  }
}

/* A line's taps, their step and the windows' stride. */
typedef struct {
  int64_t count, kernel, step;
} taps;

/* Calls a function of the taps and a stride, with strides 1 and 2 as constants: runs of elements become vector loads and shuffles. */
#define BY_STRIDE(across, t, s, ...)                                                                                   \
  do {                                                                                                                 \
    if ((s) == 1)                                                                                                      \
      across(t, 1, __VA_ARGS__);                                                                                       \
    else if ((s) == 2)                                                                                                 \
      across(t, 2, __VA_ARGS__);                                                                                       \
    else                                                                                                               \
      across(t, s, __VA_ARGS__);                                                                                       \
  } while (0)

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
    bool started = false;
    nothing(t->from, line - t->from, places - t->from);
    nothing(t->pitch - t->to, line + count, places + count);
    EACH_INPUT_ROW(g, r + i, row)
    {
      integer place = (integer)(row + t->first + t->from);
      for (int64_t j = 0; !started && j < count; j++) {
        line[j] = x[row + j];
        places[j] = place + (integer)j;
      }
      if (started && plane->indices)
        more_max(count, x + row, place, 1, line, places);
      else if (started)
        more_max(count, x + row, place, 0, line, places);
      started = true;
    }
  }
  nothing(t->reach, value + rows * t->pitch, at + rows * t->pitch);
}

static void max_stretch(const cb_pool_run *plane, const stretch *t)
{
  const cb_pool_geometry *g = plane->geo;
  real value[ROOM + RESERVE], y[ROOM];
  integer at[ROOM + RESERVE], where[ROOM];
  int64_t all = g->out[0] * g->out[1], ow = g->out[2];
  for (int64_t r = 0; r < all; r += t->rows) {
    int64_t rows = cb_min(all - r, t->rows);
    taps own = {rows * t->op, g->kernel[2], g->dilation[2]};
    max_lines(plane, t, r, rows, value, at);
    if (plane->indices)
      BY_STRIDE(across_max, own, g->stride[2], value, at, y, where);
    else
      BY_STRIDE(across_max_value, own, g->stride[2], value, y);
    int64_t pieces = t->op == ow ? 1 : rows, width = t->op == ow ? rows * ow : t->count;
    for (int64_t i = 0; i < pieces; i++) {
      int64_t to = (r + i) * ow + t->begin;
      memcpy((real *)plane->y + to, y + i * t->op, (size_t)width * sizeof *y);
      for (int64_t j = 0; plane->indices && j < width; j++) plane->indices[to + j] = (int32_t)where[i * t->op + j];
    }
  }
}

/* ---- sums by lines: average, and L2 ---- */

INLINE void across_sum(taps t, int64_t s, const double *restrict line, double *restrict y)
{
  for (int64_t f = 0; f < t.count; f++) y[f] = line[f * s];
  for (int64_t u = 1; u < t.kernel; u++)
    for (int64_t f = 0; f < t.count; f++) y[f] += line[f * s + u * t.step];
}

static void columns_counted(const cb_pool_geometry *g, const stretch *t, double *counts)
{
  int64_t from, to;
  for (int64_t j = 0; j < t->count; j++) counts[j] = (double)cb_pool_extent(g, 2, t->begin + j, &from, &to);
}

static void sum_stretch(const cb_pool_run *plane, const stretch *t)
{
  const cb_pool_geometry *g = plane->geo;
  const real *restrict x = (const real *)plane->x + t->first + t->from;
  double room[ROOM + RESERVE], y[ROOM], counts[ROOM];
  int64_t all = g->out[0] * g->out[1], ow = g->out[2], count = t->to - t->from;
  bool norm = g->kind == CNNBLAS_POOL_L2;
  columns_counted(g, t, counts);
  for (int64_t r = 0; r < all; r += t->rows) {
    int64_t rows = cb_min(all - r, t->rows);
    taps own = {rows * t->op, g->kernel[2], g->dilation[2]};
    memset(room, 0, (size_t)(rows * t->pitch + t->reach) * sizeof *room);
    for (int64_t i = 0; i < rows; i++) {
      double *restrict line = room + i * t->pitch + t->from;
      EACH_INPUT_ROW(g, r + i, row)
      if (norm)
        for (int64_t j = 0; j < count; j++) line[j] += (double)x[row + j] * (double)x[row + j];
      else
        for (int64_t j = 0; j < count; j++) line[j] += (double)x[row + j];
    }
    BY_STRIDE(across_sum, own, g->stride[2], room, y);
    for (int64_t i = 0; i < rows; i++) {
      int64_t first = (r + i) * ow + t->begin;
      double by = (double)rows_counted(g, r + i);
      const double *sum = y + i * t->op;
      real *to = (real *)plane->y + first;
      for (int64_t j = 0; j < t->count && norm; j++) to[j] = (real)norm_of(plane, first + j, sum[j]);
      for (int64_t j = 0; j < t->count && !norm; j++) to[j] = (real)(sum[j] / (by * counts[j]));
    }
  }
}

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
    for (int64_t u = 0; u < k; u++)
      for (int64_t j = 0; j < t->count; j++) line[j * s + u * step] += share[j];
    EACH_INPUT_ROW(g, r, row)
    for (int64_t i = 0; i < count; i++) dx[row + i] += line[t->from + i];
  }
}

/* ---- the family ---- */

static void each_channel(const cb_pool_run *run, bool by_lines, void (*lines)(const cb_pool_run *, const stretch *),
                         void (*outputs)(const cb_pool_run *))
{
  const cb_pool_geometry *g = run->geo;
  by_lines = by_lines && !g->adaptive && cb_pool_reach(g, 2) <= RESERVE && g->stride[2] <= RESERVE;
  for (int64_t i = 0; i < run->planes; i++) {
    cb_pool_run plane = cb_pool_channel(run, i);
    if (plane.dx) memset(plane.dx, 0, (size_t)g->plane * sizeof(real));
    if (!by_lines) outputs(&plane);
    for (int64_t j = 0; by_lines && j < g->out[2];) {
      stretch t = open_stretch(g, j);
      lines(&plane, &t);
      j += t.count;
    }
  }
}

static bool serves(const cb_pool_geometry *g, bool backward)
{
  (void)g, (void)backward;
  return true;
}

static void forward(const cb_pool_run *run)
{
  each_channel(run, true, run->geo->kind == CNNBLAS_POOL_MAX ? max_stretch : sum_stretch, each_output);
}

static void backward(const cb_pool_run *run)
{
  each_channel(run, run->geo->kind == CNNBLAS_POOL_AVG, average_stretch_back,
               run->geo->kind == CNNBLAS_POOL_MAX ? route : each_output_back);
}

const cb_pool_family CB_NAME(cb_pool_rows) = {serves, forward, backward};
