/* Arrays in ONNX's format (TensorProto): raw, typed and external data. */
#ifndef CB_ONNX_PROTO_TENSOR_H
#define CB_ONNX_PROTO_TENSOR_H

#include "graph/graph.h"
#include <cnnblas/onnx.h>
#include <onnx.pb-c.h>

/* The core's type for ONNX's number of a type; CB_GRAPH_TYPES if there is none. f16 and bf16 become f32. */
cb_graph_type cb_onnx_core_type(int64_t number);

/* ONNX's number for a type of the core. */
cnnblas_onnx_type cb_onnx_public_type(cb_graph_type type);

/* Reads shape and elements of a tensor. *data points into the message where its elements lie there as the library wants
   them, else *owned gets new memory (cnnblas_shared_free), which *data then is. `folder` is where external data lie,
   NULL: nowhere.
   Fails with CNNBLAS_BAD_FORMAT, CNNBLAS_UNSUPPORTED, CNNBLAS_SIZE_OVERFLOW, CNNBLAS_OUT_OF_MEMORY or
   CNNBLAS_IO_ERROR. */
cnnblas_status cb_onnx_tensor_read(const CbOnnx__TensorProto *t, const char *folder, cb_graph_shape *shape,
                                   const void **data, void **owned);

#endif
