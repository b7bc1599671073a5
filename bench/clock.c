/* Reading the system's clocks; see clock.h. */
#define _GNU_SOURCE
#include "clock.h"
#include <time.h>

static double seconds_of(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double bench_now(void)
{
  return seconds_of(CLOCK_MONOTONIC);
}

double bench_thread_seconds(void)
{
  return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double bench_process_seconds(void)
{
  return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}
