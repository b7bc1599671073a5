/* BatchNormalization as a pass sees it that joins it to a convolution. */
#ifndef CB_ONNX_NORMALISATION_H
#define CB_ONNX_NORMALISATION_H

#include "onnx/node.h"

/* True if the node is a batch normalisation that reads its statistics; *epsilon is then the node's. Its inputs are x,
   scale, shift, mean and variance. */
bool cb_onnx_normalises(const cb_onnx_node *node, double *epsilon);

#endif
