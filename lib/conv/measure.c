/* Timing the candidates of a plan on arrays of its size; see measure.h. */
#include "conv/measure.h"
#include "base/memory.h"
#include "base/status.h"
#include "conv/algorithms.h"
#include "conv/execute.h"
#include "conv/rounds.h"
#include <string.h>
#include <time.h>

typedef struct {
  void *x, *w, *y;
} arrays;

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* An array of small pseudo-random values around 0 (an LCG's top bits), none of them zero or denormal. */
static void *random_array(int64_t elements, const cb_geometry *geo)
{
  void *array = cb_alloc((size_t)elements * geo->element);
  uint32_t state = 1;
  for (int64_t i = 0; array && i < elements; i++) {
    state = state * 1664525u + 1013904223u;
    double value = ((double)(state >> 8) + 0.5) / (1 << 23) - 1;
    if (geo->dtype == CNNBLAS_F64)
      ((double *)array)[i] = value;
    else
      ((float *)array)[i] = (float)value;
  }
  return array;
}

static void release(arrays *a)
{
  cb_free(a->x);
  cb_free(a->w);
  cb_free(a->y);
}

static cnnblas_status acquire(arrays *a, const cb_geometry *geo)
{
  a->x = random_array(geo->n * geo->c * geo->image, geo);
  a->w = random_array(geo->k * geo->q, geo);
  a->y = random_array(geo->n * geo->k * geo->p, geo);
  if (a->x && a->w && a->y) return CNNBLAS_OK;
  release(a);
  return cb_fail(CNNBLAS_OUT_OF_MEMORY, "out of memory: scratch arrays for measuring");
}

/* The candidates: every row that applies, with a plan of its own, and what the candidates share. */
typedef struct {
  const cb_algorithm *rows[CB_MAX_ALGORITHMS];
  cnnblas_conv_plan trials[CB_MAX_ALGORITHMS];
  cb_contender contenders[CB_MAX_ALGORITHMS];
  int count, prepared;
  size_t bytes; /* bytes of the largest workspace */
  const arrays *arrays;
  void *workspace;
} field;

/* Enters every row that applies, its estimate taken from the plan. */
static void enter(field *f, const cnnblas_conv_plan *plan)
{
  char why[128];
  for (int i = 0; cb_algorithm_at(i); i++) {
    const cb_algorithm *row = cb_algorithm_at(i);
    if (row->by_name_only || !cb_algorithm_allowed(row, &plan->problem) ||
        !cb_algorithm_applies(row, &plan->problem, why, sizeof why))
      continue;
    f->rows[f->count] = row;
    f->trials[f->count] = *plan;
    f->trials[f->count].algorithm = row;
    f->contenders[f->count++].estimate = plan->seconds[i];
  }
}

static cnnblas_status prepare(field *f)
{
  for (; f->prepared < f->count; f->prepared++) {
    cnnblas_status status = f->rows[f->prepared]->prepare(&f->trials[f->prepared]);
    if (status) return status;
    size_t bytes = cnnblas_conv_plan_workspace(&f->trials[f->prepared]);
    if (bytes > f->bytes) f->bytes = bytes;
  }
  return CNNBLAS_OK;
}

static void retire(field *f)
{
  for (int i = 0; i < f->prepared; i++)
    if (f->rows[i]->release) f->rows[i]->release(&f->trials[i]);
}

/* A cb_timer: makes a call that warms the caches up, and one that is timed. */
static double time_call(void *context, int candidate)
{
  const field *f = context;
  const cnnblas_conv_plan *trial = &f->trials[candidate];
  const arrays *a = f->arrays;
  cb_call call = {.plan = trial, .n = trial->problem.geo.n};
  cnnblas_conv_direction direction = trial->problem.direction;
  call.x = direction == CNNBLAS_BACKWARD_DATA ? NULL : a->x;
  call.w = direction == CNNBLAS_BACKWARD_WEIGHTS ? NULL : a->w;
  call.dy = direction == CNNBLAS_FORWARD ? NULL : a->y;
  call.out = direction == CNNBLAS_FORWARD ? a->y : direction == CNNBLAS_BACKWARD_DATA ? a->x : a->w;
  cb_call again = call;
  (void)cb_execute(&call, f->workspace); /* needs no check: the call has its workspace */
  double begin = now();
  (void)cb_execute(&again, f->workspace);
  return now() - begin;
}

/* Prepares the candidates, times them, fills in the plan's least times, and finds the best. */
static cnnblas_status compete(field *f, cnnblas_conv_plan *plan, const cb_algorithm **best)
{
  cnnblas_status status = prepare(f);
  f->workspace = f->bytes && !status ? cb_alloc(f->bytes) : NULL;
  if (f->bytes && !status && !f->workspace) status = cb_fail_memory(f->bytes, "a workspace for measuring");
  if (!status) {
    *best = f->rows[cb_rounds_run(f->contenders, f->count, time_call, f)];
    for (int i = 0, c = 0; c < f->count; i++)
      if (cb_algorithm_at(i) == f->rows[c]) plan->measured[i] = f->contenders[c++].times[0];
  }
  cb_free(f->workspace);
  retire(f);
  return status;
}

cnnblas_status cb_measure(cnnblas_conv_plan *plan, const cb_algorithm **best)
{
  arrays a;
  field *f = cb_alloc_zeroed(sizeof *f);
  if (!f) return cb_fail_memory(sizeof *f, "candidates for measuring");
  enter(f, plan);
  cnnblas_status status = f->count < 2 ? CNNBLAS_OK : acquire(&a, &plan->problem.geo);
  if (!status && f->count > 1) {
    f->arrays = &a;
    status = compete(f, plan, best);
    release(&a);
  }
  cb_free(f);
  return status;
}
