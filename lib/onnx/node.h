/*
 * What an operator is: a row of functions. Rows stand in one table (operators.c), their functions in files by kind
 * (op_*.c); no other code knows operators by their names, but for passes that join certain ones.
 */
#ifndef CB_ONNX_NODE_H
#define CB_ONNX_NODE_H

#include "base/shared.h"
#include "base/size.h"
#include "graph/graph.h"
#include <cnnblas/layers.h>
#include <cnnblas/onnx.h>
#include <onnx.pb-c.h>

enum { CB_ONNX_NONE = -1 };

typedef struct cb_onnx_node cb_onnx_node;

/* A node's inputs and outputs while its shapes are inferred and while it is prepared. Those left out are NULL. */
typedef struct {
  const cb_graph_shape *const *in;
  const void *const *known; /* elements of the inputs that are constant, NULL for others */
  cb_graph_shape *out;
  bool *lacks; /* set to true where an input would have to be constant and is not */
} cb_onnx_shapes;

/* The settings that all nodes get. */
typedef struct {
  const cnnblas_onnx_options *options;
  int32_t threads; /* the most threads of a run */
} cb_onnx_setup;

/* One run of a node: shapes and arrays of its inputs x and outputs y. Those left out are NULL. */
typedef struct {
  const cb_graph_shape *const *in, *const *out;
  const void *const *x;
  void *const *y;
  int32_t threads; /* the most threads of the run */
  void *workspace; /* the bytes that prepare asked for; NULL where a node is folded */
} cb_onnx_call;

enum {
  CB_ONNX_VIEW = 1,        /* the first output has the elements of the first input, in their order */
  CB_ONNX_IN_PLACE = 2,    /* the output may lie over an input of the same number and size of elements */
  CB_ONNX_OVER_LAST = 4,   /* the output may lie over the last input alone */
  CB_ONNX_NO_ELEMENTS = 8, /* no element of an input enters the output: its shape suffices */
  CB_ONNX_BY_ELEMENT = 16  /* an element of the output follows from those in its place of the inputs, broadcast */
};

typedef struct {
  const char *name;
  int from, to;    /* versions of the operator set that the row is for, both included */
  int least, most; /* the fewest and the most inputs */
  int outputs;     /* the most outputs */
  int traits;      /* a sum of the constants above */
  size_t settings; /* bytes of the node's settings, which are zeroed before infer fills them; 0: it has none */
  /* Fills the outputs' shapes and the node's settings. It is called once. */
  cnnblas_status (*infer)(cb_onnx_node *node, const cb_onnx_shapes *shapes);
  /* Makes plans; *workspace gets the bytes of workspace that a run needs. NULL: there is nothing to prepare. */
  cnnblas_status (*prepare)(cb_onnx_node *node, const cb_onnx_setup *setup, const cb_onnx_shapes *shapes,
                            size_t *workspace);
  cnnblas_status (*run)(const cb_onnx_node *node, const cb_onnx_call *call);
  /* Frees what the settings own. NULL: they own nothing. */
  void (*release)(cb_onnx_node *node);
} cb_onnx_operator;

/* A node of a plan. */
struct cb_onnx_node {
  const cb_onnx_operator *op;
  const CbOnnx__NodeProto *proto;
  int version; /* version of the operator set */
  int inputs, outputs;
  int64_t *input, *output; /* numbers of values, or CB_ONNX_NONE; a convolution's inputs have room for a residual */
  void *settings;          /* what infer found out, of the row's type */
  bool gone;               /* true: a pass took the node away */
  char fused[64];          /* operators that passes joined to the node, "BatchNormalization Relu" */
  double seconds;          /* seconds of all runs while the model is profiled */
};

/* The node's name, or that of its first output, for messages. */
const char *cb_onnx_node_name(const cb_onnx_node *node);

/* Fails with a sentence that begins with the node: "Conv conv1: ...". */
cnnblas_status cb_onnx_node_fail(const cb_onnx_node *node, cnnblas_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts the node in front of the last error's sentence and returns status. */
cnnblas_status cb_onnx_node_because(const cb_onnx_node *node, cnnblas_status status);

/* ---- attributes ---- */

/* The node's attribute of a name; NULL, or `otherwise`, where it has none. */
const CbOnnx__AttributeProto *cb_onnx_attribute(const cb_onnx_node *node, const char *name);
int64_t cb_onnx_int(const cb_onnx_node *node, const char *name, int64_t otherwise);
double cb_onnx_float(const cb_onnx_node *node, const char *name, double otherwise);
/* True if the attribute, `otherwise` where there is none, is this word. */
bool cb_onnx_is(const cb_onnx_node *node, const char *name, const char *word, const char *otherwise);
/* Fills values[0..*count) with the attribute's list; *count is 0 where there is none. More than `most` numbers are
   CNNBLAS_BAD_FORMAT. */
cnnblas_status cb_onnx_ints(const cb_onnx_node *node, const char *name, int64_t *values, int most, int *count);

/* ---- shapes ---- */

/* Fills values with the integers of input j, which must be constant; *count is 0 if the input is left out. */
cnnblas_status cb_onnx_known_ints(const cb_onnx_node *node, const cb_onnx_shapes *s, int j, int64_t *values, int most,
                                  int *count);
/* Does the same for reals. */
cnnblas_status cb_onnx_known_reals(const cb_onnx_node *node, const cb_onnx_shapes *s, int j, double *values, int most,
                                   int *count);
/* Reads a list that is an attribute before `version`, and input j from that version on. */
cnnblas_status cb_onnx_list(const cb_onnx_node *node, const cb_onnx_shapes *s, const char *name, int version, int j,
                            int64_t *values, int *count);
/* Turns *axis, which may count from the end, into one of [0, rank), or with `end` of [0, rank]. */
cnnblas_status cb_onnx_axis(const cb_onnx_node *node, int64_t *axis, int rank, bool end);
/* Element i of an array of any type as a number. */
double cb_onnx_real_at(const cb_graph_shape *shape, const void *data, int64_t i);
int64_t cb_onnx_int_at(const cb_graph_shape *shape, const void *data, int64_t i);

bool cb_onnx_is_real(cb_graph_type type);
/* Fails with CNNBLAS_UNSUPPORTED unless input j is f32 or f64. */
cnnblas_status cb_onnx_need_real(const cb_onnx_node *node, const cb_onnx_shapes *s, int j);
static inline cnnblas_dtype cb_onnx_dtype(cb_graph_type type)
{
  return type == CB_GRAPH_F64 ? CNNBLAS_F64 : CNNBLAS_F32;
}
static inline size_t cb_onnx_bytes(const cb_graph_shape *s)
{
  return (size_t)s->elements * cnnblas_graph_type_bytes(s->type);
}
/* The product of a shape's sizes [from, to). */
static inline int64_t cb_onnx_product(const cb_graph_shape *s, int from, int to)
{
  int64_t p = 1;
  for (int i = from; i < to; i++) p *= s->size[i];
  return p;
}

/* The infer of operators whose output has the type and shape of their first input. */
cnnblas_status cb_onnx_same(cb_onnx_node *node, const cb_onnx_shapes *s);

#endif
