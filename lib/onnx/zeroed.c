/* Zeroed memory for so many elements; see zeroed.h. */
#include "onnx/zeroed.h"

void *cb_onnx_zeroed(size_t count, size_t bytes)
{
  size_t all;
  return __builtin_mul_overflow(count, bytes, &all) ? NULL : cnnblas_shared_alloc(all ? all : 1, 1);
}
