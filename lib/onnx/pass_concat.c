/* Lays the parts of a Concat where it would copy them; see passes.h. */
#include "onnx/concat.h"
#include "onnx/passes.h"

/* True if the bytes of a value may be written into the array of the node's output: they are a node's own, and
   nobody else has placed them. */
static bool may_lie(const cb_onnx_scheme *s, const cb_graph *g, const int64_t *node_of, int64_t v, size_t offset)
{
  const cb_graph_value *part = &g->values[v];
  if (part->producer == CB_GRAPH_NONE || part->shares != CB_GRAPH_NONE || part->kept || offset % CB_GRAPH_ALIGN)
    return false;
  return part->shape.elements > 0 && !(s->nodes[node_of[part->producer]].op->traits & CB_ONNX_VIEW);
}

void cb_onnx_pass_concat(const cb_onnx_scheme *s, cb_graph *g, const int64_t *node_of)
{
  for (int64_t i = 0; i < g->node_count; i++) {
    const cb_onnx_node *node = &s->nodes[node_of[i]];
    const int axis = cb_onnx_concat_axis(node);
    if (axis < 0 || node->output[0] == CB_ONNX_NONE) continue;
    const int64_t out = cb_graph_output(g, i, 0);
    if (cb_onnx_product(&g->values[out].shape, 0, axis) != 1) continue;
    size_t offset = 0;
    for (int j = 0; j < g->nodes[i].inputs; j++) {
      const int64_t v = cb_graph_input(g, i, j);
      if (may_lie(s, g, node_of, v, offset)) {
        g->values[v].shares = out;
        g->values[v].offset = offset;
      }
      offset += cb_onnx_bytes(&g->values[v].shape);
    }
  }
}
