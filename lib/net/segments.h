/*
 * Weight gradients by segments of the batch: options.segments cuts the images as a binary tree does, the left half of
 * each cut being the largest power of two below the count. Each segment's gradient is summed by itself, and segments are
 * joined in that tree, so that whoever sums a whole branch, another process for example, leaves the bits as they are.
 * Batch normalisation's statistics are joined in the same tree, image by image.
 */
#ifndef CB_NET_SEGMENTS_H
#define CB_NET_SEGMENTS_H

#include "net/kind.h"

/* The most images of a segment of n images. */
int64_t cb_net_segment_images(const cnnblas_net *net, int64_t n);

/* The places that joining takes beside the gradients, and the elements of each: the most of a layer's parameters. */
int cb_net_segment_places(const cnnblas_net *net);
int64_t cb_net_segment_elements(const cnnblas_net *net);

/* Makes the gradients of a layer's parameters, and nothing else, from those of its segments. */
cnnblas_status cb_net_sum_segments(const cb_net_pass *pass, const cb_net_layer *layer);

#endif
