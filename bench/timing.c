/* Alternated timing; see timing.h. */
#define _GNU_SOURCE
#include "timing.h"
#include "clock.h"
#include "load_monitor.h"
#include <math.h>
#include <stdlib.h>
#include <time.h>

static const double shortest_sample =
    20e-6; /* calls are grouped into samples of at least this: the clock costs 30 ns */
static const struct timespec rest = {0, 35000000}; /* OpenBLAS's threads spin for 2^26 cycles */

void bench_rest(void)
{
  nanosleep(&rest, NULL);
}

static bool add_sample(bench_stopwatch *w, double seconds)
{
  if (w->count == w->capacity) {
    size_t capacity = w->capacity ? 2 * w->capacity : 64;
    double *samples = realloc(w->samples, capacity * sizeof *samples);
    if (!samples) return false;
    w->samples = samples;
    w->capacity = capacity;
  }
  w->samples[w->count++] = seconds;
  return true;
}

static int rounds_for(const bench_stopwatch *w, int rounds, double min_time)
{
  if (w->first_call > 1) return 2;
  return w->first_call > min_time / rounds * 2 ? 3 : rounds;
}

/* One candidate's share of a round. */
static bool run_slice(bench_stopwatch *w, double slice)
{
  int64_t group = w->first_call < shortest_sample ? (int64_t)ceil(shortest_sample / fmax(w->first_call, 1e-8)) : 1;
  double waited = bench_load_waited();
  if (w->first_call < slice / 4) w->failed |= !w->run(w->state); /* warms caches and threads after the others' slices */
  double cpu_begin = bench_process_seconds(), begin = bench_now(), at = begin;
  do {
    for (int64_t i = 0; i < group; i++) w->failed |= !w->run(w->state);
    double end = bench_now();
    if (!add_sample(w, (end - at) / (double)group)) return false;
    w->timing.calls += group;
    at = bench_now();
  } while (at - begin < slice && !w->failed);
  w->clocks.cpu += bench_process_seconds() - cpu_begin;
  w->clocks.seconds += bench_now() - begin;
  w->clocks.waited += bench_load_waited() - waited;
  if (w->rest_afterwards) bench_rest();
  return true;
}

static int compare_doubles(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double bench_quantile(const double *sorted, size_t count, double share)
{
  double at = share * (double)(count - 1);
  size_t below = (size_t)at;
  if (below + 1 >= count) return sorted[count - 1];
  return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

void bench_timing_of(double *samples, size_t count, bench_timing *timing)
{
  qsort(samples, count, sizeof *samples, compare_doubles);
  timing->minimum = samples[0];
  timing->low = bench_quantile(samples, count, 0.25);
  timing->median = bench_quantile(samples, count, 0.5);
  timing->high = bench_quantile(samples, count, 0.75);
}

static void summarise(bench_stopwatch *w)
{
  bench_timing_of(w->samples, w->count, &w->timing);
  w->timing.cpu = w->clocks.cpu / (double)w->timing.calls;
}

bool bench_time_turns(bench_stopwatch *watches, size_t count, int rounds, double min_time)
{
  bool ok = true;
  for (int round = 0; round < rounds && ok; round++)
    for (size_t i = 0; i < count && ok; i++) {
      bench_stopwatch *w = &watches[(i + (size_t)round) % count];
      int own_rounds = rounds_for(w, rounds, min_time);
      if (!w->failed && round < own_rounds) ok = run_slice(w, min_time / own_rounds);
    }
  for (size_t i = 0; i < count; i++) {
    if (watches[i].count) summarise(&watches[i]);
    free(watches[i].samples);
    watches[i].samples = NULL;
  }
  return ok;
}

bool bench_time_all(bench_stopwatch *watches, size_t count, double min_time)
{
  return bench_time_turns(watches, count, BENCH_ROUNDS, min_time);
}

bool bench_timing_close(const bench_timing *a, const bench_timing *b)
{
  return a->low <= b->high && b->low <= a->high;
}

double bench_timing_spread(const bench_timing *timing)
{
  return timing->median > 0 ? (timing->high - timing->low) / timing->median : 0;
}
