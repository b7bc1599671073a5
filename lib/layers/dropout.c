/* Dropout, forward and backward in one function; a task is a piece of one image, or some images. */
#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "gemm/dispatch.h"
#include "layers/dropout_loops.h"
#include "layers/loops.h"
#include "layers/teams.h"
#include <cnnblas/dropout.h>
#include <cnnblas/layers.h>
#include <string.h>

CB_LEVEL_TABLES(cb_dropout_loops, loops);

const cb_dropout_loops *cb_dropout_loops_for(cnnblas_dtype dtype)
{
  return CB_LEVEL_CHOICE(loops, dtype);
}

/* The time of an element: ten rounds of Philox on a vector of blocks, shared by eight elements of each block. */
#define ELEMENT_NANOSECONDS 0.3

typedef struct {
  const cnnblas_dropout_desc *desc;
  const int64_t *numbers;
  uint64_t key;
  uint32_t limit; /* bits below it drop an element */
  int64_t n, pieces_of_image, images_of_task;
  const void *x;
  void *y;
} job;

void cnnblas_dropout_desc_init(cnnblas_dropout_desc *desc)
{
  if (desc) memset(desc, 0, sizeof *desc);
}

static void drop_task(void *context, int64_t task, int worker)
{
  const job *j = context;
  int64_t first = task / j->pieces_of_image * j->images_of_task, from = task % j->pieces_of_image * CB_CHUNK;
  int64_t to = j->pieces_of_image == 1 ? j->desc->elements : cb_min(from + CB_CHUNK, j->desc->elements);
  const size_t element = cb_element_size(j->desc->dtype);
  (void)worker;
  for (int64_t in = first; in < cb_min(first + j->images_of_task, j->n); in++) {
    const size_t at = (size_t)(in * j->desc->elements + from) * element;
    const cb_dropout_piece piece = {.key = j->key,
                                    .image = (uint64_t)(j->numbers ? j->numbers[in] : in),
                                    .from = from,
                                    .count = to - from,
                                    .limit = j->limit,
                                    .gain = 1 / (1 - j->desc->p)};
    cb_dropout_loops_for(j->desc->dtype)->drop(&piece, (const char *)j->x + at, (char *)j->y + at);
  }
}

static cnnblas_status check(const cnnblas_dropout_desc *d, int64_t n)
{
  int64_t bytes;
  if (!d) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "desc is NULL");
  cnnblas_status status = cb_check_dtype(d->dtype);
  if (!status) status = cb_check_threads(d->threads);
  if (!status) status = cb_check_reserved(d->reserved, sizeof d->reserved);
  if (!status) status = cb_check_size("desc.n", d->n, 0);
  if (!status) status = cb_check_size("elements", d->elements, 1);
  if (!status) status = cb_check_batch(n, d->n);
  if (status) return status;
  if (!(d->p >= 0 && d->p < 1))
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "p is %g; it must be at least 0 and below 1", d->p);
  if (!cb_mul(cb_max(1, d->n), d->elements, &bytes) || !cb_mul(bytes, 8, &bytes))
    return cb_fail(CNNBLAS_SIZE_OVERFLOW, "n * elements does not fit in 63 bits");
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_dropout_apply(const cnnblas_dropout_desc *desc, int64_t n, const int64_t *numbers, const void *x,
                                     void *y)
{
  cnnblas_status status = check(desc, n);
  if (status) return status;
  size_t element = cb_element_size(desc->dtype);
  int64_t count = n * desc->elements;
  cb_array arrays[] = {{"y", y, count, element, false},
                       {"x", x == y ? NULL : x, count, element, x == y},
                       {"numbers", numbers, n, sizeof *numbers, true}};
  status = cb_check_arrays(arrays, 3, 1);
  if (status) return status;
  uint32_t bits[4];
  cnnblas_random_bits(desc->seed, desc->layer, desc->step, bits);
  job j = {.desc = desc, .numbers = numbers, .n = n, .x = x, .y = y};
  j.key = (uint64_t)bits[1] << 32 | bits[0];
  j.limit = (uint32_t)(desc->p * 0x1p32);
  j.pieces_of_image = cb_ceil_div(desc->elements, CB_CHUNK);
  j.images_of_task = cb_max(1, CB_CHUNK / desc->elements);
  cb_parallel_for(cb_layer_threads(desc->threads, (double)count * ELEMENT_NANOSECONDS),
                  cb_ceil_div(n, j.images_of_task) * j.pieces_of_image, drop_task, &j);
  return CNNBLAS_OK;
}
