/* A loaded model: the file's messages, what they declare, and the plan for the sizes of the last run. */
#ifndef CB_ONNX_MODEL_H
#define CB_ONNX_MODEL_H

#include "onnx/onnx_plan.h"
#include "onnx/wire.h"

/* An input or output as the file declares it. */
typedef struct {
  const char *name;
  cb_graph_type type;          /* CB_GRAPH_TYPES: not declared */
  int rank;                    /* -1: not declared */
  int64_t size[CB_GRAPH_RANK]; /* -1: of any size */
} cb_onnx_declared;

struct cnnblas_onnx {
  cb_onnx_message file;
  const CbOnnx__GraphProto *graph; /* in the file */
  int version;                     /* of the operator set */
  size_t bytes;                    /* of the file */
  char *folder;                    /* of external data; or NULL */
  cnnblas_onnx_options options;
  int32_t threads;
  cb_onnx_declared *inputs, *outputs;
  int64_t input_count, output_count;
  bool by_value; /* small inputs count as constants: shapes depend on them */
  bool profiled;
  cb_onnx_plan *plan; /* NULL: none yet */
  int64_t plans;
};

/* Plans the model for inputs of these shapes; `data` are their elements, NULL as long as there are none. The plan before it is
   gone if that succeeds. */
cnnblas_status cb_onnx_model_plan(cnnblas_onnx *model, const cb_graph_shape *shapes, const void *const *data);

#endif
