/* Conv, on the library's plans: bias, residual and activation in the store, weights packed once. */
#include "onnx/convolution.h"
#include "onnx/rows.h"
#include "onnx/windows.h"
#include <string.h>

static cnnblas_status infer(cb_onnx_node *node, const cb_onnx_shapes *s)
{
  cb_onnx_convolution *own = node->settings;
  const cb_graph_shape *x = s->in[CB_ONNX_CONV_X], *w = s->in[CB_ONNX_CONV_W];
  const cb_graph_shape *b = node->inputs > CB_ONNX_CONV_BIAS ? s->in[CB_ONNX_CONV_BIAS] : NULL;
  cb_onnx_windows win;
  cnnblas_conv_shape shape;
  cnnblas_status status = cb_onnx_need_real(node, s, 0);
  if (status) return status;
  if (!w || w->type != x->type || w->rank != x->rank || x->rank < 3)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its weights do not fit its input");
  status = cb_onnx_windows_read(node, x, w->size + 2, false, &win);
  if (status) return status;
  own->desc = (cnnblas_conv_desc){.dtype = cb_onnx_dtype(x->type), .rank = win.rank, .n = x->size[0], .c = x->size[1]};
  own->desc.k = w->size[0];
  own->desc.groups = cb_onnx_int(node, "group", 1);
  memcpy(own->desc.size, win.size, sizeof win.size);
  memcpy(own->desc.kernel, win.kernel, sizeof win.kernel);
  memcpy(own->desc.stride, win.stride, sizeof win.stride);
  memcpy(own->desc.dilation, win.dilation, sizeof win.dilation);
  memcpy(own->desc.pad_begin, win.begin, sizeof win.begin);
  memcpy(own->desc.pad_end, win.end, sizeof win.end);
  if (own->desc.groups < 1 || x->size[1] / own->desc.groups != w->size[1] || x->size[1] % own->desc.groups)
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "%lld channels do not fit weights of %lld and group %lld",
                             (long long)x->size[1], (long long)w->size[1], (long long)own->desc.groups);
  if (b && (b->elements != w->size[0] || b->type != x->type))
    return cb_onnx_node_fail(node, CNNBLAS_BAD_FORMAT, "its bias does not fit its weights");
  status = cnnblas_conv_get_shape(&own->desc, &shape);
  if (status) return cb_onnx_node_because(node, status);
  s->out[0] = (cb_graph_shape){.type = x->type, .rank = x->rank, .size = {x->size[0], w->size[0]}};
  for (int i = 0; i < win.rank; i++) s->out[0].size[2 + i] = shape.out[i];
  return CNNBLAS_OK;
}

/* Puts a plan that takes packed weights in the place of the node's, unless that packs none and is estimated to be over a tenth faster. */
static cnnblas_status pack(cb_onnx_convolution *own, cnnblas_conv_options *options, const void *weights)
{
  cnnblas_conv_plan *packing;
  options->packed_weights = 1;
  if (cnnblas_conv_plan_create(&own->desc, CNNBLAS_FORWARD, options, &packing)) return CNNBLAS_OK; /* no row packs */
  if (!cb_onnx_prefers_packed(packing, own->plan, options->effort)) {
    cnnblas_conv_plan_destroy(packing);
    return CNNBLAS_OK;
  }
  cnnblas_conv_plan_destroy(own->plan);
  own->plan = packing;
  return cb_onnx_pack(packing, weights, &own->packed);
}

static cnnblas_status prepare(cb_onnx_node *node, const cb_onnx_setup *setup, const cb_onnx_shapes *s,
                              size_t *workspace)
{
  cb_onnx_convolution *own = node->settings;
  const cnnblas_onnx_options *o = setup->options;
  cnnblas_conv_options options = {
      .threads = setup->threads, .effort = o->effort, .wisdom = o->wisdom, .accuracy = o->accuracy};
  cnnblas_status status = cnnblas_conv_plan_create(&own->desc, CNNBLAS_FORWARD, &options, &own->plan);
  const void *weights = s->known[CB_ONNX_CONV_W];
  const bool one_each = own->desc.c == own->desc.groups; /* a channel a group: its weights stay as they are */
  if (!status && weights && !one_each && !(o->without & CNNBLAS_ONNX_PACK_WEIGHTS))
    status = pack(own, &options, weights);
  if (status) return cb_onnx_node_because(node, status);
  *workspace = own->workspace = cnnblas_conv_plan_workspace(own->plan);
  return CNNBLAS_OK;
}

static cnnblas_status run(const cb_onnx_node *node, const cb_onnx_call *call)
{
  const cb_onnx_convolution *own = node->settings;
  cnnblas_conv_epilogue epilogue = {.activation = own->activation};
  if (node->inputs > CB_ONNX_CONV_BIAS) epilogue.bias = call->x[CB_ONNX_CONV_BIAS];
  if (node->inputs > CB_ONNX_CONV_RESIDUAL) epilogue.residual = call->x[CB_ONNX_CONV_RESIDUAL];
  const void *x = call->x[CB_ONNX_CONV_X];
  if (!call->out[0]->elements) return CNNBLAS_OK;
  if (own->packed.weights)
    return cnnblas_conv_forward_packed(own->plan, own->desc.n, x, own->packed.weights, &epilogue, call->y[0],
                                       call->workspace, own->workspace);
  if (own->plan)
    return cnnblas_conv_forward(own->plan, own->desc.n, x, call->x[CB_ONNX_CONV_W], &epilogue, call->y[0],
                                call->workspace, own->workspace);
  /* A folded node has no plan. */
  return cnnblas_conv_forward_once(&own->desc, x, call->x[CB_ONNX_CONV_W], epilogue.bias, call->y[0]);
}

static void release(cb_onnx_node *node)
{
  cb_onnx_convolution *own = node->settings;
  cnnblas_conv_plan_destroy(own->plan);
  cnnblas_shared_free(own->packed.weights);
}

const cb_onnx_operator cb_onnx_conv_rows[] = {
    {"Conv", 1, CB_ONNX_NEWEST, 2, 3, 1, CB_ONNX_OVER_LAST, sizeof(cb_onnx_convolution), infer, prepare, run, release},
    {0}};

cb_onnx_convolution *cb_onnx_as_convolution(const cb_onnx_node *node)
{
  return node->op == cb_onnx_conv_rows ? node->settings : NULL;
}

const cnnblas_conv_plan *cb_onnx_plan_of(const cb_onnx_node *node, const cb_onnx_packed **packed)
{
  const cb_onnx_convolution *own = cb_onnx_as_convolution(node);
  *packed = own && own->plan ? &own->packed : NULL;
  return own ? own->plan : cb_onnx_transposed_plan(node, packed);
}
