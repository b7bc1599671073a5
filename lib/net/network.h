/* The network's inside: its design, its tensors, and where each array lies in the one block of memory. */
#ifndef CB_NET_NETWORK_H
#define CB_NET_NETWORK_H

#include "net/layer.h"
#include <cnnblas/net.h>

enum { CB_NET_ALIGN = CB_GRAPH_ALIGN };

#define CB_NET_NORM_EPSILON 1e-5 /* of batch normalisation */

typedef struct {
  char name[32];
  int rank;
  int64_t shape[5], elements;
  int64_t fan_in, fan_out; /* 0: begins at `begin` */
  double begin;
  bool decays; /* weight decay is for it */
  int64_t layer;
  int64_t place; /* element offset in values, gradients and momentum; of a state in states and batch_states */
} cb_net_param;

/* Places of what the layers share, and the size of all. */
typedef struct {
  size_t values, gradients, momentum; /* param_elements each */
  size_t second, average;             /* likewise, where the options want them */
  size_t states, batch_states;        /* state_elements each: what is not trained, and what a batch had for it */
  size_t slots;                       /* a region a thread, for layers in parts */
  size_t slot_bytes;
  size_t partial; /* [parts][split_elements]: each part's gradients; no bytes if there is one part */
  size_t partial_bytes;
  size_t losses;  /* [parts] double */
  size_t numbers; /* [batch] int64_t: 0, 1, ..., of images that have none; where a layer draws by them */
  size_t targets; /* one-hot vectors, sigmoid loss only */
  size_t folded;  /* weights on their way into packed ones */
  size_t workspace;
  size_t bytes;
} cb_net_layout;

/*
 * Small networks run in parts of the batch: a thread takes a few images forward through all layers, to their loss, and
 * back, so that their arrays stay in its cache and threads meet once a step and not once a layer. The weight gradients
 * of the layers before the first fully connected one, [0, split), go to arrays of each part's own and are summed in the
 * parts' order; those of the others follow on the whole batch. What a part is depends on the network alone, so bits do
 * not depend on threads. Without a backward pass the layers from split on run on the whole batch too. Larger networks,
 * those that branch, and those with a layer that needs the whole batch run in one part, each layer with all threads.
 */
struct cnnblas_net {
  char *text;
  cnnblas_net_options options;
  cb_net_design design;
  int64_t count;                                   /* layers */
  cb_net_param *params;                            /* what is trained, then the states */
  int64_t param_count, param_elements, parameters; /* the elements in the block are padded, the parameters are not */
  int64_t state_count, state_elements;
  int64_t classes;
  size_t element;
  int64_t part, split;                          /* images of a part; = options.batch: one part */
  int64_t split_elements;                       /* of the parameters of layers [0, split), padded */
  size_t forward_workspace, training_workspace; /* of one part */
  cb_net_layout layout;
  size_t training_bytes, inference_bytes;
  int threads;
  char *block; /* 64-byte aligned; NULL for a design */
  int64_t steps;
  double smoothing; /* of the step that runs: cnnblas_net_step.label_smoothing */
  int64_t last_n;   /* images of the last pass; CB_NET_NONE before the first */
  bool has_gradient;
  bool packed; /* passes read packed weights where a layer has them */
};

static inline cb_net_layer *cb_net_layer_at(const cnnblas_net *net, int64_t index)
{
  return cb_design_layer(&net->design, index);
}

/* Decides split and part from the design. (layout.c) */
void cb_net_choose_parts(cnnblas_net *net);

/* Lays out the block for both modes, and allocates the network's own. (layout.c) */
cnnblas_status cb_net_make_block(cnnblas_net *net);

static inline bool cb_net_in_parts(const cnnblas_net *net)
{
  return net->part < net->options.batch;
}

/* Parts of a call with n images, the most of them that run at once, and workspace bytes of each of these. */
int64_t cb_net_parts(const cnnblas_net *net, int64_t n);
int cb_net_workers(const cnnblas_net *net);
size_t cb_net_workspace(const cnnblas_net *net, bool training);

/* An array in the block. */
static inline void *cb_net_at(const cnnblas_net *net, size_t place)
{
  return net->block + place;
}

/* An array from image `first` on, each of so many elements; `slot` is the region of slots. */
static inline void *cb_net_array_at(const cnnblas_net *net, const cb_net_array *array, int64_t elements, int64_t first,
                                    int64_t slot)
{
  if (array->slot) return net->block + net->layout.slots + (size_t)slot * net->layout.slot_bytes + array->place;
  return net->block + array->place + (size_t)(first * elements) * net->element;
}

/* A layer's output, or its gradient. */
static inline void *cb_net_output(const cnnblas_net *net, const cb_net_layer *layer, int64_t first, int64_t slot)
{
  return cb_net_array_at(net, &layer->output, layer->out.elements, first, slot);
}

static inline void *cb_net_error(const cnnblas_net *net, const cb_net_layer *layer, int64_t first, int64_t slot)
{
  return cb_net_array_at(net, &layer->error, layer->out.elements, first, slot);
}

/* A tensor's array in one of the sections. */
static inline void *cb_net_param_at(const cnnblas_net *net, size_t section, int64_t param)
{
  return net->block + section + (size_t)net->params[param].place * net->element;
}

/* Adds a parameter of the layer, or a tensor that is not trained; elements and place are filled in. (tensors.c) */
void cb_net_add_tensor(cnnblas_net *net, cb_net_layer *layer, bool trained, const char *what, cb_net_param param);

/* Raises the workspaces to the plan's: of training, and if it is a forward plan of both. (tensors.c) */
void cb_net_need_workspace(cnnblas_net *net, const cnnblas_conv_plan *plan, bool forward);

/* Options of a layer's convolution plans. (tensors.c) */
cnnblas_conv_options cb_net_plan_options(const cnnblas_net *net, const cb_net_layer *layer);

/* Images of a layer's largest call. (tensors.c) */
int64_t cb_net_layer_batch(const cnnblas_net *net, const cb_net_layer *layer);

/* Makes a convolution's plan for packed weights, if its forward plan packs them. (packing.c) */
cnnblas_status cb_net_make_packed_plan(cnnblas_net *net, cb_net_layer *layer);

/* Applies every table of selected maps to a section of the parameters. */
cnnblas_status cb_net_apply_maps(const cnnblas_net *net, size_t section);

/* "3x3" of an axis field. */
const char *cb_net_sizes(char *text, size_t size, int rank, const int64_t *values, int64_t otherwise);

/* Refuses NULL and, if it must run, a design. */
cnnblas_status cb_net_check(const cnnblas_net *net, bool runs);

/* Logits of n images from x. (pass.c) */
cnnblas_status cb_net_pass_forward(cnnblas_net *net, int64_t n, const void *x);

/* Forward, loss and all gradients of a step's images. *loss is the mean; where it is not finite gradients are not complete.
   (pass.c) */
cnnblas_status cb_net_pass_gradient(cnnblas_net *net, const cnnblas_net_step *step, double *loss);

/* Runs the pass again, looking at every layer: the name of the first that makes a NaN or Inf, "input", or "loss" if all
   are finite. (pass.c) */
const char *cb_net_first_nonfinite(cnnblas_net *net, const cnnblas_net_step *step, bool training);

#endif
