/*
 * Times several candidates against each other: in rounds, each candidate a slice of its time in every round, so that a
 * slow spell of the machine meets them all.
 */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include "load.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bench_timing {
  double minimum, median, low, high; /* seconds a call; low and high are the quartiles */
  double cpu;                        /* processor seconds a call, all threads */
  int64_t calls;
} bench_timing;

typedef struct bench_stopwatch {
  bool (*run)(void *state);
  void *state;
  double first_call;    /* seconds that a call took outside the timing: what the plan of rounds starts from */
  bool rest_afterwards; /* its threads go on spinning: let them fall asleep before the next candidate */
  bool failed;
  bench_timing timing; /* out */
  double *samples;     /* seconds a call */
  size_t count, capacity;
  bench_load_clocks clocks; /* out: of all its slices */
} bench_stopwatch;

enum { BENCH_ROUNDS = 5 };

/* Fills each stopwatch's timing, spending about min_time seconds on each (more on calls slower than that: at least
   three, or two if one takes over a second). False if memory ran out. */
bool bench_time_all(bench_stopwatch *watches, size_t count, double min_time);

/* The same in that many rounds; who goes first changes from round to round. */
bool bench_time_turns(bench_stopwatch *watches, size_t count, int rounds, double min_time);

/* Sorts the samples, at least one, and sets minimum, median and quartiles. */
void bench_timing_of(double *samples, size_t count, bench_timing *timing);

/* Sleeps until threads that a peer left spinning have fallen asleep. */
void bench_rest(void);

/* True if the quartile ranges of a and b overlap: which of them is faster is not settled. */
bool bench_timing_close(const bench_timing *a, const bench_timing *b);

/* (high - low) / median. */
double bench_timing_spread(const bench_timing *timing);

/* The value that this share (0 to 1) of the sorted samples does not exceed, between two samples by a straight line. */
double bench_quantile(const double *sorted, size_t count, double share);

#endif
