/* The expected results of a task; see check.h. */
#include "check.h"
#include "algorithm_names.h"
#include "norms.h"
#include "process_memory.h"
#include "random_data.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Up to this many FLOPs the reference computes every element: about a tenth of a second. */
static const double complete_flops = 5e7;

struct bench_expected {
  size_t count;
  int64_t *index; /* NULL: every element in order */
  double *value, *magnitude;
  double terms, unit;
};

/* index = ((outer * channels + channel) * d + z) * h + ..: the coordinates of an element. */
static void split(int64_t index, const int64_t size[3], int64_t channels, int64_t at[3], int64_t *channel,
                  int64_t *outer)
{
  for (int a = 2; a >= 0; a--) {
    at[a] = index % size[a];
    index /= size[a];
  }
  *channel = index % channels;
  *outer = index / channels;
}

/* The input position under output o and tap r, -1 if it is padding. */
static inline int64_t input_at(const bench_geometry *g, int axis, int64_t o, int64_t r)
{
  int64_t i = o * g->stride[axis] - g->pad[axis] + r * g->dilation[axis];
  return i < g->in[axis] ? i : -1;
}

/* The output position whose tap r lies over input i, -1 if there is none. */
static inline int64_t output_at(const bench_geometry *g, int axis, int64_t i, int64_t r)
{
  int64_t o = i + g->pad[axis] - r * g->dilation[axis];
  if (o < 0 || o % g->stride[axis] != 0) return -1;
  o /= g->stride[axis];
  return o < g->out[axis] ? o : -1;
}

#define REAL       float
#define WIDE       double
#define NAME(name) name##_f32
#include "check_loops.h"
#undef REAL
#undef WIDE
#undef NAME
#define REAL       double
#define WIDE       long double
#define NAME(name) name##_f64
#include "check_loops.h"

static void element_f32(const bench_task *t, int64_t index, double *value, double *magnitude)
{
  *value = *magnitude = 0;
  switch (t->direction) {
  case CNNBLAS_FORWARD:
    forward_f32(t, index, value, magnitude);
    break;
  case CNNBLAS_BACKWARD_DATA:
    backward_data_f32(t, index, value, magnitude);
    break;
  case CNNBLAS_BACKWARD_WEIGHTS:
    backward_weights_f32(t, index, value, magnitude);
    break;
  }
}

static void element_f64(const bench_task *t, int64_t index, double *value, double *magnitude)
{
  long double wide = 0, wide_magnitude = 0;
  switch (t->direction) {
  case CNNBLAS_FORWARD:
    forward_f64(t, index, &wide, &wide_magnitude);
    break;
  case CNNBLAS_BACKWARD_DATA:
    backward_data_f64(t, index, &wide, &wide_magnitude);
    break;
  case CNNBLAS_BACKWARD_WEIGHTS:
    backward_weights_f64(t, index, &wide, &wide_magnitude);
    break;
  }
  *value = (double)wide;
  *magnitude = (double)wide_magnitude;
}

/* The library's reference into every value of the task's output, as double. False if it failed. */
static bool run_reference(const bench_task *task, const void *x, const void *w, const void *dy, double *values)
{
  cnnblas_conv_options options = {.algorithm = bench_reference_name(), .threads = task->threads};
  cnnblas_conv_plan *plan;
  if (cnnblas_conv_plan_create(&task->desc, task->direction, &options, &plan)) return false;
  int64_t count = bench_task_outputs(task), n = task->desc.n;
  size_t bytes = (size_t)count * task->element;
  void *out = bench_pages(bytes);
  cnnblas_status status = out ? CNNBLAS_OK : CNNBLAS_OUT_OF_MEMORY;
  if (!status && task->direction == CNNBLAS_FORWARD) status = cnnblas_conv_forward(plan, n, x, w, NULL, out, NULL, 0);
  if (!status && task->direction == CNNBLAS_BACKWARD_DATA)
    status = cnnblas_conv_backward_data(plan, n, dy, w, out, NULL, 0);
  if (!status && task->direction == CNNBLAS_BACKWARD_WEIGHTS)
    status = cnnblas_conv_backward_weights(plan, n, x, dy, out, NULL, NULL, 0);
  for (int64_t i = 0; i < count && !status; i++)
    values[i] = task->element == sizeof(double) ? ((const double *)out)[i] : (double)((const float *)out)[i];
  bench_pages_free(out, bytes);
  cnnblas_conv_plan_destroy(plan);
  return !status;
}

/* |values| of an array, in fresh pages. */
static void *absolute(const void *from, int64_t count, size_t element)
{
  void *to = bench_pages((size_t)count * element);
  for (int64_t i = 0; to && i < count; i++) {
    if (element == sizeof(double))
      ((double *)to)[i] = fabs(((const double *)from)[i]);
    else
      ((float *)to)[i] = fabsf(((const float *)from)[i]);
  }
  return to;
}

/* sum|a||b| of every output is the same convolution of the absolute values. */
static bool fill_completely(const bench_task *t, bench_expected *e)
{
  void *x = absolute(t->x, t->shape.x_elements, t->element), *w = absolute(t->w, t->shape.w_elements, t->element);
  void *dy = absolute(t->dy, t->shape.y_elements, t->element);
  bool ok = x && w && dy && run_reference(t, t->x, t->w, t->dy, e->value) && run_reference(t, x, w, dy, e->magnitude);
  bench_pages_free(x, (size_t)t->shape.x_elements * t->element);
  bench_pages_free(w, (size_t)t->shape.w_elements * t->element);
  bench_pages_free(dy, (size_t)t->shape.y_elements * t->element);
  return ok;
}

/* The output's five dimensions, slowest first. */
static void output_dims(const bench_task *t, int64_t dims[5])
{
  const bench_geometry *g = &t->geometry;
  const int64_t *spatial = t->direction == CNNBLAS_FORWARD         ? g->out
                           : t->direction == CNNBLAS_BACKWARD_DATA ? g->in
                                                                   : g->kernel;
  dims[0] = t->direction == CNNBLAS_BACKWARD_WEIGHTS ? g->k : g->n;
  dims[1] = t->direction == CNNBLAS_FORWARD ? g->k : t->direction == CNNBLAS_BACKWARD_DATA ? g->c : g->cg;
  for (int a = 0; a < 3; a++) dims[2 + a] = spatial[a];
}

/* Half of the samples lie anywhere; in the other half each coordinate is, two times in three, one of the first two or last
   two of its axis: borders, corners and tails of vectors and tiles. The first and the last element are always there. Where
   there are no more outputs than samples, each is one: backward_weights of a large picture has few, of long sums. */
static void choose_samples(const bench_task *task, bench_expected *e)
{
  int64_t dims[5];
  output_dims(task, dims);
  uint64_t counter = 0;
  if (e->count == (size_t)bench_task_outputs(task)) {
    for (size_t s = 0; s < e->count; s++) e->index[s] = (int64_t)s;
    return;
  }
  for (size_t s = 0; s < e->count; s++) {
    int64_t index = 0;
    for (int d = 0; d < 5; d++) {
      int64_t at = (int64_t)(bench_random(BENCH_SEED_SAMPLES, counter++) % (uint64_t)dims[d]);
      uint64_t edge = bench_random(BENCH_SEED_SAMPLES, counter++) % 6;
      if (s % 2 == 1 && edge < 2 && (int64_t)edge < dims[d]) at = (int64_t)edge;
      if (s % 2 == 1 && edge >= 2 && edge < 4 && dims[d] > (int64_t)edge - 2) at = dims[d] - 1 - ((int64_t)edge - 2);
      index = index * dims[d] + at;
    }
    e->index[s] = s == 0 ? 0 : s == 1 ? bench_task_outputs(task) - 1 : index;
  }
}

static void fill_samples(const bench_task *task, bench_expected *e)
{
  choose_samples(task, e);
  int64_t count = (int64_t)e->count;
#pragma omp parallel for schedule(dynamic, 16)
  for (int64_t s = 0; s < count; s++) {
    if (task->element == sizeof(double))
      element_f64(task, e->index[s], &e->value[s], &e->magnitude[s]);
    else
      element_f32(task, e->index[s], &e->value[s], &e->magnitude[s]);
  }
}

bench_expected *bench_expected_create(const bench_task *task, bench_coverage coverage)
{
  bench_expected *e = calloc(1, sizeof *e);
  if (!e) return NULL;
  const bench_geometry *g = &task->geometry;
  bool complete =
      coverage == BENCH_COVER_ALL || (coverage == BENCH_COVER_BY_SIZE && task->shape.flops <= complete_flops);
  e->count = (size_t)bench_task_outputs(task);
  if (!complete && e->count > BENCH_SAMPLES) e->count = BENCH_SAMPLES;
  e->terms = task->direction == CNNBLAS_FORWARD         ? (double)g->q
             : task->direction == CNNBLAS_BACKWARD_DATA ? (double)(g->kg * g->taps)
                                                        : (double)g->n * (double)g->out_pixels;
  e->unit = task->element == sizeof(double) ? 0x1p-53 : 0x1p-24;
  e->value = calloc(e->count, sizeof *e->value);
  e->magnitude = calloc(e->count, sizeof *e->magnitude);
  e->index = complete ? NULL : calloc(e->count, sizeof *e->index);
  bool ok = e->value && e->magnitude && (complete || e->index);
  if (ok && complete) ok = fill_completely(task, e);
  if (ok && !complete) fill_samples(task, e);
  if (ok) return e;
  bench_expected_destroy(e);
  return NULL;
}

void bench_expected_destroy(bench_expected *expected)
{
  if (!expected) return;
  free(expected->index);
  free(expected->value);
  free(expected->magnitude);
  free(expected);
}

bench_verdict bench_check(const bench_expected *e, const bench_task *task, const char *row)
{
  cnnblas_algorithm_info info;
  bench_row_named(row, &info);
  const bool far = info.accuracy == CNNBLAS_ACCURACY_NORM_RELAXED;
  const double c = bench_norms_factor(info.norm_factor, e->terms) * e->unit;
  bench_norms *norms =
      info.norm_factor ? bench_norms_create(task, far ? 3 : 0) : NULL; /* without: the element-wise bound */
  bench_verdict verdict = {.correct = true, .checked = e->count, .norm_wise = norms};
  for (size_t s = 0; s < e->count; s++) {
    int64_t at = e->index ? e->index[s] : (int64_t)s;
    double got =
        task->element == sizeof(double) ? ((const double *)task->out)[at] : (double)((const float *)task->out)[at];
    double bound = norms ? c * bench_norms_at(norms, at) : e->terms * e->unit * e->magnitude[s];
    if (!e->index) bound += e->unit * fabs(e->value[s]);
    double error = fabs(got - e->value[s]);
    if (!(error <= bound)) verdict.correct = false;
    if (isnan(error)) error = INFINITY;
    if (error == 0) continue; /* also where no term reaches the element: 0 of 0 */
    verdict.max_error = fmax(verdict.max_error, error / e->magnitude[s]);
    verdict.share_of_bound = fmax(verdict.share_of_bound, error / bound);
  }
  bench_norms_destroy(norms);
  return verdict;
}
