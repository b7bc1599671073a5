/* The list of layers under construction: each new layer's shape follows from the one before it. */
#include "net/design.h"
#include "base/size.h"
#include "net/support.h"
#include <string.h>

const char *cb_net_kind_name(cb_net_kind kind)
{
  static const char *const names[CB_NET_KINDS] = {"conv", "pool", "fc", "relu", "leaky", "sigmoid", "tanh"};
  return names[kind];
}

const cb_net_shape *cb_design_end(const cb_net_design *d)
{
  return d->count ? &d->layers[d->count - 1].out : &d->input;
}

void cb_design_free(cb_net_design *d)
{
  for (int64_t i = 0; i < d->count; i++) cnnblas_shared_free(d->layers[i].maps);
  cnnblas_shared_free(d->layers);
  memset(d, 0, sizeof *d);
}

/* Turns a layer's error, in cnnblas_last_error(), into the notation's: with the column in front. */
static cnnblas_status at_column(cnnblas_status status, const cb_net_spec *spec)
{
  char why[400];
  strncpy(why, cnnblas_last_error(), sizeof why - 1);
  why[sizeof why - 1] = 0;
  if (status == CNNBLAS_INVALID_ARGUMENT) status = CNNBLAS_BAD_FORMAT;
  return cb_net_fail(status, "column %d: %s%d does not fit its input: %s", spec->column, cb_net_kind_name(spec->kind),
                     spec->place, why);
}

static cnnblas_status shape_conv(const cb_net_design *d, cb_net_spec *s)
{
  cnnblas_conv_shape shape;
  s->conv.rank = d->rank;
  s->conv.n = 1;
  s->conv.c = s->in.c;
  for (int i = 0; i < d->rank; i++) s->conv.size[i] = s->in.size[i];
  cnnblas_status status = cnnblas_conv_get_shape(&s->conv, &shape);
  if (status) return at_column(status, s);
  s->out.c = s->conv.k;
  for (int i = 0; i < d->rank; i++) s->out.size[i] = shape.out[i];
  return CNNBLAS_OK;
}

static cnnblas_status shape_pool(const cb_net_design *d, cb_net_spec *s)
{
  cnnblas_pool_shape shape;
  s->pool.rank = d->rank;
  s->pool.n = 1;
  s->pool.c = s->in.c;
  for (int i = 0; i < d->rank; i++) s->pool.size[i] = s->in.size[i];
  cnnblas_status status = cnnblas_pool_get_shape(&s->pool, &shape);
  if (status) return at_column(status, s);
  for (int i = 0; i < d->rank; i++) s->out.size[i] = shape.out[i];
  return CNNBLAS_OK;
}

static cnnblas_status count_elements(const cb_net_design *d, cb_net_spec *s)
{
  bool fits = true;
  s->out.elements = s->out.c;
  for (int i = 0; i < d->rank; i++) fits = fits && cb_mul(s->out.elements, s->out.size[i], &s->out.elements);
  if (fits) return CNNBLAS_OK;
  return cb_net_fail(CNNBLAS_SIZE_OVERFLOW, "column %d: the elements of %s%d do not fit in 63 bits", s->column,
                     cb_net_kind_name(s->kind), s->place);
}

static cnnblas_status grow(cb_net_design *d)
{
  if (d->count & (d->count - 1)) return CNNBLAS_OK; /* there is room up to the next power of two */
  size_t bytes = (size_t)(d->count ? 2 * d->count : 1) * sizeof *d->layers;
  cb_net_spec *layers = cnnblas_shared_alloc(bytes, 0);
  if (!layers) return cb_net_no_memory(bytes, "the list of layers");
  if (d->count) memcpy(layers, d->layers, (size_t)d->count * sizeof *layers);
  cnnblas_shared_free(d->layers);
  d->layers = layers;
  return CNNBLAS_OK;
}

cnnblas_status cb_design_add(cb_net_design *d, const cb_net_spec *spec)
{
  cb_net_spec s = *spec;
  if (d->count == CB_NET_MAX_LAYERS)
    return cb_net_fail(CNNBLAS_BAD_FORMAT, "column %d: the network has more than %d layers", s.column,
                       CB_NET_MAX_LAYERS);
  s.in = *cb_design_end(d);
  int64_t fc_outputs = s.out.c;
  s.out = s.in;
  s.place = 1;
  for (int64_t i = 0; i < d->count; i++) s.place += d->layers[i].kind == s.kind;
  cnnblas_status status = CNNBLAS_OK;
  if (s.kind == CB_NET_CONV) {
    status = shape_conv(d, &s);
  } else if (s.kind == CB_NET_POOL) {
    status = shape_pool(d, &s);
  } else if (s.kind == CB_NET_FC) {
    s.out.c = fc_outputs;
    for (int i = 0; i < d->rank; i++) s.out.size[i] = 1;
  }
  if (!status) status = count_elements(d, &s);
  if (!status) status = grow(d);
  if (!status) d->layers[d->count++] = s;
  return status;
}
