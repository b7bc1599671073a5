/*
 * A small convolution from the input's bytes, in every direction by every algorithm that applies. The data are integers,
 * so every result equals the reference's to the last bit, but of rows of relaxed accuracy, whose transforms have fractions: these are
 * within c * u * |patch| * |filter|, with all of the inputs' norms. Arrays end with their allocation, where the address sanitizer
 * watches.
 */
#include "fuzz.h"
#include <cnnblas/conv.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

typedef struct {
  const uint8_t *at, *end;
} bytes;

static int64_t take(bytes *b, int64_t least, int64_t most)
{
  return least + (b->at < b->end ? *b->at++ : 0) % (most - least + 1);
}

/* Sizes are small in most places, so that many problems fit into a second, and long along the last axis. */
static void describe(bytes *b, cnnblas_conv_desc *d)
{
  d->dtype = take(b, 0, 1) ? CNNBLAS_F64 : CNNBLAS_F32;
  d->mode = take(b, 0, 1) ? CNNBLAS_TRUE_CONVOLUTION : CNNBLAS_CROSS_CORRELATION;
  d->rank = (int32_t)take(b, 1, 3);
  d->n = take(b, 0, 23); /* some fill vectors of images */
  d->groups = take(b, 0, 4);
  int64_t groups = d->groups ? d->groups : 1;
  d->c = groups * take(b, 1, 9);
  d->k = groups * take(b, 1, 19);
  for (int i = 0; i < d->rank; i++) {
    d->size[i] = take(b, 1, i == d->rank - 1 ? 40 : 12);
    d->kernel[i] = take(b, 1, 5);
    d->stride[i] = take(b, 1, 3);
    d->dilation[i] = take(b, 1, 3);
    d->pad_begin[i] = take(b, 0, 4);
    d->pad_end[i] = take(b, 0, 4);
  }
}

static void *integers(cnnblas_dtype dtype, int64_t count, uint32_t seed)
{
  void *array = malloc((size_t)count * (dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float)) + !count);
  CHECK(array, "out of memory");
  for (int64_t i = 0; i < count; i++) {
    seed = seed * 1664525u + 1013904223u;
    int value = (int)(seed >> 16) % 7 - 3;
    if (dtype == CNNBLAS_F64)
      ((double *)array)[i] = value;
    else
      ((float *)array)[i] = (float)value;
  }
  return array;
}

typedef struct {
  cnnblas_conv_desc desc;
  cnnblas_conv_shape shape;
  void *x, *w, *y, *bias;
} problem;

typedef struct {
  const char *algorithm;
  cnnblas_conv_direction direction;
  int32_t threads, accumulate;
  cnnblas_workspace_policy policy;
} how;

/* The output, or NULL if the algorithm does not apply. */
static void *run(const problem *p, const how *h, int64_t count)
{
  cnnblas_conv_options options = {
      .algorithm = h->algorithm, .threads = h->threads, .accumulate = h->accumulate, .workspace = h->policy};
  cnnblas_conv_plan *plan = NULL;
  cnnblas_status status = cnnblas_conv_plan_create(&p->desc, h->direction, &options, &plan);
  CHECK(status == CNNBLAS_OK || (status == CNNBLAS_UNSUPPORTED && h->algorithm), "%s", cnnblas_last_error());
  if (status) return NULL;
  void *out = integers(p->desc.dtype, count, 77);
  const int64_t n = p->desc.n;
  cnnblas_conv_epilogue epilogue = {.bias = p->bias};
  if (h->direction == CNNBLAS_FORWARD)
    status = cnnblas_conv_forward(plan, n, p->x, p->w, &epilogue, out, NULL, 0);
  else if (h->direction == CNNBLAS_BACKWARD_DATA)
    status = cnnblas_conv_backward_data(plan, n, p->y, p->w, out, NULL, 0);
  else
    status = cnnblas_conv_backward_weights(plan, n, p->x, p->y, out, NULL, NULL, 0);
  CHECK(status == CNNBLAS_OK, "%s: %s", cnnblas_conv_plan_algorithm(plan), cnnblas_last_error());
  cnnblas_conv_plan_destroy(plan);
  return out;
}

/* Equal as numbers: -0 is 0. */
static bool equal(cnnblas_dtype dtype, const void *a, const void *b, int64_t count)
{
  for (int64_t i = 0; i < count; i++)
    if (dtype == CNNBLAS_F64 ? ((const double *)a)[i] != ((const double *)b)[i]
                             : ((const float *)a)[i] != ((const float *)b)[i])
      return false;
  return true;
}

static double norm(cnnblas_dtype dtype, const void *array, int64_t count)
{
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    const double v = dtype == CNNBLAS_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
    sum += v * v;
  }
  return sqrt(sum);
}

/* What a row of relaxed accuracy may be off; 0 for the others. Bias and what is added to are at most 3 + 3. */
static double allowed(const problem *p, const char *name, cnnblas_conv_direction direction)
{
  cnnblas_algorithm_info row = {.norm_factor = 0};
  for (int i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK && strcmp(row.name, name) != 0; i++) {
  }
  if (row.accuracy != CNNBLAS_ACCURACY_NORM_RELAXED) return 0;
  const double norms[] = {norm(p->desc.dtype, p->x, p->shape.x_elements),
                          norm(p->desc.dtype, p->w, p->shape.w_elements),
                          norm(p->desc.dtype, p->y, p->shape.y_elements)};
  const double product = direction == CNNBLAS_FORWARD         ? norms[0] * norms[1]
                         : direction == CNNBLAS_BACKWARD_DATA ? norms[1] * norms[2]
                                                              : norms[0] * norms[2];
  const double terms = (double)p->shape.y_elements; /* more than there are in any direction */
  return row.norm_factor * (16 + 64 + (terms + p->shape.flops) / 64) *
         (p->desc.dtype == CNNBLAS_F64 ? 0x1p-53 : 0x1p-24) * (product + 6);
}

/* Equal but for what is allowed. */
static bool near(cnnblas_dtype dtype, const void *a, const void *b, int64_t count, double most)
{
  for (int64_t i = 0; i < count; i++) {
    const double off = dtype == CNNBLAS_F64 ? ((const double *)a)[i] - ((const double *)b)[i]
                                            : (double)((const float *)a)[i] - (double)((const float *)b)[i];
    if (!(fabs(off) <= most)) return false;
  }
  return true;
}

/* The row whose sums are made in a wider type. */
static const char *reference(void)
{
  cnnblas_algorithm_info row;
  for (int i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++)
    if (row.accuracy == CNNBLAS_ACCURACY_WIDE) return row.name;
  CHECK(false, "no algorithm sums in a wider type");
  return NULL;
}

static void compare(const problem *p, how h, int64_t count)
{
  const how plain = {.algorithm = reference(), .direction = h.direction, .threads = 1, .accumulate = h.accumulate};
  void *want = run(p, &plain, count);
  CHECK(want, "the reference does not apply: %s", cnnblas_last_error());
  const char *name = "";
  for (int i = 0; name; i++) {
    name = h.algorithm = cnnblas_conv_algorithm_name(i); /* past the end: NULL, the automatic choice */
    void *got = run(p, &h, count);
    const double most =
        name ? allowed(p, name, h.direction) : 0; /* the automatic choice of the default takes no such row */
    if (got)
      CHECK(most > 0 ? near(p->desc.dtype, want, got, count, most) : equal(p->desc.dtype, want, got, count),
            "%s, direction %d", name ? name : "auto", (int)h.direction);
    free(got);
  }
  free(want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  bytes b = {data, data + size};
  problem p = {0};
  describe(&b, &p.desc);
  how h = {.threads = (int32_t)take(&b, 0, 3),
           .accumulate = (int32_t)take(&b, 0, 1),
           .policy = take(&b, 0, 3) ? CNNBLAS_WORKSPACE_DEFAULT : CNNBLAS_WORKSPACE_NONE};
  if (cnnblas_conv_get_shape(&p.desc, &p.shape) != CNNBLAS_OK || p.shape.flops > 4e5) return 0;
  p.x = integers(p.desc.dtype, p.shape.x_elements, 1);
  p.w = integers(p.desc.dtype, p.shape.w_elements, 2);
  p.y = integers(p.desc.dtype, p.shape.y_elements, 3);
  p.bias = integers(p.desc.dtype, p.shape.bias_elements, 4);
  const int64_t counts[] = {p.shape.y_elements, p.shape.x_elements, p.shape.w_elements};
  for (int d = 0; d < 3; d++) {
    h.direction = (cnnblas_conv_direction)d;
    compare(&p, h, counts[d]);
  }
  free(p.x);
  free(p.w);
  free(p.y);
  free(p.bias);
  return 0;
}
