/*
 * Padding that keeps the size: with it each axis has ceil(size / stride) outputs, as ONNX defines SAME_UPPER and
 * SAME_LOWER (Conv, auto_pad). The zeros that an axis needs for that are
 *     total = max(0, (ceil(size / stride) - 1) * stride + span - size),   span = dilation * (kernel - 1) + 1.
 */
#include "base/size.h"
#include "base/status.h"
#include "conv/geometry.h"

/* The span of the filter on an axis, or 0 if it does not fit in 63 bits or the fields are out of their range. */
static int64_t span_of(const cnnblas_conv_desc *d, int axis)
{
  int64_t span, dilation = d->dilation[axis] ? d->dilation[axis] : 1;
  if (d->kernel[axis] < 1 || dilation < 1) return 0;
  return cb_mul(dilation, d->kernel[axis] - 1, &span) && cb_add(span, 1, &span) ? span : 0;
}

/* Number of zeros that an axis of a valid descriptor needs, both ends together. */
static int64_t total_of(const cnnblas_conv_desc *d, int axis)
{
  int64_t stride = d->stride[axis] ? d->stride[axis] : 1;
  int64_t last = (cb_ceil_div(d->size[axis], stride) - 1) * stride; /* position where the last window begins */
  return cb_max(0, last + span_of(d, axis) - d->size[axis]);
}

/* Splits the zeros of an axis between its ends. */
static cnnblas_status split(cnnblas_conv_desc *d, int axis, cnnblas_conv_pad pad)
{
  int64_t total = total_of(d, axis), less = total / 2, more = total - less;
  if (pad == CNNBLAS_PAD_SYMMETRIC && less != more && d->stride[axis] <= 1)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                   "kernel[%d] spans %lld; at stride 1 no symmetric padding keeps the size, only upper or lower", axis,
                   (long long)span_of(d, axis));
  d->pad_begin[axis] = pad == CNNBLAS_PAD_UPPER ? less : more;
  d->pad_end[axis] = pad == CNNBLAS_PAD_LOWER ? less : more;
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_conv_pad_same(cnnblas_conv_desc *desc, cnnblas_conv_pad pad)
{
  cb_geometry geo;
  if (!desc) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  if ((int)pad < 0 || pad > CNNBLAS_PAD_SYMMETRIC)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "pad is %d, which names no padding", (int)pad);
  cnnblas_conv_desc padded = *desc;
  int rank = desc->rank ? desc->rank : 2;
  /* All zeros go in front, one window more than any total, which gives the same output size: all other fields are then
     checked. */
  for (int i = 0; i < 3; i++) {
    padded.pad_begin[i] = i < rank ? cb_max(span_of(desc, i) - 1, 0) : 0;
    padded.pad_end[i] = 0;
  }
  cnnblas_status status = cb_geometry_init(&geo, &padded);
  for (int i = 0; i < rank && !status; i++) status = split(&padded, i, pad);
  if (!status) *desc = padded;
  return status;
}
