/*
 * The OpenMP seam: the only file with a pragma.
 *
 * After fork() a child has one thread, but libgomp still believes in its parent's pool and would wait for it for ever.
 * The process that ran the first parallel loop is remembered; any other process runs its loops serially. (A pool that
 * the caller's own regions made before the fork cannot be seen from here.)
 */
#define _GNU_SOURCE
#include "base/parallel.h"
#include <dlfcn.h>
#include <omp.h>
#include <stdatomic.h>
#include <unistd.h>

static _Atomic pid_t pool_owner;

static int is_forked_child(void)
{
  pid_t owner = atomic_load_explicit(&pool_owner, memory_order_relaxed);
  return owner != 0 && owner != getpid();
}

static void run_serially(int64_t tasks, cb_task run, void *context)
{
  for (int64_t task = 0; task < tasks; task++) run(context, task, 0);
}

void cb_parallel_for(int threads, int64_t tasks, cb_task run, void *context)
{
  if (tasks < threads) threads = (int)tasks;
  if (threads <= 1 || is_forked_child()) {
    run_serially(tasks, run, context);
    return;
  }
  pid_t none = 0;
  atomic_compare_exchange_strong(&pool_owner, &none, getpid());
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (int64_t task = 0; task < tasks; task++) run(context, task, omp_get_thread_num());
}

int cb_threads_default(void)
{
  if (omp_in_parallel() || is_forked_child()) return 1;
  int threads = omp_get_max_threads(), cores = cb_cores();
  return threads < cores ? threads : cores;
}

int cb_in_parallel(void)
{
  return omp_in_parallel();
}

int cb_omp_threads(void)
{
  return omp_get_max_threads();
}

void cb_omp_set_threads(int threads)
{
  omp_set_num_threads(threads);
}

int cb_cores(void)
{
  return omp_get_num_procs();
}

const char *cb_omp_runtime(void)
{
  if (dlsym(RTLD_DEFAULT, "kmp_get_blocktime")) return "libomp";
  if (dlsym(RTLD_DEFAULT, "GOMP_parallel")) return "libgomp";
  return "unknown";
}

int cb_omp_version(void)
{
  return _OPENMP;
}
