/*
 * Pooling: max, average and L2, forward and backward. One to three axes are lifted to three; a task is some channels, which the
 * first family of loops that serves the layer's sizes takes (layers/pool.h).
 */
#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "layers/loops.h"
#include "layers/teams.h"
#include <cnnblas/layers.h>
#include <stdbool.h>
#include <string.h>

/* The fewest elements of a task, which pay for its start: the channels are cut into as many tasks as that allows. */
enum { LEAST_ELEMENTS = 16384 };

/* The time that one element of one window takes, in either direction. */
#define TAP_NANOSECONDS 0.1

typedef struct {
  const cb_pool_family *loops;
  const cb_pool_geometry *geo;
  bool backward;
  int64_t planes, planes_of_task;
  size_t element;
  const char *x, *y, *dy;
  const int32_t *indices_in;
  char *out; /* what is written: y or dx */
  int32_t *indices;
} job;

void cnnblas_pool_desc_init(cnnblas_pool_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

static int rank_of(const cnnblas_pool_desc *d)
{
  return d->rank ? d->rank : 2;
}

static cnnblas_status check_fields(const cnnblas_pool_desc *d)
{
  if (!d) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = cb_check_dtype(d->dtype);
  if (!status) status = cb_check_threads(d->threads);
  if (!status) status = cb_check_reserved(d->reserved, sizeof d->reserved);
  if (!status) status = cb_check_size("desc.n", d->n, 0);
  if (!status) status = cb_check_size("c", d->c, 1);
  if (status) return status;
  if ((int)d->kind < 0 || d->kind > CNNBLAS_POOL_L2)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "kind is %d, which names no pooling", (int)d->kind);
  if (d->rank < 0 || d->rank > CNNBLAS_MAX_RANK)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "rank is %d; it must be 1 to %d, or 0 for 2", (int)d->rank,
                   CNNBLAS_MAX_RANK);
  if (d->ceil_mode != 0 && d->ceil_mode != 1)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "ceil_mode is %d; it must be 0 or 1", (int)d->ceil_mode);
  if (d->count_include_pad != 0 && (d->count_include_pad != 1 || d->kind != CNNBLAS_POOL_AVG))
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "count_include_pad is %d; it must be 0 or 1, and 0 unless averaging",
                   (int)d->count_include_pad);
  for (int i = rank_of(d); i < CNNBLAS_MAX_RANK; i++)
    if (d->size[i] || d->kernel[i] || d->stride[i] || d->pad_begin[i] || d->pad_end[i] || d->dilation[i] ||
        d->output[i])
      return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                     "axis %d has a size, kernel, stride, padding, dilation or output, but the rank is %d", i,
                     rank_of(d));
  return CNNBLAS_OK;
}

static bool is_set(const int64_t field[3])
{
  return field[0] || field[1] || field[2];
}

enum { MOST = INT32_MAX / 4 }; /* the largest length of an axis: sums of four such fit in the loops' 32-bit columns */

/* Output size of an axis, sizes already checked; 0 if not even one window fits. Rounded up, a window may reach over the
   padded input's end by less than a stride. */
static int64_t out_size(const cb_pool_geometry *g, int axis, bool up)
{
  int64_t stride = g->stride[axis], begin = g->size[axis] + g->pad_begin[axis];
  int64_t extra = begin + g->pad_end[axis] - cb_pool_reach(g, axis) + (up ? stride - 1 : 0);
  if (extra < 0) return 0;
  int64_t out = extra / stride + 1;
  return up && (out - 1) * stride >= begin ? out - 1 : out;
}

/* With dilation a window may step over the whole image: looks for one among those that leave it. */
static cnnblas_status check_dilated(const cb_pool_geometry *g, int axis, int i)
{
  int64_t from, to, first_inside = cb_ceil_div(g->pad_begin[axis], g->stride[axis]);
  for (int64_t o = g->out[axis] - 1; g->dilation[axis] > 1 && o >= 0; o--) {
    cb_pool_extent(g, axis, o, &from, &to);
    if (from >= to)
      return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                     "dilation[%d] is %lld: the window of output %lld has no element of the input", i,
                     (long long)g->dilation[axis], (long long)o);
    bool inside = o * g->stride[axis] - g->pad_begin[axis] + cb_pool_reach(g, axis) <= g->size[axis];
    if (inside && o > first_inside) o = first_inside; /* the windows between lie in the image */
  }
  return CNNBLAS_OK;
}

/* An axis of windows that follow from the output size alone; where that divides the input's, they are all alike. */
static cnnblas_status lift_adaptive(const cnnblas_pool_desc *d, int i, cb_pool_geometry *g)
{
  int to = 3 - rank_of(d) + i;
  if (d->size[i] < 1 || d->size[i] > MOST || d->output[i] < 1 || d->output[i] > d->size[i])
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "size[%d] is %lld, output[%d] %lld; the output must be 1 to the size", i,
                   (long long)d->size[i], i, (long long)d->output[i]);
  g->size[to] = d->size[i];
  g->out[to] = d->output[i];
  g->kernel[to] = g->stride[to] = d->size[i] / d->output[i];
  g->dilation[to] = 1;
  if (d->size[i] % d->output[i]) g->adaptive = true;
  return CNNBLAS_OK;
}

static cnnblas_status lift_axis(const cnnblas_pool_desc *d, int i, cb_pool_geometry *g)
{
  int64_t size = d->size[i], kernel = d->kernel[i], stride = is_set(d->stride) ? d->stride[i] : kernel, reach;
  int64_t dilation = is_set(d->dilation) ? d->dilation[i] : 1;
  int to = 3 - rank_of(d) + i;
  if (size < 1 || kernel < 1 || stride < 1 || dilation < 1)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                   "size[%d] is %lld, kernel[%d] %lld, stride[%d] %lld, dilation[%d] %lld; each must be at least 1", i,
                   (long long)size, i, (long long)kernel, i, (long long)stride, i, (long long)dilation);
  if (size > MOST || kernel > MOST || stride > MOST || !cb_mul(kernel - 1, dilation, &reach) || reach >= MOST)
    return cb_fail(CNNBLAS_UNSUPPORTED, "size[%d], kernel[%d] with its dilation, or stride[%d] is above %d", i, i, i,
                   (int)MOST);
  if (d->pad_begin[i] < 0 || d->pad_begin[i] > reach || d->pad_end[i] < 0 || d->pad_end[i] > reach)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                   "pad_begin[%d] is %lld, pad_end[%d] %lld; they must be 0 to (kernel - 1) * dilation, %lld", i,
                   (long long)d->pad_begin[i], i, (long long)d->pad_end[i], (long long)reach);
  g->size[to] = size;
  g->kernel[to] = kernel;
  g->stride[to] = stride;
  g->dilation[to] = dilation;
  g->pad_begin[to] = d->pad_begin[i];
  g->pad_end[to] = d->pad_end[i];
  g->out[to] = out_size(g, to, d->ceil_mode);
  if (g->out[to] < 1)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT,
                   "kernel[%d] with its dilation is %lld, larger than the padded input, %lld%s", i,
                   (long long)reach + 1, (long long)(size + d->pad_begin[i] + d->pad_end[i]),
                   d->ceil_mode ? ", by a stride or more" : "");
  return check_dilated(g, to, i);
}

static cnnblas_status check_adaptive(const cnnblas_pool_desc *d)
{
  if (!is_set(d->output)) return CNNBLAS_OK;
  if (is_set(d->kernel) || is_set(d->stride) || is_set(d->pad_begin) || is_set(d->pad_end) || is_set(d->dilation) ||
      d->ceil_mode || d->count_include_pad)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "output is given: kernel, stride, padding, dilation, ceil_mode and "
                                             "count_include_pad must be 0, the windows follow from the sizes");
  return CNNBLAS_OK;
}

/* Checks desc, fills g and the array sizes. */
static cnnblas_status geometry(const cnnblas_pool_desc *d, cb_pool_geometry *g, cnnblas_pool_shape *shape)
{
  cnnblas_status status = check_fields(d);
  if (!status) status = check_adaptive(d);
  if (status) return status;
  memset(g, 0, sizeof *g);
  memset(shape, 0, sizeof *shape);
  g->kind = d->kind;
  for (int i = 0; i < 3 - rank_of(d); i++) g->size[i] = g->out[i] = g->kernel[i] = g->stride[i] = g->dilation[i] = 1;
  for (int i = 0; i < rank_of(d) && !status; i++) status = (is_set(d->output) ? lift_adaptive : lift_axis)(d, i, g);
  if (status) return status;
  g->count_include_pad = d->count_include_pad;
  int64_t planes, bytes;
  bool fits = cb_mul(g->size[0], g->size[1], &g->plane) && cb_mul(g->plane, g->size[2], &g->plane) &&
              cb_mul(g->out[0], g->out[1], &g->out_plane) && cb_mul(g->out_plane, g->out[2], &g->out_plane);
  if (fits && (g->plane > INT32_MAX || g->out_plane > INT32_MAX))
    return cb_fail(CNNBLAS_UNSUPPORTED, "a channel has %lld elements; pooling takes at most 2^31 - 1",
                   (long long)cb_max(g->plane, g->out_plane));
  fits = fits && cb_mul(d->n, d->c, &planes) && cb_mul(planes, g->plane, &shape->x_elements) &&
         cb_mul(planes, g->out_plane, &shape->y_elements) &&
         cb_mul(cb_max(shape->x_elements, shape->y_elements), 8, &bytes);
  if (!fits) return cb_fail(CNNBLAS_SIZE_OVERFLOW, "the arrays' bytes do not fit in 63 bits");
  g->rows = g->out[1];
  for (int i = 0; i < 3; i++) shape->out[i] = i < rank_of(d) ? g->out[3 - rank_of(d) + i] : 0;
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_pool_get_shape(const cnnblas_pool_desc *desc, cnnblas_pool_shape *shape)
{
  cb_pool_geometry g;
  cnnblas_pool_shape s;
  if (!shape) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "shape is NULL");
  cnnblas_status status = geometry(desc, &g, &s);
  if (!status) *shape = s;
  return status;
}

static void planes(void *context, int64_t task, int worker)
{
  (void)worker;
  const job *j = context;
  const cb_pool_geometry *g = j->geo;
  int64_t first = task * j->planes_of_task, count = cb_min(j->planes_of_task, j->planes - first);
  size_t in = (size_t)(first * g->plane) * j->element, out = (size_t)(first * g->out_plane) * j->element;
  cb_pool_run run = {.geo = g, .planes = count, .x = j->x ? j->x + in : NULL};
  if (j->backward) {
    run.y_in = j->y ? j->y + out : NULL;
    run.dy = j->dy + out;
    run.dx = j->out + in;
    run.indices_in = j->indices_in ? j->indices_in + first * g->out_plane : NULL;
    j->loops->backward(&run);
  } else {
    run.y = j->out + out;
    run.indices = j->indices ? j->indices + first * g->out_plane : NULL;
    j->loops->forward(&run);
  }
}

static double nanoseconds(const job *j)
{
  const cb_pool_geometry *g = j->geo;
  double taps = (double)g->kernel[0] * (double)g->kernel[1] * (double)g->kernel[2];
  double bytes = (double)(g->plane + g->out_plane) * (double)j->element;
  return (double)j->planes * (bytes * CB_BYTE_NANOSECONDS + (double)g->out_plane * taps * TAP_NANOSECONDS);
}

static void run(job *j, const cnnblas_pool_desc *desc, int64_t n)
{
  const cb_pool_family *const *family = cb_layer_loops_for(desc->dtype)->pool;
  while (!(*family)->serves(j->geo, j->backward)) family++;
  j->loops = *family;
  j->planes = n * desc->c;
  j->planes_of_task = cb_max(1, LEAST_ELEMENTS / j->geo->plane);
  cb_parallel_for(cb_layer_threads(desc->threads, nanoseconds(j)), cb_ceil_div(j->planes, j->planes_of_task), planes,
                  j);
}

cnnblas_status cnnblas_pool_forward(const cnnblas_pool_desc *desc, int64_t n, const void *x, void *y, int32_t *indices)
{
  cb_pool_geometry g;
  cnnblas_pool_shape shape;
  cnnblas_status status = geometry(desc, &g, &shape);
  if (!status) status = cb_check_batch(n, desc->n);
  if (status) return status;
  if (indices && desc->kind != CNNBLAS_POOL_MAX)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "indices is not NULL, but only max pooling has indices");
  size_t element = cb_element_size(desc->dtype);
  cb_array arrays[] = {{"y", y, n * desc->c * g.out_plane, element, false},
                       {"indices", indices, n * desc->c * g.out_plane, sizeof *indices, true},
                       {"x", x, n * desc->c * g.plane, element, false}};
  status = cb_check_arrays(arrays, 3, 2);
  if (status) return status;
  job j = {.geo = &g, .element = element, .x = x, .out = y, .indices = indices};
  run(&j, desc, n);
  return CNNBLAS_OK;
}

typedef struct {
  const cb_layer_loops *loops;
  const int32_t *indices;
  int64_t count, plane;
  _Atomic bool outside;
} index_check;

enum { CHECKED_INDICES = 1 << 16 /* indices that a task looks at */ };

static void look_at_indices(void *context, int64_t task, int worker)
{
  (void)worker;
  index_check *c = context;
  int64_t first = task * CHECKED_INDICES, count = cb_min(CHECKED_INDICES, c->count - first);
  if ((int64_t)c->loops->largest_index(count, c->indices + first) >= c->plane) c->outside = true;
}

static cnnblas_status check_indices(const cnnblas_pool_desc *d, const int32_t *indices, int64_t count, int64_t plane)
{
  index_check c = {.loops = cb_layer_loops_for(d->dtype), .indices = indices, .count = count, .plane = plane};
  double bytes = (double)count * sizeof *indices;
  cb_parallel_for(cb_layer_threads(d->threads, bytes * CB_BYTE_NANOSECONDS), cb_ceil_div(count, CHECKED_INDICES),
                  look_at_indices, &c);
  if (!c.outside) return CNNBLAS_OK;
  int64_t i = 0;
  while ((int64_t)(uint32_t)indices[i] < plane) i++;
  return cb_fail(CNNBLAS_INVALID_ARGUMENT, "indices[%lld] is %d; the channel has places 0 to %lld", (long long)i,
                 (int)indices[i], (long long)plane - 1);
}

cnnblas_status cnnblas_pool_backward(const cnnblas_pool_desc *desc, int64_t n, const void *x, const void *y,
                                     const void *dy, const int32_t *indices, void *dx)
{
  cb_pool_geometry g;
  cnnblas_pool_shape shape;
  cnnblas_status status = geometry(desc, &g, &shape);
  if (!status) status = cb_check_batch(n, desc->n);
  if (status) return status;
  bool max = desc->kind == CNNBLAS_POOL_MAX, l2 = desc->kind == CNNBLAS_POOL_L2;
  if (indices && !max)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "indices is not NULL, but only max pooling has indices");
  size_t element = cb_element_size(desc->dtype);
  int64_t inputs = n * desc->c * g.plane, outputs = n * desc->c * g.out_plane;
  cb_array arrays[] = {{"dx", dx, inputs, element, false},
                       {"dy", dy, outputs, element, false},
                       {"x", l2 ? x : NULL, inputs, element, !l2},
                       {"y", l2 ? y : NULL, outputs, element, !l2},
                       {"indices", indices, outputs, sizeof *indices, !max}};
  status = cb_check_arrays(arrays, 5, 1);
  if (!status && max) status = check_indices(desc, indices, outputs, g.plane);
  if (status) return status;
  job j = {.geo = &g, .backward = true, .element = element, .x = l2 ? x : NULL, .y = l2 ? y : NULL};
  j.dy = dy;
  j.indices_in = indices;
  j.out = dx;
  run(&j, desc, n);
  return CNNBLAS_OK;
}
