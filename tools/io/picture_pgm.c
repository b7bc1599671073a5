/*
 * Pictures in PGM and PPM: "P5 width height most", one blank, then bytes (two of them, the high one first, if most > 255); or P2,
 * the same in decimal digits. P6 and P3 are their like with three values a pixel: red, green, blue. "#" begins a comment in
 * front of the pixels.
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

/* The next decimal number, at most 65536, which stands for all above; -1 if there is none. */
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
    if (number > 65536) number = 65536;
  }
  return number;
}

/* The next value, or -1. */
static int64_t next_value(reader *r, bool binary, int64_t most)
{
  if (!binary) return next_number(r);
  ptrdiff_t wide = most > 255 ? 2 : 1;
  if (r->end - r->at < wide) return -1;
  int64_t value = wide == 2 ? r->at[0] * 256 + r->at[1] : r->at[0];
  r->at += wide;
  return value;
}

/* One pixel of one or three values into its place of the picture's channels. */
static void store(picture *p, int64_t at, int colours, const int64_t value[3], int64_t most)
{
  for (int64_t c = 0; c < p->c; c++) {
    int64_t shown = value[colours == 1 ? 0 : c];
    if (p->c < colours) {
      uint32_t r = (uint32_t)value[0], g = (uint32_t)value[1], b = (uint32_t)value[2];
      shown = most <= 255 ? picture_grey(r, g, b) : picture_fine_grey(r, g, b);
    }
    p->pixels[c * p->h * p->w + at] = (float)((double)shown / (double)most);
  }
}

io_status picture_parse_pgm(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out,
                            io_error *error)
{
  reader r = {bytes + 2, bytes + count};
  bool binary = bytes[1] == '5' || bytes[1] == '6';
  int colours = bytes[1] == '3' || bytes[1] == '6' ? 3 : 1;
  int64_t w = next_number(&r), h = w < 0 ? -1 : next_number(&r), most = h < 0 ? -1 : next_number(&r);
  if (most < 1 || most > 65535)
    return io_fail(error, IO_BAD_INPUT, "%s: a %s begins with its width, height and largest value (1 to 65535)", name,
                   colours == 3 ? "PPM" : "PGM");
  if (binary && r.at < r.end) r.at++; /* one blank */
  int64_t least = (binary && most > 255 ? 2 : 1) * colours;
  if (h <= PICTURE_MOST_SIDE && w <= PICTURE_MOST_SIDE && r.end - r.at < h * w * least)
    return io_fail(error, IO_BAD_INPUT, "%s: ends within its pixels", name);
  picture p = {0};
  io_status status = picture_alloc(name, c, h, w, &p, error);
  for (int64_t i = 0; i < h * w && !status; i++) {
    int64_t value[3] = {0};
    for (int each = 0; each < colours && !status; each++) {
      value[each] = next_value(&r, binary, most);
      if (value[each] < 0 || value[each] > most)
        status = io_fail(error, IO_BAD_INPUT, "%s: pixel %lld is missing or above the largest value, %lld", name,
                         (long long)i, (long long)most);
    }
    if (!status) store(&p, i, colours, value, most);
  }
  if (status)
    picture_free(&p);
  else
    *out = p;
  return status;
}
