/* Operators that make constants, shapes and ranges: Constant ConstantOfShape Shape Size Range. */
#include "onnx/proto_tensor.h"
#include "onnx/rows.h"
#include <math.h>
#include <string.h>

/* ---- Constant: the plan takes a tensor as it lies; only lists are left for here ---- */

static cnnblas_status infer_constant(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  static const struct {
    const char *name;
    cb_graph_type type;
    int rank;
  } forms[] = {{"value_float", CB_GRAPH_F32, 0},
               {"value_floats", CB_GRAPH_F32, 1},
               {"value_int", CB_GRAPH_I64, 0},
               {"value_ints", CB_GRAPH_I64, 1}};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    const CbOnnx__AttributeProto *a = cb_onnx_attribute(node, forms[i].name);
    if (!a) continue;
    s->out[0] = (cb_graph_shape){.type = forms[i].type, .rank = forms[i].rank};
    s->out[0].size[0] = (int64_t)(forms[i].type == CB_GRAPH_F32 ? a->n_floats : a->n_ints);
    return CNNBLAS_OK;
  }
  const CbOnnx__AttributeProto *a = cb_onnx_attribute(node, "value");
  const void *data;
  void *owned = NULL;
  if (!a || !a->t)
    return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "no value, or one of a kind that is not supported");
  cnnblas_status status = cb_onnx_tensor_read(a->t, NULL, s->out, &data, &owned);
  cnnblas_shared_free(owned);
  return status ? cb_onnx_node_because(node, status) : CNNBLAS_OK;
}

static cnnblas_status run_constant(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const cb_graph_shape *y = call->out[0];
  const CbOnnx__AttributeProto *a = cb_onnx_attribute(node, "value");
  if (a) {
    cb_graph_shape shape;
    const void *data;
    void *owned;
    cnnblas_status status = cb_onnx_tensor_read(a->t, NULL, &shape, &data, &owned);
    if (!status) memcpy(call->y[0], data, cb_onnx_bytes(y));
    cnnblas_shared_free(owned);
    return status;
  }
  if (y->type == CB_GRAPH_F32 && y->rank) {
    memcpy(call->y[0], cb_onnx_attribute(node, "value_floats")->floats, cb_onnx_bytes(y));
  } else if (y->rank) {
    memcpy(call->y[0], cb_onnx_attribute(node, "value_ints")->ints, cb_onnx_bytes(y));
  } else if (y->type == CB_GRAPH_F32) {
    *(float *)call->y[0] = cb_onnx_attribute(node, "value_float")->f;
  } else {
    *(int64_t *)call->y[0] = cb_onnx_attribute(node, "value_int")->i;
  }
  return CNNBLAS_OK;
}

/* ---- ConstantOfShape ---- */

typedef struct {
  uint64_t bits;
  size_t bytes;
} filling;

static cnnblas_status infer_filled(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  filling *own = node->settings;
  int64_t size[CB_GRAPH_RANK];
  int count;
  cnnblas_status status = cb_onnx_known_ints(node, s, 0, size, CB_GRAPH_RANK, &count);
  if (status) return status;
  const CbOnnx__AttributeProto *a = cb_onnx_attribute(node, "value");
  cb_graph_shape value = {.type = CB_GRAPH_F32, .elements = 1};
  const void *data = NULL;
  void *owned = NULL;
  if (a && a->t) status = cb_onnx_tensor_read(a->t, NULL, &value, &data, &owned);
  own->bytes = cnnblas_graph_type_bytes(value.type);
  if (!status && value.elements != 1) status = cnnblas_shared_fail(CNNBLAS_BAD_FORMAT, "its value is not one number");
  if (!status && data) memcpy(&own->bits, data, own->bytes);
  cnnblas_shared_free(owned);
  if (status) return cb_onnx_node_because(node, status);
  s->out[0] = (cb_graph_shape){.type = value.type, .rank = count};
  for (int i = 0; i < count; i++) {
    s->out[0].size[i] = size[i];
    if (size[i] < 0) return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "size %lld", (long long)size[i]);
  }
  return CNNBLAS_OK;
}

static cnnblas_status run_filled(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const filling *own = node->settings;
  char *y = call->y[0];
  for (int64_t i = 0; i < call->out[0]->elements; i++) memcpy(y + (size_t)i * own->bytes, &own->bits, own->bytes);
  return CNNBLAS_OK;
}

/* ---- Shape, Size ---- */

static void shape_range(const cb_onnx_node *node, int rank, int64_t *from, int64_t *to)
{
  *from = cb_onnx_int(node, "start", 0);
  *to = cb_onnx_int(node, "end", rank);
  if (*from < 0) *from += rank;
  if (*to < 0) *to += rank;
  *from = cb_max(0, cb_min(rank, *from));
  *to = cb_max(*from, cb_min(rank, *to));
}

static cnnblas_status infer_shape(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  int64_t from, to;
  shape_range(node, s->in[0]->rank, &from, &to);
  s->out[0] = (cb_graph_shape){.type = CB_GRAPH_I64, .rank = 1, .size = {to - from}};
  return CNNBLAS_OK;
}

static cnnblas_status run_shape(const cb_onnx_node *node, const cb_onnx_call *call)
{
  int64_t from, to, *y = call->y[0];
  shape_range(node, call->in[0]->rank, &from, &to);
  for (int64_t i = from; i < to; i++) y[i - from] = call->in[0]->size[i];
  return CNNBLAS_OK;
}

static cnnblas_status infer_size(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  (void)node;
  s->out[0] = (cb_graph_shape){.type = CB_GRAPH_I64};
  return CNNBLAS_OK;
}

static cnnblas_status run_size(const cb_onnx_node *node, const cb_onnx_call *call)
{
  (void)node;
  *(int64_t *)call->y[0] = call->in[0]->elements;
  return CNNBLAS_OK;
}

/* ---- Range ---- */

static cnnblas_status infer_range(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  double v[3];
  for (int j = 0; j < 3; j++) {
    int count;
    cnnblas_status status = cb_onnx_known_reals(node, s, j, &v[j], 1, &count);
    if (status) return status;
    if (count != 1 || s->in[j]->type != s->in[0]->type)
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "input %d is not one number of the others' type", j);
  }
  double steps = ceil((v[1] - v[0]) / v[2]);
  if (!(fabs(steps) < 0x1p62)) return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "a range without an end");
  s->out[0] = (cb_graph_shape){.type = s->in[0]->type, .rank = 1, .size = {steps > 0 ? (int64_t)steps : 0}};
  return CNNBLAS_OK;
}

/* Fills a Range. `wide` is the type to add in, so that integers wrap around. */
#define STEPS(type, wide)                                                                                              \
  {                                                                                                                    \
    type first = *(const type *)call->x[0], step = *(const type *)call->x[2], *y = call->y[0];                         \
    for (int64_t i = 0; i < n; i++) y[i] = (type)((wide)first + (wide)i * (wide)step);                                 \
  }

static cnnblas_status run_range(const cb_onnx_node *node, const cb_onnx_call *call)
{
  int64_t n = call->out[0]->elements;
  (void)node;
  switch (call->out[0]->type) {
  case CB_GRAPH_F32:
    STEPS(float, float) break;
  case CB_GRAPH_F64:
    STEPS(double, double) break;
  case CB_GRAPH_I32:
    STEPS(int32_t, uint32_t) break;
  case CB_GRAPH_I64:
    STEPS(int64_t, uint64_t) break;
  default:
    STEPS(uint8_t, uint32_t)
  }
  return CNNBLAS_OK;
}

const cb_onnx_operator cb_onnx_constant_rows[] = {
    {"Constant", 1, CB_ONNX_NEWEST, 0, 0, 1, CB_ONNX_NO_ELEMENTS, 0, infer_constant, NULL, run_constant, NULL},
    {"ConstantOfShape", 9, CB_ONNX_NEWEST, 1, 1, 1, 0, sizeof(filling), infer_filled, NULL, run_filled, NULL},
    {"Shape", 1, CB_ONNX_NEWEST, 1, 1, 1, CB_ONNX_NO_ELEMENTS, 0, infer_shape, NULL, run_shape, NULL},
    {"Size", 1, CB_ONNX_NEWEST, 1, 1, 1, CB_ONNX_NO_ELEMENTS, 0, infer_size, NULL, run_size, NULL},
    {"Range", 11, CB_ONNX_NEWEST, 3, 3, 1, 0, 0, infer_range, NULL, run_range, NULL},
    {0}};
