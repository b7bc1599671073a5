/*
 * Latency of single calls; see latency.h.
 *
 * The candidates of a problem take turns in rounds, each some calls with warm caches and some with cold ones; every call
 * is a sample. Cold: between two calls each thread reads a buffer twice as large as the last-level cache, untimed; the
 * threads are awake when the call begins, as they are with warm caches.
 */
#include "latency.h"
#include "clock.h"
#include "descriptor.h"
#include "latency_report.h"
#include "openblas.h"
#include "process_memory.h"
#include "runner.h"
#include "tasks.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 5, FEWEST_CALLS = 100, MOST_CALLS = 100000, MOST_SUBJECTS = 2 * BENCH_MOST_NAMES, LINE = 64 };

static const size_t usual_cache = (size_t)32 << 20; /* where the system does not tell the caches' sizes */

typedef struct samples {
  double seconds[MOST_CALLS];
  size_t count;
} samples;

/* One that is timed. */
typedef struct subject {
  const bench_peer *peer;
  bench_kind kind;
  const char *name;
  void *state;
  bench_verdict verdict;
  bool spins; /* leaves threads of its own spinning after a call */
  bool failed;
  samples *of[BENCH_CACHES];
} subject;

typedef struct latency_run {
  const bench_options *options;
  bench_latency_report report;
  unsigned char *cold;
  size_t cold_bytes;
  unsigned sum; /* of what was read from cold: a sum that nobody keeps would not be read for */
  char last_problem[160];
} latency_run;

/* The largest cache that the first core has a share in; 0 where the kernel does not tell. sysconf is not asked: on some
   AMD machines it multiplies the last level by the number of cores that share it. */
static size_t largest_cache(void)
{
  size_t largest = 0;
  for (int index = 0; index < 8; index++) {
    char path[80];
    unsigned long kilobytes = 0;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", index);
    FILE *file = fopen(path, "r");
    if (!file) break;
    if (fscanf(file, "%luK", &kilobytes) == 1 && kilobytes * 1024 > largest) largest = kilobytes * 1024;
    fclose(file);
  }
  return largest;
}

/* Each thread reads a byte of every line of the buffer, so that its core's caches of every level are full of it. */
static void chill(latency_run *r, int threads)
{
  unsigned sum = 0;
#pragma omp parallel num_threads(threads) reduction(+ : sum)
  for (size_t i = 0; i < r->cold_bytes; i += LINE) sum += r->cold[i];
  r->sum += sum;
}

/* Adds one timed call. */
static void sample(subject *s, bench_caches caches)
{
  samples *to = s->of[caches];
  double begin = bench_now();
  s->failed |= !s->peer->run(s->state);
  to->seconds[to->count++] = bench_now() - begin;
}

/* A round's calls: a share of the least number, then until the time is over. */
static void run_slice(latency_run *r, subject *s, bench_caches caches, int threads)
{
  double begin = bench_now(), slice = r->options->min_time / ROUNDS;
  size_t first = s->of[caches]->count;
  s->failed |= !s->peer->run(s->state); /* after another's calls the first one is neither warm nor cold */
  while (!s->failed && s->of[caches]->count < MOST_CALLS &&
         (s->of[caches]->count - first < FEWEST_CALLS / ROUNDS || bench_now() - begin < slice)) {
    /* The reading team would spin on the cores that OpenBLAS's own threads need: for these the caller reads alone. */
    if (caches == BENCH_COLD) chill(r, s->spins ? 1 : threads);
    sample(s, caches);
  }
  if (s->spins) bench_rest();
}

/* One call on an output full of NaN, checked. */
static bool try_once(subject *s, const bench_task *task, const bench_expected *expected)
{
  memset(task->out, 0xff, (size_t)bench_task_outputs(task) * task->element);
  if (!s->peer->run(s->state) || (s->peer->fetch && !s->peer->fetch(s->state))) return false;
  s->verdict = bench_check(expected, task, bench_row_of(s->peer, s->state));
  return true;
}

static void release(subject *s)
{
  for (int caches = 0; caches < BENCH_CACHES; caches++)
    if (s->of[caches]) bench_pages_free(s->of[caches], sizeof *s->of[caches]);
  s->peer->destroy(s->state);
}

/* Makes what is to be timed, and tries it; says why not, if it was asked for by name. False if there is nothing. */
static bool prepare(subject *s, const bench_task *task, const bench_expected *expected, const void *options, bool named)
{
  char why[200] = "out of memory";
  s->state = s->peer->create(task, options, why, sizeof why);
  for (int caches = 0; s->state && caches < BENCH_CACHES; caches++) s->of[caches] = bench_pages(sizeof *s->of[caches]);
  if (!s->state || !s->of[BENCH_WARM] || !s->of[BENCH_COLD]) {
    if (named)
      fprintf(stderr, "cnnblas-bench: %s, %s: %s\n", s->name, cnnblas_conv_direction_name(task->direction), why);
    if (s->state) release(s);
    return false;
  }
  s->spins = s->peer->leaves_threads_spinning && task->threads > 1 && bench_blas_flavour() == BENCH_BLAS_PTHREAD;
  s->failed = !try_once(s, task, expected);
  return true;
}

static size_t prepare_all(const latency_run *r, const bench_task *task, const bench_expected *expected,
                          subject all[MOST_SUBJECTS])
{
  const bench_options *o = r->options;
  size_t count = 0;
  for (size_t i = 0; i < o->algorithm_count; i++) {
    cnnblas_conv_options conv = bench_library_options(o, o->algorithms[i], task->threads);
    all[count] = (subject){.peer = &bench_ours, .kind = BENCH_OURS, .name = o->algorithms[i]};
    count += prepare(&all[count], task, expected, &conv, o->algorithms_named);
  }
  for (size_t i = 0; i < o->peer_count; i++) {
    all[count] = (subject){.peer = o->peers[i], .kind = BENCH_PEER, .name = o->peers[i]->name};
    count += prepare(&all[count], task, expected, NULL, o->peers_named);
  }
  return count;
}

static bench_latency_row make_row(const bench_problem *problem, const bench_task *task, const subject *s,
                                  bench_caches caches)
{
  bench_latency_row row = {.problem = *problem,
                           .direction = task->direction,
                           .kind = s->kind,
                           .threads = task->threads,
                           .caches = caches,
                           .verdict = s->verdict};
  samples *from = s->of[caches];
  const char *chosen = s->peer->describe ? s->peer->describe(s->state) : NULL;
  row.problem.desc = task->desc;
  bench_descriptor_format(&task->desc, row.descriptor, sizeof row.descriptor);
  snprintf(row.algorithm, sizeof row.algorithm, "%s", s->name);
  snprintf(row.chosen, sizeof row.chosen, "%s", chosen ? chosen : "");
  if (s->failed) row.verdict = (bench_verdict){.correct = false, .max_error = INFINITY};
  if (!from->count) return row;
  bench_timing_of(from->seconds, from->count, &row.timing);
  row.timing.calls = (int64_t)from->count;
  row.timing.cpu = NAN; /* not measured */
  row.p99 = bench_quantile(from->seconds, from->count, 0.99);
  row.longest = from->seconds[from->count - 1];
  return row;
}

/* The rows of one candidate; BENCH_CHECK_FAILED if its result was wrong. */
static int report(latency_run *r, const bench_problem *problem, const bench_task *task, const subject *s, bool first)
{
  for (int caches = 0; caches < BENCH_CACHES; caches++) {
    bench_latency_row row = make_row(problem, task, s, (bench_caches)caches);
    char name[160];
    snprintf(name, sizeof name, "%s:%s", problem->set, problem->name);
    if (strcmp(name, r->last_problem) != 0) bench_latency_print_problem(&row);
    strcpy(r->last_problem, name);
    bench_latency_print_row(&row, first);
    if (!bench_latency_add(&r->report, &row)) return BENCH_NO_MEMORY;
  }
  return s->failed || !s->verdict.correct ? BENCH_CHECK_FAILED : BENCH_OK;
}

/* bench_on_task of a run. */
static int run_task(void *context, const bench_problem *problem, const bench_task *task, const bench_expected *expected)
{
  latency_run *r = context;
  subject all[MOST_SUBJECTS];
  size_t count = prepare_all(r, task, expected, all);
  for (int round = 0; round < ROUNDS; round++)
    for (size_t i = 0; i < count; i++)
      for (int caches = 0; caches < BENCH_CACHES; caches++) {
        subject *s = &all[(i + (size_t)round) % count];
        if (!s->failed) run_slice(r, s, (bench_caches)caches, task->threads);
      }
  int status = BENCH_OK;
  for (size_t i = 0; i < count; i++) {
    status = bench_status_of_both(status, report(r, problem, task, &all[i], i == 0));
    release(&all[i]);
  }
  fflush(stdout);
  return status;
}

/* An option that means nothing beside --latency; NULL if there is none. */
static const char *foreign_option(const bench_options *o)
{
  return o->kernels       ? "--set kernels"
         : o->layers      ? "--set layers"
         : o->csv         ? "--csv"
         : o->plot        ? "--plot"
         : o->fresh       ? "--fresh"
         : o->wisdom_file ? "--wisdom"
                          : NULL;
}

int bench_latency_run(const bench_options *options, bench_context *context)
{
  const char *foreign = foreign_option(options);
  if (foreign) {
    fprintf(stderr, "cnnblas-bench: --latency: not with %s\n", foreign);
    return BENCH_USAGE;
  }
  latency_run r = {.options = options, .cold_bytes = 2 * largest_cache()};
  if (!r.cold_bytes) r.cold_bytes = 2 * usual_cache;
  r.cold = bench_pages(r.cold_bytes);
  if (!r.cold) {
    fprintf(stderr, "cnnblas-bench: --latency: no memory for the %zu bytes that are read between calls\n",
            r.cold_bytes);
    return BENCH_NO_MEMORY;
  }
  memset(r.cold, 1, r.cold_bytes); /* pages of their own: untouched ones are all the same page of zeros */
  context->peaks = (bench_peaks){.fma_gflops = NAN, .gemm_gflops = NAN, .bandwidth_gbytes = NAN}; /* not measured */
  bench_latency_print_head(context, r.cold_bytes);
  int status = bench_tasks_run(options, run_task, &r);
  bench_pages_free(r.cold, r.cold_bytes);
  if (status == BENCH_CHECK_FAILED) puts("\nWRONG RESULTS: see the rows marked so");
  if (!r.report.count && status == BENCH_OK) {
    fputs("cnnblas-bench: nothing ran: no problem, or no algorithm that applies\n", stderr);
    status = BENCH_BAD_INPUT;
  }
  if (options->json && !bench_latency_write(options->json, &r.report, context, r.cold_bytes)) {
    fprintf(stderr, "cnnblas-bench: %s: %s\n", options->json, strerror(errno));
    status = bench_status_of_both(status, BENCH_NO_MEMORY);
  }
  free(r.report.rows);
  return bench_status_of_both(status, options->bad_lines ? BENCH_BAD_INPUT : BENCH_OK);
}
