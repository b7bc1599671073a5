/* --wait-quiet; see quiet.h. */
#include "quiet.h"
#include "clock.h"
#include "load_monitor.h"
#include "timing.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

/* Seconds of one look: a tick of 10 ms is 1% of it. */
static const double look = 1;

void bench_wait_quiet(double *left)
{
  bool said = false;
  while (*left > 0) {
    double begin = bench_now(), taken = bench_load_sleep(fmin(look, *left));
    *left -= bench_now() - begin;
    if (taken < 0) {
      fputs("cnnblas-bench: --wait-quiet: this system does not tell what other processes do; not waiting\n", stderr);
      *left = 0;
    }
    if (taken <= BENCH_LOAD_LIMIT) return;
    if (*left <= 0) {
      fprintf(stderr, "cnnblas-bench: other processes still take %.2f cores: going on, rows are marked\n", taken);
    } else if (!said) {
      fprintf(stderr, "cnnblas-bench: other processes take %.2f cores: waiting up to %.0f s for a quiet machine\n",
              taken, *left);
      said = true;
    }
  }
}
