/* The plan as text for people. */
#include "base/status.h"
#include "conv/algorithms.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

typedef struct {
  char *buffer;
  size_t size, used; /* used: bytes of the whole text, closing zero not counted */
} text;

static void __attribute__((format(printf, 2, 3))) say(text *t, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  size_t left = t->used < t->size ? t->size - t->used : 0;
  int written = vsnprintf(left ? t->buffer + t->used : NULL, left, format, args);
  va_end(args);
  if (written > 0) t->used += (size_t)written;
}

static void say_problem(text *t, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  const cb_axis *a = geo->axis;
  say(t, "direction: %s, %s%s\n", cnnblas_conv_direction_name(problem->direction),
      geo->dtype == CNNBLAS_F64 ? "f64" : "f32", problem->accumulate ? ", accumulating" : "");
  say(t,
      "shape: n %lld, c %lld, k %lld, groups %lld, input %lldx%lldx%lld, kernel %lldx%lldx%lld, output "
      "%lldx%lldx%lld\n",
      (long long)geo->n, (long long)geo->c, (long long)geo->k, (long long)geo->g, (long long)a[0].in,
      (long long)a[1].in, (long long)a[2].in, (long long)a[0].taps, (long long)a[1].taps, (long long)a[2].taps,
      (long long)a[0].out, (long long)a[1].out, (long long)a[2].out);
  say(t, "flops: %.6g\n", 2.0 * (double)geo->n * (double)geo->k * (double)geo->p * (double)geo->q);
}

/* Says which accuracy was asked for, and which the chosen row holds. */
static void say_accuracy(text *t, const cnnblas_conv_plan *plan)
{
  const int32_t factor = cb_norm_factor(plan->algorithm);
  say(t, "accuracy: %s; ", cnnblas_accuracy_policy_name(plan->problem.accuracy));
  if (factor)
    say(t, "norm-wise bound of factor %d\n", (int)factor);
  else
    say(t, "element-wise bound\n");
}

static void say_tiling(text *t, const cnnblas_conv_plan *plan)
{
  const cb_tiling *tiling = &plan->tiling;
  const struct {
    const char *name;
    int64_t extent;
  } tiles[] = {
      {"pixels", tiling->p_tile}, {"taps", tiling->q_tile}, {"filters", tiling->k_tile}, {"channels", tiling->c_tile}};
  say(t, "tiles:");
  for (int i = 0; i < 4; i++)
    if (tiles[i].extent) say(t, " %s %lld", tiles[i].name, (long long)tiles[i].extent);
  say(t, "%s\n", tiling->p_tile + tiling->q_tile + tiling->k_tile + tiling->c_tile ? "" : " whole planes");
  if (plan->algorithm->orientation) say(t, "lanes: %s\n", plan->algorithm->orientation);
  if (tiling->leaves > 1)
    say(t, "partial sums: %lld, joined in a binary tree of %lld leaves\n", (long long)tiling->segments,
        (long long)tiling->leaves);
  say(t, "tasks: %lld\nthreads: %d at most\n", (long long)tiling->tasks, (int)cnnblas_conv_plan_threads(plan));
  say(t, "workspace: %zu bytes (%zu shared, %zu a thread)\n", cnnblas_conv_plan_workspace(plan), tiling->shared_bytes,
      tiling->thread_bytes);
}

/* Says what is known of the time of the table's row i. */
static void say_time(text *t, const cnnblas_conv_plan *plan, int i)
{
  if (plan->measured[i] > 0) say(t, "measured %.3g ms, ", 1e3 * plan->measured[i]);
  if (isfinite(plan->seconds[i]))
    say(t, "estimated %.3g ms\n", 1e3 * plan->seconds[i]);
  else
    say(t, "without an estimate\n");
}

static void say_rivals(text *t, const cnnblas_conv_plan *plan)
{
  char why[128];
  for (int i = 0; cb_algorithm_at(i); i++) {
    const cb_algorithm *row = cb_algorithm_at(i);
    if (row == plan->algorithm) continue;
    say(t, "not %s: ", row->full_name);
    if (!cb_algorithm_applies(row, &plan->problem, why, sizeof why))
      say(t, "%s\n", why);
    else if (plan->forced && !(plan->forced_family && cb_algorithm_named(row, plan->algorithm->name)))
      say(t, "another was asked for by name\n");
    else if (!plan->forced && !cb_algorithm_allowed(row, &plan->problem))
      say(t, "only by name at accuracy %s, whose bound it does not hold\n",
          cnnblas_accuracy_policy_name(plan->problem.accuracy));
    else if (row->by_name_only)
      say(t, "only by name\n");
    else if (plan->recalled)
      say(t, "another was the fastest when it was measured\n");
    else
      say_time(t, plan, i);
  }
}

cnnblas_status cnnblas_conv_plan_describe(const cnnblas_conv_plan *plan, char *buffer, size_t size, size_t *needed)
{
  if (!plan) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "plan is NULL");
  if (!buffer && size) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "buffer is NULL, but size is %zu", size);
  text t = {buffer, size, 0};
  say(&t, "algorithm: %s%s\n", plan->algorithm->full_name,
      plan->forced     ? " (forced)"
      : plan->recalled ? " (from the wisdom)"
                       : "");
  for (int i = 0; cb_algorithm_at(i); i++)
    if (cb_algorithm_at(i) == plan->algorithm) say(&t, "time: "), say_time(&t, plan, i);
  say_problem(&t, &plan->problem);
  say_accuracy(&t, plan);
  say_tiling(&t, plan);
  say_rivals(&t, plan);
  if (needed) *needed = t.used + 1;
  return CNNBLAS_OK;
}
