/* Folds scales and shifts of each channel into the weights and bias of the convolution before them; see passes.h. */
#include "onnx/convolution.h"
#include "onnx/normalisation.h"
#include "onnx/passes.h"
#include <math.h>
#include <string.h>

/* The function y = scale * x + shift by channel: channel c has element c of each, or the one that there is. */
typedef struct {
  const cb_onnx_value *scale, *shift; /* NULL: scale 1, shift 0 */
  const cb_onnx_value *mean, *variance;
  double epsilon;
  bool divides, subtracts;
} affine;

static double at(const cb_onnx_value *v, int64_t c)
{
  return cb_onnx_real_at(&v->shape, v->known, v->shape.elements == 1 ? 0 : c);
}

static void factor(const affine *a, int64_t c, double *scale, double *shift)
{
  *scale = a->scale ? at(a->scale, c) : 1;
  *shift = a->shift ? at(a->shift, c) : 0;
  if (a->divides) *scale = 1 / *scale;
  if (a->subtracts) *shift = -*shift;
  if (!a->mean) return;
  *scale /= sqrt(at(a->variance, c) + a->epsilon);
  *shift -= at(a->mean, c) * *scale;
}

/* True if a constant has one element, or one for each channel of `out`. */
static bool by_channel(const cb_onnx_node *node, const cb_onnx_value *v, const cb_graph_shape *out)
{
  const cb_graph_shape *b = &v->shape;
  if (!v->known || b->rank > out->rank || b->type != out->type) return false;
  if (b->elements == 1) return true;
  int64_t from =
      node->version < 7 ? cb_onnx_int(node, "axis", (int64_t)out->rank - b->rank) : (int64_t)out->rank - b->rank;
  for (int i = 0; i < b->rank; i++)
    if (b->size[i] != 1 && (from + i != 1 || b->size[i] != out->size[1])) return false;
  return true;
}

/* True if the node is such a function of the convolution's output `value`; *a is then the function. */
static bool as_affine(const cb_onnx_scheme *s, const cb_onnx_node *node, int64_t value, affine *a)
{
  const cb_graph_shape *out = &s->values[value].shape;
  const char *op = node->op->name;
  memset(a, 0, sizeof *a);
  if (cb_onnx_normalises(node, &a->epsilon)) {
    const cb_onnx_value *v[5];
    for (int j = 0; j < 5; j++) v[j] = &s->values[node->input[j]];
    a->scale = v[1];
    a->shift = v[2];
    a->mean = v[3];
    a->variance = v[4];
    return node->input[0] == value && v[1]->known && v[2]->known && v[3]->known && v[4]->known;
  }
  bool add = !strcmp(op, "Add"), mul = !strcmp(op, "Mul");
  a->subtracts = !strcmp(op, "Sub");
  a->divides = !strcmp(op, "Div");
  if (!add && !mul && !a->subtracts && !a->divides) return false;
  int other = node->input[0] == value;
  if (!other && !add && !mul) return false;
  const cb_onnx_value *v = &s->values[node->input[other]];
  if (mul || a->divides)
    a->scale = v;
  else
    a->shift = v;
  const cb_graph_shape *made = &s->values[node->output[0]].shape;
  return by_channel(node, v, out) && made->rank == out->rank && made->elements == out->elements;
}

static void put(cb_graph_type type, void *data, int64_t i, double x)
{
  if (type == CB_GRAPH_F64)
    ((double *)data)[i] = x;
  else
    ((float *)data)[i] = (float)x;
}

/* Takes the bytes of new weights and a new bias off what may still be rewritten; false if they are more. */
static bool afford(cb_onnx_scheme *s, const cb_onnx_node *conv)
{
  const cb_graph_shape *w = &s->values[conv->input[CB_ONNX_CONV_W]].shape;
  size_t bytes = cb_onnx_bytes(w) + (size_t)w->size[0] * sizeof(double);
  if (bytes > s->rewriting) return false;
  s->rewriting -= bytes;
  return true;
}

/* Gives the convolution new weights and a new bias, with the function in them. */
static cnnblas_status rewrite(cb_onnx_scheme *s, cb_onnx_node *conv, const affine *a)
{
  const cb_onnx_value *w = &s->values[conv->input[CB_ONNX_CONV_W]];
  cb_graph_shape weights = w->shape, biases = {.type = weights.type, .rank = 1, .size = {weights.size[0]}};
  int64_t old = conv->inputs > CB_ONNX_CONV_BIAS ? conv->input[CB_ONNX_CONV_BIAS] : CB_ONNX_NONE, k = weights.size[0];
  int64_t new_w = conv->input[CB_ONNX_CONV_W], new_b, each = k ? weights.elements / k : 0;
  const void *from = w->known;
  void *to = NULL, *b;
  biases.elements = k;
  cnnblas_status status = cb_onnx_scheme_constant(s, &biases, &new_b, &b);
  if (!status && (a->scale || a->mean)) status = cb_onnx_scheme_constant(s, &weights, &new_w, &to);
  if (status) return status;
  for (int64_t c = 0; c < k; c++) {
    double scale, shift, bias = old == CB_ONNX_NONE ? 0 : at(&s->values[old], c);
    factor(a, c, &scale, &shift);
    put(biases.type, b, c, bias * scale + shift);
    for (int64_t i = c * each; i < (c + 1) * each && to; i++)
      put(weights.type, to, i, cb_onnx_real_at(&weights, from, i) * scale);
  }
  cb_onnx_scheme_read(s, conv, CB_ONNX_CONV_W, new_w);
  cb_onnx_scheme_read(s, conv, CB_ONNX_CONV_BIAS, new_b);
  return CNNBLAS_OK;
}

/* True if weights and bias are constant, and the store does nothing yet. */
static bool plain(const cb_onnx_scheme *s, const cb_onnx_node *conv)
{
  int64_t bias = conv->inputs > CB_ONNX_CONV_BIAS ? conv->input[CB_ONNX_CONV_BIAS] : CB_ONNX_NONE;
  return s->values[conv->input[CB_ONNX_CONV_W]].known && (bias == CB_ONNX_NONE || s->values[bias].known) &&
         cb_onnx_as_convolution(conv)->activation.kind == CNNBLAS_IDENTITY && conv->inputs <= CB_ONNX_CONV_RESIDUAL;
}

cnnblas_status cb_onnx_pass_normalise(cb_onnx_scheme *s)
{
  cnnblas_status status = CNNBLAS_OK;
  for (int64_t i = 0; i < s->node_count && !status; i++) {
    cb_onnx_node *conv = &s->nodes[i];
    if (conv->gone || !cb_onnx_as_convolution(conv) || !plain(s, conv)) continue;
    cb_onnx_node *next = cb_onnx_scheme_reader(s, conv->output[0]);
    affine a;
    if (!next || !as_affine(s, next, conv->output[0], &a) || !afford(s, conv)) continue;
    status = rewrite(s, conv, &a);
    if (!status) cb_onnx_scheme_absorb(s, conv, next); /* the loop sees conv again, in next's place */
  }
  return status;
}
