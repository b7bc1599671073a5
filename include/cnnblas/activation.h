/*
 * The activation functions: one list for the convolution's epilogue (conv.h), the fully connected layer and the activation
 * layer (layers.h).
 *
 *   cnnblas_activation relu6 = {.kind = CNNBLAS_CLIP, .alpha = 0, .beta = 6};
 *
 * A function takes one number x to one number y, and its gradient dy to dx = dy * f'(x). Where f' can be had from y alone it is,
 * so that x need not be kept; the others say that they need x.
 */
#ifndef CNNBLAS_ACTIVATION_H
#define CNNBLAS_ACTIVATION_H

#include <cnnblas/status.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The functions, for the convolution's and the fully connected layer's results as for arrays.
 * NaN stays NaN in all of them.
 */
typedef enum cnnblas_activation_kind {
  CNNBLAS_IDENTITY = 0,   /* y = x */
  CNNBLAS_RELU = 1,       /* max(0, x); f' = 1 for y > 0, else 0 */
  CNNBLAS_LEAKY_RELU = 2, /* x for x > 0, else alpha * x; f' = 1 for y > 0, else alpha */
  CNNBLAS_CLIP = 3,       /* alpha for x below it, beta for x above it, else x; f' = 1 for alpha < y < beta, else 0 */
  CNNBLAS_SIGMOID = 4,    /* 1 / (1 + exp(-x)); f' = y (1 - y) */
  CNNBLAS_TANH = 5,       /* f' = 1 - y^2 */
  CNNBLAS_ELU = 6,        /* x for x > 0, else alpha (exp(x) - 1); f' = 1 for y > 0, else y + alpha */
  CNNBLAS_SELU = 7,       /* 1.0507 times ELU with alpha = 1.67326 (Klambauer's constants); f' from y */
  CNNBLAS_SOFTPLUS = 8,   /* log(1 + exp(x)); f' = 1 - exp(-y) */
  CNNBLAS_HSIGMOID = 9,   /* x / 6 + 1 / 2 between 0 and 1; f' = 1 / 6 for 0 < y < 1, else 0 */
  CNNBLAS_SWISH = 10,     /* x / (1 + exp(-x)); the gradient needs x */
  CNNBLAS_HSWISH = 11,    /* x times HSIGMOID; f' = x / 3 + 1 / 2 between -3 and 3; the gradient needs x */
  CNNBLAS_GELU = 12       /* x times the Gaussian's distribution function, not its tanh form; the gradient needs x */
} cnnblas_activation_kind;

/** A function with its parameters. All zero is the identity. A parameter that the kind does not have must be 0. */
typedef struct cnnblas_activation {
  cnnblas_activation_kind kind; /* the function; default identity */
  double alpha; /* LEAKY_RELU, ELU: finite, at least 0; 0 means 0.01 and 1, in this order. CLIP: the lower bound */
  double beta;  /* CLIP: the upper bound, above alpha; either bound may be infinite */
  int64_t reserved[2]; /* for later fields: its elements must be 0 */
} cnnblas_activation;

/** Sets every field to zero: the identity. NULL is ignored. */
CNNBLAS_API void cnnblas_activation_init(cnnblas_activation *activation);

#ifdef __cplusplus
}
#endif
#endif
