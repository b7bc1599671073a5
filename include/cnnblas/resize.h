/*
 * Images made larger or smaller, forward and backward: by the nearest element, or linearly between neighbours (bilinear in two
 * axes, trilinear in three). What layers.h says of arrays, threads and errors holds here too.
 *
 *   cnnblas_resize_desc up = {.kind = CNNBLAS_RESIZE_LINEAR, .n = 8, .c = 64, .size = {28, 28}, .output = {56, 56}};
 *   cnnblas_resize_forward(&up, 8, x, y);
 */
#ifndef CNNBLAS_RESIZE_H
#define CNNBLAS_RESIZE_H

#include <cnnblas/conv.h>
#include <cnnblas/status.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What an output element is made of. */
typedef enum cnnblas_resize_kind {
  CNNBLAS_RESIZE_NEAREST = 0, /* one element of the input */
  CNNBLAS_RESIZE_LINEAR = 1   /* two neighbours an axis, weighted by their distance */
} cnnblas_resize_kind;

/**
 * Where output o of an axis lies among the inputs 0, ..., size - 1; below 0 and above size - 1 it lies on the first and the last.
 * The names are those of ONNX's Resize; the scale is always output / size.
 */
typedef enum cnnblas_resize_coordinates {
  CNNBLAS_RESIZE_HALF_PIXEL = 0,    /* (o + 1/2) size / output - 1/2: PyTorch's align_corners=False */
  CNNBLAS_RESIZE_ALIGN_CORNERS = 1, /* o (size - 1) / (output - 1), 0 for output 1: PyTorch's align_corners=True */
  CNNBLAS_RESIZE_ASYMMETRIC = 2     /* o size / output: what PyTorch's "nearest" rounds down */
} cnnblas_resize_coordinates;

/**
 * Which element is the nearest of a place between two; places are compared exactly. PyTorch's "nearest" is ASYMMETRIC with FLOOR,
 * its "nearest-exact" HALF_PIXEL with PREFER_CEIL, ONNX's default HALF_PIXEL with PREFER_FLOOR. Where output is a multiple
 * of size, these three are the same: every element is repeated.
 */
typedef enum cnnblas_resize_rounding {
  CNNBLAS_RESIZE_PREFER_CEIL = 0,  /* the nearer one, the second of two as near */
  CNNBLAS_RESIZE_PREFER_FLOOR = 1, /* the nearer one, the first of two as near */
  CNNBLAS_RESIZE_FLOOR = 2,        /* the first of the two inputs */
  CNNBLAS_RESIZE_CEIL = 3          /* the second of the two inputs */
} cnnblas_resize_rounding;

/** One layer. */
typedef struct cnnblas_resize_desc {
  cnnblas_dtype dtype;                    /* the type of all arrays; default f32 */
  cnnblas_resize_kind kind;               /* which rule; default nearest */
  cnnblas_resize_coordinates coordinates; /* where an output lies between inputs; default half pixel */
  cnnblas_resize_rounding rounding;       /* which of two inputs nearest takes; must be 0 for linear */
  int32_t rank;                           /* spatial axes, 1 to 3; 0 means 2 */
  int32_t threads;                        /* the most threads of a call; 0 means the default */
  int64_t n;                              /* images: the largest batch; 0 is an empty batch */
  int64_t c;                              /* channels, in and out */
  int64_t size[3];                        /* input size, at least 1, at most 2^30 */
  int64_t output[3];                      /* output size, likewise; any, larger or smaller */
  int64_t reserved[4];                    /* for later fields: its elements must be 0 */
} cnnblas_resize_desc;

/** Sets every field to zero, the defaults. NULL is ignored. */
CNNBLAS_API void cnnblas_resize_desc_init(cnnblas_resize_desc *desc);

/**
 * y[in][ic][i][j] = the nearest element of x[in][ic], or the mean of its neighbours weighted by their distance. An element of
 * weight 0 takes no part: where output is size, y is a copy of x.
 *
 * n  images in this call, 0 to desc->n
 * x  [n][c][h][w]
 * y  [n][c][oh][ow], written; must not overlap x
 * Returns CNNBLAS_OK, CNNBLAS_INVALID_ARGUMENT, CNNBLAS_UNSUPPORTED (reserved dtype, an axis above 2^30),
 * CNNBLAS_SIZE_OVERFLOW or CNNBLAS_OUT_OF_MEMORY (tables of the axes' places, and two rows a thread at most).
 */
CNNBLAS_API cnnblas_status cnnblas_resize_forward(const cnnblas_resize_desc *desc, int64_t n, const void *x, void *y);

/**
 * dx = the gradient of cnnblas_resize_forward: each element of dy goes to the inputs that it was made of, times their weights,
 * added up in an order that the shape fixes. An input that no output was made of gets exactly 0.
 *
 * dy  [n][c][oh][ow]
 * dx  [n][c][h][w], written; must not overlap dy
 * Errors as above.
 */
CNNBLAS_API cnnblas_status cnnblas_resize_backward(const cnnblas_resize_desc *desc, int64_t n, const void *dy,
                                                   void *dx);

#ifdef __cplusplus
}
#endif
#endif
