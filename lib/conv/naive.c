/*
 * Algorithm "naive": what a first implementation looks like, one thread, sums in the arrays' own type. It is the
 * baseline of benchmarks. Its error grows with the number of terms as a plain sum's does.
 */
#include "conv/row.h"
#include <string.h>

/* The taps [t0, t1) of each axis that fall inside the image for one output pixel: their number, and the element of a
   channel's plane and of a filter's plane where the first one falls. */
typedef struct {
  int64_t taps[3], plane, filter;
} window;

static window window_at(const cb_geometry *geo, int64_t p)
{
  const cb_axis *a = geo->axis;
  int64_t o[3] = {p / a[2].out / a[1].out, p / a[2].out % a[1].out, p % a[2].out};
  window win = {0};
  for (int i = 0; i < 3; i++) {
    int64_t first = o[i] * a[i].stride + a[i].base, t0 = 0, t1 = a[i].taps;
    while (t0 < t1 && (first + t0 * a[i].step < 0 || first + t0 * a[i].step >= a[i].in)) t0++;
    while (t1 > t0 && (first + (t1 - 1) * a[i].step < 0 || first + (t1 - 1) * a[i].step >= a[i].in)) t1--;
    if (t0 == t1) return (window){0}; /* an empty window's places may not fit in 63 bits */
    win.taps[i] = t1 - t0;
    win.plane = win.plane * a[i].in + first + t0 * a[i].step;
    win.filter = win.filter * a[i].taps + t0;
  }
  return win;
}

/* Elements from one tap of each axis to the next, in a channel's plane and in a filter's plane. */
typedef struct {
  int64_t plane[3], filter[3];
} hops;

/* The step between an axis's taps, or 0 if it leads out of the image from anywhere: such a step is never used, and its
   products may not fit in 63 bits. */
static int64_t step_inside(const cb_axis *a)
{
  return a->step > -a->in && a->step < a->in ? a->step : 0;
}

static hops hops_of(const cb_geometry *geo)
{
  const cb_axis *a = geo->axis;
  return (hops){.plane = {step_inside(&a[0]) * a[1].in * a[2].in, step_inside(&a[1]) * a[2].in, step_inside(&a[2])},
                .filter = {a[1].taps * a[2].taps, a[2].taps, 1}};
}

#define REAL    float
#define NAME(x) x##_f32
#include "conv/naive_loops.h"

#define REAL    double
#define NAME(x) x##_f64
#include "conv/naive_loops.h"

static double cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  return 1e-9 * (double)geo->n * (double)geo->k * (double)geo->p * (double)geo->q;
}

static cnnblas_status prepare(cnnblas_conv_plan *plan)
{
  plan->tiling.tasks = 1;
  return CNNBLAS_OK;
}

static void run_task(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_problem *problem = &call->plan->problem;
  const cb_geometry *geo = &problem->geo;
  (void)task, (void)worker;
  bool f64 = geo->dtype == CNNBLAS_F64;
  if (problem->direction == CNNBLAS_FORWARD) {
    (f64 ? forward_f64 : forward_f32)(call);
    return;
  }
  int64_t outputs = problem->direction == CNNBLAS_BACKWARD_DATA ? call->n * geo->c * geo->image : geo->k * geo->q;
  if (!call->accumulate) memset(call->out, 0, (size_t)outputs * geo->element);
  (f64 ? backward_f64 : backward_f32)(call);
}

static void work(cb_call *call)
{
  cb_call_add(call, 1, run_task);
}

const cb_algorithm cb_naive = {
    CB_NAMED("naive"),    .directions = CB_EVERY_DIRECTION, .one_thread = true, .accuracy = CNNBLAS_ACCURACY_CHAIN,
    .by_name_only = true, .scope = CNNBLAS_SCOPE_EVERY,     .cost = cost,       .prepare = prepare,
    .work = work,
};
