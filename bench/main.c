/*
 * cnnblas-bench: convolution layers timed against naive loops and peers, every result checked.
 *
 * Which file answers which question: options.c the command line, descriptor.c the problems' grammar, sets.c the built-in
 * layers, runner.c what is run in which order, timing.c how it is timed, check.c what counts as right, peaks.c the
 * machine's limits, peers.c who else is timed, kernels.c the micro-kernels alone, layers.c the layers around the
 * convolution, report_*.c the output, compare.c two runs side by side, ab.c builds of the library in turns, latency.c
 * single calls, plot.c pictures.
 */
#include "ab.h"
#include "blas.h"
#include "compare.h"
#include "fresh.h"
#include "kernels.h"
#include "latency.h"
#include "layers.h"
#include "plot.h"
#include "report.h"
#include "runner.h"
#include "sweep.h"
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

/* The peaks once more: what the whole run is judged by is the larger of each, so that a slow spell at the start does not
   flatter it. Rows with a thread count of their own keep the peaks measured for that. */
static void measure_peaks_again(const bench_options *options, bench_context *context, bench_results *results)
{
  bench_peaks again, *peaks = &context->peaks;
  bench_set_threads(options->threads);
  bench_peaks_measure(options->dtype, options->threads, bench_peaks_time(options->min_time), &again);
  peaks->fma_gflops = fmax(peaks->fma_gflops, again.fma_gflops);
  peaks->gemm_gflops = fmax(peaks->gemm_gflops, again.gemm_gflops);
  peaks->bandwidth_gbytes = fmax(peaks->bandwidth_gbytes, again.bandwidth_gbytes);
  for (size_t i = 0; i < results->count; i++) {
    bench_result *row = &results->items[i];
    if (row->problem.threads && row->problem.threads != options->threads) continue;
    row->peaks = *peaks;
    row->roof_gflops = bench_roof(peaks, row->flops, row->bytes);
  }
  printf("\npeaks, the larger of before and after: FMA %.0f GFLOP/s, GEMM %.0f GFLOP/s, memory %.1f GB/s\n",
         peaks->fma_gflops, peaks->gemm_gflops, peaks->bandwidth_gbytes);
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

static int run(int argc, char **argv)
{
  bench_options options;
  int status;
  if (argc > 1 && strcmp(argv[1], "ab") == 0) return bench_ab_main(argc - 1, argv + 1);
  if (argc > 1 && strcmp(argv[1], "compare") == 0) return bench_compare_main(argc - 1, argv + 1);
  if (argc > 1 && strcmp(argv[1], "plot") == 0) return bench_plot_main(argc - 1, argv + 1);
  if (!bench_options_read(argc, argv, &options, &status)) return status;
  bench_context context;
  bench_results results = {0};
  char last_problem[160] = "";
  if (options.latency) {
    bench_context_fill(&context, argv[0], &options);
    status = bench_latency_run(&options, &context);
    bench_options_free(&options);
    return status;
  }
  if (options.plot && (status = bench_plot_prepare(options.plot, &options.json)) != BENCH_OK) {
    bench_options_free(&options);
    return status;
  }
  bench_context_fill(&context, argv[0], &options);
  if (options.kernels || options.layers) {
    status = options.kernels ? bench_kernels_run(&options, &context) : bench_layers_run(&options, &context);
    if (options.plot && status != BENCH_NO_MEMORY) {
      int plotted = bench_plot(options.json, options.plot, NULL);
      if (status == BENCH_OK) status = plotted;
    }
    bench_options_free(&options);
    return status;
  }
  status = open_wisdom(&options);
  if (status) {
    bench_options_free(&options);
    return status;
  }
  bench_set_threads(options.threads);
  bench_peaks_measure(options.dtype, options.threads, bench_peaks_time(options.min_time), &context.peaks);
  bench_table_head(&context);
  status = bench_run(&options, &context.peaks, &results, print_rows, last_problem);
  measure_peaks_again(&options, &context, &results);
  if (options.sweep[0]) bench_sweep_print(&results, options.sweep);
  bench_table_means(&results, &context);
  if (status == BENCH_CHECK_FAILED) puts("\nWRONG RESULTS: see the rows marked so");
  int written = write_files(&options, &results, &context), kept = close_wisdom(&options);
  if (options.plot && written == BENCH_OK) written = bench_plot(options.json, options.plot, NULL);
  if (options.fresh) {
    int fresh = bench_fresh_run(argc, argv, &results, &context);
    if (status == BENCH_OK) status = fresh;
  }
  if (status == BENCH_OK) status = written ? written : kept;
  if (status == BENCH_OK && options.bad_lines) status = BENCH_BAD_INPUT;
  bench_results_free(&results);
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
