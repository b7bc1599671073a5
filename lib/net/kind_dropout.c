/* DROPOUT: in training an element is dropped by its image's number and the step, elsewhere none is. */
#include "net/kind.h"
#include <cnnblas/dropout.h>
#include <stdio.h>

static bool parse(cb_net_text *t, cb_net_layer *l)
{
  int column = cb_text_column(t);
  if (!cb_text_decimal(t, false, "the share to drop, as 0.5", &l->share)) return false;
  return l->share < 1 ||
         cb_text_fail(t, CNNBLAS_BAD_FORMAT, "column %d: expected a share below 1, found %g", column, l->share);
}

static cnnblas_status drop(const cb_net_pass *p, const cb_net_layer *l, const void *x, void *y)
{
  const cnnblas_net *net = p->net;
  cnnblas_dropout_desc d = {.dtype = net->options.dtype, .threads = p->threads, .n = net->options.batch};
  d.elements = l->out.elements;
  d.p = l->share;
  d.seed = net->options.seed;
  d.layer = (uint64_t)l->index;
  d.step = (uint64_t)net->steps;
  return cnnblas_dropout_apply(&d, p->n, p->numbers, x, y);
}

static cnnblas_status forward(const cb_net_pass *p, const cb_net_layer *l, const void *const *x, void *y)
{
  cnnblas_activation_desc copy = {.dtype = p->net->options.dtype, .threads = p->threads};
  if (p->training) return drop(p, l, x[0], y);
  return x[0] == y ? CNNBLAS_OK : cnnblas_activation_forward(&copy, p->n * l->out.elements, x[0], y);
}

static cnnblas_status backward(const cb_net_pass *p, const cb_net_layer *l, const cb_net_gradients *g)
{
  return g->dx[0] ? drop(p, l, g->dy, g->dx[0]) : CNNBLAS_OK;
}

static void describe(const cb_net_layer *l, char *kind, char *detail, size_t size)
{
  (void)kind;
  snprintf(detail, size, "%g", l->share);
}

const cb_net_row cb_net_dropout = {.keyword = "DROPOUT",
                                   .name = "dropout",
                                   .traits = CB_NET_Y_FREE | CB_NET_DRAWS | CB_NET_IN_PLACE,
                                   .parse = parse,
                                   .forward = forward,
                                   .backward = backward,
                                   .describe = describe};
