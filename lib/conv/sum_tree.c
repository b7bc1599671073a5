/* Joining partial results in the order of a binary tree; see sum_tree.h. */
#include "conv/sum_tree.h"

enum { CHUNK = 2048 }; /* elements that a task joins */

void cb_tree_sum(const cb_tree *tree, int64_t first, int64_t count, int slot)
{
  if (count <= 1) {
    tree->leaf(tree->context, first, slot);
    return;
  }
  int64_t left = cb_power_of_two(count - 1);
  cb_tree_sum(tree, first, left, slot);
  cb_tree_sum(tree, first + left, count - left, slot + 1);
  tree->join(tree->context, slot);
}

#define JOIN(NAME, REAL)                                                                                               \
  static void NAME(const cb_call *call, int64_t elements, int64_t first, int64_t last)                                 \
  {                                                                                                                    \
    REAL *parts = (REAL *)(void *)call->shared, *out = call->out;                                                      \
    for (int64_t step = 1; step < call->segments; step *= 2)                                                           \
      for (int64_t part = 0; part < call->segments; part += 2 * step) {                                                \
        REAL *left = parts + part * elements;                                                                          \
        const REAL *right = left + step * elements;                                                                    \
        for (int64_t i = first; i < last; i++) left[i] += right[i];                                                    \
      }                                                                                                                \
    bool add = call->accumulate;                                                                                       \
    for (int64_t i = first; i < last; i++) out[i] = add ? out[i] + parts[i] : parts[i];                                \
  }

JOIN(join_f32, float)
JOIN(join_f64, double)

static int64_t elements_of(const cb_call *call)
{
  return call->plan->problem.geo.k * call->plan->problem.geo.q;
}

static void join_chunk(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  int64_t elements = elements_of(call), first = task * CHUNK, last = cb_min(first + CHUNK, elements);
  (void)worker;
  (call->plan->problem.geo.dtype == CNNBLAS_F64 ? join_f64 : join_f32)(call, elements, first, last);
}

void cb_tree_add_join(cb_call *call, int64_t segments)
{
  call->segments = segments;
  if (segments > 1) cb_call_add(call, cb_ceil_div(elements_of(call), CHUNK), join_chunk);
}
