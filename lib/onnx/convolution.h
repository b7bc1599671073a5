/* A convolution node's settings: what passes join to it. */
#ifndef CB_ONNX_CONVOLUTION_H
#define CB_ONNX_CONVOLUTION_H

#include "onnx/node.h"

enum { CB_ONNX_CONV_X, CB_ONNX_CONV_W, CB_ONNX_CONV_BIAS, CB_ONNX_CONV_RESIDUAL, CB_ONNX_CONV_INPUTS };

/* Packed weights. */
typedef struct {
  void *weights; /* owned; NULL: weights are read as they lie */
  size_t bytes;
} cb_onnx_packed;

typedef struct {
  cnnblas_conv_desc desc;
  cnnblas_activation activation; /* the activation in the store */
  cnnblas_conv_plan *plan;       /* the plan, owned; NULL before prepare */
  cb_onnx_packed packed;
  size_t workspace;
} cb_onnx_convolution;

/* Packs weights for a plan that takes them packed. */
cnnblas_status cb_onnx_pack(const cnnblas_conv_plan *plan, const void *weights, cb_onnx_packed *packed);

/* True if a plan that takes packed weights is to run in the place of one that takes them as they are: if that packs them
   in each run, or is estimated to be at most a tenth faster. */
bool cb_onnx_prefers_packed(const cnnblas_conv_plan *packing, const cnnblas_conv_plan *plain, cnnblas_effort effort);

/* The plan of a ConvTranspose node's convolution, and its weights; NULL for other nodes, and before prepare. */
const cnnblas_conv_plan *cb_onnx_transposed_plan(const cb_onnx_node *node, const cb_onnx_packed **packed);

/* The same for nodes of both operators; *packed is of use where a plan is returned. */
const cnnblas_conv_plan *cb_onnx_plan_of(const cb_onnx_node *node, const cb_onnx_packed **packed);

/* The settings of a Conv node; NULL for other nodes. */
cb_onnx_convolution *cb_onnx_as_convolution(const cb_onnx_node *node);

#endif
