/*
 * Optimisers beside cnnblas_sgd_step of layers.h, as functions on arrays: the caller holds parameters, gradients and moments,
 * and calls a step for each tensor, with that tensor's own learning rate and weight decay. What layers.h says of arrays, threads
 * and errors holds here too; no two arrays of a call overlap.
 *
 *   cnnblas_gradient_clip(CNNBLAS_F32, 0, 2, counts, gradients, 1.0, &norm);
 *   cnnblas_adamw_step(&adamw, counts[0], weights, gradients[0], first, second);
 */
#ifndef CNNBLAS_OPTIMISER_H
#define CNNBLAS_OPTIMISER_H

#include <cnnblas/layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One step of stochastic gradient descent with Nesterov's momentum, as PyTorch defines it, in the dtype's arithmetic:
 *   g' = g + weight_decay * p;  v = momentum * v + g';  p = p - lr * (g' + momentum * v)
 * p, v [count] are changed in place (v begins as zeros), g is read.
 */
CNNBLAS_API cnnblas_status cnnblas_nesterov_step(const cnnblas_sgd_desc *desc, int64_t count, void *p, const void *g,
                                                 void *v);

/** The settings of one AdamW step. */
typedef struct cnnblas_adamw_desc {
  cnnblas_dtype dtype; /* the type of all arrays; default f32 */
  int32_t threads;     /* the most threads of a call; 0 means the default */
  int64_t step;        /* the step's number, from 1 on: the moments are corrected for their beginning as zeros */
  double lr;           /* learning rate, at least 0 and finite in the dtype */
  double beta1;        /* decay of the first moment, below 1; 0 means 0.9 */
  double beta2;        /* decay of the second moment, below 1; 0 means 0.999 */
  double epsilon;      /* what the root is enlarged by, above 0 and finite in the dtype; 0 means 1e-8 */
  double weight_decay; /* lambda, at least 0 and finite in the dtype; apart from the gradient */
  int64_t reserved[8]; /* for later fields: its elements must be 0 */
} cnnblas_adamw_desc;

/** Sets every field to zero; lr and step remain to be given. NULL is ignored. */
CNNBLAS_API void cnnblas_adamw_desc_init(cnnblas_adamw_desc *desc);

/**
 * One step of Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as PyTorch defines it, in the dtype's
 * arithmetic:
 *   m = beta1 * m + (1 - beta1) * g;  v = beta2 * v + (1 - beta2) * g^2
 *   p = p * (1 - lr * weight_decay) - lr / (1 - beta1^step) * m / (sqrt(v / (1 - beta2^step)) + epsilon)
 * p, m, v [count] are changed in place (m and v begin as zeros), g is read.
 */
CNNBLAS_API cnnblas_status cnnblas_adamw_step(const cnnblas_adamw_desc *desc, int64_t count, void *p, const void *g,
                                              void *m, void *v);

/**
 * *norm = the root of the sum of squares of all elements of `tensors` gradients, taken in double in an order that the counts
 * fix; squares that would overflow or vanish are scaled. If it is finite and above most, every element is multiplied by most / *norm; otherwise nothing is written.
 *
 * counts     [tensors] number of elements of each gradient
 * gradients  [tensors] arrays of the dtype, scaled in place; that they do not overlap is not checked
 * most       the largest norm, above 0; infinity only measures
 * norm       written; must not overlap a gradient
 */
CNNBLAS_API cnnblas_status cnnblas_gradient_clip(cnnblas_dtype dtype, int32_t threads, int64_t tensors,
                                                 const int64_t *counts, void *const *gradients, double most,
                                                 double *norm);

/** average = average + (1 - decay) * (p - average) for count elements: an exponential moving average; decay is 0 to 1. */
CNNBLAS_API cnnblas_status cnnblas_average_update(cnnblas_dtype dtype, int32_t threads, int64_t count, double decay,
                                                  const void *p, void *average);

#ifdef __cplusplus
}
#endif
#endif
