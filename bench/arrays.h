/*
 * The arrays of a problem, filled with reproducible numbers, and the tasks that read and write them.
 */
#ifndef BENCH_ARRAYS_H
#define BENCH_ARRAYS_H

#include "task.h"
#include <stdbool.h>

typedef struct bench_arrays {
  void *x, *w, *dy, *out; /* out is as large as the largest of the others: any direction's result fits */
  size_t x_bytes, w_bytes, dy_bytes, out_bytes;
} bench_arrays;

/* desc must be valid. False, and nothing is held, if the memory that is free does not suffice. */
bool bench_arrays_make(const cnnblas_conv_desc *desc, bench_arrays *arrays);
void bench_arrays_free(bench_arrays *arrays);

/* The problem in one direction; the arrays must stay as long as the task. */
bench_task bench_task_make(const cnnblas_conv_desc *desc, cnnblas_conv_direction direction, int threads,
                           const bench_arrays *arrays);

#endif
