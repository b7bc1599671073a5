/* What every file of the network asks of it; see network.h. */
#include "net/network.h"
#include "base/shared.h"
#include <stdio.h>

cnnblas_status cb_net_check(const cnnblas_net *net, bool runs)
{
  if (!net) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "net is NULL");
  if (runs && !net->block)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "net is a design: it has no arrays and cannot be run");
  return CNNBLAS_OK;
}

const char *cb_net_sizes(char *text, size_t size, int rank, const int64_t *values, int64_t otherwise)
{
  int used = 0;
  text[0] = 0;
  for (int i = 0; i < rank && used < (int)size; i++)
    used += snprintf(text + used, size - (size_t)used, "%s%lld", i ? "x" : "",
                     (long long)(values[i] ? values[i] : otherwise));
  return text;
}

cnnblas_status cb_net_apply_maps(const cnnblas_net *net, size_t section)
{
  for (int64_t i = 0; i < net->count; i++) {
    const cb_net_layer *layer = cb_net_layer_at(net, i);
    if (!layer->maps) continue;
    const cb_net_param *w = &net->params[layer->weight];
    cnnblas_status status =
        cnnblas_maps_apply(net->options.dtype, w->shape[0], w->shape[1], w->elements / (w->shape[0] * w->shape[1]),
                           layer->maps, cb_net_param_at(net, section, layer->weight));
    if (status) return status;
  }
  return CNNBLAS_OK;
}
