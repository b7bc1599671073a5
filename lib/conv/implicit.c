/* What the parts of implicit_gemm share; see implicit.h. */
#include "conv/implicit.h"
#include "base/parameters.h"

cb_chain_rule cb_implicit_chains(const cb_problem *problem)
{
  enum { DATA_CHUNK = 48 }; /* the least steps of an input gradient's chain: col2im sums kg terms, then taps */
  const cb_geometry *geo = &problem->geo;
  const cb_order *order = &cb_parameters_get()->order;
  cb_chain_rule rule = {.most = order->chunk_steps, .whole = order->whole_channels};
  if (problem->direction == CNNBLAS_FORWARD) return rule;
  rule.most = cb_min(rule.most, cb_max(DATA_CHUNK, 3 * (geo->kg + geo->taps)));
  return rule;
}

const char *cb_implicit_too_few(const cb_geometry *geo, const cb_engine *engine)
{
  if (geo->taps == 1) return "a tap meets each pixel only once, which does not pay for transposing it";
  return geo->n * 4 < 3 * (int64_t)engine->lanes ? "the images do not fill three quarters of a vector's lanes" : NULL;
}

cb_store cb_implicit_store(const cb_call *call, int64_t at, int64_t output)
{
  const size_t element = call->plan->problem.geo.element;
  return (cb_store){.out = cb_at_mut(call->out, at, element),
                    .bias = call->bias ? cb_at(call->bias, output, element) : NULL,
                    .residual = call->residual ? cb_at(call->residual, at, element) : NULL,
                    .add = call->accumulate,
                    .bounds = call->bounds};
}
