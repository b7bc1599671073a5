/* Optimisers beside SGD: Nesterov's momentum, AdamW, gradients clipped by their norm, moving averages. */
#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "gemm/dispatch.h"
#include "layers/loops.h"
#include "layers/optimiser_loops.h"
#include "layers/teams.h"
#include <cnnblas/optimiser.h>
#include <float.h>
#include <math.h>
#include <string.h>

CB_LEVEL_TABLES(cb_optimiser_loops, loops);

/* The largest number of sums of squares of one gradient: each task has a place for its own. */
enum { MOST_SUMS = 256 };

typedef struct {
  const cb_optimiser_loops *loops;
  size_t element;
  int64_t count;
  const cnnblas_sgd_desc *sgd;
  cb_adamw adamw;
  double factor;
  char *p, *m, *v;
  const char *g;
  int64_t parts; /* parts into which a gradient is cut, each with a sum of squares */
  double *sums;
} job;

void cnnblas_adamw_desc_init(cnnblas_adamw_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

static cnnblas_status check_decay(const char *name, double value)
{
  if (value >= 0 && value < 1) return CNNBLAS_OK;
  return cb_fail(CNNBLAS_INVALID_ARGUMENT, "%s is %g; it must be at least 0 and below 1", name, value);
}

/* Runs a task on each chunk of count elements; passes: how often an array of them is read or written. */
static void each_chunk(job *j, cnnblas_dtype dtype, int32_t threads, int passes, cb_task task)
{
  j->loops = CB_LEVEL_CHOICE(loops, dtype);
  j->element = cb_element_size(dtype);
  double bytes = (double)j->count * (double)j->element * passes;
  cb_parallel_for(cb_layer_threads(threads, bytes * CB_BYTE_NANOSECONDS), cb_ceil_div(j->count, CB_CHUNK), task, j);
}

static int64_t chunk_of(const job *j, int64_t task, size_t *at)
{
  *at = (size_t)(task * CB_CHUNK) * j->element;
  return cb_min(CB_CHUNK, j->count - task * CB_CHUNK);
}

static void nesterov_chunk(void *context, int64_t task, int worker)
{
  const job *j = context;
  size_t at;
  int64_t count = chunk_of(j, task, &at);
  (void)worker;
  j->loops->nesterov(j->sgd->lr, j->sgd->momentum, j->sgd->weight_decay, count, j->p + at, j->g + at, j->v + at);
}

cnnblas_status cnnblas_nesterov_step(const cnnblas_sgd_desc *desc, int64_t count, void *p, const void *g, void *v)
{
  if (!desc) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = cb_check_elements(desc->dtype, desc->threads, count);
  if (!status) status = cb_check_reserved(desc->reserved, sizeof desc->reserved);
  if (!status) status = cb_check_amount(desc->dtype, "lr", desc->lr);
  if (!status) status = cb_check_amount(desc->dtype, "weight_decay", desc->weight_decay);
  if (!status) status = check_decay("momentum", desc->momentum);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  cb_array arrays[] = {
      {"p", p, count, element, false}, {"v", v, count, element, false}, {"g", g, count, element, false}};
  status = cb_check_arrays(arrays, 3, 2);
  if (!status)
    each_chunk(&(job){.sgd = desc, .count = count, .p = p, .g = g, .v = v}, desc->dtype, desc->threads, 5,
               nesterov_chunk);
  return status;
}

static void adamw_chunk(void *context, int64_t task, int worker)
{
  const job *j = context;
  size_t at;
  int64_t count = chunk_of(j, task, &at);
  (void)worker;
  j->loops->adamw(&j->adamw, count, j->p + at, j->g + at, j->m + at, j->v + at);
}

static cnnblas_status check_adamw(const cnnblas_adamw_desc *d, int64_t count)
{
  if (!d) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = cb_check_elements(d->dtype, d->threads, count);
  if (!status) status = cb_check_reserved(d->reserved, sizeof d->reserved);
  if (!status) status = cb_check_size("step", d->step, 1);
  if (!status) status = cb_check_amount(d->dtype, "lr", d->lr);
  if (!status) status = cb_check_amount(d->dtype, "epsilon", d->epsilon);
  if (!status) status = cb_check_amount(d->dtype, "weight_decay", d->weight_decay);
  if (!status) status = check_decay("beta1", d->beta1);
  if (!status) status = check_decay("beta2", d->beta2);
  if (!status && d->dtype == CNNBLAS_F32 && d->epsilon > 0 && d->epsilon < FLT_TRUE_MIN)
    status = cb_fail(CNNBLAS_INVALID_ARGUMENT, "epsilon is %g, less than the smallest f32 above 0, %g", d->epsilon,
                     (double)FLT_TRUE_MIN);
  return status;
}

cnnblas_status cnnblas_adamw_step(const cnnblas_adamw_desc *desc, int64_t count, void *p, const void *g, void *m,
                                  void *v)
{
  cnnblas_status status = check_adamw(desc, count);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  cb_array arrays[] = {{"p", p, count, element, false},
                       {"m", m, count, element, false},
                       {"v", v, count, element, false},
                       {"g", g, count, element, false}};
  status = cb_check_arrays(arrays, 4, 3);
  if (status) return status;
  double beta1 = desc->beta1 == 0 ? 0.9 : desc->beta1, beta2 = desc->beta2 == 0 ? 0.999 : desc->beta2;
  double steps = (double)desc->step;
  job j = {.count = count, .p = p, .g = g, .m = m, .v = v};
  j.adamw = (cb_adamw){.beta1 = beta1,
                       .beta2 = beta2,
                       .kept = 1 - desc->lr * desc->weight_decay,
                       .rate = desc->lr / (1 - pow(beta1, steps)),
                       .root = 1 / sqrt(1 - pow(beta2, steps)),
                       .epsilon = desc->epsilon == 0 ? 1e-8 : desc->epsilon};
  each_chunk(&j, desc->dtype, desc->threads, 7, adamw_chunk);
  return CNNBLAS_OK;
}

static void squares_part(void *context, int64_t part, int worker)
{
  const job *j = context;
  int64_t first = cb_split(j->count, j->parts, part);
  (void)worker;
  j->sums[part] = j->loops->squares(cb_split(j->count, j->parts, part + 1) - first, j->g + (size_t)first * j->element);
}

static void scale_chunk(void *context, int64_t task, int worker)
{
  const job *j = context;
  size_t at;
  int64_t count = chunk_of(j, task, &at);
  (void)worker;
  j->loops->scale(count, j->factor, j->p + at);
}

static double squares_of(cnnblas_dtype dtype, int32_t threads, int64_t count, const void *g)
{
  double sums[MOST_SUMS], total = 0;
  job j = {.loops = CB_LEVEL_CHOICE(loops, dtype), .element = cb_element_size(dtype), .count = count, .g = g};
  double bytes = (double)count * (double)j.element;
  j.parts = cb_min(MOST_SUMS, cb_ceil_div(count, CB_CHUNK));
  j.sums = sums;
  cb_parallel_for(cb_layer_threads(threads, bytes * CB_BYTE_NANOSECONDS), j.parts, squares_part, &j);
  for (int64_t part = 0; part < j.parts; part++) total += sums[part];
  return total;
}

/* The norm of f64 gradients whose squares overflow or vanish: the elements are divided by the largest of them first. */
static double scaled_norm(int64_t tensors, const int64_t *counts, void *const *gradients)
{
  double largest = 0, total = 0;
  for (int64_t t = 0; t < tensors; t++)
    for (int64_t i = 0; i < counts[t]; i++) largest = fmax(largest, fabs(((const double *)gradients[t])[i]));
  if (isinf(largest) || largest == 0) return largest;
  for (int64_t t = 0; t < tensors; t++)
    for (int64_t i = 0; i < counts[t]; i++) {
      double part = ((const double *)gradients[t])[i] / largest;
      total += part * part;
    }
  return largest * sqrt(total);
}

/* The sums of squares between which none of them has overflowed, nor so many vanished that the sum tells. */
static const double LEAST_SQUARES = 1e-280, MOST_SQUARES = DBL_MAX;

static cnnblas_status check_tensors(cnnblas_dtype dtype, int32_t threads, int64_t tensors, const int64_t *counts,
                                    void *const *gradients, const double *norm)
{
  cnnblas_status status = cb_check_elements(dtype, threads, 0);
  if (!status) status = cb_check_size("tensors", tensors, 0);
  if (!status && tensors && (!counts || !gradients))
    status = cb_fail(CNNBLAS_INVALID_ARGUMENT, "%s is NULL", counts ? "gradients" : "counts");
  for (int64_t t = 0; t < tensors && !status; t++) {
    cb_array arrays[] = {{"norm", norm, 1, sizeof *norm, false},
                         {"gradients[]", gradients[t], counts[t], cb_element_size(dtype), false}};
    status = cb_check_elements(dtype, threads, counts[t]);
    if (!status) status = cb_check_arrays(arrays, 2, 1);
  }
  return status;
}

cnnblas_status cnnblas_gradient_clip(cnnblas_dtype dtype, int32_t threads, int64_t tensors, const int64_t *counts,
                                     void *const *gradients, double most, double *norm)
{
  cnnblas_status status = check_tensors(dtype, threads, tensors, counts, gradients, norm);
  if (status) return status;
  if (!norm) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "norm is NULL");
  if (!(most > 0)) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "most is %g; it must be above 0", most);
  double total = 0;
  for (int64_t t = 0; t < tensors; t++) total += squares_of(dtype, threads, counts[t], gradients[t]);
  *norm = sqrt(total);
  if (dtype == CNNBLAS_F64 && !(total >= LEAST_SQUARES && total <= MOST_SQUARES) && total == total)
    *norm = scaled_norm(tensors, counts, gradients);
  for (int64_t t = 0; t<tensors && * norm> most && !isinf(*norm); t++)
    each_chunk(&(job){.count = counts[t], .p = gradients[t], .factor = most / *norm}, dtype, threads, 2, scale_chunk);
  return CNNBLAS_OK;
}

static void average_chunk(void *context, int64_t task, int worker)
{
  const job *j = context;
  size_t at;
  int64_t count = chunk_of(j, task, &at);
  (void)worker;
  j->loops->average(count, j->factor, j->g + at, j->p + at);
}

cnnblas_status cnnblas_average_update(cnnblas_dtype dtype, int32_t threads, int64_t count, double decay, const void *p,
                                      void *average)
{
  cnnblas_status status = cb_check_elements(dtype, threads, count);
  if (status) return status;
  if (!(decay >= 0 && decay <= 1)) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "decay is %g; it must be 0 to 1", decay);
  size_t element = cb_element_size(dtype);
  cb_array arrays[] = {{"average", average, count, element, false}, {"p", p, count, element, false}};
  status = cb_check_arrays(arrays, 2, 1);
  if (!status)
    each_chunk(&(job){.count = count, .p = average, .g = p, .factor = 1 - decay}, dtype, threads, 3, average_chunk);
  return status;
}
