/* PNG by libpng; its errors come back as sentences, its memory from io/system.h. */
#include "io/picture_png.h"
#include "io/system.h"
#include <png.h>
#include <setjmp.h>
#include <string.h>

typedef struct {
  const char *name;
  const uint8_t *bytes;
  size_t count, at;
  io_error *error;
  io_status status;
  jmp_buf jump;
  picture p;
  int channels;  /* of a decoded row */
  bool fine;     /* the file has 16 bits a sample */
  png_bytep row; /* 16-bit samples of one row, or of the whole picture if it is interlaced */
  png_bytepp rows;
} decoder;

static void failed(png_structp png, png_const_charp why)
{
  decoder *d = png_get_error_ptr(png);
  if (!d->status) d->status = io_fail(d->error, IO_BAD_INPUT, "%s: damaged PNG: %s", d->name, why);
  longjmp(d->jump, 1);
}

static void warned(png_structp png, png_const_charp why)
{
  (void)png;
  (void)why;
}

static png_voidp allocate(png_structp png, png_alloc_size_t bytes)
{
  decoder *d = png_get_mem_ptr(png);
  void *memory = io_alloc(bytes);
  if (!memory && !d->status) d->status = io_fail_memory(d->error, d->name, bytes, "a PNG's decoding");
  return memory;
}

static void release(png_structp png, png_voidp memory)
{
  (void)png;
  io_free(memory);
}

static void give(png_structp png, png_bytep out, size_t count)
{
  decoder *d = png_get_io_ptr(png);
  if (d->count - d->at < count) png_error(png, "it ends too early");
  memcpy(out, d->bytes + d->at, count);
  d->at += count;
}

/*
 * Whatever the file has becomes channels of 16 bits, 1 to 4 of them: grey or red green blue, then the alpha. What follows
 * from there is done on the stored values, whatever gAMA, sRGB, cHRM or iCCP say: libpng's own blending and its own grey
 * would take those into account.
 */
static void ask_for(decoder *d, png_structp png, png_infop info)
{
  d->fine = png_get_bit_depth(png, info) == 16;
  png_set_expand(png);
  png_set_expand_16(png);
  png_read_update_info(png, info);
  d->channels = png_get_channels(png, info);
}

static uint32_t sample(const png_byte *at)
{
  return (uint32_t)(at[0] * 256 + at[1]);
}

/* In the precision that the file has: bytes give a byte. */
static uint32_t to_grey(const decoder *d, const png_byte *rgb)
{
  uint32_t r = sample(rgb), g = sample(rgb + 2), b = sample(rgb + 4);
  return d->fine ? picture_fine_grey(r, g, b) : picture_grey(r >> 8, g >> 8, b >> 8) * 257;
}

/* One row of samples into the picture's channels, blended with white. */
static void store(decoder *d, int64_t i, const png_byte *row)
{
  picture *p = &d->p;
  int colours = d->channels < 3 ? 1 : 3;
  for (int64_t j = 0; j < p->w; j++) {
    const png_byte *at = row + 2 * d->channels * j;
    uint32_t alpha = d->channels % 2 ? 65535 : sample(at + 2 * colours);
    for (int64_t c = 0; c < p->c; c++) {
      uint32_t value = p->c < colours ? to_grey(d, at) : sample(at + (colours == 1 ? 0 : 2 * c));
      double shown = alpha == 65535 ? value / 65535.0 : 1 - (65535.0 - value) / 65535.0 * (alpha / 65535.0);
      p->pixels[(c * p->h + i) * p->w + j] = (float)shown;
    }
  }
}

/* An interlaced picture is whole only after its last pass; of any other, one row is held at a time. */
static void read_rows(decoder *d, png_structp png, size_t row_bytes, bool interlaced)
{
  int64_t h = d->p.h, held = interlaced ? h : 1;
  d->row = io_alloc_zeroed((size_t)held, row_bytes);
  d->rows = io_alloc_zeroed((size_t)held, sizeof *d->rows);
  if (!d->row || !d->rows) {
    d->status = io_fail_memory(d->error, d->name, (size_t)held * row_bytes, "its rows");
    return;
  }
  for (int64_t i = 0; i < held; i++) d->rows[i] = d->row + (size_t)i * row_bytes;
  if (interlaced) png_read_image(png, d->rows);
  for (int64_t i = 0; i < h; i++) {
    if (!interlaced) png_read_row(png, d->row, NULL);
    store(d, i, d->rows[interlaced ? i : 0]);
  }
  png_read_end(png, NULL);
}

static void decode(decoder *d, png_structp png, png_infop info, int64_t c)
{
  if (setjmp(d->jump)) return;
  png_set_user_limits(png, PICTURE_MOST_SIDE, PICTURE_MOST_SIDE);
  png_set_read_fn(png, d, give);
  png_read_info(png, info);
  int64_t h = png_get_image_height(png, info), w = png_get_image_width(png, info);
  bool interlaced = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
  /* Deflate makes at most 1032 bytes of one: a size that cannot be behind the head is refused before it gets memory. */
  if (png_get_rowbytes(png, info) * (size_t)h / 1032 > d->count - d->at) png_error(png, "it ends too early");
  ask_for(d, png, info);
  size_t row_bytes = png_get_rowbytes(png, info);
  if (d->channels < 1 || d->channels > 4 || row_bytes != (size_t)(w * d->channels) * 2)
    png_error(png, "its channels cannot be converted");
  if ((d->status = picture_alloc(d->name, c, h, w, &d->p, d->error))) return;
  read_rows(d, png, row_bytes, interlaced);
}

io_status picture_parse_png(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out,
                            io_error *error)
{
  decoder d = {.name = name, .bytes = bytes, .count = count, .error = error};
  png_infop info = NULL;
  png_structp png = NULL;
  if (!setjmp(d.jump)) {
    png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &d, failed, warned, &d, allocate, release);
    info = png ? png_create_info_struct(png) : NULL;
  }
  if (!d.status && !info) d.status = io_fail_memory(error, name, 0, "a PNG's decoding");
  if (!d.status) decode(&d, png, info, c);
  png_destroy_read_struct(&png, &info, NULL);
  io_free(d.row);
  io_free(d.rows);
  if (d.status)
    picture_free(&d.p);
  else
    *out = d.p;
  return d.status;
}
