/* Random problems, by family; see problem.h. */
#include "support/problem.h"
#include <string.h>

/* Sizes around the widths of vectors and register tiles. */
static int64_t channels(rng *r)
{
  if (rng_chance(r, 50))
    return RNG_PICK(r, 1, 2, 3, 4, 7, 8, 9, 14, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 63, 64, 65);
  return rng_range(r, 1, 70);
}

static int64_t width(rng *r)
{
  if (rng_chance(r, 40)) return RNG_PICK(r, 7, 14, 28, 56, 1, 13, 15, 16, 17, 27, 29, 31, 32, 33, 48);
  return rng_range(r, 1, 60);
}

static void sizes_to_17(cnnblas_conv_desc *d, rng *r)
{
  d->c = rng_range(r, 1, 17);
  d->k = rng_range(r, 1, 17);
  for (int i = 0; i < d->rank; i++) {
    d->size[i] = rng_range(r, 1, 17);
    d->kernel[i] = rng_range(r, 1, 3);
    d->stride[i] = rng_range(r, 1, 2);
    d->pad_begin[i] = rng_range(r, 0, 1);
    d->pad_end[i] = rng_range(r, 0, 1);
  }
}

static void layer(cnnblas_conv_desc *d, rng *r)
{
  int64_t kernel = RNG_PICK(r, 1, 2, 3, 3, 3, 4, 5, 6, 7), stride = rng_range(r, 1, 3), size = width(r);
  d->c = channels(r);
  d->k = channels(r);
  for (int i = 0; i < d->rank; i++) {
    bool square = rng_chance(r, 70);
    d->size[i] = square ? size : width(r);
    d->kernel[i] = square ? kernel : rng_range(r, 1, 7);
    d->stride[i] = square ? stride : rng_range(r, 1, 3);
    d->pad_begin[i] = rng_chance(r, 70) ? (d->kernel[i] - 1) / 2 : 0;
    d->pad_end[i] = rng_chance(r, 80) ? d->pad_begin[i] : rng_range(r, 0, 3);
  }
}

static void pointwise(cnnblas_conv_desc *d, rng *r)
{
  int64_t stride = rng_chance(r, 60) ? 1 : rng_range(r, 2, 3);
  d->c = channels(r) * (rng_chance(r, 25) ? 8 : 1);
  d->k = channels(r) * (rng_chance(r, 25) ? 8 : 1);
  for (int i = 0; i < d->rank; i++) {
    d->size[i] = rng_chance(r, 30) ? RNG_PICK(r, 1, 7) : width(r);
    d->kernel[i] = 1;
    d->stride[i] = stride;
    d->pad_begin[i] = d->pad_end[i] = rng_chance(r, 10);
  }
}

static void grouped(cnnblas_conv_desc *d, rng *r)
{
  bool depthwise = rng_chance(r, 60);
  layer(d, r);
  d->groups = depthwise ? channels(r) : rng_range(r, 2, 9);
  d->c = d->groups * (depthwise ? 1 : rng_range(r, 1, 20));
  d->k = d->groups * (depthwise && rng_chance(r, 60) ? 1 : rng_range(r, 1, 5));
}

static void wide_padding(cnnblas_conv_desc *d, rng *r)
{
  d->c = rng_range(r, 1, 20);
  d->k = rng_range(r, 1, 20);
  for (int i = 0; i < d->rank; i++) {
    d->size[i] = rng_range(r, 1, 20);
    d->kernel[i] = rng_range(r, 1, 5);
    d->stride[i] = rng_range(r, 1, 5);
    d->dilation[i] = rng_range(r, 1, 4);
    d->pad_begin[i] = rng_range(r, 0, 9);
    d->pad_end[i] = rng_range(r, 0, 9);
  }
}

static void long_rows(cnnblas_conv_desc *d, rng *r)
{
  int last = d->rank - 1;
  sizes_to_17(d, r);
  d->c = rng_range(r, 1, 4);
  d->k = rng_range(r, 1, 4);
  for (int i = 0; i < last; i++) d->size[i] = rng_range(r, 1, 3);
  d->size[last] = rng_range(r, 100, 3000);
  d->kernel[last] = rng_range(r, 1, 40);
  d->stride[last] = rng_range(r, 1, 50);
}

/* Small images, as many as fill vectors. */
static void many_images(cnnblas_conv_desc *d, rng *r)
{
  bool dilated = rng_chance(r, 15);
  d->n = rng_range(r, 5, 36);
  d->c = rng_range(r, 1, 9);
  d->k = rng_range(r, 1, 12);
  for (int i = 0; i < d->rank; i++) {
    d->kernel[i] = rng_range(r, 1, d->rank == 3 ? 2 : 5);
    d->size[i] = rng_range(r, 1, d->rank == 3 ? 4 : 12);
    d->stride[i] = rng_chance(r, 80) ? 1 : 2;
    d->dilation[i] = dilated ? rng_range(r, 1, 2) : 0;
    if (rng_chance(r, 60)) d->pad_begin[i] = rng_range(r, 0, 4);
    if (rng_chance(r, 60)) d->pad_end[i] = rng_range(r, 0, 4);
  }
}

/* Strides, dilations and paddings near 2^31 and 2^62, where whoever multiplies two of them is lost. An axis has one output,
   or few where the filter's far taps leave room for them in the padding. */
static void far_away(cnnblas_conv_desc *d, rng *r)
{
  d->c = rng_range(r, 1, 9);
  d->k = rng_range(r, 1, 9);
  if (rng_chance(r, 20)) d->groups = d->c, d->k = d->c * rng_range(r, 1, 2);
  for (int i = 0; i < d->rank; i++) {
    int64_t far = RNG_PICK(r, 1, 2, (int64_t)1 << 30, (int64_t)1 << 31, (int64_t)1 << 60, (int64_t)1 << 61);
    d->size[i] = rng_range(r, 1, 9);
    d->kernel[i] = rng_range(r, 1, 3);
    d->dilation[i] = far / (d->kernel[i] > 1 ? d->kernel[i] - 1 : 1) + rng_range(r, 0, 1);
    if (d->dilation[i] < 1) d->dilation[i] = 1;
    d->stride[i] = RNG_PICK(r, 1, 2, (int64_t)1 << 31, ((int64_t)1 << 31) - 1, (int64_t)1 << 62, INT64_MAX);
    if (d->kernel[i] == 1) d->dilation[i] = RNG_PICK(r, 1, (int64_t)1 << 31, (int64_t)1 << 62, INT64_MAX);
    /* The filter fits by padding in front, behind, or on both sides. */
    int64_t span = d->dilation[i] * (d->kernel[i] - 1);
    d->pad_begin[i] = RNG_PICK(r, 0, span, span / 2, span / 2 * (d->kernel[i] == 3), rng_range(r, 0, 3));
    d->pad_end[i] = span - d->pad_begin[i] > 0 ? span - d->pad_begin[i] : 0;
    /* Room for all of the input's places to be the window's first: many outputs unless the stride is as far. */
    int64_t outs = (d->size[i] + d->pad_begin[i] + d->pad_end[i] - span - 1) / d->stride[i] + 1;
    if (outs > 20) d->stride[i] = d->size[i] + d->pad_begin[i] + d->pad_end[i] - span;
  }
}

/* Padding enough for the filter to fit; all-default fields now and then; then less work until it is little enough. */
static void settle(problem *p, rng *r, double max_macs)
{
  cnnblas_conv_desc *d = &p->desc;
  bool no_dilation = d->dilation[0] == 0, no_stride = rng_chance(r, 10), far = false;
  for (int i = 0; i < d->rank; i++) far |= d->pad_begin[i] + d->pad_end[i] > 1000;
  for (int i = 0; i < d->rank; i++) {
    if (no_stride && !far) d->stride[i] = 0;
    int64_t span = (no_dilation ? 1 : d->dilation[i]) * (d->kernel[i] - 1) + 1;
    int64_t missing = span - d->size[i] - d->pad_begin[i] - d->pad_end[i];
    if (missing > 0) d->pad_end[i] += missing;
  }
  problem_finish(p);
  while (problem_macs(p) > max_macs) {
    int64_t groups = p->g;
    int axis = (int)rng_range(r, 0, d->rank - 1);
    if (d->n > 1)
      d->n--;
    else if (rng_chance(r, 30) && groups > 1)
      d->groups = (groups + 1) / 2, d->c = p->cg * d->groups, d->k = p->kg * d->groups;
    else if (rng_chance(r, 50))
      d->k = groups * ((p->kg + 1) / 2), d->c = groups * ((p->cg + 1) / 2);
    else if ((double)(d->size[axis] + d->pad_begin[axis] + d->pad_end[axis]) >
             2.0 * (double)d->kernel[axis] * (double)p->dilation[3 - d->rank + axis])
      d->size[axis] = (d->size[axis] + 1) / 2;
    else if (d->kernel[axis] > 1)
      d->kernel[axis]--;
    problem_finish(p);
  }
}

void problem_random(problem *p, rng *r, double max_macs)
{
  static void (*const families[])(cnnblas_conv_desc *, rng *) = {sizes_to_17, layer,       layer,        layer,
                                                                 pointwise,   grouped,     wide_padding, wide_padding,
                                                                 long_rows,   many_images, many_images,  far_away};
  memset(p, 0, sizeof *p);
  cnnblas_conv_desc *d = &p->desc;
  d->dtype = rng_chance(r, 70) ? CNNBLAS_F32 : CNNBLAS_F64;
  d->mode = rng_chance(r, 70) ? CNNBLAS_CROSS_CORRELATION : CNNBLAS_TRUE_CONVOLUTION;
  d->rank = rng_chance(r, 65) ? 2 : rng_chance(r, 50) ? 1 : 3;
  d->n = rng_chance(r, 3) ? 0 : rng_range(r, 1, 4);
  families[rng_range(r, 0, (int64_t)(sizeof families / sizeof *families) - 1)](d, r);
  if (d->groups == 0 && rng_chance(r, 15)) {
    d->groups = rng_range(r, 1, 4);
    d->c *= d->groups;
    d->k *= d->groups;
  }
  settle(p, r, max_macs);
}
