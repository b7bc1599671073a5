/*
 * Batch normalisation, forward and backward. A task is one channel of all images: its elements are still near when they are
 * normalised. The statistics of the images, each about its own mean, are joined in a binary tree (Chan, Golub and LeVeque,
 * "Updating formulae and a pairwise algorithm for computing sample variances", 1979), which the batch alone fixes.
 */
#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "gemm/dispatch.h"
#include "layers/batchnorm_loops.h"
#include "layers/teams.h"
#include <cnnblas/batchnorm.h>
#include <math.h>
#include <string.h>

CB_LEVEL_TABLES(cb_batchnorm_loops, loops);

typedef struct {
  const cb_batchnorm_loops *loops;
  const cnnblas_batchnorm_desc *desc;
  const cnnblas_batchnorm_arrays *arrays;
  int64_t n;
  size_t element;
  double epsilon, momentum;
  double count; /* elements of a channel of the whole batch */
  const char *x, *dy;
  char *out; /* what is written: y or dx */
  void *dgamma, *dbeta;
} job;

void cnnblas_batchnorm_desc_init(cnnblas_batchnorm_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

void cnnblas_batchnorm_arrays_init(cnnblas_batchnorm_arrays *arrays)
{
  if (arrays) memset(arrays, 0, sizeof *arrays);
}

/* ---- numbers of one channel ---- */

/* Element ic of a [c] array, or `otherwise` where there is none. */
static double get(const job *j, const void *array, int64_t ic, double otherwise)
{
  if (!array) return otherwise;
  return j->desc->dtype == CNNBLAS_F64 ? ((const double *)array)[ic] : (double)((const float *)array)[ic];
}

static void set(const job *j, void *array, int64_t ic, double value)
{
  if (!array) return;
  if (j->desc->dtype == CNNBLAS_F64)
    ((double *)array)[ic] = value;
  else
    ((float *)array)[ic] = (float)value;
}

/* The offset in bytes of channel ic of image in. */
static size_t plane_at(const job *j, int64_t in, int64_t ic)
{
  return (size_t)((in * j->desc->c + ic) * j->desc->pixels) * j->element;
}

/* Asks for a plane, if there is such an image, that is wanted next: it lies on other pages, where the processor's own
   prefetch begins anew. */
static void fetch(const job *j, const char *array, int64_t in, int64_t ic)
{
  enum { LINE = 64, MOST = 8192 };
  if (in >= j->n) return;
  size_t bytes = (size_t)j->desc->pixels * j->element;
  const char *plane = array + plane_at(j, in, ic);
  for (size_t i = 0; i < bytes && i < MOST; i += LINE) __builtin_prefetch(plane + i, 0, 2);
}

static cb_moments joined(cb_moments a, int64_t a_images, cb_moments b, int64_t b_images, int64_t pixels)
{
  double share = (double)b_images / (double)(a_images + b_images), apart = b.mean - a.mean;
  a.squares += b.squares + apart * apart * share * (double)a_images * (double)pixels;
  a.mean += apart * share;
  return a;
}

static cb_moments moments_of(const job *j, int64_t ic, int64_t first, int64_t count)
{
  if (count == 1) {
    fetch(j, j->x, first + 1, ic);
    return j->loops->moments(j->desc->pixels, j->x + plane_at(j, first, ic));
  }
  int64_t half = cb_left_branch(count);
  cb_moments a = moments_of(j, ic, first, half), b = moments_of(j, ic, first + half, count - half);
  return joined(a, half, b, count - half, j->desc->pixels);
}

static cb_batchnorm_sums sums_of(const job *j, int64_t ic, const cb_batchnorm_line *line, int64_t first, int64_t count)
{
  size_t at = plane_at(j, first, ic);
  if (count == 1) {
    fetch(j, j->x, first + 1, ic);
    fetch(j, j->dy, first + 1, ic);
    return j->loops->sums(j->desc->pixels, j->x + at, line, j->dy + at);
  }
  int64_t half = cb_left_branch(count);
  cb_batchnorm_sums a = sums_of(j, ic, line, first, half), b = sums_of(j, ic, line, first + half, count - half);
  return (cb_batchnorm_sums){a.dy + b.dy, a.product + b.product};
}

/* ---- tasks: a channel ---- */

static cb_batchnorm_line line_of(const job *j, int64_t ic, double mean, double inv_std)
{
  return (cb_batchnorm_line){.mean = mean,
                             .scale = inv_std * get(j, j->arrays->gamma, ic, 1),
                             .shift = get(j, j->arrays->beta, ic, 0),
                             .relu = j->desc->relu};
}

static void normalise_channel(const job *j, int64_t ic, double mean, double inv_std)
{
  const cb_batchnorm_line line = line_of(j, ic, mean, inv_std);
  const char *add = j->arrays->residual;
  for (int64_t in = 0; in < j->n; in++) {
    size_t at = plane_at(j, in, ic);
    fetch(j, j->out, in + 1, ic);
    if (add) fetch(j, add, in + 1, ic);
    j->loops->normalise(j->desc->pixels, j->x + at, &line, add ? add + at : NULL, j->out + at);
  }
}

/* The channel's part of a training call once the whole batch's moments are known. */
static void train_channel(const job *j, int64_t ic, cb_moments m)
{
  const cnnblas_batchnorm_arrays *a = j->arrays;
  double count = j->count, kept = 1 - j->momentum;
  double variance = count > 0 ? m.squares / count : 0;
  a->mean[ic] = m.mean;
  a->inv_std[ic] = 1 / sqrt(variance + j->epsilon);
  if (!(count > 0)) return;
  double unbiased = count > 1 ? m.squares / (count - 1) : 0;
  set(j, a->running_mean, ic, kept * get(j, a->running_mean, ic, 0) + j->momentum * m.mean);
  set(j, a->running_variance, ic, kept * get(j, a->running_variance, ic, 0) + j->momentum * unbiased);
  normalise_channel(j, ic, m.mean, a->inv_std[ic]);
}

static void training_task(void *context, int64_t ic, int worker)
{
  const job *j = context;
  (void)worker;
  train_channel(j, ic, j->n ? moments_of(j, ic, 0, j->n) : (cb_moments){0, 0});
}

/* With a join the call's own moments go into its room first, and come back as the whole batch's. */
static void moments_task(void *context, int64_t ic, int worker)
{
  const job *j = context;
  cb_moments m = j->n ? moments_of(j, ic, 0, j->n) : (cb_moments){0, 0};
  (void)worker;
  j->desc->join->room[2 * ic] = m.mean;
  j->desc->join->room[2 * ic + 1] = m.squares;
}

static void joined_training_task(void *context, int64_t ic, int worker)
{
  const job *j = context;
  const double *room = j->desc->join->room;
  (void)worker;
  train_channel(j, ic, (cb_moments){room[2 * ic], room[2 * ic + 1]});
}

static void inference_task(void *context, int64_t ic, int worker)
{
  const job *j = context;
  (void)worker;
  double variance = get(j, j->arrays->running_variance, ic, 1);
  normalise_channel(j, ic, get(j, j->arrays->running_mean, ic, 0), 1 / sqrt(variance + j->epsilon));
}

static cb_batchnorm_sums own_sums(const job *j, int64_t ic)
{
  const cb_batchnorm_line line = line_of(j, ic, j->arrays->mean[ic], j->arrays->inv_std[ic]);
  return j->n ? sums_of(j, ic, &line, 0, j->n) : (cb_batchnorm_sums){-0.0, -0.0}; /* what changes no sum */
}

/* The channel's part of a backward call once the whole batch's sums are known. */
static void backward_channel(const job *j, int64_t ic, cb_batchnorm_sums s)
{
  double count = j->count, inv_std = j->arrays->inv_std[ic];
  double gain = inv_std * get(j, j->arrays->gamma, ic, 1);
  const cb_batchnorm_line line = line_of(j, ic, j->arrays->mean[ic], inv_std);
  set(j, j->dbeta, ic, s.dy);
  set(j, j->dgamma, ic, s.product * inv_std);
  cb_batchnorm_slope slope = {
      .of_dy = gain, .of_x = -gain * inv_std * (s.product * inv_std / count), .constant = -gain * (s.dy / count)};
  for (int64_t in = 0; in < j->n; in++) {
    size_t at = plane_at(j, in, ic);
    fetch(j, j->out, in + 1, ic);
    j->loops->backward(j->desc->pixels, j->x + at, j->dy + at, &line, &slope, j->out + at);
  }
}

static void backward_task(void *context, int64_t ic, int worker)
{
  const job *j = context;
  (void)worker;
  backward_channel(j, ic, j->n ? own_sums(j, ic) : (cb_batchnorm_sums){0, 0});
}

static void sums_task(void *context, int64_t ic, int worker)
{
  const job *j = context;
  const cb_batchnorm_sums s = own_sums(j, ic);
  (void)worker;
  j->desc->join->room[2 * ic] = s.dy;
  j->desc->join->room[2 * ic + 1] = s.product;
}

static void joined_backward_task(void *context, int64_t ic, int worker)
{
  const job *j = context;
  const double *room = j->desc->join->room;
  (void)worker;
  backward_channel(j, ic, (cb_batchnorm_sums){room[2 * ic], room[2 * ic + 1]});
}

/* ---- calls ---- */

static cnnblas_status check(const cnnblas_batchnorm_desc *d, int64_t n, const cnnblas_batchnorm_arrays *arrays)
{
  int64_t elements, bytes;
  if (!d) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  if (!arrays) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "arrays is NULL");
  cnnblas_status status = cb_check_dtype(d->dtype);
  if (!status) status = cb_check_threads(d->threads);
  if (!status) status = cb_check_reserved(d->reserved, sizeof d->reserved);
  if (!status) status = cb_check_reserved(arrays->reserved, sizeof arrays->reserved);
  if (!status) status = cb_check_size("desc.n", d->n, 0);
  if (!status) status = cb_check_size("c", d->c, 1);
  if (!status) status = cb_check_size("pixels", d->pixels, 1);
  if (!status) status = cb_check_batch(n, d->n);
  if (status) return status;
  if (!(d->epsilon >= 0) || isinf(d->epsilon))
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "epsilon is %g; it must be a number of at least 0", d->epsilon);
  if (!(d->momentum >= 0 && d->momentum <= 1))
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "momentum is %g; it must be 0 to 1", d->momentum);
  if (d->relu < 0 || d->relu > 1)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "relu is %lld; it must be 0 or 1", (long long)d->relu);
  if (!arrays->running_mean != !arrays->running_variance)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "one of running_mean and running_variance is NULL, the other is not");
  if (!cb_mul(cb_max(1, d->n), d->c, &elements) || !cb_mul(elements, d->pixels, &elements) ||
      !cb_mul(elements, 8, &bytes))
    return cb_fail(CNNBLAS_SIZE_OVERFLOW, "n * c * pixels does not fit in 63 bits");
  const cnnblas_batchnorm_join *join = d->join;
  if (join && (!join->room || !join->moments || !join->sums))
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "join.room, join.moments or join.sums is NULL");
  if (join && join->images < n)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "join.images is %lld; the call alone has %lld", (long long)join->images,
                   (long long)n);
  return CNNBLAS_OK;
}

/* passes: how often the arrays of x's size are read or written. */
static void run(job *j, const cnnblas_batchnorm_desc *desc, int passes, cb_task task)
{
  double bytes = (double)j->n * (double)desc->c * (double)desc->pixels * (double)cb_element_size(desc->dtype);
  j->loops = CB_LEVEL_CHOICE(loops, desc->dtype);
  j->desc = desc;
  j->element = cb_element_size(desc->dtype);
  j->epsilon = desc->epsilon == 0 ? 1e-5 : desc->epsilon;
  j->momentum = desc->momentum == 0 ? 0.1 : desc->momentum;
  j->count = (double)(desc->join ? desc->join->images : j->n) * (double)desc->pixels;
  cb_parallel_for(cb_layer_threads(desc->threads, passes * bytes * CB_BYTE_NANOSECONDS), desc->c, task, j);
}

cnnblas_status cnnblas_batchnorm_forward_training(const cnnblas_batchnorm_desc *desc, int64_t n, const void *x,
                                                  const cnnblas_batchnorm_arrays *a, void *y)
{
  cnnblas_status status = check(desc, n, a);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  int64_t count = n * desc->c * desc->pixels;
  cb_array arrays[] = {{"y", y, count, element, false},
                       {"mean", a->mean, desc->c, sizeof(double), false},
                       {"inv_std", a->inv_std, desc->c, sizeof(double), false},
                       {"running_mean", a->running_mean, desc->c, element, true},
                       {"running_variance", a->running_variance, desc->c, element, true},
                       {"x", x == y ? NULL : x, count, element, x == y},
                       {"gamma", a->gamma, desc->c, element, true},
                       {"beta", a->beta, desc->c, element, true},
                       {"residual", a->residual == y ? NULL : a->residual, count, element, true}};
  status = cb_check_arrays(arrays, 9, 5);
  if (status) return status;
  job j = {.arrays = a, .n = n, .x = x, .out = y};
  run(&j, desc, 3, desc->join ? moments_task : training_task);
  if (!desc->join) return CNNBLAS_OK;
  status = desc->join->moments(desc->join->context, desc->c, desc->join->room);
  if (!status) run(&j, desc, 2, joined_training_task);
  return status;
}

cnnblas_status cnnblas_batchnorm_forward_inference(const cnnblas_batchnorm_desc *desc, int64_t n, const void *x,
                                                   const cnnblas_batchnorm_arrays *a, void *y)
{
  cnnblas_status status = check(desc, n, a);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  int64_t count = n * desc->c * desc->pixels;
  cb_array arrays[] = {{"y", y, count, element, false},
                       {"x", x == y ? NULL : x, count, element, x == y},
                       {"running_mean", a->running_mean, desc->c, element, false},
                       {"running_variance", a->running_variance, desc->c, element, false},
                       {"gamma", a->gamma, desc->c, element, true},
                       {"beta", a->beta, desc->c, element, true},
                       {"residual", a->residual == y ? NULL : a->residual, count, element, true}};
  status = cb_check_arrays(arrays, 7, 1);
  if (!status) run(&(job){.arrays = a, .n = n, .x = x, .out = y}, desc, 2, inference_task);
  return status;
}

cnnblas_status cnnblas_batchnorm_backward(const cnnblas_batchnorm_desc *desc, int64_t n, const void *x,
                                          const cnnblas_batchnorm_arrays *a, const void *dy, void *dx, void *dgamma,
                                          void *dbeta)
{
  cnnblas_status status = check(desc, n, a);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  int64_t count = n * desc->c * desc->pixels;
  cb_array arrays[] = {{"dx", dx, count, element, false},
                       {"dgamma", dgamma, desc->c, element, true},
                       {"dbeta", dbeta, desc->c, element, true},
                       {"dy", dx == dy ? NULL : dy, count, element, dx == dy},
                       {"x", x, count, element, false},
                       {"mean", a->mean, desc->c, sizeof(double), false},
                       {"inv_std", a->inv_std, desc->c, sizeof(double), false},
                       {"gamma", a->gamma, desc->c, element, true},
                       {"beta", a->beta, desc->c, element, true}};
  status = cb_check_arrays(arrays, 9, 3);
  if (!status && desc->relu && a->residual)
    status = cb_fail(CNNBLAS_UNSUPPORTED, "relu is 1 behind a residual: its gradient is cnnblas_activation_backward's");
  if (status) return status;
  job j = {.arrays = a, .n = n, .x = x, .dy = dy, .out = dx, .dgamma = dgamma, .dbeta = dbeta};
  run(&j, desc, 5, desc->join ? sums_task : backward_task);
  if (!desc->join) return CNNBLAS_OK;
  status = desc->join->sums(desc->join->context, desc->c, desc->join->room);
  if (!status) run(&j, desc, 3, joined_backward_task);
  return status;
}

cnnblas_status cnnblas_batchnorm_join_moments(int64_t c, int64_t pixels, int64_t a_images, double *a, int64_t b_images,
                                              const double *b)
{
  if (c < 0 || pixels < 0 || a_images < 0 || b_images < 0 || (c && (!a || !b)))
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "a or b is NULL, or a number is below 0");
  for (int64_t ic = 0; ic < c && b_images; ic++) {
    cb_moments m = {b[2 * ic], b[2 * ic + 1]};
    if (a_images) m = joined((cb_moments){a[2 * ic], a[2 * ic + 1]}, a_images, m, b_images, pixels);
    a[2 * ic] = m.mean;
    a[2 * ic + 1] = m.squares;
  }
  return CNNBLAS_OK;
}
