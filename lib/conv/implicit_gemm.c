/*
 * Algorithm "implicit_gemm": a GEMM whose lowered operand is never materialised. The lowered matrix is a table of
 * addresses into a zero-padded band of the input, and the micro-kernel walks it (gemm/engine.h, conv/gather.h).
 */
#include "base/memory.h"
#include "conv/implicit_batch.h"
#include <stdio.h>

static bool applies(const cb_problem *problem, char *why, size_t size)
{
  if (!cb_implicit_in_reach(&problem->geo)) {
    snprintf(why, size, "its offsets exceed 31 bits");
    return false;
  }
  if (problem->direction == CNNBLAS_BACKWARD_WEIGHTS) return cb_weights_apply(problem, why, size);
  return cb_images_apply(problem, why, size);
}

/* The estimate with images on the lanes, 0 if they cannot be. */
static double batch_cost(const cb_problem *problem)
{
  return problem->direction == CNNBLAS_BACKWARD_WEIGHTS ? cb_batch_weights_cost(problem) : cb_batch_cost(problem);
}

static double cost_without(const cb_problem *problem)
{
  return problem->direction == CNNBLAS_BACKWARD_WEIGHTS ? cb_weights_cost(problem) : cb_images_cost(problem);
}

static double cost(const cb_problem *problem)
{
  double without = cost_without(problem), batch = batch_cost(problem);
  return batch > 0 && batch < without ? batch : without;
}

static cnnblas_status prepare(cnnblas_conv_plan *plan)
{
  bool weights = plan->problem.direction == CNNBLAS_BACKWARD_WEIGHTS;
  double batch = batch_cost(&plan->problem);
  if (batch > 0 && batch < cost_without(&plan->problem))
    return weights ? cb_batch_weights_prepare(plan) : cb_batch_prepare(plan);
  return weights ? cb_weights_prepare(plan) : cb_images_prepare(plan);
}

static void release(cnnblas_conv_plan *plan)
{
  cb_free(plan->state);
}

static void run(const cb_call *call)
{
  ((const cb_implicit_head *)call->plan->state)->run(call);
}

const cb_algorithm cb_implicit_gemm = {.name = "implicit_gemm",
                                       .applies = applies,
                                       .cost = cost,
                                       .prepare = prepare,
                                       .release = release,
                                       .run = run,
                                       .packing = &cb_implicit_packing,
                                       .gates = true};
