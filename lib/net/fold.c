/* Folding; see fold.h. */
#include "net/fold.h"
#include "net/kind.h"
#include "net/sinks.h"
#include <math.h>

/* ---- plan ---- */

/* The only reader of a layer's output, if it has these traits; else NULL. */
static cb_net_layer *reader(const cb_net_design *d, const cb_net_layer *l, int traits)
{
  const cb_graph_value *out = &d->graph.values[l->index + 1];
  if (out->readers != 1) return NULL;
  cb_net_layer *next = cb_design_layer(d, out->last);
  return next->row->traits & traits ? next : NULL;
}

static void fold_layer(const cb_net_design *d, cb_net_layer *conv)
{
  cb_net_layer *next = reader(d, conv, CB_NET_NORMALISES), *last = next;
  if (!next) return;
  conv->norm_layer = next;
  next->folded = true;
  next = reader(d, last, CB_NET_PASSES);
  if (next && d->graph.nodes[next->index].inputs == 2 && cb_net_over_which(d, next->index) == last->index + 1) {
    int64_t a = cb_graph_input(&d->graph, next->index, 0), b = cb_graph_input(&d->graph, next->index, 1);
    int64_t other = a == last->index + 1 ? b : a;
    if (other <= conv->index) { /* the other addend is made before the convolution runs */
      conv->residual = other;
      next->folded = true;
      last = next;
    }
  }
  next = reader(d, last, CB_NET_FUNCTION);
  if (!next) return;
  conv->function_layer = next;
  next->folded = true;
}

void cb_net_plan_folding(cb_net_design *d)
{
  for (int64_t i = 0; i < d->graph.node_count; i++) {
    cb_net_layer *l = cb_design_layer(d, i);
    bool sum = l->row->traits & CB_NET_PASSES && d->graph.nodes[i].inputs == 2;
    if (sum || l->row->traits & CB_NET_IN_PLACE) d->graph.values[i + 1].shares = cb_net_over_which(d, i);
    l->folded = false;
    l->residual = CB_NET_NONE;
  }
  for (int64_t i = 0; i < d->graph.node_count; i++)
    if (cb_design_layer(d, i)->row->traits & CB_NET_FOLDS) fold_layer(d, cb_design_layer(d, i));
}

/* ---- weights ---- */

static double get(const cnnblas_net *net, size_t section, int64_t tensor, int64_t i)
{
  const void *array = cb_net_param_at(net, section, tensor);
  return net->options.dtype == CNNBLAS_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

static void set(const cnnblas_net *net, void *array, int64_t i, double value)
{
  if (net->options.dtype == CNNBLAS_F64)
    ((double *)array)[i] = value;
  else
    ((float *)array)[i] = (float)value;
}

void cb_net_fold(const cnnblas_net *net, const cb_net_layer *conv, void *weights, void *bias)
{
  const cb_net_layer *bn = conv->norm_layer;
  const cb_net_layout *at = &net->layout;
  int64_t filters = net->params[conv->weight].shape[0], taps = net->params[conv->weight].elements / filters;
  for (int64_t k = 0; k < filters; k++) {
    double spread = sqrt(get(net, at->states, bn->state + 1, k) + CB_NET_NORM_EPSILON);
    double scale = get(net, at->values, bn->weight, k) / spread;
    double before = conv->bias ? get(net, at->values, conv->weight + 1, k) : 0;
    for (int64_t i = k * taps; i < (k + 1) * taps; i++)
      set(net, weights, i, get(net, at->values, conv->weight, i) * scale);
    set(net, bias, k, get(net, at->values, bn->weight + 1, k) + (before - get(net, at->states, bn->state, k)) * scale);
  }
}
