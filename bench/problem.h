/*
 * A convolution layer to be measured, and a growing list of them.
 */
#ifndef BENCH_PROBLEM_H
#define BENCH_PROBLEM_H

#include <cnnblas/cnnblas.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many as there are variables; see sweep.h. */
enum { BENCH_MOST_SWEEPS = 4 };

typedef struct bench_problem {
  char set[64];           /* "resnet50", or the problem file's base name, or "line" for one typed on the command line */
  char name[96];          /* the layer's; never holds a '/' */
  int64_t repeats;        /* how often the network holds this layer */
  cnnblas_conv_desc desc; /* n is the batch; dtype is left at its default, the run sets it */
  int threads;            /* 0: the run's own number */
  /* In a sweep: which problem this one was made from, and the value of each swept variable in the order of the options. */
  size_t sweep_origin;
  double sweep_values[BENCH_MOST_SWEEPS];
  int sweeps; /* how many of them; 0 outside a sweep */
} bench_problem;

typedef struct bench_problem_list {
  bench_problem *items;
  size_t count, capacity;
} bench_problem_list;

/* False if memory ran out; the list is as before then. */
bool bench_problem_list_add(bench_problem_list *list, const bench_problem *problem);
void bench_problem_list_free(bench_problem_list *list);

#endif
