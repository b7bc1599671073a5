/* Pictures; see picture.h. Here: what the formats share, and PGM. */
#include "io/picture.h"
#include "io/system.h"
#include <string.h>

void picture_free(picture *p)
{
  io_free(p->pixels);
  *p = (picture){0};
}

io_status picture_alloc(const char *name, int64_t c, int64_t h, int64_t w, picture *out, io_error *error)
{
  if (h < 1 || w < 1 || h > PICTURE_MOST_SIDE || w > PICTURE_MOST_SIDE)
    return io_fail(error, IO_BAD_INPUT, "%s: %lld x %lld pixels; sides are 1 to %d", name, (long long)w, (long long)h,
                   PICTURE_MOST_SIDE);
  if (h * w > PICTURE_MOST_PIXELS)
    return io_fail(error, IO_BAD_INPUT, "%s: %lld x %lld pixels; a picture has at most %d", name, (long long)w,
                   (long long)h, PICTURE_MOST_PIXELS);
  *out = (picture){.c = c, .h = h, .w = w};
  size_t bytes = (size_t)(c * h * w) * sizeof *out->pixels;
  if (!(out->pixels = io_alloc(bytes))) return io_fail_memory(error, name, bytes, "its pixels");
  return IO_OK;
}

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

/* ---- PGM: "P5 width height most", one blank, then bytes (two of them, the high one first, if most > 255); or P2, the
   same in decimal digits; "#" begins a comment in front of the pixels ---- */

typedef struct {
  const uint8_t *at, *end;
} reader;

static bool is_blank(uint8_t c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next decimal number; -1 if there is none, or a larger one than 65536. */
static int64_t next_number(reader *r)
{
  while (r->at < r->end && (is_blank(*r->at) || *r->at == '#')) {
    if (*r->at == '#')
      while (r->at < r->end && *r->at != '\n') r->at++;
    else
      r->at++;
  }
  int64_t number = -1;
  for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
    number = (number < 0 ? 0 : number) * 10 + (*r->at - '0');
    if (number > 65536) return -1;
  }
  return number;
}

/* The next pixel, or -1. */
static int64_t next_pixel(reader *r, bool binary, int64_t most)
{
  if (!binary) return next_number(r);
  ptrdiff_t wide = most > 255 ? 2 : 1;
  if (r->end - r->at < wide) return -1;
  int64_t value = wide == 2 ? r->at[0] * 256 + r->at[1] : r->at[0];
  r->at += wide;
  return value;
}

static bool pgm_size(reader *r, int64_t *h, int64_t *w)
{
  *w = next_number(r);
  *h = next_number(r);
  return *w >= 0 && *h >= 0;
}

static int64_t big_endian(const uint8_t *at)
{
  return (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

bool picture_size(const uint8_t *bytes, size_t count, int64_t *h, int64_t *w)
{
  if (is_pgm(bytes, count)) return pgm_size(&(reader){bytes + 2, bytes + count}, h, w);
  /* PNG: eight bytes of signature, then the length and name of IHDR, which begins with width and height. */
  if (!is_png(bytes, count) || count < 24 || memcmp(bytes + 12, "IHDR", 4) != 0) return false;
  *w = big_endian(bytes + 16);
  *h = big_endian(bytes + 20);
  return true;
}

io_status picture_parse_pgm(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out,
                            io_error *error)
{
  reader r = {bytes + 2, bytes + count};
  bool binary = bytes[1] == '5';
  int64_t h = 0, w = 0, most = pgm_size(&r, &h, &w) ? next_number(&r) : -1;
  if (most < 1 || most > 65535)
    return io_fail(error, IO_BAD_INPUT, "%s: a PGM begins with its width, height and largest value (1 to 65535)", name);
  if (binary && r.at < r.end) r.at++; /* one blank */
  int64_t least = binary && most > 255 ? 2 : 1;
  if (h <= PICTURE_MOST_SIDE && w <= PICTURE_MOST_SIDE && r.end - r.at < h * w * least)
    return io_fail(error, IO_BAD_INPUT, "%s: ends within its pixels", name);
  picture p;
  io_status status = picture_alloc(name, c, h, w, &p, error);
  if (status) return status;
  for (int64_t i = 0; i < h * w; i++) {
    int64_t value = next_pixel(&r, binary, most);
    if (value < 0 || value > most) {
      picture_free(&p);
      return io_fail(error, IO_BAD_INPUT, "%s: pixel %lld is missing or above the largest value, %lld", name,
                     (long long)i, (long long)most);
    }
    for (int64_t channel = 0; channel < c; channel++)
      p.pixels[channel * h * w + i] = (float)((double)value / (double)most);
  }
  *out = p;
  return IO_OK;
}
