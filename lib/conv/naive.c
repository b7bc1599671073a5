/*
 * Algorithm "naive": what a first implementation looks like, one thread, sums in the arrays' own type. The baseline of
 * benchmarks. Its error grows with the number of terms as a plain sum's does.
 */
#include "conv/plan.h"
#include <string.h>

#define REAL    float
#define NAME(x) x##_f32
#include "conv/naive_loops.h"

#define REAL    double
#define NAME(x) x##_f64
#include "conv/naive_loops.h"

static bool applies(const cb_problem *problem, char *why, size_t size)
{
  (void)problem, (void)why, (void)size;
  return true;
}

static double cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  return 1e-9 * (double)geo->n * (double)geo->k * (double)geo->p * (double)geo->q;
}

static cnnblas_status prepare(cnnblas_conv_plan *plan)
{
  plan->tiling.tasks = 1;
  return CNNBLAS_OK;
}

static void run(const cb_call *call)
{
  const cb_problem *problem = &call->plan->problem;
  const cb_geometry *geo = &problem->geo;
  bool f64 = geo->dtype == CNNBLAS_F64;
  if (problem->direction == CNNBLAS_FORWARD) {
    (f64 ? forward_f64 : forward_f32)(call);
    return;
  }
  int64_t outputs = problem->direction == CNNBLAS_BACKWARD_DATA ? call->n * geo->c * geo->image : geo->k * geo->q;
  if (!call->accumulate) memset(call->out, 0, (size_t)outputs * geo->element);
  (f64 ? backward_f64 : backward_f32)(call);
}

const cb_algorithm cb_naive = {
    .name = "naive", .by_name_only = true, .applies = applies, .cost = cost, .prepare = prepare, .run = run};
