/*
 * A network's design: its layers as nodes of a graph, in the order of the text, every shape computed. Layer i is node i and makes
 * one value; value 0 is the input. A layer is what its row of the table of kinds (kinds.c) makes of a piece of text.
 */
#ifndef CB_NET_LAYER_H
#define CB_NET_LAYER_H

#include "graph/graph.h"
#include <cnnblas/batchnorm.h>
#include <cnnblas/conv_transpose.h>
#include <cnnblas/layers.h>
#include <cnnblas/net.h>
#include <stdbool.h>
#include <stdint.h>

enum { CB_NET_MAX_LAYERS = 1000, CB_NET_NONE = CB_GRAPH_NONE };

/* Shape of one image: c channels of size[0..rank). */
typedef struct {
  int64_t c, size[3], elements;
} cb_net_shape;

/* An array in the network's block. One with a slot holds a part of the batch, one such region a thread. */
typedef struct {
  size_t place; /* bytes in the block; in a region of slots, if it is one */
  bool slot;
} cb_net_array;

/* What becomes of a layer's gradient by one of its inputs. */
typedef enum {
  CB_NET_UNWANTED, /* nothing in front of it learns */
  CB_NET_WRITE,    /* it is the first, or only one: written */
  CB_NET_ADD,      /* made in an array of its own, then added to those of the value's later readers */
  CB_NET_SAME      /* it is the gradient of the layer's output, in the same array */
} cb_net_sink;

typedef struct cb_net_row cb_net_row;

/* One layer. Descriptors are complete but for dtype, n and threads until it is prepared. */
typedef struct cb_net_layer {
  const cb_net_row *row;
  int column; /* of its keyword, from 1 */
  int rank;   /* spatial axes */
  char name[24];
  cb_net_shape in, out; /* in: its first input */

  /* what the text says */
  cnnblas_conv_desc conv;
  cnnblas_conv_transpose_desc transposed;
  uint8_t *maps; /* [k][c/g], or NULL: all */
  bool bias;     /* it has one */
  cnnblas_pool_desc pool;
  cnnblas_activation_desc activation;
  cnnblas_batchnorm_desc norm;
  double share;    /* a dropout's */
  int64_t factor;  /* of an upsampling */
  bool linear;     /* likewise */
  int branches;    /* of a join */
  int64_t outputs; /* of an FC */
  bool bare;       /* an FC without a number */
  bool left_out;   /* read, but not wanted */

  /* what is made of it */
  int64_t index;
  bool fused;     /* an activation done in the store of the layer before it */
  bool in_place;  /* its output lies in its first input's array */
  bool relu;      /* its store does a ReLU, that of the layer behind it */
  bool learns;    /* it, or a layer in front of it, has parameters */
  int64_t weight; /* its first parameter tensor; the others follow. CB_NET_NONE without parameters */
  int params, states;
  int64_t state; /* its first tensor that is not trained, CB_NET_NONE without */
  cnnblas_conv_plan *plans[3];
  cnnblas_conv_transpose_plan *transposed_plans[3];
  cnnblas_conv_plan *packed_plan; /* forward with packed weights; NULL: it would gain nothing */
  /* inference: what its store does too, where weights are packed; and whether an earlier convolution does this layer */
  const struct cb_net_layer *norm_layer, *function_layer;
  int64_t residual; /* a value */
  bool folded;
  size_t folded_weights, folded_bias; /* places */
  size_t packed, packed_bytes;        /* the packed weights' place; inference only */
  char algorithms[3][32];
  double flops;          /* of one image's forward pass */
  int64_t kept_of_image; /* bytes that its backward pass needs beside the arrays: of each image, and of a batch */
  int64_t kept_of_batch;
  size_t kept;
  int64_t same_error;         /* the layer in whose error array its own lies; itself: it has one */
  cb_net_array output, error; /* error: the gradient of its output; training only */
  cb_net_sink *sinks;         /* [inputs] */
  size_t *terms;              /* [inputs]: where a gradient is made that is to be added */
} cb_net_layer;

typedef struct {
  int rank;
  cb_net_shape input;
  cb_graph graph;
} cb_net_design;

static inline cb_net_layer *cb_design_layer(const cb_net_design *design, int64_t index)
{
  return design->graph.nodes[index].self;
}

/* The shape of a value, of one image. */
static inline cb_net_shape cb_design_shape(const cb_net_design *design, int64_t value)
{
  const cb_graph_shape *s = &design->graph.values[value].shape;
  cb_net_shape shape = {.c = s->size[1], .elements = s->size[1]};
  for (int i = 0; i < design->rank; i++) shape.elements *= shape.size[i] = s->size[2 + i];
  return shape;
}

/* The layer that makes a value; NULL for the input. */
static inline cb_net_layer *cb_design_producer(const cb_net_design *design, int64_t value)
{
  return value ? cb_design_layer(design, value - 1) : NULL;
}

#endif
