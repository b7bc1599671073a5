/* A loaded model: the file's messages, what they declare, and the plan for the sizes of the last run. */
#ifndef CB_ONNX_MODEL_H
#define CB_ONNX_MODEL_H

#include "onnx/onnx_plan.h"
#include "onnx/wire.h"

/* An input or output as the file declares it. */
typedef struct {
  const char *name;
  cb_graph_type type;          /* the type of elements; CB_GRAPH_TYPES: not declared */
  int rank;                    /* number of axes; -1: not declared */
  int64_t size[CB_GRAPH_RANK]; /* size of each axis; -1: any size */
} cb_onnx_declared;

struct cnnblas_onnx {
  cb_onnx_message file;
  const CbOnnx__GraphProto *graph; /* the graph's message, which lies in the file's */
  int version;                     /* version of the operator set */
  size_t bytes;                    /* bytes of the file */
  char *folder;                    /* the folder of external data, owned; or NULL */
  cnnblas_onnx_options options;
  int32_t threads; /* the most threads of a run */
  cb_onnx_declared *inputs, *outputs;
  int64_t input_count, output_count;
  bool settled;       /* true: there will be no other plan, and constants that this one does not read are gone */
  bool by_value;      /* true: small inputs count as constants, since shapes depend on them */
  bool profiled;      /* true: runs take each node's time */
  cb_onnx_plan *plan; /* the plan of the last run's sizes; NULL: there is none yet */
  int64_t plans;      /* number of plans made so far */
};

/* Plans the model for inputs of these shapes; `data` are their elements, NULL as long as there are none. If that
   succeeds the old plan is freed. */
cnnblas_status cb_onnx_model_plan(cnnblas_onnx *model, const cb_graph_shape *shapes, const void *const *data);

#endif
