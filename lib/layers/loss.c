/* Softmax and sigmoid cross-entropy on logits, fused with their gradients; losses summed in double, image by image. */
#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "layers/loops.h"
#include "layers/teams.h"
#include <cnnblas/layers.h>
#include <math.h>
#include <string.h>

enum {
  CLASS_NANOSECONDS = 2,   /* an exponential function, and the gradient from it */
  TASK_NANOSECONDS = 5000, /* at least, by which the images of a task follow from the classes alone */
  TASKS = 256              /* at most: each has a place for its loss */
};

typedef struct {
  const cb_layer_loops *loops;
  cnnblas_dtype dtype;
  int64_t n, classes, images_of_task;
  size_t element;
  double scale; /* 1, or 1 / n, or 1 / (n * classes) */
  const char *z;
  const int32_t *labels;
  const char *targets;
  char *dz, *p;
  double *sums; /* a loss a task */
} job;

void cnnblas_loss_desc_init(cnnblas_loss_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

static cnnblas_status check(const cnnblas_loss_desc *d, int64_t n, bool reduces)
{
  int64_t bytes;
  if (!d) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = cb_check_dtype(d->dtype);
  if (!status) status = cb_check_threads(d->threads);
  if (!status) status = cb_check_reserved(d->reserved, sizeof d->reserved);
  if (!status) status = cb_check_size("desc.n", d->n, 0);
  if (!status) status = cb_check_size("classes", d->classes, 1);
  if (!status) status = cb_check_batch(n, d->n);
  if (status) return status;
  if (reduces && d->reduction != CNNBLAS_REDUCTION_MEAN && d->reduction != CNNBLAS_REDUCTION_SUM)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "reduction is %d; it must be given: mean (1) or sum (2)",
                   (int)d->reduction);
  if (!cb_mul(d->n, d->classes, &bytes) || !cb_mul(bytes, 8, &bytes))
    return cb_fail(CNNBLAS_SIZE_OVERFLOW, "n * classes does not fit in 63 bits");
  return CNNBLAS_OK;
}

static double get(const job *j, const void *array, int64_t i)
{
  return j->dtype == CNNBLAS_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

static void set(const job *j, void *array, int64_t i, double value)
{
  if (j->dtype == CNNBLAS_F64)
    ((double *)array)[i] = value;
  else
    ((float *)array)[i] = (float)value;
}

/* One image's softmax in p or, without p, in dz; then dz from it. Returns the loss. */
static double softmax_image(const job *j, int64_t in)
{
  size_t at = (size_t)(in * j->classes) * j->element;
  const char *z = j->z + at;
  char *p = j->p ? j->p + at : j->dz + at;
  double own = j->labels ? get(j, z, j->labels[in]) : 0, log_sum = j->loops->softmax(j->classes, z, p);
  if (j->dz) {
    char *dz = j->dz + at;
    for (int64_t c = 0; c < j->classes; c++) set(j, dz, c, (get(j, p, c) - (c == j->labels[in])) * j->scale);
  }
  return log_sum - own;
}

/* One image's loss where no array is wanted. */
static double softmax_loss_alone(const job *j, int64_t in)
{
  const char *z = j->z + (size_t)(in * j->classes) * j->element;
  double largest = get(j, z, 0), sum = 0;
  for (int64_t c = 1; c < j->classes; c++) largest = get(j, z, c) > largest ? get(j, z, c) : largest;
  for (int64_t c = 0; c < j->classes; c++) sum += exp(get(j, z, c) - largest);
  return log(sum) + largest - get(j, z, j->labels[in]);
}

static double sigmoid_image(const job *j, int64_t in)
{
  size_t at = (size_t)(in * j->classes) * j->element;
  double loss = 0;
  for (int64_t c = 0; c < j->classes; c++) {
    double z = get(j, j->z + at, c), t = get(j, j->targets + at, c), e = exp(-fabs(z));
    loss += (z > 0 ? z : z == z ? 0 : z) - z * t + log1p(e);
    if (j->dz) set(j, j->dz + at, c, ((z < 0 ? e : 1) / (1 + e) - t) * j->scale);
  }
  return loss;
}

static void images(void *context, int64_t task, int worker)
{
  (void)worker;
  const job *j = context;
  double sum = 0;
  for (int64_t in = task * j->images_of_task; in < cb_min((task + 1) * j->images_of_task, j->n); in++)
    sum += j->targets ? sigmoid_image(j, in) : j->p || j->dz ? softmax_image(j, in) : softmax_loss_alone(j, in);
  j->sums[task] = sum;
}

/* Runs the job and adds the tasks' losses in order. What a task is depends on the shape alone: it orders the loss's sum. */
static cnnblas_status run(job *j, int32_t threads, double *loss)
{
  double sums[TASKS] = {0}, total = 0;
  double image = (double)j->classes * CLASS_NANOSECONDS;
  j->images_of_task = cb_max((int64_t)(TASK_NANOSECONDS / image) + 1, cb_ceil_div(j->n, TASKS));
  j->sums = sums;
  int64_t tasks = cb_ceil_div(j->n, j->images_of_task);
  cb_parallel_for(cb_layer_threads(threads, (double)j->n * image), tasks, images, j);
  for (int64_t task = 0; task < tasks; task++) total += sums[task];
  if (loss) *loss = total * j->scale;
  return CNNBLAS_OK;
}

static double scale_of(const cnnblas_loss_desc *d, int64_t count)
{
  return d->reduction == CNNBLAS_REDUCTION_MEAN && count > 0 ? 1.0 / (double)count : 1;
}

cnnblas_status cnnblas_loss_softmax_cross_entropy(const cnnblas_loss_desc *desc, int64_t n, const void *z,
                                                  const int32_t *labels, double *loss, void *dz, void *probabilities)
{
  cnnblas_status status = check(desc, n, true);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  int64_t count = n * desc->classes;
  bool in_place = z == dz || z == probabilities;
  cb_array arrays[] = {{"dz", dz, count, element, true},
                       {"probabilities", probabilities, count, element, true},
                       {"z", in_place ? NULL : z, count, element, in_place},
                       {"labels", labels, n, sizeof *labels, false}};
  status = cb_check_arrays(arrays, 4, 2);
  if (status) return status;
  for (int64_t in = 0; in < n; in++)
    if (labels[in] < 0 || labels[in] >= desc->classes)
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, "labels[%lld] is %d; it must be 0 to %lld", (long long)in,
                     (int)labels[in], (long long)desc->classes - 1);
  job j = {.loops = cb_layer_loops_for(desc->dtype), .dtype = desc->dtype, .n = n, .classes = desc->classes};
  j.element = element;
  j.scale = scale_of(desc, n);
  j.z = z;
  j.labels = labels;
  j.dz = dz;
  j.p = probabilities;
  return run(&j, desc->threads, loss);
}

cnnblas_status cnnblas_loss_sigmoid_cross_entropy(const cnnblas_loss_desc *desc, int64_t n, const void *z,
                                                  const void *targets, double *loss, void *dz)
{
  cnnblas_status status = check(desc, n, true);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  int64_t count = n * desc->classes;
  cb_array arrays[] = {{"dz", dz, count, element, true},
                       {"z", z == dz ? NULL : z, count, element, z == dz},
                       {"targets", targets, count, element, false}};
  status = cb_check_arrays(arrays, 3, 1);
  if (status) return status;
  job j = {.loops = cb_layer_loops_for(desc->dtype), .dtype = desc->dtype, .n = n, .classes = desc->classes};
  for (int64_t i = 0; i < count; i++) {
    double t = get(&j, targets, i);
    if (!(t >= 0 && t <= 1))
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, "targets[%lld][%lld] is %g; it must be 0 to 1",
                     (long long)(i / desc->classes), (long long)(i % desc->classes), t);
  }
  j.element = element;
  j.scale = scale_of(desc, count);
  j.z = z;
  j.targets = targets;
  j.dz = dz;
  return run(&j, desc->threads, loss);
}

cnnblas_status cnnblas_softmax_forward(const cnnblas_loss_desc *desc, int64_t n, const void *z, void *p)
{
  cnnblas_status status = check(desc, n, false);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  cb_array arrays[] = {{"p", p, n * desc->classes, element, false},
                       {"z", z == p ? NULL : z, n * desc->classes, element, z == p}};
  status = cb_check_arrays(arrays, 2, 1);
  if (status) return status;
  job j = {.loops = cb_layer_loops_for(desc->dtype), .dtype = desc->dtype, .n = n, .classes = desc->classes};
  j.element = element;
  j.z = z;
  j.p = p;
  return run(&j, desc->threads, NULL);
}
