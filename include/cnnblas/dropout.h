/*
 * Dropout (Srivastava et al., 2014), forward and backward. What layers.h says of arrays, threads and errors holds here too.
 *
 *   cnnblas_dropout_desc drop = {.n = 64, .elements = 256, .p = 0.5, .seed = 1, .layer = 7, .step = step};
 *   cnnblas_dropout_apply(&drop, 64, numbers, x, y);
 */
#ifndef CNNBLAS_DROPOUT_H
#define CNNBLAS_DROPOUT_H

#include <cnnblas/conv.h>
#include <cnnblas/status.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One dropout layer at one step of training. */
typedef struct cnnblas_dropout_desc {
  cnnblas_dtype dtype; /* the type of all arrays; default f32 */
  int32_t threads;     /* the most threads of a call; 0 means the default */
  int64_t n;           /* the largest batch, in images */
  int64_t elements;    /* elements of an image */
  double p;            /* share of elements that become 0, at least 0 and below 1 */
  uint64_t seed;       /* the training's seed */
  uint64_t layer;      /* tells the network's dropout layers apart */
  uint64_t step;       /* the step's number */
  int64_t reserved[4]; /* for later fields: its elements must be 0 */
} cnnblas_dropout_desc;

/** Sets every field to zero: nothing is dropped. NULL is ignored. */
CNNBLAS_API void cnnblas_dropout_desc_init(cnnblas_dropout_desc *desc);

/**
 * y[in][e] = x[in][e] / (1 - p), or 0 where the element is dropped. The gradient is the same function: dx from dy.
 *
 * Whether element e of an image is dropped is a function of (seed, layer, step, the image's number in the data, e) alone, by
 * Philox (layers.h): neither threads nor the batch that the image came in, nor its place there, change it. It is if
 * h(e / 8) * 2^16 + h(e / 8 + 2^63) < the whole part of p * 2^32, where h(i) are 16 of the bits b[4] of block i of stream
 * `number` under a key, b[e % 8 / 2] >> e % 2 * 16 & 0xffff; the key is the first 64 bits of block `step` of stream `layer`
 * under the seed.
 *
 * n        images in this call, 0 to desc->n
 * numbers  [n] each image's number in the data; NULL means 0, 1, ...
 * x        [n][elements]
 * y        [n][elements], written; may be x; must not overlap it otherwise
 * Returns CNNBLAS_OK, CNNBLAS_INVALID_ARGUMENT, CNNBLAS_UNSUPPORTED (reserved dtype) or CNNBLAS_SIZE_OVERFLOW.
 */
CNNBLAS_API cnnblas_status cnnblas_dropout_apply(const cnnblas_dropout_desc *desc, int64_t n, const int64_t *numbers,
                                                 const void *x, void *y);

#ifdef __cplusplus
}
#endif
#endif
