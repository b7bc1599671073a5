/*
 * Which layers of an inference network share arrays or loops: some lie over their inputs, and, once
 * cnnblas_net_pack_weights has run, batch normalisation is in a convolution's weights and bias, addition and activation
 * are in its store.
 */
#ifndef CB_NET_FOLD_H
#define CB_NET_FOLD_H

#include "net/network.h"

/* Decides both, in the design. The arrays serve folded and single layers alike. */
void cb_net_plan_folding(cb_net_design *design);

/* Fills weights and bias with those of a convolution whose normalisation is folded into them, from the tensors'
   values. */
void cb_net_fold(const cnnblas_net *net, const cb_net_layer *conv, void *weights, void *bias);

/* True if a convolution before the layer does its work in the passes that run now. */
static inline bool cb_net_is_folded(const cnnblas_net *net, const cb_net_layer *layer)
{
  return net->packed && layer->folded;
}

#endif
