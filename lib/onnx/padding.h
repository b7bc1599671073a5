/* The settings of a Pad, for the pass that joins it to a convolution. */
#ifndef CB_ONNX_PADDING_H
#define CB_ONNX_PADDING_H

#include "onnx/node.h"

typedef enum { CB_ONNX_PAD_CONSTANT, CB_ONNX_PAD_REFLECT, CB_ONNX_PAD_EDGE } cb_onnx_pad_mode;

typedef struct {
  cb_onnx_pad_mode mode;
  int64_t begin[CB_GRAPH_RANK], end[CB_GRAPH_RANK]; /* elements added in front and behind; below 0: cut off */
} cb_onnx_padding;

#endif
