/* The activation layer, forward and backward, over chunks of fixed size. */
#include "layers/activation.h"
#include "base/activation_kinds.h"
#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "gemm/activations.h"
#include "layers/loops.h"
#include "layers/teams.h"
#include <string.h>

typedef struct {
  const cb_activations *loops;
  const cnnblas_activation *f;
  int64_t count;
  size_t element;
  const char *in, *dy; /* what is read: x or y, and dy, which is NULL forward */
  char *out;
} job;

void cnnblas_activation_desc_init(cnnblas_activation_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

/* Fills *f with the function and the defaults of its parameters. */
static cnnblas_status check(const cnnblas_activation_desc *desc, int64_t count, cnnblas_activation *f)
{
  if (!desc) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = cb_check_dtype(desc->dtype);
  if (!status) status = cb_check_threads(desc->threads);
  if (!status) status = cb_check_reserved(desc->reserved, sizeof desc->reserved);
  if (!status) status = cb_check_size("count", count, 0);
  if (!status) status = cb_activation_check(&desc->function, f);
  if (status) return status;
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
    j->loops->backward(j->f, count, j->in + at, j->dy + at, j->out + at);
  else
    j->loops->forward(j->f, count, j->in + at, j->out + at);
}

/* The functions that are no maxima or minima cost about an exponential function an element. */
static double nanoseconds(const job *j)
{
  bool exponential = j->f->kind >= CNNBLAS_SIGMOID && j->f->kind != CNNBLAS_HSIGMOID && j->f->kind != CNNBLAS_HSWISH;
  double bytes = (double)((j->dy ? 3 : 2) * j->element);
  return (double)j->count * (bytes * CB_BYTE_NANOSECONDS + (exponential ? 1 : 0));
}

static void run(const job *j, int32_t threads)
{
  cb_parallel_for(cb_layer_threads(threads, nanoseconds(j)), cb_ceil_div(j->count, CB_CHUNK), chunk, (void *)j);
}

void cb_activate_array(cnnblas_dtype dtype, int32_t threads, const cnnblas_activation *f, int64_t count, void *y)
{
  run(&(job){cb_activations_for(dtype), f, count, cb_element_size(dtype), y, NULL, y}, threads);
}

cnnblas_status cnnblas_activation_forward(const cnnblas_activation_desc *desc, int64_t count, const void *x, void *y)
{
  cnnblas_activation f;
  cnnblas_status status = check(desc, count, &f);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  cb_array arrays[] = {{"y", y, count, element, false}, {"x", x == y ? NULL : x, count, element, x == y}};
  status = cb_check_arrays(arrays, 2, 1);
  if (!status) run(&(job){cb_activations_for(desc->dtype), &f, count, element, x, NULL, y}, desc->threads);
  return status;
}

cnnblas_status cnnblas_activation_backward(const cnnblas_activation_desc *desc, int64_t count, const void *x,
                                           const void *y, const void *dy, void *dx)
{
  cnnblas_activation f;
  cnnblas_status status = check(desc, count, &f);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  bool needs_x = cb_activation_needs_x(f.kind);
  cb_array arrays[] = {{"dx", dx, count, element, false},
                       {"x", x, count, element, !needs_x},
                       {"y", y, count, element, needs_x},
                       {"dy", dx == dy ? NULL : dy, count, element, dx == dy}};
  status = cb_check_arrays(arrays, 4, 1);
  if (!status) run(&(job){cb_activations_for(desc->dtype), &f, count, element, needs_x ? x : y, dy, dx}, desc->threads);
  return status;
}
