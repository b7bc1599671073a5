/* The names of statuses, and each thread's text of the last error; see status.h. */
#include "base/status.h"
#include <stdarg.h>
#include <stdio.h>

static _Thread_local char last_error[512];

cnnblas_status cb_fail(cnnblas_status status, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(last_error, sizeof last_error, format, args);
  va_end(args);
  return status;
}

cnnblas_status cb_fail_memory(unsigned long long bytes, const char *what)
{
  return cb_fail(CNNBLAS_OUT_OF_MEMORY, "out of memory: %llu bytes for %s", bytes, what);
}

const char *cnnblas_last_error(void)
{
  return last_error;
}

const char *cnnblas_status_string(cnnblas_status status)
{
  static const char *const names[] = {"CNNBLAS_OK",
                                      "CNNBLAS_INVALID_ARGUMENT",
                                      "CNNBLAS_UNSUPPORTED",
                                      "CNNBLAS_OUT_OF_MEMORY",
                                      "CNNBLAS_SIZE_OVERFLOW",
                                      "CNNBLAS_IO_ERROR",
                                      "CNNBLAS_BAD_FORMAT",
                                      "CNNBLAS_NOT_FINITE"};
  int i = (int)status;
  return i >= 0 && i < (int)(sizeof names / sizeof *names) ? names[i] : "unknown status";
}
