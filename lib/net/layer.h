/*
 * A network's design: its layers as nodes of a graph, in the order of the text, every shape computed. Layer i is node i
 * and makes one value; value 0 is the input. A layer is what its row of the table of kinds (kinds.c) makes of a piece
 * of text.
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

/* An array in the network's block. With `slot` it lies in each thread's region and holds a part of the batch. */
typedef struct {
  size_t place; /* offset in bytes from the block's beginning; from a region's, if it has a slot */
  bool slot;
} cb_net_array;

/* What becomes of a layer's gradient by one of its inputs. */
typedef enum {
  CB_NET_UNWANTED, /* nobody needs the gradient: nothing in front of the layer learns */
  CB_NET_WRITE,    /* the gradient is the first of its value's, or the only one, and is written */
  CB_NET_ADD,      /* the gradient is made in its own array, then added to those of the value's later readers */
  CB_NET_SAME      /* the gradient is that of the layer's output, in the same array */
} cb_net_sink;

typedef struct cb_net_row cb_net_row;

/* One layer. Its descriptors are complete but for dtype, n and threads until the layer is prepared. */
typedef struct cb_net_layer {
  const cb_net_row *row;
  int column; /* the column of the layer's keyword in the text, from 1 */
  int rank;   /* number of spatial axes */
  char name[24];
  cb_net_shape in, out; /* shapes of one image of the first input and of the output */

  /* Fields that follow from the text. */
  cnnblas_conv_desc conv;
  cnnblas_conv_transpose_desc transposed;
  uint8_t *maps; /* [k][c/g], 1: the filter sees the input map; NULL: every filter sees all */
  bool bias;     /* the CONV or TCONV has a bias */
  cnnblas_pool_desc pool;
  cnnblas_activation_desc activation;
  cnnblas_batchnorm_desc norm;
  double share;    /* the share that a DROPOUT drops */
  int64_t factor;  /* how many times as large an UP makes the image */
  bool linear;     /* an UP interpolates linearly; false: it takes the nearest */
  int branches;    /* number of a join's branches */
  int64_t outputs; /* number of an FC's outputs */
  bool bare;       /* an FC stands without a number */
  bool left_out;   /* a pool with `?` does not fit its input: no layer is made of it */

  /* Fields that the design, the plans and the layout fill. */
  int64_t index;      /* number of the layer, and of its node in the graph */
  bool fused;         /* the layer is an activation, or a sum, that the store of the layer before does */
  bool in_place;      /* the output lies in the first input's array */
  bool relu;          /* the store does the ReLU of the layer behind */
  int64_t adds;       /* the value that a BN's store adds, for the ADD behind it; or CB_NET_NONE */
  bool learns;        /* the layer, or one in front of it, has parameters */
  int64_t weight;     /* number of the first parameter tensor; the others follow. CB_NET_NONE without parameters */
  int params, states; /* number of tensors that are trained, and of those that are not */
  int64_t state;      /* number of the first tensor that is not trained; CB_NET_NONE without such */
  cnnblas_conv_plan *plans[3];
  cnnblas_conv_transpose_plan *transposed_plans[3];
  cnnblas_conv_plan *packed_plan; /* the forward plan with packed weights; NULL: it would gain nothing */
  /* inference with packed weights: the layers and the addition that a convolution's store does too; `folded`: an
     earlier convolution does this layer */
  const struct cb_net_layer *norm_layer, *function_layer;
  int64_t residual; /* the value that the store adds, or CB_NET_NONE */
  bool folded;
  size_t folded_weights, folded_bias; /* offsets in the block of weights and bias with a normalisation in them */
  size_t packed, packed_bytes;        /* offset and bytes of the packed weights; inference only */
  char algorithms[3][32];
  double flops;          /* operations of one image's forward pass */
  int64_t kept_of_image; /* bytes for each image, and for a batch, that the backward step needs beside the arrays */
  int64_t kept_of_batch;
  size_t kept;                /* offset of these bytes in the block */
  int64_t same_error;         /* the layer in whose error array this layer's error lies; itself: it has its own */
  cb_net_array output, error; /* the output, and (training only) its gradient, the error */
  cb_net_sink *sinks;         /* [inputs], what becomes of the gradient by each input */
  size_t *terms;              /* [inputs], places of the gradients that are made first and added then */
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

/* The shape of one image of a value. */
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
