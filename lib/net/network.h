/* The network's inside: its layers with their plans, and where each array lies in the one block of memory. */
#ifndef CB_NET_NETWORK_H
#define CB_NET_NETWORK_H

#include "net/notation.h"
#include <cnnblas/net.h>

enum { CB_NET_NONE = -1 };

/* One layer, ready to run. Places are byte offsets in the block. */
typedef struct {
  cb_net_spec spec;
  char name[24];
  bool
      in_place; /* an activation over the array of the layer before it (a convolution, FC or pool without need of it) */
  bool fused;   /* ... and done in that layer's own store */
  bool relu;    /* that layer: its store does a ReLU */
  int64_t weight; /* index of its weight tensor, the bias next to it; CB_NET_NONE without parameters */
  cnnblas_conv_plan *plans[3];
  char algorithms[3][32];
  double flops; /* of one image's forward pass */
  size_t output, indices;
} cb_net_layer;

typedef struct {
  char name[32];
  int rank;
  int64_t shape[5], elements;
  int64_t fan_in, fan_out; /* 0: a bias */
  int64_t layer;
  int64_t place; /* element offset in each of values, gradients and momentum */
} cb_net_param;

/* Places of what the layers share, and the size of all. */
typedef struct {
  size_t values, gradients, momentum; /* param_elements each */
  size_t errors[2];                   /* gradients of activations, in turn; outputs in turn for inference */
  size_t targets;                     /* one-hot vectors, sigmoid loss only */
  size_t workspace;
  size_t bytes;
} cb_net_layout;

struct cnnblas_net {
  char *text;
  cnnblas_net_options options;
  cb_net_design design;
  cb_net_layer *layers;
  int64_t count;
  cb_net_param *params;
  int64_t param_count, param_elements, parameters; /* the elements in the block are padded, the parameters are not */
  int64_t classes;
  size_t element;
  size_t forward_workspace, training_workspace;
  cb_net_layout layout;
  size_t training_bytes, inference_bytes;
  int threads;
  char *block; /* 64-byte aligned; NULL for a design */
  int64_t steps;
  int64_t last_n; /* images of the last pass; CB_NET_NONE before the first */
  bool has_gradient;
};

/* Lays out the block for a mode; places of layers are stored if `keep`. CNNBLAS_SIZE_OVERFLOW if it cannot be. */
cnnblas_status cb_net_lay_out(cnnblas_net *net, cnnblas_net_mode mode, bool keep, cb_net_layout *layout);

/* Array of a layer's output: in the block. */
static inline void *cb_net_at(const cnnblas_net *net, size_t place)
{
  return net->block + place;
}

/* A tensor's array in one of the three sections. */
static inline void *cb_net_param_at(const cnnblas_net *net, size_t section, int64_t param)
{
  return net->block + section + (size_t)net->params[param].place * net->element;
}

/* The layer's descriptors with the network's dtype, batch and threads. */
cnnblas_fc_desc cb_net_fc_desc(const cnnblas_net *net, const cb_net_layer *layer);

/* Applies every table of selected maps to a section of the parameters. */
cnnblas_status cb_net_apply_maps(const cnnblas_net *net, size_t section);

/* Refuses NULL and, if it must run, a design. */
cnnblas_status cb_net_check(const cnnblas_net *net, bool runs);

#endif
