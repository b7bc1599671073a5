/*
 * The values of cnnblas-bench's options: each function reads one, into its place in the options. They return BENCH_OK, or a
 * status with the reason printed. Lists are cut at their commas in place.
 */
#ifndef BENCH_OPTION_VALUES_H
#define BENCH_OPTION_VALUES_H

#include "options.h"

/* "cnnblas-bench: --batch 0: it must be ..."; BENCH_USAGE. */
int bench_usage_error(const char *option, const char *value, const char *what);
int bench_out_of_memory(void);

/* BENCH_OK if a file of this name can be written, which is not done yet; NULL and "-" are fine. */
int bench_check_writable(const char *path);

int bench_read_sets(bench_options *o, char *names);
int bench_read_directions(bench_options *o, char *names);
int bench_read_algorithms(bench_options *o, char *names); /* the names stay where they are */
int bench_read_peers(bench_options *o, char *names);
int bench_read_accuracy(bench_options *o, const char *text);
int bench_read_workspace(bench_options *o, const char *text);
int bench_read_min_time(bench_options *o, const char *text);
int bench_read_wait_quiet(bench_options *o, const char *text);

/* Bad problems are printed and counted in bad_lines; they end nothing. */
int bench_read_problem_file(bench_options *o, char *path);
int bench_read_problem(bench_options *o, const char *text);

int bench_read_integer(const char *option, const char *text, long long least, long long most, long long *value);

/* A decimal number from least to 10^6, in units of `unit`: *value is the product. */
int bench_read_quantity(const char *option, const char *text, double least, double unit, double *value);

/* Numbers of threads in any order; 1 becomes one of them whether it was written or not. */
int bench_read_project(bench_options *o, char *names);

/* One of two words; *value is 1 for the second. */
int bench_read_choice(const char *option, const char *text, const char *first, const char *second, int *value);

#endif
