/* Copies of a network's tensors: those of the best epoch. */
#ifndef TOOLS_WEIGHTS_H
#define TOOLS_WEIGHTS_H

#include <cnnblas/net.h>
#include <stdbool.h>

typedef struct {
  void **values; /* [count], each as the tensor's; NULL: no copy */
  int64_t count;
} weights;

/* Room for a copy of every tensor; false without memory. */
bool weights_make(weights *w, const cnnblas_net *net);

/* Copies from the network, and back into it. */
void weights_take(weights *w, const cnnblas_net *net);
void weights_put(const weights *w, cnnblas_net *net);

/* A checksum of the values of a network's tensors; gradients and momentum do not count. */
uint32_t weights_checksum(const cnnblas_net *net);

/* Safe on a zeroed copy and twice. */
void weights_free(weights *w);

#endif
