/* UP: images made larger by a whole factor. */
#include "net/kind.h"
#include <cnnblas/resize.h>
#include <stdio.h>

static bool parse(cb_net_text *t, cb_net_layer *l)
{
  if (!cb_text_number(t, 1, "a number: how many times as large", &l->factor)) return false;
  l->linear = cb_text_word(t, "linear");
  return l->linear || cb_text_word(t, "nearest") || cb_text_expected(t, "nearest or linear");
}

static cnnblas_status shape(cb_net_layer *l, const cb_net_shape *in, int count)
{
  (void)count;
  for (int i = 0; i < l->rank; i++) /* a size that overflows becomes one so large that no count of elements takes it */
    if (__builtin_mul_overflow(in->size[i], l->factor, &l->out.size[i])) l->out.size[i] = INT64_MAX;
  return CNNBLAS_OK;
}

static cnnblas_resize_desc desc(const cb_net_pass *p, const cb_net_layer *l)
{
  cnnblas_resize_desc d = {.dtype = p->net->options.dtype, .threads = p->threads, .rank = l->rank, .c = l->in.c};
  d.kind = l->linear ? CNNBLAS_RESIZE_LINEAR : CNNBLAS_RESIZE_NEAREST;
  d.n = p->net->options.batch;
  for (int i = 0; i < l->rank; i++) {
    d.size[i] = l->in.size[i];
    d.output[i] = l->out.size[i];
  }
  return d;
}

static cnnblas_status forward(const cb_net_pass *p, const cb_net_layer *l, const void *const *x, void *y)
{
  cnnblas_resize_desc d = desc(p, l);
  return cnnblas_resize_forward(&d, p->n, x[0], y);
}

static cnnblas_status backward(const cb_net_pass *p, const cb_net_layer *l, const cb_net_gradients *g)
{
  cnnblas_resize_desc d = desc(p, l);
  return g->dx[0] ? cnnblas_resize_backward(&d, p->n, g->dy, g->dx[0]) : CNNBLAS_OK;
}

static void describe(const cb_net_layer *l, char *kind, char *detail, size_t size)
{
  (void)kind;
  snprintf(detail, size, "%lld %s", (long long)l->factor, l->linear ? "linear" : "nearest");
}

const cb_net_row cb_net_up = {.keyword = "UP",
                              .name = "up",
                              .traits = CB_NET_Y_FREE,
                              .parse = parse,
                              .shape = shape,
                              .forward = forward,
                              .backward = backward,
                              .describe = describe};
