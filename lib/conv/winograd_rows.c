/*
 * Rows "winograd*": minimal filtering at stride 1, fewer multiplications than the definition has: 4/9 with tiles of 2 x
 * 2. The sums are norm-wise accurate (include/cnnblas/conv.h). Lavin and Gray, 2016; the points are chosen as in
 * Barabasz et al., Error Analysis and Improving the Accuracy of Winograd Convolution, 2020: to keep the transforms'
 * amplification low.
 */
#include "base/memory.h"
#include "base/status.h"
#include "conv/costs.h"
#include "conv/winograd_dw.h"
#include "conv/winograd_plan.h"
#include <math.h>
#include <stdio.h>

enum { LEAST_OF_GROUP = 8 /* the least channels of a group, in and out, where there are several groups */ };

/* Why the problem is not one for minimal filtering, whatever the direction, or NULL if it is one. */
static const char *outside(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  const cb_axis *a = geo->axis;
  if (a[2].taps != 3 || (a[1].taps != 3 && a[1].taps != 1) || a[0].taps != 1 || a[0].in != 1 || a[0].out != 1)
    return "for kernels of 3x3, or of 3 along rows, only";
  for (int i = 1; i < 3; i++)
    if (a[i].stride != 1 || (a[i].taps > 1 && a[i].step != 1 && a[i].step != -1))
      return "for stride 1 and dilation 1 only";
  if (geo->g > 1 && cb_min(geo->cg, geo->kg) < LEAST_OF_GROUP) return "for groups of at least 8 channels only";
  return cb_geometry_in_reach(geo) ? NULL : "its offsets exceed 31 bits";
}

static bool applies_with(const cb_problem *problem, const cb_winograd_forms *forms, char *why, size_t size)
{
  const char *reason = outside(problem);
  if (reason) {
    snprintf(why, size, "%s", reason);
    return false;
  }
  if (problem->direction == CNNBLAS_BACKWARD_WEIGHTS) return cb_winograd_dw_apply(problem, why, size);
  cb_winograd_plan st = {.kernels = NULL};
  if (!cb_winograd_describe(&st, problem, forms)) {
    snprintf(why, size, "its transformed weights exceed 63 bits");
    return false;
  }
  if (cb_winograd_cut(&st, problem, 1)) return true;
  snprintf(why, size, "it needs a workspace of %zu bytes a thread",
           st.parts.bytes + CB_ALIGN + (problem->limited ? st.weights_bytes : 0));
  return false;
}

/* Counts products at the points, elements of V and M, and transformed weights. */
static double cost_with(const cb_problem *problem, const cb_winograd_forms *forms)
{
  if (problem->direction == CNNBLAS_BACKWARD_WEIGHTS) return cb_winograd_dw_cost(problem);
  cb_winograd_plan st = {.kernels = NULL};
  if (!cb_winograd_describe(&st, problem, forms)) return INFINITY;
  const double tiles = (double)problem->geo.n * (double)st.tiles[0] * (double)st.tiles[1],
               groups = (double)problem->geo.g;
  const double each = tiles * (double)st.points * groups, channels = (double)st.channels;
  const double outputs = (double)cb_round_up(st.outputs, st.kernels->lanes);
  const double weights = (double)st.points * groups * channels * outputs;
  return cb_cost(CB_COST_WINOGRAD, problem,
                 (double[CB_WORK_KINDS]){[CB_WORK_MAC] = each * channels * outputs,
                                         [CB_WORK_READ] = each * (double)cb_round_up(st.channels, st.kernels->lanes),
                                         [CB_WORK_STORE] = each * outputs,
                                         [CB_WORK_WEIGHTS] = problem->packed ? 0 : weights,
                                         [CB_WORK_CALLS] = (double)problem->geo.n * groups,
                                         [CB_WORK_ONCE] = 1});
}

static cnnblas_status prepare_with(cnnblas_conv_plan *plan, const cb_winograd_forms *forms)
{
  if (plan->problem.direction == CNNBLAS_BACKWARD_WEIGHTS) return cb_winograd_dw_prepare(plan);
  const cb_problem *problem = &plan->problem;
  const cb_geometry *geo = &problem->geo;
  cb_winograd_plan *st = cb_alloc_zeroed(sizeof *st);
  if (!st) return cb_fail_memory(sizeof *st, "a plan's cuts");
  if (!cb_winograd_describe(st, problem, forms) || !cb_winograd_cut(st, problem, plan->team)) {
    cb_free(st);
    return cb_fail(CNNBLAS_UNSUPPORTED, "%s does not fit the workspace", plan->algorithm->name);
  }
  plan->state = st;
  plan->tiling = (cb_tiling){.shared_bytes = cb_winograd_shared(st, problem),
                             .thread_bytes = st->parts.bytes,
                             .p_tile = st->form->outputs[0] * st->form->outputs[1],
                             .k_tile = CB_PANEL_VECTORS * st->kernels->lanes,
                             .q_tile = CB_WINOGRAD_CHAIN,
                             .tasks = cb_winograd_jobs(st, geo->n, geo->g),
                             .packs = !problem->packed};
  return CNNBLAS_OK;
}

static void work(cb_call *call)
{
  (call->plan->problem.direction == CNNBLAS_BACKWARD_WEIGHTS ? cb_winograd_dw_work : cb_winograd_work)(call);
}

static void release(cnnblas_conv_plan *plan)
{
  cb_free(plan->state);
}

#define DEFINE_ROW(M, NAME, ACCURACY, DIRECTIONS)                                                                      \
  static bool applies_##M(const cb_problem *problem, char *why, size_t size)                                           \
  {                                                                                                                    \
    return applies_with(problem, &cb_winograd_forms_##M, why, size);                                                   \
  }                                                                                                                    \
  static double cost_##M(const cb_problem *problem)                                                                    \
  {                                                                                                                    \
    return cost_with(problem, &cb_winograd_forms_##M);                                                                 \
  }                                                                                                                    \
  static cnnblas_status prepare_##M(cnnblas_conv_plan *plan)                                                           \
  {                                                                                                                    \
    return prepare_with(plan, &cb_winograd_forms_##M);                                                                 \
  }                                                                                                                    \
  const cb_algorithm cb_winograd_row_##M = {CB_NAMED(NAME),                                                            \
                                            .directions = DIRECTIONS,                                                  \
                                            .accuracy = ACCURACY,                                                      \
                                            .applies = applies_##M,                                                    \
                                            .cost = cost_##M,                                                          \
                                            .prepare = prepare_##M,                                                    \
                                            .release = release,                                                        \
                                            .work = work,                                                              \
                                            .packing = &cb_winograd_packing_##M};
DEFINE_ROW(2, "winograd", CNNBLAS_ACCURACY_NORM, CB_EVERY_DIRECTION)
DEFINE_ROW(3, "winograd_fast", CNNBLAS_ACCURACY_NORM_RELAXED, CB_FORWARD | CB_BACKWARD_DATA)
DEFINE_ROW(4, "winograd_fastest", CNNBLAS_ACCURACY_NORM_RELAXED, CB_FORWARD | CB_BACKWARD_DATA)
