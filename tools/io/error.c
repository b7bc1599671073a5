/* Sentences about files; see error.h. */
#include "io/error.h"
#include <stdarg.h>
#include <stdio.h>

io_status io_fail(io_error *error, io_status status, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(error->text, sizeof error->text, format, args);
  va_end(args);
  return status;
}

io_status io_fail_memory(io_error *error, const char *name, size_t bytes, const char *what)
{
  return io_fail(error, IO_NO_ROOM, "%s: out of memory: %zu bytes for %s", name, bytes, what);
}
