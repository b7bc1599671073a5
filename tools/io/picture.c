/* Pictures of either format; see picture.h. */
#include "io/picture.h"
#include "io/picture_pgm.h"
#include "io/picture_png.h"
#include <string.h>

static bool is_png(const uint8_t *bytes, size_t count)
{
  return count >= 4 && !memcmp(bytes, "\x89PNG", 4);
}

static bool is_pgm(const uint8_t *bytes, size_t count)
{
  return count >= 2 && bytes[0] == 'P' && (bytes[1] == '2' || bytes[1] == '5');
}

bool picture_recognise(const uint8_t *bytes, size_t count)
{
  return is_png(bytes, count) || is_pgm(bytes, count);
}

io_status picture_parse(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out, io_error *error)
{
  if (c != 1 && c != 3)
    return io_fail(error, IO_BAD_INPUT, "%s: a picture has 1 or 3 channels; the network takes %lld", name,
                   (long long)c);
  if (is_pgm(bytes, count)) return picture_parse_pgm(name, bytes, count, c, out, error);
  if (is_png(bytes, count)) return picture_parse_png(name, bytes, count, c, out, error);
  return io_fail(error, IO_BAD_INPUT, "%s: neither a PNG nor a PGM", name);
}

static int64_t big_endian(const uint8_t *at)
{
  return (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

bool picture_size(const uint8_t *bytes, size_t count, int64_t *h, int64_t *w)
{
  if (is_pgm(bytes, count)) return picture_pgm_size(bytes, count, h, w);
  /* PNG: eight bytes of signature, then the length and name of IHDR, which begins with width and height. */
  if (!is_png(bytes, count) || count < 24 || memcmp(bytes + 12, "IHDR", 4) != 0) return false;
  *w = big_endian(bytes + 16);
  *h = big_endian(bytes + 20);
  return true;
}
