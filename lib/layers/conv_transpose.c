/*
 * The transposed convolution: each direction is another direction of a convolution whose inputs are its outputs. What is left to
 * do here is the descriptor, bias and activation, and the bias gradient.
 */
#include "base/activation_kinds.h"
#include "base/arguments.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/size.h"
#include "gemm/activations.h"
#include "layers/teams.h"
#include <cnnblas/conv_transpose.h>
#include <string.h>

struct cnnblas_conv_transpose_plan {
  cnnblas_conv_plan *conv;
  cnnblas_conv_direction direction;
  cnnblas_dtype dtype;
  int64_t n, k, pixels;    /* the largest batch, channels and pixels of y */
  int64_t inputs, weights; /* elements of an image of x, and of w */
};

void cnnblas_conv_transpose_desc_init(cnnblas_conv_transpose_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

static int64_t or_one(const int64_t field[3], int i)
{
  return field[0] || field[1] || field[2] ? field[i] : 1;
}

/* The size of the convolution's input on an axis. */
static cnnblas_status set_size(const cnnblas_conv_transpose_desc *d, int i, cnnblas_conv_desc *conv)
{
  int64_t stride = or_one(d->stride, i), dilation = or_one(d->dilation, i), size = d->size[i], reach;
  if (size < 1 || d->kernel[i] < 1 || stride < 1 || dilation < 1 || d->pad_begin[i] < 0 || d->pad_end[i] < 0)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                   "size, kernel, stride, dilation of axis %d must be at least 1, its padding at least 0", i);
  if (d->output_padding[i] < 0 || d->output_padding[i] >= stride)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "output_padding[%d] is %lld; it must be 0 to stride - 1, %lld", i,
                   (long long)d->output_padding[i], (long long)stride - 1);
  if (!cb_mul(size - 1, stride, &size) || !cb_mul(d->kernel[i] - 1, dilation, &reach) || !cb_add(size, reach, &size) ||
      !cb_add(size, 1 + d->output_padding[i], &size))
    return cb_fail(CNNBLAS_SIZE_OVERFLOW, "the output size of axis %d does not fit in 63 bits", i);
  if (size - d->pad_begin[i] < 1 || size - d->pad_begin[i] - d->pad_end[i] < 1)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "the padding of axis %d leaves nothing of the output", i);
  conv->size[i] = size - d->pad_begin[i] - d->pad_end[i];
  conv->kernel[i] = d->kernel[i];
  conv->stride[i] = stride;
  conv->dilation[i] = dilation;
  conv->pad_begin[i] = d->pad_begin[i];
  conv->pad_end[i] = d->pad_end[i];
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_conv_transpose_get_conv(const cnnblas_conv_transpose_desc *desc, cnnblas_conv_desc *conv)
{
  if (!desc || !conv) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "%s is NULL", desc ? "conv" : "desc");
  cnnblas_status status = cb_check_reserved(desc->reserved, sizeof desc->reserved);
  int rank = desc->rank ? desc->rank : 2;
  if (!status && (rank < 1 || rank > CNNBLAS_MAX_RANK))
    status = cb_fail(CNNBLAS_INVALID_ARGUMENT, "rank is %d; it must be 1 to %d, or 0 for 2", (int)desc->rank,
                     CNNBLAS_MAX_RANK);
  if (status) return status;
  cnnblas_conv_desc c = {.dtype = desc->dtype, .rank = desc->rank, .n = desc->n, .groups = desc->groups};
  cnnblas_conv_shape shape;
  c.c = desc->k;
  c.k = desc->c;
  for (int i = 0; i < CNNBLAS_MAX_RANK && !status; i++)
    if (i < rank)
      status = set_size(desc, i, &c);
    else if (desc->size[i] || desc->kernel[i] || desc->stride[i] || desc->dilation[i] || desc->pad_begin[i] ||
             desc->pad_end[i] || desc->output_padding[i])
      status = cb_fail(CNNBLAS_INVALID_ARGUMENT, "axis %d is not 0, but the rank is %d", i, rank);
  if (!status) status = cnnblas_conv_get_shape(&c, &shape);
  if (!status) *conv = c;
  return status;
}

/* The convolution's direction that does the work of each. */
static cnnblas_conv_direction other_way(cnnblas_conv_direction direction)
{
  if (direction == CNNBLAS_FORWARD) return CNNBLAS_BACKWARD_DATA;
  return direction == CNNBLAS_BACKWARD_DATA ? CNNBLAS_FORWARD : direction;
}

cnnblas_status cnnblas_conv_transpose_plan_create(const cnnblas_conv_transpose_desc *desc,
                                                  cnnblas_conv_direction direction, const cnnblas_conv_options *options,
                                                  cnnblas_conv_transpose_plan **plan)
{
  cnnblas_conv_desc conv;
  if (!plan) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "plan is NULL");
  cnnblas_status status = cnnblas_conv_transpose_get_conv(desc, &conv);
  if (status) return status;
  if (options && (options->accumulate || (options->packed_weights && direction != CNNBLAS_FORWARD)))
    return cb_fail(CNNBLAS_UNSUPPORTED,
                   "a transposed convolution does not accumulate, and takes packed_weights in its forward only");
  cnnblas_conv_transpose_plan *made = cb_alloc(sizeof *made);
  if (!made) return cb_fail(CNNBLAS_OUT_OF_MEMORY, "no memory for a plan");
  *made = (cnnblas_conv_transpose_plan){.direction = direction, .dtype = desc->dtype, .n = desc->n, .k = desc->k};
  made->pixels = 1;
  made->inputs = desc->c;
  made->weights = desc->c * (desc->k / (desc->groups ? desc->groups : 1));
  for (int i = 0; i < (desc->rank ? desc->rank : 2); i++) {
    made->pixels *= conv.size[i];
    made->inputs *= desc->size[i];
    made->weights *= desc->kernel[i];
  }
  status = cnnblas_conv_plan_create(&conv, other_way(direction), options, &made->conv);
  if (status)
    cb_free(made);
  else
    *plan = made;
  return status;
}

void cnnblas_conv_transpose_plan_destroy(cnnblas_conv_transpose_plan *plan)
{
  if (!plan) return;
  cnnblas_conv_plan_destroy(plan->conv);
  cb_free(plan);
}

const cnnblas_conv_plan *cnnblas_conv_transpose_plan_get_conv(const cnnblas_conv_transpose_plan *plan)
{
  return plan ? plan->conv : NULL;
}

static cnnblas_status check_plan(const cnnblas_conv_transpose_plan *plan, cnnblas_conv_direction direction)
{
  if (!plan) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "plan is NULL");
  if (plan->direction == direction) return CNNBLAS_OK;
  return cb_fail(CNNBLAS_INVALID_ARGUMENT, "the plan is one for %s, not for %s",
                 cnnblas_conv_direction_name(plan->direction), cnnblas_conv_direction_name(direction));
}

/* ---- bias and activation: a task is a channel of an image ---- */

typedef struct {
  const cnnblas_conv_transpose_plan *plan;
  const void *bias;
  const cnnblas_activation *f;
  char *y;
} finish;

static void finish_plane(void *context, int64_t plane, int worker)
{
  const finish *j = context;
  const int64_t pixels = j->plan->pixels, ik = plane % j->plan->k;
  (void)worker;
  if (j->plan->dtype == CNNBLAS_F64) {
    double *y = (double *)j->y + plane * pixels, bias = j->bias ? ((const double *)j->bias)[ik] : 0;
    for (int64_t p = 0; p < pixels && j->bias; p++) y[p] += bias;
    if (j->f->kind != CNNBLAS_IDENTITY) cb_activations_for(CNNBLAS_F64)->forward(j->f, pixels, y, y);
  } else {
    float *y = (float *)j->y + plane * pixels, bias = j->bias ? ((const float *)j->bias)[ik] : 0;
    for (int64_t p = 0; p < pixels && j->bias; p++) y[p] += bias;
    if (j->f->kind != CNNBLAS_IDENTITY) cb_activations_for(CNNBLAS_F32)->forward(j->f, pixels, y, y);
  }
}

static int threads_of(const cnnblas_conv_transpose_plan *plan, int64_t n, int passes)
{
  double bytes = (double)n * (double)plan->k * (double)plan->pixels * (double)cb_element_size(plan->dtype);
  return cb_layer_threads(cnnblas_conv_plan_threads(plan->conv), passes * bytes * CB_BYTE_NANOSECONDS);
}

static cnnblas_status check_epilogue(const cnnblas_conv_transpose_plan *plan, int64_t n, const cnnblas_conv_epilogue *e,
                                     const void *y, cnnblas_activation *f)
{
  cnnblas_status status = cb_activation_check(e ? &e->activation : NULL, f);
  if (status || !e) return status;
  if (e->residual) return cb_fail(CNNBLAS_UNSUPPORTED, "epilogue.residual must be NULL for a transposed convolution");
  size_t element = cb_element_size(plan->dtype);
  cb_array arrays[] = {{"y", y, n * plan->k * plan->pixels, element, false},
                       {"epilogue.bias", e->bias, plan->k, element, true}};
  status = cb_check_reserved(e->reserved, sizeof e->reserved);
  return status ? status : cb_check_arrays(arrays, 2, 1);
}

/* A forward's arguments; w is as `products`, the call that makes them, takes it. */
typedef struct {
  cnnblas_status (*products)(const cnnblas_conv_plan *plan, int64_t n, const void *dy, const void *w, void *dx,
                             void *workspace, size_t workspace_bytes);
  const cnnblas_conv_transpose_plan *plan;
  int64_t n;
  const void *x, *w;
  const cnnblas_conv_epilogue *epilogue;
  void *y, *workspace;
  size_t workspace_bytes;
} forward_call;

static cnnblas_status forward(const forward_call *c)
{
  const cnnblas_conv_transpose_plan *plan = c->plan;
  cnnblas_activation f;
  cnnblas_status status = check_plan(plan, CNNBLAS_FORWARD);
  if (!status) status = cb_check_batch(c->n, plan->n);
  if (!status) status = check_epilogue(plan, c->n, c->epilogue, c->y, &f);
  if (!status) status = c->products(plan->conv, c->n, c->x, c->w, c->y, c->workspace, c->workspace_bytes);
  if (status) return status;
  finish j = {.plan = plan, .bias = c->epilogue ? c->epilogue->bias : NULL, .f = &f, .y = c->y};
  if (j.bias || f.kind != CNNBLAS_IDENTITY)
    cb_parallel_for(threads_of(plan, c->n, 2), c->n * plan->k, finish_plane, &j);
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_conv_transpose_forward(const cnnblas_conv_transpose_plan *plan, int64_t n, const void *x,
                                              const void *w, const cnnblas_conv_epilogue *epilogue, void *y,
                                              void *workspace, size_t workspace_bytes)
{
  return forward(&(forward_call){cnnblas_conv_backward_data, plan, n, x, w, epilogue, y, workspace, workspace_bytes});
}

cnnblas_status cnnblas_conv_transpose_forward_packed(const cnnblas_conv_transpose_plan *plan, int64_t n, const void *x,
                                                     const void *packed, const cnnblas_conv_epilogue *epilogue, void *y,
                                                     void *workspace, size_t workspace_bytes)
{
  return forward(
      &(forward_call){cnnblas_conv_backward_data_packed, plan, n, x, packed, epilogue, y, workspace, workspace_bytes});
}

cnnblas_status cnnblas_conv_transpose_backward_data(const cnnblas_conv_transpose_plan *plan, int64_t n, const void *dy,
                                                    const void *w, void *dx, void *workspace, size_t workspace_bytes)
{
  cnnblas_status status = check_plan(plan, CNNBLAS_BACKWARD_DATA);
  return status ? status : cnnblas_conv_forward(plan->conv, n, dy, w, NULL, dx, workspace, workspace_bytes);
}

/* ---- the bias gradient: a task is a channel ---- */

typedef struct {
  const cnnblas_conv_transpose_plan *plan;
  int64_t n;
  const void *dy;
  void *db;
} bias_sum;

/* The sum of a channel of an image: 16 running sums over blocks, joined. */
static double plane_sum(const bias_sum *j, int64_t plane)
{
  enum { SUMS = 16, BLOCK = 4096 };
  const int64_t pixels = j->plan->pixels, first = plane * pixels;
  const float *f = j->dy;
  const double *d = j->dy;
  double total = 0;
  for (int64_t begin = 0; begin < pixels; begin += BLOCK) {
    double sum[SUMS] = {0};
    for (int64_t p = begin; p < cb_min(begin + BLOCK, pixels); p++)
      sum[p % SUMS] += j->plan->dtype == CNNBLAS_F64 ? d[first + p] : (double)f[first + p];
    for (int half = SUMS / 2; half; half /= 2)
      for (int i = 0; i < half; i++) sum[i] += sum[i + half];
    total += sum[0];
  }
  return total;
}

static double images_sum(const bias_sum *j, int64_t ik, int64_t first, int64_t count)
{
  int64_t left = 1;
  if (count == 1) return plane_sum(j, first * j->plan->k + ik);
  while (left * 2 < count) left *= 2;
  return images_sum(j, ik, first, left) + images_sum(j, ik, first + left, count - left);
}

static void sum_channel(void *context, int64_t ik, int worker)
{
  const bias_sum *j = context;
  double sum = j->n ? images_sum(j, ik, 0, j->n) : 0;
  (void)worker;
  if (j->plan->dtype == CNNBLAS_F64)
    ((double *)j->db)[ik] = sum;
  else
    ((float *)j->db)[ik] = (float)sum;
}

cnnblas_status cnnblas_conv_transpose_backward_weights(const cnnblas_conv_transpose_plan *plan, int64_t n,
                                                       const void *x, const void *dy, void *dw, void *db,
                                                       void *workspace, size_t workspace_bytes)
{
  cnnblas_status status = check_plan(plan, CNNBLAS_BACKWARD_WEIGHTS);
  if (!status) status = cb_check_batch(n, plan->n);
  if (!status && db) {
    size_t element = cb_element_size(plan->dtype);
    cb_array arrays[] = {{"db", db, plan->k, element, false},
                         {"dw", dw, plan->weights, element, false},
                         {"x", x, n * plan->inputs, element, false},
                         {"dy", dy, n * plan->k * plan->pixels, element, false}};
    status = cb_check_arrays(arrays, 4, 2);
  }
  if (!status) status = cnnblas_conv_backward_weights(plan->conv, n, dy, x, dw, NULL, workspace, workspace_bytes);
  if (!status && db) cb_parallel_for(threads_of(plan, n, 1), plan->k, sum_channel, &(bias_sum){plan, n, dy, db});
  return status;
}
