/* Checks of arguments that convolution and layers share: a bad one is named and refused before anything is written. */
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
  size_t element; /* bytes of an element */
  bool optional;
} cb_array;

/* Checks that each array is there (unless optional or empty) and aligned to its element, and that no output, which the
   first `written` of count arrays are, overlaps another array. NULL stands for one that may be the output itself. */
cnnblas_status cb_check_arrays(const cb_array *arrays, int count, int written);

/* Checks that none of count arrays overlaps other, whose array may be NULL. */
cnnblas_status cb_check_apart(const cb_array *arrays, int count, const cb_array *other);

/* Check that the type is f32 or f64, and that threads is not negative. */
cnnblas_status cb_check_dtype(cnnblas_dtype dtype);
cnnblas_status cb_check_threads(int32_t threads);
/* Checks the arguments of a call on `count` elements of arrays without a shape. */
cnnblas_status cb_check_elements(cnnblas_dtype dtype, int32_t threads, int64_t count);
/* Checks that the size is at least `least`; `name` is its name in the message. */
cnnblas_status cb_check_size(const char *name, int64_t size, int64_t least);
/* Checks that the value is a finite number of at least 0 in the dtype, too: 1e300 is none in f32. */
cnnblas_status cb_check_amount(cnnblas_dtype dtype, const char *name, double value);
/* Checks that n is 0 to `largest`, the descriptor's. */
cnnblas_status cb_check_batch(int64_t n, int64_t largest);

/* Checks that every byte of a reserved tail is zero. */
cnnblas_status cb_check_reserved(const void *reserved, size_t bytes);

/* Bytes of an element of the type. */
static inline size_t cb_element_size(cnnblas_dtype dtype)
{
  return dtype == CNNBLAS_F64 ? 8 : 4;
}

#endif
