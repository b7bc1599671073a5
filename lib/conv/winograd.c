/*
 * Rows "winograd*": minimal filtering at stride 1, fewer multiplications than the definition has: 4/9 with tiles of 2 x 2. The
 * sums are norm-wise accurate (include/cnnblas/conv.h). Lavin and Gray, 2016; the points are chosen as in Barabasz et al., Error
 * Analysis and Improving the Accuracy of Winograd Convolution, 2020: to keep the transforms' amplification low.
 */
#include "conv/winograd.h"
#include "base/memory.h"
#include "base/status.h"
#include <math.h>
#include <stdio.h>

static const cb_winograd_forms exact_forms = {CB_WINOGRAD_2X2, CB_WINOGRAD_2};

static bool applies_with(const cb_problem *problem, const cb_winograd_forms *forms, char *why, size_t size)
{
  cb_winograd_plan st = {.kernels = NULL};
  if (!cb_winograd_describe(&st, problem, forms, why, size)) return false;
  if (cb_winograd_cut(&st, problem, 1)) return true;
  snprintf(why, size, "it needs a workspace of %zu bytes a thread",
           st.parts.bytes + CB_ALIGN + (problem->limited ? st.weights_bytes : 0));
  return false;
}

static bool applies(const cb_problem *problem, char *why, size_t size)
{
  return applies_with(problem, &exact_forms, why, size);
}

static double cost(const cb_problem *problem)
{
  (void)problem;
  return INFINITY;
}

static cnnblas_status prepare_with(cnnblas_conv_plan *plan, const cb_winograd_forms *forms)
{
  const cb_problem *problem = &plan->problem;
  const cb_geometry *geo = &problem->geo;
  char why[128];
  cb_winograd_plan *st = cb_alloc_zeroed(sizeof *st);
  if (!st) return cb_fail_memory(sizeof *st, "a plan's cuts");
  if (!cb_winograd_describe(st, problem, forms, why, sizeof why) || !cb_winograd_cut(st, problem, plan->team)) {
    cb_free(st);
    return cb_fail(CNNBLAS_UNSUPPORTED, "%s does not fit the workspace", plan->algorithm->name);
  }
  plan->state = st;
  plan->tiling = (cb_tiling){.shared_bytes = problem->packed ? 0 : st->weights_bytes,
                             .thread_bytes = st->parts.bytes,
                             .p_tile = st->form->outputs[0] * st->form->outputs[1],
                             .k_tile = CB_PANEL_VECTORS * st->kernels->lanes,
                             .q_tile = CB_WINOGRAD_CHAIN,
                             .tasks = cb_winograd_blocks(st, geo->n) * geo->g * st->deals,
                             .packs = !problem->packed};
  return CNNBLAS_OK;
}

static cnnblas_status prepare(cnnblas_conv_plan *plan)
{
  return prepare_with(plan, &exact_forms);
}

static void release(cnnblas_conv_plan *plan)
{
  cb_free(plan->state);
}

const cb_algorithm cb_winograd_row = {CB_NAMED("winograd"),
                                      .directions = CB_FORWARD | CB_BACKWARD_DATA,
                                      .accuracy = CNNBLAS_ACCURACY_NORM,
                                      .by_name_only = true,
                                      .applies = applies,
                                      .cost = cost,
                                      .prepare = prepare,
                                      .release = release,
                                      .work = cb_winograd_work};
