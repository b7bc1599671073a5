/* The network's inside: its layers with their plans, and where each array lies in the one block of memory. */
#ifndef CB_NET_NETWORK_H
#define CB_NET_NETWORK_H

#include "net/design.h"
#include <cnnblas/net.h>

enum { CB_NET_NONE = -1, CB_NET_ALIGN = 64 /* bytes: where each array in the block begins */ };

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
  cnnblas_conv_plan *packed_plan; /* forward with packed weights; NULL: it would gain nothing */
  size_t packed, packed_bytes;    /* the packed weights' place; inference only */
  char algorithms[3][32];
  double flops; /* of one image's forward pass */
  size_t output, indices;
  size_t error; /* gradient of the output; training only */
  /* Elements from one image's array to the next's. An array with a slot holds one part a thread, not the whole batch. */
  int64_t output_pitch, error_pitch;
  bool output_slot, error_slot;
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
  size_t edge;                        /* inference: what the layers in parts leave to the others */
  size_t partial; /* [parts][split_elements]: each part's gradients; no bytes if there is one part */
  size_t partial_bytes;
  size_t losses;  /* [parts] double */
  size_t targets; /* one-hot vectors, sigmoid loss only */
  size_t workspace;
  size_t bytes;
} cb_net_layout;

/*
 * Small networks run in parts of the batch: a thread takes a few images forward through all layers, to their loss, and
 * back, so that their arrays stay in its cache and threads meet once a step and not once a layer. The weight gradients
 * of the layers before the first fully connected one, [0, split), go to arrays of each part's own and are summed in the
 * parts' order; those of the others follow on the whole batch. What a part is depends on the network alone, so bits do
 * not depend on threads. Without a backward pass the layers from split on run on the whole batch too. Larger networks
 * run in one part, each layer with all threads.
 */
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
  int64_t part, split;                          /* images of a part; = options.batch: one part */
  int64_t split_elements;                       /* of the parameters of layers [0, split), padded */
  size_t forward_workspace, training_workspace; /* of the convolutions of one part */
  cb_net_layout layout;
  size_t training_bytes, inference_bytes;
  int threads;
  char *block; /* 64-byte aligned; NULL for a design */
  int64_t steps;
  int64_t last_n; /* images of the last pass; CB_NET_NONE before the first */
  bool has_gradient;
  bool packed; /* passes read packed weights where a layer has them */
};

/* Decides split and part from the design. (layout.c) */
void cb_net_choose_parts(cnnblas_net *net);

/* Lays out the block for both modes, and allocates the network's own. (layout.c) */
cnnblas_status cb_net_make_block(cnnblas_net *net);

/* Parts of a call with n images, the most of them that run at once, and workspace bytes of each of these. */
int64_t cb_net_parts(const cnnblas_net *net, int64_t n);
int cb_net_workers(const cnnblas_net *net);
size_t cb_net_workspace(const cnnblas_net *net, bool training);

/* An array in the block. */
static inline void *cb_net_at(const cnnblas_net *net, size_t place)
{
  return net->block + place;
}

/* A layer's output, or its gradient, from image `first` on; slot is the first image of the thread's slot. */
static inline void *cb_net_output(const cnnblas_net *net, const cb_net_layer *layer, int64_t first, int64_t slot)
{
  int64_t image = layer->output_slot ? slot : first;
  return net->block + layer->output + (size_t)(image * layer->output_pitch) * net->element;
}

static inline void *cb_net_error(const cnnblas_net *net, const cb_net_layer *layer, int64_t first, int64_t slot)
{
  int64_t image = layer->error_slot ? slot : first;
  return net->block + layer->error + (size_t)(image * layer->error_pitch) * net->element;
}

/* A tensor's array in one of the three sections. */
static inline void *cb_net_param_at(const cnnblas_net *net, size_t section, int64_t param)
{
  return net->block + section + (size_t)net->params[param].place * net->element;
}

/* The layer's descriptors with the network's dtype, batch and threads. */
cnnblas_fc_desc cb_net_fc_desc(const cnnblas_net *net, const cb_net_layer *layer);

/* Raises *bytes to the plan's workspace, rounded up. (layout.c) */
void cb_net_need_workspace(size_t *bytes, const cnnblas_conv_plan *plan);

/* Makes a convolution's plan for packed weights, if its forward plan packs them. (packing.c) */
cnnblas_status cb_net_make_packed_plan(cnnblas_net *net, cb_net_layer *layer);

/* Applies every table of selected maps to a section of the parameters. */
cnnblas_status cb_net_apply_maps(const cnnblas_net *net, size_t section);

/* Refuses NULL and, if it must run, a design. */
cnnblas_status cb_net_check(const cnnblas_net *net, bool runs);

/* Logits of n images from x. (pass.c) */
cnnblas_status cb_net_pass_forward(cnnblas_net *net, int64_t n, const void *x);

/* Forward, loss and all gradients of n images. *loss is the mean; where it is not finite gradients are not complete.
   (pass.c) */
cnnblas_status cb_net_pass_gradient(cnnblas_net *net, int64_t n, const void *x, const int32_t *labels, double *loss);

/* Runs the pass again, looking at every layer: the name of the first that makes a NaN or Inf, "input", or "loss" if all
   are finite. (pass.c) */
const char *cb_net_first_nonfinite(cnnblas_net *net, int64_t n, const void *x);

#endif
