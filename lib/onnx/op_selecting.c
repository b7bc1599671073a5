/* Operators that give elements in another order, or some of them: Transpose DepthToSpace SpaceToDepth Slice Gather. */
#include "onnx/rows.h"
#include "onnx/strides.h"
#include "onnx/transposition.h"
#include <string.h>

/* Fills stride with the strides of a contiguous array. */
static void natural(int rank, const int64_t *size, int64_t *stride)
{
  int64_t step = 1;
  for (int i = rank - 1; i >= 0; i--) {
    stride[i] = step;
    step *= size[i];
  }
}

typedef struct {
  cb_onnx_walk walk;
  int64_t from;                 /* the input's element with which the walk begins */
  int64_t order[CB_GRAPH_RANK]; /* of a Transpose: axis i of the output is the input's axis order[i] */
} selection;

static cnnblas_status run_selection(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const selection *own = node->settings;
  size_t bytes = cnnblas_graph_type_bytes(call->in[0]->type);
  if (call->out[0]->elements)
    cb_onnx_walk_copy(&own->walk, call->threads, bytes, (const char *)call->x[0] + own->from * (int64_t)bytes,
                      call->y[0]);
  return CNNBLAS_OK;
}

/* Makes the walk over an array of these sizes, where axis i of the output is the array's axis order[i]. */
static void permute(cb_onnx_walk *w, int rank, const int64_t *size, const int64_t *order)
{
  int64_t stride[2 * CB_GRAPH_RANK];
  natural(rank, size, stride);
  w->rank = rank;
  for (int i = 0; i < rank; i++) {
    w->size[i] = size[order[i]];
    w->stride[0][i] = stride[order[i]];
  }
}

static cnnblas_status infer_transpose(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  const cb_graph_shape *x = s->in[0];
  int64_t order[CB_GRAPH_RANK];
  int count, seen = 0;
  cnnblas_status status = cb_onnx_ints(node, "perm", order, CB_GRAPH_RANK, &count);
  if (status) return status;
  if (!cb_onnx_attribute(node, "perm"))
    for (; count < x->rank; count++) order[count] = x->rank - 1 - count;
  s->out[0] = *x;
  for (int i = 0; i < count && count == x->rank; i++) {
    if (order[i] < 0 || order[i] >= x->rank) break;
    seen |= 1 << order[i];
    s->out[0].size[i] = x->size[order[i]];
  }
  if (count != x->rank || seen != (1 << x->rank) - 1)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "perm is no order of %d axes", x->rank);
  cb_onnx_transposition_set(node, x, order);
  return CNNBLAS_OK;
}

void cb_onnx_transposition_set(cb_onnx_node *node, const cb_graph_shape *x, const int64_t *order)
{
  selection *own = node->settings;
  memcpy(own->order, order, (size_t)x->rank * sizeof *order);
  permute(&own->walk, x->rank, x->size, order);
}

const int64_t *cb_onnx_transposition(const cb_onnx_node *node)
{
  return node->op->infer == infer_transpose ? ((const selection *)node->settings)->order : NULL;
}

static cnnblas_status infer_blocks(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  selection *own = node->settings;
  const cb_graph_shape *x = s->in[0];
  int64_t b = cb_onnx_int(node, "blocksize", 0), bb;
  bool to_space = !strcmp(node->op->name, "DepthToSpace"), crd = cb_onnx_is(node, "mode", "CRD", "DCR");
  if (x->rank != 4 || b < 1 || !cb_mul(b, b, &bb) || (to_space ? x->size[1] % bb : x->size[2] % b || x->size[3] % b))
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its blocks do not fit its input");
  s->out[0] = *x;
  int64_t n = x->size[0], c = x->size[1], h = x->size[2], w = x->size[3];
  if (to_space) {
    s->out[0].size[1] = c / bb;
    if (!cb_mul(h, b, &s->out[0].size[2]) || !cb_mul(w, b, &s->out[0].size[3]))
      return cb_onnx_node_fail(node, CNNBLAS_SIZE_OVERFLOW, "its output's sizes do not fit in 63 bits");
    if (crd)
      permute(&own->walk, 6, (int64_t[]){n, c / bb, b, b, h, w}, (int64_t[]){0, 1, 4, 2, 5, 3});
    else
      permute(&own->walk, 6, (int64_t[]){n, b, b, c / bb, h, w}, (int64_t[]){0, 3, 4, 1, 5, 2});
  } else {
    if (!cb_mul(c, bb, &s->out[0].size[1]))
      return cb_onnx_node_fail(node, CNNBLAS_SIZE_OVERFLOW, "its output's channels do not fit in 63 bits");
    s->out[0].size[2] = h / b;
    s->out[0].size[3] = w / b;
    permute(&own->walk, 6, (int64_t[]){n, c, h / b, b, w / b, b}, (int64_t[]){0, 3, 5, 1, 2, 4});
  }
  return CNNBLAS_OK;
}

/* ---- Slice ---- */

/* Turns [start, end) by step on an axis of `size` into the element where it begins, *start, and returns how many it
   takes. */
static int64_t cut(int64_t size, int64_t *start, int64_t end, int64_t step)
{
  if (*start < 0) *start += size;
  if (end < 0) end = end < -size ? -1 : end + size;
  if (step > 0) {
    *start = cb_max(0, cb_min(size, *start));
    end = cb_max(0, cb_min(size, end));
    return end > *start ? cb_ceil_div(end - *start, step) : 0;
  }
  *start = cb_max(-1, cb_min(size - 1, *start));
  end = cb_max(-1, cb_min(size - 1, end));
  if (*start <= end) return 0;
  return step == INT64_MIN ? 1 : cb_ceil_div(*start - end, -step);
}

typedef struct {
  int64_t starts[CB_GRAPH_RANK], ends[CB_GRAPH_RANK], axes[CB_GRAPH_RANK], steps[CB_GRAPH_RANK];
  int count;
} cuts;

static cnnblas_status read_cuts(const cb_onnx_node *node, const cb_onnx_shapes *s, cuts *c)
{
  int ends, axes, steps = 0;
  cnnblas_status status = cb_onnx_list(node, s, "starts", 10, 1, c->starts, &c->count);
  if (!status) status = cb_onnx_list(node, s, "ends", 10, 2, c->ends, &ends);
  if (!status) status = cb_onnx_list(node, s, "axes", 10, 3, c->axes, &axes);
  if (!status && node->version >= 10) status = cb_onnx_list(node, s, "steps", 10, 4, c->steps, &steps);
  if (status) return status;
  if (!axes)
    for (; axes < c->count; axes++) c->axes[axes] = axes;
  if (!steps)
    for (; steps < c->count; steps++) c->steps[steps] = 1;
  if (ends != c->count || axes != c->count || steps != c->count)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "starts, ends, axes and steps differ in number");
  return CNNBLAS_OK;
}

static cnnblas_status infer_slice(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  selection *own = node->settings;
  const cb_graph_shape *x = s->in[0];
  cuts c;
  cnnblas_status status = read_cuts(node, s, &c);
  if (status) return status;
  s->out[0] = *x;
  own->walk.rank = x->rank;
  natural(x->rank, x->size, own->walk.stride[0]);
  for (int i = 0; i < c.count && !status; i++) {
    int64_t axis = c.axes[i], step = c.steps[i];
    status = cb_onnx_axis(node, &axis, x->rank, false);
    if (!status && !step) status = cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "a step of 0");
    if (status) break;
    int64_t count = cut(x->size[axis], &c.starts[i], c.ends[i], step);
    s->out[0].size[axis] = count;
    if (!count) continue;
    own->from += c.starts[i] * own->walk.stride[0][axis];
    own->walk.stride[0][axis] *= count > 1 ? step : 1;
  }
  for (int i = 0; i < x->rank; i++) own->walk.size[i] = s->out[0].size[i];
  return status;
}

/* ---- Gather ---- */

static cnnblas_status infer_gather(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  selection *own = node->settings;
  const cb_graph_shape *x = s->in[0], *index = s->in[1];
  int64_t axis = cb_onnx_int(node, "axis", 0);
  cnnblas_status status = cb_onnx_axis(node, &axis, x->rank, false);
  if (status) return status;
  own->from = axis;
  cb_graph_shape *y = s->out;
  *y = (cb_graph_shape){.type = x->type, .rank = x->rank - 1 + index->rank};
  if (index->type != CB_GRAPH_I32 && index->type != CB_GRAPH_I64)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "indices that are not i32 or i64");
  if (y->rank > CB_GRAPH_RANK)
    return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "rank %d is above %d", y->rank, CB_GRAPH_RANK);
  for (int i = 0; i < y->rank; i++)
    y->size[i] = i < axis ? x->size[i] : i < axis + index->rank ? index->size[i - axis] : x->size[i - index->rank + 1];
  return CNNBLAS_OK;
}

static cnnblas_status run_gather(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const selection *own = node->settings;
  const cb_graph_shape *x = call->in[0], *index = call->in[1];
  int axis = (int)own->from;
  size_t bytes = (size_t)cb_onnx_product(x, axis + 1, x->rank) * cnnblas_graph_type_bytes(x->type);
  int64_t outer = cb_onnx_product(x, 0, axis);
  for (int64_t i = 0; i < index->elements; i++) {
    int64_t at = cb_onnx_int_at(index, call->x[1], i);
    if (at < 0) at += x->size[axis];
    if (at < 0 || at >= x->size[axis])
      return cb_onnx_node_fail(node, CNNBLAS_INVALID_ARGUMENT, "index %lld of %lld", (long long)at,
                               (long long)x->size[axis]);
    for (int64_t o = 0; o < outer; o++)
      memcpy((char *)call->y[0] + (size_t)(o * index->elements + i) * bytes,
             (const char *)call->x[0] + (size_t)(o * x->size[axis] + at) * bytes, bytes);
  }
  return CNNBLAS_OK;
}

const cb_onnx_operator cb_onnx_selecting_rows[] = {
    {"Transpose", 1, CB_ONNX_NEWEST, 1, 1, 1, 0, sizeof(selection), infer_transpose, NULL, run_selection, NULL},
    {"DepthToSpace", 1, CB_ONNX_NEWEST, 1, 1, 1, 0, sizeof(selection), infer_blocks, NULL, run_selection, NULL},
    {"SpaceToDepth", 1, CB_ONNX_NEWEST, 1, 1, 1, 0, sizeof(selection), infer_blocks, NULL, run_selection, NULL},
    {"Slice", 1, CB_ONNX_NEWEST, 1, 5, 1, 0, sizeof(selection), infer_slice, NULL, run_selection, NULL},
    {"Gather", 1, CB_ONNX_NEWEST, 2, 2, 1, 0, sizeof(selection), infer_gather, NULL, run_gather, NULL},
    {0}};
