/* Initial weights: zeros, or Gaussian numbers with He's or a small standard deviation (He et al., "Delving deep into
   rectifiers", ICCV 2015). Number i comes from (seed, stream, i) alone. */
#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "layers/teams.h"
#include <cnnblas/layers.h>
#include <math.h>
#include <string.h>

enum { CHUNK = 1024, NORMAL_NANOSECONDS = 20 /* the time of one Gaussian number */ };

typedef struct {
  const cnnblas_init_desc *desc;
  double std;
  int64_t count;
  void *w;
} job;

void cnnblas_init_desc_init(cnnblas_init_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

static cnnblas_status standard_deviation(const cnnblas_init_desc *d, double *std)
{
  static const char *const names[] = {"fan_in", "fan_out"};
  if ((int)d->kind < 0 || d->kind > CNNBLAS_INIT_ZERO)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "kind is %d, which names no initialisation", (int)d->kind);
  if (!(d->std >= 0) || isinf(d->std))
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "std is %g; it must be a number of at least 0", d->std);
  *std = d->kind == CNNBLAS_INIT_ZERO ? 0 : d->std != 0 ? d->std : 0.01;
  if (d->std != 0 || d->kind > CNNBLAS_INIT_HE_FAN_OUT) return CNNBLAS_OK;
  int64_t fan = d->kind == CNNBLAS_INIT_HE ? d->fan_in : d->fan_out;
  cnnblas_status status = cb_check_size(names[d->kind], fan, 1);
  if (!status) *std = sqrt(2.0 / (double)fan);
  return status;
}

static void chunk(void *context, int64_t task, int worker)
{
  (void)worker;
  const job *j = context;
  const cnnblas_init_desc *d = j->desc;
  int64_t begin = task * CHUNK, end = cb_min(begin + CHUNK, j->count);
  for (int64_t i = begin; i < end; i++) {
    double value = j->std == 0 ? 0 : j->std * cnnblas_random_normal(d->seed, d->stream, (uint64_t)i);
    if (d->dtype == CNNBLAS_F64)
      ((double *)j->w)[i] = value;
    else
      ((float *)j->w)[i] = (float)value;
  }
}

cnnblas_status cnnblas_init_fill(const cnnblas_init_desc *desc, int64_t count, void *w)
{
  if (!desc) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  job j = {desc, 0, count, w};
  cnnblas_status status = cb_check_dtype(desc->dtype);
  if (!status) status = cb_check_threads(desc->threads);
  if (!status) status = cb_check_reserved(desc->reserved, sizeof desc->reserved);
  if (!status) status = cb_check_size("count", count, 0);
  if (!status) status = standard_deviation(desc, &j.std);
  if (status) return status;
  if (count > INT64_MAX / 8) return cb_fail(CNNBLAS_SIZE_OVERFLOW, "count is %lld, too many", (long long)count);
  cb_array arrays[] = {{"w", w, count, cb_element_size(desc->dtype), false}};
  status = cb_check_arrays(arrays, 1, 1);
  if (status) return status;
  double each = j.std == 0 ? (double)cb_element_size(desc->dtype) * CB_BYTE_NANOSECONDS : NORMAL_NANOSECONDS;
  cb_parallel_for(cb_layer_threads(desc->threads, (double)count * each), cb_ceil_div(count, CHUNK), chunk, &j);
  return CNNBLAS_OK;
}
