/*
 * The one OpenMP seam. Work is a number of independent tasks; which worker runs which task, and in what order, is not
 * fixed, so a task must write only what no other task of the loop touches. That is what makes results independent of
 * the number of threads.
 */
#ifndef CB_BASE_PARALLEL_H
#define CB_BASE_PARALLEL_H

#include <stdint.h>

/* One task: task in [0, tasks), worker in [0, threads), for indexing scratch memory. */
typedef void (*cb_task)(void *context, int64_t task, int worker);

/* Runs every task on at most threads threads and returns when all are done. Serial in a forked child. */
void cb_parallel_for(int threads, int64_t tasks, cb_task run, void *context);

/* Threads for a call that was not told a number: 1 inside a caller's parallel region or in a forked child, else one a
   core, as OMP_NUM_THREADS and the process's affinity allow. */
int cb_threads_default(void);

/* True inside an active parallel region of the caller's (or ours). */
int cb_in_parallel(void);

/* The calling thread's own count for parallel regions (OpenMP's nthreads-var). */
int cb_omp_threads(void);
void cb_omp_set_threads(int threads);

/* Processors that the calling thread may run on. */
int cb_cores(void);

/* "libgomp", "libomp" or "unknown", and _OPENMP. */
const char *cb_omp_runtime(void);
int cb_omp_version(void);

#endif
