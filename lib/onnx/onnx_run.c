/* Runs of a model, and what it tells of itself. */
#include "onnx/convolution.h"
#include "onnx/onnx_model.h"
#include "onnx/proto_tensor.h"
#include "onnx/zeroed.h"
#include <stdio.h>
#include <string.h>

/* ---- runs ---- */

/* The number of the model's input or output for the array given at `place`, by its name if it has one; -1: there is
   none such. */
static int64_t find(const cb_onnx_declared *declared, int64_t count, const char *name, int64_t place)
{
  if (!name) return place < count ? place : -1;
  for (int64_t i = 0; i < count; i++)
    if (!strcmp(declared[i].name, name)) return i;
  return -1;
}

static cnnblas_status take_input(const cb_onnx_declared *d, const cnnblas_onnx_array *a, cb_graph_shape *shape)
{
  if (a->rank < 0 || a->rank > CNNBLAS_ONNX_RANK)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "input %.100s: rank %d", d->name, a->rank);
  *shape = (cb_graph_shape){.type = d->type, .rank = a->rank};
  if (a->type != CNNBLAS_ONNX_ANY) {
    shape->type = cb_onnx_core_type(a->type);
    if (shape->type == CB_GRAPH_TYPES || cb_onnx_public_type(shape->type) != a->type ||
        (d->type < CB_GRAPH_TYPES && shape->type != d->type))
      return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "input %.100s: type %d is not the model's", d->name,
                                 (int)a->type);
  } else if (d->type == CB_GRAPH_TYPES) {
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "input %.100s: its type must be given", d->name);
  }
  if (d->rank >= 0 && d->rank != a->rank)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "input %.100s: rank %d; the model takes %d", d->name, a->rank,
                               d->rank);
  for (int i = 0; i < a->rank; i++) {
    shape->size[i] = a->size[i];
    if (a->size[i] < 0 || (d->rank >= 0 && d->size[i] >= 0 && d->size[i] != a->size[i]))
      return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "input %.100s: size[%d] is %lld; the model takes %lld",
                                 d->name, i, (long long)a->size[i], (long long)(d->rank >= 0 ? d->size[i] : -1));
  }
  cnnblas_status status = cb_onnx_count(shape);
  if (!status && (shape->elements && !a->data))
    status = cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "input %.100s: data is NULL", d->name);
  if (!status && (uintptr_t)a->data % cnnblas_graph_type_bytes(shape->type))
    status = cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "input %.100s: data is not aligned to its element", d->name);
  return status;
}

static cnnblas_status take_inputs(const cnnblas_onnx *m, const cnnblas_onnx_array *inputs, int64_t count,
                                  cb_graph_shape *shapes, const void **data)
{
  static const double nothing[1];
  for (int64_t i = 0; i < count; i++) {
    int64_t at = find(m->inputs, m->input_count, inputs[i].name, i);
    if (at < 0)
      return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "the model has no input %.100s",
                                 inputs[i].name ? inputs[i].name : "more");
    cnnblas_status status = take_input(&m->inputs[at], &inputs[i], &shapes[at]);
    if (status) return status;
    data[at] = inputs[i].data ? inputs[i].data : nothing;
  }
  for (int64_t i = 0; i < m->input_count; i++)
    if (!data[i]) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "input %.100s is missing", m->inputs[i].name);
  return CNNBLAS_OK;
}

/* True if the plan fits these inputs. */
static bool fits(const cnnblas_onnx *m, const cb_graph_shape *shapes, const void *const *data)
{
  for (int64_t i = 0; i < m->input_count && m->plan; i++) {
    const cb_onnx_value *v = &m->plan->scheme.values[m->plan->scheme.inputs[i]];
    if (v->shape.type != shapes[i].type || v->shape.rank != shapes[i].rank ||
        memcmp(v->shape.size, shapes[i].size, sizeof v->shape.size))
      return false;
    if (v->known && memcmp(v->known, data[i], cb_onnx_bytes(&v->shape))) return false;
  }
  return m->plan != NULL;
}

static void tell_shape(const cb_graph_shape *s, cnnblas_onnx_array *a)
{
  a->type = cb_onnx_public_type(s->type);
  a->rank = s->rank;
  for (int i = 0; i < CNNBLAS_ONNX_RANK; i++) a->size[i] = i < s->rank ? s->size[i] : 0;
}

static cnnblas_status check_outputs(const cnnblas_onnx *m, const cnnblas_onnx_array *outputs, int64_t count)
{
  for (int64_t i = 0; i < count; i++)
    if (find(m->outputs, m->output_count, outputs[i].name, i) < 0)
      return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "the model has no output %.100s",
                                 outputs[i].name ? outputs[i].name : "more");
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_onnx_run(cnnblas_onnx *m, const cnnblas_onnx_array *inputs, int64_t input_count,
                                cnnblas_onnx_array *outputs, int64_t output_count)
{
  if (!m || (!inputs && input_count) || (!outputs && output_count) || input_count < 0 || output_count < 0)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "model, inputs or outputs is NULL, or a number below 0");
  cb_graph_shape *shapes = cb_onnx_zeroed((size_t)m->input_count, sizeof *shapes);
  const void **data = cb_onnx_zeroed((size_t)m->input_count, sizeof *data);
  cnnblas_status status = shapes && data ? CNNBLAS_OK : cnnblas_shared_no_memory(sizeof *shapes, "inputs");
  if (!status) status = check_outputs(m, outputs, output_count);
  if (!status) status = take_inputs(m, inputs, input_count, shapes, data);
  if (!status && !fits(m, shapes, data)) status = cb_onnx_model_plan(m, shapes, data);
  if (!status) status = cb_onnx_plan_run(m->plan, data);
  for (int64_t i = 0; i < output_count && !status; i++) {
    int64_t at = find(m->outputs, m->output_count, outputs[i].name, i);
    tell_shape(&m->plan->scheme.values[m->plan->scheme.outputs[at]].shape, &outputs[i]);
    outputs[i].data = cb_onnx_plan_output(m->plan, at);
  }
  cnnblas_shared_free(shapes);
  cnnblas_shared_free(data);
  return status;
}

/* ---- what a model tells of itself ---- */

static cnnblas_status tell(const cb_onnx_declared *list, int64_t count, int64_t index, const cb_graph_shape *planned,
                           cnnblas_onnx_array *array)
{
  if (!array || index < 0 || index >= count)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "array is NULL, or index %lld of %lld", (long long)index,
                               (long long)count);
  const cb_onnx_declared *d = &list[index];
  cnnblas_onnx_array a = {.name = d->name};
  if (planned) {
    tell_shape(planned, &a);
  } else {
    if (d->type < CB_GRAPH_TYPES) a.type = cb_onnx_public_type(d->type);
    a.rank = d->rank < 0 ? 0 : d->rank;
    for (int i = 0; i < a.rank; i++) a.size[i] = d->size[i];
  }
  *array = a;
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_onnx_get_input(const cnnblas_onnx *m, int64_t index, cnnblas_onnx_array *array)
{
  if (!m) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "model is NULL");
  bool planned = m->plan && index >= 0 && index < m->input_count;
  const cb_onnx_scheme *s = planned ? &m->plan->scheme : NULL;
  return tell(m->inputs, m->input_count, index, s ? &s->values[s->inputs[index]].shape : NULL, array);
}

cnnblas_status cnnblas_onnx_get_output(const cnnblas_onnx *m, int64_t index, cnnblas_onnx_array *array)
{
  if (!m) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "model is NULL");
  bool planned = m->plan && index >= 0 && index < m->output_count;
  const cb_onnx_scheme *s = planned ? &m->plan->scheme : NULL;
  return tell(m->outputs, m->output_count, index, s ? &s->values[s->outputs[index]].shape : NULL, array);
}

cnnblas_status cnnblas_onnx_get_info(const cnnblas_onnx *m, cnnblas_onnx_info *info)
{
  if (!m || !info) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "model or info is NULL");
  *info = (cnnblas_onnx_info){.inputs = m->input_count, .outputs = m->output_count, .opset = m->version};
  info->file_nodes = info->nodes = (int64_t)m->graph->n_node;
  info->threads = m->threads;
  info->plans = m->plans;
  const cb_onnx_plan *p = m->plan;
  if (!p) return CNNBLAS_OK;
  info->planned = 1;
  info->nodes = p->graph.node_count;
  info->block_bytes = p->bytes;
  for (int64_t v = 0; v < p->scheme.value_count; v++)
    if (p->scheme.values[v].known && p->scheme.values[v].readers)
      info->weight_bytes += cb_onnx_bytes(&p->scheme.values[v].shape);
  for (int64_t i = 0; i < p->graph.node_count; i++) {
    const cb_onnx_packed *packed;
    if (cb_onnx_plan_of(p->steps[i].node, &packed)) info->packed_bytes += packed->bytes;
  }
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_onnx_get_node(const cnnblas_onnx *m, int64_t index, cnnblas_onnx_node *node)
{
  if (!m || !node || !m->plan || index < 0 || index >= m->plan->graph.node_count)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "model or node is NULL, there is no plan, or index %lld",
                               (long long)index);
  const cb_onnx_node *n = m->plan->steps[index].node;
  const cb_onnx_packed *packed;
  const cnnblas_conv_plan *conv = cb_onnx_plan_of(n, &packed);
  *node = (cnnblas_onnx_node){.name = n->proto->name ? n->proto->name : "", .op = n->op->name, .seconds = n->seconds};
  memcpy(node->fused, n->fused, sizeof node->fused);
  if (conv) snprintf(node->algorithm, sizeof node->algorithm, "%s", cnnblas_conv_plan_algorithm(conv));
  node->packed = conv && packed->weights;
  for (int j = n->outputs - 1; j >= 0; j--) {
    if (n->output[j] == CB_ONNX_NONE) continue;
    const cb_graph_shape *s = &m->plan->scheme.values[n->output[j]].shape;
    node->rank = s->rank;
    for (int i = 0; i < s->rank; i++) node->size[i] = s->size[i];
  }
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_onnx_profile(cnnblas_onnx *m, int32_t on)
{
  if (!m) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "model is NULL");
  m->profiled = on != 0;
  if (!m->plan) return CNNBLAS_OK;
  m->plan->profiled = m->profiled;
  for (int64_t i = 0; i < m->plan->scheme.node_count; i++) m->plan->scheme.nodes[i].seconds = 0;
  return CNNBLAS_OK;
}
