/* Max Min Sum of any number of inputs, and Where; broadcast. */
#include "onnx/rows.h"
#include "onnx/strides.h"
#include <cnnblas/arrays.h>
#include <string.h>

typedef struct {
  const void *a, *b, *c;
  void *y;
} arrays;

/* Defines a loop of Max, Min or Sum: out[i] = f(p, q), NaN where p or q is. */
#define ROW(name, type, expression)                                                                                    \
  static void name(void *context, int64_t out, const int64_t *in, const int64_t *step, int64_t count)                  \
  {                                                                                                                    \
    const arrays *z = context;                                                                                         \
    const type *a = (const type *)z->a + in[0], *b = (const type *)z->b + in[1];                                       \
    type *y = (type *)z->y + out;                                                                                      \
    for (int64_t i = 0; i < count; i++) {                                                                              \
      const type p = a[i * step[0]], q = b[i * step[1]];                                                               \
      y[i] = (type)(expression);                                                                                       \
    }                                                                                                                  \
  }
#define ROWS(name, expression)                                                                                         \
  ROW(name##_f32, float, expression)                                                                                   \
  ROW(name##_f64, double, expression)                                                                                  \
  ROW(name##_i32, int32_t, expression)                                                                                 \
  ROW(name##_i64, int64_t, expression)                                                                                 \
  ROW(name##_u8, uint8_t, expression)
ROWS(larger, p > q || p != p ? p : q)
ROWS(smaller, p < q || p != p ? p : q)
ROW(sum_f32, float, p + q)
ROW(sum_f64, double, p + q)

#define NUMBERS(name)                                                                                                  \
  {                                                                                                                    \
    name##_f32, name##_f64, name##_i32, name##_i64, name##_u8                                                          \
  }

static const struct {
  const char *name;
  cb_onnx_row rows[CB_GRAPH_TYPES];
} functions[] = {{"Max", NUMBERS(larger)}, {"Min", NUMBERS(smaller)}, {"Sum", {sum_f32, sum_f64}}};

static cb_onnx_row row_of(const cb_onnx_node *node, cb_graph_type type)
{
  int i = 0;
  while (strcmp(functions[i].name, node->op->name)) i++;
  return functions[i].rows[type];
}

static cnnblas_status infer(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  s->out[0] = *s->in[0];
  if (!row_of(node, s->in[0]->type)) return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "inputs of this type");
  for (int j = 1; j < node->inputs; j++)
    if (!s->in[j] || s->in[j]->type != s->in[0]->type || !cb_onnx_broadcast(s->out, s->in[j], s->out))
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "input %d does not fit the others", j);
  return CNNBLAS_OK;
}

/* Computes y = the first input, then y = f(y, input j) for each other one. */
static cnnblas_status run(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const cb_graph_shape *out = call->out[0];
  cb_onnx_walk w;
  cb_onnx_row row = row_of(node, out->type);
  cb_onnx_walk_broadcast(&w, out, call->in, 1, NULL);
  if (node->inputs == 1)
    cb_onnx_walk_copy(&w, call->threads, cnnblas_graph_type_bytes(out->type), call->x[0], call->y[0]);
  for (int j = 1; j < node->inputs; j++) {
    const cb_graph_shape *pair[] = {j == 1 ? call->in[0] : out, call->in[j]};
    cb_onnx_walk_broadcast(&w, out, pair, 2, NULL);
    cb_onnx_walk_run(&w, 2, call->threads, row,
                     &(arrays){j == 1 ? call->x[0] : call->y[0], call->x[j], NULL, call->y[0]});
  }
  return CNNBLAS_OK;
}

/* ---- Where ---- */

#define CHOOSE(name, type)                                                                                             \
  static void name(void *context, int64_t out, const int64_t *in, const int64_t *step, int64_t count)                  \
  {                                                                                                                    \
    const arrays *z = context;                                                                                         \
    const uint8_t *a = (const uint8_t *)z->a + in[0];                                                                  \
    const type *b = (const type *)z->b + in[1], *c = (const type *)z->c + in[2];                                       \
    type *y = (type *)z->y + out;                                                                                      \
    for (int64_t i = 0; i < count; i++) y[i] = a[i * step[0]] ? b[i * step[1]] : c[i * step[2]];                       \
  }
CHOOSE(choose_1, uint8_t)
CHOOSE(choose_4, uint32_t)
CHOOSE(choose_8, uint64_t)

static cnnblas_status infer_where(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  cb_graph_shape *y = s->out;
  if (s->in[0]->type != CB_GRAPH_BOOL || s->in[1]->type != s->in[2]->type)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "inputs of these types");
  if (!cb_onnx_broadcast(s->in[1], s->in[2], y) || !cb_onnx_broadcast(y, s->in[0], y))
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its inputs' shapes do not fit");
  return CNNBLAS_OK;
}

static cnnblas_status run_where(const cb_onnx_node *node, const cb_onnx_call *call)
{
  cb_onnx_walk w;
  size_t bytes = cnnblas_graph_type_bytes(call->out[0]->type);
  (void)node;
  cb_onnx_walk_broadcast(&w, call->out[0], call->in, 3, NULL);
  cb_onnx_walk_run(&w, 3, call->threads,
                   bytes == 8   ? choose_8
                   : bytes == 4 ? choose_4
                                : choose_1,
                   &(arrays){call->x[0], call->x[1], call->x[2], call->y[0]});
  return CNNBLAS_OK;
}

#define VARIADIC(name)                                                                                                 \
  {                                                                                                                    \
    name, 6, CB_ONNX_NEWEST, 1, CB_GRAPH_INPUTS, 1, 0, 0, infer, NULL, run, NULL                                       \
  }

const cb_onnx_operator cb_onnx_variadic_rows[] = {
    VARIADIC("Max"),
    VARIADIC("Min"),
    VARIADIC("Sum"),
    {"Where", 9, CB_ONNX_NEWEST, 3, 3, 1, 0, 0, infer_where, NULL, run_where, NULL},
    {0}};
