/*
 * How long a call would take on more cores than there are, from its tasks timed one by one: the arithmetic of --project.
 *
 * A trace is one call as its team's loops would hand it out. Each slot (a task, or what runs between loops) keeps the
 * least of its times over the repetitions. A loop ends when list scheduling of its tasks ends: in order, each to the
 * worker that is free first, as the library's loops hand them out.
 */
#ifndef BENCH_MAKESPAN_H
#define BENCH_MAKESPAN_H

#include <stdbool.h>
#include <stddef.h>

enum { BENCH_MOST_WORKERS = 1024 };

/* A loop of a region; its tasks are seconds[first .. first + tasks) of the trace. */
typedef struct bench_traced_loop {
  int threads; /* of its region */
  size_t first, tasks;
} bench_traced_loop;

typedef struct bench_trace {
  bench_traced_loop *loops;
  size_t loop_count, loop_capacity;
  double *seconds; /* of every slot */
  size_t slot_count, slot_capacity;
  size_t regions, team_regions; /* all, and those of more than one thread */
  double between;               /* seconds outside the loops: on the calling thread, whatever the team */

  /* Of the repetition that is being recorded. */
  size_t repetitions, at_loop, at_slot, at_region, at_team_region;
  int region_threads;
  double between_now;
  bool failed; /* out of memory, or a repetition had other loops or tasks than the first */
} bench_trace;

/* A trace begins as {0}. One repetition: begin, then per region its threads, per loop its tasks, then end. */
void bench_trace_begin(bench_trace *trace);
void bench_trace_region(bench_trace *trace, int threads);
void bench_trace_loop(bench_trace *trace);
void bench_trace_task(bench_trace *trace, double seconds);
void bench_trace_between(bench_trace *trace, double seconds);
/* What the task that comes next took at least so far; 0 in the first repetition. */
double bench_trace_next(const bench_trace *trace);
/* False if the trace failed: it is of no use then. */
bool bench_trace_end(bench_trace *trace);
void bench_trace_free(bench_trace *trace);

/* When the last of the tasks is done, in seconds after the first began; at most BENCH_MOST_WORKERS workers. */
double bench_makespan(const double *seconds, size_t tasks, int workers);

/* All of the call on one core: every task, and what runs between loops. */
double bench_trace_work(const bench_trace *trace);

/* The call on its team: what runs between loops, each loop's makespan, and `barrier` seconds for each loop of a region of
   several threads. */
double bench_trace_makespan(const bench_trace *trace, double barrier);

/* Seconds of a call that must move `bytes` at `bandwidth` bytes a second. */
double bench_capped(double seconds, double bytes, double bandwidth);

/* Geometric mean and least of a growing list of positive numbers; begins as {0}. */
typedef struct bench_mean {
  double log_sum, least;
  size_t count;
} bench_mean;

/* True if the value is the least so far. */
bool bench_mean_add(bench_mean *mean, double value);
double bench_mean_of(const bench_mean *mean); /* NaN for an empty list */

#endif
