/* Which gradients are wanted, which are added, and which lie in one array. */
#ifndef CB_NET_SINKS_H
#define CB_NET_SINKS_H

#include "net/layer.h"

/*
 * Decides which activations lie over their inputs, and which of these a store does; then for each layer, from the last
 * on, what becomes of its gradients. A value's readers add their gradients in this order, the last reader's first, so
 * that bits do not depend on which thread runs what.
 */
void cb_net_plan_sinks(cb_net_design *design);

/* The input over which layer i may lie, of a sum of two the addend made later; CB_NET_NONE if other layers read it. */
int64_t cb_net_over_which(const cb_net_design *design, int64_t layer);

/* True for a ReLU whose gradient the layer before makes, in whose store it is. */
bool cb_net_relu_is_masked(const cb_net_design *design, int64_t layer);

/* True for a max pool that reads a fused ReLU alone: an error goes back to elements whose value is the pool's output,
   of which there are fewer, so the ReLU's gradient is made there, and the ReLU is done with. */
bool cb_net_relu_goes_first(const cb_net_design *design, int64_t layer);

/* The number of a layer's backward step, counted from the last layer's, which is 0. */
static inline int64_t cb_net_back_step(const cb_net_design *design, int64_t layer)
{
  return design->graph.node_count - 1 - layer;
}

#endif
