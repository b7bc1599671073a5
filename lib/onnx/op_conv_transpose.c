/* ConvTranspose, on the library's plans: weights packed once. */
#include "onnx/convolution.h"
#include "onnx/rows.h"
#include "onnx/windows.h"
#include <cnnblas/conv_transpose.h>
#include <string.h>

typedef struct {
  cnnblas_conv_transpose_desc desc;
  cnnblas_conv_transpose_plan *plan; /* the plan, owned; NULL before prepare */
  cb_onnx_packed packed;
  size_t workspace;
} transposed;

/* Sets an axis's padding to that which gives the output's wanted size; what no padding can give is added behind. */
static void reach(cnnblas_conv_transpose_desc *d, int axis, int64_t wanted, bool upper)
{
  int64_t whole =
      (d->size[axis] - 1) * d->stride[axis] + d->dilation[axis] * (d->kernel[axis] - 1) + 1 + d->output_padding[axis];
  int64_t total = whole - wanted;
  if (total < 0) {
    d->output_padding[axis] -= total;
    total = 0;
  }
  d->pad_begin[axis] = upper ? total / 2 : total - total / 2;
  d->pad_end[axis] = total - d->pad_begin[axis];
}

static cnnblas_status read_padding(const cb_onnx_node *node, const cb_onnx_windows *win, cnnblas_conv_transpose_desc *d)
{
  int64_t added[3] = {0}, shape[CB_GRAPH_RANK];
  int adds, sizes;
  cnnblas_status status = cb_onnx_ints(node, "output_padding", added, 3, &adds);
  if (!status) status = cb_onnx_ints(node, "output_shape", shape, CB_GRAPH_RANK, &sizes);
  if (status) return status;
  if ((adds && adds != win->rank) || (sizes && sizes != win->rank && sizes != win->rank + 2))
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "output_padding or output_shape is not one number an axis");
  bool same =
      cb_onnx_is(node, "auto_pad", "SAME_UPPER", "NOTSET") || cb_onnx_is(node, "auto_pad", "SAME_LOWER", "NOTSET");
  bool upper = !cb_onnx_is(node, "auto_pad", "SAME_LOWER", "NOTSET");
  for (int i = 0; i < win->rank; i++) {
    d->pad_begin[i] = win->begin[i];
    d->pad_end[i] = win->end[i];
    d->output_padding[i] = adds ? added[i] : 0;
    if (d->output_padding[i] < 0 || d->output_padding[i] > INT32_MAX)
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "output_padding has %lld", (long long)d->output_padding[i]);
    if (sizes && (shape[sizes - win->rank + i] < 1 || shape[sizes - win->rank + i] > INT32_MAX))
      return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "output_shape has %lld",
                               (long long)shape[sizes - win->rank + i]);
    if (sizes)
      reach(d, i, shape[sizes - win->rank + i], upper);
    else if (same)
      reach(d, i, win->size[i] * win->stride[i], upper);
  }
  return CNNBLAS_OK;
}

static cnnblas_status infer(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  transposed *own = node->settings;
  const cb_graph_shape *x = s->in[0], *w = s->in[1], *b = node->inputs > 2 ? s->in[2] : NULL;
  cb_onnx_windows win;
  cnnblas_conv_desc conv;
  cnnblas_status status = cb_onnx_need_real(node, s, 0);
  if (status) return status;
  if (!w || w->type != x->type || w->rank != x->rank || x->rank < 3 || w->size[0] != x->size[1])
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its weights do not fit its input");
  status = cb_onnx_windows_read(node, x, w->size + 2, true, &win);
  if (status) return status;
  cnnblas_conv_transpose_desc *d = &own->desc;
  *d = (cnnblas_conv_transpose_desc){
      .dtype = cb_onnx_dtype(x->type), .rank = win.rank, .n = x->size[0], .c = x->size[1]};
  d->groups = cb_onnx_int(node, "group", 1);
  memcpy(d->size, win.size, sizeof win.size);
  memcpy(d->kernel, win.kernel, sizeof win.kernel);
  memcpy(d->stride, win.stride, sizeof win.stride);
  memcpy(d->dilation, win.dilation, sizeof win.dilation);
  if (d->groups < 1 || d->groups > x->size[1] || !cb_mul(w->size[1], d->groups, &d->k))
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "group %lld", (long long)d->groups);
  if (b && (b->elements != d->k || b->type != x->type))
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its bias does not fit its weights");
  status = read_padding(node, &win, d);
  if (status) return status;
  status = cnnblas_conv_transpose_get_conv(d, &conv);
  if (status) return cb_onnx_node_because(node, status);
  s->out[0] = (cb_graph_shape){.type = x->type, .rank = x->rank, .size = {x->size[0], d->k}};
  for (int i = 0; i < win.rank; i++) s->out[0].size[2 + i] = conv.size[i];
  return CNNBLAS_OK;
}

static const cnnblas_conv_plan *conv_of(const transposed *own)
{
  return cnnblas_conv_transpose_plan_get_conv(own->plan);
}

/* Puts a plan that takes packed weights in the place of the node's, if it is to run there. */
static cnnblas_status pack(transposed *own, cnnblas_conv_options *options, const void *weights)
{
  cnnblas_conv_transpose_plan *packing;
  options->packed_weights = 1;
  if (cnnblas_conv_transpose_plan_create(&own->desc, CNNBLAS_FORWARD, options, &packing)) return CNNBLAS_OK;
  if (!cb_onnx_prefers_packed(cnnblas_conv_transpose_plan_get_conv(packing), conv_of(own), options->effort)) {
    cnnblas_conv_transpose_plan_destroy(packing);
    return CNNBLAS_OK;
  }
  cnnblas_conv_transpose_plan_destroy(own->plan);
  own->plan = packing;
  return cb_onnx_pack(conv_of(own), weights, &own->packed);
}

static cnnblas_status prepare(cb_onnx_node *node, const cb_onnx_setup *setup, const cb_onnx_shapes *s,
                              size_t *workspace)
{
  transposed *own = node->settings;
  const cnnblas_onnx_options *o = setup->options;
  cnnblas_conv_options options = {
      .threads = setup->threads, .effort = o->effort, .wisdom = o->wisdom, .accuracy = o->accuracy};
  cnnblas_status status = cnnblas_conv_transpose_plan_create(&own->desc, CNNBLAS_FORWARD, &options, &own->plan);
  const bool one_each = own->desc.k == own->desc.groups; /* a channel a group: its weights stay as they are */
  if (!status && s->known[1] && !one_each && !(o->without & CNNBLAS_ONNX_PACK_WEIGHTS))
    status = pack(own, &options, s->known[1]);
  if (status) return cb_onnx_node_because(node, status);
  *workspace = own->workspace = cnnblas_conv_plan_workspace(conv_of(own));
  return CNNBLAS_OK;
}

static cnnblas_status run(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const transposed *own = node->settings;
  cnnblas_conv_epilogue epilogue = {.bias = node->inputs > 2 ? call->x[2] : NULL};
  if (!call->out[0]->elements) return CNNBLAS_OK;
  if (own->packed.weights)
    return cnnblas_conv_transpose_forward_packed(own->plan, own->desc.n, call->x[0], own->packed.weights, &epilogue,
                                                 call->y[0], call->workspace, own->workspace);
  if (own->plan)
    return cnnblas_conv_transpose_forward(own->plan, own->desc.n, call->x[0], call->x[1], &epilogue, call->y[0],
                                          call->workspace, own->workspace);
  cnnblas_conv_transpose_plan *plan; /* the plan of a folded node, which runs once */
  cnnblas_status status = cnnblas_conv_transpose_plan_create(&own->desc, CNNBLAS_FORWARD, NULL, &plan);
  if (status) return status;
  status = cnnblas_conv_transpose_forward(plan, own->desc.n, call->x[0], call->x[1], &epilogue, call->y[0], NULL, 0);
  cnnblas_conv_transpose_plan_destroy(plan);
  return status;
}

static void release(cb_onnx_node *node)
{
  transposed *own = node->settings;
  cnnblas_conv_transpose_plan_destroy(own->plan);
  cnnblas_shared_free(own->packed.weights);
}

const cb_onnx_operator cb_onnx_conv_transpose_rows[] = {
    {"ConvTranspose", 1, CB_ONNX_NEWEST, 2, 3, 1, 0, sizeof(transposed), infer, prepare, run, release}, {0}};

const cnnblas_conv_plan *cb_onnx_transposed_plan(const cb_onnx_node *node, const cb_onnx_packed **packed)
{
  if (node->op != cb_onnx_conv_transpose_rows) return NULL;
  const transposed *own = node->settings;
  *packed = &own->packed;
  return conv_of(own);
}
