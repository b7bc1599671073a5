/*
 * Arrays joined along an axis, and cut apart again. A task is some rows of the joined array, [sum of sizes][inner], or a piece of
 * one row where rows are long.
 */
#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "layers/loops.h"
#include "layers/teams.h"
#include <cnnblas/arrays.h>
#include <string.h>

typedef struct {
  const cnnblas_concat_desc *desc;
  size_t element;
  int64_t row; /* elements of a row of the joined array */
  int64_t rows_of_task, pieces_of_row;
  const void *const *x; /* the parts to join; NULL when cutting */
  void *const *dx;      /* the parts to cut out; NULL when joining */
  char *joined;
} job;

void cnnblas_concat_desc_init(cnnblas_concat_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

/* Moves elements [from, to) of row `outer` of the joined array. */
static void move_row(const job *j, int64_t outer, int64_t from, int64_t to)
{
  int64_t begin = 0;
  for (int64_t i = 0; i < j->desc->parts && begin < to; i++) {
    int64_t length = j->desc->sizes[i] * j->desc->inner, first = cb_max(from - begin, 0);
    int64_t count = cb_min(to - begin, length) - first;
    size_t part = (size_t)(outer * length + first) * j->element;
    char *joined = j->joined + (size_t)(outer * j->row + begin + first) * j->element;
    if (count > 0 && j->x) memcpy(joined, (const char *)j->x[i] + part, (size_t)count * j->element);
    if (count > 0 && j->dx && j->dx[i]) memcpy((char *)j->dx[i] + part, joined, (size_t)count * j->element);
    begin += length;
  }
}

static void move_task(void *context, int64_t task, int worker)
{
  const job *j = context;
  int64_t outer = task / j->pieces_of_row * j->rows_of_task, piece = task % j->pieces_of_row;
  (void)worker;
  for (int64_t o = outer; o < cb_min(outer + j->rows_of_task, j->desc->outer); o++)
    if (j->pieces_of_row == 1)
      move_row(j, o, 0, j->row);
    else
      move_row(j, o, piece * CB_CHUNK, cb_min((piece + 1) * CB_CHUNK, j->row));
}

static cnnblas_status check(const cnnblas_concat_desc *d, int64_t *row)
{
  int64_t total = 0, bytes;
  if (!d) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = cb_check_dtype(d->dtype);
  if (!status) status = cb_check_threads(d->threads);
  if (!status) status = cb_check_reserved(d->reserved, sizeof d->reserved);
  if (!status) status = cb_check_size("outer", d->outer, 0);
  if (!status) status = cb_check_size("inner", d->inner, 1);
  if (!status) status = cb_check_size("parts", d->parts, 1);
  if (!status && !d->sizes) status = cb_fail(CNNBLAS_INVALID_ARGUMENT, "sizes is NULL");
  for (int64_t i = 0; i < d->parts && !status; i++) {
    status = cb_check_size("sizes[]", d->sizes[i], 0);
    if (!status && !cb_add(total, d->sizes[i], &total))
      status = cb_fail(CNNBLAS_SIZE_OVERFLOW, "the sum of sizes does not fit in 63 bits");
  }
  if (status) return status;
  if (!cb_mul(total, d->inner, row) || !cb_mul(*row, cb_max(d->outer, 1), &bytes) || !cb_mul(bytes, 8, &bytes))
    return cb_fail(CNNBLAS_SIZE_OVERFLOW, "the joined array's bytes do not fit in 63 bits");
  return CNNBLAS_OK;
}

/* Each part is there, unless optional, and apart from the joined array; forward, the joined array is written. */
static cnnblas_status check_parts(const cnnblas_concat_desc *d, const void *const *parts, const void *joined,
                                  int64_t row, bool forward)
{
  size_t element = cb_element_size(d->dtype);
  if (!parts) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "%s is NULL", forward ? "x" : "dx");
  for (int64_t i = 0; i < d->parts; i++) {
    cb_array whole = {forward ? "y" : "dy", joined, d->outer * row, element, false};
    cb_array part = {forward ? "x[]" : "dx[]", parts[i], d->outer * d->sizes[i] * d->inner, element, !forward};
    cb_array arrays[] = {forward ? whole : part, forward ? part : whole};
    cnnblas_status status = cb_check_arrays(arrays, 2, 1);
    if (status) return status;
  }
  return CNNBLAS_OK;
}

static void run(job *j, const cnnblas_concat_desc *desc)
{
  j->desc = desc;
  j->element = cb_element_size(desc->dtype);
  if (j->row < 1) return;
  j->pieces_of_row = cb_ceil_div(j->row, CB_CHUNK);
  j->rows_of_task = cb_max(1, CB_CHUNK / j->row);
  double bytes = (double)desc->outer * (double)j->row * (double)j->element * 2;
  cb_parallel_for(cb_layer_threads(desc->threads, bytes * CB_BYTE_NANOSECONDS),
                  cb_ceil_div(desc->outer, j->rows_of_task) * j->pieces_of_row, move_task, j);
}

cnnblas_status cnnblas_concat_forward(const cnnblas_concat_desc *desc, const void *const *x, void *y)
{
  int64_t row;
  cnnblas_status status = check(desc, &row);
  if (!status) status = check_parts(desc, x, y, row, true);
  if (!status) run(&(job){.row = row, .x = x, .joined = y}, desc);
  return status;
}

cnnblas_status cnnblas_concat_backward(const cnnblas_concat_desc *desc, const void *dy, void *const *dx)
{
  int64_t row;
  cnnblas_status status = check(desc, &row);
  if (!status) status = check_parts(desc, (const void *const *)dx, dy, row, false);
  if (!status) run(&(job){.row = row, .dx = dx, .joined = (char *)dy}, desc);
  return status;
}
