/* The fully connected layer y = x w^T + b: calls checked; the products are in fc_forward.c and fc_backward.c. */
#include "base/activation_kinds.h"
#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "layers/activation.h"
#include "layers/fc_products.h"
#include "layers/loops.h"
#include "layers/teams.h"
#include <string.h>

/* The time of a multiplication in a product that is small, or that has few images and waits for its weights. */
#define MULTIPLICATION_NANOSECONDS 0.1

void cnnblas_fc_desc_init(cnnblas_fc_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

static cnnblas_status check(const cnnblas_fc_desc *d, int64_t n)
{
  int64_t a, b, c, bytes;
  if (!d) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = cb_check_dtype(d->dtype);
  if (!status) status = cb_check_threads(d->threads);
  if (!status) status = cb_check_reserved(d->reserved, sizeof d->reserved);
  if (!status) status = cb_check_size("desc.n", d->n, 0);
  if (!status) status = cb_check_size("in", d->in, 1);
  if (!status) status = cb_check_size("out", d->out, 1);
  if (!status) status = cb_check_batch(n, d->n);
  if (status) return status;
  if (!cb_mul(d->n, d->in, &a) || !cb_mul(d->n, d->out, &b) || !cb_mul(d->in, d->out, &c) ||
      !cb_mul(cb_max(a, cb_max(b, c)), 8, &bytes))
    return cb_fail(CNNBLAS_SIZE_OVERFLOW, "n * in, n * out or in * out does not fit in 63 bits");
  return CNNBLAS_OK;
}

/* The bias gradient: a task is some outputs of all images. */
typedef struct {
  const cnnblas_fc_desc *desc;
  int64_t n;
  const char *dy;
  char *db;
} bias_job;

enum { BIAS_OUTPUTS = 256 };

static void bias_task(void *context, int64_t task, int worker)
{
  (void)worker;
  const bias_job *j = context;
  int64_t first = task * BIAS_OUTPUTS, count = cb_min(BIAS_OUTPUTS, j->desc->out - first);
  size_t at = (size_t)first * cb_element_size(j->desc->dtype);
  cb_layer_loops_for(j->desc->dtype)->column_sums(j->n, count, j->desc->out, j->n ? j->dy + at : NULL, j->db + at);
}

static void bias_gradient(const cnnblas_fc_desc *desc, int64_t n, const void *dy, void *db)
{
  bias_job j = {desc, n, dy, db};
  double bytes = (double)n * (double)desc->out * (double)cb_element_size(desc->dtype);
  cb_parallel_for(cb_layer_threads(desc->threads, bytes * CB_BYTE_NANOSECONDS), cb_ceil_div(desc->out, BIAS_OUTPUTS),
                  bias_task, &j);
}

static cb_fc product_of(const cnnblas_fc_desc *d, int64_t n, const void *x, const void *w, const void *dy)
{
  double multiplications = (double)n * (double)d->in * (double)d->out;
  int threads = cb_layer_threads(d->threads, multiplications * MULTIPLICATION_NANOSECONDS);
  return (cb_fc){d->dtype, threads, n, d->in, d->out, x, w, dy};
}

cnnblas_status cnnblas_fc_forward(const cnnblas_fc_desc *desc, int64_t n, const void *x, const void *w,
                                  const void *bias, const cnnblas_activation *activation, void *y)
{
  cnnblas_activation f;
  cnnblas_status status = check(desc, n);
  if (!status) status = cb_activation_check(activation, &f);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  cb_array arrays[] = {{"y", y, n * desc->out, element, false},
                       {"x", x, n * desc->in, element, false},
                       {"w", w, desc->in * desc->out, element, false},
                       {"bias", bias, desc->out, element, true}};
  status = cb_check_arrays(arrays, 4, 1);
  if (status) return status;
  cb_fc fc = product_of(desc, n, x, w, NULL);
  cb_fc_forward(&fc, bias, f.kind == CNNBLAS_RELU, y);
  if (f.kind > CNNBLAS_RELU) cb_activate_array(desc->dtype, desc->threads, &f, n * desc->out, y);
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_fc_backward_data(const cnnblas_fc_desc *desc, int64_t n, const void *dy, const void *w, void *dx)
{
  cnnblas_status status = check(desc, n);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  cb_array arrays[] = {{"dx", dx, n * desc->in, element, false},
                       {"dy", dy, n * desc->out, element, false},
                       {"w", w, desc->in * desc->out, element, false}};
  status = cb_check_arrays(arrays, 3, 1);
  if (status) return status;
  cb_fc fc = product_of(desc, n, NULL, w, dy);
  cb_fc_backward_data(&fc, dx);
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_fc_backward_weights(const cnnblas_fc_desc *desc, int64_t n, const void *x, const void *dy,
                                           void *dw, void *db)
{
  cnnblas_status status = check(desc, n);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  cb_array arrays[] = {{"dw", dw, desc->in * desc->out, element, false},
                       {"db", db, desc->out, element, true},
                       {"x", x, n * desc->in, element, false},
                       {"dy", dy, n * desc->out, element, false}};
  status = cb_check_arrays(arrays, 4, 2);
  if (status) return status;
  cb_fc fc = product_of(desc, n, x, NULL, dy);
  if (n == 0)
    memset(dw, 0, (size_t)(desc->in * desc->out) * element);
  else
    cb_fc_backward_weights(&fc, dw);
  if (db) bias_gradient(desc, n, dy, db);
  return CNNBLAS_OK;
}
