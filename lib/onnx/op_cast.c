/* Cast between all types. Reals beyond an integer type's range become its nearest number, NaN 0; a bool is whether a number is
   not 0. */
#include "onnx/proto_tensor.h"
#include "onnx/rows.h"
#include <string.h>

static cnnblas_status infer(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  int64_t to = cb_onnx_int(node, "to", 0);
  s->out[0] = *s->in[0];
  s->out[0].type = cb_onnx_core_type(to);
  if (s->out[0].type == CB_GRAPH_TYPES || cb_onnx_public_type(s->out[0].type) != to)
    return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "to ONNX's type %lld", (long long)to);
  return CNNBLAS_OK;
}

static int64_t whole(double x, double low, double high)
{
  if (x != x) return 0;
  if (x <= low) return (int64_t)low;
  if (x < high) return (int64_t)x;
  return high > 9.2e18 ? INT64_MAX : (int64_t)high;
}

static void put_real(cb_graph_type type, void *y, int64_t i, double x)
{
  switch (type) {
  case CB_GRAPH_F32:
    ((float *)y)[i] = (float)x;
    break;
  case CB_GRAPH_F64:
    ((double *)y)[i] = x;
    break;
  case CB_GRAPH_I32:
    ((int32_t *)y)[i] = (int32_t)whole(x, INT32_MIN, INT32_MAX);
    break;
  case CB_GRAPH_I64:
    ((int64_t *)y)[i] = whole(x, -0x1p63, 0x1p63);
    break;
  case CB_GRAPH_U8:
    ((uint8_t *)y)[i] = (uint8_t)whole(x, 0, UINT8_MAX);
    break;
  default:
    ((uint8_t *)y)[i] = x != 0;
  }
}

static void put_whole(cb_graph_type type, void *y, int64_t i, int64_t x)
{
  switch (type) {
  case CB_GRAPH_F32:
    ((float *)y)[i] = (float)x;
    break;
  case CB_GRAPH_F64:
    ((double *)y)[i] = (double)x;
    break;
  case CB_GRAPH_I32:
    ((int32_t *)y)[i] = (int32_t)(uint32_t)(uint64_t)x;
    break;
  case CB_GRAPH_I64:
    ((int64_t *)y)[i] = x;
    break;
  case CB_GRAPH_U8:
    ((uint8_t *)y)[i] = (uint8_t)x;
    break;
  default:
    ((uint8_t *)y)[i] = x != 0;
  }
}

static cnnblas_status run(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const cb_graph_shape *in = call->in[0];
  cb_graph_type to = call->out[0]->type;
  (void)node;
  if (to == in->type)
    memcpy(call->y[0], call->x[0], cb_onnx_bytes(in));
  else if (cb_onnx_is_real(in->type))
    for (int64_t i = 0; i < in->elements; i++) put_real(to, call->y[0], i, cb_onnx_real_at(in, call->x[0], i));
  else
    for (int64_t i = 0; i < in->elements; i++) put_whole(to, call->y[0], i, cb_onnx_int_at(in, call->x[0], i));
  return CNNBLAS_OK;
}

const cb_onnx_operator cb_onnx_cast_rows[] = {{"Cast", 6, CB_ONNX_NEWEST, 1, 1, 1, 0, 0, infer, NULL, run, NULL}, {0}};
