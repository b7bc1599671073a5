/* POOL: windows; GPOOL: the whole image. */
#include "net/kind.h"
#include <stdio.h>
#include <string.h>

enum { DEFAULT_WINDOW = 2 };

static bool is_max(const cb_net_layer *l)
{
  return l->pool.kind == CNNBLAS_POOL_MAX;
}

static bool parse(cb_net_text *t, cb_net_layer *l)
{
  cnnblas_pool_desc *d = &l->pool;
  if (cb_text_word(t, "avg"))
    d->kind = CNNBLAS_POOL_AVG;
  else if (cb_text_word(t, "l2"))
    d->kind = CNNBLAS_POOL_L2;
  else
    cb_text_word(t, "max");
  for (int i = 0; i < t->rank; i++) d->kernel[i] = DEFAULT_WINDOW;
  if (cb_text_digit(t)) {
    if (!cb_text_sizes(t, 1, "a number: the window size", d->kernel)) return false;
    if (cb_text_accept(t, "/") && !cb_text_sizes(t, 1, "a number: the stride", d->stride)) return false;
  }
  for (;;) {
    if (cb_text_word(t, "pad")) {
      if (!cb_text_ends(t, "a number of padding", d->pad_begin, d->pad_end)) return false;
    } else if (cb_text_word(t, "ceil")) {
      d->ceil_mode = 1;
    } else {
      break;
    }
  }
  if (cb_text_accept(t, "?"))
    for (int i = 0; i < t->rank; i++) l->left_out = l->left_out || d->kernel[i] > t->in.size[i];
  return true;
}

static bool parse_global(cb_net_text *t, cb_net_layer *l)
{
  if (cb_text_word(t, "avg"))
    l->pool.kind = CNNBLAS_POOL_AVG;
  else if (!cb_text_word(t, "max"))
    return cb_text_expected(t, "avg or max");
  return true;
}

static cnnblas_status shape(cb_net_layer *l, const cb_net_shape *in, int count)
{
  cnnblas_pool_shape s;
  (void)count;
  l->pool.rank = l->rank;
  l->pool.n = 1;
  l->pool.c = in->c;
  for (int i = 0; i < l->rank; i++) l->pool.size[i] = in->size[i];
  cnnblas_status status = cnnblas_pool_get_shape(&l->pool, &s);
  for (int i = 0; i < l->rank && !status; i++) l->out.size[i] = s.out[i];
  return status;
}

static cnnblas_status shape_global(cb_net_layer *l, const cb_net_shape *in, int count)
{
  for (int i = 0; i < l->rank; i++) l->pool.output[i] = 1;
  return shape(l, in, count);
}

static cnnblas_status prepare(cnnblas_net *net, cb_net_layer *l)
{
  cnnblas_pool_shape s;
  l->pool.dtype = net->options.dtype;
  l->pool.n = net->options.batch;
  if (is_max(l)) l->kept_of_image = l->out.elements * (int64_t)sizeof(int32_t);
  return cnnblas_pool_get_shape(&l->pool, &s);
}

/* The array of the maxima's places, for the images of a pass. */
static int32_t *indices(const cb_net_pass *p, const cb_net_layer *l)
{
  return (int32_t *)cb_net_at(p->net, l->kept) + p->first * l->out.elements;
}

static cnnblas_pool_desc desc(const cb_net_pass *p, const cb_net_layer *l)
{
  cnnblas_pool_desc d = l->pool;
  d.threads = p->threads;
  return d;
}

static cnnblas_status forward(const cb_net_pass *p, const cb_net_layer *l, const void *const *x, void *y)
{
  bool indexed = is_max(l) && p->net->options.mode == CNNBLAS_NET_TRAINING;
  cnnblas_pool_desc d = desc(p, l);
  return cnnblas_pool_forward(&d, p->n, x[0], y, indexed ? indices(p, l) : NULL);
}

static cnnblas_status backward(const cb_net_pass *p, const cb_net_layer *l, const cb_net_gradients *g)
{
  cnnblas_pool_desc d = desc(p, l);
  if (!g->dx[0]) return CNNBLAS_OK;
  return cnnblas_pool_backward(&d, p->n, g->x[0], g->y, g->dy, is_max(l) ? indices(p, l) : NULL, g->dx[0]);
}

static const char *const kinds[] = {"max", "avg", "l2"};

static void describe(const cb_net_layer *l, char *kind, char *detail, size_t size)
{
  const cnnblas_pool_desc *d = &l->pool;
  char a[40], b[40];
  snprintf(kind, 16, "POOL %s", kinds[d->kind]);
  snprintf(detail, size, "%s/%s", cb_net_sizes(a, sizeof a, l->rank, d->kernel, 0),
           cb_net_sizes(b, sizeof b, l->rank, d->stride[0] ? d->stride : d->kernel, 0));
}

static void describe_global(const cb_net_layer *l, char *kind, char *detail, size_t size)
{
  (void)detail;
  (void)size;
  snprintf(kind, 16, "GPOOL %s", kinds[l->pool.kind]);
}

const cb_net_row cb_net_pool = {.keyword = "POOL",
                                .name = "pool",
                                .traits = CB_NET_MAY_BE_MAX,
                                .parse = parse,
                                .shape = shape,
                                .prepare = prepare,
                                .forward = forward,
                                .backward = backward,
                                .describe = describe};

const cb_net_row cb_net_gpool = {.keyword = "GPOOL",
                                 .name = "gpool",
                                 .traits = CB_NET_MAY_BE_MAX,
                                 .parse = parse_global,
                                 .shape = shape_global,
                                 .prepare = prepare,
                                 .forward = forward,
                                 .backward = backward,
                                 .describe = describe_global};
