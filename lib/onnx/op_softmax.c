/* Softmax and LogSoftmax, along one axis; before version 13 over all axes from one on. */
#include "onnx/rows.h"
#include <math.h>
#include <string.h>

typedef struct {
  int64_t outer, size, inner;
} slices;

static cnnblas_status infer(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  slices *own = node->settings;
  const cb_graph_shape *x = s->in[0];
  bool old = node->version < 13;
  int64_t axis = cb_onnx_int(node, "axis", old ? 1 : -1);
  cnnblas_status status = cb_onnx_need_real(node, s, 0);
  if (!status) status = cb_onnx_axis(node, &axis, x->rank, old);
  if (status) return status;
  own->outer = cb_onnx_product(x, 0, (int)axis);
  own->size = old ? cb_onnx_product(x, (int)axis, x->rank) : x->size[axis];
  own->inner = old ? 1 : cb_onnx_product(x, (int)axis + 1, x->rank);
  return cb_onnx_same(node, s);
}

/* Computes one slice, whose elements lie `step` apart. */
#define SLICE(name, type)                                                                                              \
  static void name(const type *x, type *y, int64_t n, int64_t step, bool logarithm)                                    \
  {                                                                                                                    \
    double largest = -HUGE_VAL, sum = 0;                                                                               \
    for (int64_t i = 0; i < n; i++) largest = x[i * step] > largest ? (double)x[i * step] : largest;                   \
    for (int64_t i = 0; i < n; i++) sum += exp((double)x[i * step] - largest);                                         \
    double shift = largest + log(sum);                                                                                 \
    for (int64_t i = 0; i < n; i++) {                                                                                  \
      double z = (double)x[i * step];                                                                                  \
      y[i * step] = (type)(logarithm ? z - shift : exp(z - largest) / sum);                                            \
    }                                                                                                                  \
  }
SLICE(slice_f32, float)
SLICE(slice_f64, double)

typedef struct {
  const slices *own;
  const cb_onnx_call *call;
  bool logarithm;
} job;

static void run_outer(void *context, int64_t o, int worker)
{
  const job *j = context;
  const slices *w = j->own;
  (void)worker;
  for (int64_t i = 0; i < w->inner; i++) {
    int64_t at = o * w->size * w->inner + i;
    if (j->call->in[0]->type == CB_GRAPH_F64)
      slice_f64((const double *)j->call->x[0] + at, (double *)j->call->y[0] + at, w->size, w->inner, j->logarithm);
    else
      slice_f32((const float *)j->call->x[0] + at, (float *)j->call->y[0] + at, w->size, w->inner, j->logarithm);
  }
}

static cnnblas_status run(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const slices *own = node->settings;
  bool logarithm = strcmp(node->op->name, "Softmax") != 0;
  if (!call->out[0]->elements) return CNNBLAS_OK;
  if (!logarithm && own->inner == 1) {
    cnnblas_loss_desc desc = {.dtype = cb_onnx_dtype(call->in[0]->type), .n = own->outer, .classes = own->size};
    desc.threads = call->threads;
    desc.reduction = CNNBLAS_REDUCTION_MEAN;
    return cnnblas_softmax_forward(&desc, own->outer, call->x[0], call->y[0]);
  }
  job j = {own, call, logarithm};
  cnnblas_shared_parallel(call->out[0]->elements > 4096 ? call->threads : 1, own->outer, run_outer, &j);
  return CNNBLAS_OK;
}

#define SOFTMAX(name)                                                                                                  \
  {                                                                                                                    \
    name, 1, CB_ONNX_NEWEST, 1, 1, 1, CB_ONNX_IN_PLACE, sizeof(slices), infer, NULL, run, NULL                         \
  }

const cb_onnx_operator cb_onnx_softmax_rows[] = {SOFTMAX("Softmax"), SOFTMAX("LogSoftmax"), {0}};
