/* The way through the layers, forward and back, of some images on some threads. */
#ifndef CB_NET_WALK_H
#define CB_NET_WALK_H

#include "net/kind.h"

/* Runs layers [from, to) forward. */
cnnblas_status cb_net_walk_forward(const cb_net_pass *pass, int64_t from, int64_t to);

/* Runs all layers backward, from the gradient of the last one's output, which lies in its array. */
cnnblas_status cb_net_walk_backward(const cb_net_pass *pass);

/* Makes the parameters' gradients alone, of layers whose outputs' gradients are kept for the whole batch. */
cnnblas_status cb_net_walk_parameters(const cb_net_pass *pass);

#endif
