/*
 * Boxes put into a frame and taken out of it: padding and slices, each the gradient of the other. Axes without a frame join the
 * axis in front of them; a task is some rows of the written array.
 */
#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "layers/loops.h"
#include "layers/teams.h"
#include <cnnblas/arrays.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { AXES = 5 };

/* One call, with five axes always. */
typedef struct {
  cnnblas_dtype dtype;
  int32_t threads;
  size_t element;
  int64_t size[AXES], begin[AXES], end[AXES], whole[AXES]; /* whole: with the frame */
  int64_t inside, outside;                                 /* elements of the box, and with the frame */
  double value;
  const char *from;
  char *to;
  int64_t rows_of_task, rows;
  int first; /* the first axis that is longer than 1 */
} job;

void cnnblas_frame_desc_init(cnnblas_frame_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

static cnnblas_status check(const cnnblas_frame_desc *d)
{
  if (!d) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = cb_check_dtype(d->dtype);
  if (!status) status = cb_check_threads(d->threads);
  if (!status) status = cb_check_reserved(d->reserved, sizeof d->reserved);
  if (status) return status;
  if (d->rank < 1 || d->rank > AXES)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "rank is %lld; it must be 1 to %d", (long long)d->rank, (int)AXES);
  for (int i = 0; i < AXES && !status; i++) {
    if (i >= d->rank && (d->size[i] || d->begin[i] || d->end[i]))
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, "axis %d has a size or a frame, but the rank is %lld", i,
                     (long long)d->rank);
    status = cb_check_size("size[]", d->size[i], 0);
    if (!status) status = cb_check_size("begin[]", d->begin[i], 0);
    if (!status) status = cb_check_size("end[]", d->end[i], 0);
  }
  return status;
}

/* Fills in the sizes. The last axes come last; an axis that has no frame joins the one before it. */
static cnnblas_status open_job(const cnnblas_frame_desc *d, job *j)
{
  int64_t bytes;
  cnnblas_status status = check(d);
  if (status) return status;
  j->dtype = d->dtype;
  j->threads = d->threads;
  j->element = cb_element_size(d->dtype);
  for (int i = 0; i < AXES; i++) j->size[i] = 1;
  int to = AXES - 1;
  bool fits = true;
  for (int64_t i = d->rank - 1; i >= 0; i--) {
    fits = fits && cb_mul(j->size[to], d->size[i], &bytes);
    if (!fits) break;
    int64_t unit = j->size[to]; /* elements of what axis i counts */
    fits = cb_mul(d->begin[i], unit, &j->begin[to]) && cb_mul(d->end[i], unit, &j->end[to]);
    j->size[to] = bytes;
    if (fits && (j->begin[to] || j->end[to]) && i > 0) to--;
  }
  j->inside = j->outside = 1;
  j->first = to;
  for (int i = 0; i < AXES && fits; i++)
    fits = cb_add(j->size[i], j->begin[i], &j->whole[i]) && cb_add(j->whole[i], j->end[i], &j->whole[i]) &&
           cb_mul(j->inside, j->size[i], &j->inside) && cb_mul(j->outside, j->whole[i], &j->outside);
  if (!fits || !cb_mul(j->outside, 8, &bytes))
    return cb_fail(CNNBLAS_SIZE_OVERFLOW, "the array's bytes, with the frame, do not fit in 63 bits");
  return CNNBLAS_OK;
}

static void fill(const job *j, int64_t first, int64_t count)
{
  float *f = (float *)j->to;
  double *d = (double *)j->to;
  if (j->dtype == CNNBLAS_F64)
    for (int64_t i = first; i < first + count; i++) d[i] = j->value;
  else
    for (int64_t i = first; i < first + count; i++) f[i] = (float)j->value;
}

/* A row of an array with so many elements on each axis: its number on every axis but the last. A task walks from row to row, which
   takes no division. */
typedef struct {
  int64_t at[AXES];
} place;

static place row_place(const job *j, const int64_t *axes, int64_t row)
{
  place p = {{0}};
  for (int i = AXES - 2; i >= j->first; row /= axes[i], i--) p.at[i] = row % axes[i];
  return p;
}

static void next_row(const job *j, const int64_t *axes, place *p)
{
  for (int i = AXES - 2; i >= j->first && ++p->at[i] == axes[i]; i--) p->at[i] = 0;
}

/* The row of the box that a row of the framed array holds, or -1 if that lies in the frame. */
static int64_t row_inside(const job *j, const place *p)
{
  int64_t inside = 0;
  for (int i = j->first; i < AXES - 1; i++) {
    int64_t at = p->at[i] - j->begin[i];
    if (at < 0 || at >= j->size[i]) return -1;
    inside = inside * j->size[i] + at;
  }
  return inside;
}

/* The row of the framed array that holds a row of the box. */
static int64_t row_outside(const job *j, const place *p)
{
  int64_t outside = 0;
  for (int i = j->first; i < AXES - 1; i++) outside = outside * j->whole[i] + p->at[i] + j->begin[i];
  return outside;
}

static void put_in_task(void *context, int64_t task, int worker)
{
  const job *j = context;
  const int64_t width = j->size[AXES - 1], whole = j->whole[AXES - 1], begin = j->begin[AXES - 1];
  const int64_t first = task * j->rows_of_task, end = cb_min(first + j->rows_of_task, j->rows);
  place p = row_place(j, j->whole, first);
  (void)worker;
  for (int64_t r = first; r < end; r++, next_row(j, j->whole, &p)) {
    int64_t inside = row_inside(j, &p), at = r * whole;
    if (inside < 0) {
      fill(j, at, whole);
      continue;
    }
    fill(j, at, begin);
    if (width > 0)
      memcpy(j->to + (size_t)(at + begin) * j->element, j->from + (size_t)(inside * width) * j->element,
             (size_t)width * j->element);
    fill(j, at + begin + width, j->end[AXES - 1]);
  }
}

static void take_out_task(void *context, int64_t task, int worker)
{
  const job *j = context;
  const int64_t width = j->size[AXES - 1], whole = j->whole[AXES - 1], begin = j->begin[AXES - 1];
  const int64_t first = task * j->rows_of_task, end = cb_min(first + j->rows_of_task, j->rows);
  place p = row_place(j, j->size, first);
  (void)worker;
  for (int64_t r = first; r < end; r++, next_row(j, j->size, &p))
    memcpy(j->to + (size_t)(r * width) * j->element,
           j->from + (size_t)(row_outside(j, &p) * whole + begin) * j->element, (size_t)width * j->element);
}

/* rows of `width` elements are written. */
static void run(job *j, int64_t written, int64_t width, cb_task task)
{
  double bytes = 2.0 * (double)written * (double)j->element;
  if (written < 1 || (!j->inside && task == take_out_task)) return;
  j->rows = written / width;
  j->rows_of_task = cb_max(1, CB_CHUNK / width);
  cb_parallel_for(cb_layer_threads(j->threads, bytes * CB_BYTE_NANOSECONDS), cb_ceil_div(j->rows, j->rows_of_task),
                  task, j);
}

static cnnblas_status put_in(const cnnblas_frame_desc *desc, double value, cb_array from, void *to, const char *to_name)
{
  job j = {.value = value, .from = from.array, .to = to};
  cnnblas_status status = open_job(desc, &j);
  if (!status && desc->dtype == CNNBLAS_F32 && fabs(value) > FLT_MAX && !isinf(value))
    status = cb_fail(CNNBLAS_INVALID_ARGUMENT, "value is %g, beyond the largest f32, %g", value, (double)FLT_MAX);
  if (status) return status;
  from.elements = j.inside;
  from.element = j.element;
  cb_array arrays[] = {{to_name, to, j.outside, j.element, false}, from};
  status = cb_check_arrays(arrays, 2, 1);
  if (!status) run(&j, j.outside, j.whole[AXES - 1], put_in_task);
  return status;
}

static cnnblas_status take_out(const cnnblas_frame_desc *desc, cb_array from, void *to, const char *to_name)
{
  job j = {.from = from.array, .to = to};
  cnnblas_status status = open_job(desc, &j);
  if (status) return status;
  from.elements = j.outside;
  from.element = j.element;
  cb_array arrays[] = {{to_name, to, j.inside, j.element, false}, from};
  status = cb_check_arrays(arrays, 2, 1);
  if (!status) run(&j, j.inside, j.size[AXES - 1], take_out_task);
  return status;
}

cnnblas_status cnnblas_pad_forward(const cnnblas_frame_desc *desc, const void *x, void *y)
{
  return put_in(desc, desc ? desc->value : 0, (cb_array){.name = "x", .array = x}, y, "y");
}

cnnblas_status cnnblas_pad_backward(const cnnblas_frame_desc *desc, const void *dy, void *dx)
{
  return take_out(desc, (cb_array){.name = "dy", .array = dy}, dx, "dx");
}

cnnblas_status cnnblas_slice_forward(const cnnblas_frame_desc *desc, const void *x, void *y)
{
  return take_out(desc, (cb_array){.name = "x", .array = x}, y, "y");
}

cnnblas_status cnnblas_slice_backward(const cnnblas_frame_desc *desc, const void *dy, void *dx)
{
  return put_in(desc, 0, (cb_array){.name = "dy", .array = dy}, dx, "dx");
}
