/* Norms of patches and filters; see norms.h. */
#include "norms.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Squares: summed over the channels of a group for each image, group and pixel (maps); for each channel (of the filters, or of
   dy over all images). In backward_weights a map is one channel of x over all images, summed up. */
struct bench_norms {
  const bench_task *task;
  int64_t reach;
  double *maps, *filters;
};

double bench_norms_factor(int32_t norm_factor, double terms)
{
  return norm_factor * (16 + fmin(terms / 2, 64) + terms / 64);
}

static double square(const bench_task *t, const void *array, int64_t i)
{
  const double value = t->element == sizeof(double) ? ((const double *)array)[i] : (double)((const float *)array)[i];
  return value * value;
}

/* Of an array[images][channels][pixels], the sums over its images and pixels. */
static void add_channels(const bench_task *t, const void *array, int64_t images, int64_t channels, int64_t pixels,
                         double *to)
{
  for (int64_t i = 0; i < images * channels; i++)
    for (int64_t p = 0; p < pixels; p++) to[i % channels] += square(t, array, i * pixels + p);
}

/* Of an array[images * groups][channels][pixels], the sums over the channels. */
static void add_maps(const bench_task *t, const void *array, int64_t groups, int64_t channels, int64_t pixels,
                     double *to)
{
  for (int64_t i = 0; i < groups * channels; i++)
    for (int64_t p = 0; p < pixels; p++) to[i / channels * pixels + p] += square(t, array, i * pixels + p);
}

static void fill(bench_norms *n)
{
  const bench_task *t = n->task;
  const bench_geometry *g = &t->geometry;
  if (t->direction == CNNBLAS_BACKWARD_WEIGHTS) {
    add_channels(t, t->x, g->n, g->c, g->in_pixels, n->maps);
    add_channels(t, t->dy, g->n, g->k, g->out_pixels, n->filters);
  } else if (t->direction == CNNBLAS_FORWARD) {
    add_maps(t, t->x, g->n * g->groups, g->cg, g->in_pixels, n->maps);
    for (int64_t i = 0; i < g->k * g->q; i++) n->filters[i / g->q] += square(t, t->w, i);
  } else {
    add_maps(t, t->dy, g->n * g->groups, g->kg, g->out_pixels, n->maps);
    for (int64_t i = 0; i < g->k * g->q; i++)
      n->filters[i / g->q / g->kg * g->cg + i % g->q / g->taps] += square(t, t->w, i);
  }
}

bench_norms *bench_norms_create(const bench_task *task, int64_t reach)
{
  const bench_geometry *g = &task->geometry;
  bench_norms *n = calloc(1, sizeof *n);
  if (!n) return NULL;
  const int64_t maps = task->direction == CNNBLAS_FORWARD         ? g->n * g->groups * g->in_pixels
                       : task->direction == CNNBLAS_BACKWARD_DATA ? g->n * g->groups * g->out_pixels
                                                                  : g->c;
  n->task = task;
  n->reach = reach;
  n->maps = calloc((size_t)maps + 1, sizeof *n->maps);
  n->filters = calloc((size_t)(g->c + g->k), sizeof *n->filters);
  if (n->maps && n->filters) {
    fill(n);
    return n;
  }
  bench_norms_destroy(n);
  return NULL;
}

void bench_norms_destroy(bench_norms *norms)
{
  if (!norms) return;
  free(norms->maps);
  free(norms->filters);
  free(norms);
}

/* The squares of the patch of a place: of x under an output's taps, or of dy whose taps reach an input. */
static double patch(const bench_norms *n, const double *map, const int64_t at[3])
{
  const bench_geometry *g = &n->task->geometry;
  const bool forward = n->task->direction == CNNBLAS_FORWARD;
  const int64_t *extent = forward ? g->in : g->out;
  int64_t from[3], to[3];
  double sum = 0;
  for (int a = 0; a < 3; a++) {
    const int64_t span = g->dilation[a] * (g->kernel[a] - 1), reach = extent[a] > 1 ? n->reach : 0;
    from[a] = forward ? at[a] * g->stride[a] - g->pad[a] : (at[a] + g->pad[a] - span) / g->stride[a];
    to[a] = (forward ? from[a] + span : (at[a] + g->pad[a]) / g->stride[a]) + reach;
    from[a] -= reach;
    if (from[a] < 0) from[a] = 0;
    if (to[a] > extent[a] - 1) to[a] = extent[a] - 1;
  }
  for (int64_t z = from[0]; z <= to[0]; z++)
    for (int64_t y = from[1]; y <= to[1]; y++)
      for (int64_t x = from[2]; x <= to[2]; x++) sum += map[(z * extent[1] + y) * extent[2] + x];
  return sum;
}

double bench_norms_at(const bench_norms *n, int64_t index)
{
  const bench_geometry *g = &n->task->geometry;
  if (n->task->direction == CNNBLAS_BACKWARD_WEIGHTS) {
    const int64_t k = index / g->q, c = k / g->kg * g->cg + index % g->q / g->taps;
    return sqrt(n->maps[c] * n->filters[k]);
  }
  const bool forward = n->task->direction == CNNBLAS_FORWARD;
  const int64_t *size = forward ? g->out : g->in, channels = forward ? g->k : g->c;
  int64_t at[3];
  for (int a = 2; a >= 0; a--) {
    at[a] = index % size[a];
    index /= size[a];
  }
  const int64_t channel = index % channels, group = channel / (forward ? g->kg : g->cg);
  const double *map = n->maps + (index / channels * g->groups + group) * (forward ? g->in_pixels : g->out_pixels);
  return sqrt(patch(n, map, at) * n->filters[channel]);
}
