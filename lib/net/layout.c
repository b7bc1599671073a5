/* Where each array of a network lies in its one block of memory, and which layers run in parts of the batch. */
#include "base/shared.h"
#include "base/size.h"
#include "net/fold.h"
#include "net/kind.h"
#include "net/network.h"
#include "net/segments.h"
#include "net/sinks.h"
#include <string.h>

enum {
  PART_IMAGES = 16,      /* images of a part: as many as the widest vectors have lanes */
  SMALL_PART_IMAGES = 8, /* images of a part of batches that would else be few parts */
  LEAST_PARTS = 4,
  PART_BYTES = 64 << 20,      /* the most bytes of a part's outputs and their gradients */
  SPLIT_GRADIENTS = 512 << 10 /* the most bytes of a part's own gradients, lest they cost more than parts gain */
};

/* True for a chain of layers each of which can run on a part of the batch. */
static bool can_be_parted(const cnnblas_net *net)
{
  for (int64_t i = 0; i < net->count; i++)
    if (cb_net_layer_at(net, i)->row->traits & (CB_NET_WHOLE | CB_NET_JOIN)) return false;
  return true;
}

void cb_net_choose_parts(cnnblas_net *net)
{
  double elements = (double)net->design.input.elements, gradients = 0;
  for (net->split = 0; net->split < net->count; net->split++) {
    const cb_net_layer *l = cb_net_layer_at(net, net->split);
    if (l->row->traits & CB_NET_SPLITS) break;
    elements += 2 * (double)l->out.elements;
    for (int t = 0; t < l->params; t++) gradients += (double)net->params[l->weight + t].elements;
  }
  int64_t images = net->options.batch >= LEAST_PARTS * PART_IMAGES ? PART_IMAGES : SMALL_PART_IMAGES;
  if (net->options.segments > 1) images = cb_net_segment_images(net, net->options.batch); /* then these are the parts */
  bool small = (double)images * elements * (double)net->element <= PART_BYTES &&
               gradients * (double)net->element <= SPLIT_GRADIENTS;
  bool parts = can_be_parted(net) && small && net->split > 0 && net->options.batch > images;
  net->part = parts ? images : net->options.batch;
}

int64_t cb_net_parts(const cnnblas_net *net, int64_t n)
{
  return net->options.segments > 1 && cb_net_in_parts(net) ? cb_net_segments(net) : cb_ceil_div(n, net->part);
}

int cb_net_workers(const cnnblas_net *net)
{
  return (int)cb_min(net->threads, cb_net_parts(net, net->options.batch));
}

size_t cb_net_workspace(const cnnblas_net *net, bool training)
{
  return training ? net->training_workspace : net->forward_workspace;
}

/* ---- the block ---- */

typedef struct {
  cnnblas_net *net;
  bool training, keep; /* keep: places are stored in the layers; else only counted */
  int64_t used;
  bool fits;
  cb_graph_span *spans;
  cb_net_layout *layout;
} arena;

static size_t take(arena *a, int64_t count, int64_t element)
{
  size_t place = (size_t)a->used;
  int64_t bytes;
  a->fits = a->fits && cb_mul(count, element, &bytes) && cb_add(bytes, CB_NET_ALIGN - 1, &bytes) &&
            cb_add(a->used, bytes / CB_NET_ALIGN * CB_NET_ALIGN, &a->used);
  return place;
}

/* Takes an array of `count` elements for each image of the largest batch. */
static size_t take_batch(arena *a, int64_t count, int64_t element)
{
  int64_t elements = 0;
  a->fits = a->fits && cb_mul(a->net->options.batch, count, &elements);
  return a->fits ? take(a, elements, element) : 0;
}

/* Finds places for the spans that are in slots, within a region a thread, or for the others, behind what there is. */
static cnnblas_status place_spans(arena *a, cb_graph_span *spans, int64_t count, bool slots)
{
  size_t bytes;
  int64_t all;
  cnnblas_status status = cnnblas_graph_place(spans, count, &bytes);
  if (status) return status;
  a->fits = a->fits && cb_mul((int64_t)bytes, slots ? cb_net_workers(a->net) : 1, &all);
  size_t base = a->fits ? take(a, all, 1) : 0;
  if (slots) {
    a->layout->slots = base;
    a->layout->slot_bytes = bytes;
  } else {
    for (int64_t i = 0; i < count; i++) spans[i].place += base;
  }
  return CNNBLAS_OK;
}

/* ---- inference: outputs by their lives ---- */

/* The value that layers in parts leave to the others; CB_NET_NONE without parts. */
static int64_t edge_of(const cnnblas_net *net)
{
  return cb_net_in_parts(net) ? cb_graph_root(&net->design.graph, net->split) : CB_NET_NONE;
}

/* Places the outputs: those of layers in parts lie in the thread's slots, but what they leave to the others is kept for
   the whole batch. */
static cnnblas_status lay_out_inference(arena *a)
{
  cnnblas_net *net = a->net;
  cb_graph *g = &net->design.graph;
  g->values[g->value_count - 1].kept = true;
  cnnblas_status status = CNNBLAS_OK;
  for (int slots = cb_net_in_parts(net); slots >= 0 && !status; slots--) {
    cnnblas_graph_spans(g, a->spans);
    for (int64_t v = 1; v < g->value_count; v++) {
      bool in_slots = cb_net_in_parts(net) && v <= net->split && v != edge_of(net);
      if (in_slots != slots) a->spans[v].bytes = 0;
      if (slots && a->spans[v].bytes)
        a->spans[v].bytes = (size_t)(net->part * cb_net_layer_at(net, v - 1)->out.elements) * net->element;
    }
    status = place_spans(a, a->spans, g->value_count, slots);
    for (int64_t v = 1; v < g->value_count && !status && a->keep; v++)
      if (a->spans[v].bytes)
        cb_net_layer_at(net, v - 1)->output = (cb_net_array){.place = a->spans[v].place, .slot = slots};
  }
  for (int64_t v = 1; v < g->value_count && !status && a->keep; v++)
    cb_net_layer_at(net, v - 1)->output = cb_net_layer_at(net, cb_graph_root(g, v) - 1)->output;
  return status;
}

/* ---- training: outputs stay, gradients by their lives ---- */

static void lay_out_outputs(arena *a)
{
  cnnblas_net *net = a->net;
  for (int64_t i = 0; i < net->count; i++) {
    cb_net_layer *l = cb_net_layer_at(net, i);
    int64_t root = cb_graph_root(&net->design.graph, i + 1);
    cb_net_array output = {0};
    size_t kept = 0;
    if (root != i + 1)
      output = cb_net_layer_at(net, root - 1)->output;
    else
      output.place = take_batch(a, l->out.elements, (int64_t)net->element);
    if (l->kept_of_image) kept = take_batch(a, l->kept_of_image, 1);
    if (l->kept_of_batch) kept = take(a, l->kept_of_batch, 1);
    if (!a->keep) continue;
    l->output = output;
    l->kept = kept;
  }
}

/* The life of the gradient of a layer's output: from its last reader's step to the layer's own. */
static void live(arena *a, const cb_net_layer *l)
{
  const cb_net_design *d = &a->net->design;
  cb_graph_span *s = &a->spans[l->same_error];
  int64_t last = d->graph.values[l->index + 1].last;
  int64_t first = last == CB_NET_NONE ? -1 : cb_net_back_step(d, last);
  s->first = s->bytes ? cb_min(s->first, first) : first;
  s->last = s->bytes ? cb_max(s->last, cb_net_back_step(d, l->index)) : cb_net_back_step(d, l->index);
  s->bytes = (size_t)l->out.elements;
}

/* Fills spans[i] for the gradient of layer i's output and, behind these, a span for each term that is added, which lives
   for one step; bytes count elements of an image. Returns the number of spans. */
static int64_t error_spans(arena *a)
{
  const cnnblas_net *net = a->net;
  int64_t terms = net->count;
  memset(a->spans, 0, (size_t)(net->count + net->design.graph.link_count) * sizeof *a->spans);
  for (int64_t i = 0; i < net->count; i++) {
    const cb_net_layer *l = cb_net_layer_at(net, i);
    if (l->learns) live(a, l);
    for (int j = 0; j < net->design.graph.nodes[i].inputs; j++) {
      if (l->sinks[j] != CB_NET_ADD || l->row->traits & CB_NET_PASSES) continue;
      int64_t step = cb_net_back_step(&net->design, i);
      size_t elements = (size_t)cb_net_layer_at(net, cb_graph_input(&net->design.graph, i, j) - 1)->out.elements;
      a->spans[terms++] = (cb_graph_span){.bytes = elements, .first = step, .last = step};
    }
  }
  return terms;
}

static void keep_errors(const arena *a, bool slots)
{
  const cnnblas_net *net = a->net;
  int64_t terms = net->count;
  for (int64_t i = 0; i < net->count; i++) {
    cb_net_layer *l = cb_net_layer_at(net, i);
    const cb_graph_span *s = &a->spans[l->same_error];
    if (s->bytes) l->error = (cb_net_array){.place = s->place, .slot = slots};
    for (int j = 0; j < net->design.graph.nodes[i].inputs; j++)
      if (l->sinks[j] == CB_NET_ADD && !(l->row->traits & CB_NET_PASSES)) l->terms[j] = a->spans[terms++].place;
  }
}

/*
 * In parts, gradients of layers [0, split) lie in slots of the thread; those whose weight gradients wait are all kept
 * for the whole batch.
 */
static cnnblas_status lay_out_errors(arena *a)
{
  cnnblas_net *net = a->net;
  bool parts = cb_net_in_parts(net);
  cnnblas_status status = CNNBLAS_OK;
  for (int slots = parts; slots >= 0 && !status; slots--) {
    int64_t count = error_spans(a), images = slots ? net->part : net->options.batch;
    for (int64_t i = 0; i < count; i++) {
      cb_graph_span *s = &a->spans[i];
      int64_t bytes = 0;
      if (parts && (i < net->split) != slots) s->bytes = 0;
      if (parts && !slots) s->first = 0, s->last = net->count;
      a->fits = a->fits && cb_mul((int64_t)s->bytes, images * (int64_t)net->element, &bytes);
      s->bytes = (size_t)bytes;
    }
    status = place_spans(a, a->spans, count, slots);
    if (!status && a->keep) keep_errors(a, slots);
  }
  return status;
}

/* ---- the places of all arrays, in the order in which they are taken ---- */

/* Takes places for the weights and biases that have a normalisation in them. */
static void lay_out_folded(arena *a, cb_net_layer *l, int64_t *scratch)
{
  const cb_net_param *w = &a->net->params[l->weight];
  int64_t element = (int64_t)a->net->element;
  size_t bias = take(a, w->shape[0], element), weights = l->packed_plan ? 0 : take(a, w->elements, element);
  if (l->packed_plan) *scratch = cb_max(*scratch, w->elements);
  if (!a->keep) return;
  l->folded_bias = bias;
  l->folded_weights = weights;
}

/* Takes places for packed weights, beside the values: the first passes, and callers that write tensors, need the
   weights as they are. */
static void lay_out_packed(arena *a)
{
  int64_t scratch = 0;
  if (!a->net->options.packed_weights) return;
  for (int64_t i = 0; i < a->net->count; i++) {
    cb_net_layer *l = cb_net_layer_at(a->net, i);
    size_t place = l->packed_plan ? take(a, (int64_t)l->packed_bytes, 1) : 0;
    if (a->keep) l->packed = place;
    if (l->norm_layer) lay_out_folded(a, l, &scratch);
  }
  a->layout->folded = take(a, scratch, (int64_t)a->net->element);
}

static void lay_out_tensors(arena *a)
{
  const cnnblas_net *net = a->net;
  cb_net_layout *layout = a->layout;
  int64_t element = (int64_t)net->element, parts = cb_net_parts(net, net->options.batch), elements;
  layout->values = take(a, net->param_elements, element);
  layout->states = take(a, net->state_elements, element);
  if (!a->training) {
    lay_out_packed(a);
    return;
  }
  for (int64_t i = 0; i < net->count; i++)
    if (!layout->numbers && cb_net_layer_at(net, i)->row->traits & CB_NET_DRAWS)
      layout->numbers = take_batch(a, 1, sizeof(int64_t));
  layout->batch_states = take(a, net->state_elements, element);
  layout->gradients = take(a, net->param_elements, element);
  layout->momentum = take(a, net->param_elements, element);
  if (net->options.optimiser == CNNBLAS_NET_ADAMW) layout->second = take(a, net->param_elements, element);
  if (net->options.average) layout->average = take(a, net->param_elements, element);
  if (net->options.segments > 1) {
    a->fits = a->fits && cb_mul(cb_net_segment_places(net), cb_net_segment_elements(net), &elements);
    layout->segments = a->fits ? take(a, elements, element) : 0;
  }
  if (parts == 1) return;
  a->fits = a->fits && cb_mul(parts, net->split_elements, &elements);
  layout->partial = a->fits ? take(a, elements, element) : 0;
  layout->partial_bytes = (size_t)a->used - layout->partial;
  layout->losses = take(a, parts, sizeof(double));
}

/* Lays out the block of a mode; `keep` stores the layers' places. CNNBLAS_SIZE_OVERFLOW if the bytes do not fit. */
static cnnblas_status lay_out(cnnblas_net *net, cnnblas_net_mode mode, cb_graph_span *spans, cb_net_layout *layout)
{
  bool training = mode == CNNBLAS_NET_TRAINING;
  arena a = {.net = net, .training = training, .keep = mode == net->options.mode, .fits = true};
  int64_t bytes;
  a.spans = spans;
  a.layout = layout;
  memset(layout, 0, sizeof *layout);
  if (!training) cb_net_plan_folding(&net->design);
  lay_out_tensors(&a);
  if (training) lay_out_outputs(&a);
  cnnblas_status status = training ? lay_out_errors(&a) : lay_out_inference(&a);
  if (status) return status;
  if (net->options.loss == CNNBLAS_NET_SIGMOID) layout->targets = take_batch(&a, net->classes, (int64_t)net->element);
  a.fits = a.fits && cb_mul((int64_t)cb_net_workspace(net, training), cb_net_workers(net), &bytes);
  if (a.fits) layout->workspace = take(&a, bytes, 1);
  layout->bytes = (size_t)a.used;
  return a.fits ? CNNBLAS_OK : cnnblas_shared_fail(CNNBLAS_SIZE_OVERFLOW, "the network's bytes do not fit in 63 bits");
}

static cnnblas_status lay_out_both(cnnblas_net *net)
{
  const cb_graph *g = &net->design.graph;
  size_t bytes = (size_t)(g->node_count + g->link_count + 1) * sizeof(cb_graph_span);
  cb_graph_span *spans = cnnblas_shared_alloc(bytes, 0);
  cb_net_layout layouts[2];
  if (!spans) return cnnblas_shared_no_memory(bytes, "the network's plan");
  cnnblas_status status = lay_out(net, CNNBLAS_NET_TRAINING, spans, &layouts[CNNBLAS_NET_TRAINING]);
  if (!status) status = lay_out(net, CNNBLAS_NET_INFERENCE, spans, &layouts[CNNBLAS_NET_INFERENCE]);
  cnnblas_shared_free(spans);
  if (status) return status;
  net->training_bytes = layouts[CNNBLAS_NET_TRAINING].bytes;
  net->inference_bytes = layouts[CNNBLAS_NET_INFERENCE].bytes;
  if (net->options.mode != CNNBLAS_NET_DESIGN) net->layout = layouts[net->options.mode];
  return CNNBLAS_OK;
}

cnnblas_status cb_net_make_block(cnnblas_net *net)
{
  net->split_elements = net->param_elements;
  for (int64_t t = net->param_count - 1; t >= 0 && net->params[t].layer >= net->split; t--)
    net->split_elements = net->params[t].place;
  cnnblas_status status = lay_out_both(net);
  if (status || net->options.mode == CNNBLAS_NET_DESIGN) return status;
  net->block = cnnblas_shared_alloc(net->layout.bytes, 0);
  return net->block ? CNNBLAS_OK : cnnblas_shared_no_memory(net->layout.bytes, "the network");
}
