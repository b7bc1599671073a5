/*
 * The transposed convolution, forward and both gradients, on the engine's plans: its forward call is a convolution's
 * input gradient, with the same algorithms and speed, and its own input gradient is that convolution. What conv.h says
 * of arrays, options, workspaces, threads and errors holds here too.
 *
 *   cnnblas_conv_transpose_desc d = {.n = 8, .c = 64, .k = 32, .size = {14, 14}, .kernel = {4, 4}, .stride = {2, 2},
 *                                    .pad_begin = {1, 1}, .pad_end = {1, 1}};
 *   cnnblas_conv_transpose_plan_create(&d, CNNBLAS_FORWARD, NULL, &plan);
 *   cnnblas_conv_transpose_forward(plan, 8, x, w, NULL, y, NULL, 0);
 */
#ifndef CNNBLAS_CONV_TRANSPOSE_H
#define CNNBLAS_CONV_TRANSPOSE_H

#include <cnnblas/conv.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One transposed convolution. Output size of an axis:
 *   (size - 1) * stride - pad_begin - pad_end + dilation * (kernel - 1) + 1 + output_padding
 */
typedef struct cnnblas_conv_transpose_desc {
  cnnblas_dtype dtype;       /* the type of every array; default f32 */
  int32_t rank;              /* the number of spatial axes, 1 to 3; 0 means 2 */
  int64_t n;                 /* the largest batch, in images */
  int64_t c;                 /* input channels, a multiple of groups */
  int64_t k;                 /* output channels, a multiple of groups */
  int64_t groups;            /* the number of groups; 0 means 1 */
  int64_t size[3];           /* input size of each axis in elements */
  int64_t kernel[3];         /* filter size of each axis in elements */
  int64_t stride[3];         /* distance of the places that neighbouring inputs have in the output; all 0 means 1 */
  int64_t dilation[3];       /* distance of neighbouring taps in elements; all 0 means 1 */
  int64_t pad_begin[3];      /* number of elements cut from the front of each output axis, at least 0 */
  int64_t pad_end[3];        /* number of elements cut from the end of each output axis */
  int64_t output_padding[3]; /* number of elements added to the end of each output axis, at least 0 and below stride */
  int64_t reserved[8];       /* for later fields: its elements must be 0 */
} cnnblas_conv_transpose_desc;

/** Sets every field to zero, the defaults. NULL is ignored. */
CNNBLAS_API void cnnblas_conv_transpose_desc_init(cnnblas_conv_transpose_desc *desc);

/**
 * Fills *conv with the convolution whose input gradient the transposed convolution is: c and k change places, its
 * outputs are desc's inputs. The output size of the transposed convolution is conv->size.
 * Returns CNNBLAS_OK, CNNBLAS_INVALID_ARGUMENT, CNNBLAS_SIZE_OVERFLOW or what cnnblas_conv_get_shape returns. Thread
 * safe.
 */
CNNBLAS_API cnnblas_status cnnblas_conv_transpose_get_conv(const cnnblas_conv_transpose_desc *desc,
                                                           cnnblas_conv_desc *conv);

/** An immutable recipe for one descriptor and direction. Any number of threads may execute one plan at once. */
typedef struct cnnblas_conv_transpose_plan cnnblas_conv_transpose_plan;

/**
 * As cnnblas_conv_plan_create; the caller owns *plan. A plan that accumulates, or takes packed weights in another
 * direction than forward, is CNNBLAS_UNSUPPORTED.
 */
CNNBLAS_API cnnblas_status cnnblas_conv_transpose_plan_create(const cnnblas_conv_transpose_desc *desc,
                                                              cnnblas_conv_direction direction,
                                                              const cnnblas_conv_options *options,
                                                              cnnblas_conv_transpose_plan **plan);

/** Frees a plan that no thread is executing. NULL is ignored. */
CNNBLAS_API void cnnblas_conv_transpose_plan_destroy(cnnblas_conv_transpose_plan *plan);

/** The plan of the convolution that does the work, which tells algorithm, threads and workspace. It belongs to plan;
    NULL for NULL. */
CNNBLAS_API const cnnblas_conv_plan *cnnblas_conv_transpose_plan_get_conv(const cnnblas_conv_transpose_plan *plan);

/**
 * y[in][ik][i*stride - pad + ir][j*stride - pad + is] += x[in][ic][i][j] * w[ic][ik][ir][is] over all in, ic, ik, i, j,
 * ir, is (groups == 1, no dilation), where y is 0 at first; then y = activation(y + bias).
 *
 * n          images in this call, 0 to the plan's n
 * x          [n][c][h][w]
 * w          [c][k/g][r][s]
 * epilogue   bias [k] and activation, which take a pass over y; a residual is refused; NULL for nothing
 * y          [n][k][oh][ow], written; must not overlap an input
 * workspace  at least cnnblas_conv_plan_workspace bytes of the convolution's plan; NULL to let the call allocate
 *
 * Thread safety and errors as cnnblas_conv_forward.
 */
CNNBLAS_API cnnblas_status cnnblas_conv_transpose_forward(const cnnblas_conv_transpose_plan *plan, int64_t n,
                                                          const void *x, const void *w,
                                                          const cnnblas_conv_epilogue *epilogue, void *y,
                                                          void *workspace, size_t workspace_bytes);

/**
 * cnnblas_conv_transpose_forward with weights that cnnblas_conv_plan_pack_weights has packed for the convolution's plan
 * (cnnblas_conv_transpose_plan_get_conv), which takes them packed as this one does. The result has the same bits as with
 * the same algorithm and the weights as they were.
 *
 * Returns what cnnblas_conv_transpose_forward returns, and CNNBLAS_INVALID_ARGUMENT if packed does not fit the plan.
 */
CNNBLAS_API cnnblas_status cnnblas_conv_transpose_forward_packed(const cnnblas_conv_transpose_plan *plan, int64_t n,
                                                                 const void *x, const void *packed,
                                                                 const cnnblas_conv_epilogue *epilogue, void *y,
                                                                 void *workspace, size_t workspace_bytes);

/** dx [n][c][h][w] from dy [n][k][oh][ow] and w: a convolution of dy. Otherwise as cnnblas_conv_backward_data. */
CNNBLAS_API cnnblas_status cnnblas_conv_transpose_backward_data(const cnnblas_conv_transpose_plan *plan, int64_t n,
                                                                const void *dy, const void *w, void *dx,
                                                                void *workspace, size_t workspace_bytes);

/**
 * dw [c][k/g][r][s] from x and dy: a convolution's weight gradient, with x and dy in each other's places; and
 * db [k] = the sum of dy over images and pixels, made in double, images joined in a binary tree; db is NULL if not
 * wanted.
 * Otherwise as cnnblas_conv_backward_weights.
 */
CNNBLAS_API cnnblas_status cnnblas_conv_transpose_backward_weights(const cnnblas_conv_transpose_plan *plan, int64_t n,
                                                                   const void *x, const void *dy, void *dw, void *db,
                                                                   void *workspace, size_t workspace_bytes);

#ifdef __cplusplus
}
#endif
#endif
