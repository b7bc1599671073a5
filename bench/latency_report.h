/*
 * What cnnblas-bench --latency prints and writes.
 */
#ifndef BENCH_LATENCY_REPORT_H
#define BENCH_LATENCY_REPORT_H

#include "report.h"

/* What the caches hold when a call begins. */
typedef enum bench_caches { BENCH_WARM, BENCH_COLD, BENCH_CACHES } bench_caches;

/* The calls of one candidate on one problem and direction, with warm or cold caches. */
typedef struct bench_latency_row {
  bench_problem problem; /* desc as it ran */
  char descriptor[192];
  cnnblas_conv_direction direction;
  bench_kind kind;
  char algorithm[40], chosen[64]; /* as asked for, and what ran inside */
  int threads;
  bench_caches caches;
  bench_timing timing; /* seconds; the median is p50 */
  double p99, longest; /* seconds */
  bench_verdict verdict;
} bench_latency_row;

typedef struct bench_latency_report {
  bench_latency_row *rows;
  size_t count, capacity;
} bench_latency_report;

/* False if memory ran out. */
bool bench_latency_add(bench_latency_report *report, const bench_latency_row *row);

/* cold_bytes: read between two calls with cold caches. */
void bench_latency_print_head(const bench_context *context, size_t cold_bytes);
void bench_latency_print_problem(const bench_latency_row *first);
void bench_latency_print_row(const bench_latency_row *row, bool first_of_direction);

/* A report in the schema of the other runs, two rows a candidate. False if it could not be written: errno tells. */
bool bench_latency_write(const char *path, const bench_latency_report *report, const bench_context *context,
                         size_t cold_bytes);

#endif
