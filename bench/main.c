/*
 * cnnblas-bench: convolution layers timed against naive loops and peers, every result checked.
 *
 * Which file answers which question: options.c the command line, descriptor.c the problems' grammar, sets.c the built-in
 * layers, validate.c what of it can run, runner.c what is run in which order, timing.c how it is timed, check.c what
 * counts as right, peaks.c the machine's limits, load.c whether others disturbed it, peers.c who else is timed, kernels.c
 * the micro-kernels alone, layers.c the layers around the convolution, report_*.c and marks.c the output, compare.c two
 * runs side by side, ab.c builds of the library in turns, latency.c single calls, project.c more
 * cores than there are, plot.c pictures.
 */
#include "ab.h"
#include "calibrate.h"
#include "command_line.h"
#include "compare.h"
#include "fresh.h"
#include "kernels.h"
#include "latency.h"
#include "layers.h"
#include "marks.h"
#include "openblas.h"
#include "option_values.h"
#include "plot.h"
#include "project.h"
#include "quiet.h"
#include "report.h"
#include "runner.h"
#include "sweep.h"
#include "validate.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The rows of one problem and direction, as they come. */
static void print_rows(void *previous, const bench_result *rows, size_t count)
{
  char *last = previous, name[160];
  if (!count) return;
  snprintf(name, sizeof name, "%s:%s", rows[0].problem.set, rows[0].problem.name);
  if (strcmp(last, name) != 0) bench_table_problem(&rows[0]);
  strcpy(last, name);
  for (size_t i = 0; i < count; i++) bench_table_row(&rows[i], i == 0);
  fflush(stdout);
}

static int write_files(const bench_options *options, const bench_results *results, const bench_context *context)
{
  int status = BENCH_OK;
  if (options->json && !bench_json_write(options->json, results, context)) {
    fprintf(stderr, "cnnblas-bench: %s: %s\n", options->json, strerror(errno));
    status = BENCH_NO_MEMORY;
  }
  if (options->csv && !bench_csv_write(options->csv, results, context)) {
    fprintf(stderr, "cnnblas-bench: %s: %s\n", options->csv, strerror(errno));
    status = BENCH_NO_MEMORY;
  }
  return status;
}

/* low and high: of those measured between rows; low > high if there are none. */
static void print_moved(const char *name, double before, double low, double high, double after)
{
  if (fmax(high, fmax(before, after)) <= 1.1 * fmin(low, fmin(before, after))) return;
  printf("  %s: %.1f before, ", name, before);
  if (low <= high) printf("%.1f to %.1f between rows, ", low, high);
  printf("%.1f after\n", after);
}

/* The peaks once more: what the whole run is judged by is the largest of each, so that a slow spell at the start does not
   flatter it. Rows with a thread count of their own keep the peaks measured for that. */
static void measure_peaks_again(const bench_options *options, bench_context *context, bench_results *results)
{
  bench_peaks again, *peaks = &context->peaks;
  bench_set_threads(options->threads);
  bench_peaks_measure(options->dtype, options->threads, bench_peaks_time(options->min_time), &again);
  bench_peaks before = *peaks;
  double low = INFINITY, high = 0;
  peaks->fma_gflops = fmax(peaks->fma_gflops, again.fma_gflops);
  peaks->gemm_gflops = fmax(peaks->gemm_gflops, again.gemm_gflops);
  peaks->bandwidth_gbytes = fmax(peaks->bandwidth_gbytes, again.bandwidth_gbytes);
  for (size_t i = 0; i < results->count; i++) {
    const bench_result *row = &results->items[i];
    if (row->threads != options->threads || row->fma_after <= 0) continue;
    low = fmin(low, fmin(row->fma_before, row->fma_after));
    high = fmax(high, fmax(row->fma_before, row->fma_after));
  }
  peaks->fma_gflops = fmax(peaks->fma_gflops, high);
  for (size_t i = 0; i < results->count; i++) {
    bench_result *row = &results->items[i];
    if (row->threads != options->threads) continue;
    row->peaks = *peaks;
    row->roof_gflops = bench_roof(peaks, row->flops, row->bytes);
  }
  printf("\npeaks, the largest of the run: FMA %.0f GFLOP/s, GEMM %.0f GFLOP/s, memory %.1f GB/s\n", peaks->fma_gflops,
         peaks->gemm_gflops, peaks->bandwidth_gbytes);
  print_moved("FMA GFLOP/s moved", before.fma_gflops, low, high, again.fma_gflops);
  print_moved("GEMM GFLOP/s moved", before.gemm_gflops, INFINITY, 0, again.gemm_gflops);
  print_moved("memory GB/s moved", before.bandwidth_gbytes, INFINITY, 0, again.bandwidth_gbytes);
}

/* The choices of --wisdom's file; none yet if there is no file. */
static int open_wisdom(bench_options *options)
{
  if (!options->wisdom_file) return BENCH_OK;
  if (cnnblas_wisdom_create(&options->wisdom))
    return fprintf(stderr, "cnnblas-bench: out of memory\n"), BENCH_NO_MEMORY;
  if (access(options->wisdom_file, F_OK) != 0 && errno == ENOENT) return BENCH_OK;
  cnnblas_status status = cnnblas_wisdom_load(options->wisdom, options->wisdom_file);
  if (!status) return BENCH_OK;
  fprintf(stderr, "cnnblas-bench: %s\n", cnnblas_last_error());
  cnnblas_wisdom_destroy(options->wisdom);
  return status == CNNBLAS_OUT_OF_MEMORY ? BENCH_NO_MEMORY : BENCH_BAD_INPUT;
}

/* Writes the choices, old and new, back. */
static int close_wisdom(bench_options *options)
{
  if (!options->wisdom) return BENCH_OK;
  cnnblas_status status = cnnblas_wisdom_save(options->wisdom, options->wisdom_file);
  if (status) fprintf(stderr, "cnnblas-bench: %s\n", cnnblas_last_error());
  cnnblas_wisdom_destroy(options->wisdom);
  return status ? BENCH_NO_MEMORY : BENCH_OK;
}

/* --set kernels, --set layers, --project and --calibrate. */
static int run_alone(const bench_options *options, bench_context *context)
{
  int status = options->kernels     ? bench_kernels_run(options, context)
               : options->layers    ? bench_layers_run(options, context)
               : options->calibrate ? bench_calibrate_run(options, context)
                                    : bench_project_run(options, &bench_ours, context);
  if (options->plot && status != BENCH_NO_MEMORY) {
    int plotted = bench_plot(options->json, options->plot, NULL);
    if (status == BENCH_OK) status = plotted;
  }
  return status;
}

/* Problems, all of which can run. */
static int run_problems(int argc, char **argv, const bench_options *options, bench_context *context)
{
  bench_results results = {0};
  char last_problem[160] = "";
  bench_set_threads(options->threads);
  bench_peaks_measure(options->dtype, options->threads, bench_peaks_time(options->min_time), &context->peaks);
  bench_table_head(context);
  int status = bench_run(options, &context->peaks, &results, print_rows, last_problem);
  measure_peaks_again(options, context, &results);
  bench_sweep_print(&results, options->sweeps, options->sweep_count);
  bench_table_means(&results, context);
  if (status == BENCH_CHECK_FAILED) puts("\nWRONG RESULTS: see the rows marked so");
  int written = write_files(options, &results, context);
  if (options->plot && written == BENCH_OK) written = bench_plot(options->json, options->plot, NULL);
  if (options->fresh) {
    int fresh = bench_fresh_run(argc, argv, &results, context);
    if (status == BENCH_OK) status = fresh;
  }
  if (status == BENCH_OK) status = written;
  if (status == BENCH_OK && !results.count) {
    fputs("cnnblas-bench: nothing ran: see the reasons above\n", stderr);
    status = BENCH_BAD_INPUT;
  }
  bench_results_free(&results);
  return status;
}

static int check_files(const bench_options *options)
{
  int status = bench_check_writable(options->json);
  if (status == BENCH_OK) status = bench_check_writable(options->csv);
  if (status == BENCH_OK) status = bench_check_writable(options->calibrate);
  return status == BENCH_OK ? bench_check_writable(options->wisdom_file) : status;
}

/* Everything that can be refused comes before anything that is measured. */
static int run_options(int argc, char **argv, bench_options *options)
{
  bench_context context;
  int status, invalid = BENCH_OK;
  bool alone = options->kernels || options->layers;
  if (!alone && !bench_validate(options, &invalid)) return invalid;
  if (options->latency) {
    if ((status = check_files(options)) != BENCH_OK) return status;
    bench_wait_quiet(&options->wait_quiet);
    bench_context_fill(&context, argv[0], options);
    status = bench_latency_run(options, &context);
    return status == BENCH_OK ? invalid : status;
  }
  if (options->plot && (status = bench_plot_prepare(options->plot, &options->json)) != BENCH_OK) return status;
  if ((status = check_files(options)) != BENCH_OK) return status;
  if (!alone && (status = open_wisdom(options)) != BENCH_OK) return status;
  options->load = bench_load_monitor_create();
  bench_wait_quiet(&options->wait_quiet);
  bench_context_fill(&context, argv[0], options);
  status = alone || options->project_count || options->calibrate ? run_alone(options, &context)
                                                                 : run_problems(argc, argv, options, &context);
  bench_load_monitor_destroy(options->load);
  int kept = close_wisdom(options);
  if (status == BENCH_OK) status = kept;
  return status == BENCH_OK ? invalid : status;
}

static const struct {
  const char *name;
  int (*run)(int argc, char **argv); /* argv[0] is its name */
} commands[] = {{"ab", bench_ab_main}, {"compare", bench_compare_main}, {"plot", bench_plot_main}};

enum { COMMANDS = sizeof commands / sizeof *commands };

static size_t find_command(const char *name)
{
  size_t i = 0;
  while (i < COMMANDS && strcmp(name, commands[i].name) != 0) i++;
  return i;
}

/* A command, which answers --help and --version wherever they stand. */
static int run_command(size_t command, int argc, char **argv)
{
  static char help[] = "--help";
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], help) == 0)
      return commands[command].run(2, (char *[]){argv[0], help, NULL});
    if (strcmp(argv[i], "-V") != 0 && strcmp(argv[i], "--version") != 0) continue;
    printf("cnnblas-bench %s\n", cnnblas_version_string());
    return BENCH_OK;
  }
  return commands[command].run(argc, argv);
}

/* "help", "help compare": the same as --help. */
static int run_help(int argc, char **argv)
{
  static char help[] = "--help";
  bench_options options;
  int status;
  size_t command = argc > 2 ? find_command(argv[2]) : COMMANDS;
  if (argc > 3 || (argc > 2 && command == COMMANDS)) {
    fprintf(stderr, "cnnblas-bench: help %s: there are ab, compare and plot\n", argv[argc - 1]);
    return BENCH_USAGE;
  }
  if (argc > 2) return commands[command].run(2, (char *[]){argv[2], help, NULL});
  bench_options_read(2, (char *[]){argv[0], help, NULL}, &options, &status);
  return status;
}

static int run(int argc, char **argv)
{
  bench_options options;
  int status;
  size_t command = argc > 1 ? find_command(argv[1]) : COMMANDS;
  if (command < COMMANDS) return run_command(command, argc - 1, argv + 1);
  if (argc > 1 && strcmp(argv[1], "help") == 0) return run_help(argc, argv);
  if (!bench_options_read(argc, argv, &options, &status)) return status;
  if (options.json && strcmp(options.json, "-") == 0 && !bench_json_take_stdout()) {
    bench_options_free(&options);
    return bench_out_of_memory();
  }
  status = run_options(argc, argv, &options);
  if (status == BENCH_OK && options.bad_lines) status = BENCH_BAD_INPUT;
  bench_options_free(&options);
  return status;
}

int main(int argc, char **argv)
{
  int status = run(argc, argv);
  if (!fflush(stdout) && !ferror(stdout)) return status;
  fputs("cnnblas-bench: standard output could not be written\n", stderr);
  return status == BENCH_OK ? BENCH_NO_MEMORY : status;
}
