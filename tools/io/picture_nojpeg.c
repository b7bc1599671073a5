/* In place of picture_jpeg.c where libjpeg-turbo is missing. */
#include "io/picture_jpeg.h"

io_status picture_parse_jpeg(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out,
                             io_error *error)
{
  (void)bytes;
  (void)count;
  (void)c;
  (void)out;
  return io_fail(error, IO_BAD_INPUT, "%s: a JPEG; this program was built without libjpeg", name);
}
