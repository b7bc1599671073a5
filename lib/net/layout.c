/* Where each array of a network lies in its one block of memory, and which layers run in parts of the batch. */
#include "base/size.h"
#include "net/network.h"
#include "net/support.h"
#include <string.h>

enum {
  PART_IMAGES = 16,      /* as many as the widest vectors have lanes */
  SMALL_PART_IMAGES = 8, /* of batches that would else be few parts */
  LEAST_PARTS = 4,
  PART_BYTES = 64 << 20,      /* of a part's outputs and their gradients */
  SPLIT_GRADIENTS = 512 << 10 /* bytes: what each part has of its own must not cost more than it gains */
};

/* Weights and biases of a convolution. */
static double parameters_of(const cb_net_spec *s)
{
  const cnnblas_conv_desc *d = &s->conv;
  double taps = 1;
  for (int i = 0; i < 3; i++) taps *= d->kernel[i] ? (double)d->kernel[i] : 1;
  return (double)d->k * (1 + (double)d->c / (double)(d->groups ? d->groups : 1) * taps);
}

void cb_net_choose_parts(cnnblas_net *net)
{
  const cb_net_spec *s = net->design.layers;
  double elements = (double)net->design.input.elements, gradients = 0;
  for (net->split = 0; net->split < net->count && s[net->split].kind != CB_NET_FC; net->split++) {
    elements += 2 * (double)s[net->split].out.elements;
    if (s[net->split].kind == CB_NET_CONV) gradients += parameters_of(&s[net->split]);
  }
  int64_t images = net->options.batch >= LEAST_PARTS * PART_IMAGES ? PART_IMAGES : SMALL_PART_IMAGES;
  bool small = (double)images * elements * (double)net->element <= PART_BYTES &&
               gradients * (double)net->element <= SPLIT_GRADIENTS;
  bool parts = small && net->split > 0 && net->options.batch > images;
  net->part = parts ? images : net->options.batch;
}

int64_t cb_net_parts(const cnnblas_net *net, int64_t n)
{
  return cb_ceil_div(n, net->part);
}

int cb_net_workers(const cnnblas_net *net)
{
  return (int)cb_min(net->threads, cb_net_parts(net, net->options.batch));
}

size_t cb_net_workspace(const cnnblas_net *net, bool training)
{
  return training ? net->training_workspace : net->forward_workspace;
}

void cb_net_need_workspace(size_t *bytes, const cnnblas_conv_plan *plan)
{
  size_t needed = (cnnblas_conv_plan_workspace(plan) + CB_NET_ALIGN - 1) / CB_NET_ALIGN * CB_NET_ALIGN;
  if (needed > *bytes) *bytes = needed;
}

/* ---- the block ---- */

typedef struct {
  int64_t used;
  bool fits;
} arena;

static size_t take(arena *a, int64_t count, int64_t element)
{
  size_t place = (size_t)a->used;
  int64_t bytes;
  a->fits = a->fits && cb_mul(count, element, &bytes) && cb_add(bytes, CB_NET_ALIGN - 1, &bytes) &&
            cb_add(a->used, bytes / CB_NET_ALIGN * CB_NET_ALIGN, &a->used);
  return place;
}

/* count elements for each image of the largest batch. */
static size_t take_batch(arena *a, const cnnblas_net *net, int64_t count, int64_t element)
{
  int64_t elements = 0;
  a->fits = a->fits && cb_mul(net->options.batch, count, &elements);
  return a->fits ? take(a, elements, element) : 0;
}

/* The two buffers in turn: in slots for the layers in parts, for the whole batch for the others. */
static void lay_out_turns(cnnblas_net *net, bool training, int64_t widest[2], arena *a, cb_net_layout *layout)
{
  bool parts = net->part < net->options.batch;
  int64_t turn = 0, whole[2] = {0, 0}, slots = cb_net_workers(net) * net->part, in_slots, in_all;
  for (int64_t i = 0; i < net->count; i++) {
    if (net->layers[i].in_place) continue;
    int64_t *most = i < net->split ? &widest[turn % 2] : &whole[turn % 2];
    *most = cb_max(*most, net->layers[i].spec.out.elements);
    turn++;
  }
  for (int b = 0; b < 2; b++) {
    if (training && parts) whole[b] = 0; /* they have arrays of their own */
    a->fits = a->fits && cb_mul(slots, widest[b], &in_slots) && cb_mul(net->options.batch, whole[b], &in_all);
    if (a->fits) layout->errors[b] = take(a, cb_max(in_slots, in_all), (int64_t)net->element);
  }
}

/*
 * Gradients of arrays lie in two buffers in turn, outputs too for inference. Every thread has a slot of a part's images
 * in each buffer, as long as the widest array of the layers in parts asks for. What outlives a part is kept for the
 * whole batch: outputs in training, gradients whose weight gradients wait, and what parts leave to the other layers.
 */
static void lay_out_arrays(cnnblas_net *net, bool training, bool keep, arena *a, cb_net_layout *layout)
{
  bool parts = net->part < net->options.batch;
  int64_t widest[2] = {0, 0}, turn = 0, edge = net->split - 1;
  lay_out_turns(net, training, widest, a, layout);
  while (edge > 0 && net->layers[edge].in_place) edge--;
  if (!training && parts) layout->edge = take_batch(a, net, net->layers[edge].spec.out.elements, (int64_t)net->element);
  cb_net_layer at = {0};
  for (int64_t i = 0; i < net->count; i++) {
    cb_net_layer *layer = &net->layers[i];
    int64_t elements = layer->spec.out.elements;
    bool max = layer->spec.kind == CB_NET_POOL && layer->spec.pool.kind == CNNBLAS_POOL_MAX;
    if (!layer->in_place) {
      bool slot = parts && i < net->split;
      at.error = layout->errors[turn % 2];
      if (training && parts && !slot) at.error = take_batch(a, net, elements, (int64_t)net->element);
      at.error_pitch = slot ? widest[turn % 2] : elements;
      at.error_slot = slot;
      at.output = at.error;
      at.output_pitch = at.error_pitch;
      at.output_slot = slot && !training;
      if (training) at.output = take_batch(a, net, elements, (int64_t)net->element);
      if (!training && parts && i == edge) {
        at.output = layout->edge;
        at.output_slot = false;
      }
      if (!at.output_slot) at.output_pitch = elements;
      turn++;
    }
    if (training && max) at.indices = take_batch(a, net, elements, sizeof(int32_t));
    if (!keep) continue;
    layer->output = at.output;
    layer->output_pitch = at.output_pitch;
    layer->output_slot = at.output_slot;
    layer->error = at.error;
    layer->error_pitch = at.error_pitch;
    layer->error_slot = at.error_slot;
    layer->indices = at.indices;
  }
}

/* Beside the values: the first passes, and whoever writes tensors, need the weights as they are. */
static void lay_out_packed(cnnblas_net *net, bool keep, arena *a)
{
  for (int64_t i = 0; i < net->count; i++) {
    cb_net_layer *layer = &net->layers[i];
    if (!layer->packed_plan) continue;
    size_t place = take(a, (int64_t)layer->packed_bytes, 1);
    if (keep) layer->packed = place;
  }
}

static void lay_out_workspace(const cnnblas_net *net, bool training, arena *a, cb_net_layout *layout)
{
  int64_t bytes;
  a->fits = a->fits && cb_mul((int64_t)cb_net_workspace(net, training), cb_net_workers(net), &bytes);
  if (a->fits) layout->workspace = take(a, bytes, 1);
}

/* Places of layers are stored if `keep`. CNNBLAS_SIZE_OVERFLOW if it cannot be. */
static cnnblas_status lay_out(cnnblas_net *net, cnnblas_net_mode mode, bool keep, cb_net_layout *layout)
{
  arena a = {0, true};
  bool training = mode == CNNBLAS_NET_TRAINING;
  int64_t element = (int64_t)net->element, parts = cb_net_parts(net, net->options.batch), elements;
  memset(layout, 0, sizeof *layout);
  layout->values = take(&a, net->param_elements, element);
  if (!training) lay_out_packed(net, keep, &a);
  if (training) layout->gradients = take(&a, net->param_elements, element);
  if (training) layout->momentum = take(&a, net->param_elements, element);
  if (training && parts > 1) {
    a.fits = a.fits && cb_mul(parts, net->split_elements, &elements);
    layout->partial = a.fits ? take(&a, elements, element) : 0;
    layout->partial_bytes = (size_t)a.used - layout->partial;
    layout->losses = take(&a, parts, sizeof(double));
  }
  lay_out_arrays(net, training, keep, &a, layout);
  if (net->options.loss == CNNBLAS_NET_SIGMOID) layout->targets = take_batch(&a, net, net->classes, element);
  lay_out_workspace(net, training, &a, layout);
  layout->bytes = (size_t)a.used;
  return a.fits ? CNNBLAS_OK : cb_net_fail(CNNBLAS_SIZE_OVERFLOW, "the network's bytes do not fit in 63 bits");
}

cnnblas_status cb_net_make_block(cnnblas_net *net)
{
  cb_net_layout layout;
  cnnblas_net_mode mode = net->options.mode;
  net->split_elements = net->param_elements;
  for (int64_t t = net->param_count - 1; t >= 0 && net->params[t].layer >= net->split; t--)
    net->split_elements = net->params[t].place;
  cnnblas_status status = lay_out(net, CNNBLAS_NET_INFERENCE, mode == CNNBLAS_NET_INFERENCE, &layout);
  if (!status) {
    net->inference_bytes = layout.bytes;
    if (mode == CNNBLAS_NET_INFERENCE) net->layout = layout;
    status = lay_out(net, CNNBLAS_NET_TRAINING, mode == CNNBLAS_NET_TRAINING, &layout);
  }
  if (status) return status;
  net->training_bytes = layout.bytes;
  if (mode == CNNBLAS_NET_TRAINING) net->layout = layout;
  if (mode == CNNBLAS_NET_DESIGN) return CNNBLAS_OK;
  net->block = cnnblas_shared_alloc(net->layout.bytes, 0);
  return net->block ? CNNBLAS_OK : cb_net_no_memory(net->layout.bytes, "the network");
}
