/* Activation operators as the library's functions; see functions.h. */
#include "onnx/functions.h"
#include <float.h>
#include <math.h>
#include <string.h>

static bool leaky(double slope, cnnblas_activation *f)
{
  f->kind = slope == 0 ? CNNBLAS_RELU : CNNBLAS_LEAKY_RELU;
  f->alpha = slope;
  return slope >= 0 && isfinite(slope);
}

static bool clip_bound(const cb_onnx_node *node, const cb_graph_shape *const *in, const void *const *known, int j,
                       double *bound)
{
  if (j >= node->inputs || !in[j]) return true;
  if (!known[j] || in[j]->elements != 1) return false;
  *bound = cb_onnx_real_at(in[j], known[j], 0);
  return true;
}

static bool clip(const cb_onnx_node *node, const cb_graph_shape *const *in, const void *const *known,
                 cnnblas_activation *f)
{
  double low = -HUGE_VAL, high = HUGE_VAL;
  if (node->version < 11) {
    low = cb_onnx_float(node, "min", low);
    high = cb_onnx_float(node, "max", high);
    if (low <= -(double)FLT_MAX) low = -HUGE_VAL;
    if (high >= (double)FLT_MAX) high = HUGE_VAL;
  } else if (!clip_bound(node, in, known, 1, &low) || !clip_bound(node, in, known, 2, &high)) {
    return false;
  }
  *f = (cnnblas_activation){.kind = CNNBLAS_CLIP, .alpha = low, .beta = high};
  return low < high;
}

static bool near(double a, double b)
{
  return fabs(a - b) <= 1e-7 * fabs(b);
}

bool cb_onnx_function(const cb_onnx_node *node, const cb_graph_shape *const *in, const void *const *known,
                      cnnblas_activation *f)
{
  static const struct {
    const char *name;
    cnnblas_activation_kind kind;
  } plain[] = {{"Relu", CNNBLAS_RELU},
               {"Sigmoid", CNNBLAS_SIGMOID},
               {"Tanh", CNNBLAS_TANH},
               {"Softplus", CNNBLAS_SOFTPLUS},
               {"HardSwish", CNNBLAS_HSWISH}};
  const char *op = node->op->name;
  *f = (cnnblas_activation){0};
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
    if (!strcmp(op, plain[i].name)) {
      f->kind = plain[i].kind;
      return true;
    }
  if (!strcmp(op, "LeakyRelu")) return leaky(cb_onnx_float(node, "alpha", 0.01), f);
  if (!strcmp(op, "Clip")) return clip(node, in, known, f);
  if (!strcmp(op, "Elu")) {
    *f = (cnnblas_activation){.kind = CNNBLAS_ELU, .alpha = cb_onnx_float(node, "alpha", 1)};
    return f->alpha > 0 && isfinite(f->alpha);
  }
  if (!strcmp(op, "Selu")) {
    f->kind = CNNBLAS_SELU;
    return near(cb_onnx_float(node, "alpha", 1.67326319217681884765625), 1.67326319217681884765625) &&
           near(cb_onnx_float(node, "gamma", 1.05070102214813232421875), 1.05070102214813232421875);
  }
  if (!strcmp(op, "HardSigmoid")) {
    f->kind = CNNBLAS_HSIGMOID;
    return near(cb_onnx_float(node, "alpha", 0.2), 1.0 / 6) && near(cb_onnx_float(node, "beta", 0.5), 0.5);
  }
  return false;
}
