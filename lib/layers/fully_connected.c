/* The fully connected layer y = x w^T + b: calls checked; the products are fc_products.c's. */
#include "base/size.h"
#include "layers/checks.h"
#include "layers/fc_products.h"
#include "layers/loops.h"
#include <string.h>

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

static cb_fc product_of(const cnnblas_fc_desc *d, int64_t n, const void *x, const void *w, const void *dy)
{
  return (cb_fc){d->dtype, cb_layer_threads(d->threads), n, d->in, d->out, x, w, dy};
}

cnnblas_status cnnblas_fc_forward(const cnnblas_fc_desc *desc, int64_t n, const void *x, const void *w,
                                  const void *bias, cnnblas_activation activation, void *y)
{
  cnnblas_status status = check(desc, n);
  if (status) return status;
  if (activation != CNNBLAS_IDENTITY && activation != CNNBLAS_RELU)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "activation is %d, which names no activation", (int)activation);
  size_t element = cb_element_size(desc->dtype);
  cb_array arrays[] = {{"y", y, n * desc->out, element, false},
                       {"x", x, n * desc->in, element, false},
                       {"w", w, desc->in * desc->out, element, false},
                       {"bias", bias, desc->out, element, true}};
  status = cb_check_arrays(arrays, 4, 1);
  if (status) return status;
  cb_fc fc = product_of(desc, n, x, w, NULL);
  cb_fc_forward(&fc, bias, activation == CNNBLAS_RELU, y);
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
  if (db) cb_layer_loops_for(desc->dtype)->column_sums(n, desc->out, dy, db);
  return CNNBLAS_OK;
}
