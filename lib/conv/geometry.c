/* Validation of descriptors and the canonical geometry; see geometry.h. */
#include "conv/geometry.h"
#include "base/size.h"
#include "base/status.h"
#include <string.h>

#define FIELD "%s[%d] is %lld"

static cnnblas_status check_enums(const cnnblas_conv_desc *d)
{
  if (d->dtype == CNNBLAS_BF16) return cb_fail(CNNBLAS_UNSUPPORTED, "dtype is CNNBLAS_BF16, which is reserved");
  if (d->dtype != CNNBLAS_F32 && d->dtype != CNNBLAS_F64)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "dtype is %d, which names no type", (int)d->dtype);
  if (d->layout == CNNBLAS_NHWC) return cb_fail(CNNBLAS_UNSUPPORTED, "layout is CNNBLAS_NHWC, which is reserved");
  if (d->layout != CNNBLAS_NCHW)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "layout is %d, which names no layout", (int)d->layout);
  if (d->mode != CNNBLAS_CROSS_CORRELATION && d->mode != CNNBLAS_TRUE_CONVOLUTION)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "mode is %d, which names no mode", (int)d->mode);
  if (d->rank < 0 || d->rank > CNNBLAS_MAX_RANK)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "rank is %d; it must be 1, 2 or 3 (0 means 2)", (int)d->rank);
  for (int i = 0; i < 8; i++)
    if (d->reserved[i])
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, FIELD "; it must be 0", "reserved", i, (long long)d->reserved[i]);
  return CNNBLAS_OK;
}

static cnnblas_status check_channels(const cnnblas_conv_desc *d, int64_t groups)
{
  if (d->n < 0) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "n is %lld; it must be at least 0", (long long)d->n);
  if (d->c < 1) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "c is %lld; it must be at least 1", (long long)d->c);
  if (d->k < 1) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "k is %lld; it must be at least 1", (long long)d->k);
  if (groups < 1) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "groups is %lld; it must be at least 1", (long long)groups);
  if (d->c % groups)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "groups is %lld, which does not divide c = %lld", (long long)groups,
                   (long long)d->c);
  if (d->k % groups)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "groups is %lld, which does not divide k = %lld", (long long)groups,
                   (long long)d->k);
  return CNNBLAS_OK;
}

/* Checks a per-axis field: zero beyond the rank, at least min on each axis; if optional, zero on all axes is fine
   too. */
static cnnblas_status check_axes(const char *name, const int64_t field[3], int rank, int64_t min, bool optional)
{
  bool given = false;
  for (int i = 0; i < 3; i++) {
    if (i >= rank && field[i])
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, FIELD ", but a convolution of rank %d has no axis %d", name, i,
                     (long long)field[i], rank, i);
    given |= field[i] != 0;
  }
  for (int i = 0; i < rank; i++) {
    if (field[i] >= min || (optional && !given)) continue;
    if (optional && field[i] == 0)
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, FIELD ", but other axes are given; give all of them or none", name, i,
                     0LL);
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, FIELD "; it must be at least %lld", name, i, (long long)field[i],
                   (long long)min);
  }
  return CNNBLAS_OK;
}

static cnnblas_status overflow(const char *what)
{
  return cb_fail(CNNBLAS_SIZE_OVERFLOW, "%s does not fit in 63 bits", what);
}

/* Fills one axis; i is its index in the descriptor's own order, for messages. */
static cnnblas_status axis_init(cb_axis *a, const cnnblas_conv_desc *d, int i)
{
  int64_t stride = d->stride[i] ? d->stride[i] : 1, dilation = d->dilation[i] ? d->dilation[i] : 1;
  int64_t span, padded;
  if (!cb_mul(dilation, d->kernel[i] - 1, &span) || !cb_add(span, 1, &span))
    return overflow("dilation * (kernel - 1) + 1");
  if (!cb_add(d->size[i], d->pad_begin[i], &padded) || !cb_add(padded, d->pad_end[i], &padded))
    return overflow("size + pad_begin + pad_end");
  if (span > padded)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                   "kernel[%d] is %lld, with dilation %lld it spans %lld; it must not exceed the padded input, %lld", i,
                   (long long)d->kernel[i], (long long)dilation, (long long)span, (long long)padded);
  int64_t reach;
  if (!cb_mul(padded - span, 2, &reach)) return overflow("size + pad_begin + pad_end");
  a->in = d->size[i];
  a->out = (padded - span) / stride + 1;
  a->taps = d->kernel[i];
  /* A stride or a dilation that no tap or output uses may be anything: one as large as the input keeps the products
     formed of it small. */
  a->stride = a->out == 1 ? cb_min(stride, a->in) : stride;
  if (a->taps == 1) dilation = 1;
  bool flip = d->mode == CNNBLAS_TRUE_CONVOLUTION;
  a->base = (flip ? span - 1 : 0) - d->pad_begin[i];
  a->step = flip ? -dilation : dilation;
  return CNNBLAS_OK;
}

static bool product(const int64_t *factors, int count, int64_t *out)
{
  *out = 1;
  for (int i = 0; i < count; i++)
    if (!cb_mul(*out, factors[i], out)) return false;
  return true;
}

/* Checks that every product that later code forms unchecked fits: the bytes of arrays, an empty batch's n counted as
   1. */
static cnnblas_status check_products(cb_geometry *geo)
{
  const cb_axis *a = geo->axis;
  int64_t n = cb_max(geo->n, 1), element = (int64_t)geo->element, bytes;
  int64_t image[] = {a[0].in, a[1].in, a[2].in}, pixels[] = {a[0].out, a[1].out, a[2].out};
  int64_t taps[] = {a[0].taps, a[1].taps, a[2].taps};
  if (!product(image, 3, &geo->image) || !product((int64_t[]){n, geo->c, geo->image, element}, 4, &bytes))
    return overflow("the input array's size in bytes");
  if (!product(pixels, 3, &geo->p) || !product((int64_t[]){n, geo->k, geo->p, element}, 4, &bytes))
    return overflow("the output array's size in bytes");
  if (!product(taps, 3, &geo->taps) || !cb_mul(geo->cg, geo->taps, &geo->q) ||
      !product((int64_t[]){geo->k, geo->q, element}, 3, &bytes))
    return overflow("the weight array's size in bytes");
  return CNNBLAS_OK;
}

/* A filter as large as the image meets it once, as in a fully connected layer: the image may as well be one pixel of
   c*d*h*w channels, whose arrays lie in memory just so. The convolution then is a product of matrices, which loses
   nothing on tiny planes. The order of the sums stays. Groups of one channel are left alone: depthwise promises to
   apply to them. */
static void see_one_pixel(cb_geometry *geo)
{
  if (geo->g != 1 || geo->cg == 1 || geo->taps == 1 || geo->taps != geo->image) return;
  for (int i = 0; i < 3; i++) {
    const cb_axis *a = &geo->axis[i];
    if (a->out != 1 || a->taps != a->in || a->base != 0 || (a->taps > 1 && a->step != 1)) return;
  }
  geo->c = geo->cg = geo->q;
  geo->image = geo->taps = 1;
  for (int i = 0; i < 3; i++) geo->axis[i] = (cb_axis){.in = 1, .out = 1, .taps = 1, .stride = 1, .step = 1};
}

/* Axes that are one element and one tap wide move to the front, in front of those that are not: a column of pixels lies
   in memory as a row does, and so do its filters. Every algorithm then sees the long axis last, where vectors go. Sums
   keep their order. */
static void fold_axes(cb_geometry *geo)
{
  const cb_axis one = {.in = 1, .out = 1, .taps = 1, .stride = 1, .step = 1};
  int last = 3;
  for (int i = 2; i >= 0; i--) {
    const cb_axis a = geo->axis[i];
    if (a.in != 1 || a.out != 1 || a.taps != 1 || a.base != 0) geo->axis[--last] = a;
  }
  while (last > 0) geo->axis[--last] = one;
}

/* Fills geo with the axes where the descriptor has them. */
static cnnblas_status geometry_of(cb_geometry *geo, const cnnblas_conv_desc *d)
{
  if (!d) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = check_enums(d);
  int64_t groups = d->groups ? d->groups : 1;
  if (!status) status = check_channels(d, groups);
  int rank = d->rank ? d->rank : 2;
  if (!status) status = check_axes("size", d->size, rank, 1, false);
  if (!status) status = check_axes("kernel", d->kernel, rank, 1, false);
  if (!status) status = check_axes("stride", d->stride, rank, 1, true);
  if (!status) status = check_axes("dilation", d->dilation, rank, 1, true);
  if (!status) status = check_axes("pad_begin", d->pad_begin, rank, 0, true);
  if (!status) status = check_axes("pad_end", d->pad_end, rank, 0, true);
  if (status) return status;

  memset(geo, 0, sizeof *geo);
  geo->dtype = d->dtype;
  geo->element = d->dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float);
  geo->n = d->n;
  geo->c = d->c;
  geo->k = d->k;
  geo->g = groups;
  geo->cg = d->c / groups;
  geo->kg = d->k / groups;
  for (int i = 0; i < 3; i++) geo->axis[i] = (cb_axis){.in = 1, .out = 1, .taps = 1, .stride = 1, .step = 1};
  for (int i = 0; i < rank && !status; i++) status = axis_init(&geo->axis[3 - rank + i], d, i);
  if (!status) status = check_products(geo);
  return status;
}

cnnblas_status cb_geometry_init(cb_geometry *geo, const cnnblas_conv_desc *d)
{
  cnnblas_status status = geometry_of(geo, d);
  if (status) return status;
  see_one_pixel(geo);
  fold_axes(geo);
  return CNNBLAS_OK;
}

bool cb_geometry_in_reach(const cb_geometry *geo)
{
  double pixels = 1, channels = (double)cb_max(geo->c, geo->k),
         terms = (double)cb_max(geo->kg, geo->cg) * (double)geo->taps;
  for (int i = 0; i < 3; i++) {
    const cb_axis *a = &geo->axis[i];
    double step = a->step < 0 ? -(double)a->step : (double)a->step;
    pixels *= (double)a->in + (double)(a->out - 1) * (double)a->stride + step * (double)(a->taps - 1) + 1;
  }
  return terms < 67108864.0 && channels * pixels < 1e16;
}

bool cb_geometry_is_one_tap(const cb_geometry *geo)
{
  for (int i = 0; i < 3; i++) {
    const cb_axis *a = &geo->axis[i];
    if (a->taps != 1 || a->base != 0 || (a->out - 1) * a->stride >= a->in) return false;
  }
  return true;
}

bool cb_geometry_is_pointwise(const cb_geometry *geo)
{
  for (int i = 0; i < 3; i++) {
    const cb_axis *a = &geo->axis[i];
    if (a->taps != 1 || a->stride != 1 || a->base != 0 || a->in != a->out) return false;
  }
  return true;
}

void cnnblas_conv_desc_init(cnnblas_conv_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

cnnblas_status cnnblas_conv_get_shape(const cnnblas_conv_desc *desc, cnnblas_conv_shape *shape)
{
  if (!shape) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "shape is NULL");
  cb_geometry geo;
  cnnblas_status status = geometry_of(&geo, desc);
  if (status) return status;
  memset(shape, 0, sizeof *shape);
  int rank = desc->rank ? desc->rank : 2;
  for (int i = 0; i < rank; i++) shape->out[i] = geo.axis[3 - rank + i].out;
  shape->x_elements = geo.n * geo.c * geo.image;
  shape->w_elements = geo.k * geo.q;
  shape->y_elements = geo.n * geo.k * geo.p;
  shape->bias_elements = geo.k;
  shape->flops = 2.0 * (double)geo.n * (double)geo.k * (double)geo.p * (double)geo.q;
  return CNNBLAS_OK;
}
