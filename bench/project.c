/*
 * Runs the projections; see project.h. This file looks inside the library: the watch of base/parallel.h hands it each
 * region and loop of a call, and it runs the tasks itself, one by one on the calling thread.
 */
#include "project.h"
#include "base/parallel.h"
#include "clock.h"
#include "descriptor.h"
#include "makespan.h"
#include "openblas.h"
#include "process_memory.h"
#include "project_report.h"
#include "runner.h"
#include "tasks.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 5, SLOW_ROUNDS = 3 };

/* The watch's context: a trace, and the moment since which nothing has been recorded. */
typedef struct recorder {
  bench_trace *trace;
  double at;
} recorder;

static void watch_region(void *context, int threads)
{
  bench_trace_region(((recorder *)context)->trace, threads);
}

static const double long_task = 100e-6;

/* Seconds of one task. A long one is likely to be interrupted for other processes on every try, a short one is not, so a long
   one is timed by the processor time of its thread, whose clock takes 0.4 us to read. */
static double time_task(const cb_loop *loop, int64_t task, bool is_long)
{
  double before = is_long ? bench_thread_seconds() : 0, begin = bench_now();
  loop->run(loop->context, task, 0);
  double elapsed = bench_now() - begin;
  return is_long ? fmin(elapsed, bench_thread_seconds() - before) : elapsed;
}

/* Runs and times the loop's tasks. Recording them lies outside the times. */
static void watch_loop(void *context, const cb_loop *loop)
{
  recorder *r = context;
  bench_trace_between(r->trace, bench_now() - r->at);
  bench_trace_loop(r->trace);
  for (int64_t task = 0; task < loop->tasks; task++)
    bench_trace_task(r->trace, time_task(loop, task, bench_trace_next(r->trace) > long_task));
  r->at = bench_now();
}

/* One of the list's numbers of threads for a task: its plan, and its call's trace. */
typedef struct team {
  int threads;
  const bench_peer *library;
  void *state;
  bench_trace trace;
  double slowest_call;
  bench_verdict verdict;
  bool same_bits, failed;
} team;

/* One watched call, added to the team's trace. */
static void call_watched(team *t)
{
  recorder r = {&t->trace, 0};
  cb_watch watch = {&r, watch_region, watch_loop};
  bench_trace_begin(&t->trace);
  const cb_watch *before = cb_parallel_watch(&watch);
  double begin = r.at = bench_now();
  bool ok = t->library->run(t->state);
  double end = bench_now();
  cb_parallel_watch(before);
  bench_trace_between(&t->trace, end - r.at);
  t->slowest_call = fmax(t->slowest_call, end - begin);
  if (!bench_trace_end(&t->trace) || !ok) t->failed = true;
}

/* All teams take turns in rounds, so that a slow spell of the machine meets all of them. */
static void time_teams(team *teams, size_t count, double min_time)
{
  for (size_t i = 0; i < count; i++) call_watched(&teams[i]);
  int rounds = teams[0].slowest_call > min_time ? SLOW_ROUNDS : ROUNDS;
  for (int round = 0; round < rounds; round++)
    for (size_t i = 0; i < count; i++) {
      double begin = bench_now();
      do call_watched(&teams[i]);
      while (!teams[i].failed && bench_now() - begin < min_time / rounds);
    }
}

/* The last call of each team, on an output full of NaN: right or wrong, and the first team's bits or others. */
static bool check_teams(team *teams, size_t count, const bench_task *task, const bench_expected *expected)
{
  size_t bytes = (size_t)bench_task_outputs(task) * task->element;
  void *first = bench_pages(bytes);
  for (size_t i = 0; i < count && first; i++) {
    memset(task->out, 0xff, bytes);
    call_watched(&teams[i]);
    teams[i].verdict = bench_check(expected, task, teams[i].library->describe(teams[i].state));
    if (i == 0) memcpy(first, task->out, bytes);
    teams[i].same_bits = memcmp(first, task->out, bytes) == 0;
  }
  bench_pages_free(first, bytes);
  return first;
}

/* All rows of a run, and what they suppose. */
typedef struct projections {
  const bench_options *options;
  const bench_peer *library;
  bench_supposed supposed;
  bench_projection *rows;
  size_t count, capacity;
} projections;

static bench_projection *new_row(projections *p)
{
  if (p->count == p->capacity) {
    size_t capacity = p->capacity ? 2 * p->capacity : 64;
    bench_projection *rows = realloc(p->rows, capacity * sizeof *rows);
    if (!rows) return NULL;
    p->rows = rows;
    p->capacity = capacity;
  }
  return &p->rows[p->count++];
}

/* base: the row of one thread; for that itself, the row. */
static void fill_row(const projections *p, const team *t, const bench_task *task, bench_projection *row,
                     const bench_projection *base)
{
  row->threads = t->threads;
  row->tasks = t->trace.slot_count;
  row->team_regions = t->trace.team_regions;
  row->workspace_bytes = t->library->workspace(t->state);
  snprintf(row->chosen, sizeof row->chosen, "%s", t->library->describe(t->state));
  row->flops = task->shape.flops;
  row->bytes =
      (double)(task->shape.x_elements + task->shape.w_elements + task->shape.y_elements) * (double)task->element;
  row->verdict = t->verdict;
  row->same_bits = t->same_bits;
  row->work = bench_trace_work(&t->trace);
  row->makespan = row->capped = bench_trace_makespan(&t->trace, p->supposed.barrier);
  if (t->threads > 1)
    row->capped = bench_capped(row->makespan, row->bytes, bench_supposed_bandwidth(&p->supposed, t->threads));
  row->work_ratio = row->work / base->work;
  row->speedup = base->makespan / row->makespan;
  /* One thread is capped in the ratio too: where the arrays come from its caches, more threads would look slower. */
  row->capped_speedup =
      bench_capped(base->makespan, row->bytes, bench_supposed_bandwidth(&p->supposed, 1)) / row->capped;
}

/* The rows of one problem, direction and algorithm whose teams were timed and checked. */
static int add_rows(projections *p, const bench_problem *problem, const bench_task *task, const char *algorithm,
                    const team *teams, size_t count)
{
  size_t first = p->count;
  int status = BENCH_OK;
  for (size_t i = 0; i < count; i++) {
    bench_projection *row = new_row(p);
    if (!row) return BENCH_NO_MEMORY;
    *row = (bench_projection){.problem = *problem, .direction = task->direction, .algorithm = algorithm};
    row->problem.desc = task->desc;
    bench_descriptor_format(&task->desc, row->descriptor, sizeof row->descriptor);
    fill_row(p, &teams[i], task, row, &p->rows[first]);
    if (teams[i].failed) row->verdict.correct = false;
    if (!row->verdict.correct || !row->same_bits) status = BENCH_CHECK_FAILED;
  }
  return status;
}

/* Makes the team's plan and buffers; says why not. */
static bool team_make(const projections *p, team *t, const bench_task *task, const char *algorithm, int threads,
                      bool quiet)
{
  char why[200];
  cnnblas_conv_options options = bench_library_options(p->options, algorithm, threads);
  *t = (team){.threads = threads, .library = p->library};
  t->state = p->library->create(task, &options, why, sizeof why);
  if (!t->state && !quiet)
    fprintf(stderr, "cnnblas-bench: %s, %s, %d threads: %s\n", algorithm, cnnblas_conv_direction_name(task->direction),
            threads, why);
  return t->state;
}

static int project_algorithm(projections *p, const bench_problem *problem, const bench_task *task,
                             const char *algorithm, const bench_expected *expected)
{
  const bench_options *o = p->options;
  team teams[BENCH_MOST_PROJECTED];
  size_t count = 0;
  int status = BENCH_OK;
  while (count < o->project_count &&
         team_make(p, &teams[count], task, algorithm, o->project[count], count == 0 && !o->algorithms_named))
    count++;
  if (count && count < o->project_count) status = BENCH_NO_MEMORY; /* what one thread could do, more must */
  if (count && status == BENCH_OK) {
    time_teams(teams, count, o->min_time);
    status = check_teams(teams, count, task, expected) ? add_rows(p, problem, task, algorithm, teams, count)
                                                       : BENCH_NO_MEMORY;
  }
  for (size_t i = 0; i < count; i++) {
    teams[i].library->destroy(teams[i].state);
    bench_trace_free(&teams[i].trace);
  }
  return status;
}

static bool same_problem(const bench_projection *row, const bench_problem *problem)
{
  return strcmp(row->problem.set, problem->set) == 0 && strcmp(row->problem.name, problem->name) == 0;
}

/* One problem in one direction. */
static int project_task(void *context, const bench_problem *problem, const bench_task *task,
                        const bench_expected *expected)
{
  projections *p = context;
  int status = BENCH_OK;
  for (size_t i = 0; i < p->options->algorithm_count; i++) {
    size_t before = p->count;
    bool new_problem = !before || !same_problem(&p->rows[before - 1], problem);
    status = bench_status_of_both(status, project_algorithm(p, problem, task, p->options->algorithms[i], expected));
    bench_project_rows(p->rows + before, p->count - before, new_problem);
  }
  return status;
}

/* The stated bandwidth, or the measured one of a thread. */
static bench_supposed suppose(const bench_options *options, bench_context *context)
{
  bench_supposed s = {.barrier = options->barrier, .bandwidth = options->bandwidth};
  context->peaks = (bench_peaks){.fma_gflops = NAN, .gemm_gflops = NAN, .bandwidth_gbytes = NAN, .fma_isa = ""};
  if (s.bandwidth > 0) return s;
  bench_set_threads(options->threads);
  bench_peaks_measure(options->dtype, options->threads, bench_peaks_time(options->min_time), &context->peaks);
  s.per_thread = true;
  s.measured_threads = options->threads;
  s.bandwidth = 1e9 * context->peaks.bandwidth_gbytes / options->threads;
  return s;
}

int bench_project_run(const bench_options *options, const bench_peer *library, bench_context *context)
{
  projections p = {.options = options, .library = library, .supposed = suppose(options, context)};
  context->threads = 1; /* that anything runs on */
  bench_project_head(context, &p.supposed);
  int status = bench_tasks_run(options, project_task, &p);
  bench_project_means(p.rows, p.count);
  if (options->json && !bench_project_json(options->json, p.rows, p.count, context, &p.supposed)) {
    fprintf(stderr, "cnnblas-bench: %s: %s\n", options->json, strerror(errno));
    if (status == BENCH_OK) status = BENCH_NO_MEMORY;
  }
  free(p.rows);
  if (status == BENCH_OK && options->bad_lines) status = BENCH_BAD_INPUT;
  return status;
}
