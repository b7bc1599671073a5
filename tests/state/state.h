/* What a call of the library must leave as it found it; see state.c. */
#ifndef TESTS_STATE_STATE_H
#define TESTS_STATE_STATE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum { STATE_SIGNALS = 32 /* 1 to 31 */, STATE_MOST_FUNCTIONS = 256 };

typedef struct {
  int omp_threads, omp_dynamic, blas_threads;
  cpu_set_t affinity;
  uint32_t mxcsr, x87;
  int rounding;
  void (*handler[STATE_SIGNALS])(int);
  int handler_flags[STATE_SIGNALS];
  sigset_t mask;
  long entry, others; /* calls that began before; calls that run beside */
  bool looked;
} state;

extern const int state_functions;

/* The function that the wrapper stands before. */
void *state_real(const char *name);

/* Before the call of function `number`. */
void state_enter(state *before, int number);

/* After it: aborts with the function's name and what it changed. */
void state_compare(const state *before, int number, const char *function);

#endif
