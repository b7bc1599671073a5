/*
 * Softmax and sigmoid cross-entropy of logits, and in the same pass their gradients. The losses are summed in double, one
 * image after the other. Where each pixel of an image has a label of its own, this file calls a pixel an image; its logits
 * lie `stride` elements apart.
 */
#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "layers/softmax_loops.h"
#include "layers/teams.h"
#include <cnnblas/layers.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum {
  CLASS_NANOSECONDS = 2,   /* the time of a class: its exponential function and its gradient */
  TASK_NANOSECONDS = 5000, /* the least time of a task: how many images it has follows from the classes alone */
  TASKS = 256              /* the most tasks: each has a place for its loss */
};

typedef struct {
  const cb_softmax_loops *loops;
  cnnblas_dtype dtype;
  int64_t n, classes, stride, images_of_task;
  size_t element;
  double scale; /* what the sum of losses is multiplied by: 1, or for the mean one over what it is divided by */
  double smoothing, all_weights; /* all_weights: the sum of the classes' weights */
  const void *weights;
  bool ignore;
  int32_t ignored; /* the label of images that do not count */
  const char *z;
  const int32_t *labels;
  const char *targets;
  char *dz, *p;
  double *sums; /* the loss of each task */
} job;

void cnnblas_loss_desc_init(cnnblas_loss_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

static int64_t pixels_of(const cnnblas_loss_desc *d)
{
  return d->pixels ? d->pixels : 1;
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
  if (!status) status = cb_check_size("pixels", d->pixels, 0);
  if (!status) status = cb_check_batch(n, d->n);
  if (status) return status;
  if (reduces && d->reduction != CNNBLAS_REDUCTION_MEAN && d->reduction != CNNBLAS_REDUCTION_SUM)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "reduction is %d; it must be given: mean (1) or sum (2)",
                   (int)d->reduction);
  if ((d->ignore != 0 && d->ignore != 1) || (!d->ignore && d->ignore_index))
    return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                   "ignore is %d and ignore_index %d; ignore must be 0 or 1, the other 0 if it is", (int)d->ignore,
                   (int)d->ignore_index);
  if (!(d->label_smoothing >= 0 && d->label_smoothing <= 1))
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "label_smoothing is %g; it must be 0 to 1", d->label_smoothing);
  if (!cb_mul(d->n, d->classes, &bytes) || !cb_mul(bytes, pixels_of(d), &bytes) || !cb_mul(bytes, 8, &bytes))
    return cb_fail(CNNBLAS_SIZE_OVERFLOW, "n * classes * pixels does not fit in 63 bits");
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

static double weight_of(const job *j, int64_t c)
{
  return j->weights ? get(j, j->weights, c) : 1;
}

/* How many bytes of z lie in front of the first logit of image (or pixel) number `in`. */
static size_t offset_of(const job *j, int64_t in)
{
  return (size_t)(in / j->stride * j->classes * j->stride + in % j->stride) * j->element;
}

static bool is_ignored(const job *j, int64_t in)
{
  return j->ignore && j->labels[in] == j->ignored;
}

/* The logarithm of the sum of an image's exponential functions, where no array is wanted. */
static double log_sum_alone(const job *j, const char *z)
{
  double largest = get(j, z, 0), sum = 0;
  for (int64_t i = 0; i < j->classes * j->stride; i += j->stride) largest = fmax(largest, get(j, z, i));
  for (int64_t i = 0; i < j->classes * j->stride; i += j->stride) sum += exp(get(j, z, i) - largest);
  return log(sum) + largest;
}

/* log_sum_alone(), and in p the image's softmax. */
static double softmax_line(const job *j, const char *z, char *p)
{
  if (j->stride == 1) return j->loops->line(j->classes, z, p);
  const double log_sum = log_sum_alone(j, z);
  for (int64_t i = 0; i < j->classes * j->stride; i += j->stride) set(j, p, i, exp(get(j, z, i) - log_sum));
  return log_sum;
}

static void clear(const job *j, char *dz)
{
  for (int64_t c = 0; dz && c < j->classes; c++) set(j, dz, c * j->stride, 0);
}

/* The sum of the classes' logits times their weights, which the evenly spread part of a smoothed target asks for. */
static double weighted_logits(const job *j, const char *z)
{
  double sum = 0;
  for (int64_t c = 0; c < j->classes; c++)
    if (weight_of(j, c) != 0) sum += weight_of(j, c) * get(j, z, c * j->stride);
  return sum;
}

/* dz of an image from its softmax. */
static void softmax_gradient(const job *j, int64_t in, const char *p, char *dz)
{
  const double own = (1 - j->smoothing) * weight_of(j, j->labels[in]), share = j->smoothing / (double)j->classes;
  for (int64_t c = 0; c < j->classes; c++) {
    double probability = get(j, p, c * j->stride), d = own * (probability - (c == j->labels[in]));
    if (share != 0) d += share * (probability * j->all_weights - weight_of(j, c));
    set(j, dz, c * j->stride, d * j->scale);
  }
}

/* One image's softmax in p or, without p, in dz; then dz from it. Returns the loss. */
static double softmax_image(const job *j, int64_t in)
{
  const size_t at = offset_of(j, in);
  const char *z = j->z + at;
  char *dz = j->dz ? j->dz + at : NULL, *p = j->p ? j->p + at : dz;
  const bool counts = j->labels && !is_ignored(j, in); /* without labels softmax alone is wanted */
  const double own = counts ? get(j, z, j->labels[in] * j->stride) : 0;
  const double spread = counts && j->smoothing != 0 ? weighted_logits(j, z) : 0;
  if (!counts && !j->p) {
    clear(j, dz);
    return 0;
  }
  const double log_sum = p ? softmax_line(j, z, p) : log_sum_alone(j, z);
  if (!counts) {
    clear(j, dz);
    return 0;
  }
  if (dz) softmax_gradient(j, in, p, dz);
  double loss = (1 - j->smoothing) * (weight_of(j, j->labels[in]) * (log_sum - own));
  if (j->smoothing != 0) loss += j->smoothing / (double)j->classes * (log_sum * j->all_weights - spread);
  return loss;
}

static double sigmoid_image(const job *j, int64_t in)
{
  size_t at = offset_of(j, in);
  double loss = 0;
  for (int64_t c = 0; c < j->classes; c++) {
    const int64_t i = c * j->stride;
    double z = get(j, j->z + at, i), t = get(j, j->targets + at, i), e = exp(-fabs(z)), w = weight_of(j, c);
    double missed = z > 0 ? 1 - t : t; /* |z| times this is max(z, 0) - z t; 0 however large z is */
    if (w != 0) loss += w * ((missed == 0 && z == z ? 0 : fabs(z) * missed) + log1p(e));
    if (j->dz) set(j, j->dz + at, i, w * ((z < 0 ? e : 1) / (1 + e) - t) * j->scale);
  }
  return loss;
}

static void each_image(void *context, int64_t task, int worker)
{
  (void)worker;
  const job *j = context;
  double sum = 0;
  for (int64_t in = task * j->images_of_task; in < cb_min((task + 1) * j->images_of_task, j->n); in++)
    sum += j->targets ? sigmoid_image(j, in) : softmax_image(j, in);
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
  cb_parallel_for(cb_layer_threads(threads, (double)j->n * image), tasks, each_image, j);
  for (int64_t task = 0; task < tasks; task++) total += sums[task];
  if (loss) *loss = total * j->scale;
  return CNNBLAS_OK;
}

static job job_of(const cnnblas_loss_desc *d, int64_t n, const void *z)
{
  job j = {.loops = cb_softmax_loops_for(d->dtype), .dtype = d->dtype, .classes = d->classes, .stride = pixels_of(d)};
  j.n = n * j.stride;
  j.element = cb_element_size(d->dtype);
  j.scale = 1;
  j.z = z;
  j.weights = d->class_weights;
  j.smoothing = d->label_smoothing;
  j.ignore = d->ignore;
  j.ignored = d->ignore_index;
  return j;
}

static cnnblas_status check_labels(const job *j, const int32_t *labels)
{
  for (int64_t in = 0; in < j->n; in++)
    if ((labels[in] < 0 || labels[in] >= j->classes) && !(j->ignore && labels[in] == j->ignored))
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, "labels[%lld] is %d; it must be 0 to %lld", (long long)in,
                     (int)labels[in], (long long)j->classes - 1);
  return CNNBLAS_OK;
}

static cnnblas_status check_weights(const job *j)
{
  for (int64_t c = 0; j->weights && c < j->classes; c++)
    if (!(weight_of(j, c) >= 0 && weight_of(j, c) <= DBL_MAX))
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, "class_weights[%lld] is %g; it must be finite and at least 0",
                     (long long)c, weight_of(j, c));
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_loss_softmax_cross_entropy(const cnnblas_loss_desc *desc, int64_t n, const void *z,
                                                  const int32_t *labels, double *loss, void *dz, void *probabilities)
{
  cnnblas_status status = check(desc, n, true);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  const int64_t images = n * pixels_of(desc), count = images * desc->classes;
  bool in_place = z == dz || z == probabilities;
  cb_array arrays[] = {{"dz", dz, count, element, true},
                       {"loss", loss, 1, sizeof *loss, true},
                       {"probabilities", probabilities, count, element, true},
                       {"z", in_place ? NULL : z, count, element, in_place},
                       {"labels", labels, images, sizeof *labels, false},
                       {"class_weights", desc->class_weights, desc->classes, element, true}};
  status = cb_check_arrays(arrays, 6, 3);
  if (status) return status;
  job j = job_of(desc, n, z);
  status = check_labels(&j, labels);
  if (!status) status = check_weights(&j);
  if (status) return status;
  double counted = 0;
  j.labels = labels;
  j.dz = dz;
  j.p = probabilities;
  for (int64_t c = 0; c < j.classes; c++) j.all_weights += weight_of(&j, c);
  for (int64_t in = 0; in < images; in++) counted += is_ignored(&j, in) ? 0 : weight_of(&j, labels[in]);
  if (desc->reduction == CNNBLAS_REDUCTION_MEAN && counted > 0) j.scale = 1 / counted;
  return run(&j, desc->threads, loss);
}

cnnblas_status cnnblas_loss_sigmoid_cross_entropy(const cnnblas_loss_desc *desc, int64_t n, const void *z,
                                                  const void *targets, double *loss, void *dz)
{
  cnnblas_status status = check(desc, n, true);
  if (status) return status;
  if (desc->ignore || desc->label_smoothing != 0)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "%s is for softmax alone; it must be 0",
                   desc->ignore ? "ignore" : "label_smoothing");
  size_t element = cb_element_size(desc->dtype);
  const int64_t images = n * pixels_of(desc), count = images * desc->classes;
  cb_array arrays[] = {{"dz", dz, count, element, true},
                       {"loss", loss, 1, sizeof *loss, true},
                       {"z", z == dz ? NULL : z, count, element, z == dz},
                       {"targets", targets, count, element, false},
                       {"class_weights", desc->class_weights, desc->classes, element, true}};
  status = cb_check_arrays(arrays, 5, 2);
  if (status) return status;
  job j = job_of(desc, n, z);
  status = check_weights(&j);
  if (status) return status;
  for (int64_t i = 0; i < count; i++) {
    double t = get(&j, targets, i);
    if (!(t >= 0 && t <= 1))
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, "targets: element %lld is %g; it must be 0 to 1", (long long)i, t);
  }
  if (desc->reduction == CNNBLAS_REDUCTION_MEAN && count > 0) j.scale = 1 / (double)count;
  j.targets = targets;
  j.dz = dz;
  return run(&j, desc->threads, loss);
}

/* Whether logit c comes before the label's in the order of the largest. */
static bool is_ahead(double z, double own, int64_t c, int64_t label)
{
  return z > own || z != z || (z == own && c < label);
}

cnnblas_status cnnblas_top_k_count(const cnnblas_loss_desc *desc, int64_t n, const void *z, const int32_t *labels,
                                   int64_t k, int64_t *correct)
{
  cnnblas_status status = check(desc, n, false);
  if (status) return status;
  if (k < 1 || k > desc->classes)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "k is %lld; it must be 1 to %lld", (long long)k, (long long)desc->classes);
  cb_array arrays[] = {{"correct", correct, 1, sizeof *correct, false},
                       {"z", z, n * pixels_of(desc) * desc->classes, cb_element_size(desc->dtype), false},
                       {"labels", labels, n * pixels_of(desc), sizeof *labels, false}};
  status = cb_check_arrays(arrays, 3, 1);
  job j = job_of(desc, n, z);
  if (!status) status = check_labels(&j, labels);
  if (status) return status;
  j.labels = labels;
  *correct = 0;
  for (int64_t in = 0; in < j.n; in++) {
    if (is_ignored(&j, in)) continue;
    const char *logits = j.z + offset_of(&j, in);
    double own = get(&j, logits, labels[in] * j.stride);
    int64_t ahead = 0;
    for (int64_t c = 0; c < j.classes; c++) ahead += is_ahead(get(&j, logits, c * j.stride), own, c, labels[in]);
    *correct += ahead < k && own == own;
  }
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_softmax_forward(const cnnblas_loss_desc *desc, int64_t n, const void *z, void *p)
{
  cnnblas_status status = check(desc, n, false);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  const int64_t count = n * pixels_of(desc) * desc->classes;
  cb_array arrays[] = {{"p", p, count, element, false}, {"z", z == p ? NULL : z, count, element, z == p}};
  status = cb_check_arrays(arrays, 2, 1);
  if (status) return status;
  job j = job_of(desc, n, z);
  j.p = p;
  return run(&j, desc->threads, NULL);
}
