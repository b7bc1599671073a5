/*
 * What a task's output must be: every element of small problems, from the library's "reference" algorithm; otherwise at
 * least 4,096 elements, corners, borders and the last of every index among them, each summed here in the next wider type.
 *
 * An element is right if |got - want| is within the bound of the row that made it, as include/cnnblas/conv.h has it: element-wise,
 * L * u * sum|a||b|, L the number of terms, u = 2^-24 (f32) or 2^-53 (f64); or norm-wise, c * u * |patch| * |filter|. Peers are
 * held to the first. Where want comes from the reference it is itself rounded once, and half a unit of it is allowed on top.
 */
#ifndef BENCH_CHECK_H
#define BENCH_CHECK_H

#include "task.h"
#include <stdbool.h>

enum { BENCH_SAMPLES = 4096 };

typedef struct bench_expected bench_expected;

typedef struct bench_verdict {
  bool correct;
  size_t checked;        /* elements */
  double max_error;      /* largest |got - want| / sum|a||b| */
  double share_of_bound; /* largest |got - want| / bound: correct means at most 1 */
  bool norm_wise;        /* the bound */
} bench_verdict;

typedef enum bench_coverage {
  BENCH_COVER_BY_SIZE, /* as above */
  BENCH_COVER_ALL,     /* every element, from the reference */
  BENCH_COVER_SAMPLES  /* BENCH_SAMPLES of them, summed here */
} bench_coverage;

/* NULL if memory ran out or the reference failed. task->out is not touched, the other arrays must stay. */
bench_expected *bench_expected_create(const bench_task *task, bench_coverage coverage);
void bench_expected_destroy(bench_expected *expected);

/* Compares task->out, which the library's row of that name made, or a peer. */
bench_verdict bench_check(const bench_expected *expected, const bench_task *task, const char *row);

#endif
