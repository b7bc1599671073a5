/* Lays outputs over inputs; see passes.h. */
#include "onnx/passes.h"
#include "onnx/zeroed.h"

/* True if node i's output `out` may lie over its input `in`. last[r] is the last node that reads the array of r so
   far. */
static bool may_lie(const cb_graph *g, const int64_t *last, int64_t i, int64_t in, int64_t out)
{
  int64_t root = cb_graph_root(g, in);
  const cb_graph_shape *x = &g->values[in].shape, *y = &g->values[out].shape;
  if (g->values[root].producer == CB_GRAPH_NONE || last[root] > i || x->elements != y->elements) return false;
  if (cnnblas_graph_type_bytes(x->type) != cnnblas_graph_type_bytes(y->type) || x->elements == 0) return false;
  return g->values[root].shape.elements == y->elements;
}

static void lay(cb_graph *g, int64_t *last, int64_t in, int64_t out)
{
  int64_t root = cb_graph_root(g, in);
  g->values[out].shares = root;
  g->values[out].offset = cb_graph_offset(g, in);
  last[root] = cb_max(last[root], last[out]);
}

/* The input over which node i's output 0 may lie, CB_GRAPH_NONE for none. */
static int64_t choose(const cb_onnx_node *node, const cb_graph *g, const int64_t *last, int64_t i, bool over)
{
  int inputs = g->nodes[i].inputs, traits = node->op->traits;
  int64_t out = cb_graph_output(g, i, 0), first = inputs ? cb_graph_input(g, i, 0) : CB_GRAPH_NONE;
  if (g->values[out].shares != CB_GRAPH_NONE) return CB_GRAPH_NONE; /* it is a part of a Concat already */
  if (traits & CB_ONNX_VIEW) {
    bool outside = g->values[cb_graph_root(g, first)].producer == CB_GRAPH_NONE;
    return outside && g->values[out].kept ? CB_GRAPH_NONE
                                          : first; /* an output of the model must not lie in the caller's array */
  }
  if (!over) return CB_GRAPH_NONE;
  if (traits & CB_ONNX_OVER_LAST) {
    int64_t in = node->inputs == 4 ? cb_graph_input(g, i, inputs - 1) : CB_GRAPH_NONE; /* the residual */
    bool twice = false;
    for (int j = 0; j < inputs - 1; j++) twice = twice || cb_graph_input(g, i, j) == in;
    for (int j = 0; j < inputs - 1 && in >= 0; j++)
      twice = twice || cb_graph_root(g, cb_graph_input(g, i, j)) == cb_graph_root(g, in);
    return in >= 0 && !twice && may_lie(g, last, i, in, out) ? in : CB_GRAPH_NONE;
  }
  for (int j = 0; j < inputs && traits & CB_ONNX_IN_PLACE; j++) {
    int64_t in = cb_graph_input(g, i, j);
    bool other = false; /* true: another value that the node reads lies in the same array */
    for (int k = 0; k < inputs; k++)
      other = other || (k != j && cb_graph_root(g, cb_graph_input(g, i, k)) == cb_graph_root(g, in) &&
                        cb_graph_input(g, i, k) != in);
    if (!other && may_lie(g, last, i, in, out)) return in;
  }
  return CB_GRAPH_NONE;
}

cnnblas_status cb_onnx_pass_in_place(const cb_onnx_scheme *s, cb_graph *g, const int64_t *node_of, bool over)
{
  int64_t *last = cb_onnx_zeroed((size_t)g->value_count, sizeof *last);
  if (!last) return cnnblas_shared_no_memory((size_t)g->value_count * sizeof *last, "lives of arrays");
  for (int64_t v = 0; v < g->value_count; v++) last[v] = g->values[v].kept ? INT64_MAX : g->values[v].last;
  for (int64_t v = 0; v < g->value_count; v++) {
    int64_t root = cb_graph_root(g, v);
    last[root] = cb_max(last[root], last[v]);
  }
  for (int64_t i = 0; i < g->node_count; i++) {
    if (!g->nodes[i].outputs || s->nodes[node_of[i]].output[0] == CB_ONNX_NONE) continue;
    int64_t in = choose(&s->nodes[node_of[i]], g, last, i, over);
    if (in != CB_GRAPH_NONE) lay(g, last, in, cb_graph_output(g, i, 0));
  }
  cnnblas_shared_free(last);
  return CNNBLAS_OK;
}
