/* A Transpose's settings, for the pass that moves it. */
#ifndef CB_ONNX_TRANSPOSITION_H
#define CB_ONNX_TRANSPOSITION_H

#include "onnx/node.h"

/* The order of a Transpose node's axes, whose shapes are inferred: axis i of the output is the input's axis order[i]. NULL
   for other nodes. */
const int64_t *cb_onnx_transposition(const cb_onnx_node *node);

/* Gives a Transpose node another order, and an input of shape x. */
void cb_onnx_transposition_set(cb_onnx_node *node, const cb_graph_shape *x, const int64_t *order);

#endif
