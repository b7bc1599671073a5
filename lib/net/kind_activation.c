/* The activation functions, a row each. */
#include "net/kind.h"
#include <stdio.h>

static bool parse_slope(cb_net_text *t, cb_net_layer *l)
{
  return !cb_text_digit(t) || cb_text_decimal(t, false, "a slope", &l->activation.function.alpha);
}

static bool parse_bounds(cb_net_text *t, cb_net_layer *l)
{
  cnnblas_activation *f = &l->activation.function;
  int column = cb_text_column(t);
  if (!cb_text_decimal(t, true, "a number: the lower bound", &f->alpha) ||
      !cb_text_decimal(t, true, "a number: the upper bound", &f->beta))
    return false;
  return f->alpha < f->beta ||
         cb_text_fail(t, CNNBLAS_BAD_FORMAT, "column %d: expected a lower bound below the upper one, found %g and %g",
                      column, f->alpha, f->beta);
}

static cnnblas_status prepare(cnnblas_net *net, cb_net_layer *l)
{
  l->activation.dtype = net->options.dtype;
  l->activation.function.kind = l->row->function;
  return CNNBLAS_OK;
}

static cnnblas_activation_desc desc(const cb_net_pass *p, const cb_net_layer *l)
{
  cnnblas_activation_desc d = l->activation;
  d.threads = p->threads;
  return d;
}

static cnnblas_status forward(const cb_net_pass *p, const cb_net_layer *l, const void *const *x, void *y)
{
  cnnblas_activation_desc d = desc(p, l);
  return cnnblas_activation_forward(&d, p->n * l->out.elements, x[0], y);
}

/* Where an activation lies over its input, its gradient follows from its output alone. */
static cnnblas_status backward(const cb_net_pass *p, const cb_net_layer *l, const cb_net_gradients *g)
{
  cnnblas_activation_desc d = desc(p, l);
  if (!g->dx[0]) return CNNBLAS_OK;
  return cnnblas_activation_backward(&d, p->n * l->out.elements, l->in_place ? NULL : g->x[0], g->y, g->dy, g->dx[0]);
}

static void describe_slope(const cb_net_layer *l, char *kind, char *detail, size_t size)
{
  (void)kind;
  snprintf(detail, size, "%g", l->activation.function.alpha != 0 ? l->activation.function.alpha : 0.01);
}

static void describe_alpha(const cb_net_layer *l, char *kind, char *detail, size_t size)
{
  (void)kind;
  snprintf(detail, size, "%g", l->activation.function.alpha != 0 ? l->activation.function.alpha : 1);
}

static void describe_bounds(const cb_net_layer *l, char *kind, char *detail, size_t size)
{
  (void)kind;
  snprintf(detail, size, "%g %g", l->activation.function.alpha, l->activation.function.beta);
}

/* An activation's row: keyword, name, function, more traits, how its numbers are read and written. */
#define ACTIVATION(word, lower, kind, more, reads, writes)                                                             \
  const cb_net_row cb_net_##lower = {.keyword = word,                                                                  \
                                     .name = #lower,                                                                   \
                                     .traits = CB_NET_FUNCTION | CB_NET_IN_PLACE | (more),                             \
                                     .function = kind,                                                                 \
                                     .parse = reads,                                                                   \
                                     .prepare = prepare,                                                               \
                                     .forward = forward,                                                               \
                                     .backward = backward,                                                             \
                                     .describe = writes};

ACTIVATION("RELU", relu, CNNBLAS_RELU, CB_NET_OVER | CB_NET_STORED, NULL, NULL)
ACTIVATION("LEAKY", leaky, CNNBLAS_LEAKY_RELU, CB_NET_OVER, parse_slope, describe_slope)
ACTIVATION("SIGMOID", sigmoid, CNNBLAS_SIGMOID, CB_NET_OVER, NULL, NULL)
ACTIVATION("TANH", tanh, CNNBLAS_TANH, CB_NET_OVER, NULL, NULL)
ACTIVATION("CLIP", clip, CNNBLAS_CLIP, CB_NET_OVER, parse_bounds, describe_bounds)
ACTIVATION("ELU", elu, CNNBLAS_ELU, CB_NET_OVER, parse_slope, describe_alpha)
ACTIVATION("SELU", selu, CNNBLAS_SELU, CB_NET_OVER, NULL, NULL)
ACTIVATION("SOFTPLUS", softplus, CNNBLAS_SOFTPLUS, CB_NET_OVER, NULL, NULL)
ACTIVATION("HSIGMOID", hsigmoid, CNNBLAS_HSIGMOID, CB_NET_OVER, NULL, NULL)
ACTIVATION("SWISH", swish, CNNBLAS_SWISH, 0, NULL, NULL)
ACTIVATION("HSWISH", hswish, CNNBLAS_HSWISH, 0, NULL, NULL)
ACTIVATION("GELU", gelu, CNNBLAS_GELU, 0, NULL, NULL)
