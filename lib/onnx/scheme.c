/* What passes do with a scheme; see scheme.h. */
#include "onnx/scheme.h"
#include <stdio.h>
#include <string.h>

void cb_onnx_scheme_free(cb_onnx_scheme *s)
{
  for (int64_t i = 0; i < s->node_count; i++) {
    if (s->nodes[i].settings && s->nodes[i].op->release) s->nodes[i].op->release(&s->nodes[i]);
    cnnblas_shared_free(s->nodes[i].settings);
  }
  for (int64_t v = 0; v < s->value_count; v++) cnnblas_shared_free(s->values[v].owned);
  cnnblas_shared_free(s->values);
  cnnblas_shared_free(s->nodes);
  cnnblas_shared_free(s->links);
  cnnblas_shared_free(s->inputs);
  cnnblas_shared_free(s->outputs);
  memset(s, 0, sizeof *s);
}

cnnblas_status cb_onnx_count(cb_graph_shape *shape)
{
  int64_t bytes;
  shape->elements = 1;
  for (int i = 0; i < shape->rank; i++) {
    if (shape->size[i] < 0) return cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "size %lld", (long long)shape->size[i]);
    if (!cb_mul(shape->elements, shape->size[i], &shape->elements))
      return cnnblas_shared_fail(CNNBLAS_SIZE_OVERFLOW, "an array's elements do not fit in 63 bits");
  }
  if (cb_mul(shape->elements, 2 * (int64_t)cnnblas_graph_type_bytes(shape->type), &bytes)) return CNNBLAS_OK;
  return cnnblas_shared_fail(CNNBLAS_SIZE_OVERFLOW, "an array's bytes do not fit in 63 bits");
}

cnnblas_status cb_onnx_scheme_constant(cb_onnx_scheme *s, const cb_graph_shape *shape, int64_t *value, void **data)
{
  size_t bytes = cb_onnx_bytes(shape);
  if (s->value_count == s->value_room) return cnnblas_shared_fail(CNNBLAS_UNSUPPORTED, "too many constants");
  void *room = cnnblas_shared_alloc(bytes ? bytes : 1, 0);
  if (!room) return cnnblas_shared_no_memory(bytes, "a constant");
  s->values[s->value_count] = (cb_onnx_value){
      .name = "", .shape = *shape, .known = room, .owned = room, .producer = CB_ONNX_NONE, .place = CB_ONNX_NONE};
  *value = s->value_count++;
  *data = room;
  return CNNBLAS_OK;
}

void cb_onnx_scheme_read(cb_onnx_scheme *s, cb_onnx_node *node, int j, int64_t value)
{
  while (node->inputs <= j) node->input[node->inputs++] = CB_ONNX_NONE;
  if (node->input[j] != CB_ONNX_NONE) s->values[node->input[j]].readers--;
  node->input[j] = value;
  if (value != CB_ONNX_NONE) s->values[value].readers++;
}

cb_onnx_node *cb_onnx_scheme_reader(const cb_onnx_scheme *s, int64_t value)
{
  if (value == CB_ONNX_NONE) return NULL;
  const cb_onnx_value *v = &s->values[value];
  if (v->readers != 1 || v->output) return NULL;
  for (int64_t i = v->producer + 1; i < s->node_count; i++) {
    if (s->nodes[i].gone) continue;
    for (int j = 0; j < s->nodes[i].inputs; j++)
      if (s->nodes[i].input[j] == value) return &s->nodes[i];
  }
  return NULL;
}

void cb_onnx_scheme_absorb(cb_onnx_scheme *s, cb_onnx_node *first, cb_onnx_node *behind)
{
  int64_t made = behind->output[0], number = behind - s->nodes;
  cb_onnx_node merged = *first;
  size_t used = strlen(merged.fused);
  snprintf(merged.fused + used, sizeof merged.fused - used, "%s%s", used ? " " : "", behind->op->name);
  for (int j = 0; j < behind->inputs; j++) cb_onnx_scheme_read(s, behind, j, CB_ONNX_NONE);
  cnnblas_shared_free(behind->settings); /* the operator has no release: its settings own nothing */
  merged.output[0] = made;
  *behind = merged;
  s->values[made].producer = number;
  first->gone = true;
  first->settings = NULL;
  first->inputs = first->outputs = 0;
}

void cb_onnx_scheme_look(const cb_onnx_scheme *s, const cb_onnx_node *node, const cb_graph_shape **in,
                         const void **known, const cb_graph_shape **out)
{
  for (int j = 0; j < node->inputs; j++) {
    int64_t v = node->input[j];
    in[j] = v == CB_ONNX_NONE ? NULL : &s->values[v].shape;
    if (known) known[j] = v == CB_ONNX_NONE ? NULL : s->values[v].known;
  }
  for (int j = 0; j < node->outputs && out; j++)
    out[j] = node->output[j] == CB_ONNX_NONE ? NULL : &s->values[node->output[j]].shape;
}
