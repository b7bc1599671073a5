/* Errors and memory of libcnnblas_onnx, through libcnnblas. */
#include "onnx/messages.h"
#include <stdarg.h>
#include <stdio.h>

cnnblas_status cb_onnx_fail(cnnblas_status status, const char *format, ...)
{
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return cnnblas_shared_fail(status, text);
}

cnnblas_status cb_onnx_no_memory(size_t bytes, const char *what)
{
  return cb_onnx_fail(CNNBLAS_OUT_OF_MEMORY, "out of memory: %zu bytes for %s", bytes, what);
}

void *cb_onnx_zeroed(size_t count, size_t bytes)
{
  size_t all;
  return __builtin_mul_overflow(count, bytes, &all) ? NULL : cnnblas_shared_alloc(all ? all : 1, 1);
}
