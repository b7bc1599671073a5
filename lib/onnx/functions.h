/* Activation operators as the library's activation functions, for the operators that compute them and for the pass that
   joins them to a convolution. */
#ifndef CB_ONNX_FUNCTIONS_H
#define CB_ONNX_FUNCTIONS_H

#include "onnx/node.h"

/* *function = the node's function. Returns false where the library has none such (a slope below 0, say). Clip's bounds
   are inputs from version 11 on: known[1] and known[2]. */
bool cb_onnx_function(const cb_onnx_node *node, const cb_graph_shape *const *in, const void *const *known,
                      cnnblas_activation *function);

#endif
