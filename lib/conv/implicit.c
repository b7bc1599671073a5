/* What the parts of implicit_gemm share; see implicit.h. */
#include "conv/implicit.h"

bool cb_implicit_in_reach(const cb_geometry *geo)
{
  double pixels = 1, channels = (double)cb_max(geo->c, geo->k),
         terms = (double)cb_max(geo->kg, geo->cg) * (double)geo->taps;
  for (int i = 0; i < 3; i++) {
    const cb_axis *a = &geo->axis[i];
    double step = a->step < 0 ? -(double)a->step : (double)a->step;
    pixels *= (double)a->in + (double)(a->out - 1) * (double)a->stride + step * (double)(a->taps - 1) + 1;
  }
  return terms < 67108864.0 && channels * pixels < 1e16;
}

cb_store cb_implicit_store(const cb_call *call, int64_t at, int64_t output)
{
  const size_t element = call->plan->problem.geo.element;
  return (cb_store){.out = cb_at_mut(call->out, at, element),
                    .bias = call->bias ? cb_at(call->bias, output, element) : NULL,
                    .residual = call->residual ? cb_at(call->residual, at, element) : NULL,
                    .gate = call->gate ? cb_at(call->gate, at, element) : NULL,
                    .add = call->accumulate,
                    .relu = call->activation == CNNBLAS_RELU};
}
