/* Planning the backward pass; see sinks.h. */
#include "net/sinks.h"
#include "base/size.h"
#include "net/kind.h"

bool cb_net_relu_goes_first(const cb_net_design *d, int64_t i)
{
  const cb_net_layer *l = cb_design_layer(d, i);
  int64_t x = cb_graph_input(&d->graph, i, 0);
  const cb_net_layer *before = cb_design_producer(d, x);
  return before && before->fused && d->graph.values[x].readers == 1 && l->row->traits & CB_NET_MAY_BE_MAX &&
         l->pool.kind == CNNBLAS_POOL_MAX;
}

static void place_activations(cb_net_design *d)
{
  for (int64_t i = 0; i < d->graph.node_count; i++) {
    cb_net_layer *l = cb_design_layer(d, i);
    int64_t x = cb_graph_input(&d->graph, i, 0);
    cb_net_layer *before = cb_design_producer(d, x);
    bool over = before && d->graph.values[x].readers == 1 && before->row->traits & CB_NET_Y_FREE;
    l->in_place = over && l->row->traits & CB_NET_OVER;
    l->fused = l->in_place && l->row->traits & CB_NET_STORED && before->row->traits & CB_NET_STORES;
    if (l->fused) before->relu = true;
    if (l->in_place) d->graph.values[i + 1].shares = x;
  }
}

/* ---- one array for several gradients ---- */

/* The last step in which a value's gradient is read. */
static int64_t last_read(const cb_net_design *d, int64_t value)
{
  const cb_net_layer *l = cb_design_producer(d, value);
  if (l->row->traits & CB_NET_PASSES) return INT64_MAX; /* the gradient may lie in the arrays of others */
  return l->in_place ? last_read(d, cb_graph_input(&d->graph, l->index, 0)) : cb_net_back_step(d, l->index);
}

/* The first step in which a value's gradient is changed, once its last reader, `join`, has written it. */
static int64_t first_change(const cb_net_design *d, int64_t value, int64_t join)
{
  const cb_net_layer *l = cb_design_producer(d, value);
  const cb_net_layer *before = cb_design_producer(d, cb_graph_input(&d->graph, l->index, 0));
  bool over = l->row->traits & CB_NET_MAKES_DX && !(before && before->learns);
  bool changes = over || l->in_place || l->row->traits & CB_NET_PASSES || cb_net_relu_goes_first(d, l->index);
  int64_t step = changes ? cb_net_back_step(d, l->index) : INT64_MAX;
  for (int64_t i = join; i > l->index; i--)
    for (int j = 0; j < d->graph.nodes[i].inputs; j++)
      if (i < join && cb_graph_input(&d->graph, i, j) == value) step = cb_min(step, cb_net_back_step(d, i));
  return step;
}

/* True if input j's gradient may lie where that of the join's output lies, as those of inputs before j do. */
static bool may_be_same(const cb_net_design *d, int64_t join, int j)
{
  const cb_net_layer *l = cb_design_layer(d, join);
  int64_t v = cb_graph_input(&d->graph, join, j);
  for (int other = 0; other < j; other++) {
    int64_t u = cb_graph_input(&d->graph, join, other);
    if (l->sinks[other] != CB_NET_SAME) continue;
    if (last_read(d, u) > first_change(d, v, join) || last_read(d, v) > first_change(d, u, join)) return false;
  }
  for (int again = j + 1; again < d->graph.nodes[join].inputs; again++)
    if (cb_graph_input(&d->graph, join, again) == v) return false;
  return true;
}

static void plan_layer(cb_net_design *d, int64_t i)
{
  cb_net_layer *l = cb_design_layer(d, i);
  for (int j = 0; j < d->graph.nodes[i].inputs; j++) {
    int64_t v = cb_graph_input(&d->graph, i, j);
    cb_net_layer *before = cb_design_producer(d, v);
    l->sinks[j] = CB_NET_UNWANTED;
    if (!before || !before->learns) continue;
    bool first = d->graph.values[v].last == i;
    for (int other = 0; other < j; other++) first = first && cb_graph_input(&d->graph, i, other) != v;
    bool same = first && (l->in_place || (l->row->traits & CB_NET_PASSES && may_be_same(d, i, j)));
    l->sinks[j] = !first ? CB_NET_ADD : same ? CB_NET_SAME : CB_NET_WRITE;
    if (same) before->same_error = l->same_error;
  }
}

void cb_net_plan_sinks(cb_net_design *d)
{
  place_activations(d);
  for (int64_t i = 0; i < d->graph.node_count; i++) {
    cb_net_layer *l = cb_design_layer(d, i);
    l->same_error = i;
    l->learns = l->row->parameters != NULL;
    for (int j = 0; j < d->graph.nodes[i].inputs; j++) {
      const cb_net_layer *before = cb_design_producer(d, cb_graph_input(&d->graph, i, j));
      l->learns = l->learns || (before && before->learns);
    }
  }
  for (int64_t i = d->graph.node_count - 1; i >= 0; i--) plan_layer(d, i);
}
