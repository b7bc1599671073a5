/*
 * What an operator is: a row of functions. Rows stand in one table (operators.c), their functions in files by kind (op_*.c); nobody
 * else knows operators by their names, but for passes that join certain ones.
 */
#ifndef CB_ONNX_NODE_H
#define CB_ONNX_NODE_H

#include "base/size.h"
#include "graph/graph.h"
#include "onnx/messages.h"
#include <cnnblas/layers.h>
#include <cnnblas/onnx.h>
#include <onnx.pb-c.h>

enum { CB_ONNX_NONE = -1 };

typedef struct cb_onnx_node cb_onnx_node;

/* Arrays of a node, while shapes are inferred and while it is prepared. Those left out are NULL. */
typedef struct {
  const cb_graph_shape *const *in;
  const void *const *known; /* an input's elements, where they are constant */
  cb_graph_shape *out;
  bool *lacks; /* set where an input that is not constant would have to be */
} cb_onnx_shapes;

/* What all nodes are told. */
typedef struct {
  const cnnblas_onnx_options *options;
  int32_t threads;
} cb_onnx_setup;

/* One run of a node. Arrays left out are NULL. */
typedef struct {
  const cb_graph_shape *const *in, *const *out;
  const void *const *x;
  void *const *y;
  int32_t threads;
  void *workspace; /* as many bytes as prepare asked for */
} cb_onnx_call;

enum {
  CB_ONNX_VIEW = 1,       /* its first output has the elements of its first input, in their order */
  CB_ONNX_IN_PLACE = 2,   /* its output may lie over an input of the same shape and size */
  CB_ONNX_OVER_LAST = 4,  /* its output may lie over its last input alone */
  CB_ONNX_NO_ELEMENTS = 8 /* no element of an input enters its output */
};

typedef struct {
  const char *name;
  int from, to;    /* versions of the operator set, both included */
  int least, most; /* inputs */
  int outputs;     /* at most */
  int traits;
  size_t settings; /* bytes of what infer finds out, zeroed before; 0: nothing */
  /* Fills the outputs' shapes. It is called once. */
  cnnblas_status (*infer)(cb_onnx_node *node, const cb_onnx_shapes *shapes);
  /* Makes plans; *workspace gets the bytes of a run. NULL: nothing to prepare. */
  cnnblas_status (*prepare)(cb_onnx_node *node, const cb_onnx_setup *setup, const cb_onnx_shapes *shapes,
                            size_t *workspace);
  cnnblas_status (*run)(const cb_onnx_node *node, const cb_onnx_call *call);
  /* Frees what the settings own. NULL: nothing. */
  void (*release)(cb_onnx_node *node);
} cb_onnx_operator;

/* A node of a plan. */
struct cb_onnx_node {
  const cb_onnx_operator *op;
  const CbOnnx__NodeProto *proto;
  int version; /* of the operator set */
  int inputs, outputs;
  int64_t *input, *output; /* values, or CB_ONNX_NONE; a convolution's inputs have room for a residual */
  void *settings;
  bool gone; /* a pass took it away */
  char fused[64];
  double seconds;
};

/* The node's name, or its first output's, for messages. */
const char *cb_onnx_node_name(const cb_onnx_node *node);

/* An error of this node: "Conv conv1: ...". */
cnnblas_status cb_onnx_node_fail(const cb_onnx_node *node, cnnblas_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The last error, with the node in front. */
cnnblas_status cb_onnx_node_because(const cb_onnx_node *node, cnnblas_status status);

/* ---- attributes ---- */

const CbOnnx__AttributeProto *cb_onnx_attribute(const cb_onnx_node *node, const char *name);
int64_t cb_onnx_int(const cb_onnx_node *node, const char *name, int64_t otherwise);
double cb_onnx_float(const cb_onnx_node *node, const char *name, double otherwise);
/* Whether the attribute, `otherwise` where there is none, is this word. */
bool cb_onnx_is(const cb_onnx_node *node, const char *name, const char *word, const char *otherwise);
/* values[0..*count) = the list; *count is 0 where there is none. CNNBLAS_BAD_FORMAT: more than `most`. */
cnnblas_status cb_onnx_ints(const cb_onnx_node *node, const char *name, int64_t *values, int most, int *count);

/* ---- shapes ---- */

/* Integers of input j, which must be constant; *count is 0 if it is left out. */
cnnblas_status cb_onnx_known_ints(const cb_onnx_node *node, const cb_onnx_shapes *s, int j, int64_t *values, int most,
                                  int *count);
/* The same for reals. */
cnnblas_status cb_onnx_known_reals(const cb_onnx_node *node, const cb_onnx_shapes *s, int j, double *values, int most,
                                   int *count);
/* A list that is an attribute before the version, an input j from it on. */
cnnblas_status cb_onnx_list(const cb_onnx_node *node, const cb_onnx_shapes *s, const char *name, int version, int j,
                            int64_t *values, int *count);
/* *axis, which may count from the end, becomes one of [0, rank), or with `end` of [0, rank]. */
cnnblas_status cb_onnx_axis(const cb_onnx_node *node, int64_t *axis, int rank, bool end);
/* Element i of an array as a number. */
double cb_onnx_real_at(const cb_graph_shape *shape, const void *data, int64_t i);
int64_t cb_onnx_int_at(const cb_graph_shape *shape, const void *data, int64_t i);

bool cb_onnx_is_real(cb_graph_type type);
/* CNNBLAS_UNSUPPORTED unless input j is f32 or f64. */
cnnblas_status cb_onnx_need_real(const cb_onnx_node *node, const cb_onnx_shapes *s, int j);
static inline cnnblas_dtype cb_onnx_dtype(cb_graph_type type)
{
  return type == CB_GRAPH_F64 ? CNNBLAS_F64 : CNNBLAS_F32;
}
static inline size_t cb_onnx_bytes(const cb_graph_shape *s)
{
  return (size_t)s->elements * cnnblas_graph_type_bytes(s->type);
}
/* The product of sizes [from, to). */
static inline int64_t cb_onnx_product(const cb_graph_shape *s, int from, int to)
{
  int64_t p = 1;
  for (int i = from; i < to; i++) p *= s->size[i];
  return p;
}

/* infer of operators whose output is as their first input. */
cnnblas_status cb_onnx_same(cb_onnx_node *node, const cb_onnx_shapes *s);

#endif
