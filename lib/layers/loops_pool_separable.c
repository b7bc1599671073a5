/*
 * Pooling of one channel by columns first, then by rows. A window's rows are reduced into one line of the padded image's
 * width, contiguous and so a vector at a time whatever the stride; the lines of several output rows lie in one buffer
 * of pitch op * stride, so that output f of the buffer reduces elements f * stride + u, u < kernel, across the ends of
 * rows as well. Only where op is above the output's width are the results moved together.
 *
 *     line[r * pitch + pad + i] = reduction over the window's rows h of x[h][i]     padding: -inf, or 0
 *     t[f]                      = reduction over u of line[f * stride + u]
 *
 * The maximum carries its place in the channel; of equal elements, or of two NaN, the smaller place wins, which is the
 * first in row-major order. Sums for L2 are kept in double, for f32 only: f64 needs its squares scaled (loops_pool.c).
 * Backward, the share of each output is spread over its columns in a line, and the line added to the window's rows.
 */
#include "gemm/vectors.h"
#include "layers/loops_build.h"
#include <math.h>
#include <string.h>

enum { ROOM = 4096, SLACK = 256, NOWHERE = INT32_MAX };

/* A channel's lines: so many output rows at a time, op outputs and pitch elements for each. */
typedef struct {
  int64_t pitch, op, rows, need; /* need: columns of a padded row that windows cover */
} lines;

static lines lines_of(const cb_pool_geometry *g)
{
  int64_t s = g->stride[2];
  lines l = {.need = (g->out[2] - 1) * s + g->kernel[2]};
  l.op = (l.need + s - 1) / s;
  l.pitch = l.op * s;
  l.rows = l.pitch > ROOM ? 0 : ROOM / l.pitch;
  return l;
}

int CB_NAME(cb_pool_separable)(cnnblas_pool_kind kind, const cb_pool_geometry *g)
{
  if (kind == CNNBLAS_POOL_L2 && sizeof(real) == sizeof(double)) return 0;
  return g->kernel[2] <= SLACK && g->stride[2] <= SLACK && g->out[2] <= ROOM && lines_of(g).rows > 0;
}

/* Does work with `row`, the offset of each input row under output row r's windows, in order. */
#define EACH_INPUT_ROW(g, r, row, work)                                                                                \
  do {                                                                                                                 \
    int64_t d0_, d1_, h0_, h1_;                                                                                        \
    cb_pool_extent(g, 0, (r) / (g)->out[1], &d0_, &d1_);                                                               \
    cb_pool_extent(g, 1, (r) % (g)->out[1], &h0_, &h1_);                                                               \
    for (int64_t d_ = d0_; d_ < d1_; d_++)                                                                             \
      for (int64_t h_ = h0_; h_ < h1_; h_++) {                                                                         \
        int64_t row = (d_ * (g)->size[1] + h_) * (g)->size[2];                                                         \
        work;                                                                                                          \
      }                                                                                                                \
  } while (0)

/* Columns of the image that a line holds. */
static int64_t columns(const cb_pool_geometry *g, const lines *l)
{
  int64_t room = l->need - g->pad_begin[2];
  return room < g->size[2] ? room : g->size[2];
}

/* Strides 1 and 2 as constants, so that runs of elements become vector loads and shuffles. */
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

/* v after m in row-major order. */
#define LATER_BEATS(v, m) (((v) > (m)) | (((v) != (v)) & ((m) == (m))))

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

/* Any order: equal elements and NaN by their places. */
INLINE void across_max(int64_t count, int64_t kernel, int64_t s, const real *restrict value, const integer *restrict at,
                       real *restrict y, integer *restrict where)
{
  for (int64_t f = 0; f < count; f++) {
    y[f] = value[f * s];
    where[f] = at[f * s];
  }
  for (int64_t u = 1; u < kernel; u++)
    for (int64_t f = 0; f < count; f++) {
      real v = value[f * s + u], m = y[f];
      integer p = at[f * s + u], q = where[f];
      integer first = p < q ? -1 : 0, over = v > m ? -1 : 0, equal = v == m ? -1 : 0;
      integer v_nan = v != v ? -1 : 0, m_real = m == m ? -1 : 0;
      integer take = over | (equal & first) | (v_nan & (m_real | first));
      y[f] = take ? v : m;
      where[f] = take ? p : q;
    }
}

INLINE void across_max_value(int64_t count, int64_t kernel, int64_t s, const real *restrict value, real *restrict y)
{
  for (int64_t f = 0; f < count; f++) y[f] = value[f * s];
  for (int64_t u = 1; u < kernel; u++)
    for (int64_t f = 0; f < count; f++) {
      real v = value[f * s + u], m = y[f];
      y[f] = ((v > m) | (v != v)) ? v : m;
    }
}

/* Elements that any other beats. */
static void nothing(int64_t count, real *line, integer *places)
{
  for (int64_t c = 0; c < count; c++) {
    line[c] = -(real)INFINITY;
    places[c] = NOWHERE;
  }
}

static void max_lines(const cb_pool_run *plane, const lines *l, int64_t r, int64_t rows, real *value, integer *at)
{
  const cb_pool_geometry *g = plane->geo;
  const real *x = plane->x;
  int64_t pad = g->pad_begin[2], count = columns(g, l);
  for (int64_t i = 0; i < rows; i++) {
    real *line = value + i * l->pitch;
    integer *places = at + i * l->pitch;
    nothing(pad, line, places);
    nothing(l->pitch - pad - count, line + pad + count, places + pad + count);
    int started = 0;
    EACH_INPUT_ROW(g, r + i, row, {
      if (!plane->indices && started) more_max_value(count, x + row, line + pad);
      if (plane->indices && started) more_max(count, x + row, (integer)row, line + pad, places + pad);
      if (!started) start_max(count, x + row, (integer)row, line + pad, places + pad);
      started = 1;
    });
  }
}

/* Rows of op elements moved together to rows of ow. */
#define COMPACT(type, from, op, to, ow, rows)                                                                          \
  do {                                                                                                                 \
    int64_t rows_ = (op) == (ow) ? 1 : (rows), width_ = (op) == (ow) ? (rows) * (ow) : (ow);                           \
    type *restrict to_ = (to);                                                                                         \
    for (int64_t i_ = 0; i_ < rows_; i_++)                                                                             \
      for (int64_t j_ = 0; j_ < width_; j_++) to_[i_ * (ow) + j_] = (type)(from)[i_ * (op) + j_];                      \
  } while (0)

static void max_forward(const cb_pool_run *plane)
{
  const cb_pool_geometry *g = plane->geo;
  lines l = lines_of(g);
  real value[ROOM + SLACK], y[ROOM];
  integer at[ROOM + SLACK], where[ROOM];
  int64_t all = g->out[0] * g->out[1], ow = g->out[2], k = g->kernel[2];
  for (int64_t r = 0; r < all; r += l.rows) {
    int64_t rows = all - r < l.rows ? all - r : l.rows, count = rows * l.op;
    max_lines(plane, &l, r, rows, value, at);
    nothing(k, value + rows * l.pitch, at + rows * l.pitch);
    if (plane->indices) {
#define WITH_PLACES(s) across_max(count, k, s, value, at, y, where)
      BY_STRIDE(g->stride[2], WITH_PLACES);
      COMPACT(int32_t, where, l.op, plane->indices + r * ow, ow, rows);
    } else {
#define VALUES(s) across_max_value(count, k, s, value, y)
      BY_STRIDE(g->stride[2], VALUES);
    }
    COMPACT(real, y, l.op, (real *)plane->y + r * ow, ow, rows);
  }
}

/* ---- sums: average, and L2 in double ---- */

/* How many columns the average of each output counts. */
static void column_counts(const cb_pool_geometry *g, real *counts)
{
  for (int64_t j = 0; j < g->out[2]; j++) {
    int64_t from, to;
    counts[j] = (real)cb_pool_extent(g, 2, j, &from, &to);
  }
}

static int64_t row_count(const cb_pool_geometry *g, int64_t r)
{
  int64_t from, to, depth = cb_pool_extent(g, 0, r / g->out[1], &from, &to);
  return depth * cb_pool_extent(g, 1, r % g->out[1], &from, &to);
}

#define SUMS(type, name, TERM)                                                                                         \
  static void name##_add(int64_t count, const real *restrict x, type *restrict line)                                   \
  {                                                                                                                    \
    for (int64_t i = 0; i < count; i++) line[i] += TERM(type, x[i]);                                                   \
  }                                                                                                                    \
  INLINE void name##_across(int64_t count, int64_t kernel, int64_t s, const type *restrict line, type *restrict y)     \
  {                                                                                                                    \
    for (int64_t f = 0; f < count; f++) y[f] = line[f * s];                                                            \
    for (int64_t u = 1; u < kernel; u++)                                                                               \
      for (int64_t f = 0; f < count; f++) y[f] += line[f * s + u];                                                     \
  }                                                                                                                    \
  static void name##_rows(const cb_pool_run *plane, const lines *l, int64_t r, int64_t rows, type *line, type *y)      \
  {                                                                                                                    \
    const cb_pool_geometry *g = plane->geo;                                                                            \
    int64_t count = columns(g, l), s = g->stride[2], k = g->kernel[2];                                                 \
    memset(line, 0, (size_t)(rows * l->pitch + k) * sizeof *line);                                                     \
    for (int64_t i = 0; i < rows; i++)                                                                                 \
      EACH_INPUT_ROW(g, r + i, row,                                                                                    \
                     name##_add(count, (const real *)plane->x + row, line + i * l->pitch + g->pad_begin[2]));          \
    if (s == 1)                                                                                                        \
      name##_across(rows * l->op, k, 1, line, y);                                                                      \
    else if (s == 2)                                                                                                   \
      name##_across(rows * l->op, k, 2, line, y);                                                                      \
    else                                                                                                               \
      name##_across(rows * l->op, k, s, line, y);                                                                      \
  }

#define ITSELF(type, v) (v)
#define SQUARE(type, v) ((type)(v) * (type)(v))
SUMS(real, sum, ITSELF)
#if CB_REAL_BITS == 32
SUMS(double, squares, SQUARE)
SUMS(double, wide, ITSELF)

/* As average_forward, for windows whose sums would lose digits in f32. */
static void wide_average_forward(const cb_pool_run *plane)
{
  const cb_pool_geometry *g = plane->geo;
  lines l = lines_of(g);
  real counts[ROOM];
  double line[ROOM + SLACK], y[ROOM];
  int64_t all = g->out[0] * g->out[1], ow = g->out[2];
  column_counts(g, counts);
  for (int64_t r = 0; r < all; r += l.rows) {
    int64_t rows = all - r < l.rows ? all - r : l.rows;
    wide_rows(plane, &l, r, rows, line, y);
    for (int64_t i = 0; i < rows; i++) {
      real *to = (real *)plane->y + (r + i) * ow;
      double by = (double)row_count(g, r + i);
      for (int64_t j = 0; j < ow; j++) to[j] = (real)(y[i * l.op + j] / (by * (double)counts[j]));
    }
  }
}
#endif

static void average_forward(const cb_pool_run *plane)
{
  const cb_pool_geometry *g = plane->geo;
  lines l = lines_of(g);
  real line[ROOM + SLACK], y[ROOM], counts[ROOM];
  int64_t all = g->out[0] * g->out[1], ow = g->out[2];
  column_counts(g, counts);
  for (int64_t r = 0; r < all; r += l.rows) {
    int64_t rows = all - r < l.rows ? all - r : l.rows;
    sum_rows(plane, &l, r, rows, line, y);
    for (int64_t i = 0; i < rows; i++) {
      real *to = (real *)plane->y + (r + i) * ow, by = (real)row_count(g, r + i);
      for (int64_t j = 0; j < ow; j++) to[j] = y[i * l.op + j] / (by * counts[j]);
    }
  }
}

#if CB_REAL_BITS == 32
static void l2_forward(const cb_pool_run *plane)
{
  const cb_pool_geometry *g = plane->geo;
  lines l = lines_of(g);
  double line[ROOM + SLACK], y[ROOM];
  int64_t all = g->out[0] * g->out[1], ow = g->out[2];
  for (int64_t r = 0; r < all; r += l.rows) {
    int64_t rows = all - r < l.rows ? all - r : l.rows;
    squares_rows(plane, &l, r, rows, line, y);
    for (int64_t i = 0; i < rows; i++) {
      real *to = (real *)plane->y + (r + i) * ow;
      for (int64_t j = 0; j < ow; j++) to[j] = (real)__builtin_sqrt(y[i * l.op + j]);
    }
  }
}
#endif

/* ---- backward ---- */

/* line[f * s + u] = sum of share[f], u < kernel: what each column of a window's rows gets. */
#define SPREADS(type, name)                                                                                            \
  static void name##_spread(int64_t ow, int64_t kernel, int64_t s, const type *restrict share, type *restrict line)    \
  {                                                                                                                    \
    if (s == 2 && kernel == 2) {                                                                                       \
      for (int64_t j = 0; j < ow; j++) {                                                                               \
        line[2 * j] = share[j];                                                                                        \
        line[2 * j + 1] = share[j];                                                                                    \
      }                                                                                                                \
      return;                                                                                                          \
    }                                                                                                                  \
    memset(line, 0, (size_t)((ow - 1) * s + kernel) * sizeof *line);                                                   \
    if (s == 1)                                                                                                        \
      for (int64_t u = 0; u < kernel; u++)                                                                             \
        for (int64_t j = 0; j < ow; j++) line[j + u] += share[j];                                                      \
    else                                                                                                               \
      for (int64_t j = 0; j < ow; j++)                                                                                 \
        for (int64_t u = 0; u < kernel; u++) line[j * s + u] += share[j];                                              \
  }
SPREADS(real, real)

static void add_line(int64_t count, const real *restrict line, real *restrict dx)
{
  for (int64_t i = 0; i < count; i++) dx[i] += line[i];
}

static void average_backward(const cb_pool_run *plane)
{
  const cb_pool_geometry *g = plane->geo;
  lines l = lines_of(g);
  real line[ROOM + SLACK], share[ROOM], counts[ROOM];
  int64_t ow = g->out[2], count = columns(g, &l);
  column_counts(g, counts);
  for (int64_t r = 0; r < g->out[0] * g->out[1]; r++) {
    const real *dy = (const real *)plane->dy + r * ow;
    real by = (real)row_count(g, r);
    for (int64_t j = 0; j < ow; j++) share[j] = dy[j] / (by * counts[j]);
    real_spread(ow, g->kernel[2], g->stride[2], share, line);
    EACH_INPUT_ROW(g, r, row, add_line(count, line + g->pad_begin[2], (real *)plane->dx + row));
  }
}

#if CB_REAL_BITS == 32
SPREADS(double, wide)

static void add_product(int64_t count, const double *restrict line, const real *restrict x, real *restrict dx)
{
  for (int64_t i = 0; i < count; i++) dx[i] += (real)(line[i] * (double)x[i]);
}

/* dx += x * (dy / y), the quotients in double: y may be so small that f32 would overflow. */
static void l2_backward(const cb_pool_run *plane)
{
  const cb_pool_geometry *g = plane->geo;
  lines l = lines_of(g);
  double line[ROOM + SLACK], share[ROOM];
  int64_t ow = g->out[2], count = columns(g, &l);
  for (int64_t r = 0; r < g->out[0] * g->out[1]; r++) {
    const real *dy = (const real *)plane->dy + r * ow, *y = (const real *)plane->y_in + r * ow;
    for (int64_t j = 0; j < ow; j++) share[j] = y[j] == 0 ? 0 : (double)dy[j] / (double)y[j];
    wide_spread(ow, g->kernel[2], g->stride[2], share, line);
    EACH_INPUT_ROW(g, r, row,
                   add_product(count, line + g->pad_begin[2], (const real *)plane->x + row, (real *)plane->dx + row));
  }
}
#endif

/* ---- the channel ---- */

void CB_NAME(cb_pool_forward_separable)(cnnblas_pool_kind kind, const cb_pool_run *plane)
{
  if (kind == CNNBLAS_POOL_MAX) max_forward(plane);
#if CB_REAL_BITS == 32
  if (kind == CNNBLAS_POOL_AVG) (cb_pool_is_wide(plane->geo) ? wide_average_forward : average_forward)(plane);
  if (kind == CNNBLAS_POOL_L2) l2_forward(plane);
#else
  if (kind == CNNBLAS_POOL_AVG) average_forward(plane);
#endif
}

void CB_NAME(cb_pool_backward_separable)(cnnblas_pool_kind kind, const cb_pool_run *plane)
{
  if (kind == CNNBLAS_POOL_AVG) average_backward(plane);
#if CB_REAL_BITS == 32
  if (kind == CNNBLAS_POOL_L2) l2_backward(plane);
#endif
}
