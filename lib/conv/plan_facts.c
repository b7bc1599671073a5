/* What a finished plan tells of itself in numbers and names; describe.c tells it in sentences. */
#include "base/memory.h"
#include "base/parallel.h"
#include "base/status.h"
#include "conv/algorithms.h"
#include "conv/row.h"

size_t cnnblas_conv_plan_workspace(const cnnblas_conv_plan *plan)
{
  if (!plan) return 0;
  size_t bytes = plan->tiling.shared_bytes + (size_t)plan->team * plan->tiling.thread_bytes;
  return bytes ? bytes + CB_ALIGN - 1 : 0;
}

const char *cnnblas_conv_plan_algorithm(const cnnblas_conv_plan *plan)
{
  return plan ? plan->algorithm->full_name : "";
}

double cnnblas_conv_plan_estimate(const cnnblas_conv_plan *plan)
{
  for (int i = 0; plan && cb_algorithm_at(i); i++)
    if (cb_algorithm_at(i) == plan->algorithm) return plan->seconds[i];
  return 0;
}

int32_t cnnblas_conv_plan_threads(const cnnblas_conv_plan *plan)
{
  return plan ? cb_team(plan->threads) : 0;
}

int32_t cnnblas_conv_plan_packs(const cnnblas_conv_plan *plan)
{
  return plan && plan->tiling.packs && cb_geometry_packs(&plan->problem.geo) &&
         (plan->problem.direction == CNNBLAS_FORWARD || cb_row_packing(plan->algorithm, plan->problem.direction));
}

cnnblas_status cnnblas_conv_plan_expect(const cnnblas_conv_plan *plan, cnnblas_dtype dtype)
{
  if (!plan) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "plan is NULL");
  if (plan->problem.geo.dtype == dtype) return CNNBLAS_OK;
  return cb_fail(CNNBLAS_INVALID_ARGUMENT, "the plan's dtype is %s, not that of this call's arrays",
                 plan->problem.geo.dtype == CNNBLAS_F64 ? "f64" : "f32");
}
