/* Checks of arguments that convolution and layers share: what a caller passes is named and refused before anything is written. */
#ifndef CB_BASE_ARGUMENTS_H
#define CB_BASE_ARGUMENTS_H

#include "base/status.h"
#include <cnnblas/conv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One of a call's arrays. */
typedef struct {
  const char *name;
  const void *array;
  int64_t elements;
  size_t element; /* bytes */
  bool optional;
} cb_array;

/* The first `written` of count arrays are outputs: each array is there (unless optional or empty) and aligned to its
   element, and no output overlaps another array. An array that may be the output itself is left out by passing NULL. */
cnnblas_status cb_check_arrays(const cb_array *arrays, int count, int written);

/* None of count arrays overlaps other, which may be NULL. */
cnnblas_status cb_check_apart(const cb_array *arrays, int count, const cb_array *other);

/* f32 or f64; threads not negative; *size at least `least`. */
cnnblas_status cb_check_dtype(cnnblas_dtype dtype);
cnnblas_status cb_check_threads(int32_t threads);
/* What a call on `count` elements of arrays without a shape is given. */
cnnblas_status cb_check_elements(cnnblas_dtype dtype, int32_t threads, int64_t count);
cnnblas_status cb_check_size(const char *name, int64_t size, int64_t least);
cnnblas_status cb_check_batch(int64_t n, int64_t largest);

/* Every byte of a reserved tail is zero. */
cnnblas_status cb_check_reserved(const void *reserved, size_t bytes);

/* Bytes of an element. */
static inline size_t cb_element_size(cnnblas_dtype dtype)
{
  return dtype == CNNBLAS_F64 ? 8 : 4;
}

#endif
