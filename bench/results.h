/*
 * One measured row, and the list of a run: what the reports are made from.
 */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include "check.h"
#include "load.h"
#include "peaks.h"
#include "problem.h"
#include "timing.h"

typedef enum bench_kind { BENCH_OURS, BENCH_NAIVE, BENCH_PEER } bench_kind;

typedef struct bench_result {
  bench_problem problem; /* desc.n and desc.dtype as they ran */
  char descriptor[192];
  cnnblas_conv_direction direction;
  bench_kind kind;
  char algorithm[40]; /* as asked for: "auto", "im2col", a peer's name */
  char chosen[64];    /* what ran inside: "im2col"; for naive, the part that was measured */
  int threads;
  bench_timing timing; /* naive: scaled up to the whole problem */
  bench_verdict verdict;
  cnnblas_accuracy_policy accuracy; /* that automatic choices of the run had */
  double flops, gflops;
  double bytes; /* of x, w and y, each counted once */
  double roof_gflops;
  double speedup_over_naive; /* 0: naive was not measured */
  double versus_ours;        /* this row's time over the first of our rows; 0 if there is none */
  bool close_to_ours;        /* and the quartile ranges overlap */
  size_t workspace_bytes, memory_bytes;
  bench_peaks peaks;            /* for this row's threads */
  double fma_before, fma_after; /* the FMA peak measured last before the row and first after it, GFLOP/s; 0 for none */
  bool peaks_moved;             /* those two differ by over 10%, or the row exceeds both by over 10% */
  bench_load load;              /* what other processes took */
} bench_result;

typedef struct bench_results {
  bench_result *items;
  size_t count, capacity;
} bench_results;

bool bench_results_add(bench_results *results, const bench_result *result);
void bench_results_free(bench_results *results);

const char *bench_dtype_name(cnnblas_dtype dtype);

/* Sets fma_before, fma_after and peaks_moved. */
void bench_result_surround(bench_result *result, double fma_before, double fma_after);

/* SET:LAYER/DIRECTION/ALGORITHM */
void bench_result_name(const bench_result *result, char *buffer, size_t size);

#endif
