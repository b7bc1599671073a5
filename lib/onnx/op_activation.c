/* Activations: Relu LeakyRelu Clip Sigmoid Tanh Elu Selu Softplus HardSigmoid HardSwish. They run on the library's
   functions, and on loops of their own for parameters and types that these do not take. */
#include "onnx/functions.h"
#include "onnx/rows.h"
#include <math.h>
#include <string.h>

typedef struct {
  cnnblas_activation function;
  bool ours; /* true: `function` of the library does it */
  double alpha, beta;
} activation;

static cnnblas_status infer(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  activation *own = node->settings;
  cb_graph_type type = s->in[0]->type;
  bool clips = !strcmp(node->op->name, "Clip");
  if (!cb_onnx_is_real(type) && !(clips && type != CB_GRAPH_BOOL))
    return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "an input of this type");
  for (int j = 1; j < node->inputs; j++)
    if (s->in[j] && (s->in[j]->elements != 1 || s->in[j]->type != type))
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "bounds that are not one number of its input's type");
  own->ours = cb_onnx_is_real(type) && cb_onnx_function(node, s->in, s->known, &own->function);
  bool selu = !strcmp(node->op->name, "Selu"), hard = !strcmp(node->op->name, "HardSigmoid");
  own->alpha = cb_onnx_float(node, "alpha", selu ? 1.67326319217681884765625 : hard ? 0.2 : 0.01);
  own->beta = selu ? cb_onnx_float(node, "gamma", 1.05070102214813232421875) : cb_onnx_float(node, "beta", 0.5);
  return cb_onnx_same(node, s);
}

/* The value of LeakyRelu, Elu, Selu or HardSigmoid at x, with any parameters. */
static double other(const char *op, double a, double b, double x)
{
  if (!strcmp(op, "LeakyRelu")) return x < 0 ? a * x : x;
  if (!strcmp(op, "Elu")) return x < 0 ? a * expm1(x) : x;
  if (!strcmp(op, "Selu")) return b * (x <= 0 ? a * expm1(x) : x);
  return fmax(0, fmin(1, a * x + b));
}

#define CLIP(type)                                                                                                     \
  {                                                                                                                    \
    const type *x = call->x[0];                                                                                        \
    type *y = call->y[0];                                                                                              \
    bool has_low = node->inputs > 1 && call->x[1], has_high = node->inputs > 2 && call->x[2];                          \
    type low = has_low ? *(const type *)call->x[1] : 0, high = has_high ? *(const type *)call->x[2] : 0;               \
    for (int64_t i = 0; i < count; i++) {                                                                              \
      type p = x[i];                                                                                                   \
      if (has_low && p < low) p = low;                                                                                 \
      if (has_high && p > high) p = high;                                                                              \
      y[i] = p;                                                                                                        \
    }                                                                                                                  \
  }

static void run_clip(const cb_onnx_node *node, const cb_onnx_call *call)
{
  int64_t count = call->in[0]->elements;
  switch (call->in[0]->type) {
  case CB_GRAPH_F32:
    CLIP(float) break;
  case CB_GRAPH_F64:
    CLIP(double) break;
  case CB_GRAPH_I32:
    CLIP(int32_t) break;
  case CB_GRAPH_I64:
    CLIP(int64_t) break;
  default:
    CLIP(uint8_t)
  }
}

/* Before version 11 the bounds may be in any order: y = min(max(x, low), high). */
static void run_old_clip(const cb_onnx_node *node, const cb_onnx_call *call)
{
  double low = cb_onnx_float(node, "min", -HUGE_VAL), high = cb_onnx_float(node, "max", HUGE_VAL);
  for (int64_t i = 0; i < call->in[0]->elements; i++) {
    double p = cb_onnx_real_at(call->in[0], call->x[0], i);
    p = p < low ? low : p;
    p = p > high ? high : p;
    if (call->in[0]->type == CB_GRAPH_F64)
      ((double *)call->y[0])[i] = p;
    else
      ((float *)call->y[0])[i] = (float)p;
  }
}

static cnnblas_status run(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const activation *own = node->settings;
  int64_t count = call->in[0]->elements;
  cb_graph_type type = call->in[0]->type;
  if (own->ours) {
    cnnblas_activation_desc desc = {.dtype = cb_onnx_dtype(type), .threads = call->threads, .function = own->function};
    return cnnblas_activation_forward(&desc, count, call->x[0], call->y[0]);
  }
  if (!strcmp(node->op->name, "Clip")) {
    if (node->version < 11)
      run_old_clip(node, call);
    else
      run_clip(node, call);
    return CNNBLAS_OK;
  }
  for (int64_t i = 0; i < count; i++) {
    double y = other(node->op->name, own->alpha, own->beta, cb_onnx_real_at(call->in[0], call->x[0], i));
    if (type == CB_GRAPH_F64)
      ((double *)call->y[0])[i] = y;
    else
      ((float *)call->y[0])[i] = (float)y;
  }
  return CNNBLAS_OK;
}

#define ACTIVATION(name, from, most)                                                                                   \
  {                                                                                                                    \
    name, from, CB_ONNX_NEWEST, 1, most, 1, CB_ONNX_IN_PLACE | CB_ONNX_BY_ELEMENT, sizeof(activation), infer, NULL,    \
        run, NULL                                                                                                      \
  }

const cb_onnx_operator cb_onnx_activation_rows[] = {ACTIVATION("Relu", 6, 1),
                                                    ACTIVATION("LeakyRelu", 6, 1),
                                                    ACTIVATION("Clip", 6, 3),
                                                    ACTIVATION("Sigmoid", 6, 1),
                                                    ACTIVATION("Tanh", 6, 1),
                                                    ACTIVATION("Elu", 6, 1),
                                                    ACTIVATION("Selu", 6, 1),
                                                    ACTIVATION("Softplus", 1, 1),
                                                    ACTIVATION("HardSigmoid", 6, 1),
                                                    ACTIVATION("HardSwish", 14, 1),
                                                    {0}};
