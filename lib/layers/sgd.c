/* Stochastic gradient descent with momentum and weight decay (PyTorch's form), and learning-rate steps. */
#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "layers/loops.h"
#include "layers/teams.h"
#include <cnnblas/layers.h>
#include <string.h>

typedef struct {
  const cb_layer_loops *loops;
  const cnnblas_sgd_desc *desc;
  int64_t count;
  size_t element;
  char *p;
  const char *g;
  char *v;
} job;

void cnnblas_sgd_desc_init(cnnblas_sgd_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

static cnnblas_status check(const cnnblas_sgd_desc *d, int64_t count)
{
  if (!d) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = cb_check_dtype(d->dtype);
  if (!status) status = cb_check_threads(d->threads);
  if (!status) status = cb_check_reserved(d->reserved, sizeof d->reserved);
  if (!status) status = cb_check_size("count", count, 0);
  if (!status) status = cb_check_amount(d->dtype, "lr", d->lr);
  if (!status) status = cb_check_amount(d->dtype, "weight_decay", d->weight_decay);
  if (status) return status;
  if (!(d->momentum >= 0 && d->momentum < 1))
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "momentum is %g; it must be at least 0 and below 1", d->momentum);
  if (count > INT64_MAX / 8) return cb_fail(CNNBLAS_SIZE_OVERFLOW, "count is %lld, too many", (long long)count);
  return CNNBLAS_OK;
}

static void chunk(void *context, int64_t task, int worker)
{
  (void)worker;
  const job *j = context;
  int64_t begin = task * CB_CHUNK, count = cb_min(CB_CHUNK, j->count - begin);
  size_t at = (size_t)begin * j->element;
  j->loops->sgd(j->desc->lr, j->desc->momentum, j->desc->weight_decay, count, j->p + at, j->g + at,
                j->v ? j->v + at : NULL);
}

cnnblas_status cnnblas_sgd_step(const cnnblas_sgd_desc *desc, int64_t count, void *p, const void *g, void *v)
{
  cnnblas_status status = check(desc, count);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  cb_array arrays[] = {
      {"p", p, count, element, false}, {"v", v, count, element, desc->momentum == 0}, {"g", g, count, element, false}};
  status = cb_check_arrays(arrays, 3, 2);
  if (status) return status;
  job j = {cb_layer_loops_for(desc->dtype), desc, count, element, p, g, v};
  double bytes = (double)count * (double)element * (v ? 5 : 3); /* p and v read and written, g read */
  cb_parallel_for(cb_layer_threads(desc->threads, bytes * CB_BYTE_NANOSECONDS), cb_ceil_div(count, CB_CHUNK), chunk,
                  &j);
  return CNNBLAS_OK;
}

double cnnblas_lr_get(double base, const cnnblas_lr_step *steps, int64_t count, int64_t epoch)
{
  double rate = base;
  for (int64_t i = 0; steps && i < count; i++)
    if (epoch >= steps[i].epoch) rate *= steps[i].factor;
  return rate;
}
