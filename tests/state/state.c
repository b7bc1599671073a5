/*
 * A library to preload: every public function is wrapped (generate.py), and after each call the caller's OpenMP and
 * OpenBLAS thread counts, affinity, floating-point controls, signal handlers and signal mask must be what they were. The
 * exception flags of the floating-point unit are left out: arithmetic raises them. Where calls of several threads overlap
 * OpenBLAS's count is left out too: its pthread flavour has one for the whole process, which is 1 while any of them runs.
 *
 * A look is some seventy system calls. So calls within a call (libcnnblas_net's of libcnnblas) are part of that one, and of
 * each function the first thousand calls of a process are looked at, later every 64th.
 *
 * CNNBLAS_STATE_LOG=FILE appends a line for each process that called: how many calls, of which functions.
 */
#include "state.h"
#include <dlfcn.h>
#include <fenv.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
enum { MXCSR_FLAGS = 0x3f };
#endif

static atomic_long calls[STATE_MOST_FUNCTIONS];

void *state_real(const char *name)
{
  void *function = dlsym(RTLD_NEXT, name);
  if (function) return function;
  fprintf(stderr, "state: %s is wrapped, but nothing exports it\n", name);
  abort();
}

static int blas_threads(void)
{
  int (*count)(void);
  *(void **)&count = dlsym(RTLD_DEFAULT, "openblas_get_num_threads");
  return count ? count() : 0;
}

static void look(state *now)
{
  memset(now, 0, sizeof *now);
  now->omp_threads = omp_get_max_threads();
  now->omp_dynamic = omp_get_dynamic();
  now->blas_threads = blas_threads();
  sched_getaffinity(0, sizeof now->affinity, &now->affinity);
  now->rounding = fegetround();
#if defined(__x86_64__)
  uint16_t control;
  __asm__ volatile("fnstcw %0" : "=m"(control));
  now->x87 = control;
  now->mxcsr = _mm_getcsr() & ~(uint32_t)MXCSR_FLAGS;
#endif
  for (int i = 1; i < STATE_SIGNALS; i++) {
    struct sigaction action;
    if (sigaction(i, NULL, &action)) continue;
    now->handler[i] = action.sa_handler;
    now->handler_flags[i] = action.sa_flags;
  }
  pthread_sigmask(SIG_SETMASK, NULL, &now->mask);
}

static atomic_long entries, running;

static _Thread_local int depth;

void state_enter(state *before, int number)
{
  enum { ALL_OF = 1000, EACH = 64 };
  long call = number < STATE_MOST_FUNCTIONS ? calls[number] : 0;
  bool wanted = depth++ == 0 && (call < ALL_OF || call % EACH == 0);
  if (wanted) look(before);
  before->looked = wanted;
  before->entry = entries++;
  before->others = running++;
}

static void changed(const char *function, const char *what, long before, long after)
{
  fprintf(stderr, "state: %s changed %s: %ld before, %ld after\n", function, what, before, after);
  abort();
}

void state_compare(const state *before, int number, const char *function)
{
  state after;
  depth--;
  running--;
  if (number < STATE_MOST_FUNCTIONS) calls[number]++;
  if (!before->looked) return;
  look(&after);
  after.looked = true;
  if (before->others > 0 || entries != before->entry + 1) after.blas_threads = before->blas_threads;
  after.entry = before->entry;
  after.others = before->others;
  if (memcmp(before, &after, sizeof after) == 0) return;
  if (before->omp_threads != after.omp_threads)
    changed(function, "OpenMP's threads", before->omp_threads, after.omp_threads);
  if (before->omp_dynamic != after.omp_dynamic)
    changed(function, "OpenMP's dynamic", before->omp_dynamic, after.omp_dynamic);
  if (before->blas_threads != after.blas_threads)
    changed(function, "OpenBLAS's threads", before->blas_threads, after.blas_threads);
  if (!CPU_EQUAL(&before->affinity, &after.affinity))
    changed(function, "the affinity", CPU_COUNT(&before->affinity), CPU_COUNT(&after.affinity));
  if (before->rounding != after.rounding) changed(function, "the rounding", before->rounding, after.rounding);
  if (before->mxcsr != after.mxcsr) changed(function, "mxcsr", before->mxcsr, after.mxcsr);
  if (before->x87 != after.x87) changed(function, "the x87 control word", before->x87, after.x87);
  for (int i = 1; i < STATE_SIGNALS; i++)
    if (before->handler[i] != after.handler[i] || before->handler_flags[i] != after.handler_flags[i])
      changed(function, "the handler of a signal, whose number is twice", i, i);
  changed(function, "the signal mask", 0, 1);
}

static void __attribute__((destructor)) write_log(void)
{
  const char *path = getenv("CNNBLAS_STATE_LOG");
  long sum = 0;
  int functions = 0;
  for (int i = 0; i < state_functions && i < STATE_MOST_FUNCTIONS; i++) {
    sum += calls[i];
    functions += calls[i] > 0;
  }
  FILE *file = path && sum ? fopen(path, "a") : NULL;
  if (!file) return;
  fprintf(file, "%ld calls of %d of %d functions:", sum, functions, state_functions);
  for (int i = 0; i < state_functions && i < STATE_MOST_FUNCTIONS; i++)
    if (calls[i]) fprintf(file, " %d", i);
  fputc('\n', file);
  fclose(file);
}
