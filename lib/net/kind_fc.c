/* FC: the fully connected layer. */
#include "net/kind.h"
#include <stdio.h>

enum { DEFAULT_OUTPUTS = 128 };

static bool parse(cb_net_text *t, cb_net_layer *l)
{
  l->bare = !cb_text_digit(t);
  l->outputs = DEFAULT_OUTPUTS;
  return l->bare || cb_text_number(t, 1, "a number of outputs", &l->outputs);
}

static cnnblas_status shape(cb_net_layer *l, const cb_net_shape *in, int count)
{
  (void)in;
  (void)count;
  l->out.c = l->outputs;
  for (int i = 0; i < l->rank; i++) l->out.size[i] = 1;
  return CNNBLAS_OK;
}

static cnnblas_status prepare(cnnblas_net *net, cb_net_layer *l)
{
  (void)net;
  l->flops = 2.0 * (double)l->in.elements * (double)l->out.elements;
  return CNNBLAS_OK;
}

static void parameters(cnnblas_net *net, cb_net_layer *l)
{
  int64_t in = l->in.elements, out = l->out.elements;
  cb_net_add_tensor(net, l, true, "weight",
                    (cb_net_param){.rank = 2, .shape = {out, in}, .fan_in = in, .fan_out = out, .decays = true});
  cb_net_add_tensor(net, l, true, "bias", (cb_net_param){.rank = 1, .shape = {out}});
}

static cnnblas_fc_desc desc(const cb_net_pass *p, const cb_net_layer *l)
{
  cnnblas_fc_desc d = {.dtype = p->net->options.dtype, .threads = p->threads, .n = p->net->options.batch};
  d.in = l->in.elements;
  d.out = l->out.elements;
  return d;
}

static cnnblas_status forward(const cb_net_pass *p, const cb_net_layer *l, const void *const *x, void *y)
{
  const cnnblas_net *net = p->net;
  cnnblas_activation activation = {.kind = l->relu ? CNNBLAS_RELU : CNNBLAS_IDENTITY};
  cnnblas_fc_desc d = desc(p, l);
  return cnnblas_fc_forward(&d, p->n, x[0], cb_net_param_at(net, net->layout.values, l->weight),
                            cb_net_param_at(net, net->layout.values, l->weight + 1), &activation, y);
}

static cnnblas_status backward(const cb_net_pass *p, const cb_net_layer *l, const cb_net_gradients *g)
{
  const cnnblas_net *net = p->net;
  cnnblas_fc_desc d = desc(p, l);
  cnnblas_status status = CNNBLAS_OK;
  if (g->parameters)
    status = cnnblas_fc_backward_weights(&d, p->n, g->x[0], g->dy, cb_net_param_at(net, p->section, l->weight),
                                         cb_net_param_at(net, p->section, l->weight + 1));
  if (status || !g->dx[0]) return status;
  return cnnblas_fc_backward_data(&d, p->n, g->dy, cb_net_param_at(net, net->layout.values, l->weight), g->dx[0]);
}

static void describe(const cb_net_layer *l, char *kind, char *detail, size_t size)
{
  (void)kind;
  snprintf(detail, size, "%lld", (long long)l->out.c);
}

const cb_net_row cb_net_fc = {.keyword = "FC",
                              .name = "fc",
                              .traits = CB_NET_Y_FREE | CB_NET_STORES | CB_NET_SPLITS | CB_NET_SEGMENTS,
                              .parse = parse,
                              .shape = shape,
                              .prepare = prepare,
                              .parameters = parameters,
                              .forward = forward,
                              .backward = backward,
                              .describe = describe};
