/* Checks that the layers share: what a caller passes is named and refused before anything is written. */
#ifndef CB_LAYERS_CHECKS_H
#define CB_LAYERS_CHECKS_H

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

/* f32 or f64; threads not negative; *size at least `least`. */
cnnblas_status cb_check_dtype(cnnblas_dtype dtype);
cnnblas_status cb_check_threads(int32_t threads);
cnnblas_status cb_check_size(const char *name, int64_t size, int64_t least);
cnnblas_status cb_check_batch(int64_t n, int64_t largest);

/* Every byte of a reserved tail is zero. */
cnnblas_status cb_check_reserved(const void *reserved, size_t bytes);

/* Bytes of an element. */
static inline size_t cb_element_size(cnnblas_dtype dtype)
{
  return dtype == CNNBLAS_F64 ? 8 : 4;
}

/*
 * A call with less to do than a team of threads takes to wake and to meet again stays on the calling thread, and is cut for
 * one. What a call has to do is estimated in nanoseconds of one core, from its shape; results do not depend on it.
 */
enum { CB_WAKE_NANOSECONDS = 10000 };

/* A byte that is read or written near the core, of a loop that does little with it. */
#define CB_BYTE_NANOSECONDS 0.03

/* Threads of a call with so much to do: the caller's number or the default, or 1. */
int cb_layer_threads(int32_t threads, double nanoseconds);

#endif
