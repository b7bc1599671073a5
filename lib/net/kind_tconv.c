/* TCONV: the transposed convolution. */
#include "net/segments.h"
#include <stdio.h>

static bool parse(cb_net_text *t, cb_net_layer *l)
{
  cnnblas_conv_transpose_desc *d = &l->transposed;
  if (!cb_text_number(t, 1, "a number of filters", &d->k)) return false;
  if (!cb_text_accept(t, "@")) return cb_text_expected(t, "'@' and the filter size");
  bool read = cb_text_sizes(t, 1, "a number: the filter size", d->kernel);
  while (read) {
    if (cb_text_word(t, "stride"))
      read = cb_text_sizes(t, 1, "a number: the stride", d->stride);
    else if (cb_text_word(t, "dilation"))
      read = cb_text_sizes(t, 1, "a number: the dilation", d->dilation);
    else if (cb_text_word(t, "groups"))
      read = cb_text_number(t, 1, "a number of groups", &d->groups);
    else if (cb_text_word(t, "pad"))
      read = cb_text_ends(t, "a number of padding", d->pad_begin, d->pad_end);
    else if (cb_text_word(t, "output"))
      read = cb_text_sizes(t, 0, "a number: what the output's end gets", d->output_padding);
    else if (cb_text_word(t, "bias"))
      l->bias = true;
    else
      break;
  }
  return read;
}

static cnnblas_status shape(cb_net_layer *l, const cb_net_shape *in, int count)
{
  cnnblas_conv_transpose_desc *d = &l->transposed;
  (void)count;
  d->rank = l->rank;
  d->n = 1;
  d->c = in->c;
  for (int i = 0; i < l->rank; i++) d->size[i] = in->size[i];
  cnnblas_status status = cnnblas_conv_transpose_get_conv(d, &l->conv);
  if (status) return status;
  l->out.c = d->k;
  for (int i = 0; i < l->rank; i++) l->out.size[i] = l->conv.size[i];
  return CNNBLAS_OK;
}

static cnnblas_status prepare(cnnblas_net *net, cb_net_layer *l)
{
  cnnblas_conv_shape s = {0};
  l->transposed.dtype = net->options.dtype;
  const int64_t batch = l->transposed.n = cb_net_layer_batch(net, l);
  cnnblas_status status = cnnblas_conv_transpose_get_conv(&l->transposed, &l->conv);
  for (int direction = 0; direction < 3 && !status; direction++) {
    if (direction == CNNBLAS_BACKWARD_DATA && l->sinks[0] == CB_NET_UNWANTED) continue;
    cnnblas_conv_transpose_plan **plan = &l->transposed_plans[direction];
    l->transposed.n = direction == CNNBLAS_BACKWARD_WEIGHTS ? cb_net_gradient_images(net, l) : batch;
    cnnblas_conv_options o = cb_net_plan_options(net, l);
    if (direction == CNNBLAS_FORWARD) status = cb_net_choose_by_segment(net, l, &l->conv, &o);
    if (status) break;
    status = cnnblas_conv_transpose_plan_create(&l->transposed, (cnnblas_conv_direction)direction, &o, plan);
    if (status) break;
    const cnnblas_conv_plan *conv = cnnblas_conv_transpose_plan_get_conv(*plan);
    snprintf(l->algorithms[direction], sizeof l->algorithms[0], "%s", cnnblas_conv_plan_algorithm(conv));
    cb_net_need_workspace(net, conv, direction == CNNBLAS_FORWARD);
    if (direction != CNNBLAS_FORWARD && net->options.mode == CNNBLAS_NET_INFERENCE) {
      cnnblas_conv_transpose_plan_destroy(*plan);
      *plan = NULL;
    }
  }
  l->transposed.n = batch;
  if (!status) status = cnnblas_conv_get_shape(&l->conv, &s);
  if (!status) l->flops = s.flops / (double)l->conv.n;
  return status;
}

static void parameters(cnnblas_net *net, cb_net_layer *l)
{
  const cnnblas_conv_transpose_desc *d = &l->transposed;
  int64_t groups = d->groups ? d->groups : 1, taps = 1;
  cb_net_param w = {.rank = 2 + l->rank, .shape = {d->c, d->k / groups}, .decays = true};
  for (int i = 0; i < l->rank; i++) taps *= w.shape[2 + i] = d->kernel[i];
  w.fan_in = d->c / groups * taps;
  w.fan_out = w.shape[1] * taps;
  cb_net_add_tensor(net, l, true, "weight", w);
  if (l->bias) cb_net_add_tensor(net, l, true, "bias", (cb_net_param){.rank = 1, .shape = {d->k}});
}

static cnnblas_status forward(const cb_net_pass *p, const cb_net_layer *l, const void *const *x, void *y)
{
  const cnnblas_net *net = p->net;
  cnnblas_conv_epilogue e = {.activation.kind = l->relu ? CNNBLAS_RELU : CNNBLAS_IDENTITY};
  if (l->bias) e.bias = cb_net_param_at(net, net->layout.values, l->weight + 1);
  return cnnblas_conv_transpose_forward(l->transposed_plans[CNNBLAS_FORWARD], p->n, x[0],
                                        cb_net_param_at(net, net->layout.values, l->weight), &e, y, p->workspace,
                                        net->forward_workspace);
}

static cnnblas_status backward(const cb_net_pass *p, const cb_net_layer *l, const cb_net_gradients *g)
{
  const cnnblas_net *net = p->net;
  cnnblas_status status = CNNBLAS_OK;
  if (g->parameters)
    status = cnnblas_conv_transpose_backward_weights(l->transposed_plans[CNNBLAS_BACKWARD_WEIGHTS], p->n, g->x[0],
                                                     g->dy, cb_net_param_at(net, p->section, l->weight),
                                                     l->bias ? cb_net_param_at(net, p->section, l->weight + 1) : NULL,
                                                     p->workspace, net->training_workspace);
  if (status || !g->dx[0]) return status;
  return cnnblas_conv_transpose_backward_data(l->transposed_plans[CNNBLAS_BACKWARD_DATA], p->n, g->dy,
                                              cb_net_param_at(net, net->layout.values, l->weight), g->dx[0],
                                              p->workspace, net->training_workspace);
}

static void describe(const cb_net_layer *l, char *kind, char *detail, size_t size)
{
  const cnnblas_conv_transpose_desc *d = &l->transposed;
  char a[40], b[40], pad[40];
  (void)kind;
  snprintf(detail, size, "%lld@%s stride %s pad %s", (long long)d->k, cb_net_sizes(a, sizeof a, l->rank, d->kernel, 0),
           cb_net_sizes(b, sizeof b, l->rank, d->stride, 1), cb_net_sizes(pad, sizeof pad, l->rank, d->pad_begin, 0));
}

const cb_net_row cb_net_tconv = {.keyword = "TCONV",
                                 .name = "tconv",
                                 .traits = CB_NET_Y_FREE | CB_NET_STORES | CB_NET_SEGMENTS,
                                 .parse = parse,
                                 .shape = shape,
                                 .prepare = prepare,
                                 .parameters = parameters,
                                 .forward = forward,
                                 .backward = backward,
                                 .describe = describe};
