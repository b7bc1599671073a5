/*
 * --sweep VARIABLE=FROM..TO or VARIABLE=A,B,C: each problem once per value, and how its time grows. Several sweeps combine:
 * each problem once per combination of their values.
 */
#ifndef BENCH_SWEEP_H
#define BENCH_SWEEP_H

#include "results.h"

typedef enum bench_sweep_error { BENCH_SWEEP_OK, BENCH_SWEEP_SYNTAX, BENCH_SWEEP_NO_MEMORY } bench_sweep_error;

/*
 * Replaces each problem by one per value, "@batch=4" added to its name. FROM..TO doubles from FROM and ends with TO.
 *   batch     images
 *   channels  input and output channels (and groups, where every channel is a group of its own)
 *   size      every axis of the input
 *   threads   of the run
 * Values a problem cannot take (channels that its groups do not divide, a size smaller than the filter) are left out.
 * variable receives the variable's name, static storage. Called for one sweep after the other, each on what the last left.
 */
bench_sweep_error bench_sweep_expand(bench_problem_list *list, const char *text, const char **variable, char *why,
                                     size_t why_size);

/* The exponent e of seconds = const * value^e that fits best (least squares of the logarithms); NaN for fewer than two. */
double bench_growth_exponent(const double *values, const double *seconds, size_t count);

/* Prints, for each problem, direction and algorithm, the times by value and the exponent; with several variables by each of
   them, where the others stay. */
void bench_sweep_print(const bench_results *results, const char *const *variables, size_t count);

#endif
