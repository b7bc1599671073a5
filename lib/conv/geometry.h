/*
 * The convolution's sizes, validated and put into one form: always three spatial axes (those of size 1 stand first),
 * every default filled in, mode and padding folded into where a tap reads.
 *
 * On each axis, output position o and tap t of the filter meet at input position
 *     i = o * stride + base + t * step
 * with base = -pad_begin and step = dilation for cross-correlation; true convolution walks the taps backwards
 * (base = dilation * (taps - 1) - pad_begin, step = -dilation). Positions outside [0, in) are zeros.
 */
#ifndef CB_CONV_GEOMETRY_H
#define CB_CONV_GEOMETRY_H

#include "base/size.h"
#include <cnnblas/conv.h>
#include <stdbool.h>

/* An axis: its input positions, output positions and taps, and the three numbers of the formula above. */
typedef struct {
  int64_t in, out, taps, stride, base, step;
} cb_axis;

typedef struct {
  cnnblas_dtype dtype;
  size_t element;     /* bytes of one element */
  int64_t n, c, k, g; /* images, input channels, output channels, groups */
  int64_t cg, kg;     /* input channels of one group, output channels of one group */
  cb_axis axis[3];    /* the axes d, h, w; those of one element and one tap stand in front */
  int64_t image;      /* input pixels of one channel, d * h * w */
  int64_t p;          /* output pixels of one channel, od * oh * ow */
  int64_t taps;       /* taps of one channel of a filter, of all axes */
  int64_t q;          /* taps of one filter, cg * taps */
} cb_geometry;

/* Validates desc and fills geo; the result is a status as of cnnblas_conv_get_shape. */
cnnblas_status cb_geometry_init(cb_geometry *geo, const cnnblas_conv_desc *desc);

/* True if nothing that an algorithm computes of sizes and places can overflow: sums of at most 2^26 terms, images of at
   most about 10^16 elements with their padding and with what strides and dilations skip. */
bool cb_geometry_in_reach(const cb_geometry *geo);

/* True if every axis has one tap, stride 1 and no padding: the lowered matrix is x itself. */
bool cb_geometry_is_pointwise(const cb_geometry *geo);

/* True for a kernel of 1 without padding: every output reads one pixel, which lies in the input. */
bool cb_geometry_is_one_tap(const cb_geometry *geo);

/* True if packing does something to weights; where every group has one channel they stay as they are. */
static inline bool cb_geometry_packs(const cb_geometry *geo)
{
  return geo->cg > 1;
}

/* Multiply-adds of n images, the same in each direction, those with the padding included. */
static inline double cb_geometry_macs(const cb_geometry *geo, int64_t n)
{
  return (double)n * (double)geo->k * (double)geo->p * (double)geo->q;
}

/* Splits the index t of a tap, of geo->taps, into its coordinate on each axis. */
static inline void cb_tap_coords(const cb_geometry *geo, int64_t t, int64_t at[3])
{
  at[2] = t % geo->axis[2].taps;
  at[1] = t / geo->axis[2].taps % geo->axis[1].taps;
  at[0] = t / geo->axis[2].taps / geo->axis[1].taps;
}

/* The outputs [*lo, *hi) of an axis whose tap t reads inside the input; *lo <= *hi. */
static inline void cb_axis_valid(const cb_axis *a, int64_t t, int64_t *lo, int64_t *hi)
{
  int64_t offset = a->base + t * a->step; /* i = o * stride + offset */
  int64_t first = offset < 0 ? cb_ceil_div(-offset, a->stride) : 0;
  int64_t end = offset < a->in ? (a->in - 1 - offset) / a->stride + 1 : 0;
  if (end > a->out) end = a->out;
  *lo = first < end ? first : end;
  *hi = end;
}

#endif
