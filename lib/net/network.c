/* What every file of the network asks of it; see network.h. */
#include "net/network.h"
#include "net/support.h"

cnnblas_status cb_net_check(const cnnblas_net *net, bool runs)
{
  if (!net) return cb_net_fail(CNNBLAS_INVALID_ARGUMENT, "net is NULL");
  if (runs && !net->block)
    return cb_net_fail(CNNBLAS_INVALID_ARGUMENT, "net is a design: it has no arrays and cannot be run");
  return CNNBLAS_OK;
}

cnnblas_fc_desc cb_net_fc_desc(const cnnblas_net *net, const cb_net_layer *layer)
{
  cnnblas_fc_desc d = {.dtype = net->options.dtype, .threads = net->threads, .n = net->options.batch};
  d.in = layer->spec.in.elements;
  d.out = layer->spec.out.elements;
  return d;
}

cnnblas_status cb_net_apply_maps(const cnnblas_net *net, size_t section)
{
  for (int64_t i = 0; i < net->count; i++) {
    const cb_net_layer *layer = &net->layers[i];
    if (!layer->spec.maps) continue;
    const cb_net_param *w = &net->params[layer->weight];
    cnnblas_status status =
        cnnblas_maps_apply(net->options.dtype, w->shape[0], w->shape[1], w->elements / (w->shape[0] * w->shape[1]),
                           layer->spec.maps, cb_net_param_at(net, section, layer->weight));
    if (status) return status;
  }
  return CNNBLAS_OK;
}
