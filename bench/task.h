/*
 * One problem in one direction, with its arrays: what every algorithm and peer is handed.
 */
#ifndef BENCH_TASK_H
#define BENCH_TASK_H

#include "loop_sizes.h"
#include <cnnblas/cnnblas.h>
#include <stddef.h>

/* Bytes of an element of a type. */
static inline size_t bench_element_bytes(cnnblas_dtype dtype)
{
  return dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float);
}

typedef struct bench_task {
  cnnblas_conv_desc desc;
  cnnblas_conv_shape shape;
  bench_geometry geometry;
  cnnblas_conv_direction direction;
  int threads;
  size_t element; /* bytes: 4 or 8 */
  const void *x;  /* [n][c][h][w]     forward and backward_weights */
  const void *w;  /* [k][c/g][r][s]   forward and backward_data    */
  const void *dy; /* [n][k][oh][ow]   both gradients              */
  void *out;      /* y, dx or dw */
} bench_task;

/* Elements of the task's output. */
static inline int64_t bench_task_outputs(const bench_task *task)
{
  return task->direction == CNNBLAS_FORWARD         ? task->shape.y_elements
         : task->direction == CNNBLAS_BACKWARD_DATA ? task->shape.x_elements
                                                    : task->shape.w_elements;
}

#endif
