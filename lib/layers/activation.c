/* Activations: ReLU, leaky ReLU, sigmoid, tanh, forward and backward, over chunks of fixed size. */
#include "base/parallel.h"
#include "base/size.h"
#include "layers/checks.h"
#include "layers/loops.h"
#include <cnnblas/layers.h>
#include <math.h>
#include <string.h>

typedef struct {
  const cb_layer_loops *loops;
  cnnblas_nonlinearity kind;
  double slope;
  int64_t count;
  size_t element;
  const char *in, *dy; /* dy NULL: forward */
  char *out;
} job;

void cnnblas_activation_desc_init(cnnblas_activation_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

static cnnblas_status check(const cnnblas_activation_desc *desc, int64_t count)
{
  if (!desc) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = cb_check_dtype(desc->dtype);
  if (!status) status = cb_check_threads(desc->threads);
  if (!status) status = cb_check_reserved(desc->reserved, sizeof desc->reserved);
  if (!status) status = cb_check_size("count", count, 0);
  if (status) return status;
  if ((int)desc->kind < 0 || desc->kind > CNNBLAS_NONLINEARITY_TANH)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "kind is %d, which names no activation", (int)desc->kind);
  if (!(desc->slope >= 0) || isinf(desc->slope) || (desc->kind != CNNBLAS_NONLINEARITY_LEAKY_RELU && desc->slope != 0))
    return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                   "slope is %g; it must be a number of at least 0, and 0 unless the kind is leaky ReLU", desc->slope);
  if (count > INT64_MAX / 8) return cb_fail(CNNBLAS_SIZE_OVERFLOW, "count is %lld, too many", (long long)count);
  return CNNBLAS_OK;
}

static void chunk(void *context, int64_t task, int worker)
{
  (void)worker;
  const job *j = context;
  int64_t begin = task * CB_CHUNK, count = cb_min(CB_CHUNK, j->count - begin);
  size_t at = (size_t)begin * j->element;
  if (j->dy)
    j->loops->activate_back(j->kind, j->slope, count, j->in + at, j->dy + at, j->out + at);
  else
    j->loops->activate(j->kind, j->slope, count, j->in + at, j->out + at);
}

/* Sigmoid and tanh cost an exponential function an element. */
static double nanoseconds(const job *j)
{
  bool exponential = !j->dy && j->kind >= CNNBLAS_NONLINEARITY_SIGMOID;
  double bytes = (double)((j->dy ? 3 : 2) * j->element);
  return (double)j->count * (bytes * CB_BYTE_NANOSECONDS + (exponential ? 1 : 0));
}

static void run(const cnnblas_activation_desc *desc, int64_t count, const void *in, const void *dy, void *out)
{
  job j = {cb_layer_loops_for(desc->dtype), desc->kind, desc->slope, count, cb_element_size(desc->dtype), in, dy, out};
  if (j.kind == CNNBLAS_NONLINEARITY_LEAKY_RELU && j.slope == 0) j.slope = 0.01;
  cb_parallel_for(cb_layer_threads(desc->threads, nanoseconds(&j)), cb_ceil_div(count, CB_CHUNK), chunk, &j);
}

cnnblas_status cnnblas_activation_forward(const cnnblas_activation_desc *desc, int64_t count, const void *x, void *y)
{
  cnnblas_status status = check(desc, count);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  cb_array arrays[] = {{"y", y, count, element, false}, {"x", x == y ? NULL : x, count, element, x == y}};
  status = cb_check_arrays(arrays, 2, 1);
  if (!status) run(desc, count, x, NULL, y);
  return status;
}

cnnblas_status cnnblas_activation_backward(const cnnblas_activation_desc *desc, int64_t count, const void *y,
                                           const void *dy, void *dx)
{
  cnnblas_status status = check(desc, count);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  cb_array arrays[] = {{"dx", dx, count, element, false},
                       {"y", y, count, element, false},
                       {"dy", dx == dy ? NULL : dy, count, element, dx == dy}};
  status = cb_check_arrays(arrays, 3, 1);
  if (!status) run(desc, count, y, dy, dx);
  return status;
}
