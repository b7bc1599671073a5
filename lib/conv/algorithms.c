/*
 * Which code runs for this shape? The rows below, in this order: the lowest estimated cost among those that apply wins,
 * the order breaks ties. Rows marked by_name_only are taken only when no other applies.
 */
#include "conv/algorithms.h"
#include <stdio.h>
#include <string.h>

extern const cb_algorithm cb_implicit_gemm, cb_gemm_1x1, cb_depthwise, cb_im2col, cb_im2col_rot180, cb_naive,
    cb_reference;

static const cb_algorithm *const table[] = {
    &cb_depthwise,     /* groups == channels: direct, one plane at a time */
    &cb_implicit_gemm, /* the lowered matrix as a table of addresses, walked by the micro-kernel */
    &cb_gemm_1x1,      /* 1x1, stride 1, no padding: the input is the lowered matrix */
    &cb_im2col,        /* tiles of the lowered matrix, one serial GEMM each */
    &cb_im2col_rot180, /* input gradient at stride 1: pad(delta) * rot180(W) through the forward lowering */
    &cb_naive,         /* seven loops in the array's type, one thread: the baseline of benchmarks */
    &cb_reference,     /* the loops again, accumulating in the next wider type: the oracle of tests */
};

enum { ROWS = sizeof table / sizeof *table };
_Static_assert((int)ROWS <= (int)CB_MAX_ALGORITHMS, "seconds[] of a plan has a place for each row");

const cb_algorithm *cb_algorithm_at(int i)
{
  return i >= 0 && i < ROWS ? table[i] : NULL;
}

const char *cnnblas_conv_algorithm_name(int32_t index)
{
  const cb_algorithm *row = cb_algorithm_at(index);
  return row ? row->name : NULL;
}

const cb_algorithm *cb_algorithm_find(const char *name)
{
  for (int i = 0; i < ROWS; i++)
    if (strcmp(table[i]->name, name) == 0) return table[i];
  return NULL;
}

/* The problem by which rows are judged. A forward's choice must not change with the batch, or one image's bits would: it is
   made for CB_FORWARD_IMAGES, between the one of inference and the many of training. Gradients have the whole batch in their
   sums or are only needed in training: they are judged by the batch that they have. */
static cb_problem judged(const cb_problem *problem)
{
  cb_problem fixed = *problem;
  if (problem->direction == CNNBLAS_FORWARD) fixed.geo.n = CB_FORWARD_IMAGES;
  return fixed;
}

bool cb_algorithm_applies(const cb_algorithm *row, const cb_problem *problem, char *why, size_t size)
{
  const cb_problem fixed = judged(problem);
  if (!problem->packed || row->packing) return row->applies(&fixed, why, size);
  snprintf(why, size, "it takes weights as they are, not packed");
  return false;
}

/* The row's estimate, for the batch that there is. */
static double estimate(const cb_algorithm *row, const cb_problem *problem)
{
  const cb_problem fixed = judged(problem);
  double seconds = row->cost(&fixed);
  return fixed.direction == CNNBLAS_FORWARD ? seconds * (double)problem->geo.n / CB_FORWARD_IMAGES : seconds;
}

const cb_algorithm *cb_algorithm_choose(const cb_problem *problem, double seconds[CB_MAX_ALGORITHMS])
{
  char why[128];
  const cb_algorithm *best = NULL;
  double best_seconds = 0;
  for (int i = 0; i < ROWS; i++) {
    seconds[i] = 0;
    if (!cb_algorithm_applies(table[i], problem, why, sizeof why)) continue;
    seconds[i] = estimate(table[i], problem);
    bool better = !best || (best->by_name_only && !table[i]->by_name_only) ||
                  (best->by_name_only == table[i]->by_name_only && seconds[i] < best_seconds);
    if (!better) continue;
    best = table[i];
    best_seconds = seconds[i];
  }
  return best;
}
