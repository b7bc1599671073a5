/* MaxPool AveragePool GlobalMaxPool GlobalAveragePool, on the library's pooling; u8 by way of f32. */
#include "onnx/rows.h"
#include "onnx/windows.h"
#include <string.h>

typedef struct {
  cnnblas_pool_desc desc;
  int64_t channel_in, channel_out; /* elements of a channel of the input and the output */
  bool columns;                    /* true: indices count by columns (storage_order) */
} pool;

static bool is_global(const cb_onnx_node *node)
{
  return !strncmp(node->op->name, "Global", 6);
}

static bool is_max(const cb_onnx_node *node)
{
  return strstr(node->op->name, "Max") != NULL;
}

static cnnblas_status describe(cb_onnx_node *node, const cb_graph_shape *x, cnnblas_pool_desc *d)
{
  cb_onnx_windows win;
  if (is_global(node)) {
    for (int i = 0; i < x->rank - 2; i++) {
      d->size[i] = x->size[2 + i];
      d->output[i] = 1;
    }
    return CNNBLAS_OK;
  }
  cnnblas_status status = cb_onnx_windows_read(node, x, NULL, false, &win);
  if (status) return status;
  memcpy(d->size, win.size, sizeof win.size);
  memcpy(d->kernel, win.kernel, sizeof win.kernel);
  memcpy(d->stride, win.stride, sizeof win.stride);
  memcpy(d->pad_begin, win.begin, sizeof win.begin);
  memcpy(d->pad_end, win.end, sizeof win.end);
  if (is_max(node)) memcpy(d->dilation, win.dilation, sizeof win.dilation);
  d->ceil_mode = cb_onnx_int(node, "ceil_mode", 0) != 0;
  d->count_include_pad = !is_max(node) && cb_onnx_int(node, "count_include_pad", 0) != 0;
  return CNNBLAS_OK;
}

static cnnblas_status infer(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  pool *own = node->settings;
  const cb_graph_shape *x = s->in[0];
  cnnblas_pool_shape shape;
  if (x->rank < 3 || x->rank > 5)
    return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "an input of rank %d; it must be 3 to 5", x->rank);
  if (!cb_onnx_is_real(x->type) && !(is_max(node) && x->type == CB_GRAPH_U8))
    return cb_onnx_node_fail(node, CNNBLAS_UNSUPPORTED, "an input of this type");
  cnnblas_pool_desc *d = &own->desc;
  *d = (cnnblas_pool_desc){.dtype = cb_onnx_dtype(x->type), .rank = x->rank - 2, .n = x->size[0], .c = x->size[1]};
  d->kind = is_max(node) ? CNNBLAS_POOL_MAX : CNNBLAS_POOL_AVG;
  cnnblas_status status = describe(node, x, d);
  if (status) return status;
  status = cnnblas_pool_get_shape(d, &shape);
  if (status) return cb_onnx_node_because(node, status);
  s->out[0] = (cb_graph_shape){.type = x->type, .rank = x->rank, .size = {x->size[0], x->size[1]}};
  for (int i = 0; i < d->rank; i++) s->out[0].size[2 + i] = shape.out[i];
  own->channel_in = cb_onnx_product(x, 2, x->rank);
  own->channel_out = cb_onnx_product(&s->out[0], 2, x->rank);
  own->columns = cb_onnx_int(node, "storage_order", 0) != 0;
  if (node->outputs > 1) {
    s->out[1] = s->out[0];
    s->out[1].type = CB_GRAPH_I64;
  }
  return CNNBLAS_OK;
}

/* Bytes of the workspace: *x and *y for input and output as f32, then the indices. */
static size_t parts(const cb_onnx_node *node, const cb_graph_shape *in, int64_t out, size_t *x, size_t *y)
{
  bool narrow = in->type == CB_GRAPH_U8;
  *x = narrow ? (size_t)in->elements * sizeof(float) : 0;
  *y = narrow ? (size_t)out * sizeof(float) : 0;
  return *x + *y + (node->outputs > 1 ? (size_t)out * sizeof(int32_t) : 0);
}

static cnnblas_status prepare(cb_onnx_node *node, const cb_onnx_setup *setup, const cb_onnx_shapes *s,
                              size_t *workspace)
{
  size_t x, y;
  (void)setup;
  *workspace = parts(node, s->in[0], s->out[0].elements, &x, &y);
  return CNNBLAS_OK;
}

/* Turns places in a channel into indices in the whole array. */
static void write_indices(const pool *own, int64_t count, const int32_t *places, int64_t *indices)
{
  const cnnblas_pool_desc *d = &own->desc;
  for (int64_t i = 0; i < count; i++) {
    int64_t place = places[i];
    if (own->columns) {
      int64_t other = 0, step = 1;
      int64_t at[3] = {0};
      for (int a = d->rank - 1; a >= 0; a--) {
        at[a] = place % d->size[a];
        place /= d->size[a];
      }
      for (int a = 0; a < d->rank; a++) {
        other += at[a] * step;
        step *= d->size[a];
      }
      place = other;
    }
    indices[i] = i / own->channel_out * own->channel_in + place;
  }
}

static cnnblas_status run(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const pool *own = node->settings;
  cnnblas_pool_desc d = own->desc;
  const cb_graph_shape *in = call->in[0], *out = call->out[0];
  size_t x_bytes, y_bytes;
  if (!out->elements) return CNNBLAS_OK;
  size_t bytes = parts(node, in, out->elements, &x_bytes, &y_bytes);
  char *own_room =
      call->workspace || !bytes ? NULL : cnnblas_shared_alloc(bytes, 0); /* folded nodes have no workspace */
  char *room = call->workspace ? call->workspace : own_room;
  if (bytes && !room) return cnnblas_shared_no_memory(bytes, "a pool");
  bool narrow = in->type == CB_GRAPH_U8;
  int32_t *places = node->outputs > 1 && call->y[1] ? (int32_t *)(room + x_bytes + y_bytes) : NULL;
  const void *x = narrow ? room : call->x[0];
  void *y = narrow ? room + x_bytes : call->y[0];
  for (int64_t i = 0; i < in->elements && narrow; i++) ((float *)room)[i] = ((const uint8_t *)call->x[0])[i];
  d.threads = call->threads;
  cnnblas_status status = cnnblas_pool_forward(&d, d.n, x, y, places);
  for (int64_t i = 0; i < out->elements && narrow && !status; i++)
    ((uint8_t *)call->y[0])[i] = (uint8_t)((const float *)y)[i];
  if (!status && places) write_indices(own, out->elements, places, call->y[1]);
  cnnblas_shared_free(own_room);
  return status;
}

#define POOL(name, outputs)                                                                                            \
  {                                                                                                                    \
    name, 1, CB_ONNX_NEWEST, 1, 1, outputs, 0, sizeof(pool), infer, prepare, run, NULL                                 \
  }

const cb_onnx_operator cb_onnx_pool_rows[] = {
    POOL("MaxPool", 2), POOL("AveragePool", 1), POOL("GlobalMaxPool", 1), POOL("GlobalAveragePool", 1), {0}};
