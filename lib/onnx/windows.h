/* What convolutions and pools share: strides, dilations and padding of their windows, from attributes. */
#ifndef CB_ONNX_WINDOWS_H
#define CB_ONNX_WINDOWS_H

#include "onnx/node.h"

typedef struct {
  int rank; /* number of spatial axes, 1 to 3 */
  int64_t size[3], kernel[3], stride[3], dilation[3], begin[3], end[3];
} cb_onnx_windows;

/* Fills w for an input [n][c][size...]. `kernel` gives the window's size, NULL: the attribute kernel_shape does.
   auto_pad becomes padding, but for transposed convolutions (`transposed`), whose output's size decides it. */
cnnblas_status cb_onnx_windows_read(const cb_onnx_node *node, const cb_graph_shape *x, const int64_t *kernel,
                                    bool transposed, cb_onnx_windows *w);

#endif
