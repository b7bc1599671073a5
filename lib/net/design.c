/* Layers become nodes of the graph: names, shapes; errors with the column in front. */
#include "net/design.h"
#include "base/shared.h"
#include "base/size.h"
#include "net/fold.h"
#include "net/kind.h"
#include <stdio.h>
#include <string.h>

/* ---- the operator that all layers are ---- */

static cnnblas_status set_shape(const cb_net_layer *l, cb_net_shape *image, cb_graph_shape *of_batch)
{
  bool fits = true;
  image->elements = image->c;
  for (int i = 0; i < l->rank; i++) fits = fits && cb_mul(image->elements, image->size[i], &image->elements);
  if (!fits)
    return cnnblas_shared_fail(CNNBLAS_SIZE_OVERFLOW, "column %d: the elements of %s do not fit in 63 bits", l->column,
                               l->name);
  of_batch->size[1] = image->c;
  for (int i = 0; i < l->rank; i++) of_batch->size[2 + i] = image->size[i];
  return CNNBLAS_OK;
}

/* Puts the column in front of a layer's error in cnnblas_last_error(). */
static cnnblas_status at_column(cnnblas_status status, const cb_net_layer *l)
{
  char why[400];
  strncpy(why, cnnblas_last_error(), sizeof why - 1);
  why[sizeof why - 1] = 0;
  if (status == CNNBLAS_INVALID_ARGUMENT) status = CNNBLAS_BAD_FORMAT;
  return cnnblas_shared_fail(status, "column %d: %s does not fit its input: %s", l->column, l->name, why);
}

static cnnblas_status infer(void *self, const cb_graph_shape *const *inputs, int count, cb_graph_shape *outputs)
{
  cb_net_layer *l = self;
  cb_net_shape in[CB_GRAPH_INPUTS] = {{0}};
  for (int j = 0; j < count; j++) {
    in[j] = (cb_net_shape){.c = inputs[j]->size[1], .elements = inputs[j]->size[1]};
    for (int i = 0; i < l->rank; i++) in[j].elements *= in[j].size[i] = inputs[j]->size[2 + i];
  }
  l->in = l->out = in[0];
  outputs[0] = *inputs[0];
  cnnblas_status status = l->row->shape ? l->row->shape(l, in, count) : CNNBLAS_OK;
  return status ? at_column(status, l) : set_shape(l, &l->out, &outputs[0]);
}

static cnnblas_status prepare(void *self, void *context, size_t *workspace)
{
  cb_net_layer *l = self;
  (void)workspace; /* the network counts two workspaces, for its two modes */
  return l->row->prepare ? l->row->prepare(context, l) : CNNBLAS_OK;
}

static cnnblas_status run(const cb_graph_call *call)
{
  const cb_net_layer *l = call->self;
  const cb_net_pass *p = call->context;
  if (l->fused || cb_net_is_folded(p->net, l)) return CNNBLAS_OK;
  return l->row->forward(p, l, call->inputs, call->outputs[0]);
}

static void release(void *self)
{
  cb_net_layer *l = self;
  for (int direction = 0; direction < 3; direction++) {
    cnnblas_conv_plan_destroy(l->plans[direction]);
    cnnblas_conv_transpose_plan_destroy(l->transposed_plans[direction]);
  }
  cnnblas_conv_plan_destroy(l->packed_plan);
  cnnblas_shared_free(l->maps);
  cnnblas_shared_free(l->sinks);
  cnnblas_shared_free(l->terms);
  cnnblas_shared_free(l);
}

static const cb_graph_operator layer_operator = {
    .name = "layer", .infer = infer, .prepare = prepare, .run = run, .release = release};

/* ---- building ---- */

cnnblas_status cb_design_begin(cb_net_design *d, const cnnblas_net_options *o)
{
  cb_graph_shape shape = {.type = o->dtype == CNNBLAS_F64 ? CB_GRAPH_F64 : CB_GRAPH_F32, .rank = 2 + d->rank};
  int64_t value;
  shape.size[0] = o->batch;
  shape.size[1] = d->input.c;
  for (int i = 0; i < d->rank; i++) shape.size[2 + i] = d->input.size[i];
  return cnnblas_graph_add_value(&d->graph, &shape, &value);
}

void cb_design_free(cb_net_design *d)
{
  cnnblas_graph_free(&d->graph);
  memset(d, 0, sizeof *d);
}

/* Makes the graph's own copy of a layer and names it by its number among its kind. */
static cb_net_layer *own_layer(const cb_net_design *d, const cb_net_layer *from)
{
  int place = 1;
  cb_net_layer *l = cnnblas_shared_alloc(sizeof *l, 0);
  if (!l) return NULL;
  *l = *from;
  l->rank = d->rank;
  l->index = d->graph.node_count;
  l->weight = l->state = l->adds = CB_NET_NONE;
  for (int64_t i = 0; i < d->graph.node_count; i++) place += cb_design_layer(d, i)->row == l->row;
  snprintf(l->name, sizeof l->name, "%s%d", l->row->name, place);
  return l;
}

cnnblas_status cb_design_add(cb_net_design *d, const cb_net_layer *layer, const int64_t *inputs, int count,
                             int64_t *value)
{
  if (d->graph.node_count == CB_NET_MAX_LAYERS)
    return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "column %d: the network has more than %d layers", layer->column,
                               CB_NET_MAX_LAYERS);
  cb_net_layer *l = own_layer(d, layer);
  if (!l) return cnnblas_shared_no_memory(sizeof *l, "a layer");
  l->sinks = cnnblas_shared_alloc((size_t)count * sizeof *l->sinks, 1);
  l->terms = cnnblas_shared_alloc((size_t)count * sizeof *l->terms, 1);
  cnnblas_status status = CNNBLAS_OK;
  if (!l->sinks || !l->terms) status = cnnblas_shared_no_memory((size_t)count * sizeof *l->terms, "a layer");
  if (!status) status = cnnblas_graph_add_node(&d->graph, &layer_operator, l, inputs, count, 1, value);
  if (!status) return CNNBLAS_OK;
  l->maps = NULL; /* the maps are still the caller's */
  release(l);
  return status;
}

void cb_design_end(cb_net_design *d)
{
  for (int64_t i = 0; i < d->graph.node_count; i++) {
    const cb_graph_value *out = &d->graph.values[i + 1];
    cb_net_layer *l = cb_design_layer(d, i);
    bool alone = out->readers == 1 && cb_design_layer(d, out->last)->row->traits & CB_NET_NORMALISES;
    l->bias = l->bias || !alone;
  }
}
