/* Times beside counted work; see calibrate.h. */
#include "calibrate.h"
#include "clock.h"
#include "conv/costs.h"
#include "conv/row.h"
#include "descriptor.h"
#include "peer.h"
#include "report_parts.h"
#include "runner.h"
#include "tasks.h"
#include "timing.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* One algorithm on one problem and direction. */
typedef struct subject {
  const char *name;
  void *state;
  cb_count count;
} subject;

typedef struct calibration {
  const bench_options *options;
  json_t *samples;
  size_t wrong;
} calibration;

/* What the estimate of the plan's algorithm counts; false if the algorithm does not do the task. */
static bool count_work(const bench_task *task, const cnnblas_conv_options *options, cb_count *count)
{
  cnnblas_conv_plan *plan;
  if (cnnblas_conv_plan_create(&task->desc, task->direction, options, &plan)) return false;
  cb_problem problem = plan->problem;
  problem.count = count;
  plan->algorithm->cost(&problem);
  cnnblas_conv_plan_destroy(plan);
  return true;
}

/* Makes a subject and tries it on an output full of NaN, whose result is checked. */
static bool prepare(calibration *c, const bench_task *task, const bench_expected *expected, const char *name,
                    subject *s, bench_stopwatch *watch)
{
  char why[200];
  cnnblas_conv_options options = bench_library_options(c->options, name, task->threads);
  *s = (subject){.name = name, .count = {.row = CB_COST_ROWS_OF_TABLE}};
  if (!count_work(task, &options, &s->count) || s->count.row == CB_COST_ROWS_OF_TABLE) return false;
  if (!(s->state = bench_ours.create(task, &options, why, sizeof why))) return false;
  memset(task->out, 0xff, (size_t)bench_task_outputs(task) * task->element);
  bool right = bench_ours.run(s->state) && bench_check(expected, task, bench_ours.describe(s->state)).correct;
  double begin = bench_now();
  *watch = (bench_stopwatch){.run = bench_ours.run, .state = s->state};
  watch->failed = !bench_ours.run(s->state);
  watch->first_call = bench_now() - begin;
  if (right && !watch->failed) return true;
  fprintf(stderr, "cnnblas-bench: %s, %s: a wrong result\n", name, cnnblas_conv_direction_name(task->direction));
  c->wrong++;
  bench_ours.destroy(s->state);
  return false;
}

static bool add_sample(calibration *c, const bench_task *task, const subject *s, double seconds)
{
  char problem[192];
  bench_descriptor_format(&task->desc, problem, sizeof problem);
  json_t *work = json_array();
  for (int kind = 0; kind < CB_WORK_KINDS; kind++) json_array_append_new(work, json_real(s->count.work[kind]));
  return !json_array_append_new(c->samples,
                                json_pack("[s, s, s, s, o, f]", problem, cnnblas_conv_direction_name(task->direction),
                                          s->name, cb_cost_row_name(s->count.row), work, seconds));
}

/* bench_on_task of a run. */
static int calibrate_task(void *context, const bench_problem *problem, const bench_task *task,
                          const bench_expected *expected)
{
  calibration *c = context;
  subject subjects[CB_MAX_ALGORITHMS];
  bench_stopwatch watches[CB_MAX_ALGORITHMS];
  size_t count = 0;
  int status = BENCH_OK;
  (void)problem;
  for (int32_t i = 0; cnnblas_conv_algorithm_name(i) && count < CB_MAX_ALGORITHMS; i++)
    count += prepare(c, task, expected, cnnblas_conv_algorithm_name(i), &subjects[count], &watches[count]);
  if (count && !bench_time_all(watches, count, c->options->min_time)) status = BENCH_NO_MEMORY;
  for (size_t i = 0; i < count; i++) {
    if (status == BENCH_OK && !watches[i].failed && !add_sample(c, task, &subjects[i], watches[i].timing.minimum))
      status = BENCH_NO_MEMORY;
    bench_ours.destroy(subjects[i].state);
  }
  return status;
}

static json_t *kinds_json(void)
{
  json_t *kinds = json_array();
  for (int kind = 0; kind < CB_WORK_KINDS; kind++)
    json_array_append_new(kinds, json_string(cb_work_name((cb_work)kind)));
  return kinds;
}

/* The names of algorithms whose bound on the error only the relaxed policy takes. */
static json_t *relaxed_json(void)
{
  json_t *names = json_array();
  cnnblas_algorithm_info row;
  for (int32_t i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++)
    if (row.accuracy == CNNBLAS_ACCURACY_NORM_RELAXED) json_array_append_new(names, json_string(row.name));
  return names;
}

/* What of the context says where the times hold: nothing of this machine's names and folders. */
static json_t *head_json(const bench_context *context)
{
  static const char *const kept[] = {"date",
                                     "cpu",
                                     "isa",
                                     "caches",
                                     "num_cpus",
                                     "threads",
                                     "dtype",
                                     "compiler",
                                     "build_type",
                                     "debug_build",
                                     "cnnblas_version",
                                     "openblas_version",
                                     "openblas_core",
                                     "openblas_flavour",
                                     "openmp_runtime"};
  json_t *all = bench_context_json(context), *head = json_object();
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
    if (json_object_get(all, kept[i])) json_object_set(head, kept[i], json_object_get(all, kept[i]));
  json_decref(all);
  return head;
}

/* A line a sample, so that two files can be compared by eye. */
static bool write_file(const char *path, const bench_context *context, json_t *samples)
{
  FILE *file = fopen(path, "w");
  if (!file) return false;
  json_t *head = head_json(context), *kinds = kinds_json(), *relaxed = relaxed_json();
  fputs("{\"context\": ", file);
  json_dumpf(head, file, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
  fputs(",\n\"kinds\": ", file);
  json_dumpf(kinds, file, JSON_COMPACT);
  fputs(",\n\"relaxed\": ", file);
  json_dumpf(relaxed, file, JSON_COMPACT);
  fputs(",\n\"samples\": [", file);
  size_t i;
  json_t *sample;
  json_array_foreach(samples, i, sample)
  {
    fputs(i ? ",\n" : "\n", file);
    json_dumpf(sample, file, JSON_COMPACT | JSON_REAL_PRECISION(5));
  }
  fputs("\n]}\n", file);
  json_decref(head);
  json_decref(kinds);
  json_decref(relaxed);
  bool good = !ferror(file);
  return fclose(file) == 0 && good;
}

int bench_calibrate_run(const bench_options *options, bench_context *context)
{
  calibration c = {.options = options, .samples = json_array()};
  context->peaks = (bench_peaks){0};
  int status = bench_tasks_run(options, calibrate_task, &c);
  if (status == BENCH_OK && c.wrong) status = BENCH_CHECK_FAILED;
  printf("%zu samples\n", json_array_size(c.samples));
  if (!write_file(options->calibrate, context, c.samples)) {
    fprintf(stderr, "cnnblas-bench: %s: %s\n", options->calibrate, strerror(errno));
    status = BENCH_NO_MEMORY;
  }
  json_decref(c.samples);
  return status;
}
