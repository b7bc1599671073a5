/*
 * Weight gradients and losses by segments of the batch: options.segments cuts the images as a binary tree does, the left half of
 * each cut being the largest power of two below the count. Each segment's gradient is summed by itself, and segments are
 * joined in that tree, so that whoever sums a whole branch, another process for example, leaves the bits as they are.
 * Batch normalisation's statistics are joined in the same tree, image by image.
 */
#ifndef CB_NET_SEGMENTS_H
#define CB_NET_SEGMENTS_H

#include "net/kind.h"

/* The number of segments that this rank has of a step, or, outside of a step, of a batch: a power of two. */
int64_t cb_net_segments(const cnnblas_net *net);

/* The number of images of segment `index` of n images; *first: how many lie before it. Of few images some have none. */
int64_t cb_net_segment(const cnnblas_net *net, int64_t n, int64_t index, int64_t *first);

/* The most images of a segment of n images. */
int64_t cb_net_segment_images(const cnnblas_net *net, int64_t n);

/* The most images from which a layer's weight gradients are made in one call. */
int64_t cb_net_gradient_images(const cnnblas_net *net, const cb_net_layer *layer);

/* In a network with segments, names in *o the algorithm that computes an input gradient of `d` (of a transposed convolution: the
   forward): the one that the images of a segment would choose. By those of the batch, networks that share a batch could choose apart,
   and other bits; and none calls OpenBLAS, whose sums follow the size of a product, in which images may be joined. */
cnnblas_status cb_net_choose_by_segment(const cnnblas_net *net, const cb_net_layer *layer, const cnnblas_conv_desc *d,
                                        cnnblas_conv_options *o);

/* The places that joining takes beside the gradients, and the elements of each: the most of a layer's parameters, in
   which other ranks' wait too where an exchange has swap alone. */
int cb_net_segment_places(const cnnblas_net *net);
int64_t cb_net_segment_elements(const cnnblas_net *net);

/* Makes the gradients of a layer's parameters, and nothing else, from those of its segments. */
cnnblas_status cb_net_sum_segments(const cb_net_pass *pass, const cb_net_layer *layer);

/* *loss = the sum of the losses of a pass's n images, joined likewise; leaves its gradient in the last layer's error. */
cnnblas_status cb_net_sum_losses(const cnnblas_net *net, int64_t n, const int32_t *labels, double *loss);

#endif
