/*
 * A model between its file and the graph core: nodes in the file's order and the values between them, with shapes and
 * constants as far as they are known. Passes change it; the plan is built from what is left.
 */
#ifndef CB_ONNX_SCHEME_H
#define CB_ONNX_SCHEME_H

#include "onnx/node.h"

typedef struct {
  const char *name; /* the value's name in the file; "" for what a pass made */
  cb_graph_shape shape;
  const void *known; /* the elements of a constant; NULL: the value is not constant */
  void *owned;       /* the elements' memory where it belongs to the scheme; or NULL */
  int64_t producer;  /* the node that makes the value, or CB_ONNX_NONE */
  int64_t readers;   /* number of nodes' inputs that are this value */
  bool output;       /* true: the value is an output of the model */
  int64_t place;     /* the value's number in the graph; CB_ONNX_NONE: it is not there */
} cb_onnx_value;

typedef struct {
  cb_onnx_setup setup;
  const CbOnnx__GraphProto *file;
  const char *folder; /* the folder of external data, or NULL */
  int version;        /* version of the operator set */
  cb_onnx_value *values;
  int64_t value_count, value_room;
  cb_onnx_node *nodes;
  int64_t node_count;
  int64_t *links;            /* the memory of all nodes' lists of inputs and outputs */
  int64_t *inputs, *outputs; /* numbers of the values that are the model's inputs and outputs */
  int64_t input_count, output_count;
  size_t budget;    /* bytes that constants may still take */
  size_t rewriting; /* bytes that weights may still take which normalisations have entered */
  bool lacks;       /* true: a shape depends on an input's elements */
} cb_onnx_scheme;

/* Makes values and nodes of the file's graph; only constants have known shapes then. The scheme is zeroed but for
   setup, file, folder, version and budget; it is to be freed whatever is returned. */
cnnblas_status cb_onnx_scheme_import(cb_onnx_scheme *scheme);

void cb_onnx_scheme_free(cb_onnx_scheme *scheme);

/* Infers the shapes of all values from those of the inputs, which are filled in, and computes what is constant. */
cnnblas_status cb_onnx_scheme_infer(cb_onnx_scheme *scheme);

/* Counts a shape's elements. Fails with CNNBLAS_SIZE_OVERFLOW or CNNBLAS_BAD_FORMAT (a size below 0). */
cnnblas_status cb_onnx_count(cb_graph_shape *shape);

/* Adds a constant of this shape, which the caller fills: *value is its number, *data its elements. */
cnnblas_status cb_onnx_scheme_constant(cb_onnx_scheme *scheme, const cb_graph_shape *shape, int64_t *value,
                                       void **data);

/* Gives node's input j another value. */
void cb_onnx_scheme_read(cb_onnx_scheme *scheme, cb_onnx_node *node, int j, int64_t value);

/* The node that alone reads a value; NULL if there are several, or the value is an output of the model. */
cb_onnx_node *cb_onnx_scheme_reader(const cb_onnx_scheme *scheme, int64_t value);

/* Puts `first` in the place of `behind`, which reads its output: `first` then does the work of both, and makes the
   first output of `behind`. */
void cb_onnx_scheme_absorb(cb_onnx_scheme *scheme, cb_onnx_node *first, cb_onnx_node *behind);

/* Fills a node's shapes and constants for calls of its row: in, known and out have room for its inputs and outputs. */
void cb_onnx_scheme_look(const cb_onnx_scheme *scheme, const cb_onnx_node *node, const cb_graph_shape **in,
                         const void **known, const cb_graph_shape **out);

#endif
