/* One call of a layer that --set layers times; see layers_case.h. */
#include "layers_case.h"
#include "layers_more.h"

bool bench_layer_call(void *state)
{
  layer_rig *r = state;
  bool forward = r->layer->direction == LAYER_FORWARD;
  switch (r->layer->family) {
  case LAYER_ACTIVATION:
    return !(forward ? cnnblas_activation_forward(&r->activation, r->inputs, r->x, r->y)
                     : cnnblas_activation_backward(&r->activation, r->inputs, r->x, r->y, r->dy, r->dx));
  case LAYER_POOL:
    return !(forward ? cnnblas_pool_forward(&r->pool, r->n, r->x, r->y, r->indices)
                     : cnnblas_pool_backward(&r->pool, r->n, r->x, r->y, r->dy, r->indices, r->dx));
  case LAYER_FC:
    if (forward) return !cnnblas_fc_forward(&r->fc, r->n, r->x, r->w, NULL, NULL, r->y);
    if (r->layer->direction == LAYER_BACKWARD) return !cnnblas_fc_backward_data(&r->fc, r->n, r->dy, r->w, r->dx);
    return !cnnblas_fc_backward_weights(&r->fc, r->n, r->x, r->dy, r->dw, NULL);
  case LAYER_SGD:
    return !cnnblas_sgd_step(&r->sgd, r->inputs, r->x, r->dx, r->w);
  case LAYER_MORE:
    return bench_more_call(r);
  }
  return false;
}
