/*
 * The other ranks of a step: sums over all images are joined with theirs, in the tree of segments.h, whose upper levels lie
 * between ranks. A rank without images has -0 for its sums, which change none that they are added to.
 */
#ifndef CB_NET_EXCHANGE_H
#define CB_NET_EXCHANGE_H

#include "net/kind.h"
#include <cnnblas/net_exchange.h>

/* Checks a step's exchange, which may be NULL, against the network. */
cnnblas_status cb_net_check_exchange(const cnnblas_net *net, const cnnblas_net_exchange *exchange);

/* The number of images that this rank has of a step's; *first: how many lie before them. */
int64_t cb_net_own_images(const cnnblas_net_step *step, int64_t *first);

/* values[0, sums) become sums over all ranks, the `most` behind them the largest of the ranks' values. sums + most is at most 8. */
cnnblas_status cb_net_join(const cnnblas_net *net, int sums, int most, double *values);

/* Fills join for a batch normalisation of `room`: [4][c]. */
void cb_net_join_norm(const cb_net_pass *pass, const cb_net_layer *layer, double *room, cnnblas_batchnorm_join *join);

/* The layer's parameters have their gradients: hands them on, once enough are together, to be summed over the ranks. Layers
   come in the order of the backward pass. */
cnnblas_status cb_net_hand_on(const cb_net_pass *pass, const cb_net_layer *layer);

/* Waits for all that was handed on. */
cnnblas_status cb_net_await_sums(cnnblas_net *net);

#endif
