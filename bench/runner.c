/* Runs problems; see runner.h. */
#include "runner.h"
#include "algorithm_names.h"
#include "arrays.h"
#include "clock.h"
#include "descriptor.h"
#include "openblas.h"
#include "process_memory.h"
#include "quiet.h"
#include "tasks.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The naive baseline runs on one image, and on so few filters that a call takes about this; its time is scaled up by
   FLOPs. Its loops cost the same for every image and filter, and some layers would take it a minute. */
static const double naive_flops = 1e8;

enum { MOST_CANDIDATES = 2 * BENCH_MOST_NAMES + 1 };

/* The FMA peak is measured again after so many seconds. */
static const double peak_spacing = 3;

/* A run in progress. */
typedef struct run_state {
  const bench_options *options;
  bench_results *results;
  bench_on_rows on_rows;
  void *context;
  int threads;        /* that the peaks are of, and the next rounds */
  bench_peaks peaks;  /* all three */
  double fma, fma_at; /* the FMA peak measured last, and when */
  size_t reported;    /* rows whose peaks before and after are known */
  bool disturbed;     /* others took time from the last rounds */
  double patience;    /* seconds left to wait for a quiet machine */
} run_state;

typedef struct candidate {
  const bench_peer *peer;
  bench_kind kind;
  const char *name;
  const bench_task *task;
  const bench_expected *expected;
  void *state;
  double scale; /* the whole problem's FLOPs over this task's */
  bench_verdict verdict;
  size_t memory;
  bench_stopwatch watch;
} candidate;

typedef struct round_state {
  candidate candidates[MOST_CANDIDATES];
  size_t count;
} round_state;

/* One untimed call on an output full of NaN: right or wrong, how much memory, how long. */
static bool try_once(candidate *c)
{
  memset(c->task->out, 0xff, (size_t)bench_task_outputs(c->task) * c->task->element);
  size_t before = bench_memory_begin();
  double begin = bench_now();
  if (!c->peer->run(c->state)) return false;
  c->watch.first_call = bench_now() - begin;
  c->memory = bench_memory_growth(before);
  if (c->peer->fetch && !c->peer->fetch(c->state)) return false;
  c->verdict = bench_check(c->expected, c->task, bench_row_of(c->peer, c->state));
  if (c->watch.first_call <
      0.05) { /* the first call met cold caches and untouched pages: it says little about the others */
    begin = bench_now();
    if (!c->peer->run(c->state)) return false;
    c->watch.first_call = bench_now() - begin;
  }
  return true;
}

/* Adds a candidate unless the task is not for it; says why if it was asked for by name. */
static void add_candidate(round_state *round, candidate c, const void *peer_options, bool named)
{
  char why[200] = "out of memory";
  if (round->count == MOST_CANDIDATES) return;
  c.state = c.peer->create(c.task, peer_options, why, sizeof why);
  if (!c.state) {
    if (named)
      fprintf(stderr, "cnnblas-bench: %s, %s: %s\n", c.name, cnnblas_conv_direction_name(c.task->direction), why);
    return;
  }
  if (!try_once(&c)) {
    fprintf(stderr, "cnnblas-bench: %s, %s: the call failed: %s\n", c.name,
            cnnblas_conv_direction_name(c.task->direction),
            c.kind == BENCH_PEER ? "an error inside the peer" : cnnblas_last_error());
    c.verdict = (bench_verdict){.correct = false, .max_error = INFINITY};
    c.watch.failed = true;
  }
  c.watch.run = c.peer->run;
  c.watch.state = c.state;
  c.watch.rest_afterwards =
      c.peer->leaves_threads_spinning && c.task->threads > 1 && bench_blas_flavour() == BENCH_BLAS_PTHREAD;
  round->candidates[round->count++] = c;
}

const char *bench_row_of(const bench_peer *peer, const void *state)
{
  return peer == &bench_ours || peer == &bench_other_build ? peer->describe(state) : "";
}

cnnblas_conv_options bench_library_options(const bench_options *options, const char *algorithm, int threads)
{
  bool packed;
  const char *asked = bench_algorithm_asked(algorithm, &packed);
  return (cnnblas_conv_options){.algorithm = asked,
                                .packed_weights = packed,
                                .threads = threads,
                                .workspace = options->workspace,
                                .workspace_limit = options->workspace_limit,
                                .effort = options->effort,
                                .accuracy = options->accuracy,
                                .wisdom = options->wisdom};
}

/* The part of the problem that the naive baseline runs on. */
static cnnblas_conv_desc naive_part(const bench_task *task)
{
  cnnblas_conv_desc part = task->desc;
  part.n = 1;
  double flops = task->shape.flops / (double)task->desc.n;
  if (task->geometry.groups == 1 && flops > naive_flops) {
    part.k = (int64_t)((double)part.k * naive_flops / flops);
    if (part.k < 1) part.k = 1;
  }
  return part;
}

static void fill_row(const round_state *round, const run_state *run, const bench_problem *problem,
                     const bench_task *task, const candidate *c, bench_result *row)
{
  const bench_peaks *peaks = &run->peaks;
  *row = (bench_result){.problem = *problem, .direction = task->direction, .kind = c->kind, .threads = task->threads};
  row->problem.desc = task->desc;
  row->peaks = *peaks;
  bench_descriptor_format(&task->desc, row->descriptor, sizeof row->descriptor);
  snprintf(row->algorithm, sizeof row->algorithm, "%s", c->name);
  const char *chosen = c->peer->describe ? c->peer->describe(c->state) : NULL;
  if (c->kind == BENCH_NAIVE)
    snprintf(row->chosen, sizeof row->chosen, "n=%lld of %lld, k=%lld of %lld", (long long)c->task->desc.n,
             (long long)task->desc.n, (long long)c->task->desc.k, (long long)task->desc.k);
  else
    snprintf(row->chosen, sizeof row->chosen, "%s", chosen ? chosen : "");
  row->timing = c->watch.timing;
  row->timing.minimum *= c->scale;
  row->timing.median *= c->scale;
  row->timing.low *= c->scale;
  row->timing.high *= c->scale;
  row->timing.cpu *= c->scale;
  row->load = bench_load_of(run->options->load, &c->watch.clocks, c->task->threads);
  row->verdict = c->verdict;
  row->accuracy = run->options->accuracy;
  row->flops = task->shape.flops;
  row->bytes =
      (double)(task->shape.x_elements + task->shape.w_elements + task->shape.y_elements) * (double)task->element;
  row->roof_gflops = bench_roof(peaks, row->flops, row->bytes);
  row->workspace_bytes = c->peer->workspace ? c->peer->workspace(c->state) : 0;
  row->memory_bytes = c->memory;
  if (row->timing.minimum > 0) row->gflops = row->flops / row->timing.minimum * 1e-9;
  const candidate *ours = NULL;
  for (size_t i = 0; i < round->count; i++) {
    const candidate *other = &round->candidates[i];
    if (other->kind == BENCH_NAIVE && other->watch.timing.calls && row->timing.minimum > 0)
      row->speedup_over_naive = other->watch.timing.minimum * other->scale / row->timing.minimum;
    if (other->kind == BENCH_OURS && !ours) ours = other;
  }
  if (ours && ours != c && ours->watch.timing.calls && c->kind != BENCH_NAIVE) {
    row->versus_ours = row->timing.minimum / ours->watch.timing.minimum;
    row->close_to_ours = bench_timing_close(&row->timing, &ours->watch.timing);
  }
}

/* The library's algorithms, naive loops on a part of the problem, and the peers. */
static void add_candidates(round_state *round, const bench_options *options, const bench_task *task,
                           const bench_expected *expected, const bench_task *naive_task,
                           const bench_expected *naive_expected)
{
  for (size_t i = 0; i < options->algorithm_count; i++) {
    cnnblas_conv_options ours = bench_library_options(options, options->algorithms[i], task->threads);
    add_candidate(round, (candidate){&bench_ours, BENCH_OURS, options->algorithms[i], task, expected, .scale = 1},
                  &ours, options->algorithms_named);
  }
  cnnblas_conv_options naive = bench_library_options(options, bench_naive_name(), 1);
  if (naive_expected)
    add_candidate(round,
                  (candidate){&bench_ours, BENCH_NAIVE, bench_naive_name(), naive_task, naive_expected,
                              .scale = task->shape.flops / naive_task->shape.flops},
                  &naive, true);
  for (size_t i = 0; i < options->peer_count; i++)
    add_candidate(round,
                  (candidate){options->peers[i], BENCH_PEER, options->peers[i]->name, task, expected, .scale = 1}, NULL,
                  options->peers_named);
}

/* Times the candidates, judges what others took from them, and adds their rows. */
static int measure(run_state *run, round_state *round, const bench_problem *problem, const bench_task *task)
{
  bench_stopwatch watches[MOST_CANDIDATES];
  for (size_t i = 0; i < round->count; i++) watches[i] = round->candidates[i].watch;
  if (run->disturbed) bench_wait_quiet(&run->patience);
  bench_load_begin(run->options->load);
  int status = bench_time_all(watches, round->count, run->options->min_time) ? BENCH_OK : BENCH_NO_MEMORY;
  bench_load_end(run->options->load);
  run->disturbed = false;
  for (size_t i = 0; i < round->count; i++) {
    round->candidates[i].watch = watches[i];
    if (watches[i].failed) round->candidates[i].verdict.correct = false;
  }
  for (size_t i = 0; i < round->count; i++) {
    bench_result row;
    fill_row(round, run, problem, task, &round->candidates[i], &row);
    if (!bench_results_add(run->results, &row)) status = BENCH_NO_MEMORY;
    if (!row.verdict.correct && status == BENCH_OK) status = BENCH_CHECK_FAILED;
    run->disturbed |= row.load.verdict == BENCH_LOAD_BUSY;
  }
  return status;
}

/* The FMA peak in a moment. Threads that have slept may share a core for some milliseconds until the system parts them, so a low
   peak counts only if it stays low for a fifth of a second. */
static double short_fma(const run_state *run)
{
  enum { TRIES = 20 };
  const double moment = fmax(0.01, bench_peaks_time(run->options->min_time) / 10);
  double best = 0;
  bench_rest(); /* OpenBLAS's threads may spin still, after a peer or after the peak of its products */
  for (int i = 0; i < TRIES && best < 0.95 * run->peaks.fma_gflops; i++)
    best = fmax(best, bench_peaks_fma(run->options->dtype, run->threads, moment));
  return best;
}

/* Measures the FMA peak after the rows since the last time, and hands them on, a direction at a time. */
static void report_rows(run_state *run)
{
  double after = short_fma(run);
  bench_result *rows = run->results->items;
  size_t count = run->results->count, first = run->reported;
  for (size_t i = first; i < count; i++) {
    bench_result_surround(&rows[i], run->fma, after);
    bool last = i + 1 == count || rows[i + 1].direction != rows[i].direction ||
                strcmp(rows[i + 1].problem.name, rows[i].problem.name) != 0 ||
                strcmp(rows[i + 1].problem.set, rows[i].problem.set) != 0;
    if (!last) continue;
    run->on_rows(run->context, &rows[first], i + 1 - first);
    first = i + 1;
  }
  run->reported = count;
  run->fma = after;
  run->fma_at = bench_now();
}

/* Peaks for another number of threads, which the walk has already set. */
static void change_threads(run_state *run, int threads)
{
  bench_set_threads(run->threads);
  report_rows(run);
  run->threads = threads;
  bench_set_threads(threads);
  bench_peaks_measure(run->options->dtype, threads, bench_peaks_time(run->options->min_time), &run->peaks);
  run->fma = short_fma(run);
  run->fma_at = bench_now();
}

/* One problem in one direction. */
static int run_task(void *context, const bench_problem *problem, const bench_task *task, const bench_expected *expected)
{
  run_state *run = context;
  if (task->threads != run->threads) change_threads(run, task->threads);
  round_state *round = calloc(1, sizeof *round);
  if (!round) return BENCH_NO_MEMORY;
  bench_task naive_task = *task;
  bench_expected *naive_expected = NULL;
  if (run->options->naive) {
    cnnblas_conv_desc part = naive_part(task);
    naive_task = bench_task_make(&part, task->direction, 1,
                                 &(bench_arrays){(void *)(uintptr_t)task->x, (void *)(uintptr_t)task->w,
                                                 (void *)(uintptr_t)task->dy, task->out, 0, 0, 0, 0});
    naive_expected = bench_expected_create(&naive_task, BENCH_COVER_BY_SIZE);
  }
  add_candidates(round, run->options, task, expected, &naive_task, naive_expected);
  int status = measure(run, round, problem, task);
  for (size_t i = 0; i < round->count; i++) round->candidates[i].peer->destroy(round->candidates[i].state);
  bench_expected_destroy(naive_expected);
  free(round);
  if (bench_now() - run->fma_at > peak_spacing) report_rows(run);
  return status;
}

int bench_run(const bench_options *options, const bench_peaks *peaks, bench_results *results, bench_on_rows on_rows,
              void *context)
{
  run_state run = {.options = options,
                   .results = results,
                   .on_rows = on_rows,
                   .context = context,
                   .threads = options->threads,
                   .peaks = *peaks,
                   .patience = options->wait_quiet};
  bench_set_threads(run.threads);
  run.fma = short_fma(&run);
  run.fma_at = bench_now();
  int status = bench_tasks_run(options, run_task, &run);
  report_rows(&run);
  return status;
}
