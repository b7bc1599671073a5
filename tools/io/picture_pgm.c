/*
 * Pictures in PGM: "P5 width height most", one blank, then bytes (two of them, the high one first, if most > 255); or P2,
 * the same in decimal digits. "#" begins a comment in front of the pixels.
 */
#include "io/picture_pgm.h"
#include <stdbool.h>

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

static bool read_size(reader *r, int64_t *h, int64_t *w)
{
  *w = next_number(r);
  *h = next_number(r);
  return *w >= 0 && *h >= 0;
}

bool picture_pgm_size(const uint8_t *bytes, size_t count, int64_t *h, int64_t *w)
{
  return read_size(&(reader){bytes + 2, bytes + count}, h, w);
}

io_status picture_parse_pgm(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out,
                            io_error *error)
{
  reader r = {bytes + 2, bytes + count};
  bool binary = bytes[1] == '5';
  int64_t h = 0, w = 0, most = read_size(&r, &h, &w) ? next_number(&r) : -1;
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
