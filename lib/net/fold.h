/*
 * What an inference network does in one place: layers over their inputs, and, once cnnblas_net_pack_weights has run, batch
 * normalisation in a convolution's weights and bias, addition and activation in its store.
 */
#ifndef CB_NET_FOLD_H
#define CB_NET_FOLD_H

#include "net/network.h"

/* Decides both, in the design; arrays that are the same for folded and single layers. */
void cb_net_plan_folding(cb_net_design *design);

/* weights, bias = those of a convolution with its normalisation folded into them, from the tensors as they are. */
void cb_net_fold(const cnnblas_net *net, const cb_net_layer *conv, void *weights, void *bias);

/* Whether a layer is done by a convolution before it, now. */
static inline bool cb_net_is_folded(const cnnblas_net *net, const cb_net_layer *layer)
{
  return net->packed && layer->folded;
}

#endif
