/* Inference of all values' shapes, and constant folding: what depends on constants and shapes alone is computed here,
   once. */
#include "onnx/scheme.h"
#include <string.h>

enum { SMALL = 1 << 10 /* so few elements are folded whatever the options say: shapes are made of them */ };

/* True if the node's results may be computed while planning. */
static bool foldable(const cb_onnx_scheme *s, const cb_onnx_node *node, const cb_graph_shape *out)
{
  size_t read = 1 << 16, made = 0;
  bool fixed = true, small = true;
  for (int j = 0; j < node->inputs; j++) {
    if (node->input[j] == CB_ONNX_NONE) continue;
    const cb_onnx_value *v = &s->values[node->input[j]];
    if (!v->known && !(node->op->traits & CB_ONNX_NO_ELEMENTS)) fixed = false;
    if (v->known) read += cb_onnx_bytes(&v->shape);
    small = small && (!v->known || v->shape.elements <= SMALL);
  }
  for (int j = 0; j < node->outputs && fixed; j++) {
    made += cb_onnx_bytes(&out[j]);
    small = small && out[j].elements <= SMALL;
    fixed = made <= s->budget && made <= read;
  }
  if (!fixed) return false;
  return small || !(s->setup.options->without & CNNBLAS_ONNX_FOLD_CONSTANTS);
}

static cnnblas_status fold(cb_onnx_scheme *s, cb_onnx_node *node)
{
  const cb_graph_shape *in[CB_GRAPH_INPUTS], *out[CB_GRAPH_OUTPUTS];
  const void *x[CB_GRAPH_INPUTS];
  void *y[CB_GRAPH_OUTPUTS] = {NULL};
  cb_onnx_scheme_look(s, node, in, x, out);
  for (int j = 0; j < node->outputs; j++) {
    if (node->output[j] == CB_ONNX_NONE) continue;
    cb_onnx_value *v = &s->values[node->output[j]];
    size_t bytes = cb_onnx_bytes(&v->shape);
    v->owned = y[j] = cnnblas_shared_alloc(bytes ? bytes : 1, 0);
    if (!y[j]) return cnnblas_shared_no_memory(bytes, "a constant");
    s->budget -= bytes;
  }
  cb_onnx_call call = {.in = in, .out = out, .x = x, .y = y, .threads = s->setup.threads};
  cnnblas_status status = node->op->run(node, &call);
  if (status) return cb_onnx_node_because(node, status);
  for (int j = 0; j < node->outputs; j++)
    if (node->output[j] != CB_ONNX_NONE) s->values[node->output[j]].known = y[j];
  for (int j = 0; j < node->inputs; j++) cb_onnx_scheme_read(s, node, j, CB_ONNX_NONE);
  node->gone = true;
  return CNNBLAS_OK;
}

static cnnblas_status infer_node(cb_onnx_scheme *s, cb_onnx_node *node)
{
  const cb_graph_shape *in[CB_GRAPH_INPUTS];
  const void *known[CB_GRAPH_INPUTS];
  cb_graph_shape out[CB_GRAPH_OUTPUTS] = {{0}};
  cb_onnx_scheme_look(s, node, in, known, NULL);
  cb_onnx_shapes shapes = {in, known, out, &s->lacks};
  cnnblas_status status = node->op->infer(node, &shapes);
  for (int j = 0; j < node->outputs && !status; j++)
    if ((status = cb_onnx_count(&out[j]))) return cb_onnx_node_because(node, status);
  for (int j = 0; j < node->outputs && !status; j++)
    if (node->output[j] != CB_ONNX_NONE) s->values[node->output[j]].shape = out[j];
  if (!status && foldable(s, node, out)) status = fold(s, node);
  return status;
}

cnnblas_status cb_onnx_scheme_infer(cb_onnx_scheme *s)
{
  cnnblas_status status = CNNBLAS_OK;
  for (int64_t i = 0; i < s->node_count && !status; i++) status = infer_node(s, &s->nodes[i]);
  return status;
}
