/*
 * Algorithm "implicit_gemm": a GEMM whose lowered operand is never materialised. The lowered matrix is a table of
 * addresses into a zero-padded band of the input, and the micro-kernel walks it (gemm/engine.h, conv/gather.h). The
 * algorithms' table has a row for each orientation, that is for what lies on the vectors' lanes. The other files plan
 * and run them.
 */
#include "base/memory.h"
#include "conv/implicit_dw.h"
#include "conv/implicit_map.h"
#include "conv/implicit_map_images.h"
#include <stdio.h>

static bool gradient_of_weights(const cb_problem *problem)
{
  return problem->direction == CNNBLAS_BACKWARD_WEIGHTS;
}

static bool refuse(const char *reason, char *why, size_t size)
{
  snprintf(why, size, "%s", reason);
  return false;
}

static bool in_reach(const cb_problem *problem, char *why, size_t size)
{
  return cb_geometry_in_reach(&problem->geo) || refuse("its offsets exceed 31 bits", why, size);
}

static bool channels_apply(const cb_problem *problem, char *why, size_t size)
{
  if (!in_reach(problem, why, size)) return false;
  return gradient_of_weights(problem) ? cb_dw_apply(problem, false, why, size)
                                      : cb_map_apply(problem, false, why, size);
}

static double channels_cost(const cb_problem *problem)
{
  return gradient_of_weights(problem) ? cb_dw_cost(problem, false) : cb_map_cost(problem, false);
}

static cnnblas_status channels_prepare(cnnblas_conv_plan *plan)
{
  return gradient_of_weights(&plan->problem) ? cb_dw_prepare(plan, false) : cb_map_prepare(plan, false);
}

static bool pixels_apply(const cb_problem *problem, char *why, size_t size)
{
  return in_reach(problem, why, size) && cb_map_apply(problem, true, why, size);
}

static double pixels_cost(const cb_problem *problem)
{
  return cb_map_cost(problem, true);
}

static cnnblas_status pixels_prepare(cnnblas_conv_plan *plan)
{
  return cb_map_prepare(plan, true);
}

static bool images_apply(const cb_problem *problem, char *why, size_t size)
{
  if (!in_reach(problem, why, size)) return false;
  const char *reason = gradient_of_weights(problem) ? cb_dw_images_why_not(problem) : cb_map_images_why_not(problem);
  return !reason || refuse(reason, why, size);
}

static double images_cost(const cb_problem *problem)
{
  return gradient_of_weights(problem) ? cb_dw_images_cost(problem) : cb_map_images_cost(problem);
}

static cnnblas_status images_prepare(cnnblas_conv_plan *plan)
{
  return gradient_of_weights(&plan->problem) ? cb_dw_images_prepare(plan) : cb_map_images_prepare(plan);
}

static bool inputs_apply(const cb_problem *problem, char *why, size_t size)
{
  return in_reach(problem, why, size) && cb_dw_apply(problem, true, why, size);
}

static double inputs_cost(const cb_problem *problem)
{
  return cb_dw_cost(problem, true);
}

static cnnblas_status inputs_prepare(cnnblas_conv_plan *plan)
{
  return cb_dw_prepare(plan, true);
}

static void release(cnnblas_conv_plan *plan)
{
  cb_free(plan->state);
}

static void channels_work(cb_call *call)
{
  (gradient_of_weights(&call->plan->problem) ? cb_dw_work : cb_map_work)(call);
}

static void images_work(cb_call *call)
{
  (gradient_of_weights(&call->plan->problem) ? cb_dw_images_work : cb_map_images_work)(call);
}

/* Output channels lie on the lanes: k in a forward and a weight gradient, c in an input gradient. */
const cb_algorithm cb_implicit_channels = {CB_ORIENTED("implicit_gemm", "channels"),
                                           .directions = CB_EVERY_DIRECTION,
                                           .scope = CNNBLAS_SCOPE_ROOM,
                                           .applies = channels_apply,
                                           .cost = channels_cost,
                                           .prepare = channels_prepare,
                                           .release = release,
                                           .work = channels_work,
                                           .packing = &cb_implicit_packing};

/* Pixels of the output lie on the lanes: p in a forward, d h w in an input gradient; a weight gradient is a sum over
   them. */
const cb_algorithm cb_implicit_pixels = {CB_ORIENTED("implicit_gemm", "pixels"),
                                         .directions = CB_FORWARD | CB_BACKWARD_DATA,
                                         .scope = CNNBLAS_SCOPE_ROOM,
                                         .applies = pixels_apply,
                                         .cost = pixels_cost,
                                         .prepare = pixels_prepare,
                                         .release = release,
                                         .work = cb_map_work,
                                         .packing = &cb_implicit_packing};

/* Images of the batch lie on the lanes. */
const cb_algorithm cb_implicit_images = {CB_ORIENTED("implicit_gemm", "images"),
                                         .directions = CB_EVERY_DIRECTION,
                                         .applies = images_apply,
                                         .cost = images_cost,
                                         .prepare = images_prepare,
                                         .release = release,
                                         .work = images_work,
                                         .by_batch = true};

/* Input channels lie on the lanes, of a weight gradient only. */
const cb_algorithm cb_implicit_inputs = {CB_ORIENTED("implicit_gemm", "inputs"),
                                         .directions = CB_BACKWARD_WEIGHTS,
                                         .scope = CNNBLAS_SCOPE_ONE_TAP,
                                         .applies = inputs_apply,
                                         .cost = inputs_cost,
                                         .prepare = inputs_prepare,
                                         .release = release,
                                         .work = cb_dw_work};
