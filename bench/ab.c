/*
 * Builds of the library in turns; see ab.h.
 *
 * All builds read the same arrays, write the same output and use the same workspace, so that no build has the better
 * pages; the rounds are short and who goes first changes from round to round, so that a slow spell of the machine
 * meets them all.
 */
#include "ab.h"
#include "ab_report.h"
#include "clock.h"
#include "command_line.h"
#include "descriptor.h"
#include "option_values.h"
#include "process_memory.h"
#include "quiet.h"
#include "runner.h"
#include "tasks.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BUILDS = 8, ROUNDS = 10, MOST_TRIALS = 5 };

static const double longest_trial = 0.05; /* seconds */

static const char help[] =
    "Times builds of libcnnblas in turns, in one process, on the same arrays; compares results bit for bit.\n"
    "\n"
    "usage: cnnblas-bench ab OLD.so NEW.so [MORE.so]... [OPTION]... [PROBLEM]...  (none: resnet50)\n"
    "\n"
    "  --set NAME,...  --problems FILE  --direction D,...  --algorithm A,...  --batch N  --threads N\n"
    "  --dtype f32|f64  --workspace W  --effort E  --accuracy A  --sweep V=FROM..TO   as without ab\n"
    "  --algorithm NAME_prepacked   forward, input gradient on weights packed beforehand\n"
    "  --min-time SECONDS   spent on each build of a layer and direction (0.1)\n"
    "  --json FILE          - for standard output, which then holds nothing else\n"
    "\n"
    "The libraries come first: a file's name holds a '/' or \".so\". Each is opened by its own path and its\n"
    "calls stay inside it; OpenBLAS and OpenMP are the process's. A row shows a build's shortest and median\n"
    "time, the first build's shortest time over it (A/this; above 1 it is faster), ~ where the quartiles\n"
    "overlap, and whether its result has the same bits. At the end geometric means and the five worst.\n"
    "\n"
    "example:\n"
    "  cnnblas-bench ab old/libcnnblas.so build/lib/libcnnblas.so --set vgg16 --min-time 1 --json ab.json\n"
    "exit status: 0 fine, 1 wrong result, 2 usage, 3 bad input, 4 memory or disk\n";

/* One build on the task at hand. */
typedef struct contestant {
  size_t build; /* its index */
  bench_build_options options;
  void *state; /* NULL: the build cannot do this task */
  bench_verdict verdict;
  size_t different;
  double largest_difference;
  bench_stopwatch watch;
} contestant;

typedef struct ab_run {
  const bench_options *options;
  bench_ab_report report;
  bench_scratch workspace;
  void *first_output; /* the first build's result, of the task at hand */
  char last_problem[160];
} ab_run;

static double value_at(const void *array, size_t element, int64_t i)
{
  return element == sizeof(double) ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

/* Counts the outputs whose bits are not the first build's. */
static void compare_bits(const bench_task *task, const void *first, contestant *c)
{
  size_t e = task->element;
  int64_t count = bench_task_outputs(task);
  if (memcmp(first, task->out, (size_t)count * e) == 0) return;
  for (int64_t i = 0; i < count; i++) {
    if (memcmp((const char *)first + (size_t)i * e, (const char *)task->out + (size_t)i * e, e) == 0) continue;
    double difference = fabs(value_at(first, e, i) - value_at(task->out, e, i));
    c->different++;
    if (!(difference <= c->largest_difference)) c->largest_difference = difference;
  }
}

/* How long a call takes at best: what the plan of rounds starts from. A single call may meet a slow spell. */
static double call_seconds(contestant *c)
{
  double shortest = INFINITY, spent = 0;
  for (int i = 0; i < MOST_TRIALS && spent < longest_trial && !c->watch.failed; i++) {
    double begin = bench_now();
    c->watch.failed = !bench_other_build.run(c->state);
    double seconds = bench_now() - begin;
    spent += seconds;
    shortest = fmin(shortest, seconds);
  }
  return shortest;
}

/* One call on an output full of NaN, checked and compared with the first build's. */
static void try_build(const ab_run *r, const bench_task *task, const bench_expected *expected, contestant *c,
                      bool first)
{
  size_t bytes = (size_t)bench_task_outputs(task) * task->element;
  memset(task->out, 0xff, bytes);
  c->watch.failed = !bench_other_build.run(c->state);
  if (!c->watch.failed) {
    c->verdict = bench_check(expected, task, bench_other_build.describe(c->state));
    if (first)
      memcpy(r->first_output, task->out, bytes);
    else
      compare_bits(task, r->first_output, c);
    c->watch.first_call = call_seconds(c);
  }
  if (!c->watch.failed) return;
  fprintf(stderr, "cnnblas-bench: %s, %s: the call failed: %s\n", r->report.builds[c->build].path,
          cnnblas_conv_direction_name(task->direction), c->options.api->last_error());
  c->verdict = (bench_verdict){.correct = false, .max_error = INFINITY};
}

/* Makes each build's plan; says which cannot. Returns how many can. */
static size_t create_all(ab_run *r, const bench_task *task, const char *algorithm, const cnnblas_conv_options *conv,
                         contestant *all)
{
  size_t able = 0;
  char why[MOST_BUILDS][200];
  for (size_t i = 0; i < r->report.build_count; i++) {
    all[i] = (contestant){.build = i, .options = {&r->report.builds[i].api, conv, &r->workspace}};
    all[i].state = bench_other_build.create(task, &all[i].options, why[i], sizeof why[i]);
    able += all[i].state != NULL;
  }
  bool say = able || r->options->algorithms_named;
  for (size_t i = 0; say && i < r->report.build_count; i++)
    if (!all[i].state)
      fprintf(stderr, "cnnblas-bench: %c, %s, %s: %s\n", bench_ab_letter(i), algorithm,
              cnnblas_conv_direction_name(task->direction), why[i]);
  return able;
}

/* Times those that gave a result. */
static bool time_all(const ab_run *r, contestant *all)
{
  bench_stopwatch watches[MOST_BUILDS];
  size_t count = 0, of[MOST_BUILDS];
  double longest = 0;
  for (size_t i = 0; i < r->report.build_count; i++) {
    if (!all[i].state || all[i].watch.failed) continue;
    all[i].watch.run = bench_other_build.run;
    all[i].watch.state = all[i].state;
    longest = fmax(longest, all[i].watch.first_call);
    of[count++] = i;
  }
  /* The same plan of rounds and groups for all: a shortest time falls with the number of samples. */
  for (size_t i = 0; i < count; i++) all[of[i]].watch.first_call = longest;
  for (size_t i = 0; i < count; i++) watches[i] = all[of[i]].watch;
  bench_load_begin(r->options->load);
  bool ok = bench_time_turns(watches, count, ROUNDS, r->options->min_time);
  bench_load_end(r->options->load);
  for (size_t i = 0; i < count; i++) {
    all[of[i]].watch = watches[i];
    if (watches[i].failed) all[of[i]].verdict.correct = false;
  }
  return ok;
}

static bench_ab_row make_row(const bench_load_monitor *load, const bench_problem *problem, const bench_task *task,
                             const char *algorithm, const contestant *first, const contestant *c)
{
  bench_ab_row row = {.problem = *problem,
                      .direction = task->direction,
                      .threads = task->threads,
                      .build = c->build,
                      .timing = c->watch.timing,
                      .verdict = c->verdict,
                      .flops = task->shape.flops,
                      .different = c->different,
                      .largest_difference = c->largest_difference,
                      .load = bench_load_of(load, &c->watch.clocks, task->threads)};
  row.problem.desc = task->desc;
  bench_descriptor_format(&task->desc, row.descriptor, sizeof row.descriptor);
  snprintf(row.algorithm, sizeof row.algorithm, "%s", algorithm);
  snprintf(row.chosen, sizeof row.chosen, "%s", bench_other_build.describe(c->state));
  const bench_timing *a = &first->watch.timing, *b = &c->watch.timing;
  if (c != first && a->calls && b->calls) {
    row.ratio = a->minimum / b->minimum;
    row.ratio_of_medians = a->median / b->median;
    row.close = bench_timing_close(a, b);
  }
  return row;
}

/* Every build on one problem in one direction with one algorithm. */
static int run_algorithm(ab_run *r, const bench_problem *problem, const bench_task *task,
                         const bench_expected *expected, const char *algorithm)
{
  contestant all[MOST_BUILDS];
  cnnblas_conv_options conv = bench_library_options(r->options, algorithm, task->threads);
  if (!create_all(r, task, algorithm, &conv, all)) return BENCH_OK;
  const contestant *first = NULL;
  for (size_t i = 0; i < r->report.build_count; i++) {
    if (!all[i].state) continue;
    try_build(r, task, expected, &all[i], !first);
    if (!first) first = &all[i];
  }
  int status = time_all(r, all) ? BENCH_OK : BENCH_NO_MEMORY;
  for (size_t i = 0; i < r->report.build_count; i++) {
    if (!all[i].state) continue;
    bench_ab_row row = make_row(r->options->load, problem, task, algorithm, first, &all[i]);
    char name[160];
    snprintf(name, sizeof name, "%s:%s", problem->set, problem->name);
    if (strcmp(name, r->last_problem) != 0) bench_ab_print_problem(&row);
    strcpy(r->last_problem, name);
    bench_ab_print_row(&row, &all[i] == first);
    if (!bench_ab_add(&r->report, &row)) status = BENCH_NO_MEMORY;
    if (!row.verdict.correct && status == BENCH_OK) status = BENCH_CHECK_FAILED;
    bench_other_build.destroy(all[i].state);
  }
  fflush(stdout);
  return status;
}

/* bench_on_task of a run. */
static int run_task(void *context, const bench_problem *problem, const bench_task *task, const bench_expected *expected)
{
  ab_run *r = context;
  size_t bytes = (size_t)bench_task_outputs(task) * task->element;
  int status = BENCH_OK;
  r->first_output = bench_pages(bytes);
  if (!r->first_output) return BENCH_NO_MEMORY;
  for (size_t i = 0; i < r->options->algorithm_count; i++)
    status = bench_status_of_both(status, run_algorithm(r, problem, task, expected, r->options->algorithms[i]));
  bench_pages_free(r->first_output, bytes);
  return status;
}

static int run_all(ab_run *r, const char *program)
{
  bench_context context;
  bench_context_fill(&context, program, r->options);
  context.peaks = (bench_peaks){.fma_gflops = NAN, .gemm_gflops = NAN, .bandwidth_gbytes = NAN}; /* not measured */
  bench_ab_print_head(&r->report, r->options);
  int status = bench_tasks_run(r->options, run_task, r);
  if (r->workspace.pages) bench_pages_free(r->workspace.pages, r->workspace.bytes);
  if (r->report.count) bench_ab_print_summary(&r->report);
  if (status == BENCH_CHECK_FAILED) puts("\nWRONG RESULTS: see the rows marked so");
  if (!r->report.count && status == BENCH_OK) {
    fputs("cnnblas-bench: nothing ran: no problem, or no algorithm that applies\n", stderr);
    status = BENCH_BAD_INPUT;
  }
  if (r->options->json && !bench_ab_write(r->options->json, &r->report, &context)) {
    fprintf(stderr, "cnnblas-bench: %s: %s\n", r->options->json, strerror(errno));
    status = bench_status_of_both(status, BENCH_NO_MEMORY);
  }
  free(r->report.rows);
  return bench_status_of_both(status, r->options->bad_lines ? BENCH_BAD_INPUT : BENCH_OK);
}

/* Options that ab does not know, though the reader of the command line does; NULL if there is none. */
static const char *foreign_option(const bench_options *o)
{
  return o->kernels                        ? "--set kernels"
         : o->layers                       ? "--set layers"
         : o->peers_named && o->peer_count ? "--peers"
         : o->csv                          ? "--csv"
         : o->plot                         ? "--plot"
         : o->latency                      ? "--latency"
         : o->fresh                        ? "--fresh"
         : o->wisdom_file                  ? "--wisdom"
                                           : NULL;
}

/* How many of the arguments are libraries: the first two in any case, and those behind them that look like one. */
static int count_libraries(int argc, char **argv)
{
  int count = 0;
  while (count < argc && argv[count][0] != '-' && (count < 2 || strchr(argv[count], '/') || strstr(argv[count], ".so")))
    count++;
  return count;
}

static int open_and_run(const bench_options *options, char **paths, size_t count, const char *program)
{
  bench_build builds[MOST_BUILDS];
  ab_run run = {.options = options, .report = {.builds = builds}};
  int status = BENCH_OK;
  while (status == BENCH_OK && run.report.build_count < count) {
    status = bench_build_open(paths[run.report.build_count], &builds[run.report.build_count]);
    run.report.build_count += status == BENCH_OK;
  }
  if (status == BENCH_OK) status = run_all(&run, program);
  for (size_t i = 0; i < run.report.build_count; i++) bench_build_close(&builds[i]);
  return status;
}

int bench_ab_main(int argc, char **argv)
{
  if (argc > 1 && strcmp(argv[1], "--help") == 0) return fputs(help, stdout), BENCH_OK;
  int libraries = count_libraries(argc - 1, argv + 1), status;
  if (libraries < 2 || libraries > MOST_BUILDS) {
    fprintf(stderr, "cnnblas-bench: ab takes 2 to %d libraries, before the options: ab OLD.so NEW.so\n", MOST_BUILDS);
    return BENCH_USAGE;
  }
  /* The rest is a command line as it is without ab. */
  char **rest = argv + libraries;
  char *first_library = rest[0];
  bench_options options;
  rest[0] = argv[0];
  bool go_on = bench_options_read(argc - libraries, rest, &options, &status);
  rest[0] = first_library;
  if (!go_on) return status;
  const char *foreign = foreign_option(&options);
  if (foreign) {
    fprintf(stderr, "cnnblas-bench: %s: not with ab, which times builds of the library alone\n", foreign);
    status = BENCH_USAGE;
  } else if (options.json && strcmp(options.json, "-") == 0 && !bench_json_take_stdout()) {
    status = bench_out_of_memory();
  } else if ((status = bench_check_writable(options.json)) == BENCH_OK) {
    options.load = bench_load_monitor_create();
    bench_wait_quiet(&options.wait_quiet);
    status = open_and_run(&options, argv + 1, (size_t)libraries, argv[0]);
    bench_load_monitor_destroy(options.load);
  }
  bench_options_free(&options);
  return status;
}
