/* What operators share: attributes, known inputs, messages; see node.h. */
#include "onnx/node.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *cb_onnx_node_name(const cb_onnx_node *node)
{
  const CbOnnx__NodeProto *p = node->proto;
  if (p->name && *p->name) return p->name;
  for (size_t i = 0; i < p->n_output; i++)
    if (*p->output[i]) return p->output[i];
  return "without a name";
}

cnnblas_status cb_onnx_node_fail(const cb_onnx_node *node, cnnblas_status status, const char *format, ...)
{
  char what[300];
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  return cnnblas_shared_fail(status, "%.64s %.100s: %s", node->proto->op_type, cb_onnx_node_name(node), what);
}

cnnblas_status cb_onnx_node_because(const cb_onnx_node *node, cnnblas_status status)
{
  char what[300];
  snprintf(what, sizeof what, "%s", cnnblas_last_error());
  return cb_onnx_node_fail(node, status, "%s", what);
}

/* ---- attributes ---- */

const CbOnnx__AttributeProto *cb_onnx_attribute(const cb_onnx_node *node, const char *name)
{
  for (size_t i = 0; i < node->proto->n_attribute; i++) {
    const CbOnnx__AttributeProto *a = node->proto->attribute[i];
    if (a->name && !strcmp(a->name, name)) return a;
  }
  return NULL;
}

int64_t cb_onnx_int(const cb_onnx_node *node, const char *name, int64_t otherwise)
{
  const CbOnnx__AttributeProto *a = cb_onnx_attribute(node, name);
  return a && a->has_i ? a->i : otherwise;
}

double cb_onnx_float(const cb_onnx_node *node, const char *name, double otherwise)
{
  const CbOnnx__AttributeProto *a = cb_onnx_attribute(node, name);
  return a && a->has_f ? a->f : otherwise;
}

bool cb_onnx_is(const cb_onnx_node *node, const char *name, const char *word, const char *otherwise)
{
  const CbOnnx__AttributeProto *a = cb_onnx_attribute(node, name);
  if (!a || !a->has_s) return !strcmp(word, otherwise);
  return a->s.len == strlen(word) && !memcmp(a->s.data, word, a->s.len);
}

cnnblas_status cb_onnx_ints(const cb_onnx_node *node, const char *name, int64_t *values, int most, int *count)
{
  const CbOnnx__AttributeProto *a = cb_onnx_attribute(node, name);
  *count = 0;
  if (!a) return CNNBLAS_OK;
  if (a->n_ints > (size_t)most)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "%s has %zu numbers, more than %d", name, a->n_ints, most);
  for (size_t i = 0; i < a->n_ints; i++) values[i] = a->ints[i];
  *count = (int)a->n_ints;
  return CNNBLAS_OK;
}

/* ---- shapes ---- */

double cb_onnx_real_at(const cb_graph_shape *shape, const void *data, int64_t i)
{
  switch (shape->type) {
  case CB_GRAPH_F32:
    return ((const float *)data)[i];
  case CB_GRAPH_F64:
    return ((const double *)data)[i];
  default:
    return (double)cb_onnx_int_at(shape, data, i);
  }
}

int64_t cb_onnx_int_at(const cb_graph_shape *shape, const void *data, int64_t i)
{
  switch (shape->type) {
  case CB_GRAPH_I32:
    return ((const int32_t *)data)[i];
  case CB_GRAPH_I64:
    return ((const int64_t *)data)[i];
  case CB_GRAPH_U8:
  case CB_GRAPH_BOOL:
    return ((const uint8_t *)data)[i];
  default: {
    double x = cb_onnx_real_at(shape, data, i);
    return x > -9e18 && x < 9e18 ? (int64_t)x : 0;
  }
  }
}

/* *count = the number of elements of input j, 0 if it is left out. Fails if the input is not constant or has more than
   `most`. */
static cnnblas_status look(const cb_onnx_node *node, const cb_onnx_shapes *s, int j, int most, int *count)
{
  *count = 0;
  if (j >= node->inputs || !s->in[j]) return CNNBLAS_OK;
  if (!s->known[j] && s->in[j]->elements) {
    *s->lacks = true;
    return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "input %d must be constant: shapes depend on it", j);
  }
  if (s->in[j]->elements > most)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "input %d has %lld numbers, more than %d", j,
                             (long long)s->in[j]->elements, most);
  *count = (int)s->in[j]->elements;
  return CNNBLAS_OK;
}

cnnblas_status cb_onnx_known_ints(const cb_onnx_node *node, const cb_onnx_shapes *s, int j, int64_t *values, int most,
                                  int *count)
{
  cnnblas_status status = look(node, s, j, most, count);
  for (int i = 0; i < *count && !status; i++) values[i] = cb_onnx_int_at(s->in[j], s->known[j], i);
  return status;
}

cnnblas_status cb_onnx_known_reals(const cb_onnx_node *node, const cb_onnx_shapes *s, int j, double *values, int most,
                                   int *count)
{
  cnnblas_status status = look(node, s, j, most, count);
  for (int i = 0; i < *count && !status; i++) values[i] = cb_onnx_real_at(s->in[j], s->known[j], i);
  return status;
}

cnnblas_status cb_onnx_list(const cb_onnx_node *node, const cb_onnx_shapes *s, const char *name, int version, int j,
                            int64_t *values, int *count)
{
  if (node->version < version) return cb_onnx_ints(node, name, values, CB_GRAPH_RANK, count);
  return cb_onnx_known_ints(node, s, j, values, CB_GRAPH_RANK, count);
}

cnnblas_status cb_onnx_axis(const cb_onnx_node *node, int64_t *axis, int rank, bool end)
{
  int64_t given = *axis;
  if (*axis < 0) *axis += rank;
  if (*axis >= 0 && *axis < rank + end) return CNNBLAS_OK;
  return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "axis %lld of an array of rank %d", (long long)given, rank);
}

bool cb_onnx_is_real(cb_graph_type type)
{
  return type == CB_GRAPH_F32 || type == CB_GRAPH_F64;
}

cnnblas_status cb_onnx_need_real(const cb_onnx_node *node, const cb_onnx_shapes *s, int j)
{
  if (cb_onnx_is_real(s->in[j]->type)) return CNNBLAS_OK;
  return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "input %d must be f32 or f64", j);
}

cnnblas_status cb_onnx_same(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  for (int j = 0; j < node->outputs; j++) s->out[j] = *s->in[0];
  return CNNBLAS_OK;
}
