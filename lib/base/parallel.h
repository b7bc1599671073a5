/*
 * The one OpenMP seam. Work is a number of independent tasks; which worker runs which task, and in what order, is not
 * fixed, so a task must write only what no other task of the loop touches. That is what makes results independent of
 * the number of threads.
 */
#ifndef CB_BASE_PARALLEL_H
#define CB_BASE_PARALLEL_H

#include <stdbool.h>
#include <stdint.h>

/* Runs one task, of [0, tasks); worker, of [0, threads), is for indexing scratch memory. */
typedef void (*cb_task)(void *context, int64_t task, int worker);

/* A loop of independent tasks. */
typedef struct {
  int64_t tasks;
  cb_task run;
  void *context;
} cb_loop;

/*
 * Runs loops one after another in one region: a loop begins when every task of the one before is done. Serial in a
 * forked child. A region has one thread or all `threads`, whatever the number of tasks: libgomp ends the surplus
 * threads of a team that shrinks and makes them again when it grows, which costs a millisecond.
 */
void cb_parallel_loops(int threads, const cb_loop *loops, int count);

/*
 * Runs a function on the calling thread while a team of `threads` stays awake beside it: loops of the function begin
 * and end in a fraction of a microsecond, a region of their own takes three or four. For functions of many loops with
 * little between them. The function runs without a team inside another session, in a caller's parallel region and in a forked
 * child. So it does if there are more threads than cores, because threads that wait awake would keep the others from running.
 */
void cb_parallel_session(int threads, void (*run)(void *context), void *context);

/* Runs one loop in a region of its own, or of the session. */
void cb_parallel_for(int threads, int64_t tasks, cb_task run, void *context);

/*
 * A watch looks at the calling thread's regions instead of having them run in parallel: the benchmark's projection uses
 * it, and tests. `region` is told of each region and its threads (1: it would have been serial), then `loop` of each of
 * its loops, and runs the loop's tasks itself, as worker 0.
 */
typedef struct {
  void *context;
  void (*region)(void *context, int threads);
  void (*loop)(void *context, const cb_loop *loop);
} cb_watch;

/* Sets the calling thread's watch, NULL for none; returns the watch that was set before. */
const cb_watch *cb_parallel_watch(const cb_watch *watch);

/* Keeps the calling thread's regions on that thread while on, whatever their numbers of threads: for a call whose whole
   work is less than waking a team costs. Returns the setting before, for restoring it. */
bool cb_parallel_alone(bool on);

/* While on, the threads of the calling thread's regions take denormal numbers for zeros (denormals.h), for as long as
   the region runs. Returns the setting before, for restoring it. */
bool cb_parallel_flush(bool on);

/* How many of `threads` a region gets: 1 in a forked child or while cb_parallel_alone is on, else all. */
int cb_team(int threads);

/* How many threads a call has that was not told a number: 1 inside a caller's parallel region or in a forked child,
   else one a core, as OMP_NUM_THREADS, the process's affinity and its cgroups' CPU quota (quota.h) allow. */
int cb_threads_default(void);

/* True inside an active parallel region of the caller's (or ours, but for the function of a session). */
int cb_in_parallel(void);

/* The calling thread's own count for parallel regions (OpenMP's nthreads-var). */
int cb_omp_threads(void);
void cb_omp_set_threads(int threads);

/* How many processors the calling thread may run on. */
int cb_cores(void);

/* The OpenMP runtime's name, "libgomp", "libomp" or "unknown", and the value of _OPENMP. */
const char *cb_omp_runtime(void);
int cb_omp_version(void);

#endif
