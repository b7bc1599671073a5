/*
 * Algorithm "reference": the definition, element by element, accumulating f32 in double and f64 in long double.
 * It is the oracle of every test, parallel over planes, and slow.
 */
#include "base/parallel.h"
#include "conv/row.h"

#define REAL    float
#define WIDE    double
#define NAME(x) x##_f32
#include "conv/reference_loops.h"

#define REAL    double
#define WIDE    long double
#define NAME(x) x##_f64
#include "conv/reference_loops.h"

static double cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  return 2e-9 * (double)geo->n * (double)geo->k * (double)geo->p * (double)geo->q;
}

static int64_t tasks_of(const cb_problem *problem, int64_t n)
{
  const cb_geometry *geo = &problem->geo;
  if (problem->direction == CNNBLAS_FORWARD) return n * geo->k;
  return problem->direction == CNNBLAS_BACKWARD_DATA ? n * geo->c : geo->k * geo->cg;
}

static cnnblas_status prepare(cnnblas_conv_plan *plan)
{
  plan->tiling.tasks = tasks_of(&plan->problem, plan->problem.geo.n);
  return CNNBLAS_OK;
}

static void run_task(void *context, int64_t task, int worker)
{
  static void (*const loops[2][3])(const cb_call *, int64_t) = {
      {forward_plane_f32, data_plane_f32, weight_channel_f32}, {forward_plane_f64, data_plane_f64, weight_channel_f64}};
  const cb_call *call = context;
  const cb_problem *problem = &call->plan->problem;
  (void)worker;
  loops[problem->geo.dtype == CNNBLAS_F64][problem->direction](call, task);
}

static void work(cb_call *call)
{
  cb_call_add(call, tasks_of(&call->plan->problem, call->n), run_task);
}

const cb_algorithm cb_reference = {
    CB_NAMED("reference"),
    .directions = CB_EVERY_DIRECTION,
    .accuracy = CNNBLAS_ACCURACY_WIDE,
    .by_name_only = true,
    .scope = CNNBLAS_SCOPE_EVERY,
    .cost = cost,
    .prepare = prepare,
    .work = work,
};
