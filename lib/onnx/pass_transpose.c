/*
 * Cancels transposes, or pushes them behind element-wise nodes until they meet others; see passes.h.
 *
 *   Transpose(Transpose(x))                 one Transpose, or x itself
 *   f(Transpose(x))                         Transpose(f(x))
 *   f(Transpose(x), Transpose(z), constant) Transpose(f(x, z, constant in x's order))
 *
 * Models that were written for arrays with channels last have such pairs around every convolution.
 */
#include "onnx/passes.h"
#include "onnx/strides.h"
#include "onnx/transposition.h"
#include <string.h>

/* The Transpose that makes a value, or NULL. */
static cb_onnx_node *transpose_of(const cb_onnx_scheme *s, int64_t value)
{
  int64_t producer = value == CB_ONNX_NONE ? CB_ONNX_NONE : s->values[value].producer;
  if (producer == CB_ONNX_NONE || s->values[value].known || s->nodes[producer].gone) return NULL;
  return cb_onnx_transposition(&s->nodes[producer]) ? &s->nodes[producer] : NULL;
}

/* Takes away a node whose result nobody reads. */
static void drop_unread(cb_onnx_scheme *s, cb_onnx_node *node)
{
  const cb_onnx_value *v = &s->values[node->output[0]];
  if (v->readers || v->output) return;
  for (int j = 0; j < node->inputs; j++) cb_onnx_scheme_read(s, node, j, CB_ONNX_NONE);
  node->gone = true;
}

/* ---- a transpose of a transpose, or one that moves nothing ---- */

static void read_instead(cb_onnx_scheme *s, int64_t value, int64_t instead)
{
  for (int64_t i = 0; i < s->node_count; i++)
    for (int j = 0; j < s->nodes[i].inputs && !s->nodes[i].gone; j++)
      if (s->nodes[i].input[j] == value) cb_onnx_scheme_read(s, &s->nodes[i], j, instead);
}

/* The node that makes the input of a Transpose which alone reads it, if it can make the output itself; or NULL. */
static cb_onnx_node *maker(const cb_onnx_scheme *s, const cb_onnx_node *node)
{
  const cb_onnx_value *v = &s->values[node->input[0]];
  const bool alone = v->readers == 1 && !v->output && !v->known && v->producer != CB_ONNX_NONE;
  return alone ? &s->nodes[v->producer] : NULL;
}

/* True if a Transpose that moves nothing can be taken away: an output of the model must have a node that makes it. */
static bool can_leave_out(const cb_onnx_scheme *s, const cb_onnx_node *node)
{
  return !s->values[node->output[0]].output || maker(s, node);
}

/* Takes a Transpose that moves nothing away where it can be. */
static void leave_out(cb_onnx_scheme *s, cb_onnx_node *node)
{
  const int64_t in = node->input[0], out = node->output[0];
  if (!s->values[out].output) {
    read_instead(s, out, in);
    drop_unread(s, node);
    return;
  }
  cb_onnx_node *before = maker(s, node);
  if (!before) return;
  for (int j = 0; j < before->outputs; j++)
    if (before->output[j] == in) before->output[j] = out;
  s->values[out].producer = before - s->nodes;
  cb_onnx_scheme_read(s, node, 0, CB_ONNX_NONE);
  node->gone = true;
}

/* Joins a Transpose to the one before it; whether anything changed. */
static bool join(cb_onnx_scheme *s, cb_onnx_node *node)
{
  cb_onnx_node *before = transpose_of(s, node->input[0]);
  const int64_t *order = cb_onnx_transposition(node);
  int64_t joined[CB_GRAPH_RANK];
  const int rank = s->values[node->output[0]].shape.rank;
  bool moves = false;
  for (int i = 0; i < rank; i++) {
    joined[i] = before ? cb_onnx_transposition(before)[order[i]] : order[i];
    moves = moves || joined[i] != i;
  }
  if (!before && (moves || !can_leave_out(s, node))) return false;
  if (before) {
    cb_onnx_scheme_read(s, node, 0, before->input[0]);
    cb_onnx_transposition_set(node, &s->values[node->input[0]].shape, joined);
    drop_unread(s, before);
  }
  if (!moves) leave_out(s, node);
  return true;
}

/* ---- a transpose behind an element-wise node ---- */

/* The Transpose of the latest place among those of the node's inputs if all but the constants are transposes in one order,
   which nobody else reads; or NULL. */
static cb_onnx_node *shared_transpose(const cb_onnx_scheme *s, const cb_onnx_node *node)
{
  const cb_graph_shape *out = &s->values[node->output[0]].shape;
  cb_onnx_node *last = NULL;
  for (int j = 0; j < node->inputs; j++) {
    if (node->input[j] == CB_ONNX_NONE) continue;
    const cb_onnx_value *v = &s->values[node->input[j]];
    if (v->known && (v->shape.elements == 1 || (v->shape.rank <= out->rank && node->version >= 7))) continue;
    cb_onnx_node *t = transpose_of(s, node->input[j]);
    if (!t || cb_onnx_scheme_reader(s, node->input[j]) != node || v->shape.rank != out->rank) return NULL;
    if (memcmp(v->shape.size, out->size, sizeof out->size)) return NULL;
    if (last && memcmp(cb_onnx_transposition(t), cb_onnx_transposition(last), (size_t)out->rank * sizeof(int64_t)))
      return NULL;
    if (!last || t > last) last = t;
  }
  return last;
}

/* Makes a constant of several elements, which is broadcast to a transposed array, one for the array as it was before. */
static cnnblas_status turn_back(cb_onnx_scheme *s, cb_onnx_node *node, int j, const int64_t *order, int rank)
{
  const cb_graph_shape from = s->values[node->input[j]].shape;
  const void *elements = s->values[node->input[j]].known;
  cb_graph_shape to = {.type = from.type, .rank = rank, .elements = from.elements};
  cb_onnx_walk walk = {.rank = rank};
  int64_t value, step = 1;
  void *data;
  for (int i = rank - 1; i >= 0; i--) {
    const int axis = i - (rank - from.rank);
    const int64_t size = axis >= 0 ? from.size[axis] : 1;
    to.size[order[i]] = walk.size[order[i]] = size;
    walk.stride[0][order[i]] = step;
    step *= size;
  }
  cnnblas_status status = cb_onnx_scheme_constant(s, &to, &value, &data);
  if (status) return status;
  cb_onnx_walk_copy(&walk, s->setup.threads, cnnblas_graph_type_bytes(from.type), elements, data);
  cb_onnx_scheme_read(s, node, j, value);
  return CNNBLAS_OK;
}

/* Infers the shape of a node's output, and its settings, anew. */
static cnnblas_status infer_again(cb_onnx_scheme *s, cb_onnx_node *node)
{
  const cb_graph_shape *in[CB_GRAPH_INPUTS];
  const void *known[CB_GRAPH_INPUTS];
  cb_graph_shape out = {0};
  if (node->settings) memset(node->settings, 0, node->op->settings);
  cb_onnx_scheme_look(s, node, in, known, NULL);
  cnnblas_status status = node->op->infer(node, &(cb_onnx_shapes){in, known, &out, &s->lacks});
  if (!status) status = cb_onnx_count(&out);
  if (!status) s->values[node->output[0]].shape = out;
  return status ? cb_onnx_node_because(node, status) : CNNBLAS_OK;
}

/* Changes the places of a Transpose and of the node that read it, which now makes the value between them. */
static cnnblas_status exchange(cb_onnx_scheme *s, cb_onnx_node *transpose, cb_onnx_node *node, const int64_t *order)
{
  const int64_t between = transpose->output[0], made = node->output[0];
  const cb_onnx_node moved = *transpose;
  node->output[0] = between;
  *transpose = *node;
  *node = moved;
  node->output[0] = made;
  cb_onnx_scheme_read(s, node, 0, between);
  s->values[between].producer = transpose - s->nodes;
  s->values[made].producer = node - s->nodes;
  cnnblas_status status = infer_again(s, transpose);
  if (!status) cb_onnx_transposition_set(node, &s->values[between].shape, order);
  return status;
}

/* Pushes the transposes of a node's inputs behind it, if they can be. */
static cnnblas_status push(cb_onnx_scheme *s, cb_onnx_node *node, bool *changed)
{
  cb_onnx_node *last = shared_transpose(s, node);
  if (!last || s->value_room - s->value_count < 2 * s->node_count + node->inputs) return CNNBLAS_OK;
  size_t turned = 0; /* bytes of the constants that will be there in another order too */
  for (int j = 0; j < node->inputs; j++) {
    const cb_onnx_value *v = node->input[j] == CB_ONNX_NONE ? NULL : &s->values[node->input[j]];
    if (v && v->known && v->shape.elements != 1) turned += cb_onnx_bytes(&v->shape);
  }
  if (turned > s->budget) return CNNBLAS_OK;
  s->budget -= turned;
  const int rank = s->values[node->output[0]].shape.rank;
  int64_t order[CB_GRAPH_RANK];
  cnnblas_status status = CNNBLAS_OK;
  memcpy(order, cb_onnx_transposition(last), (size_t)rank * sizeof *order);
  for (int j = 0; j < node->inputs && !status; j++) {
    if (node->input[j] == CB_ONNX_NONE) continue;
    const cb_onnx_value *v = &s->values[node->input[j]];
    if (v->known) {
      if (v->shape.elements != 1) status = turn_back(s, node, j, order, rank);
      continue;
    }
    cb_onnx_node *t = transpose_of(s, node->input[j]);
    cb_onnx_scheme_read(s, node, j, t->input[0]);
    if (t != last) drop_unread(s, t);
  }
  *changed = true;
  return status ? status : exchange(s, last, node, order);
}

cnnblas_status cb_onnx_pass_transpose(cb_onnx_scheme *s)
{
  cnnblas_status status = CNNBLAS_OK;
  for (bool changed = true; changed && !status;) {
    changed = false;
    for (int64_t i = 0; i < s->node_count && !status; i++) {
      cb_onnx_node *node = &s->nodes[i];
      if (node->gone || node->output[0] == CB_ONNX_NONE) continue;
      if (cb_onnx_transposition(node))
        changed = join(s, node) || changed;
      else if (node->op->traits & CB_ONNX_BY_ELEMENT && node->outputs == 1)
        status = push(s, node, &changed);
    }
  }
  return status;
}
