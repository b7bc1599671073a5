/*
 * The OpenMP seam: the only file with a pragma.
 *
 * After fork() a child has one thread, but libgomp still believes in its parent's pool and would wait for it for ever.
 * The process that ran the first parallel loop is remembered; any other process runs its loops serially. (A pool that
 * the caller's own regions made before the fork cannot be seen from here.) The kernel is asked for the process's number
 * only where no handler of fork() could be registered: the question takes 1.2 us on a virtual machine.
 */
#define _GNU_SOURCE
#include "base/parallel.h"
#include "base/denormals.h"
#include "base/quota.h"
#include <dlfcn.h>
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

static _Atomic pid_t pool_owner; /* the process that ran the first parallel loop; 0: none did */
static _Atomic bool forked;      /* true: this process is a child of the pool's owner */
static bool unwatched;           /* true: there is no handler that sets `forked` */

static void in_child(void)
{
  if (atomic_load_explicit(&pool_owner, memory_order_relaxed))
    atomic_store_explicit(&forked, true, memory_order_relaxed);
}

static void watch_forks(void)
{
  unwatched = pthread_atfork(NULL, NULL, in_child) != 0;
}

/* Remembers that this process has a pool. */
static void own_pool(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pid_t none = 0;
  if (atomic_load_explicit(&pool_owner, memory_order_relaxed)) return;
  pthread_once(&once, watch_forks);
  atomic_compare_exchange_strong(&pool_owner, &none, getpid());
}

static int is_forked_child(void)
{
  pid_t owner = atomic_load_explicit(&pool_owner, memory_order_relaxed);
  if (owner == 0) return 0;
  return unwatched ? owner != getpid() : atomic_load_explicit(&forked, memory_order_relaxed);
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

/* How many shares a loop of so many threads is cut into. */
static int shares_of(int threads)
{
  return threads < MOST_SHARES ? threads : MOST_SHARES;
}

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
  own_pool();
  const int parts = shares_of(threads);
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

/* ---- sessions ---- */

/*
 * A session's team stays in one region while its first thread runs the caller's function, and waits awake for loops:
 * a region of libgomp's takes two calls of the kernel whether or not a thread sleeps, here a word changes.
 */
typedef struct {
  int threads;
  share shares[2][MOST_SHARES];
  const cb_loop *loops; /* the loops that were posted last; NULL: the session is over */
  int count, team;      /* how many loops those are, and how many of the session's first threads run them */
  bool flushes;
  _Alignas(64) _Atomic uint32_t posted; /* how many times loops were posted */
  _Alignas(64) _Atomic uint32_t passed; /* meetings that all threads have come to */
  _Alignas(64) _Atomic int32_t waiting; /* threads that have come to the next */
} session;

static _Thread_local session *session_of_thread; /* the session whose first thread this is; NULL inside its tasks */

static void rest(void)
{
#if defined __x86_64__
  __builtin_ia32_pause();
#elif defined __aarch64__
  __asm__ volatile("yield");
#endif
}

/* Waits until the word is no longer `old`; other processes get the core if that takes long. */
static void await(const _Atomic uint32_t *word, uint32_t old)
{
  enum { AWAKE = 1 << 13 };
  for (int i = 0; atomic_load_explicit(word, memory_order_acquire) == old; i++)
    if (i < AWAKE)
      rest();
    else
      sched_yield();
}

/* Goes on when all threads have come here. */
static void meet(session *s)
{
  const uint32_t passed = atomic_load_explicit(&s->passed, memory_order_relaxed);
  if (atomic_fetch_add_explicit(&s->waiting, 1, memory_order_acq_rel) + 1 < s->threads) {
    await(&s->passed, passed);
    return;
  }
  atomic_store_explicit(&s->waiting, 0, memory_order_relaxed);
  atomic_store_explicit(&s->passed, passed + 1, memory_order_release);
}

/* A thread's part of the loops that were posted. */
static void run_posted(session *s, int worker)
{
  const cb_float_control control = cb_flush_begin(s->flushes);
  const int parts = shares_of(s->team);
  for (int i = 0; i < s->count; i++) {
    if (i > 0) meet(s);
    if (worker == 0 && i + 1 < s->count) open_shares(s->shares[(i + 1) % 2], parts, s->loops[i + 1].tasks);
    if (worker < s->team) run_shares(&s->loops[i], s->shares[i % 2], parts, worker);
  }
  cb_flush_end(s->flushes, control);
  meet(s);
}

/* Gives the team loops, takes part, and returns when they are done. */
static void post(session *s, int threads, const cb_loop *loops, int count)
{
  s->loops = loops;
  s->count = count;
  s->flushes = flush;
  s->team = threads < s->threads ? threads : s->threads;
  open_shares(s->shares[0], shares_of(s->team), loops[0].tasks);
  atomic_fetch_add_explicit(&s->posted, 1, memory_order_release);
  session_of_thread = NULL;
  run_posted(s, 0);
  session_of_thread = s;
}

static void serve(session *s, int worker)
{
  for (uint32_t posted = 0;; posted++) {
    await(&s->posted, posted);
    if (!s->loops) return;
    run_posted(s, worker);
  }
}

void cb_parallel_session(int threads, void (*run)(void *context), void *context)
{
  if (cb_team(threads) < 2 || threads > omp_get_num_procs() || watch_of_thread || session_of_thread ||
      omp_in_parallel()) {
    run(context);
    return;
  }
  session s = {.threads = 1};
  own_pool();
#pragma omp parallel num_threads(threads)
  {
    const int worker = omp_get_thread_num();
    if (worker) {
      serve(&s, worker);
    } else {
      s.threads = omp_get_num_threads();
      session_of_thread = s.threads > 1 ? &s : NULL;
      run(context);
      session_of_thread = NULL;
      s.loops = NULL;
      atomic_fetch_add_explicit(&s.posted, 1, memory_order_release);
    }
  }
}

void cb_parallel_loops(int threads, const cb_loop *loops, int count)
{
  threads = team_for(threads, loops, count);
  if (threads > 1 && session_of_thread) {
    post(session_of_thread, threads, loops, count);
    return;
  }
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
  if (cb_in_parallel() || is_forked_child()) return 1;
  int threads = omp_get_max_threads(), cores = cb_cores(), quota = cb_quota();
  if (quota && quota < cores) cores = quota;
  return threads < cores ? threads : cores;
}

int cb_in_parallel(void)
{
  return !session_of_thread && omp_in_parallel();
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
