/*
 * winograd*: outputs by the definition, where a sum that came through the transforms is not finite. Transforms spread
 * NaN and Inf over a tile, and overflow where the convolution does not; what these loops give is the convolution's.
 */
#include "conv/winograd_plan.h"

/* The weights as they were, which lie behind the transformed ones if weights came packed. */
static const void *raw_weights(const cb_call *call, const cb_winograd_plan *st)
{
  return call->plan->problem.packed ? (const char *)call->w + st->weights_bytes : call->w;
}

#define REAL    float
#define NAME(x) x##_f32
#include "conv/winograd_direct_loops.h"

#define REAL    double
#define NAME(x) x##_f64
#include "conv/winograd_direct_loops.h"

void cb_winograd_directly(const cb_winograd_again *again)
{
  if (again->call->plan->problem.geo.dtype == CNNBLAS_F64)
    again_f64(again);
  else
    again_f32(again);
}
