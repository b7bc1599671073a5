/*
 * Algorithms "depthwise", one input channel a group (groups == c) and any multiplier kg, and "direct", few channels a
 * group: on the engine's plane kernels (gemm/planes.c), which read x where it lies or copy a few of its rows; never a
 * GEMM a group, and no workspace.
 *
 *   forward          y[ik]     = sum over the group's channels and taps of w[ik][ic][t] * x[ic] shifted by t
 *   input gradient   dx[ic]    = sum over the group's filters of the transpose of the same
 *   weight gradient  dw[ik][t] = sum over images of <x[ik / kg] shifted by t, dy[ik]>      (depthwise alone)
 *
 * A task is some neighbouring groups of an image, or some rows and outputs of one: enough to be worth a task. How the
 * work is cut moves no bit, since an output's additions have one order wherever it is made.
 */
#include "base/parallel.h"
#include "conv/costs.h"
#include "conv/epilogue.h"
#include "conv/row.h"
#include "gemm/engine.h"
#include <stdio.h>
#include <string.h>

enum {
  TASK_ELEMENTS = 1 << 14, /* elements, about, of the larger array that a task goes over */
  OUTPUTS_AT_ONCE = 4,     /* outputs of a group that the kernel computes at once */
  DIRECT_CHANNELS = 16,    /* the most channels or filters of a group, for "direct" */
  DIRECT_OUTPUTS = 4,      /* the most outputs of a group of more channels, for "direct" at stride 1 */
  LEAST_ROWS = 14,         /* rows of a task are a multiple of these */
  WIDE_VECTORS = 16,       /* vectors of a row: of more, gemm/planes.c takes strips before squares */
  HEAVY_TERMS = 32,        /* terms of an output: of more, its task has fewer outputs */
  SUM_ROWS = 512,          /* rows of a weight gradient that the kernel sums before they are added to the others */
  SUM_CHAIN = 7168         /* the most terms of those rows that a lane adds; of wide rows it takes fewer */
};

static bool in_reach(const cb_problem *problem, char *why, size_t size)
{
  if (cb_geometry_in_reach(&problem->geo)) return true;
  snprintf(why, size, "its strides or dilations reach too far");
  return false;
}

/* True for long rows at stride 1, which gemm/planes_strips.c does. */
static bool has_strips(const cb_problem *problem)
{
  const cb_axis *h = &problem->geo.axis[1], *w = &problem->geo.axis[2];
  const int64_t outs = problem->direction == CNNBLAS_BACKWARD_DATA ? w->in : w->out;
  return problem->direction != CNNBLAS_BACKWARD_WEIGHTS && h->stride == 1 && w->stride == 1 &&
         outs >= cb_engine_get(problem->geo.dtype)->lanes;
}

static bool direct_applies(const cb_problem *problem, char *why, size_t size)
{
  const cb_geometry *geo = &problem->geo;
  const int64_t most = cb_max(geo->cg, geo->kg);
  const bool few = (problem->direction == CNNBLAS_BACKWARD_DATA ? geo->cg : geo->kg) <= DIRECT_OUTPUTS;
  if (geo->cg == 1)
    snprintf(why, size, "for one input channel a group there is depthwise");
  else if (most > DIRECT_CHANNELS && !(few && has_strips(problem)))
    snprintf(why, size, "for at most %d channels and filters a group, or %d at stride 1; here it is %lld",
             (int)DIRECT_CHANNELS, (int)DIRECT_OUTPUTS, (long long)most);
  else
    return in_reach(problem, why, size);
  return false;
}

/* True for taps that gemm/planes_square.c or gemm/planes_down.c has unrolled. */
static bool is_square(const cb_geometry *geo)
{
  const cb_axis *h = &geo->axis[1], *w = &geo->axis[2];
  return (h->taps == 3 || h->taps == 5) && h->taps == w->taps && h->stride == w->stride && h->stride <= 2 &&
         (h->step == 1 || h->step == -1) && (w->step == 1 || w->step == -1);
}

/* How many times as many lanes as elements the vectors of a row of `outs` have: narrow rows share a vector. */
static double on_lanes(const cb_geometry *geo, int64_t outs)
{
  const int64_t lanes = cb_engine_get(geo->dtype)->lanes;
  return outs > lanes / 2 ? (double)cb_round_up(outs, lanes) / (double)outs : 1;
}

/* True for 3 x 3 taps down columns, where vector registers are few (gemm/planes_down.c). */
static bool goes_down(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  const cb_axis *h = &geo->axis[1], *w = &geo->axis[2];
  const bool few = !cb_engine_get(geo->dtype)->rows[4];
  if (!few || h->taps != 3 || w->taps != 3) return false;
  return (h->stride == 1 && w->stride == 1) || (is_square(geo) && problem->direction != CNNBLAS_BACKWARD_DATA);
}

/* Counts columns of a vector's width: their multiply-adds, what they store for each plane that they read, and the columns. */
static double down_cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  const cb_axis *a = geo->axis;
  const bool data = problem->direction == CNNBLAS_BACKWARD_DATA,
             weights = problem->direction == CNNBLAS_BACKWARD_WEIGHTS;
  const double y = (double)geo->n * (double)geo->k * (double)geo->p,
               x = (double)geo->n * (double)geo->c * (double)geo->image;
  const int64_t lanes = cb_engine_get(geo->dtype)->lanes, width = data ? a[2].in : a[2].out;
  const double rows = data ? (double)(a[0].in * a[1].in) : (double)(a[0].out * a[1].out);
  const int64_t vectors = cb_ceil_div(width, lanes);
  /* pairs of a plane that is read and one that is made; a weight gradient has both from memory */
  const double pairs = (double)geo->n * (double)geo->k * (double)geo->cg * (double)a[0].taps;
  return cb_cost(CB_COST_DOWN, problem,
                 (double[CB_WORK_KINDS]){[CB_WORK_MAC] = 9 * pairs * rows * (double)(vectors * lanes),
                                         [CB_WORK_STORE] = weights ? 0 : pairs * rows * (double)width,
                                         [CB_WORK_READ] = weights ? x + y
                                                          : data  ? y
                                                                  : x,
                                         [CB_WORK_WEIGHTS] = (double)(geo->k * geo->q),
                                         [CB_WORK_CALLS] = pairs * (double)vectors,
                                         [CB_WORK_ONCE] = 1});
}

static double cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  const bool data = problem->direction == CNNBLAS_BACKWARD_DATA;
  const double y = (double)geo->n * (double)geo->k * (double)geo->p,
               x = (double)geo->n * (double)geo->c * (double)geo->image;
  double work[CB_WORK_KINDS] = {[CB_WORK_MAC] =
                                    y * (double)geo->q * on_lanes(geo, data ? geo->axis[2].in : geo->axis[2].out),
                                [CB_WORK_STORE] = data ? x : y,
                                [CB_WORK_READ] = data ? y : x,
                                [CB_WORK_WEIGHTS] = (double)(geo->k * geo->q),
                                [CB_WORK_ONCE] = 1};
  const bool several = (data ? geo->cg : geo->kg) > 1 && problem->direction != CNNBLAS_BACKWARD_WEIGHTS;
  const bool wide = has_strips(problem) && geo->axis[2].out > WIDE_VECTORS * cb_engine_get(geo->dtype)->lanes;
  if (!wide && goes_down(problem)) return down_cost(problem);
  const bool square = is_square(geo) && geo->kg == 1 && geo->cg == 1 && geo->axis[0].taps == 1 && !wide;
  if (!square && has_strips(problem)) { /* each row of taps is a loop of its own, and what is read lies in memory */
    work[CB_WORK_READ] += work[CB_WORK_STORE];
    work[CB_WORK_STORE] *= (double)((data ? geo->kg : geo->cg) * geo->axis[0].taps * geo->axis[1].taps);
  }
  return cb_cost(square                ? CB_COST_DEPTHWISE_SQUARE
                 : has_strips(problem) ? CB_COST_STRIPS
                 : several             ? CB_COST_PLANES
                                       : CB_COST_DEPTHWISE,
                 problem, work);
}

/* How forward and input gradient are cut: a task has some groups, or some outputs and rows of one. */
typedef struct {
  int64_t outs, sources;                        /* planes of a group that are computed; planes that are read */
  int64_t groups, outputs, rows;                /* the most groups, outputs and rows of a task */
  int64_t group_parts, output_parts, row_parts; /* parts that groups, outputs and rows are cut into */
} cut;

/* The size of the larger of about equal parts of `count`, each of at most `most`: if there are several, their number is
   a multiple of four, so that few threads end together. */
static int64_t part_of(int64_t count, int64_t most)
{
  const int64_t parts = cb_ceil_div(count, most);
  return cb_ceil_div(count, parts > 1 ? cb_round_up(parts, 4) : 1);
}

static cut cut_of(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  const bool data = problem->direction == CNNBLAS_BACKWARD_DATA;
  const int64_t out = data ? geo->image : geo->p, in = data ? geo->p : geo->image;
  const int64_t rows = data ? geo->axis[1].in : geo->axis[1].out;
  cut c = {.outs = data ? geo->cg : geo->kg, .sources = data ? geo->kg : geo->cg};
  const int64_t larger = cb_max(out * c.outs, in * c.sources);
  c.groups = part_of(geo->g, cb_max(1, TASK_ELEMENTS / larger));
  c.outputs = c.outs;
  c.rows = rows;
  if (c.groups == 1 && c.outs > OUTPUTS_AT_ONCE && out > TASK_ELEMENTS / OUTPUTS_AT_ONCE / 4)
    c.outputs = cb_min(c.outs, cb_round_up(cb_max(1, TASK_ELEMENTS / out), OUTPUTS_AT_ONCE));
  const int64_t row = out / rows * c.outputs * cb_max(1, c.sources * geo->taps / HEAVY_TERMS);
  if (c.groups == 1 && geo->axis[0].taps == 1 && row * rows > 2 * TASK_ELEMENTS)
    c.rows = cb_min(rows, cb_round_up(cb_max(1, TASK_ELEMENTS / row), LEAST_ROWS));
  c.group_parts = cb_ceil_div(geo->g, c.groups);
  c.output_parts = cb_ceil_div(c.outs, c.outputs);
  c.row_parts = cb_ceil_div(rows, c.rows);
  return c;
}

static int64_t tasks_of_images(const cb_problem *problem, int64_t n)
{
  const cut c = cut_of(problem);
  return n * c.group_parts * c.output_parts * c.row_parts;
}

/* Filters of a task of the weight gradient; the last task may have fewer. */
static int64_t filters_of(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  const int64_t elements = cb_max(geo->image, geo->p) * cb_max(1, geo->n);
  return part_of(geo->k, cb_max(1, TASK_ELEMENTS / elements));
}

static cnnblas_status prepare(cnnblas_conv_plan *plan)
{
  const cb_problem *problem = &plan->problem;
  if (problem->direction == CNNBLAS_BACKWARD_WEIGHTS) {
    plan->tiling.k_tile = filters_of(problem);
    plan->tiling.tasks = cb_ceil_div(problem->geo.k, plan->tiling.k_tile);
    return CNNBLAS_OK;
  }
  const cut c = cut_of(problem);
  plan->tiling.p_tile =
      c.rows * (problem->direction == CNNBLAS_FORWARD ? problem->geo.axis[2].out : problem->geo.axis[2].in);
  plan->tiling.k_tile = c.groups * c.outputs;
  plan->tiling.tasks = tasks_of_images(problem, problem->geo.n);
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

/* The taps of the depth axis that meet depth o of the result: the first tap, how many taps, tap numbers from one to the
   next; the depth at which the first tap reads, and how far from it the next one reads. */
typedef struct {
  int64_t tap, count, step, place, place_step;
} depth_taps;

static depth_taps depth_taps_of(const cb_plane_axis *a, bool up, int64_t o)
{
  depth_taps d = {0};
  for (int64_t t = 0; t < a->taps; t++) {
    int64_t place = (up ? o : o * a->stride) + a->base + t * a->step;
    if (up && place % a->stride) continue;
    if (up) place /= a->stride;
    if (place < 0 || place >= a->in) continue;
    if (d.count == 0) {
      d.tap = t;
      d.place = place;
    } else if (d.count == 1) {
      d.step = t - d.tap;
      d.place_step = place - d.place;
    }
    d.count++;
  }
  return d;
}

/* The planes of a task, but for what depends on depth; source and out are at depth 0 of its image and first group. */
typedef struct {
  cb_plane plane;
  const void *source;
  void *out;
  int64_t before, after;       /* elements of source's array before it, and from it to the array's end */
  int64_t in_plane, out_plane; /* elements of one depth of source and out */
} planes_job;

static void run_depth(const cb_call *call, const planes_job *j, const cb_plane_axis *depth, int64_t o)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const depth_taps d = depth_taps_of(depth, j->plane.up, o);
  cb_plane plane = j->plane;
  plane.x = cb_at(j->source, d.place * j->in_plane, geo->element);
  plane.before = j->before + d.place * j->in_plane;
  plane.after = j->after - d.place * j->in_plane;
  plane.y = cb_at_mut(j->out, o * j->out_plane, geo->element);
  plane.weights = cb_at(plane.weights, d.tap * plane.h.taps * plane.w.taps, geo->element);
  plane.depths = d.count;
  plane.x_depth = d.place_step * j->in_plane;
  plane.weight_depth = d.step * plane.h.taps * plane.w.taps;
  if (d.count > 0) {
    cb_engine_get(geo->dtype)->correlate(&plane);
    return;
  }
  for (int64_t g = 0; !plane.add && g < plane.planes; g++)
    for (int64_t m = 0; m < plane.outs; m++)
      memset(cb_at_mut(plane.y, g * plane.y_pitch + m * plane.y_out, geo->element), 0,
             (size_t)(plane.h.out * plane.w.out) * geo->element);
}

/* task = ((image * group parts + group part) * output parts + output part) * row parts + row part. */
static void run_images(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_problem *problem = &call->plan->problem;
  const cb_geometry *geo = &problem->geo;
  const bool data = problem->direction == CNNBLAS_BACKWARD_DATA;
  const cut c = cut_of(problem);
  (void)worker;
  const int64_t row = task % c.row_parts * c.rows, rest = task / c.row_parts;
  const int64_t output = rest % c.output_parts * c.outputs, groups = rest / c.output_parts;
  const int64_t g0 = groups % c.group_parts * c.groups, in = groups / c.group_parts;
  const int64_t out_image = data ? geo->image : geo->p, in_image = data ? geo->p : geo->image;
  cb_plane_axis axis[3];
  for (int i = 0; i < 3; i++) axis[i] = data ? transposed_axis(&geo->axis[i]) : forward_axis(&geo->axis[i]);
  const int64_t all_rows = axis[1].out, rows = cb_min(c.rows, all_rows - row),
                outputs = cb_min(c.outputs, c.outs - output);
  planes_job j = {.in_plane = axis[1].in * axis[2].in, .out_plane = all_rows * axis[2].out};
  axis[1].base += data ? row : row * axis[1].stride;
  axis[1].out = rows;
  j.plane = (cb_plane){.h = axis[1],
                       .w = axis[2],
                       .up = data,
                       .planes = cb_min(c.groups, geo->g - g0),
                       .x_pitch = c.sources * in_image,
                       .y_pitch = c.outs * out_image,
                       .weight_pitch = geo->kg * geo->q,
                       .channels = c.sources,
                       .x_channel = in_image,
                       .weight_channel = data ? geo->q : geo->taps,
                       .outs = outputs,
                       .y_out = out_image,
                       .weight_out = data ? geo->taps : geo->q,
                       .add = call->accumulate};
  const int64_t first = (in * geo->g + g0) * c.outs + output;
  j.before = (in * geo->g + g0) * c.sources * in_image;
  j.after = call->n * geo->g * c.sources * in_image - j.before;
  j.source = cb_at(data ? call->dy : call->x, j.before, geo->element);
  j.out = cb_at_mut(call->out, first * out_image + row * axis[2].out, geo->element);
  j.plane.weights = cb_at(call->w, g0 * geo->kg * geo->q + output * j.plane.weight_out, geo->element);
  const int64_t k0 = first - in * geo->k, count = c.groups > 1 ? j.plane.planes * c.outs : outputs;
  for (int64_t o = 0; o < axis[0].out; o++) {
    run_depth(call, &j, &axis[0], o);
    const int64_t p0 = o * j.out_plane + row * axis[2].out;
    if (!data) cb_epilogue_apply(call, in, k0, k0 + count, p0, p0 + rows * axis[2].out);
  }
}

/* Points the planes' x to element `at` of an array of `total` elements. */
static void point_x(cb_plane *plane, const void *array, int64_t at, int64_t total, size_t element)
{
  plane->x = cb_at(array, at, element);
  plane->before = at;
  plane->after = total - at;
}

/* True if the kernel takes several filters' planes at once: their weights follow each other, and each has its input
   plane. */
static bool go_together(const cb_geometry *geo)
{
  return geo->kg == 1 && geo->axis[0].taps == 1;
}

/* Adds to dw of filters [k0, k0 + count), some images at a time, so that no sum grows long. */
static void weigh_filters(const cb_call *call, int64_t k0, int64_t count)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_engine *engine = cb_engine_get(geo->dtype);
  const cb_axis *depth = &geo->axis[0];
  cb_plane plane = {.h = forward_axis(&geo->axis[1]),
                    .w = forward_axis(&geo->axis[2]),
                    .planes = count,
                    .channels = 1,
                    .depths = 1,
                    .outs = 1,
                    .x_pitch = geo->image,
                    .y_pitch = geo->p,
                    .x_image = geo->c * geo->image,
                    .y_image = geo->k * geo->p};
  int64_t taps = plane.h.taps * plane.w.taps, in_plane = plane.h.in * plane.w.in, out_plane = plane.h.out * plane.w.out;
  int64_t rows = cb_min(SUM_ROWS, SUM_CHAIN / cb_ceil_div(plane.w.out, engine->lanes));
  int64_t images = cb_max(1, rows / plane.h.out);
  for (int64_t in = 0; in < call->n; in += images)
    for (int64_t o = 0; o < depth->out; o++)
      for (int64_t t = 0; t < depth->taps; t++) {
        int64_t i = o * depth->stride + depth->base + t * depth->step;
        if (i < 0 || i >= depth->in) continue;
        plane.images = cb_min(images, call->n - in);
        point_x(&plane, call->x, (in * geo->c + k0 / geo->kg) * geo->image + i * in_plane,
                call->n * geo->c * geo->image, geo->element);
        /* the kernel only reads plane.y */
        plane.y = (void *)(uintptr_t)cb_at(call->dy, (in * geo->k + k0) * geo->p + o * out_plane, geo->element);
        engine->correlate_weights(&plane, cb_at_mut(call->out, k0 * geo->taps + t * taps, geo->element));
      }
}

static void run_filters(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_geometry *geo = &call->plan->problem.geo;
  const int64_t tile = call->plan->tiling.k_tile, first = task * tile, planes = cb_min(tile, geo->k - first);
  const int64_t together = go_together(geo) ? planes : 1;
  (void)worker;
  if (!call->accumulate)
    memset(cb_at_mut(call->out, first * geo->taps, geo->element), 0, (size_t)(planes * geo->taps) * geo->element);
  for (int64_t ik = first; ik < first + planes; ik += together) weigh_filters(call, ik, together);
}

static void work(cb_call *call)
{
  const cb_problem *problem = &call->plan->problem;
  if (problem->direction == CNNBLAS_BACKWARD_WEIGHTS)
    cb_call_add(call, call->plan->tiling.tasks, run_filters);
  else
    cb_call_add(call, tasks_of_images(problem, call->n), run_images);
}

const cb_algorithm cb_depthwise = {
    CB_NAMED("depthwise"),
    .directions = CB_EVERY_DIRECTION,
    .scope = CNNBLAS_SCOPE_DEPTHWISE,
    .residual_apart = true,
    .applies = in_reach,
    .cost = cost,
    .prepare = prepare,
    .work = work,
};

const cb_algorithm cb_direct = {
    CB_NAMED("direct"),          .directions = CB_FORWARD | CB_BACKWARD_DATA,
    .scope = CNNBLAS_SCOPE_SOME, .residual_apart = true,
    .applies = direct_applies,   .cost = cost,
    .prepare = prepare,          .work = work,
};
