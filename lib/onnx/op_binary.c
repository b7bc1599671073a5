/* Operators on two inputs, which are broadcast, element by element: Add Sub Mul Div Pow PRelu, comparisons and
   logic. */
#include "onnx/rows.h"
#include "onnx/strides.h"
#include <cnnblas/arrays.h>
#include <math.h>
#include <string.h>

typedef struct {
  cb_onnx_walk walk;
  bool plain; /* true: both inputs and the output have one shape */
} binary;

typedef struct {
  const void *a, *b;
  void *y;
  cb_graph_type second; /* the type of b, for Pow */
} arrays;

/* Defines the loop of one function and type: out[i] = f(p, q). */
#define ROW(name, type, result, expression)                                                                            \
  static void name(void *context, int64_t out, const int64_t *in, const int64_t *step, int64_t count)                  \
  {                                                                                                                    \
    const arrays *z = context;                                                                                         \
    const type *a = (const type *)z->a + in[0], *b = (const type *)z->b + in[1];                                       \
    result *y = (result *)z->y + out;                                                                                  \
    if (step[0] == 1 && step[1] == 1) {                                                                                \
      for (int64_t i = 0; i < count; i++) {                                                                            \
        const type p = a[i], q = b[i];                                                                                 \
        y[i] = (result)(expression);                                                                                   \
      }                                                                                                                \
    } else if (step[0] == 1 && !step[1]) {                                                                             \
      const type q = b[0];                                                                                             \
      for (int64_t i = 0; i < count; i++) {                                                                            \
        const type p = a[i];                                                                                           \
        y[i] = (result)(expression);                                                                                   \
      }                                                                                                                \
    } else {                                                                                                           \
      for (int64_t i = 0; i < count; i++) {                                                                            \
        const type p = a[i * step[0]], q = b[i * step[1]];                                                             \
        y[i] = (result)(expression);                                                                                   \
      }                                                                                                                \
    }                                                                                                                  \
  }

/* Integers wrap around; an integer divided by 0 gives 0. */
#define WRAPPED(name, operator)                                                                                        \
  ROW(name##_f32, float, float, p operator q)                                                                          \
  ROW(name##_f64, double, double, p operator q)                                                                        \
  ROW(name##_i32, int32_t, int32_t, (uint32_t)p operator(uint32_t) q)                                                  \
  ROW(name##_i64, int64_t, int64_t, (uint64_t)p operator(uint64_t) q)                                                  \
  ROW(name##_u8, uint8_t, uint8_t, p operator q)
WRAPPED(add, +)
WRAPPED(sub, -)
WRAPPED(mul, *)

ROW(div_f32, float, float, p / q)
ROW(div_f64, double, double, p / q)
ROW(div_i32, int32_t, int32_t, q == 0 ? 0 : q == -1 ? 0 - (uint32_t)p : (uint32_t)(p / q))
ROW(div_i64, int64_t, int64_t, q == 0 ? 0 : q == -1 ? 0 - (uint64_t)p : (uint64_t)(p / q))
ROW(div_u8, uint8_t, uint8_t, q == 0 ? 0 : p / q)

ROW(prelu_f32, float, float, p < 0 ? p * q : p)
ROW(prelu_f64, double, double, p < 0 ? p * q : p)

#define COMPARED(name, operator)                                                                                       \
  ROW(name##_f32, float, uint8_t, p operator q)                                                                        \
  ROW(name##_f64, double, uint8_t, p operator q)                                                                       \
  ROW(name##_i32, int32_t, uint8_t, p operator q)                                                                      \
  ROW(name##_i64, int64_t, uint8_t, p operator q)                                                                      \
  ROW(name##_u8, uint8_t, uint8_t, p operator q)
COMPARED(equal, ==)
COMPARED(greater, >)
COMPARED(less, <)

ROW(and_bool, uint8_t, uint8_t, p &&q)
ROW(or_bool, uint8_t, uint8_t, p || q)

/* Loops of Pow, whose exponent has a type of its own. */
static double exponent(const arrays *z, int64_t i)
{
  return cb_onnx_real_at(&(cb_graph_shape){.type = z->second}, z->b, i);
}

#define POWER(name, type, convert)                                                                                     \
  static void name(void *context, int64_t out, const int64_t *in, const int64_t *step, int64_t count)                  \
  {                                                                                                                    \
    const arrays *z = context;                                                                                         \
    const type *a = (const type *)z->a + in[0];                                                                        \
    type *y = (type *)z->y + out;                                                                                      \
    for (int64_t i = 0; i < count; i++) y[i] = convert(pow((double)a[i * step[0]], exponent(z, in[1] + i * step[1]))); \
  }

/* Turns reals into the nearest whole number in range: a cast of other reals is undefined. */
static int64_t whole(double x)
{
  return x >= 9.2e18 ? INT64_MAX : x <= -9.2e18 ? INT64_MIN : x != x ? 0 : (int64_t)x;
}
static int32_t whole_32(double x)
{
  return (int32_t)cb_max(INT32_MIN, cb_min(INT32_MAX, whole(x)));
}
POWER(pow_f32, float, (float))
POWER(pow_f64, double, (double))
POWER(pow_i32, int32_t, whole_32)
POWER(pow_i64, int64_t, whole)

typedef struct {
  const char *name;
  bool truth; /* true: the result is a bool */
  cb_onnx_row rows[CB_GRAPH_TYPES];
} function;

#define NUMBERS(name)                                                                                                  \
  {                                                                                                                    \
    [CB_GRAPH_F32] = name##_f32, [CB_GRAPH_F64] = name##_f64, [CB_GRAPH_I32] = name##_i32,                             \
    [CB_GRAPH_I64] = name##_i64, [CB_GRAPH_U8] = name##_u8                                                             \
  }

static const function functions[] = {
    {"Add", false, NUMBERS(add)},
    {"Sub", false, NUMBERS(sub)},
    {"Mul", false, NUMBERS(mul)},
    {"Div", false, NUMBERS(div)},
    {"PRelu", false, {[CB_GRAPH_F32] = prelu_f32, [CB_GRAPH_F64] = prelu_f64}},
    {"Pow",
     false,
     {[CB_GRAPH_F32] = pow_f32, [CB_GRAPH_F64] = pow_f64, [CB_GRAPH_I32] = pow_i32, [CB_GRAPH_I64] = pow_i64}},
    {"Equal", true, {equal_f32, equal_f64, equal_i32, equal_i64, equal_u8, [CB_GRAPH_BOOL] = equal_u8}},
    {"Greater", true, NUMBERS(greater)},
    {"Less", true, NUMBERS(less)},
    {"And", true, {[CB_GRAPH_BOOL] = and_bool}},
    {"Or", true, {[CB_GRAPH_BOOL] = or_bool}}};

static const function *function_of(const cb_onnx_node *node)
{
  const function *f = functions;
  while (strcmp(f->name, node->op->name)) f++;
  return f;
}

/* Before version 7 the second input lies from `axis` on, and it alone is repeated. PRelu's slope lies from the
   channels on, if it has an element a channel. */
static cnnblas_status old_broadcast(const cb_onnx_node *node, const cb_onnx_shapes *s, int *last)
{
  const cb_graph_shape *a = s->in[0], *b = s->in[1];
  int64_t axis = cb_onnx_int(node, "axis", (int64_t)a->rank - b->rank);
  if (!strcmp(node->op->name, "PRelu")) axis = b->elements == 1 ? (int64_t)a->rank - b->rank : 1;
  if (axis < 0) axis += a->rank;
  if (axis < 0 || axis + b->rank > a->rank)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its inputs' shapes do not fit");
  last[1] = (int)axis + b->rank - 1;
  for (int i = 0; i < b->rank; i++)
    if (b->size[i] != 1 && b->size[i] != a->size[axis + i])
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its inputs' shapes do not fit");
  s->out[0] = *a;
  return CNNBLAS_OK;
}

static cnnblas_status infer(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  binary *own = node->settings;
  const cb_graph_shape *a = s->in[0], *b = s->in[1];
  const function *f = function_of(node);
  int last[2] = {a->rank - 1, 0};
  bool old = node->version < 7;
  if (!f->rows[a->type] || (a->type != b->type && strcmp(f->name, "Pow")))
    return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "inputs of these types");
  if (old) {
    cnnblas_status status = old_broadcast(node, s, last);
    if (status) return status;
  } else if (!cb_onnx_broadcast(a, b, s->out)) {
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its inputs' shapes do not fit");
  }
  if (f->truth) s->out[0].type = CB_GRAPH_BOOL;
  cb_onnx_walk_broadcast(&own->walk, s->out, (const cb_graph_shape *[]){a, b}, 2, old ? last : NULL);
  own->plain = own->walk.rank == 1 && own->walk.stride[0][0] == 1 && own->walk.stride[1][0] == 1;
  return CNNBLAS_OK;
}

static cnnblas_status run(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const binary *own = node->settings;
  const function *f = function_of(node);
  cb_graph_type type = call->in[0]->type;
  bool add = f == &functions[0], mul = f == &functions[2];
  if (own->plain && cb_onnx_is_real(type) && (add || mul))
    return (add ? cnnblas_add_forward : cnnblas_mul_forward)(cb_onnx_dtype(type), call->threads, call->out[0]->elements,
                                                             call->x[0], call->x[1], call->y[0]);
  cb_onnx_walk_run(&own->walk, 2, call->threads, f->rows[type],
                   &(arrays){call->x[0], call->x[1], call->y[0], call->in[1]->type});
  return CNNBLAS_OK;
}

#define BINARY(name, from)                                                                                             \
  {                                                                                                                    \
    name, from, CB_ONNX_NEWEST, 2, 2, 1, CB_ONNX_IN_PLACE | CB_ONNX_BY_ELEMENT, sizeof(binary), infer, NULL, run, NULL \
  }

const cb_onnx_operator cb_onnx_binary_rows[] = {
    BINARY("Add", 6), BINARY("Sub", 6),   BINARY("Mul", 6),     BINARY("Div", 6),  BINARY("Pow", 6),   BINARY("And", 1),
    BINARY("Or", 1),  BINARY("Equal", 1), BINARY("Greater", 1), BINARY("Less", 1), BINARY("PRelu", 6), {0}};
