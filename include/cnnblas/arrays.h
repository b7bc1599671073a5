/*
 * Layers that add, multiply, join and cut arrays, forward and backward. What layers.h says of arrays, threads and errors holds
 * here too.
 *
 *   cnnblas_add_forward(CNNBLAS_F32, 0, count, branch, shortcut, y);
 */
#ifndef CNNBLAS_ARRAYS_H
#define CNNBLAS_ARRAYS_H

#include <cnnblas/conv.h>
#include <cnnblas/status.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** y[i] = a[i] + b[i] for i < count. y may be a, b or both; it overlaps neither otherwise. The gradient of both is dy. */
CNNBLAS_API cnnblas_status cnnblas_add_forward(cnnblas_dtype dtype, int32_t threads, int64_t count, const void *a,
                                               const void *b, void *y);

/** y[i] = a[i] * b[i] for i < count. y may be a, b or both; it overlaps neither otherwise. */
CNNBLAS_API cnnblas_status cnnblas_mul_forward(cnnblas_dtype dtype, int32_t threads, int64_t count, const void *a,
                                               const void *b, void *y);

/**
 * da[i] = dy[i] * b[i] and db[i] = dy[i] * a[i] for i < count: the gradients of cnnblas_mul_forward, of a square where a is b.
 * Both gradients are written. Either may be NULL if it is not wanted, and one of them may be dy; no other arrays overlap.
 */
CNNBLAS_API cnnblas_status cnnblas_mul_backward(cnnblas_dtype dtype, int32_t threads, int64_t count, const void *a,
                                                const void *b, const void *dy, void *da, void *db);

/** Arrays that are joined along one axis: part i is [outer][sizes[i]][inner], all of them [outer][sum of sizes][inner]. */
typedef struct cnnblas_concat_desc {
  cnnblas_dtype dtype;  /* the type of all arrays; default f32 */
  int32_t threads;      /* the most threads of a call; 0 means the default */
  int64_t outer;        /* the product of the axes in front: n for channels */
  int64_t inner;        /* the product of the axes behind: h * w for channels */
  int64_t parts;        /* the number of parts, at least 1 */
  const int64_t *sizes; /* [parts], each at least 0; read during the call */
  int64_t reserved[4];  /* for later fields: its elements must be 0 */
} cnnblas_concat_desc;

/** Sets every field to zero. NULL is ignored. */
CNNBLAS_API void cnnblas_concat_desc_init(cnnblas_concat_desc *desc);

/**
 * y = the parts, one after the other along the axis.
 *
 * x  [parts] arrays, read; those of size 0 may be NULL
 * y  written; must not overlap a part
 * Returns CNNBLAS_OK, CNNBLAS_INVALID_ARGUMENT, CNNBLAS_UNSUPPORTED (reserved dtype) or CNNBLAS_SIZE_OVERFLOW.
 */
CNNBLAS_API cnnblas_status cnnblas_concat_forward(const cnnblas_concat_desc *desc, const void *const *x, void *y);

/**
 * dx[i] = part i of dy.
 *
 * dx  [parts] arrays, written; NULL for a part that is not wanted. They must not overlap dy, nor each other, which is
 *     not checked
 * Errors as cnnblas_concat_forward.
 */
CNNBLAS_API cnnblas_status cnnblas_concat_backward(const cnnblas_concat_desc *desc, const void *dy, void *const *dx);

/** A box of size[] within a frame that is begin[] elements wide in front of it and end[] behind, on each axis. */
typedef struct cnnblas_frame_desc {
  cnnblas_dtype dtype; /* the type of all arrays; default f32 */
  int32_t threads;     /* the most threads of a call; 0 means the default */
  int64_t rank;        /* axes, 1 to 5: n c d h w, or fewer */
  int64_t size[5];     /* the box's size, outermost axis first */
  int64_t begin[5];    /* the frame's width in front of the box, at least 0 */
  int64_t end[5];      /* the frame's width behind it, at least 0 */
  double value;        /* what cnnblas_pad_forward puts into the frame; finite in the dtype, infinite or NaN */
  int64_t reserved[4]; /* for later fields: its elements must be 0 */
} cnnblas_frame_desc;

/** Sets every field to zero. NULL is ignored. */
CNNBLAS_API void cnnblas_frame_desc_init(cnnblas_frame_desc *desc);

/** y [begin + size + end] = x [size] in a frame of `value`. y must not overlap x. Errors as cnnblas_concat_forward. */
CNNBLAS_API cnnblas_status cnnblas_pad_forward(const cnnblas_frame_desc *desc, const void *x, void *y);

/** dx [size] = dy [begin + size + end] without its frame. Errors as above. */
CNNBLAS_API cnnblas_status cnnblas_pad_backward(const cnnblas_frame_desc *desc, const void *dy, void *dx);

/** y [size] = the box of x [begin + size + end]. Errors as above. */
CNNBLAS_API cnnblas_status cnnblas_slice_forward(const cnnblas_frame_desc *desc, const void *x, void *y);

/** dx [begin + size + end] = dy [size] in a frame of zeros. Errors as above. */
CNNBLAS_API cnnblas_status cnnblas_slice_backward(const cnnblas_frame_desc *desc, const void *dy, void *dx);

#ifdef __cplusplus
}
#endif
#endif
