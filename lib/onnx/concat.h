/* What the pass about Concat asks of a node. */
#ifndef CB_ONNX_CONCAT_H
#define CB_ONNX_CONCAT_H

#include "onnx/node.h"

/* The axis on which a Concat joins its inputs; -1 for other nodes. */
int cb_onnx_concat_axis(const cb_onnx_node *node);

#endif
