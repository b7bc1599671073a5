/* Operators that keep the input's elements in their order: Reshape Flatten Squeeze Unsqueeze Identity Dropout. */
#include "onnx/rows.h"
#include <string.h>

static cnnblas_status infer_reshape(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  cb_graph_shape *y = s->out;
  int64_t size[CB_GRAPH_RANK], known = 1;
  int count, open = -1;
  bool zero = cb_onnx_int(node, "allowzero", 0) != 0;
  cnnblas_status status = cb_onnx_list(node, s, "shape", 5, 1, size, &count);
  if (status) return status;
  *y = (cb_graph_shape){.type = s->in[0]->type, .rank = count};
  for (int i = 0; i < count; i++) {
    y->size[i] = size[i];
    if (!size[i] && !zero && i < s->in[0]->rank) y->size[i] = s->in[0]->size[i];
    if (size[i] == -1 && open < 0)
      open = i;
    else if (y->size[i] < 0 || !cb_mul(known, y->size[i], &known))
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "size %lld", (long long)size[i]);
  }
  if (open >= 0) y->size[open] = known ? s->in[0]->elements / known : 0;
  if (open >= 0 ? known * y->size[open] != s->in[0]->elements : known != s->in[0]->elements)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "%lld elements do not fit the shape that it asks for",
                             (long long)s->in[0]->elements);
  return CNNBLAS_OK;
}

static cnnblas_status infer_flatten(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  int64_t axis = cb_onnx_int(node, "axis", 1);
  cnnblas_status status = cb_onnx_axis(node, &axis, s->in[0]->rank, true);
  if (status) return status;
  s->out[0] = (cb_graph_shape){.type = s->in[0]->type, .rank = 2};
  s->out[0].size[0] = cb_onnx_product(s->in[0], 0, (int)axis);
  s->out[0].size[1] = cb_onnx_product(s->in[0], (int)axis, s->in[0]->rank);
  return CNNBLAS_OK;
}

/* Sets marked[i] where axis i of an array of `rank` axes is in the list. */
static cnnblas_status mark(const cb_onnx_node *node, const int64_t *axes, int count, int rank, bool *marked)
{
  for (int i = 0; i < count; i++) {
    int64_t axis = axes[i];
    cnnblas_status status = cb_onnx_axis(node, &axis, rank, false);
    if (status) return status;
    if (marked[axis]) return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "axis %lld twice", (long long)axis);
    marked[axis] = true;
  }
  return CNNBLAS_OK;
}

static cnnblas_status infer_squeeze(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  const cb_graph_shape *x = s->in[0];
  int64_t axes[CB_GRAPH_RANK];
  bool marked[CB_GRAPH_RANK] = {false};
  int count;
  cnnblas_status status = cb_onnx_list(node, s, "axes", 13, 1, axes, &count);
  if (!status) status = mark(node, axes, count, x->rank, marked);
  if (status) return status;
  s->out[0].type = x->type;
  for (int i = 0; i < x->rank; i++) {
    if (marked[i] && x->size[i] != 1)
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "axis %d has size %lld", i, (long long)x->size[i]);
    if (count ? !marked[i] : x->size[i] != 1) s->out[0].size[s->out[0].rank++] = x->size[i];
  }
  return CNNBLAS_OK;
}

static cnnblas_status infer_unsqueeze(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  const cb_graph_shape *x = s->in[0];
  int64_t axes[CB_GRAPH_RANK];
  bool marked[CB_GRAPH_RANK] = {false};
  int count, at = 0;
  cnnblas_status status = cb_onnx_list(node, s, "axes", 13, 1, axes, &count);
  if (status) return status;
  s->out[0] = (cb_graph_shape){.type = x->type, .rank = x->rank + count};
  if (s->out[0].rank > CB_GRAPH_RANK)
    return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "rank %d is above %d", s->out[0].rank, CB_GRAPH_RANK);
  status = mark(node, axes, count, s->out[0].rank, marked);
  for (int i = 0; i < s->out[0].rank && !status; i++) s->out[0].size[i] = marked[i] ? 1 : x->size[at++];
  return status;
}

static cnnblas_status infer_dropout(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  if (node->version >= 12 && node->inputs > 2 && s->in[2]) {
    int64_t training;
    double ratio = 0.5;
    int count;
    cnnblas_status status = cb_onnx_known_ints(node, s, 2, &training, 1, &count);
    if (!status && count && training) status = cb_onnx_known_reals(node, s, 1, &ratio, 1, &count);
    if (status) return status;
    if (training && ratio != 0)
      return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "in training it draws numbers that only its exporter has");
  }
  cb_onnx_same(node, s);
  if (node->outputs > 1 && node->version >= 10) s->out[1].type = CB_GRAPH_BOOL;
  return CNNBLAS_OK;
}

static cnnblas_status run(const cb_onnx_node *node, const cb_onnx_call *call)
{
  if (call->y[0] && call->y[0] != call->x[0]) memmove(call->y[0], call->x[0], cb_onnx_bytes(call->in[0]));
  if (node->outputs < 2 || !call->y[1]) return CNNBLAS_OK;
  const cb_graph_shape *mask = call->out[1]; /* Dropout's mask is true: all elements are kept */
  for (int64_t i = 0; i < mask->elements; i++) {
    if (mask->type == CB_GRAPH_BOOL)
      ((uint8_t *)call->y[1])[i] = 1;
    else if (mask->type == CB_GRAPH_F64)
      ((double *)call->y[1])[i] = 1;
    else
      ((float *)call->y[1])[i] = 1;
  }
  return CNNBLAS_OK;
}

#define VIEW(name, from, most, outputs, infer)                                                                         \
  {                                                                                                                    \
    name, from, CB_ONNX_NEWEST, 1, most, outputs, CB_ONNX_VIEW, 0, infer, NULL, run, NULL                              \
  }

const cb_onnx_operator cb_onnx_view_rows[] = {VIEW("Reshape", 1, 2, 1, infer_reshape),
                                              VIEW("Flatten", 1, 1, 1, infer_flatten),
                                              VIEW("Squeeze", 1, 2, 1, infer_squeeze),
                                              VIEW("Unsqueeze", 1, 2, 1, infer_unsqueeze),
                                              VIEW("Identity", 1, 1, 1, cb_onnx_same),
                                              VIEW("Dropout", 6, 3, 2, infer_dropout),
                                              {0}};
