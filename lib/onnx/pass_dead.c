/* Takes away nodes whose results nobody reads; see passes.h. */
#include "onnx/passes.h"

void cb_onnx_pass_dead(cb_onnx_scheme *s)
{
  for (int64_t i = s->node_count - 1; i >= 0; i--) {
    cb_onnx_node *node = &s->nodes[i];
    bool wanted = false;
    for (int j = 0; j < node->outputs; j++) {
      const cb_onnx_value *v = node->output[j] == CB_ONNX_NONE ? NULL : &s->values[node->output[j]];
      wanted = wanted || (v && (v->readers || v->output));
    }
    if (wanted || node->gone) continue;
    for (int j = 0; j < node->inputs; j++) cb_onnx_scheme_read(s, node, j, CB_ONNX_NONE);
    node->gone = true;
  }
}
