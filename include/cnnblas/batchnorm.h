/*
 * Batch normalisation (Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing internal
 * covariate shift", 2015), forward and backward, in plain NCHW arrays. What layers.h says of arrays, threads and errors
 * holds here too.
 *
 *   cnnblas_batchnorm_desc bn = {.n = 64, .c = 8, .pixels = 24 * 24};
 *   cnnblas_batchnorm_forward_training(&bn, 64, x, &arrays, y);
 */
#ifndef CNNBLAS_BATCHNORM_H
#define CNNBLAS_BATCHNORM_H

#include <cnnblas/conv.h>
#include <cnnblas/status.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Makes numbers of the call's images, [c][2], those of the whole batch. What is not CNNBLAS_OK ends the call. */
typedef cnnblas_status (*cnnblas_batchnorm_joins)(void *context, int64_t c, double *numbers);

/** What joins the statistics of a batch of which a call has a part: other calls, in other processes for example, have the
    others. Its functions are called by the calling thread, once a call. */
typedef struct cnnblas_batchnorm_join {
  int64_t images;                  /* images of the whole batch, at least the call's */
  double *room;                    /* [c][2], written */
  cnnblas_batchnorm_joins moments; /* joins each channel's mean and sum of (x - mean)^2, both 0 of no image */
  cnnblas_batchnorm_joins sums;    /* joins each channel's sums of dy and of dy * (x - mean) */
  void *context;                   /* the functions' first argument */
} cnnblas_batchnorm_join;

/** One batch normalisation layer. */
typedef struct cnnblas_batchnorm_desc {
  cnnblas_dtype dtype; /* the type of all arrays but the saved statistics; default f32 */
  int32_t threads;     /* the most threads of a call; 0 means the default */
  int64_t n;           /* the largest batch, in images */
  int64_t c;           /* channels, each normalised by itself */
  int64_t pixels;      /* elements of a channel of an image: d * h * w, or 1 after a fully connected layer */
  double epsilon;      /* added to the variance, finite, at least 0; 0 means 1e-5 */
  double momentum;     /* share of the batch in the running statistics, at most 1; 0 means 0.1 */
  int64_t relu;        /* 1: y is max(0, y), to the bits of cnnblas_activation_forward afterwards, in one pass; 0: no */
  const cnnblas_batchnorm_join *join; /* training: the call has a part of the batch; NULL: it has all of it */
  int64_t reserved[6];                /* for later fields: its elements must be 0 */
} cnnblas_batchnorm_desc;

/** Sets every field to zero. NULL is ignored. */
CNNBLAS_API void cnnblas_batchnorm_desc_init(cnnblas_batchnorm_desc *desc);

/** A layer's arrays beside x and y, each [c]. The caller owns them. */
typedef struct cnnblas_batchnorm_arrays {
  const void *gamma;      /* scale; NULL means 1 */
  const void *beta;       /* shift; NULL means 0 */
  void *running_mean;     /* updated by training unless NULL, read by inference */
  void *running_variance; /* updated and read like running_mean; NULL if and only if that is */
  double *mean;           /* the batch's mean: written by training, read by backward */
  double *inv_std;        /* 1 / sqrt(variance of the batch + epsilon): likewise */
  const void *residual;   /* [n][c][pixels], added to y in front of the ReLU; may be y; NULL: nothing is added */
  int64_t reserved[1];    /* for later fields: its elements must be 0 */
} cnnblas_batchnorm_arrays;

/** Sets every field to NULL and zero. NULL is ignored. */
CNNBLAS_API void cnnblas_batchnorm_arrays_init(cnnblas_batchnorm_arrays *arrays);

/**
 * y = (x - mean) * inv_std * gamma + beta, the mean and the biased variance those of each channel over the batch. Then
 *   running_mean     = (1 - momentum) * running_mean     + momentum * mean
 *   running_variance = (1 - momentum) * running_variance + momentum * variance * count / (count - 1)
 * where count = n * pixels; of one element the variance is 0. An empty batch leaves the running statistics as they are.
 *
 * n       images in this call, 0 to desc->n
 * x       [n][c][pixels]
 * arrays  mean and inv_std must be there; no array overlaps another
 * y       [n][c][pixels], written; may be x; must not overlap it or another array otherwise
 *
 * Statistics are computed in double, an image's about its own mean, and joined in a binary tree over the images, by
 * cnnblas_batchnorm_join_moments: the left branch of each cut has the largest power of two below the number of images.
 * Returns CNNBLAS_OK, CNNBLAS_INVALID_ARGUMENT, CNNBLAS_UNSUPPORTED (reserved dtype) or CNNBLAS_SIZE_OVERFLOW.
 */
CNNBLAS_API cnnblas_status cnnblas_batchnorm_forward_training(const cnnblas_batchnorm_desc *desc, int64_t n,
                                                              const void *x, const cnnblas_batchnorm_arrays *arrays,
                                                              void *y);

/**
 * y = (x - running_mean) / sqrt(running_variance + epsilon) * gamma + beta. One image's result does not depend on its batch.
 * arrays: the running statistics must be there, mean and inv_std are not looked at; y may be x. Errors as above.
 */
CNNBLAS_API cnnblas_status cnnblas_batchnorm_forward_inference(const cnnblas_batchnorm_desc *desc, int64_t n,
                                                               const void *x, const cnnblas_batchnorm_arrays *arrays,
                                                               void *y);

/**
 * The gradients of cnnblas_batchnorm_forward_training, through the batch's mean and variance too:
 *   dbeta = sum of dy;  dgamma = sum of dy * xhat, where xhat = (x - mean) * inv_std
 *   dx = gamma * inv_std * (dy - dbeta / count - xhat * dgamma / count)
 *
 * x       [n][c][pixels], what the forward call was given
 * arrays  gamma, mean, inv_std and, with relu, beta are read, as the forward call had and left them
 * dy      [n][c][pixels]
 * dx      [n][c][pixels], written; may be dy; must not overlap an array otherwise
 * With desc->relu dy counts where the ReLU let the element through, which x, gamma and beta tell again. That is not known
 * of a sum: with a residual too the call returns CNNBLAS_UNSUPPORTED, and the caller makes the ReLU's gradient.
 * dgamma  [c], the gradient by gamma is written here; NULL if it is not wanted
 * dbeta   [c], the gradient by beta is written here; NULL if it is not wanted
 */
CNNBLAS_API cnnblas_status cnnblas_batchnorm_backward(const cnnblas_batchnorm_desc *desc, int64_t n, const void *x,
                                                      const cnnblas_batchnorm_arrays *arrays, const void *dy, void *dx,
                                                      void *dgamma, void *dbeta);

/**
 * Joins the moments of two parts of a batch, as the calls above join those of images: a[ic] becomes mean and sum of
 * (x - mean)^2 of both parts. A part without images changes nothing.
 *
 * c         channels
 * pixels    elements of a channel of an image
 * a_images  images whose moments a [c][2] has
 * b_images  images whose moments b [c][2] has
 * Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (null pointer, a number below 0).
 */
CNNBLAS_API cnnblas_status cnnblas_batchnorm_join_moments(int64_t c, int64_t pixels, int64_t a_images, double *a,
                                                          int64_t b_images, const double *b);

#ifdef __cplusplus
}
#endif
#endif
