/* Reading and filling arrays of either type; see oracle.h. */
#include "support/arrays.h"
#include <math.h>

size_t element_bytes(cnnblas_dtype dtype)
{
  return dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float);
}

void array_fill_integers(cnnblas_dtype dtype, void *array, int64_t count, rng *r)
{
  for (int64_t i = 0; i < count; i++) array_set(dtype, array, i, (double)rng_range(r, -3, 3));
}

void array_fill_reals(cnnblas_dtype dtype, void *array, int64_t count, rng *r)
{
  for (int64_t i = 0; i < count; i++) array_set(dtype, array, i, rng_real(r));
}

void guarded_fill_reals(cnnblas_dtype dtype, guarded *array, rng *r)
{
  array_fill_reals(dtype, array->data, (int64_t)(array->bytes / element_bytes(dtype)), r);
}

void array_fill_nan(cnnblas_dtype dtype, void *array, int64_t count)
{
  for (int64_t i = 0; i < count; i++) array_set(dtype, array, i, NAN);
}
