/*
 * The reports of a run: text for people, JSON and CSV for machines.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "options.h"
#include "results.h"

/* What the figures were measured on and with. */
typedef struct bench_context {
  cnnblas_system_info system;
  bench_peaks peaks;
  int threads;
  cnnblas_dtype dtype;
  cnnblas_accuracy_policy accuracy;
  const char *onednn_version; /* "" without */
  const char *compiler;       /* that built the benchmark */
  const char *build_type;     /* meson's */
  bool debug_build;           /* unoptimised or instrumented: its figures mean nothing */
  const char *executable;
  bool load_known; /* the system tells what other processes do */
} bench_context;

void bench_context_fill(bench_context *context, const char *executable, const bench_options *options);

/* The table: a head, the rows of one problem as they come, geometric means at the end. At most 100 columns. */
void bench_table_head(const bench_context *context);
void bench_table_problem(const bench_result *first);
void bench_table_row(const bench_result *row, bool first_of_direction);
void bench_table_means(const bench_results *results, const bench_context *context);

/* From now on standard output holds the JSON of "-" alone, and what else is printed there goes nowhere. False: it failed. */
bool bench_json_take_stdout(void);

/* Google Benchmark's schema. False if the file could not be written (or memory ran out): errno tells. "-" is stdout. */
bool bench_json_write(const char *path, const bench_results *results, const bench_context *context);

/* One line per row, a head line first. */
bool bench_csv_write(const char *path, const bench_results *results, const bench_context *context);

#endif
