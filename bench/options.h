/*
 * What a run of cnnblas-bench was asked for, and the statuses that it ends with.
 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "load_monitor.h"
#include "peer.h"
#include "problem.h"
#include <stdbool.h>

enum { BENCH_OK = 0, BENCH_CHECK_FAILED = 1, BENCH_USAGE = 2, BENCH_BAD_INPUT = 3, BENCH_NO_MEMORY = 4 };

enum { BENCH_MOST_NAMES = 32, BENCH_MOST_PROJECTED = 16 };

typedef struct bench_options {
  bench_problem_list problems;
  bool kernels; /* the micro-kernels instead of problems */
  bool layers;  /* the layers around the convolution instead of problems */
  bool directions[3];
  const char *algorithms[BENCH_MOST_NAMES]; /* of the library */
  size_t algorithm_count;
  bool algorithms_named; /* not "all": say so when one does not apply */
  const bench_peer *peers[BENCH_MOST_NAMES];
  size_t peer_count;
  bool peers_named;
  int64_t batch; /* 0: as the problem says */
  int threads;   /* as asked for, or one a core */
  cnnblas_dtype dtype;
  cnnblas_workspace_policy workspace;
  size_t workspace_limit;
  cnnblas_effort effort;
  cnnblas_accuracy_policy accuracy;
  const char *wisdom_file; /* NULL for none */
  cnnblas_wisdom *wisdom;  /* of that file; main makes and frees it */
  double min_time;
  double wait_quiet;        /* seconds to wait for a quiet machine at most, in all */
  bench_load_monitor *load; /* watches others; main makes and frees it; NULL: nobody watches */
  bool naive;
  bool fresh;
  bool latency;                          /* single calls, warm and cold, instead of the shortest times */
  const char *json, *csv;                /* files, NULL for none */
  const char *calibrate;                 /* a file of times beside counted work, NULL to measure as usual */
  const char *plot;                      /* directory for pictures, NULL for none */
  const char *sweeps[BENCH_MOST_SWEEPS]; /* the swept variables */
  size_t sweep_count;
  int project[BENCH_MOST_PROJECTED]; /* numbers of threads, rising from 1 */
  size_t project_count;              /* 0: measure, do not project */
  double barrier, bandwidth;         /* of --project: seconds; bytes a second, 0 to measure it */
  bool supposes;                     /* one of the two was given */
  size_t bad_lines;                  /* problems that could not be read */
} bench_options;

#endif
