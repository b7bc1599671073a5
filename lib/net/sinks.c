/* Planning the backward pass; see sinks.h. */
#include "net/sinks.h"
#include "base/size.h"
#include "net/kind.h"

int64_t cb_net_over_which(const cb_net_design *d, int64_t i)
{
  int64_t a = cb_graph_input(&d->graph, i, 0), b = d->graph.nodes[i].inputs == 2 ? cb_graph_input(&d->graph, i, 1) : a;
  int64_t later = a > b ? a : b;
  return later > 0 && d->graph.values[later].readers == 1 ? later : CB_NET_NONE;
}

bool cb_net_relu_is_masked(const cb_net_design *d, int64_t i)
{
  const cb_net_layer *l = cb_design_layer(d, i);
  return l->fused && l->row->traits & CB_NET_STORED &&
         cb_design_producer(d, cb_graph_input(&d->graph, i, 0))->row->traits & CB_NET_MASKS;
}

bool cb_net_relu_goes_first(const cb_net_design *d, int64_t i)
{
  const cb_net_layer *l = cb_design_layer(d, i);
  int64_t x = cb_graph_input(&d->graph, i, 0);
  const cb_net_layer *before = cb_design_producer(d, x);
  bool relu = before && before->fused && before->row->traits & CB_NET_STORED && d->graph.values[x].readers == 1;
  return relu && !cb_net_relu_is_masked(d, before->index) && l->row->traits & CB_NET_MAY_BE_MAX &&
         l->pool.kind == CNNBLAS_POOL_MAX;
}

/* Lays a sum of two over the addend that is made later, if that one's backward step does not read it; where that is a
   BN and the other addend is there before, the BN's store adds. */
static void place_sum(cb_net_design *d, cb_net_layer *sum)
{
  int64_t later = cb_net_over_which(d, sum->index);
  cb_net_layer *before = later == CB_NET_NONE ? NULL : cb_design_producer(d, later);
  if (!before || !(before->row->traits & CB_NET_Y_FREE)) return;
  int64_t a = cb_graph_input(&d->graph, sum->index, 0), b = cb_graph_input(&d->graph, sum->index, 1);
  int64_t other = a == later ? b : a;
  d->graph.values[sum->index + 1].shares = later;
  sum->fused = before->row->traits & CB_NET_MASKS && other <= before->index;
  if (sum->fused) before->adds = other;
}

/* Lays an activation over its input, if that one's backward step does not read it; a store before it does a ReLU. */
static void place_activation(cb_net_design *d, cb_net_layer *l)
{
  int64_t x = cb_graph_input(&d->graph, l->index, 0);
  cb_net_layer *before = cb_design_producer(d, x);
  l->in_place = before && d->graph.values[x].readers == 1 && before->row->traits & CB_NET_Y_FREE;
  if (!l->in_place) return;
  d->graph.values[l->index + 1].shares = x;
  if (before->row->traits & CB_NET_PASSES && before->fused) before = cb_design_producer(d, cb_graph_root(&d->graph, x));
  l->fused = l->row->traits & CB_NET_STORED && before->row->traits & CB_NET_STORES;
  if (l->fused) before->relu = true;
}

static void place_outputs(cb_net_design *d)
{
  for (int64_t i = 0; i < d->graph.node_count; i++) {
    cb_net_layer *l = cb_design_layer(d, i);
    if (l->row->traits & CB_NET_PASSES && d->graph.nodes[i].inputs == 2) place_sum(d, l);
    if (l->row->traits & CB_NET_OVER) place_activation(d, l);
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

/* True if a layer may make its dx over its dy: no value before it has its gradient in that array. */
static bool is_alone(const cb_net_design *d, const cb_net_layer *l)
{
  for (int64_t k = 0; k < l->index; k++)
    if (cb_design_layer(d, k)->same_error == l->same_error) return false;
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
    bool over = l->in_place || (l->row->traits & CB_NET_MAKES_DX && is_alone(d, l));
    bool same = first && (over || (l->row->traits & CB_NET_PASSES && may_be_same(d, i, j)));
    l->sinks[j] = !first ? CB_NET_ADD : same ? CB_NET_SAME : CB_NET_WRITE;
    if (same) before->same_error = l->same_error;
  }
}

void cb_net_plan_sinks(cb_net_design *d)
{
  place_outputs(d);
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
