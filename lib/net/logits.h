/* The last layer's outputs (logits): classes, right answers and the loss. */
#ifndef CB_NET_LOGITS_H
#define CB_NET_LOGITS_H

#include "net/network.h"

/* The logits of the last pass, [n][classes]. */
void *cb_net_logits(const cnnblas_net *net);

/* The class of image in: the first of its largest logits; a NaN counts as the largest. */
int32_t cb_net_class(const cnnblas_net *net, int64_t in);

/* The number of images among the first n whose class is their label and whose logit of it is a number. */
int64_t cb_net_correct(const cnnblas_net *net, int64_t n, const int32_t *labels);

/* Multiplies count elements of an array of the network's type by a factor. */
void cb_net_scale(const cnnblas_net *net, int64_t count, double factor, void *array);

/* What the sum of losses over a step's images is divided by. */
double cb_net_loss_divisor(const cnnblas_net *net);

/* The descriptor of a loss over the network's batch: a mean, with the network's threads. */
cnnblas_loss_desc cb_net_loss_desc(const cnnblas_net *net);

/* *loss = the mean or the sum of the losses of images [first, first + n), dz = its gradient by their logits, unless
   NULL. */
cnnblas_status cb_net_loss(const cnnblas_net *net, int32_t threads, int64_t first, int64_t n, const int32_t *labels,
                           cnnblas_reduction reduction, double *loss, void *dz);

#endif
