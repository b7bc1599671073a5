/* The three products of a fully connected layer, on the engine. */
#ifndef CB_LAYERS_FC_PRODUCTS_H
#define CB_LAYERS_FC_PRODUCTS_H

#include <cnnblas/layers.h>

/* Arrays as in cnnblas/layers.h, all there and apart; n may be 0. */
typedef struct {
  cnnblas_dtype dtype;
  int threads;
  int64_t n, in, out;
  const void *x, *w, *dy;
} cb_fc;

/* y = x w^T + bias, then max(0, .) if relu; bias may be NULL. */
void cb_fc_forward(const cb_fc *fc, const void *bias, int relu, void *y);

/* dx = dy w */
void cb_fc_backward_data(const cb_fc *fc, void *dx);

/* dw = dy^T x */
void cb_fc_backward_weights(const cb_fc *fc, void *dw);

#endif
