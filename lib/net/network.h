/* The network's inside: its design, its tensors, and where each array lies in the one block of memory. */
#ifndef CB_NET_NETWORK_H
#define CB_NET_NETWORK_H

#include "net/layer.h"
#include <cnnblas/net.h>
#include <cnnblas/net_exchange.h>
#include <cnnblas/net_model.h>

enum { CB_NET_ALIGN = CB_GRAPH_ALIGN, CB_NET_MOST_SEGMENTS = 1024 };

#define CB_NET_NORM_EPSILON 1e-5 /* what batch normalisation adds to a variance */

typedef struct {
  char name[32];
  int rank;
  int64_t shape[5], elements;
  int64_t fan_in, fan_out; /* inputs and outputs for the initial weights' distribution; 0: elements begin at `begin` */
  double begin;
  bool decays; /* the optimiser's weight decay applies to the tensor */
  int64_t layer;
  int64_t place; /* offset in elements in values, gradients and momentum; a state's in states and batch_states */
} cb_net_param;

/* Offsets in the block of the arrays that layers share, and the block's size, all in bytes. */
typedef struct {
  size_t values, gradients, momentum; /* arrays of param_elements each */
  size_t second, average;             /* arrays of param_elements each, where the options want them */
  size_t states, batch_states;        /* arrays of state_elements each: what is not trained, and the batch's own */
  size_t slots;                       /* one region a thread, for layers that run in parts */
  size_t slot_bytes;
  size_t partial; /* each part's gradients, [parts][split_elements]; no bytes if there is one part */
  size_t partial_bytes;
  size_t segments; /* places of a layer's parameters, in which segments' gradients wait: see segments.h */
  size_t losses;   /* each part's loss, [parts] double */
  size_t numbers;  /* [batch] int64_t 0, 1, ...: numbers of images that have none, where a layer draws by them */
  size_t targets;  /* one-hot vectors of the labels, for the sigmoid loss only */
  size_t folded;   /* weights with a normalisation in them, before they are packed */
  size_t workspace;
  size_t bytes;
} cb_net_layout;

/*
 * Small networks run in parts of the batch: a thread takes a few images forward through all layers, to their loss, and
 * back, so that their arrays stay in its cache and threads meet once a step and not once a layer. The weight gradients
 * of the layers before the first fully connected one, [0, split), go to arrays of each part's own and are summed in the
 * parts' order, or, where options.segments cuts the batch, in the tree of segments.h: the segments are the parts then; those of
 * the others follow on the whole batch. What a part is depends on the network alone, so bits do
 * not depend on threads. Without a backward pass the layers from split on run on the whole batch too. Larger networks,
 * those that branch, and those with a layer that needs the whole batch run in one part, each layer with all threads.
 */
struct cnnblas_net {
  char *text;
  cnnblas_net_options options;
  cb_net_design design;
  int64_t count;                                   /* number of layers */
  cb_net_param *params;                            /* tensors: those that are trained, then the states */
  int64_t param_count, param_elements, parameters; /* param_elements counts padding, parameters does not */
  int64_t state_count, state_elements;
  int64_t classes;
  size_t element;         /* bytes of an element */
  int64_t part, split;    /* images of a part (options.batch: one part); layers [0, split) go by parts */
  int64_t split_elements; /* elements of the parameters of layers [0, split), padded */
  size_t forward_workspace, training_workspace; /* bytes of workspace of one part */
  cb_net_layout layout;
  size_t training_bytes, inference_bytes;
  int threads;
  char *block; /* the one block of memory, aligned to 64 bytes; NULL for a design */
  int64_t steps;
  double smoothing;               /* label_smoothing of the step that runs */
  int64_t last_n;                 /* number of images of the last pass; CB_NET_NONE before the first */
  cnnblas_net_exchange *exchange; /* of the step that runs; NULL: there are no other ranks */
  int64_t step_images;            /* number of images of the step that runs, of all ranks */
  int64_t handed_on;              /* gradients from this place on were handed to the exchange */
  double *norm_room;              /* [4][c] of the batch normalisation that runs with other ranks */
  int64_t norm_pixels;            /* elements of a channel of its images */
  bool has_gradient;
  bool packed; /* true: passes read packed weights where a layer has them */
  cnnblas_net_normalisation norm;
  const char **class_names; /* [classes], their texts behind them in one allocation; NULL: the classes have no names */
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

/* The number of parts of a call with n images, the most parts that run at once, and the bytes of workspace of each. */
int64_t cb_net_parts(const cnnblas_net *net, int64_t n);
int cb_net_workers(const cnnblas_net *net);
size_t cb_net_workspace(const cnnblas_net *net, bool training);

/* Returns the address of the array that begins `place` bytes into the network's block of memory. */
static inline void *cb_net_at(const cnnblas_net *net, size_t place)
{
  return net->block + place;
}

/* The array from image `first` on, where an image has `elements`; `slot` is the region's number. */
static inline void *cb_net_array_at(const cnnblas_net *net, const cb_net_array *array, int64_t elements, int64_t first,
                                    int64_t slot)
{
  if (array->slot) return net->block + net->layout.slots + (size_t)slot * net->layout.slot_bytes + array->place;
  return net->block + array->place + (size_t)(first * elements) * net->element;
}

/* A layer's output from image `first` on; cb_net_error gives its gradient. */
static inline void *cb_net_output(const cnnblas_net *net, const cb_net_layer *layer, int64_t first, int64_t slot)
{
  return cb_net_array_at(net, &layer->output, layer->out.elements, first, slot);
}

static inline void *cb_net_error(const cnnblas_net *net, const cb_net_layer *layer, int64_t first, int64_t slot)
{
  return cb_net_array_at(net, &layer->error, layer->out.elements, first, slot);
}

/* A tensor's array in a section of the block. */
static inline void *cb_net_param_at(const cnnblas_net *net, size_t section, int64_t param)
{
  return net->block + section + (size_t)net->params[param].place * net->element;
}

/* Adds a tensor of the layer, trained or not, and fills in its elements and place. (tensors.c) */
void cb_net_add_tensor(cnnblas_net *net, cb_net_layer *layer, bool trained, const char *what, cb_net_param param);

/* Raises training_workspace to the plan's, and, if it is a forward plan, forward_workspace. (tensors.c) */
void cb_net_need_workspace(cnnblas_net *net, const cnnblas_conv_plan *plan, bool forward);

/* The options of a layer's convolution plans. (tensors.c) */
cnnblas_conv_options cb_net_plan_options(const cnnblas_net *net, const cb_net_layer *layer);

/* The number of images of a layer's largest call. (tensors.c) */
int64_t cb_net_layer_batch(const cnnblas_net *net, const cb_net_layer *layer);

/* Makes a convolution's plan for packed weights, if its forward plan packs them. (packing.c) */
cnnblas_status cb_net_make_packed_plan(cnnblas_net *net, cb_net_layer *layer);

/* Applies every table of selected maps to a section of the parameters. */
cnnblas_status cb_net_apply_maps(const cnnblas_net *net, size_t section);

/* Writes an axis field as "3x3" and returns text; `otherwise` stands for zeros. (network.c) */
const char *cb_net_sizes(char *text, size_t size, int rank, const int64_t *values, int64_t otherwise);

/* Copies the names of the first `count` classes, at most as many as there are, instead of those before; the others have
   none. Fails where a name is not one that cnnblas_net_set_class_names takes. (model_about.c) */
cnnblas_status cb_net_keep_names(cnnblas_net *net, const char *const *names, int64_t count);

/* Refuses NULL and, if `runs`, a design. */
cnnblas_status cb_net_check(const cnnblas_net *net, bool runs);

/* Computes the logits of n images from x. (pass.c) */
cnnblas_status cb_net_pass_forward(cnnblas_net *net, int64_t n, const void *x);

/* What a step's forward pass found, over all ranks. */
typedef struct {
  double loss; /* the mean */
  int64_t correct;
  bool finite; /* the loss and all logits are */
} cb_net_found;

/* Runs forward, loss and all gradients of a step's images; where the loss is not finite the gradients are not complete.
   (pass.c) */
cnnblas_status cb_net_pass_gradient(cnnblas_net *net, const cnnblas_net_step *step, cb_net_found *found);

/* Runs the pass again and looks at every layer: *layer is the name of the first that makes a NaN or Inf, "input", or "loss" if
   all are finite. All ranks of an exchange call it together and get the same name; *rank is the first whose layer it is.
   (pass.c) */
cnnblas_status cb_net_first_nonfinite(cnnblas_net *net, const cnnblas_net_step *step, bool training, const char **layer,
                                      int32_t *rank);

#endif
