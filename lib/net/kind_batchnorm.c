/*
 * BN: batch normalisation. A training pass leaves the batch's mean and variance beside the running ones, which follow
 * them in the update: cnnblas_net_gradient changes nothing that is saved.
 */
#include "net/exchange.h"
#include <string.h>

static cnnblas_status prepare(cnnblas_net *net, cb_net_layer *l)
{
  l->norm = (cnnblas_batchnorm_desc){.dtype = net->options.dtype, .n = net->options.batch, .c = l->in.c};
  l->norm.epsilon = CB_NET_NORM_EPSILON;
  l->norm.pixels = l->in.elements / l->in.c;
  l->kept_of_batch = (net->options.segments > 1 ? 6 : 2) * l->in.c * (int64_t)sizeof(double);
  return CNNBLAS_OK;
}

static void parameters(cnnblas_net *net, cb_net_layer *l)
{
  cb_net_add_tensor(net, l, true, "weight", (cb_net_param){.rank = 1, .shape = {l->in.c}, .begin = 1});
  cb_net_add_tensor(net, l, true, "bias", (cb_net_param){.rank = 1, .shape = {l->in.c}});
}

static void state(cnnblas_net *net, cb_net_layer *l)
{
  cb_net_add_tensor(net, l, false, "running_mean", (cb_net_param){.rank = 1, .shape = {l->in.c}});
  cb_net_add_tensor(net, l, false, "running_var", (cb_net_param){.rank = 1, .shape = {l->in.c}, .begin = 1});
}

static cnnblas_batchnorm_arrays arrays(const cb_net_pass *p, const cb_net_layer *l, size_t states)
{
  const cnnblas_net *net = p->net;
  cnnblas_batchnorm_arrays a = {.gamma = cb_net_param_at(net, net->layout.values, l->weight),
                                .beta = cb_net_param_at(net, net->layout.values, l->weight + 1)};
  a.running_mean = cb_net_param_at(net, states, l->state);
  a.running_variance = cb_net_param_at(net, states, l->state + 1);
  a.mean = cb_net_at(net, l->kept);
  a.inv_std = a.mean + l->in.c;
  return a;
}

/* join: room for the others of a training step's images. */
static cnnblas_batchnorm_desc desc(const cb_net_pass *p, const cb_net_layer *l, cnnblas_batchnorm_join *join)
{
  const cnnblas_net *net = p->net;
  cnnblas_batchnorm_desc d = l->norm;
  d.threads = p->threads;
  if (!p->training || !net->exchange || net->exchange->ranks == 1) return d;
  cb_net_join_norm(p, l, (double *)cb_net_at(net, l->kept) + 2 * l->in.c, join);
  d.join = join;
  return d;
}

static cnnblas_status forward(const cb_net_pass *p, const cb_net_layer *l, const void *const *x, void *y)
{
  cnnblas_batchnorm_join join;
  cnnblas_batchnorm_desc d = desc(p, l, &join);
  cnnblas_batchnorm_arrays a = arrays(p, l, p->training ? p->net->layout.batch_states : p->net->layout.states);
  d.relu = l->relu;
  if (l->adds != CB_NET_NONE) a.residual = cb_net_value(p, l->adds);
  if (!p->training) return cnnblas_batchnorm_forward_inference(&d, p->n, x[0], &a, y);
  size_t bytes = (size_t)l->in.c * p->net->element;
  memset(a.running_mean, 0, bytes); /* the batch before may not have been finite: nothing of it stays */
  memset(a.running_variance, 0, bytes);
  d.momentum = 1;
  return cnnblas_batchnorm_forward_training(&d, p->n, x[0], &a, y);
}

static cnnblas_status backward(const cb_net_pass *p, const cb_net_layer *l, const cb_net_gradients *g)
{
  cnnblas_batchnorm_join join;
  cnnblas_batchnorm_desc d = desc(p, l, &join);
  cnnblas_batchnorm_arrays a = arrays(p, l, p->net->layout.batch_states);
  void *dx = g->dx[0] ? g->dx[0] : g->dy;
  d.relu = l->relu && l->adds == CB_NET_NONE; /* behind a sum the ReLU makes its own gradient */
  return cnnblas_batchnorm_backward(&d, p->n, g->x[0], &a, g->dy, dx, cb_net_param_at(p->net, p->section, l->weight),
                                    cb_net_param_at(p->net, p->section, l->weight + 1));
}

const cb_net_row cb_net_bn = {.keyword = "BN",
                              .name = "bn",
                              .traits = CB_NET_STORES | CB_NET_MASKS | CB_NET_Y_FREE | CB_NET_WHOLE |
                                        CB_NET_NORMALISES | CB_NET_MAKES_DX | CB_NET_IN_PLACE,
                              .prepare = prepare,
                              .parameters = parameters,
                              .state = state,
                              .forward = forward,
                              .backward = backward};
