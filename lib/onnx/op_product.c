/* MatMul and Gemm, on the library's fully connected layer: its weights are the second factor, transposed once if it is
   constant. */
#include "onnx/rows.h"
#include "onnx/strides.h"
#include <string.h>

typedef struct {
  int64_t m, n, k;         /* sizes of a product: y [m][n] = a [m][k] * b [k][n] */
  bool a_turned, b_turned; /* true: the factors lie as a [k][m], b [n][k] */
  double alpha, beta;
  bool bias;        /* true: Gemm's third input goes into the store as bias */
  int64_t matrices; /* number of products in all */
  int rank;         /* number of axes in front of the last two */
  int64_t size[CB_GRAPH_RANK], a_step[CB_GRAPH_RANK], b_step[CB_GRAPH_RANK]; /* axes' sizes; steps between matrices */
  void *b; /* a constant second factor as [n][k], owned; or NULL */
} product;

static cnnblas_status infer_gemm(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  product *own = node->settings;
  const cb_graph_shape *a = s->in[0], *b = s->in[1], *c = node->inputs > 2 ? s->in[2] : NULL;
  cnnblas_status status = cb_onnx_need_real(node, s, 0);
  if (status) return status;
  own->a_turned = cb_onnx_int(node, "transA", 0) != 0;
  own->b_turned = cb_onnx_int(node, "transB", 0) != 0;
  own->alpha = cb_onnx_float(node, "alpha", 1);
  own->beta = cb_onnx_float(node, "beta", 1);
  own->matrices = 1;
  if (!b || a->rank != 2 || b->rank != 2 || a->type != b->type || (c && c->type != a->type))
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "inputs that are no matrices of one type");
  own->m = a->size[own->a_turned];
  own->k = a->size[!own->a_turned];
  own->n = b->size[!own->b_turned];
  s->out[0] = (cb_graph_shape){.type = a->type, .rank = 2, .size = {own->m, own->n}};
  cb_graph_shape both;
  if (b->size[own->b_turned] != own->k ||
      (c && (!cb_onnx_broadcast(s->out, c, &both) || memcmp(both.size, s->out[0].size, sizeof both.size))))
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its inputs' shapes do not fit");
  own->bias =
      c && own->alpha == 1 && own->beta == 1 && c->elements == own->n && c->rank && c->size[c->rank - 1] == own->n;
  return CNNBLAS_OK;
}

/* Finds how many elements apart a factor's matrices lie along each axis of the output's matrices. */
static void steps_of(const cb_graph_shape *x, int rank, int64_t matrix, int64_t *step)
{
  for (int i = rank - 1, at = x->rank - 3; i >= 0; i--, at--) {
    step[i] = at >= 0 && x->size[at] != 1 ? matrix : 0;
    if (at >= 0) matrix *= x->size[at];
  }
}

static cnnblas_status infer_matmul(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  product *own = node->settings;
  cb_graph_shape a = *s->in[0], b = *s->in[1], *y = s->out;
  cnnblas_status status = cb_onnx_need_real(node, s, 0);
  if (status) return status;
  if (a.rank < 1 || b.rank < 1 || a.type != b.type)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "inputs that are no matrices of one type");
  bool row = a.rank == 1, column = b.rank == 1; /* vectors are taken for matrices */
  if (row) a = (cb_graph_shape){.type = a.type, .rank = 2, .size = {1, a.size[0]}};
  if (column) b = (cb_graph_shape){.type = b.type, .rank = 2, .size = {b.size[0], 1}};
  own->m = a.size[a.rank - 2];
  own->k = a.size[a.rank - 1];
  own->n = b.size[b.rank - 1];
  own->alpha = own->beta = 1;
  cb_graph_shape outer_a = a, outer_b = b;
  outer_a.rank -= 2;
  outer_b.rank -= 2;
  if (b.size[b.rank - 2] != own->k || !cb_onnx_broadcast(&outer_a, &outer_b, y))
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its inputs' shapes do not fit");
  if (b.rank == 2) { /* all rows of a belong to one product */
    own->m = cb_onnx_product(&a, 0, a.rank - 1);
    own->matrices = 1;
  } else {
    own->rank = y->rank;
    own->matrices = cb_onnx_product(y, 0, y->rank);
    memcpy(own->size, y->size, sizeof own->size);
    steps_of(&a, y->rank, own->m * own->k, own->a_step);
    steps_of(&b, y->rank, own->k * own->n, own->b_step);
  }
  if (!row) y->size[y->rank++] = a.size[a.rank - 2];
  if (!column) y->size[y->rank++] = own->n;
  return CNNBLAS_OK;
}

/* Transposes: y [columns][rows] = x [rows][columns]. */
static void turn(int32_t threads, size_t each, int64_t rows, int64_t columns, const void *x, void *y)
{
  cb_onnx_walk w = {.rank = 2, .size = {columns, rows}, .stride = {{1, columns}}};
  cb_onnx_walk_copy(&w, threads, each, x, y);
}

/* Bytes of workspace for the factors that a call transposes. */
static cnnblas_status turned_bytes(const cb_onnx_node *node, cb_graph_type type, size_t *a, size_t *b)
{
  const product *own = node->settings;
  int64_t elements_a, elements_b, all;
  if (!cb_mul(own->m, own->k, &elements_a) || !cb_mul(own->k, own->n, &elements_b) ||
      !cb_add(elements_a, elements_b, &all) || !cb_mul(all, 16, &all))
    return cb_onnx_node_fail(node, CNNBLAS_SIZE_OVERFLOW, "its factors' bytes do not fit in 63 bits");
  size_t each = cnnblas_graph_type_bytes(type);
  *a = own->a_turned ? (size_t)cb_round_up(elements_a * (int64_t)each, CB_GRAPH_ALIGN) : 0;
  *b = own->b_turned || own->b ? 0 : (size_t)elements_b * each;
  return CNNBLAS_OK;
}

static cnnblas_status prepare(cb_onnx_node *node, const cb_onnx_setup *setup, const cb_onnx_shapes *s,
                              size_t *workspace)
{
  product *own = node->settings;
  size_t a = 0, b = 0, each = cnnblas_graph_type_bytes(s->in[0]->type);
  cnnblas_status status = turned_bytes(node, s->in[0]->type, &a, &b);
  if (status) return status;
  if (s->known[1] && !own->b_turned && own->matrices == 1 && b) {
    if (!(own->b = cnnblas_shared_alloc(b, 0))) return cnnblas_shared_no_memory(b, "a turned matrix");
    turn(setup->threads, each, own->k, own->n, s->known[1], own->b);
    b = 0;
  }
  *workspace = a + b;
  return CNNBLAS_OK;
}

/* Computes y = alpha * y + beta * c, where c, the third input, is broadcast; it may be left out. */
#define SCALE(type)                                                                                                    \
  {                                                                                                                    \
    type *y = call->y[0];                                                                                              \
    const type *third = has ? call->x[2] : NULL;                                                                       \
    for (int64_t i = 0; i < own->m; i++)                                                                               \
      for (int64_t j = 0; j < own->n; j++) {                                                                           \
        type *out = &y[i * own->n + j];                                                                                \
        *out = (type)(own->alpha * *out);                                                                              \
        if (third) *out += (type)own->beta * third[i * down + j * across];                                             \
      }                                                                                                                \
  }

static void scale(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const product *own = node->settings;
  bool has = node->inputs > 2 && call->x[2] != NULL;
  const cb_graph_shape *c = has ? call->in[2] : NULL;
  int64_t columns = c && c->rank ? c->size[c->rank - 1] : 1, rows = c && c->rank > 1 ? c->size[c->rank - 2] : 1;
  int64_t across = columns != 1, down = rows != 1 ? columns : 0;
  if (call->out[0]->type == CB_GRAPH_F64)
    SCALE(double)
  else
    SCALE(float)
}

static cnnblas_status multiply(const product *own, const cb_onnx_call *call, char *room, size_t a_bytes)
{
  cb_graph_type type = call->out[0]->type;
  size_t each = cnnblas_graph_type_bytes(type);
  cnnblas_fc_desc desc = {
      .dtype = cb_onnx_dtype(type), .threads = call->threads, .n = own->m, .in = own->k, .out = own->n};
  cnnblas_status status = CNNBLAS_OK;
  for (int64_t i = 0; i < own->matrices && !status; i++) {
    int64_t rest = i, a_at = 0, b_at = 0;
    for (int r = own->rank - 1; r >= 0; r--) {
      a_at += rest % own->size[r] * own->a_step[r];
      b_at += rest % own->size[r] * own->b_step[r];
      rest /= own->size[r];
    }
    const void *a = (const char *)call->x[0] + (size_t)a_at * each, *b = (const char *)call->x[1] + (size_t)b_at * each;
    if (own->a_turned) {
      turn(call->threads, each, own->k, own->m, a, room);
      a = room;
    }
    if (own->b) {
      b = own->b;
    } else if (!own->b_turned) {
      turn(call->threads, each, own->k, own->n, b, room + a_bytes);
      b = room + a_bytes;
    }
    status = cnnblas_fc_forward(&desc, own->m, a, b, own->bias ? call->x[2] : NULL, NULL,
                                (char *)call->y[0] + (size_t)(i * own->m * own->n) * each);
  }
  return status;
}

static cnnblas_status run(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const product *own = node->settings;
  size_t a = 0, b = 0;
  if (!call->out[0]->elements) return CNNBLAS_OK;
  cnnblas_status status = turned_bytes(node, call->out[0]->type, &a, &b);
  if (status) return status;
  /* Folded nodes have no workspace. */
  char *own_room = call->workspace || !(a + b) ? NULL : cnnblas_shared_alloc(a + b, 0);
  char *room = call->workspace ? call->workspace : own_room;
  if (a + b && !room) return cnnblas_shared_no_memory(a + b, "a product");
  if (own->k)
    status = multiply(own, call, room, a);
  else
    memset(call->y[0], 0, cb_onnx_bytes(call->out[0]));
  cnnblas_shared_free(own_room);
  bool c = node->inputs > 2 && call->x[2] != NULL;
  if (!status && (own->alpha != 1 || (c && (!own->bias || !own->k)))) scale(node, call);
  return status;
}

static void release(cb_onnx_node *node)
{
  cnnblas_shared_free(((product *)node->settings)->b);
}

const cb_onnx_operator cb_onnx_product_rows[] = {
    {"Gemm", 6, CB_ONNX_NEWEST, 2, 3, 1, 0, sizeof(product), infer_gemm, prepare, run, release},
    {"MatMul", 1, CB_ONNX_NEWEST, 2, 2, 1, 0, sizeof(product), infer_matmul, prepare, run, release},
    {0}};
