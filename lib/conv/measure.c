/* Timing the candidates of a plan on arrays of its size; see measure.h. */
#include "conv/measure.h"
#include "base/memory.h"
#include "base/status.h"
#include "conv/algorithms.h"
#include "conv/execute.h"
#include <string.h>
#include <time.h>

enum { REPEATS = 3 };

typedef struct {
  void *x, *w, *y;
} arrays;

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Small pseudo-random values around 0 (an LCG's top bits): never zeros, never denormal. */
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

/* The least of a few runs; the first warms up. */
static cnnblas_status time_plan(const cnnblas_conv_plan *plan, const arrays *a, double *seconds)
{
  cb_call call = {.plan = plan, .n = plan->problem.geo.n};
  cnnblas_conv_direction direction = plan->problem.direction;
  call.x = direction == CNNBLAS_BACKWARD_DATA ? NULL : a->x;
  call.w = direction == CNNBLAS_BACKWARD_WEIGHTS ? NULL : a->w;
  call.dy = direction == CNNBLAS_FORWARD ? NULL : a->y;
  call.out = direction == CNNBLAS_FORWARD ? a->y : direction == CNNBLAS_BACKWARD_DATA ? a->x : a->w;
  size_t bytes = cnnblas_conv_plan_workspace(plan);
  void *workspace = bytes ? cb_alloc(bytes) : NULL;
  if (bytes && !workspace) return cb_fail_memory(bytes, "a workspace for measuring");
  for (int i = 0; i <= REPEATS; i++) {
    double begin = now();
    (void)cb_execute(&call, workspace); /* it has its workspace */
    double taken = now() - begin;
    if (i == 1 || (i > 1 && taken < *seconds)) *seconds = taken;
  }
  cb_free(workspace);
  return CNNBLAS_OK;
}

/* Prepares and times one candidate on a copy of the plan. */
static cnnblas_status time_candidate(const cnnblas_conv_plan *plan, const cb_algorithm *row, const arrays *a,
                                     double *seconds)
{
  cnnblas_conv_plan trial = *plan;
  trial.algorithm = row;
  cnnblas_status status = row->prepare(&trial);
  if (status) return status;
  status = time_plan(&trial, a, seconds);
  if (row->release) row->release(&trial);
  return status;
}

cnnblas_status cb_measure(cnnblas_conv_plan *plan, const cb_algorithm **best)
{
  int candidates = 0;
  char why[128];
  for (int i = 0; cb_algorithm_at(i); i++)
    candidates +=
        !cb_algorithm_at(i)->by_name_only && cb_algorithm_applies(cb_algorithm_at(i), &plan->problem, why, sizeof why);
  if (candidates < 2) return CNNBLAS_OK;
  arrays a;
  cnnblas_status status = acquire(&a, &plan->problem.geo);
  if (status) return status;
  double least = 0;
  for (int i = 0; cb_algorithm_at(i) && !status; i++) {
    const cb_algorithm *row = cb_algorithm_at(i);
    if (row->by_name_only || !cb_algorithm_applies(row, &plan->problem, why, sizeof why)) continue;
    status = time_candidate(plan, row, &a, &plan->seconds[i]);
    if (!status && (least == 0 || plan->seconds[i] < least)) {
      least = plan->seconds[i];
      *best = row;
    }
  }
  release(&a);
  return status;
}
