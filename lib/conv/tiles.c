/* Adding up the partial results of a weight gradient, in a fixed order. */
#include "conv/tiles.h"
#include "base/parallel.h"

enum { CHUNK = 4096 }; /* elements a task */

typedef struct {
  const cb_call *call;
  const void *parts;
  int64_t segments, elements;
} reduction;

#define REDUCE(NAME, REAL)                                                                                             \
  static void NAME(const reduction *r, int64_t first, int64_t last)                                                    \
  {                                                                                                                    \
    const REAL *parts = r->parts;                                                                                      \
    REAL *out = r->call->out;                                                                                          \
    for (int64_t i = first; i < last; i++) {                                                                           \
      REAL sum = parts[i];                                                                                             \
      for (int64_t s = 1; s < r->segments; s++) sum += parts[s * r->elements + i];                                     \
      out[i] = r->call->accumulate ? out[i] + sum : sum;                                                               \
    }                                                                                                                  \
  }

REDUCE(reduce_f32, float)
REDUCE(reduce_f64, double)

static void reduce_chunk(void *context, int64_t task, int worker)
{
  const reduction *r = context;
  int64_t first = task * CHUNK, last = cb_min(first + CHUNK, r->elements);
  (void)worker;
  (r->call->plan->problem.geo.dtype == CNNBLAS_F64 ? reduce_f64 : reduce_f32)(r, first, last);
}

void cb_reduce_segments(const cb_call *call, const void *parts, int64_t segments)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  reduction r = {call, parts, segments, geo->k * geo->q};
  cb_parallel_for(call->threads, cb_ceil_div(r.elements, CHUNK), reduce_chunk, &r);
}
