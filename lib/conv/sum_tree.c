/* Joining partial results in the order of a binary tree; see sum_tree.h. */
#include "conv/sum_tree.h"

enum { CHUNK = 2048 }; /* elements a task */

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
  static void NAME(const cb_tree_parts *p, int64_t elements, int64_t first, int64_t last)                              \
  {                                                                                                                    \
    REAL *parts = p->parts, *out = p->call->out;                                                                       \
    for (int64_t step = 1; step < p->count; step *= 2)                                                                 \
      for (int64_t part = 0; part < p->count; part += 2 * step) {                                                      \
        REAL *left = parts + part * elements;                                                                          \
        const REAL *right = left + step * elements;                                                                    \
        for (int64_t i = first; i < last; i++) left[i] += right[i];                                                    \
      }                                                                                                                \
    bool add = p->call->accumulate;                                                                                    \
    for (int64_t i = first; i < last; i++) out[i] = add ? out[i] + parts[i] : parts[i];                                \
  }

JOIN(join_f32, float)
JOIN(join_f64, double)

static int64_t elements_of(const cb_tree_parts *p)
{
  return p->call->plan->problem.geo.k * p->call->plan->problem.geo.q;
}

static void join_chunk(void *context, int64_t task, int worker)
{
  const cb_tree_parts *p = context;
  int64_t elements = elements_of(p), first = task * CHUNK, last = cb_min(first + CHUNK, elements);
  (void)worker;
  (p->call->plan->problem.geo.dtype == CNNBLAS_F64 ? join_f64 : join_f32)(p, elements, first, last);
}

cb_loop cb_tree_join(cb_tree_parts *parts)
{
  return (cb_loop){parts->count > 1 ? cb_ceil_div(elements_of(parts), CHUNK) : 0, join_chunk, parts};
}
