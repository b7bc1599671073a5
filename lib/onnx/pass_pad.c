/* Folds Pad by zeros into the convolution behind it; see passes.h. */
#include "onnx/convolution.h"
#include "onnx/padding.h"
#include "onnx/passes.h"
#include <string.h>

/* True if the Pad puts zeros around the spatial axes, and does nothing else. */
static bool by_zeros(const cb_onnx_scheme *s, const cb_onnx_node *node)
{
  const cb_onnx_padding *p = node->settings;
  const cb_graph_shape *x = &s->values[node->input[0]].shape;
  if (p->mode != CB_ONNX_PAD_CONSTANT) return false;
  for (int i = 0; i < x->rank; i++)
    if (p->begin[i] < 0 || p->end[i] < 0 || (i < 2 && (p->begin[i] || p->end[i]))) return false;
  if (node->version < 11) return cb_onnx_float(node, "value", 0) == 0;
  if (node->inputs < 3 || node->input[2] == CB_ONNX_NONE) return true;
  const cb_onnx_value *value = &s->values[node->input[2]];
  return value->known && value->shape.elements == 1 && cb_onnx_real_at(&value->shape, value->known, 0) == 0;
}

cnnblas_status cb_onnx_pass_pad(cb_onnx_scheme *s)
{
  for (int64_t i = 0; i < s->node_count; i++) {
    cb_onnx_node *pad = &s->nodes[i];
    if (pad->gone || strcmp(pad->op->name, "Pad") || !by_zeros(s, pad)) continue;
    cb_onnx_node *conv = cb_onnx_scheme_reader(s, pad->output[0]);
    cb_onnx_convolution *c = conv ? cb_onnx_as_convolution(conv) : NULL;
    if (!c || conv->input[CB_ONNX_CONV_X] != pad->output[0]) continue;
    const cb_onnx_padding *p = pad->settings;
    cnnblas_conv_desc wider = c->desc;
    cnnblas_conv_shape shape;
    for (int a = 0; a < wider.rank; a++) {
      wider.size[a] -= p->begin[2 + a] + p->end[2 + a];
      wider.pad_begin[a] += p->begin[2 + a];
      wider.pad_end[a] += p->end[2 + a];
    }
    if (cnnblas_conv_get_shape(&wider, &shape)) continue;
    c->desc = wider;
    cb_onnx_scheme_read(s, conv, CB_ONNX_CONV_X, pad->input[0]);
    size_t used = strlen(conv->fused);
    if (used + 5 < sizeof conv->fused) memcpy(conv->fused + used, used ? " Pad" : "Pad", used ? 5 : 4);
    for (int j = 0; j < pad->inputs; j++) cb_onnx_scheme_read(s, pad, j, CB_ONNX_NONE);
    pad->gone = true;
  }
  return CNNBLAS_OK;
}
