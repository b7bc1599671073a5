/* Operators on one input, element by element: Abs Neg Floor Exp Log Sqrt Erf Not. */
#include "onnx/rows.h"
#include <math.h>
#include <string.h>

typedef void (*loop)(const void *x, void *y, int64_t from, int64_t to);

#define LOOP(name, type, expression)                                                                                   \
  static void name(const void *from_x, void *to_y, int64_t from, int64_t to)                                           \
  {                                                                                                                    \
    const type *x = from_x;                                                                                            \
    type *y = to_y;                                                                                                    \
    for (int64_t i = from; i < to; i++) {                                                                              \
      const type p = x[i];                                                                                             \
      y[i] = (type)(expression);                                                                                       \
    }                                                                                                                  \
  }
#define REALS(name, f32, f64) LOOP(name##_f32, float, f32) LOOP(name##_f64, double, f64)

REALS(absolute, fabsf(p), fabs(p))
LOOP(absolute_i32, int32_t, p < 0 ? 0 - (uint32_t)p : (uint32_t)p)
LOOP(absolute_i64, int64_t, p < 0 ? 0 - (uint64_t)p : (uint64_t)p)
LOOP(absolute_u8, uint8_t, p)
REALS(negative, -p, -p)
LOOP(negative_i32, int32_t, 0 - (uint32_t)p)
LOOP(negative_i64, int64_t, 0 - (uint64_t)p)
REALS(lower, floorf(p), floor(p))
REALS(exponential, expf(p), exp(p))
REALS(logarithm, logf(p), log(p))
REALS(root, sqrtf(p), sqrt(p))
REALS(error_function, erff(p), erf(p))
LOOP(negation, uint8_t, !p)

static const struct {
  const char *name;
  loop loops[CB_GRAPH_TYPES];
} functions[] = {{"Abs",
                  {[CB_GRAPH_F32] = absolute_f32,
                   [CB_GRAPH_F64] = absolute_f64,
                   [CB_GRAPH_I32] = absolute_i32,
                   [CB_GRAPH_I64] = absolute_i64,
                   [CB_GRAPH_U8] = absolute_u8}},
                 {"Neg",
                  {[CB_GRAPH_F32] = negative_f32,
                   [CB_GRAPH_F64] = negative_f64,
                   [CB_GRAPH_I32] = negative_i32,
                   [CB_GRAPH_I64] = negative_i64}},
                 {"Floor", {[CB_GRAPH_F32] = lower_f32, [CB_GRAPH_F64] = lower_f64}},
                 {"Exp", {[CB_GRAPH_F32] = exponential_f32, [CB_GRAPH_F64] = exponential_f64}},
                 {"Log", {[CB_GRAPH_F32] = logarithm_f32, [CB_GRAPH_F64] = logarithm_f64}},
                 {"Sqrt", {[CB_GRAPH_F32] = root_f32, [CB_GRAPH_F64] = root_f64}},
                 {"Erf", {[CB_GRAPH_F32] = error_function_f32, [CB_GRAPH_F64] = error_function_f64}},
                 {"Not", {[CB_GRAPH_BOOL] = negation}}};

static loop loop_of(const cb_onnx_node *node, cb_graph_type type)
{
  int i = 0;
  while (strcmp(functions[i].name, node->op->name)) i++;
  return functions[i].loops[type];
}

static cnnblas_status infer(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  if (loop_of(node, s->in[0]->type)) return cb_onnx_same(node, s);
  return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "an input of this type");
}

typedef struct {
  loop run;
  const void *x;
  void *y;
  int64_t elements, parts;
} job;

static void run_part(void *context, int64_t task, int worker)
{
  const job *j = context;
  (void)worker;
  j->run(j->x, j->y, cb_split(j->elements, j->parts, task), cb_split(j->elements, j->parts, task + 1));
}

static cnnblas_status run(const cb_onnx_node *node, const cb_onnx_call *call)
{
  enum { TASK = 1 << 13 };
  job j = {loop_of(node, call->in[0]->type), call->x[0], call->y[0], call->in[0]->elements, 1};
  j.parts = cb_parts(j.elements, TASK);
  cnnblas_shared_parallel(j.parts > 1 ? call->threads : 1, j.parts, run_part, &j);
  return CNNBLAS_OK;
}

#define UNARY(name, from)                                                                                              \
  {                                                                                                                    \
    name, from, CB_ONNX_NEWEST, 1, 1, 1, CB_ONNX_IN_PLACE | CB_ONNX_BY_ELEMENT, 0, infer, NULL, run, NULL              \
  }

const cb_onnx_operator cb_onnx_unary_rows[] = {UNARY("Abs", 6), UNARY("Neg", 6), UNARY("Floor", 6),
                                               UNARY("Exp", 6), UNARY("Log", 6), UNARY("Sqrt", 6),
                                               UNARY("Erf", 9), UNARY("Not", 1), {0}};
