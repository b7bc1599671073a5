/* ReduceMax ReduceMean ReduceSum. Sums are made in double, those of integers in 64 bits. */
#include "onnx/rows.h"
#include "onnx/strides.h"
#include <math.h>
#include <string.h>

typedef struct {
  cb_onnx_walk kept, reduced; /* walks over the input: from output to output, and over the elements of one output */
  int64_t count;              /* input elements of one output */
} reduction;

static cnnblas_status infer(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  reduction *own = node->settings;
  const cb_graph_shape *x = s->in[0];
  int64_t axes[CB_GRAPH_RANK], step = 1;
  bool marked[CB_GRAPH_RANK] = {false}, keep = cb_onnx_int(node, "keepdims", 1) != 0;
  int count, from = strcmp(node->op->name, "ReduceSum") ? INT32_MAX : 13;
  cnnblas_status status = cb_onnx_list(node, s, "axes", from, 1, axes, &count);
  for (int i = 0; i < count && !status; i++) {
    status = cb_onnx_axis(node, &axes[i], x->rank, false);
    if (!status) marked[axes[i]] = true;
  }
  if (status) return status;
  if (x->type == CB_GRAPH_BOOL) return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "an input of this type");
  bool all = !count && !cb_onnx_int(node, "noop_with_empty_axes", 0);
  int64_t stride[CB_GRAPH_RANK] = {0};
  for (int i = x->rank - 1; i >= 0; i--) {
    stride[i] = step;
    step *= x->size[i];
  }
  own->count = 1;
  s->out[0].type = x->type;
  for (int i = 0; i < x->rank; i++) {
    bool gone = all || marked[i];
    cb_onnx_walk *w = gone ? &own->reduced : &own->kept;
    w->size[w->rank] = x->size[i];
    w->stride[0][w->rank++] = stride[i];
    if (gone) own->count *= x->size[i];
    if (keep || !gone) s->out[0].size[s->out[0].rank++] = gone ? 1 : x->size[i];
  }
  cb_onnx_walk_simplify(&own->kept, 1);
  cb_onnx_walk_simplify(&own->reduced, 1);
  return CNNBLAS_OK;
}

typedef enum { SUM, MEAN, MAX } kind;

typedef struct {
  const reduction *own;
  kind kind;
  cb_graph_type type;
  const void *x;
  void *y;
} job;

/* Adds the elements from x on, along the reduced axes from `axis` on, to so_far, or takes their largest. */
#define FOLD(name, type, wide)                                                                                         \
  static wide name(const job *j, const type *x, int axis, wide so_far)                                                 \
  {                                                                                                                    \
    const cb_onnx_walk *w = &j->own->reduced;                                                                          \
    int64_t n = w->size[axis], step = w->stride[0][axis];                                                              \
    if (axis < w->rank - 1) {                                                                                          \
      for (int64_t i = 0; i < n; i++) so_far = name(j, x + i * step, axis + 1, so_far);                                \
    } else if (j->kind == MAX) {                                                                                       \
      for (int64_t i = 0; i < n; i++)                                                                                  \
        so_far = x[i * step] > so_far || x[i * step] != x[i * step] ? (wide)x[i * step] : so_far;                      \
    } else {                                                                                                           \
      for (int64_t i = 0; i < n; i++) so_far += (wide)x[i * step];                                                     \
    }                                                                                                                  \
    return so_far;                                                                                                     \
  }
FOLD(fold_f32, float, double)
FOLD(fold_f64, double, double)

/* Does the same for integers, whose sums wrap around. */
static int64_t fold_whole(const job *j, int64_t at, int axis, int64_t so_far)
{
  const cb_onnx_walk *w = &j->own->reduced;
  for (int64_t i = 0; i < w->size[axis]; i++, at += w->stride[0][axis]) {
    if (axis < w->rank - 1) {
      so_far = fold_whole(j, at, axis + 1, so_far);
      continue;
    }
    int64_t x = cb_onnx_int_at(&(cb_graph_shape){.type = j->type}, j->x, at);
    so_far = j->kind == MAX ? cb_max(so_far, x) : (int64_t)((uint64_t)so_far + (uint64_t)x);
  }
  return so_far;
}

static void reduce_row(void *context, int64_t out, const int64_t *in, const int64_t *step, int64_t count)
{
  const job *j = context;
  for (int64_t i = 0; i < count; i++) {
    int64_t at = in[0] + i * step[0];
    double divisor = j->kind == MEAN ? (double)j->own->count : 1, first = j->kind == MAX ? -HUGE_VAL : 0;
    if (j->type == CB_GRAPH_F32) {
      ((float *)j->y)[out + i] = (float)(fold_f32(j, (const float *)j->x + at, 0, first) / divisor);
    } else if (j->type == CB_GRAPH_F64) {
      ((double *)j->y)[out + i] = fold_f64(j, (const double *)j->x + at, 0, first) / divisor;
    } else {
      int64_t y = fold_whole(j, at, 0, j->kind == MAX ? INT64_MIN : 0);
      if (j->kind == MEAN && j->own->count) y /= j->own->count;
      if (j->type == CB_GRAPH_I64)
        ((int64_t *)j->y)[out + i] = y;
      else if (j->type == CB_GRAPH_I32)
        ((int32_t *)j->y)[out + i] = (int32_t)y;
      else
        ((uint8_t *)j->y)[out + i] = (uint8_t)y;
    }
  }
}

static cnnblas_status run(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const reduction *own = node->settings;
  job j = {own, SUM, call->in[0]->type, call->x[0], call->y[0]};
  if (!strcmp(node->op->name, "ReduceMean")) j.kind = MEAN;
  if (!strcmp(node->op->name, "ReduceMax")) j.kind = MAX;
  cb_onnx_walk_run(&own->kept, 1, own->count > 1024 ? call->threads : 1, reduce_row, &j);
  return CNNBLAS_OK;
}

#define REDUCE(name, most)                                                                                             \
  {                                                                                                                    \
    name, 1, CB_ONNX_NEWEST, 1, most, 1, 0, sizeof(reduction), infer, NULL, run, NULL                                  \
  }

const cb_onnx_operator cb_onnx_reduce_rows[] = {
    REDUCE("ReduceMax", 1), REDUCE("ReduceMean", 1), REDUCE("ReduceSum", 2), {0}};
