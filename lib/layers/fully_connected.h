/* The fully connected layer's inner side: checked arguments, scratch memory from the caller. */
#ifndef CB_LAYERS_FULLY_CONNECTED_H
#define CB_LAYERS_FULLY_CONNECTED_H

#include <cnnblas/layers.h>

/* Images of one forward tile. Every tile multiplies exactly this many, so that the bits of one image do not depend on
   how many others there are; the last tile goes through scratch. */
enum { CB_FC_ROWS = 16 };

/* Bytes of scratch that a forward call may need; a multiple of 64. */
size_t cb_fc_scratch(const cnnblas_fc_desc *desc);

/* cnnblas_fc_forward without its checks; scratch of cb_fc_scratch bytes, 64-byte aligned. */
void cb_fc_forward(const cnnblas_fc_desc *desc, int64_t n, const void *x, const void *w, const void *bias,
                   cnnblas_activation activation, void *y, void *scratch);

#endif
