/*
 * Pooling by one window after the other. It serves three cases: windows that are longer than the lines of pool_rows.c; adaptive
 * pooling, whose windows differ in width; the gradients of maximum and L2 pooling.
 */
#include "layers/pool.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* The elements that a window takes of the image, by axes. */
typedef struct {
  int64_t from[3], to[3];
  double counted;
} window;

static window window_at(const cb_pool_geometry *g, int64_t o)
{
  const int64_t at[3] = {o / (g->out[1] * g->out[2]), o / g->out[2] % g->out[1], o % g->out[2]};
  window w = {.counted = 1};
  for (int axis = 0; axis < 3; axis++)
    w.counted *= (double)cb_pool_extent(g, axis, at[axis], &w.from[axis], &w.to[axis]);
  return w;
}

/* Does a row of the window at a time: `line` is its row of the plane, the elements are from[2], + dilation, ... */
#define EACH_LINE(g, w, plane, type, line)                                                                             \
  for (int64_t d_ = (w).from[0]; d_ < (w).to[0]; d_ += (g)->dilation[0])                                               \
    for (int64_t h_ = (w).from[1]; h_ < (w).to[1]; h_ += (g)->dilation[1])                                             \
      for (type *line = (type *)(plane) + (d_ * (g)->size[1] + h_) * (g)->size[2], *once_ = line; once_; once_ = NULL)

static int64_t largest_place(const cb_pool_geometry *g, window w, const real *x)
{
  int64_t place = -1;
  EACH_LINE(g, w, x, const real, line)
  for (int64_t i = w.from[2]; i < w.to[2]; i += g->dilation[2])
    if (place < 0 || LATER_BEATS(line[i], x[place])) place = line - x + i;
  return place;
}

/* The sum of elements, or of the squares of v / scale: 16 running sums a row, joined in a tree. */
static double window_sum(const cb_pool_geometry *g, window w, const real *x, double scale)
{
  enum { PARTS = 16 };
  double sum = 0;
  int64_t step = g->dilation[2];
  EACH_LINE(g, w, x, const real, line)
  {
    double part[PARTS] = {0};
    for (int64_t i = w.from[2]; i < w.to[2]; i += PARTS * step)
      for (int64_t k = 0; k < PARTS && i + k * step < w.to[2]; k++) {
        double v = (double)line[i + k * step];
        part[k] += scale == 0 ? v : v / scale * (v / scale);
      }
    for (int half = PARTS / 2; half; half /= 2)
      for (int k = 0; k < half; k++) part[k] += part[k + half];
    sum += part[0];
  }
  return sum;
}

double CB_NAME(cb_pool_norm)(const cb_pool_run *plane, int64_t o, double sum)
{
  if (sizeof(real) == sizeof(float) || (sum > 1e-280 && sum < 1e300)) return __builtin_sqrt(sum);
  const cb_pool_geometry *g = plane->geo;
  window w = window_at(g, o);
  double most = 0;
  EACH_LINE(g, w, plane->x, const real, line)
  for (int64_t i = w.from[2]; i < w.to[2]; i += g->dilation[2]) {
    double size = fabs((double)line[i]);
    most = size > most ? size : most;
  }
  if (most > DBL_MAX) most = DBL_MAX;
  if (most == 0) most = 1; /* all elements are zeros or NaN */
  return most * __builtin_sqrt(window_sum(g, w, plane->x, most));
}

static void each_window(const cb_pool_run *plane)
{
  const cb_pool_geometry *g = plane->geo;
  const real *x = plane->x;
  real *y = plane->y;
  for (int64_t o = 0; o < g->out_plane; o++) {
    window w = window_at(g, o);
    if (g->kind == CNNBLAS_POOL_MAX) {
      int64_t place = largest_place(g, w, x);
      y[o] = x[place];
      if (plane->indices) plane->indices[o] = (int32_t)place;
    } else if (g->kind == CNNBLAS_POOL_AVG)
      y[o] = (real)(window_sum(g, w, x, 0) / w.counted);
    else
      y[o] = (real)CB_NAME(cb_pool_norm)(plane, o, window_sum(g, w, x, 1));
  }
}

static void route(const cb_pool_run *plane)
{
  const real *dy = plane->dy;
  real *dx = plane->dx;
  for (int64_t o = 0; o < plane->geo->out_plane; o++) dx[plane->indices_in[o]] += dy[o];
}

/* Of an average, dx += dy / counted; of a norm, dx += dy * x / y, nothing where y is 0. */
static void each_window_back(const cb_pool_run *plane)
{
  const cb_pool_geometry *g = plane->geo;
  const real *dy = plane->dy, *y = plane->y_in, *x = plane->x;
  bool norm = g->kind == CNNBLAS_POOL_L2;
  for (int64_t o = 0; o < g->out_plane; o++) {
    if (norm && y[o] == 0) continue;
    window w = window_at(g, o);
    real share = dy[o] / (real)w.counted;
    EACH_LINE(g, w, plane->dx, real, line)
    for (int64_t i = w.from[2]; i < w.to[2]; i += g->dilation[2])
      line[i] += norm ? dy[o] * (x[line - (real *)plane->dx + i] / y[o]) : share;
  }
}

static bool serves(const cb_pool_geometry *g, bool backward)
{
  (void)g, (void)backward;
  return true;
}

static void forward(const cb_pool_run *run)
{
  for (int64_t i = 0; i < run->planes; i++) {
    cb_pool_run plane = cb_pool_channel(run, i);
    each_window(&plane);
  }
}

static void backward(const cb_pool_run *run)
{
  for (int64_t i = 0; i < run->planes; i++) {
    cb_pool_run plane = cb_pool_channel(run, i);
    memset(plane.dx, 0, (size_t)run->geo->plane * sizeof(real));
    (run->geo->kind == CNNBLAS_POOL_MAX ? route : each_window_back)(&plane);
  }
}

const cb_pool_family CB_NAME(cb_pool_each) = {serves, forward, backward};
