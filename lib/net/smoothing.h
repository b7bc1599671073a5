/* Softmax's loss with smoothed labels. */
#ifndef CB_NET_SMOOTHING_H
#define CB_NET_SMOOTHING_H

#include "net/network.h"

/*
 * Adds to the sum of the losses of images [first, first + n), and to its gradient dz [n][classes], what
 * net->smoothing = e changes: with e shared by all classes an image's loss grows by e * (z[label] - mean of z),
 * dz[j] by e * ((j == label) - 1 / classes). divisor: 1 for sums, the number of images for means. With e = 0 nothing changes.
 */
void cb_net_smooth(const cnnblas_net *net, int64_t first, int64_t n, const int32_t *labels, double divisor,
                   double *loss, void *dz);

#endif
