/* Checks of arguments; see arguments.h. */
#include "base/arguments.h"
#include <float.h>

static cnnblas_status check_array(const cb_array *a)
{
  if (!a->array && (a->optional || a->elements == 0)) return CNNBLAS_OK;
  if (!a->array) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "%s is NULL", a->name);
  if ((uintptr_t)a->array % a->element)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "%s is %p, which is not aligned to its element, %zu bytes", a->name,
                   a->array, a->element);
  return CNNBLAS_OK;
}

static bool overlap(const cb_array *a, const cb_array *b)
{
  if (!a->array || !b->array) return false;
  uintptr_t a0 = (uintptr_t)a->array, b0 = (uintptr_t)b->array;
  return a0 < b0 + (size_t)b->elements * b->element && b0 < a0 + (size_t)a->elements * a->element;
}

cnnblas_status cb_check_arrays(const cb_array *arrays, int count, int written)
{
  for (int i = 0; i < count; i++) {
    cnnblas_status status = check_array(&arrays[i]);
    if (status) return status;
  }
  cnnblas_status status = CNNBLAS_OK;
  for (int i = 0; i < written && !status; i++) status = cb_check_apart(arrays + i + 1, count - i - 1, &arrays[i]);
  return status;
}

cnnblas_status cb_check_apart(const cb_array *arrays, int count, const cb_array *other)
{
  for (int i = 0; i < count; i++)
    if (overlap(&arrays[i], other))
      return cb_fail(CNNBLAS_INVALID_ARGUMENT, "%s (%p) overlaps %s (%p)", other->name, other->array, arrays[i].name,
                     arrays[i].array);
  return CNNBLAS_OK;
}

cnnblas_status cb_check_dtype(cnnblas_dtype dtype)
{
  if (dtype == CNNBLAS_F32 || dtype == CNNBLAS_F64) return CNNBLAS_OK;
  if (dtype == CNNBLAS_BF16) return cb_fail(CNNBLAS_UNSUPPORTED, "dtype is bf16, which is reserved");
  return cb_fail(CNNBLAS_INVALID_ARGUMENT, "dtype is %d, which names no type", (int)dtype);
}

cnnblas_status cb_check_threads(int32_t threads)
{
  if (threads >= 0) return CNNBLAS_OK;
  return cb_fail(CNNBLAS_INVALID_ARGUMENT, "threads is %d; it must be at least 0", (int)threads);
}

cnnblas_status cb_check_size(const char *name, int64_t size, int64_t least)
{
  if (size >= least) return CNNBLAS_OK;
  return cb_fail(CNNBLAS_INVALID_ARGUMENT, "%s is %lld; it must be at least %lld", name, (long long)size,
                 (long long)least);
}

cnnblas_status cb_check_amount(cnnblas_dtype dtype, const char *name, double value)
{
  if (!(value >= 0 && value <= DBL_MAX))
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "%s is %g; it must be a number of at least 0", name, value);
  if (dtype == CNNBLAS_F32 && value > FLT_MAX)
    return cb_fail(CNNBLAS_INVALID_ARGUMENT, "%s is %g, more than the largest f32, %g", name, value, (double)FLT_MAX);
  return CNNBLAS_OK;
}

cnnblas_status cb_check_batch(int64_t n, int64_t largest)
{
  if (n >= 0 && n <= largest) return CNNBLAS_OK;
  return cb_fail(CNNBLAS_INVALID_ARGUMENT, "n is %lld; it must be 0 to the descriptor's n, %lld", (long long)n,
                 (long long)largest);
}

cnnblas_status cb_check_reserved(const void *reserved, size_t bytes)
{
  const unsigned char *byte = reserved;
  for (size_t i = 0; i < bytes; i++)
    if (byte[i]) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "reserved: byte %zu is %d; it must be 0", i, (int)byte[i]);
  return CNNBLAS_OK;
}

cnnblas_status cb_check_elements(cnnblas_dtype dtype, int32_t threads, int64_t count)
{
  cnnblas_status status = cb_check_dtype(dtype);
  if (!status) status = cb_check_threads(threads);
  if (!status) status = cb_check_size("count", count, 0);
  if (!status && count > INT64_MAX / 8)
    status = cb_fail(CNNBLAS_SIZE_OVERFLOW, "count is %lld, too many", (long long)count);
  return status;
}
