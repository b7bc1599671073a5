/* Elements of arrays of either type, and what arrays are filled with. */
#ifndef TESTS_SUPPORT_ARRAYS_H
#define TESTS_SUPPORT_ARRAYS_H

#include "support/guarded.h"
#include "support/rng.h"
#include <cnnblas/conv.h>

/* Bytes of an element. */
size_t element_bytes(cnnblas_dtype dtype);

/* Element i of an array of that type, and setting it: inline, since oracles call them for every element of every call. */
static inline double array_get(cnnblas_dtype dtype, const void *array, int64_t i)
{
  return dtype == CNNBLAS_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

static inline void array_set(cnnblas_dtype dtype, void *array, int64_t i, double value)
{
  if (dtype == CNNBLAS_F64)
    ((double *)array)[i] = value;
  else
    ((float *)array)[i] = (float)value;
}

/* Fill an array: with integers -3..3; with reals in (-1, 1), a guarded one wholly; with NaN. */
void array_fill_integers(cnnblas_dtype dtype, void *array, int64_t count, rng *r);
void array_fill_reals(cnnblas_dtype dtype, void *array, int64_t count, rng *r);
void guarded_fill_reals(cnnblas_dtype dtype, guarded *array, rng *r);
void array_fill_nan(cnnblas_dtype dtype, void *array, int64_t count);

#endif
