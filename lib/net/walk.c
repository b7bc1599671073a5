/* Forward through the graph core; backward by what sinks.c planned. */
#include "net/walk.h"
#include "net/exchange.h"
#include "net/segments.h"
#include "net/sinks.h"
#include <cnnblas/arrays.h>

static void *locate(const void *context, int64_t value)
{
  return cb_net_value(context, value);
}

cnnblas_status cb_net_walk_forward(const cb_net_pass *p, int64_t from, int64_t to)
{
  cb_net_pass own = *p;
  return cnnblas_graph_run(&p->net->design.graph, &(cb_graph_run){&own, locate}, from, to);
}

/* ---- backward ---- */

static void *error_of(const cb_net_pass *p, const cb_net_layer *l)
{
  return cb_net_error(p->net, l, p->first, p->slot);
}

/* Makes an activation's dx from its outputs. */
static cnnblas_status through_relu(const cb_net_pass *p, const cb_net_layer *pool)
{
  cnnblas_activation_desc d = {.dtype = p->net->options.dtype, .threads = p->threads, .function.kind = CNNBLAS_RELU};
  return cnnblas_activation_backward(&d, p->n * pool->out.elements, NULL,
                                     cb_net_output(p->net, pool, p->first, p->slot), error_of(p, pool),
                                     error_of(p, pool));
}

/* Adds a layer's gradient by input j to the sum that the value's later readers gave. */
static cnnblas_status add_term(const cb_net_pass *p, const cb_net_layer *l, int j)
{
  const cb_net_layer *before = cb_design_producer(&p->net->design, cb_graph_input(&p->net->design.graph, l->index, j));
  bool passes = l->row->traits & CB_NET_PASSES;
  void *sum = error_of(p, before), *term = passes ? error_of(p, l) : cb_net_at(p->net, l->terms[j]);
  return cnnblas_add_forward(p->net->options.dtype, p->threads, p->n * before->out.elements, sum, term, sum);
}

static cnnblas_status backward_layer(const cb_net_pass *p, const cb_net_layer *l, bool gradients, bool parameters)
{
  const void *x[CB_GRAPH_INPUTS];
  void *dx[CB_GRAPH_INPUTS];
  const cb_net_design *d = &p->net->design;
  int inputs = d->graph.nodes[l->index].inputs;
  for (int j = 0; j < inputs; j++) {
    int64_t value = cb_graph_input(&d->graph, l->index, j);
    bool passed = l->row->traits & CB_NET_PASSES && l->sinks[j] != CB_NET_WRITE;
    x[j] = locate(p, value);
    dx[j] = NULL;
    if (!gradients || l->sinks[j] == CB_NET_UNWANTED || passed) continue;
    dx[j] = l->sinks[j] == CB_NET_ADD ? cb_net_at(p->net, l->terms[j]) : error_of(p, cb_design_producer(d, value));
  }
  cb_net_gradients g = {.x = x, .y = cb_net_output(p->net, l, p->first, p->slot), .dy = error_of(p, l), .dx = dx};
  bool segments = parameters && cb_net_is_whole(p) && p->net->options.segments > 1 && l->row->traits & CB_NET_SEGMENTS;
  g.parameters = parameters && !segments;
  cnnblas_status status = segments ? cb_net_sum_segments(p, l) : CNNBLAS_OK;
  if (!status) status = l->row->backward(p, l, &g);
  for (int j = 0; j < inputs && gradients && !status; j++)
    if (l->sinks[j] == CB_NET_ADD) status = add_term(p, l, j);
  return status;
}

cnnblas_status cb_net_walk_backward(const cb_net_pass *p)
{
  const cb_net_design *d = &p->net->design;
  cnnblas_status status = CNNBLAS_OK;
  for (int64_t i = p->net->count - 1; i >= 0 && !status; i--) {
    const cb_net_layer *l = cb_design_layer(d, i);
    const cb_graph_value *out = &d->graph.values[i + 1];
    bool relu_done = (l->fused && out->readers && cb_net_relu_goes_first(d, out->last)) || cb_net_relu_is_masked(d, i);
    if (!l->learns || relu_done) continue;
    if (cb_net_relu_goes_first(d, i)) status = through_relu(p, l);
    if (!status) status = backward_layer(p, l, true, i >= p->from && i < p->to);
    if (!status && cb_net_is_whole(p)) status = cb_net_hand_on(p, l);
  }
  return status || !cb_net_is_whole(p) ? status : cb_net_await_sums(p->net);
}

cnnblas_status cb_net_walk_parameters(const cb_net_pass *p)
{
  cnnblas_status status = CNNBLAS_OK;
  for (int64_t i = p->from; i < p->to && !status; i++) {
    const cb_net_layer *l = cb_net_layer_at(p->net, i);
    if (l->params) status = backward_layer(p, l, false, true);
  }
  return status;
}
