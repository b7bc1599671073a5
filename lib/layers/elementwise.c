/* Sums and products of arrays, element by element. */
#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "layers/loops.h"
#include "layers/teams.h"
#include <cnnblas/arrays.h>

/* One call: y = a + b or a * b. */
typedef struct {
  void (*combine)(int64_t count, const void *a, const void *b, void *y);
  int64_t count;
  size_t element;
  const char *a, *b;
  char *y;
} job;

static void chunk(void *context, int64_t task, int worker)
{
  const job *j = context;
  size_t at = (size_t)(task * CB_CHUNK) * j->element;
  (void)worker;
  j->combine(cb_min(CB_CHUNK, j->count - task * CB_CHUNK), j->a + at, j->b + at, j->y + at);
}

static void run(job j, cnnblas_dtype dtype, int32_t threads)
{
  j.element = cb_element_size(dtype);
  double bytes = (double)j.count * (double)j.element * 3;
  cb_parallel_for(cb_layer_threads(threads, bytes * CB_BYTE_NANOSECONDS), cb_ceil_div(j.count, CB_CHUNK), chunk, &j);
}

static cnnblas_status check_forward(cnnblas_dtype dtype, int32_t threads, int64_t count, const void *a, const void *b,
                                    const void *y)
{
  cnnblas_status status = cb_check_elements(dtype, threads, count);
  if (status) return status;
  size_t element = cb_element_size(dtype);
  cb_array arrays[] = {{"y", y, count, element, false},
                       {"a", a == y ? NULL : a, count, element, a == y},
                       {"b", b == y ? NULL : b, count, element, b == y}};
  return cb_check_arrays(arrays, 3, 1);
}

cnnblas_status cnnblas_add_forward(cnnblas_dtype dtype, int32_t threads, int64_t count, const void *a, const void *b,
                                   void *y)
{
  cnnblas_status status = check_forward(dtype, threads, count, a, b, y);
  if (!status)
    run((job){.combine = cb_layer_loops_for(dtype)->add, .count = count, .a = a, .b = b, .y = y}, dtype, threads);
  return status;
}

cnnblas_status cnnblas_mul_forward(cnnblas_dtype dtype, int32_t threads, int64_t count, const void *a, const void *b,
                                   void *y)
{
  cnnblas_status status = check_forward(dtype, threads, count, a, b, y);
  if (!status)
    run((job){.combine = cb_layer_loops_for(dtype)->multiply, .count = count, .a = a, .b = b, .y = y}, dtype, threads);
  return status;
}

/* The gradient that lies where dy does is the last to be written. */
cnnblas_status cnnblas_mul_backward(cnnblas_dtype dtype, int32_t threads, int64_t count, const void *a, const void *b,
                                    const void *dy, void *da, void *db)
{
  cnnblas_status status = cb_check_elements(dtype, threads, count);
  if (status) return status;
  size_t element = cb_element_size(dtype);
  bool in_place = dy && (da == dy || db == dy);
  cb_array arrays[] = {{"da", da, count, element, true},
                       {"db", db, count, element, true},
                       {"dy", in_place ? NULL : dy, count, element, in_place},
                       {"a", a, count, element, false},
                       {"b", b, count, element, false}};
  status = cb_check_arrays(arrays, 5, 2);
  if (status) return status;
  job first = {.combine = cb_layer_loops_for(dtype)->multiply, .count = count, .a = dy, .b = b, .y = da},
      second = first;
  second.b = a;
  second.y = db;
  if (db && db != dy) run(second, dtype, threads);
  if (da) run(first, dtype, threads);
  if (db && db == dy) run(second, dtype, threads);
  return CNNBLAS_OK;
}
