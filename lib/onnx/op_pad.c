/* Pad: by a constant, mirrored, or by the edge's elements. */
#include "onnx/padding.h"
#include "onnx/rows.h"
#include <string.h>

static cnnblas_status infer(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  cb_onnx_padding *own = node->settings;
  const cb_graph_shape *x = s->in[0];
  int64_t pads[2 * CB_GRAPH_RANK];
  int count;
  cnnblas_status status = node->version < 11 ? cb_onnx_ints(node, "pads", pads, 2 * CB_GRAPH_RANK, &count)
                                             : cb_onnx_known_ints(node, s, 1, pads, 2 * CB_GRAPH_RANK, &count);
  if (status) return status;
  if (count != 2 * x->rank) return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "%d pads for rank %d", count, x->rank);
  own->mode = cb_onnx_is(node, "mode", "reflect", "constant") ? CB_ONNX_PAD_REFLECT
              : cb_onnx_is(node, "mode", "edge", "constant")  ? CB_ONNX_PAD_EDGE
                                                              : CB_ONNX_PAD_CONSTANT;
  s->out[0] = *x;
  for (int i = 0; i < x->rank; i++) {
    own->begin[i] = pads[i];
    own->end[i] = pads[x->rank + i];
    int64_t *y = &s->out[0].size[i], most = own->mode == CB_ONNX_PAD_REFLECT ? x->size[i] - 1 : INT64_MAX;
    if (!cb_add(*y, own->begin[i], y) || !cb_add(*y, own->end[i], y) || *y < 0 || own->begin[i] > most ||
        own->end[i] > most || (own->mode != CB_ONNX_PAD_CONSTANT && !x->size[i] && *y))
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "axis %d cannot be padded so", i);
  }
  return CNNBLAS_OK;
}

/* The bits, in the elements' type, of the number that pads; 0 if none is given. */
static uint64_t value_bits(const cb_onnx_node *node, const cb_onnx_call *call)
{
  uint64_t bits = 0;
  cb_graph_type type = call->in[0]->type;
  if (node->version >= 11) {
    if (node->inputs > 2 && call->x[2] && call->in[2]->elements && call->in[2]->type == type)
      memcpy(&bits, call->x[2], cnnblas_graph_type_bytes(type));
  } else {
    double value = cb_onnx_float(node, "value", 0);
    float narrow = (float)value;
    if (type == CB_GRAPH_F64) memcpy(&bits, &value, sizeof value);
    if (type == CB_GRAPH_F32) memcpy(&bits, &narrow, sizeof narrow);
  }
  return bits;
}

/* The place on an axis of the input's element that the output's element i takes; -1: it takes none. */
static int64_t source(const cb_onnx_padding *p, int axis, int64_t size, int64_t i)
{
  int64_t at = i - p->begin[axis];
  if (at >= 0 && at < size) return at;
  if (p->mode == CB_ONNX_PAD_CONSTANT) return -1;
  if (p->mode == CB_ONNX_PAD_EDGE) return at < 0 ? 0 : size - 1;
  return at < 0 ? -at : 2 * (size - 1) - at;
}

static void fill_row(const cb_onnx_padding *p, const cb_onnx_call *call, const char *x, char *y, uint64_t bits)
{
  const cb_graph_shape *in = call->in[0];
  int last = in->rank - 1;
  size_t each = cnnblas_graph_type_bytes(in->type);
  for (int64_t i = 0; i < call->out[0]->size[last]; i++) {
    int64_t at = x ? source(p, last, in->size[last], i) : -1;
    memcpy(y + (size_t)i * each, at < 0 ? (const void *)&bits : x + (size_t)at * each, each);
  }
}

typedef struct {
  const cb_onnx_node *node;
  const cb_onnx_call *call;
  uint64_t bits;
  int64_t rows, parts;
} job;

static void fill_rows(void *context, int64_t task, int worker)
{
  const job *j = context;
  const cb_onnx_padding *p = j->node->settings;
  const cb_graph_shape *in = j->call->in[0], *out = j->call->out[0];
  int last = in->rank - 1;
  size_t each = cnnblas_graph_type_bytes(in->type);
  (void)worker;
  for (int64_t r = cb_split(j->rows, j->parts, task); r < cb_split(j->rows, j->parts, task + 1); r++) {
    int64_t rest = r, at = 0, step = in->size[last];
    for (int a = last - 1; a >= 0 && at >= 0; a--) {
      int64_t from = source(p, a, in->size[a], rest % out->size[a]);
      at = from < 0 ? -1 : at + from * step;
      rest /= out->size[a];
      step *= in->size[a];
    }
    const char *x = at < 0 ? NULL : (const char *)j->call->x[0] + (size_t)at * each;
    fill_row(p, j->call, x, (char *)j->call->y[0] + (size_t)(r * out->size[last]) * each, j->bits);
  }
}

static cnnblas_status run(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const cb_graph_shape *out = call->out[0];
  job j = {node, call, value_bits(node, call), 1, 1};
  if (!out->rank) {
    memcpy(call->y[0], call->x[0], cb_onnx_bytes(out));
    return CNNBLAS_OK;
  }
  if (!out->elements) return CNNBLAS_OK;
  j.rows = out->elements / out->size[out->rank - 1];
  j.parts = cb_min(j.rows, cb_parts(out->elements, 1 << 14));
  cnnblas_shared_parallel(j.parts > 1 ? call->threads : 1, j.parts, fill_rows, &j);
  return CNNBLAS_OK;
}

const cb_onnx_operator cb_onnx_pad_rows[] = {
    {"Pad", 2, CB_ONNX_NEWEST, 1, 3, 1, 0, sizeof(cb_onnx_padding), infer, NULL, run, NULL}, {0}};
