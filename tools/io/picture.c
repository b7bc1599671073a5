/* Pictures of any format; see picture.h. */
#include "io/picture.h"
#include "io/picture_jpeg.h"
#include "io/picture_pgm.h"
#include "io/picture_png.h"
#include <string.h>

static bool is_png(const uint8_t *bytes, size_t count)
{
  return count >= 4 && !memcmp(bytes, "\x89PNG", 4);
}

static bool is_jpeg(const uint8_t *bytes, size_t count)
{
  return count >= 3 && !memcmp(bytes, "\xff\xd8\xff", 3);
}

static bool is_pgm(const uint8_t *bytes, size_t count)
{
  return count >= 2 && bytes[0] == 'P' && (bytes[1] == '2' || bytes[1] == '3' || bytes[1] == '5' || bytes[1] == '6');
}

bool picture_recognise(const uint8_t *bytes, size_t count)
{
  return is_png(bytes, count) || is_jpeg(bytes, count) || is_pgm(bytes, count);
}

io_status picture_parse(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out, io_error *error)
{
  if (c != 1 && c != 3)
    return io_fail(error, IO_BAD_INPUT, "%s: a picture has 1 or 3 channels; the network takes %lld", name,
                   (long long)c);
  if (is_pgm(bytes, count)) return picture_parse_pgm(name, bytes, count, c, out, error);
  if (is_png(bytes, count)) return picture_parse_png(name, bytes, count, c, out, error);
  if (is_jpeg(bytes, count)) return picture_parse_jpeg(name, bytes, count, c, out, error);
  return io_fail(error, IO_BAD_INPUT, "%s: none of PNG, JPEG, PGM and PPM", name);
}
