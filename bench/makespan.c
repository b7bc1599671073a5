/* Traces and makespans; see makespan.h. */
#include "makespan.h"
#include <math.h>
#include <stdlib.h>

/* Room for one more item; NULL, with the array as it was, if memory ran out. */
static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
  if (count < *capacity) return items;
  size_t more = *capacity ? 2 * *capacity : 64;
  void *moved = realloc(items, more * size);
  if (moved) *capacity = more;
  return moved;
}

void bench_trace_begin(bench_trace *trace)
{
  trace->at_loop = trace->at_slot = trace->at_region = trace->at_team_region = 0;
  trace->between_now = 0;
  trace->region_threads = 1;
}

void bench_trace_region(bench_trace *trace, int threads)
{
  trace->region_threads = threads;
  trace->at_region++;
  trace->at_team_region += threads > 1;
}

void bench_trace_loop(bench_trace *trace)
{
  if (trace->failed) return;
  if (trace->repetitions == 0) {
    void *loops = grown(trace->loops, trace->loop_count, &trace->loop_capacity, sizeof *trace->loops);
    if (!loops) {
      trace->failed = true;
      return;
    }
    trace->loops = loops;
    trace->loops[trace->loop_count++] = (bench_traced_loop){trace->region_threads, trace->at_slot, 0};
  } else if (trace->at_loop == trace->loop_count || trace->loops[trace->at_loop].threads != trace->region_threads ||
             trace->loops[trace->at_loop].first != trace->at_slot) {
    trace->failed = true;
  }
  trace->at_loop++;
}

void bench_trace_task(bench_trace *trace, double seconds)
{
  if (trace->failed) return;
  if (trace->repetitions == 0) {
    double *slots = grown(trace->seconds, trace->slot_count, &trace->slot_capacity, sizeof *trace->seconds);
    if (!slots) {
      trace->failed = true;
      return;
    }
    trace->seconds = slots;
    trace->seconds[trace->slot_count++] = seconds;
    trace->loops[trace->at_loop - 1].tasks++;
  } else if (trace->at_slot == trace->slot_count) {
    trace->failed = true;
    return;
  } else if (seconds < trace->seconds[trace->at_slot]) {
    trace->seconds[trace->at_slot] = seconds;
  }
  trace->at_slot++;
}

double bench_trace_next(const bench_trace *trace)
{
  return trace->at_slot < trace->slot_count ? trace->seconds[trace->at_slot] : 0;
}

void bench_trace_between(bench_trace *trace, double seconds)
{
  trace->between_now += seconds;
}

bool bench_trace_end(bench_trace *trace)
{
  if (trace->repetitions == 0) {
    trace->regions = trace->at_region;
    trace->team_regions = trace->at_team_region;
    trace->between = trace->between_now;
  } else if (trace->at_loop != trace->loop_count || trace->at_slot != trace->slot_count ||
             trace->at_region != trace->regions || trace->at_team_region != trace->team_regions) {
    trace->failed = true;
  }
  if (trace->between_now < trace->between) trace->between = trace->between_now;
  trace->repetitions++;
  return !trace->failed;
}

void bench_trace_free(bench_trace *trace)
{
  free(trace->loops);
  free(trace->seconds);
  *trace = (bench_trace){0};
}

/* Moves free_at[0], which grew, to its place in the heap: the worker that is free first is at the top. */
static void sink(double *free_at, int workers)
{
  int at = 0;
  for (;;) {
    int child = 2 * at + 1;
    if (child >= workers) return;
    if (child + 1 < workers && free_at[child + 1] < free_at[child]) child++;
    if (free_at[at] <= free_at[child]) return;
    double swapped = free_at[at];
    free_at[at] = free_at[child];
    free_at[child] = swapped;
    at = child;
  }
}

double bench_makespan(const double *seconds, size_t tasks, int workers)
{
  double free_at[BENCH_MOST_WORKERS] = {0}, last = 0;
  for (size_t i = 0; i < tasks; i++) {
    free_at[0] += seconds[i];
    last = fmax(last, free_at[0]);
    sink(free_at, workers);
  }
  return last;
}

double bench_trace_work(const bench_trace *trace)
{
  double sum = trace->between;
  for (size_t i = 0; i < trace->slot_count; i++) sum += trace->seconds[i];
  return sum;
}

double bench_trace_makespan(const bench_trace *trace, double barrier)
{
  double sum = trace->between;
  for (size_t i = 0; i < trace->loop_count; i++) {
    const bench_traced_loop *loop = &trace->loops[i];
    sum += bench_makespan(trace->seconds + loop->first, loop->tasks, loop->threads);
    if (loop->threads > 1) sum += barrier;
  }
  return sum;
}

double bench_capped(double seconds, double bytes, double bandwidth)
{
  return fmax(seconds, bytes / bandwidth);
}

bool bench_mean_add(bench_mean *mean, double value)
{
  bool least = !mean->count || value < mean->least;
  if (least) mean->least = value;
  mean->log_sum += log(value);
  mean->count++;
  return least;
}

double bench_mean_of(const bench_mean *mean)
{
  return mean->count ? exp(mean->log_sum / (double)mean->count) : NAN;
}
