/*
 * The OpenMP seam: the only file with a pragma.
 *
 * After fork() a child has one thread, but libgomp still believes in its parent's pool and would wait for it for ever.
 * The process that ran the first parallel loop is remembered; any other process runs its loops serially. (A pool that
 * the caller's own regions made before the fork cannot be seen from here.)
 */
#define _GNU_SOURCE
#include "base/parallel.h"
#include "base/denormals.h"
#include "base/quota.h"
#include <dlfcn.h>
#include <omp.h>
#include <stdatomic.h>
#include <unistd.h>

static _Atomic pid_t pool_owner; /* the process that ran the first parallel loop; 0: none did */

static int is_forked_child(void)
{
  pid_t owner = atomic_load_explicit(&pool_owner, memory_order_relaxed);
  return owner != 0 && owner != getpid();
}

static _Thread_local bool alone; /* what cb_parallel_alone sets */

bool cb_parallel_alone(bool on)
{
  bool before = alone;
  alone = on;
  return before;
}

static _Thread_local bool flush; /* what cb_parallel_flush sets */

bool cb_parallel_flush(bool on)
{
  bool before = flush;
  flush = on;
  return before;
}

int cb_team(int threads)
{
  return alone || is_forked_child() ? 1 : threads;
}

static _Thread_local const cb_watch *watch_of_thread;

const cb_watch *cb_parallel_watch(const cb_watch *watch)
{
  const cb_watch *before = watch_of_thread;
  watch_of_thread = watch;
  return before;
}

static void run_watched(const cb_watch *watch, int threads, const cb_loop *loops, int count)
{
  watch->region(watch->context, threads);
  for (int i = 0; i < count; i++) watch->loop(watch->context, &loops[i]);
}

static void run_serially(const cb_loop *loops, int count)
{
  for (int i = 0; i < count; i++)
    for (int64_t task = 0; task < loops[i].tasks; task++) loops[i].run(loops[i].context, task, 0);
}

/* A stretch of neighbouring tasks, which one thread of the team takes first. */
typedef struct {
  _Alignas(64) _Atomic int64_t next; /* the first task that nobody has begun */
  int64_t end;
} share;

enum { MOST_SHARES = 64 }; /* of more threads, several begin with the same share */

/* Cuts a loop into shares. A thread has the same share of equal loops, so what it wrote or read is in its own cache
   when the next call, or the next layer, takes the same planes. */
static void open_shares(share *shares, int count, int64_t tasks)
{
  const int64_t each = tasks / count, more = tasks % count;
  for (int i = 0; i < count; i++) {
    const int64_t first = i * each + (i < more ? i : more);
    atomic_store_explicit(&shares[i].next, first, memory_order_relaxed);
    shares[i].end = first + each + (i < more ? 1 : 0);
  }
}

/* How many threads the region has: all of them if some loop has more than one task. */
static int team_for(int threads, const cb_loop *loops, int count)
{
  int64_t most = 0;
  for (int i = 0; i < count; i++)
    if (loops[i].tasks > most) most = loops[i].tasks;
  return most > 1 ? cb_team(threads) : 1;
}

/* Runs tasks of a loop until none is left: the worker's own share first, then what the others have not begun. */
static void run_shares(const cb_loop *loop, share *shares, int count, int worker)
{
  for (int i = 0; i < count; i++) {
    share *s = &shares[(worker + i) % count];
    int64_t task;
    while (atomic_load_explicit(&s->next, memory_order_relaxed) < s->end &&
           (task = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed)) < s->end)
      loop->run(loop->context, task, worker);
  }
}

static void run_in_team(int threads, const cb_loop *loops, int count)
{
  const bool flushes = flush; /* a copy of the caller's, for the team: each thread has its own `flush` */
  share shares[2][MOST_SHARES];
  pid_t none = 0;
  atomic_compare_exchange_strong(&pool_owner, &none, getpid());
  const int parts = threads < MOST_SHARES ? threads : MOST_SHARES;
  open_shares(shares[0], parts, loops[0].tasks);
#pragma omp parallel num_threads(threads)
  {
    const cb_float_control control = cb_flush_begin(flushes);
    const int worker = omp_get_thread_num();
    for (int i = 0; i < count; i++) {
      if (i > 0) {
#pragma omp barrier
      }
      /* Nobody reads the other row before the next barrier. */
      if (worker == 0 && i + 1 < count) open_shares(shares[(i + 1) % 2], parts, loops[i + 1].tasks);
      run_shares(&loops[i], shares[i % 2], parts, worker);
    }
    cb_flush_end(flushes, control);
  }
}

void cb_parallel_loops(int threads, const cb_loop *loops, int count)
{
  threads = team_for(threads, loops, count);
  if (threads > 1 && !watch_of_thread) {
    run_in_team(threads, loops, count);
    return;
  }
  const cb_float_control control = cb_flush_begin(flush);
  if (watch_of_thread)
    run_watched(watch_of_thread, threads, loops, count);
  else
    run_serially(loops, count);
  cb_flush_end(flush, control);
}

void cb_parallel_for(int threads, int64_t tasks, cb_task run, void *context)
{
  const cb_loop loop = {tasks, run, context};
  cb_parallel_loops(threads, &loop, 1);
}

int cb_threads_default(void)
{
  if (omp_in_parallel() || is_forked_child()) return 1;
  int threads = omp_get_max_threads(), cores = cb_cores(), quota = cb_quota();
  if (quota && quota < cores) cores = quota;
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
