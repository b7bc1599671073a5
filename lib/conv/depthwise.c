/*
 * Algorithm "depthwise": one input channel a group (groups == c), any multiplier kg. Direct, a plane at a time, on the
 * engine's plane kernels (gemm/planes.c); never a GEMM a group, and no workspace.
 *
 *   forward          y[ik]   = sum over taps of w[ik][t] * x[ik / kg] shifted by t
 *   input gradient   dx[ic]  = sum over its kg filters of the transpose of the same
 *   weight gradient  dw[ik][t] = sum over images of <x[ik / kg] shifted by t, dy[ik]>
 *
 * A task is some neighbouring planes of the output (or filters), enough of them to be worth a task.
 */
#include "base/parallel.h"
#include "conv/costs.h"
#include "conv/epilogue.h"
#include "conv/row.h"
#include "gemm/engine.h"
#include <stdio.h>
#include <string.h>

enum {
  TASK_ELEMENTS = 1 << 14, /* of the larger array that a task goes over, about */
  SUM_ROWS = 512           /* rows of a weight gradient that the kernel sums before they are added to the others */
};

/* The kernel whose number of taps the compiler does not know is another. */
static double cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  bool known = geo->taps == 9 && geo->axis[2].taps == 3 && geo->axis[2].stride <= 2;
  double y = (double)geo->n * (double)geo->k * (double)geo->p, x = (double)geo->n * (double)geo->c * (double)geo->image;
  double work[CB_WORK_KINDS] = {[CB_WORK_MAC] = y * (double)geo->taps,
                                [CB_WORK_READ] = x + y,
                                [CB_WORK_WEIGHTS] = (double)(geo->k * geo->taps),
                                [CB_WORK_ONCE] = 1};
  return cb_cost(known ? CB_COST_DEPTHWISE_3X3 : CB_COST_DEPTHWISE, problem, work);
}

/* Planes of a task; they divide the channels of an image, so that no task lies in two images. */
static int64_t planes_of(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  int64_t elements = cb_max(geo->image, geo->p), all = problem->direction == CNNBLAS_BACKWARD_DATA ? geo->c : geo->k;
  if (problem->direction == CNNBLAS_BACKWARD_WEIGHTS) elements *= cb_max(1, geo->n);
  int64_t parts = cb_ceil_div(all, cb_max(1, TASK_ELEMENTS / cb_max(1, elements)));
  while (all % parts) parts++;
  return all / parts;
}

static int64_t tasks_of(const cb_problem *problem, int64_t n)
{
  const cb_geometry *geo = &problem->geo;
  int64_t planes = planes_of(problem);
  if (problem->direction == CNNBLAS_FORWARD) return n * (geo->k / planes);
  return problem->direction == CNNBLAS_BACKWARD_DATA ? n * (geo->c / planes) : geo->k / planes;
}

static cnnblas_status prepare(cnnblas_conv_plan *plan)
{
  plan->tiling.k_tile = planes_of(&plan->problem);
  plan->tiling.tasks = tasks_of(&plan->problem, plan->problem.geo.n);
  return CNNBLAS_OK;
}

static cb_plane_axis forward_axis(const cb_axis *a)
{
  return (cb_plane_axis){a->in, a->out, a->taps, a->stride, a->base, a->step};
}

/* i = o * stride + base + t * step, solved for o: the input gradient's outputs are the positions i. */
static cb_plane_axis transposed_axis(const cb_axis *a)
{
  return (cb_plane_axis){a->out, a->in, a->taps, a->stride, -a->base, -a->step};
}

/* Element `at` of an array of `total` as the planes' x. */
static void point_x(cb_plane *plane, const void *array, int64_t at, int64_t total, size_t element)
{
  plane->x = cb_at(array, at, element);
  plane->before = at;
  plane->after = total - at;
}

/* y of `planes` planes from the source's depth planes that meet output depth o: source plane and output are those of
   depth 0. Returns with y zeroed, or left alone if it is added to, where no tap of the depth axis meets the input. */
typedef struct {
  const cb_call *call;
  cb_plane plane; /* without depth */
  const void *source;
  int64_t source_at, source_total, out_at, weight_at;
} planes_job;

static void run_depths(const planes_job *j, bool add)
{
  const cb_geometry *geo = &j->call->plan->problem.geo;
  const cb_engine *engine = cb_engine_get(geo->dtype);
  const cb_axis *depth = &geo->axis[0];
  bool up = j->plane.up;
  int64_t outs = up ? depth->in : depth->out, ins = up ? depth->out : depth->in;
  int64_t in_plane = j->plane.h.in * j->plane.w.in, out_plane = j->plane.h.out * j->plane.w.out;
  for (int64_t o = 0; o < outs; o++) {
    bool any = add;
    for (int64_t t = 0; t < depth->taps; t++) {
      int64_t place = up ? o - depth->base - t * depth->step : o * depth->stride + depth->base + t * depth->step;
      if (place < 0 || (up && place % depth->stride)) continue;
      int64_t i = up ? place / depth->stride : place;
      if (i >= ins) continue;
      cb_plane plane = j->plane;
      point_x(&plane, j->source, j->source_at + i * in_plane, j->source_total, geo->element);
      plane.y = cb_at_mut(j->call->out, j->out_at + o * out_plane, geo->element);
      plane.weights = cb_at(j->call->w, j->weight_at + t * plane.h.taps * plane.w.taps, geo->element);
      plane.add = any;
      engine->correlate(&plane);
      any = true;
    }
    for (int64_t n = 0; !any && n < j->plane.planes; n++)
      memset(cb_at_mut(j->call->out, j->out_at + n * j->plane.y_pitch + o * out_plane, geo->element), 0,
             (size_t)out_plane * geo->element);
  }
}

/* Planes go together where a plane of weights follows the other and one input plane belongs to each. */
static bool go_together(const cb_geometry *geo)
{
  return geo->kg == 1 && geo->axis[0].taps == 1;
}

static void forward_planes(const cb_call *call, int64_t task)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  int64_t planes = call->plan->tiling.k_tile, first = task * planes, in = first / geo->k, k0 = first % geo->k;
  int64_t together = go_together(geo) ? planes : 1;
  planes_job j = {.call = call,
                  .plane = {.h = forward_axis(&geo->axis[1]),
                            .w = forward_axis(&geo->axis[2]),
                            .planes = together,
                            .x_pitch = geo->image,
                            .y_pitch = geo->p},
                  .source = call->x,
                  .source_total = call->n * geo->c * geo->image};
  for (int64_t ik = k0; ik < k0 + planes; ik += together) {
    j.source_at = (in * geo->c + ik / geo->kg) * geo->image;
    j.out_at = (in * geo->k + ik) * geo->p;
    j.weight_at = ik * geo->taps;
    run_depths(&j, call->accumulate);
  }
  cb_epilogue_apply(call, in, k0, k0 + planes, 0, geo->p);
}

static void data_planes(const cb_call *call, int64_t task)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  int64_t planes = call->plan->tiling.k_tile, first = task * planes, in = first / geo->c, c0 = first % geo->c;
  int64_t together = go_together(geo) ? planes : 1;
  planes_job j = {.call = call,
                  .plane = {.h = transposed_axis(&geo->axis[1]),
                            .w = transposed_axis(&geo->axis[2]),
                            .up = true,
                            .planes = together,
                            .x_pitch = geo->p,
                            .y_pitch = geo->image},
                  .source = call->dy,
                  .source_total = call->n * geo->k * geo->p};
  for (int64_t ic = c0; ic < c0 + planes; ic += together)
    for (int64_t ik = ic * geo->kg; ik < ic * geo->kg + geo->kg; ik++) {
      j.source_at = (in * geo->k + ik) * geo->p;
      j.out_at = (in * geo->c + ic) * geo->image;
      j.weight_at = ik * geo->taps;
      run_depths(&j, call->accumulate || ik > ic * geo->kg);
    }
}

/* dw of filters [k0, k0 + count): some images at a time, so that no sum grows long. */
static void weigh_filters(const cb_call *call, int64_t k0, int64_t count)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_engine *engine = cb_engine_get(geo->dtype);
  const cb_axis *depth = &geo->axis[0];
  cb_plane plane = {.h = forward_axis(&geo->axis[1]),
                    .w = forward_axis(&geo->axis[2]),
                    .planes = count,
                    .x_pitch = geo->image,
                    .y_pitch = geo->p,
                    .x_image = geo->c * geo->image,
                    .y_image = geo->k * geo->p};
  int64_t taps = plane.h.taps * plane.w.taps, in_plane = plane.h.in * plane.w.in, out_plane = plane.h.out * plane.w.out;
  int64_t images = cb_max(1, SUM_ROWS / plane.h.out);
  for (int64_t in = 0; in < call->n; in += images)
    for (int64_t o = 0; o < depth->out; o++)
      for (int64_t t = 0; t < depth->taps; t++) {
        int64_t i = o * depth->stride + depth->base + t * depth->step;
        if (i < 0 || i >= depth->in) continue;
        plane.images = cb_min(images, call->n - in);
        point_x(&plane, call->x, (in * geo->c + k0 / geo->kg) * geo->image + i * in_plane,
                call->n * geo->c * geo->image, geo->element);
        /* only read there */
        plane.y = (void *)(uintptr_t)cb_at(call->dy, (in * geo->k + k0) * geo->p + o * out_plane, geo->element);
        engine->correlate_weights(&plane, cb_at_mut(call->out, k0 * geo->taps + t * taps, geo->element));
      }
}

static void weights_planes(const cb_call *call, int64_t task)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  int64_t planes = call->plan->tiling.k_tile, first = task * planes, together = go_together(geo) ? planes : 1;
  if (!call->accumulate)
    memset(cb_at_mut(call->out, first * geo->taps, geo->element), 0, (size_t)(planes * geo->taps) * geo->element);
  for (int64_t ik = first; ik < first + planes; ik += together) weigh_filters(call, ik, together);
}

static void run_task(void *context, int64_t task, int worker)
{
  static void (*const loops[3])(const cb_call *, int64_t) = {forward_planes, data_planes, weights_planes};
  const cb_call *call = context;
  (void)worker;
  loops[call->plan->problem.direction](call, task);
}

static void work(cb_call *call)
{
  cb_call_add(call, tasks_of(&call->plan->problem, call->n), run_task);
}

const cb_algorithm cb_depthwise = {
    CB_NAMED("depthwise"),
    .directions = CB_EVERY_DIRECTION,
    .scope = CNNBLAS_SCOPE_DEPTHWISE,
    .residual_apart = true,
    .cost = cost,
    .prepare = prepare,
    .work = work,
};
