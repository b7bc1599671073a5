/* A convolution node's settings: what passes join to it. */
#ifndef CB_ONNX_CONVOLUTION_H
#define CB_ONNX_CONVOLUTION_H

#include "onnx/node.h"

enum { CB_ONNX_CONV_X, CB_ONNX_CONV_W, CB_ONNX_CONV_BIAS, CB_ONNX_CONV_RESIDUAL, CB_ONNX_CONV_INPUTS };

typedef struct {
  cnnblas_conv_desc desc;
  cnnblas_activation activation;  /* the activation in the store */
  cnnblas_conv_plan *plan;        /* the plan, owned; NULL before prepare */
  void *packed;                   /* the packed weights, owned; NULL: weights are read as they lie */
  size_t packed_bytes, workspace; /* bytes of each */
} cb_onnx_convolution;

/* The settings of a Conv node; NULL for other nodes. */
cb_onnx_convolution *cb_onnx_as_convolution(const cb_onnx_node *node);

#endif
