/* Convolutions' weights packed once for many passes: which layers have them, and the packing. */
#include "base/shared.h"
#include "net/fold.h"
#include "net/network.h"
#include <string.h>

/* The name of the family of the plan's algorithm: its rows give a forward the same bits, and not all of them take every
   problem's weights packed. */
static const char *family_of(const cnnblas_conv_plan *plain)
{
  const char *name = cnnblas_conv_plan_algorithm(plain);
  cnnblas_algorithm_info row;
  for (int32_t i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++)
    if (strcmp(row.name, name) == 0) return row.family;
  return name;
}

/*
 * Only a layer whose plan would pack its weights in each pass gains by packing them beforehand: the packed plan then
 * does the same without packing. All other layers would lose what their algorithms are chosen for, such as images on
 * the lanes, or gain nothing.
 */
cnnblas_status cb_net_make_packed_plan(cnnblas_net *net, cb_net_layer *layer)
{
  const cnnblas_conv_plan *plain = layer->plans[CNNBLAS_FORWARD];
  if (!cnnblas_conv_plan_packs(plain)) return CNNBLAS_OK;
  cnnblas_conv_options o = {.algorithm = family_of(plain), .no_alloc = 1, .packed_weights = 1};
  o.accuracy = net->options.accuracy;
  o.threads = cnnblas_conv_plan_threads(plain);
  cnnblas_status status = cnnblas_conv_plan_create(&layer->conv, CNNBLAS_FORWARD, &o, &layer->packed_plan);
  if (!status) status = cnnblas_conv_plan_packed_bytes(layer->packed_plan, &layer->packed_bytes);
  if (!status) cb_net_need_workspace(net, layer->packed_plan, true);
  return status;
}

cnnblas_status cnnblas_net_pack_weights(cnnblas_net *net)
{
  cnnblas_status status = cb_net_check(net, true);
  if (status) return status;
  if (!net->options.packed_weights)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                               "net was made without options.packed_weights and has no room for packed weights");
  for (int64_t i = 0; i < net->count && !status; i++) {
    const cb_net_layer *layer = cb_net_layer_at(net, i);
    const void *weights = layer->params ? cb_net_param_at(net, net->layout.values, layer->weight) : NULL;
    if (layer->norm_layer) {
      void *folded = cb_net_at(net, layer->packed_plan ? net->layout.folded : layer->folded_weights);
      cb_net_fold(net, layer, folded, cb_net_at(net, layer->folded_bias));
      weights = folded;
    }
    if (layer->packed_plan)
      status = cnnblas_conv_plan_pack_weights(layer->packed_plan, weights, cb_net_at(net, layer->packed),
                                              layer->packed_bytes);
  }
  net->packed = !status;
  return status;
}
