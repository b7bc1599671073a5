/* Numbers in a model's metadata; see model_metadata.h. */
#include "model_metadata.h"
#include "io/system.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int metadata_set(json_t *metadata, const char *key, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  int length = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *text = length < 0 ? NULL : io_alloc((size_t)length + 1);
  if (!text) return -1;
  va_start(args, format);
  vsnprintf(text, (size_t)length + 1, format, args);
  va_end(args);
  int failed = json_object_set_new(metadata, key, json_string(text));
  io_free(text);
  return failed;
}

io_status metadata_bad(const char *name, const st_file *file, const char *key, const char *wanted, io_error *error)
{
  const char *text = st_metadata(file, key);
  if (!text) return io_fail(error, IO_BAD_INPUT, "%s: its metadata lack %s", name, key);
  return io_fail(error, IO_BAD_INPUT, "%s: metadata %s is \"%.64s\"; it must be %s", name, key, text, wanted);
}

io_status metadata_integer(const char *name, const st_file *file, const char *key, int64_t least, int64_t most,
                           int64_t *value, io_error *error)
{
  const char *text = st_metadata(file, key);
  char *end = NULL, wanted[80];
  errno = 0;
  if (text) *value = strtoll(text, &end, 10);
  if (text && end != text && !*end && !errno && *value >= least && *value <= most) return IO_OK;
  snprintf(wanted, sizeof wanted, "a whole number from %lld to %lld", (long long)least, (long long)most);
  return metadata_bad(name, file, key, wanted, error);
}

io_status metadata_number(const char *name, const st_file *file, const char *key, double least, double below,
                          double *value, io_error *error)
{
  const char *text = st_metadata(file, key);
  char *end = NULL, wanted[80];
  if (text) *value = strtod(text, &end);
  if (text && end != text && !*end && *value >= least && *value < below) return IO_OK;
  snprintf(wanted, sizeof wanted, "a number of at least %g, below %g", least, below);
  return metadata_bad(name, file, key, wanted, error);
}

io_status metadata_choice(const char *name, const st_file *file, const char *key, const char *const *names, int *value,
                          io_error *error)
{
  const char *text = st_metadata(file, key);
  for (*value = 0; text && names[*value]; (*value)++)
    if (!strcmp(text, names[*value])) return IO_OK;
  return metadata_bad(name, file, key, names[0], error);
}
