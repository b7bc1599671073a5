/* Softmax over an axis, forward and backward; a task is some lines that are contiguous, or a block of lines beside each other. */
#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "gemm/dispatch.h"
#include "layers/loops.h"
#include "layers/softmax_loops.h"
#include "layers/teams.h"
#include <cnnblas/softmax.h>
#include <string.h>

CB_LEVEL_TABLES(cb_softmax_loops, loops);

const cb_softmax_loops *cb_softmax_loops_for(cnnblas_dtype dtype)
{
  return CB_LEVEL_CHOICE(loops, dtype);
}

/* The time of an element: its exponential function, and the passes around it. */
#define ELEMENT_NANOSECONDS 1.0

enum { BLOCK_BYTES = 1 << 16 /* about the bytes that one array has in a block of lines beside each other */ };

typedef struct {
  const cnnblas_softmax_desc *desc;
  const cb_softmax_loops *loops;
  int64_t width;         /* lines beside each other that a task takes */
  int64_t blocks;        /* blocks of lines that each outer index has; 1 for contiguous lines */
  int64_t lines_of_task; /* contiguous lines that a task takes */
  size_t element;
  const char *in, *dy; /* forward: x and NULL; backward: y and dy */
  char *out;
} job;

void cnnblas_softmax_desc_init(cnnblas_softmax_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

static void run_block(const job *j, int64_t at, int64_t lines)
{
  const cnnblas_softmax_desc *d = j->desc;
  const cb_softmax_block b = {d->axis, lines, d->inner, d->logarithm};
  const size_t offset = (size_t)at * j->element;
  if (j->dy)
    j->loops->backward(&b, j->in + offset, j->dy + offset, j->out + offset);
  else
    j->loops->forward(&b, j->in + offset, j->out + offset);
}

static void run_task(void *context, int64_t task, int worker)
{
  const job *j = context;
  const cnnblas_softmax_desc *d = j->desc;
  (void)worker;
  if (d->inner == 1) {
    int64_t end = cb_min((task + 1) * j->lines_of_task, d->outer);
    for (int64_t i = task * j->lines_of_task; i < end; i++) run_block(j, i * d->axis, 1);
  } else {
    int64_t first = task % j->blocks * j->width;
    run_block(j, task / j->blocks * d->axis * d->inner + first, cb_min(j->width, d->inner - first));
  }
}

/* *count: the elements of an array. */
static cnnblas_status check(const cnnblas_softmax_desc *d, int64_t *count)
{
  int64_t bytes;
  if (!d) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = cb_check_dtype(d->dtype);
  if (!status) status = cb_check_threads(d->threads);
  if (!status) status = cb_check_reserved(d->reserved, sizeof d->reserved);
  if (!status) status = cb_check_size("outer", d->outer, 0);
  if (!status) status = cb_check_size("axis", d->axis, 1);
  if (!status) status = cb_check_size("inner", d->inner, 1);
  if (status) return status;
  if (d->logarithm != 0 && d->logarithm != 1)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "logarithm is %d; it must be 0 or 1", (int)d->logarithm);
  if (!cb_mul(cb_max(1, d->outer), d->axis, count) || !cb_mul(*count, d->inner, count) || !cb_mul(*count, 8, &bytes))
    return cb_fail(CNNBLAS_SIZE_OVERFLOW, "outer * axis * inner does not fit in 63 bits");
  *count = d->outer ? *count : 0;
  return CNNBLAS_OK;
}

static void run(job *j, int64_t count)
{
  const cnnblas_softmax_desc *d = j->desc;
  j->loops = cb_softmax_loops_for(d->dtype);
  j->width = BLOCK_BYTES / (int64_t)j->element / d->axis / CB_SOFTMAX_LEAST * CB_SOFTMAX_LEAST;
  j->width = cb_max(CB_SOFTMAX_LEAST, cb_min(CB_SOFTMAX_WIDTH, j->width));
  j->blocks = d->inner == 1 ? 1 : cb_ceil_div(d->inner, j->width);
  j->lines_of_task = cb_max(1, CB_CHUNK / d->axis);
  int64_t tasks = d->inner == 1 ? cb_ceil_div(d->outer, j->lines_of_task) : d->outer * j->blocks;
  cb_parallel_for(cb_layer_threads(d->threads, (double)count * ELEMENT_NANOSECONDS), tasks, run_task, j);
}

cnnblas_status cnnblas_softmax_axis_forward(const cnnblas_softmax_desc *desc, const void *x, void *y)
{
  int64_t count = 0;
  cnnblas_status status = check(desc, &count);
  if (status) return status;
  job j = {.desc = desc, .element = cb_element_size(desc->dtype), .in = x, .out = y};
  cb_array arrays[] = {{"y", y, count, j.element, false}, {"x", x == y ? NULL : x, count, j.element, x == y}};
  status = cb_check_arrays(arrays, 2, 1);
  if (!status) run(&j, count);
  return status;
}

cnnblas_status cnnblas_softmax_axis_backward(const cnnblas_softmax_desc *desc, const void *y, const void *dy, void *dx)
{
  int64_t count = 0;
  cnnblas_status status = check(desc, &count);
  if (status) return status;
  job j = {.desc = desc, .element = cb_element_size(desc->dtype), .in = y, .dy = dy, .out = dx};
  cb_array arrays[] = {{"dx", dx, count, j.element, false},
                       {"dy", dx == dy ? NULL : dy, count, j.element, dx == dy},
                       {"y", y, count, j.element, false}};
  status = cb_check_arrays(arrays, 3, 1);
  if (!status) run(&j, count);
  return status;
}
