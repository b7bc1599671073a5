/* A model made ready for inputs of certain sizes: the scheme after its passes, a graph of the core, one block of
   memory. */
#ifndef CB_ONNX_PLAN_H
#define CB_ONNX_PLAN_H

#include "onnx/scheme.h"

/* What belongs to a node of the graph, its `self`. */
typedef struct cb_onnx_step {
  struct cb_onnx_plan *plan;
  cb_onnx_node *node;
} cb_onnx_step;

typedef struct cb_onnx_plan {
  cb_onnx_scheme scheme;
  cb_graph graph;
  cb_onnx_step *steps;
  int64_t *node_of; /* the number of the scheme's node for each node of the graph */
  void **arrays;    /* the array of each of the graph's values */
  char *block;      /* the memory of all arrays, and of the workspace behind them */
  size_t bytes;     /* bytes of the block */
  void *workspace;  /* the workspace in the block */
  bool profiled;    /* true: runs take each node's time */
} cb_onnx_plan;

/* What a plan is made from. */
typedef struct {
  cb_onnx_setup setup;
  const CbOnnx__GraphProto *file;
  const char *folder;              /* the folder of external data, or NULL */
  int version;                     /* version of the operator set */
  size_t budget;                   /* the most bytes of folded constants */
  const cb_graph_shape *inputs;    /* the inputs' shapes, in the order of the scheme's inputs */
  const void *const *known_inputs; /* elements of inputs that are to count as constants, NULL for others; or NULL */
} cb_onnx_wish;

/* Makes a plan, which the caller owns. *lacks is set to true where a shape depends on an input's elements. */
cnnblas_status cb_onnx_plan_create(const cb_onnx_wish *wish, cb_onnx_plan **plan, bool *lacks);
void cb_onnx_plan_destroy(cb_onnx_plan *plan);

/* Runs the plan on the inputs' arrays. */
cnnblas_status cb_onnx_plan_run(cb_onnx_plan *plan, const void *const *inputs);

/* The array of the model's output `index` after a run. */
const void *cb_onnx_plan_output(const cb_onnx_plan *plan, int64_t index);

#endif
