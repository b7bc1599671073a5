/* In place of picture_png.c where libpng is missing. */
#include "io/picture_png.h"

io_status picture_parse_png(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out,
                            io_error *error)
{
  (void)bytes;
  (void)count;
  (void)c;
  (void)out;
  return io_fail(error, IO_BAD_INPUT, "%s: a PNG; this program was built without libpng and reads PGM", name);
}
