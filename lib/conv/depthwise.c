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

#define REAL    float
#define NAME(x) x##_f32
#include "conv/depthwise_loops.h"

#define REAL    double
#define NAME(x) x##_f64
#include "conv/depthwise_loops.h"

enum { TAP_BLOCK = 64 }; /* taps of a weight gradient that are summed at a time */

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

/* Taps of one filter that are summed together: whole tap rows [row0, row1), and of each the taps [s0, s1). */
typedef struct {
  int64_t row0, row1, s0, s1;
} tap_block;

/* One block of taps over all images: each image is summed on its own first, so that no sum grows long. */
static void weights_block(const cb_call *call, int64_t ik, const tap_block *block)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_axis *a = geo->axis;
  int64_t width = block->s1 - block->s0, count = (block->row1 - block->row0) * width;
  int64_t dw = ik * geo->taps + block->row0 * a[2].taps + block->s0;
  union {
    float f32[TAP_BLOCK];
    double f64[TAP_BLOCK];
  } part = {.f64 = {0}};
  for (int64_t in = 0; in < call->n; in++) {
    for (int64_t row = 0; row < a[0].out * a[1].out; row++)
      for (int64_t tap_row = block->row0; tap_row < block->row1; tap_row++) {
        row_pair pair;
        if (!pair_rows(geo, row, tap_row, &pair)) continue;
        int64_t x = (in * geo->c + ik / geo->kg) * geo->image + pair.x, y = (in * geo->k + ik) * geo->p + pair.y;
        int64_t at = (tap_row - block->row0) * width;
        if (geo->dtype == CNNBLAS_F64)
          row_correlate_f64(part.f64 + at, (const double *)call->x + x, (const double *)call->dy + y, &a[2], block->s0,
                            block->s1);
        else
          row_correlate_f32(part.f32 + at, (const float *)call->x + x, (const float *)call->dy + y, &a[2], block->s0,
                            block->s1);
      }
    if (geo->dtype == CNNBLAS_F64)
      flush_f64((double *)call->out + dw, part.f64, count);
    else
      flush_f32((float *)call->out + dw, part.f32, count);
  }
}

static void weights_filter(const cb_call *call, int64_t ik)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_axis *a = geo->axis;
  void *dw = cb_at_mut(call->out, ik * geo->taps, geo->element);
  if (!call->accumulate) memset(dw, 0, (size_t)geo->taps * geo->element);
  int64_t tap_rows = a[0].taps * a[1].taps, width = cb_min(a[2].taps, TAP_BLOCK);
  int64_t rows = width < a[2].taps ? 1 : TAP_BLOCK / width; /* a block is contiguous in dw */
  for (int64_t row = 0; row < tap_rows; row += rows)
    for (int64_t s = 0; s < a[2].taps; s += width)
      weights_block(call, ik, &(tap_block){row, cb_min(row + rows, tap_rows), s, cb_min(s + width, a[2].taps)});
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
