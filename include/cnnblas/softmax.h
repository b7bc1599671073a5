/*
 * Softmax and its logarithm over any axis of an array, forward and backward. What layers.h says of arrays, threads and errors holds
 * here too. The loss on logits, which needs neither, is in layers.h, as is cnnblas_softmax_forward
 * for arrays [n][classes].
 *
 *   cnnblas_softmax_desc over_channels = {.outer = n, .axis = c, .inner = h * w};
 *   cnnblas_softmax_axis_forward(&over_channels, x, y);
 */
#ifndef CNNBLAS_SOFTMAX_H
#define CNNBLAS_SOFTMAX_H

#include <cnnblas/conv.h>
#include <cnnblas/status.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One layer: the arrays are [outer][axis][inner], and elements that differ in the middle index alone form a line. */
typedef struct cnnblas_softmax_desc {
  cnnblas_dtype dtype; /* the type of all arrays; default f32 */
  int32_t threads;     /* the most threads of a call; 0 means the default */
  int64_t outer;       /* the product of the axes in front; 0 gives an empty array */
  int64_t axis;        /* elements of a line */
  int64_t inner;       /* the product of the axes behind: 1 for the last axis */
  int32_t logarithm;   /* 1: the logarithm of the softmax */
  int32_t reserved[9]; /* for later fields: its elements must be 0 */
} cnnblas_softmax_desc;

/** Sets every field to zero; the sizes remain to be given. NULL is ignored. */
CNNBLAS_API void cnnblas_softmax_desc_init(cnnblas_softmax_desc *desc);

/**
 * y[j] = exp(x[j]) / sum over l of exp(x[l]) within each line, or its logarithm. The line's largest element is subtracted first: finite
 * elements give finite results. A line with a NaN, with +Inf, or with nothing but -Inf is NaN; another -Inf has softmax 0.
 *
 * x  [outer][axis][inner]
 * y  [outer][axis][inner], written; may be x; must not overlap it otherwise
 * Returns CNNBLAS_OK, CNNBLAS_INVALID_ARGUMENT, CNNBLAS_UNSUPPORTED (reserved dtype) or CNNBLAS_SIZE_OVERFLOW.
 */
CNNBLAS_API cnnblas_status cnnblas_softmax_axis_forward(const cnnblas_softmax_desc *desc, const void *x, void *y);

/**
 * dx[j] = y[j] (dy[j] - sum over l of dy[l] y[l]), or with the logarithm dx[j] = dy[j] - exp(y[j]) sum over l of dy[l].
 *
 * y   the forward call's result
 * dy  [outer][axis][inner]
 * dx  [outer][axis][inner], written; may be dy; must not overlap an input otherwise
 * Errors as above.
 */
CNNBLAS_API cnnblas_status cnnblas_softmax_axis_backward(const cnnblas_softmax_desc *desc, const void *y,
                                                         const void *dy, void *dx);

#ifdef __cplusplus
}
#endif
#endif
