/*
 * |patch| * |filter| of a task's outputs: what the norm-wise bound of include/cnnblas/conv.h multiplies, from the arrays.
 */
#ifndef BENCH_NORMS_H
#define BENCH_NORMS_H

#include "task.h"

typedef struct bench_norms bench_norms;

/* Elements up to `reach` further out on each axis count to a patch. NULL if memory ran out. */
bench_norms *bench_norms_create(const bench_task *task, int64_t reach);
void bench_norms_destroy(bench_norms *norms);

/* Of the task's output of that index. */
double bench_norms_at(const bench_norms *norms, int64_t index);

/* c of the norm-wise bound of `terms` products, for a row's norm_factor. */
double bench_norms_factor(int32_t norm_factor, double terms);

#endif
