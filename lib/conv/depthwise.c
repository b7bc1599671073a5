/*
 * Algorithm "depthwise": one input channel a group (groups == c), any multiplier kg. Direct, a row at a time; never a GEMM
 * a group.
 *
 *   forward          task: one plane of y              y[ik] = sum over taps of w[ik][t] * x[ik / kg] shifted by t
 *   input gradient   task: one plane of dx             dx[ic] += w[ik][t] * dy[ik], over the kg filters of the channel
 *   weight gradient  task: one filter, all images      dw[ik][t] = sum over images, rows of <x shifted by t, dy>
 */
#include "base/parallel.h"
#include "conv/epilogue.h"
#include "conv/plan.h"
#include <stdio.h>
#include <string.h>

enum { SUM_PIXELS = 1024 }; /* of a weight gradient, summed before they are added to the others */

/* Output rows [h0, h1) and columns [w0, w1) that a tap joins to input row oh * stride + row, column ow * stride + column. */
typedef struct {
  int64_t h0, h1, w0, w1, row, column;
} rows_shift;

#define REAL    float
#define NAME(x) x##_f32
#include "conv/depthwise_loops.h"

#define REAL    double
#define NAME(x) x##_f64
#include "conv/depthwise_loops.h"

static bool applies(const cb_problem *problem, char *why, size_t size)
{
  if (problem->geo.cg == 1) return true;
  snprintf(why, size, "for one input channel a group only; here it is %lld", (long long)problem->geo.cg);
  return false;
}

static double cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  return (double)geo->n * (double)geo->k * (double)geo->p * (double)geo->taps * 0.15e-9;
}

static int64_t tasks_of(const cb_problem *problem, int64_t n)
{
  const cb_geometry *geo = &problem->geo;
  if (problem->direction == CNNBLAS_FORWARD) return n * geo->k;
  return problem->direction == CNNBLAS_BACKWARD_DATA ? n * geo->c : geo->k;
}

static cnnblas_status prepare(cnnblas_conv_plan *plan)
{
  plan->tiling.tasks = tasks_of(&plan->problem, plan->problem.geo.n);
  return CNNBLAS_OK;
}

/* Every (output row, tap row) pair that meets inside the input: the output row's and input row's first elements, and the
   first tap of the tap row. */
typedef struct {
  int64_t y, x, t;
} row_pair;

static bool pair_rows(const cb_geometry *geo, int64_t row, int64_t tap_row, row_pair *pair)
{
  const cb_axis *a = geo->axis;
  int64_t od = row / a[1].out, oh = row % a[1].out, td = tap_row / a[1].taps, tr = tap_row % a[1].taps;
  int64_t id = od * a[0].stride + a[0].base + td * a[0].step, ih = oh * a[1].stride + a[1].base + tr * a[1].step;
  if (id < 0 || id >= a[0].in || ih < 0 || ih >= a[1].in) return false;
  *pair = (row_pair){row * a[2].out, (id * a[1].in + ih) * a[2].in, tap_row * a[2].taps};
  return true;
}

static void forward_plane(const cb_call *call, int64_t task)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_axis *a = geo->axis;
  int64_t in = task / geo->k, ik = task % geo->k, at = task * geo->p;
  int64_t x = (in * geo->c + ik / geo->kg) * geo->image, w = ik * geo->taps;
  if (!call->accumulate) memset(cb_at_mut(call->out, at, geo->element), 0, (size_t)geo->p * geo->element);
  for (int64_t row = 0; row < a[0].out * a[1].out; row++)
    for (int64_t tap_row = 0; tap_row < a[0].taps * a[1].taps; tap_row++) {
      row_pair pair;
      if (!pair_rows(geo, row, tap_row, &pair)) continue;
      if (geo->dtype == CNNBLAS_F64)
        row_add_f64((double *)call->out + at + pair.y, (const double *)call->x + x + pair.x,
                    (const double *)call->w + w + pair.t, &a[2]);
      else
        row_add_f32((float *)call->out + at + pair.y, (const float *)call->x + x + pair.x,
                    (const float *)call->w + w + pair.t, &a[2]);
    }
  cb_epilogue_apply(call, in, ik, ik + 1, 0, geo->p);
}

static void data_plane(const cb_call *call, int64_t task)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_axis *a = geo->axis;
  int64_t in = task / geo->c, ic = task % geo->c, at = task * geo->image;
  if (!call->accumulate) memset(cb_at_mut(call->out, at, geo->element), 0, (size_t)geo->image * geo->element);
  for (int64_t ik = ic * geo->kg; ik < (ic + 1) * geo->kg; ik++)
    for (int64_t row = 0; row < a[0].out * a[1].out; row++)
      for (int64_t tap_row = 0; tap_row < a[0].taps * a[1].taps; tap_row++) {
        row_pair pair;
        if (!pair_rows(geo, row, tap_row, &pair)) continue;
        int64_t y = (in * geo->k + ik) * geo->p + pair.y, w = ik * geo->taps + pair.t;
        if (geo->dtype == CNNBLAS_F64)
          row_scatter_f64((double *)call->out + at + pair.x, (const double *)call->dy + y, (const double *)call->w + w,
                          &a[2]);
        else
          row_scatter_f32((float *)call->out + at + pair.x, (const float *)call->dy + y, (const float *)call->w + w,
                          &a[2]);
      }
}

/* One filter over all images: a few thousand pixels are summed at a time, so that no sum grows long. */
static void weights_filter(const cb_call *call, int64_t ik)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_axis *a = geo->axis;
  void *dw = cb_at_mut(call->out, ik * geo->taps, geo->element);
  int64_t rows = cb_max(1, SUM_PIXELS / a[2].out);
  if (!call->accumulate) memset(dw, 0, (size_t)geo->taps * geo->element);
  for (int64_t in = 0; in < call->n; in++) {
    const void *x = cb_at(call->x, (in * geo->c + ik / geo->kg) * geo->image, geo->element);
    const void *y = cb_at(call->dy, (in * geo->k + ik) * geo->p, geo->element);
    for (int64_t od = 0; od < a[0].out; od++)
      for (int64_t h = 0; h < a[1].out; h += rows) {
        if (geo->dtype == CNNBLAS_F64)
          correlate_f64(geo, dw, x, y, od, h, cb_min(h + rows, a[1].out));
        else
          correlate_f32(geo, dw, x, y, od, h, cb_min(h + rows, a[1].out));
      }
  }
}

static void run_task(void *context, int64_t task, int worker)
{
  static void (*const loops[3])(const cb_call *, int64_t) = {forward_plane, data_plane, weights_filter};
  const cb_call *call = context;
  (void)worker;
  loops[call->plan->problem.direction](call, task);
}

static void run(const cb_call *call)
{
  cb_parallel_for(call->threads, tasks_of(&call->plan->problem, call->n), run_task, (void *)call);
}

const cb_algorithm cb_depthwise = {
    .name = "depthwise", .applies = applies, .cost = cost, .prepare = prepare, .run = run};
