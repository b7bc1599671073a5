/* Operators that join, cut and repeat arrays: Concat Split Tile Expand. */
#include "onnx/concat.h"
#include "onnx/rows.h"
#include "onnx/strides.h"
#include <string.h>

typedef struct {
  int64_t axis;
} joint;

/* Copies `rows` rows of `bytes` bytes each; in x and y a row begins x_step and y_step bytes behind the one before. */
static void copy_rows(const char *x, size_t x_step, char *y, size_t y_step, size_t bytes, int64_t rows)
{
  for (int64_t r = 0; r < rows; r++) memcpy(y + (size_t)r * y_step, x + (size_t)r * x_step, bytes);
}

/* ---- Concat ---- */

static cnnblas_status infer_concat(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  joint *own = node->settings;
  cb_graph_shape *y = s->out;
  own->axis = cb_onnx_int(node, "axis", 1);
  cnnblas_status status = cb_onnx_axis(node, &own->axis, s->in[0]->rank, false);
  if (status) return status;
  *y = *s->in[0];
  for (int j = 1; j < node->inputs; j++) {
    const cb_graph_shape *x = s->in[j];
    bool fits = x && x->type == y->type && x->rank == y->rank;
    for (int i = 0; i < y->rank && fits; i++) fits = i == own->axis || x->size[i] == y->size[i];
    if (!fits || !cb_add(y->size[own->axis], x->size[own->axis], &y->size[own->axis]))
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "input %d does not fit the others", j);
  }
  return CNNBLAS_OK;
}

typedef struct {
  const cb_onnx_call *call;
  int axis;
  size_t step;      /* bytes of a row of the joined array */
  const size_t *at; /* the byte at which each part begins in such a row */
} joining;

static size_t row_bytes(const cb_graph_shape *s, int axis)
{
  return (size_t)cb_onnx_product(s, axis, s->rank) * cnnblas_graph_type_bytes(s->type);
}

static void join_part(void *context, int64_t task, int worker)
{
  const joining *j = context;
  const cb_graph_shape *x = j->call->in[task];
  size_t bytes = row_bytes(x, j->axis);
  (void)worker;
  if (j->call->x[task] == (char *)j->call->y[0] + j->at[task]) return; /* a pass had the part written there */
  copy_rows(j->call->x[task], bytes, (char *)j->call->y[0] + j->at[task], j->step, bytes,
            cb_onnx_product(x, 0, j->axis));
}

static cnnblas_status run_concat(const cb_onnx_node *node, const cb_onnx_call *call)
{
  enum { WORTH = 1 << 16 }; /* copied bytes above which a team of threads pays */
  const joint *own = node->settings;
  size_t at[CB_GRAPH_INPUTS], sum = 0, copied = 0;
  for (int j = 0; j < node->inputs; j++) {
    at[j] = sum;
    sum += row_bytes(call->in[j], (int)own->axis);
    if (call->x[j] != (char *)call->y[0] + at[j]) copied += cb_onnx_bytes(call->in[j]);
  }
  joining all = {call, (int)own->axis, sum, at};
  cnnblas_shared_parallel(copied > WORTH ? call->threads : 1, node->inputs, join_part, &all);
  return CNNBLAS_OK;
}

/* ---- Split ---- */

static cnnblas_status infer_split(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  joint *own = node->settings;
  const cb_graph_shape *x = s->in[0];
  int64_t sizes[CB_GRAPH_OUTPUTS], sum = 0;
  int count;
  own->axis = cb_onnx_int(node, "axis", 0);
  cnnblas_status status = cb_onnx_axis(node, &own->axis, x->rank, false);
  if (status) return status;
  status = node->version < 13 ? cb_onnx_ints(node, "split", sizes, CB_GRAPH_OUTPUTS, &count)
                              : cb_onnx_known_ints(node, s, 1, sizes, CB_GRAPH_OUTPUTS, &count);
  if (status) return status;
  if (!count)
    for (; count < node->outputs; count++) sizes[count] = x->size[own->axis] / node->outputs;
  for (int j = 0; j < node->outputs && count == node->outputs; j++) {
    s->out[j] = *x;
    s->out[j].size[own->axis] = sizes[j];
    if (sizes[j] < 0 || !cb_add(sum, sizes[j], &sum)) sum = -1;
  }
  if (count != node->outputs || sum != x->size[own->axis])
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its parts are not its input");
  return CNNBLAS_OK;
}

static cnnblas_status run_split(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const joint *own = node->settings;
  int axis = (int)own->axis;
  size_t step = row_bytes(call->in[0], axis), at = 0;
  for (int j = 0; j < node->outputs; j++) {
    size_t bytes = row_bytes(call->out[j], axis);
    if (call->y[j])
      copy_rows((const char *)call->x[0] + at, step, call->y[j], bytes, bytes, cb_onnx_product(call->in[0], 0, axis));
    at += bytes;
  }
  return CNNBLAS_OK;
}

/* ---- Tile ---- */

typedef struct {
  int64_t repeats[CB_GRAPH_RANK];
} tiling;

static cnnblas_status infer_tile(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  tiling *own = node->settings;
  int count;
  cnnblas_status status = cb_onnx_known_ints(node, s, 1, own->repeats, CB_GRAPH_RANK, &count);
  if (status) return status;
  s->out[0] = *s->in[0];
  bool fits = count == s->in[0]->rank;
  for (int i = 0; i < count && fits; i++)
    fits = own->repeats[i] >= 0 && cb_mul(s->in[0]->size[i], own->repeats[i], &s->out[0].size[i]);
  return fits ? CNNBLAS_OK : cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its repeats do not fit its input");
}

static cnnblas_status run_tile(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const tiling *own = node->settings;
  const cb_graph_shape *x = call->in[0];
  cb_onnx_walk w = {.rank = 2 * x->rank};
  int64_t stride = 1;
  for (int i = x->rank - 1; i >= 0; i--) {
    w.size[2 * i] = own->repeats[i];
    w.size[2 * i + 1] = x->size[i];
    w.stride[0][2 * i + 1] = stride;
    stride *= x->size[i];
  }
  cb_onnx_walk_copy(&w, call->threads, cnnblas_graph_type_bytes(x->type), call->x[0], call->y[0]);
  return CNNBLAS_OK;
}

/* ---- Expand ---- */

static cnnblas_status infer_expand(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  cb_graph_shape wanted = {.type = s->in[0]->type};
  cnnblas_status status = cb_onnx_known_ints(node, s, 1, wanted.size, CB_GRAPH_RANK, &wanted.rank);
  if (status) return status;
  bool fits = true;
  for (int i = 0; i < wanted.rank; i++) fits = fits && wanted.size[i] >= 0;
  if (fits && cb_onnx_broadcast(s->in[0], &wanted, s->out)) return CNNBLAS_OK;
  return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its input does not fit the shape that it asks for");
}

static cnnblas_status run_expand(const cb_onnx_node *node, const cb_onnx_call *call)
{
  cb_onnx_walk w;
  (void)node;
  cb_onnx_walk_broadcast(&w, call->out[0], call->in, 1, NULL);
  cb_onnx_walk_copy(&w, call->threads, cnnblas_graph_type_bytes(call->out[0]->type), call->x[0], call->y[0]);
  return CNNBLAS_OK;
}

const cb_onnx_operator cb_onnx_joining_rows[] = {
    {"Concat", 4, CB_ONNX_NEWEST, 1, CB_GRAPH_INPUTS, 1, 0, sizeof(joint), infer_concat, NULL, run_concat, NULL},
    {"Split", 2, CB_ONNX_NEWEST, 1, 2, CB_GRAPH_OUTPUTS, 0, sizeof(joint), infer_split, NULL, run_split, NULL},
    {"Tile", 6, CB_ONNX_NEWEST, 2, 2, 1, 0, sizeof(tiling), infer_tile, NULL, run_tile, NULL},
    {"Expand", 8, CB_ONNX_NEWEST, 2, 2, 1, 0, 0, infer_expand, NULL, run_expand, NULL},
    {0}};

int cb_onnx_concat_axis(const cb_onnx_node *node)
{
  return node->op == cb_onnx_joining_rows ? (int)((const joint *)node->settings)->axis : -1;
}
