/* The vector loops of the activation functions, for layers and the convolution's epilogue: a table a type and level. */
#ifndef CB_GEMM_ACTIVATIONS_H
#define CB_GEMM_ACTIVATIONS_H

#include <cnnblas/activation.h>
#include <cnnblas/conv.h>
#include <stdint.h>

typedef struct {
  /* y[i] = f(x[i]); y may be x */
  void (*forward)(const cnnblas_activation *f, int64_t count, const void *x, void *y);
  /* dx[i] = dy[i] * f'(x[i]), from x[i] if cb_activation_needs_x says so, else from y[i] = f(x[i]); dx may be dy */
  void (*backward)(const cnnblas_activation *f, int64_t count, const void *x_or_y, const void *dy, void *dx);
} cb_activations;

/* The table for a type on this machine. Thread safe. */
const cb_activations *cb_activations_for(cnnblas_dtype dtype);

#endif
