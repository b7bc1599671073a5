/* Training images changed at random; see augment.h. */
#include "data/augment.h"
#include <cnnblas/layers.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Streams 0, 1, ... of the seed are the initial weights, 2^32 and on the epochs' orders; block `epoch` of this one has the key
   of an epoch's draws, whose streams are the images' numbers. */
static const uint64_t augment_stream = (uint64_t)3 << 32;

/* "NAME:N" at *text, which moves behind it. */
static bool read_sized(const char **text, const char *name, int64_t *size)
{
  size_t length = strlen(name);
  char *end;
  if (strncmp(*text, name, length) != 0 || (*text)[length] != ':') return false;
  const char *number = *text + length + 1;
  *size = strtoll(number, &end, 10);
  *text = end;
  return end != number && *number >= '0' && *number <= '9' && *size >= 1 && *size <= AUGMENT_MOST;
}

bool augment_parse(const char *text, augment_settings *s)
{
  *s = (augment_settings){0};
  if (!strcmp(text, "none")) return true;
  for (;; text++) {
    if (!s->flip && !strncmp(text, "flip", 4)) {
      s->flip = true;
      text += 4;
    } else if (!(!s->crop && read_sized(&text, "crop", &s->crop)) &&
               !(!s->cutout && read_sized(&text, "cutout", &s->cutout))) {
      return false;
    }
    if (*text != ',') return !*text;
  }
}

const char *augment_print(const augment_settings *s, char text[AUGMENT_TEXT])
{
  int used = snprintf(text, AUGMENT_TEXT, "%s", s->flip ? "flip" : "");
  if (s->crop)
    used += snprintf(text + used, (size_t)(AUGMENT_TEXT - used), "%scrop:%lld", used ? "," : "", (long long)s->crop);
  if (s->cutout)
    used +=
        snprintf(text + used, (size_t)(AUGMENT_TEXT - used), "%scutout:%lld", used ? "," : "", (long long)s->cutout);
  if (!used) snprintf(text, AUGMENT_TEXT, "none");
  return text;
}

/* A whole number from 0 to count - 1 of 32 random bits. */
static int64_t pick(uint32_t bits, int64_t count)
{
  return (int64_t)((uint64_t)bits * (uint64_t)count >> 32);
}

static int64_t within(int64_t value, int64_t most)
{
  return value < 0 ? 0 : value > most ? most : value;
}

augment_draw augment_drawn(const augment_settings *s, uint64_t seed, int64_t epoch, int64_t number, int64_t h,
                           int64_t w)
{
  uint32_t bits[4];
  cnnblas_random_bits(seed, augment_stream, (uint64_t)epoch, bits);
  const uint64_t key = (uint64_t)bits[1] << 32 | bits[0];
  augment_draw d = {0};
  cnnblas_random_bits(key, (uint64_t)number, 0, bits);
  d.flip = s->flip && bits[0] >> 31;
  d.down = pick(bits[1], 2 * s->crop + 1) - s->crop;
  d.right = pick(bits[2], 2 * s->crop + 1) - s->crop;
  if (!s->cutout) return d;
  cnnblas_random_bits(key, (uint64_t)number, 1, bits);
  int64_t top = pick(bits[0], h) - s->cutout / 2, left = pick(bits[1], w) - s->cutout / 2;
  d.top = within(top, h);
  d.bottom = within(top + s->cutout, h);
  d.left = within(left, w);
  d.end_of_square = within(left + s->cutout, w);
  return d;
}

/* Row y of a plane: pixels from `from` to `to` come from the row at in, those around them are the mean, which is 0. */
#define ROW(name, from_type, to_type)                                                                                  \
  static void name(const augment_draw *d, int64_t w, double mean, double factor, const void *in, void *out)            \
  {                                                                                                                    \
    const from_type *restrict x = in;                                                                                  \
    to_type *restrict y = out;                                                                                         \
    const to_type scale = (to_type)factor, shift = (to_type)(-mean * factor);                                          \
    const int64_t from = within(-d->right, w), to = within(w - d->right, w);                                           \
    for (int64_t i = 0; i < from; i++) y[i] = 0;                                                                       \
    if (d->flip)                                                                                                       \
      for (int64_t i = from; i < to; i++) y[i] = (to_type)x[w - 1 - i - d->right] * scale + shift;                     \
    else                                                                                                               \
      for (int64_t i = from; i < to; i++) y[i] = (to_type)x[i + d->right] * scale + shift;                             \
    for (int64_t i = to; i < w; i++) y[i] = 0;                                                                         \
  }
ROW(row_u8_f32, uint8_t, float)
ROW(row_u8_f64, uint8_t, double)
ROW(row_f32_f32, float, float)
ROW(row_f32_f64, float, double)

void augment_image(const augment_draw *draw, const augment_shape *shape, const input_norm *norm, bool bytes,
                   const void *in, cnnblas_dtype dtype, void *out)
{
  static const augment_draw none = {0};
  const bool wide = dtype == CNNBLAS_F64;
  void (*row)(const augment_draw *, int64_t, double, double, const void *, void *) =
      bytes ? (wide ? row_u8_f64 : row_u8_f32) : (wide ? row_f32_f64 : row_f32_f32);
  const int64_t h = shape->h, w = shape->w;
  const size_t from = (size_t)w * (bytes ? 1 : sizeof(float)), one = wide ? sizeof(double) : sizeof(float);
  const augment_draw *d = draw ? draw : &none;
  for (int64_t plane = 0; plane < shape->c; plane++) {
    const int64_t at = norm_place(norm, plane);
    for (int64_t i = 0; i < h; i++) {
      char *to = (char *)out + (size_t)((plane * h + i) * w) * one;
      int64_t source = i + d->down;
      if (source < 0 || source >= h)
        memset(to, 0, (size_t)w * one);
      else
        row(d, w, norm->mean[at], norm->scale[at], (const char *)in + (size_t)(plane * h + source) * from, to);
      if (i >= d->top && i < d->bottom)
        memset(to + (size_t)d->left * one, 0, (size_t)(d->end_of_square - d->left) * one);
    }
  }
}
