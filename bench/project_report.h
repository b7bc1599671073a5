/*
 * What --project found and supposes, its table and its JSON.
 */
#ifndef BENCH_PROJECT_REPORT_H
#define BENCH_PROJECT_REPORT_H

#include "report.h"

/* One problem, direction, algorithm and number of threads. Times in seconds. */
typedef struct bench_projection {
  bench_problem problem; /* desc.n and desc.dtype as they ran */
  char descriptor[192];
  cnnblas_conv_direction direction;
  const char *algorithm; /* as asked for */
  char chosen[64];       /* what ran inside */
  int threads;
  size_t tasks, team_regions; /* regions of more than one thread */
  size_t workspace_bytes;
  double work;       /* the call on one core, cut as for `threads` */
  double makespan;   /* the call on `threads` cores; for one thread it is the work */
  double capped;     /* at least the bytes at the bandwidth; for one thread the makespan */
  double work_ratio; /* this work over the work of one thread */
  double speedup, capped_speedup;
  double flops, bytes; /* x, w and y each counted once */
  bench_verdict verdict;
  bool same_bits; /* as with one thread */
} bench_projection;

/* What the projections of a run suppose. */
typedef struct bench_supposed {
  double barrier;       /* seconds at the end of each loop of a region of several threads */
  double bandwidth;     /* bytes a second; where `per_thread`, of each thread */
  bool per_thread;      /* measured here, not stated */
  int measured_threads; /* with so many */
} bench_supposed;

/* The bandwidth that a team of so many threads is supposed to have. */
double bench_supposed_bandwidth(const bench_supposed *supposed, int threads);

/* The table: head, a problem's rows, means. At most 100 columns. */
void bench_project_head(const bench_context *context, const bench_supposed *supposed);
void bench_project_rows(const bench_projection *rows, size_t count, bool new_problem);
void bench_project_means(const bench_projection *rows, size_t count);

/* The report; "-" is stdout. False if it could not be written: errno tells. */
bool bench_project_json(const char *path, const bench_projection *rows, size_t count, const bench_context *context,
                        const bench_supposed *supposed);

#endif
