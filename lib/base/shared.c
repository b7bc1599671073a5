/* The functions through which libcnnblas_net, libcnnblas_onnx and libcnnblas_mpi reach into libcnnblas; see shared.h. */
#include "base/shared.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/status.h"
#include <stdarg.h>
#include <stdio.h>

cnnblas_status cnnblas_shared_fail(cnnblas_status status, const char *format, ...)
{
  char text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return cb_fail(status, "%s", text);
}

cnnblas_status cnnblas_shared_no_memory(size_t bytes, const char *what)
{
  return cb_fail_memory(bytes, what);
}

void *cnnblas_shared_alloc(size_t bytes, int zeroed)
{
  return zeroed ? cb_alloc_zeroed(bytes) : cb_alloc(bytes);
}

void cnnblas_shared_free(void *memory)
{
  cb_free(memory);
}

void cnnblas_shared_parallel(int threads, int64_t tasks, void (*run)(void *context, int64_t task, int worker),
                             void *context)
{
  cb_parallel_for(threads, tasks, run, context);
}

void cnnblas_shared_session(int threads, void (*run)(void *context), void *context)
{
  cb_parallel_session(threads, run, context);
}

int cnnblas_shared_alone(int on)
{
  return cb_parallel_alone(on != 0);
}

int cnnblas_shared_flush(int on)
{
  return cb_parallel_flush(on != 0);
}

int cnnblas_shared_replace_begin(cb_replacement *r, const char *path)
{
  return cb_replace_begin(r, path, false);
}

int cnnblas_shared_replace_end(cb_replacement *r, int keep)
{
  return cb_replace_end(r, keep != 0);
}
