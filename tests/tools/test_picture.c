/*
 * PNG files made here: interlaced or not they give the same pixels, a picture takes little more memory than its pixels,
 * and a head that promises more than its file can hold gets none. Chunks about colour change no stored value.
 */
#include "faults.h"
#include "io/picture.h"
#include "io/picture_fit.h"
#include "support/harness.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MOST = 1 << 21 };

typedef struct {
  uint8_t bytes[MOST];
  size_t count;
} file;

static file made;

static void put(file *f, const void *bytes, size_t count)
{
  assert_true(f->count + count <= MOST);
  memcpy(f->bytes + f->count, bytes, count);
  f->count += count;
}

static void put_number(file *f, uint32_t value)
{
  uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
  put(f, bytes, 4);
}

static void put_chunk(file *f, const char *kind, const void *body, size_t count)
{
  put_number(f, (uint32_t)count);
  size_t begin = f->count;
  put(f, kind, 4);
  put(f, body, count);
  put_number(f, (uint32_t)crc32(0, f->bytes + begin, (uInt)(count + 4)));
}

/* An 8-bit grey (colour 0) or RGB (2) file; rows: what is compressed, filter bytes included. */
static void make(uint32_t w, uint32_t h, uint8_t colour, uint8_t interlaced, const uint8_t *rows, size_t count)
{
  static uint8_t packed[MOST / 2];
  uLongf bytes = sizeof packed;
  file head = {.count = 0};
  put_number(&head, w), put_number(&head, h);
  put(&head, (uint8_t[]){8, colour, 0, 0, interlaced}, 5);
  assert_int_equal(compress(packed, &bytes, rows, count), Z_OK);
  made.count = 0;
  put(&made, "\x89PNG\r\n\x1a\n", 8);
  put_chunk(&made, "IHDR", head.bytes, head.count);
  put_chunk(&made, "IDAT", packed, bytes);
  put_chunk(&made, "IEND", "", 0);
}

static io_status parse(picture *p, io_error *error)
{
  io_status status = picture_parse("the picture", made.bytes, made.count, 1, p, error);
  if (status && strstr(error->text, "without libpng")) skip();
  return status;
}

static uint8_t shade(uint32_t i, uint32_t j)
{
  return (uint8_t)(37 * i + 11 * j + 5);
}

/* The rows of one pass: pixels from (y, x) in steps; y 0, x 0 and steps 1 are the whole picture. */
static size_t pass(uint8_t *rows, uint32_t w, uint32_t h, const uint32_t y_x_steps[4])
{
  size_t count = 0;
  for (uint32_t i = y_x_steps[0]; i < h && y_x_steps[1] < w; i += y_x_steps[2]) {
    rows[count++] = 0;
    for (uint32_t j = y_x_steps[1]; j < w; j += y_x_steps[3]) rows[count++] = shade(i, j);
  }
  return count;
}

static void interlaced_pictures_are_the_same(void **state)
{
  (void)state;
  static const uint32_t adam7[7][4] = {{0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4},
                                       {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}};
  static const uint32_t all[4] = {0, 0, 1, 1};
  static uint8_t rows[4096];
  for (uint32_t h = 1; h <= 10; h++)
    for (uint32_t w = 1; w <= 10; w++)
      for (uint8_t interlaced = 0; interlaced < 2; interlaced++) {
        size_t count = interlaced ? 0 : pass(rows, w, h, all);
        for (int p = 0; p < 7 && interlaced; p++) count += pass(rows + count, w, h, adam7[p]);
        harness_doing("%u x %u, interlaced %d", h, w, interlaced);
        make(w, h, 0, interlaced, rows, count);
        picture p;
        io_error error;
        if (parse(&p, &error)) FAIL("%s", error.text);
        assert_true(p.c == 1 && p.h == h && p.w == w);
        for (uint32_t i = 0; i < h * w; i++)
          if (p.pixels[i] != (float)(shade(i / w, i % w) / 255.0)) FAIL("pixel %u is %g", i, (double)p.pixels[i]);
        picture_free(&p);
      }
}

/* ---- stored values: a picture of one row in each colour type and depth, with chunks that speak of colour ---- */

typedef struct {
  uint8_t colour, depth; /* as in IHDR */
} format;

static const format formats[] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
                                 {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};

enum { NO_CHUNK, GAMA_LINEAR, GAMA_HALF, GAMA_45455, SRGB, CHRM, GAMA_AND_CHRM, TRNS, GAMA_AND_TRNS, CHUNKS };

static void put_chunks(int which, const format *f)
{
  static const uint8_t gamma[3][4] = {{0, 1, 0x86, 0xa0}, {0, 0, 0xc3, 0x50}, {0, 0, 0xb1, 0x8f}};
  file body = {.count = 0};
  if (which == GAMA_LINEAR || which == GAMA_AND_CHRM || which == GAMA_AND_TRNS) put_chunk(&made, "gAMA", gamma[0], 4);
  if (which == GAMA_HALF) put_chunk(&made, "gAMA", gamma[1], 4);
  if (which == GAMA_45455) put_chunk(&made, "gAMA", gamma[2], 4);
  if (which == SRGB) put_chunk(&made, "sRGB", "\0", 1);
  if (which == CHRM || which == GAMA_AND_CHRM) { /* primaries far from the usual ones */
    static const uint32_t points[8] = {33333, 33333, 73470, 26530, 11530, 82640, 15660, 1770};
    for (int i = 0; i < 8; i++) put_number(&body, points[i]);
    put_chunk(&made, "cHRM", body.bytes, body.count);
  }
  if (f->colour == 3) { /* index i is (30 i, 255 - 30 i, 90 + 10 i) */
    uint8_t palette[24];
    for (int i = 0; i < 8; i++)
      palette[3 * i] = (uint8_t)(30 * i), palette[3 * i + 1] = (uint8_t)(255 - 30 * i),
                  palette[3 * i + 2] = (uint8_t)(90 + 10 * i);
    put_chunk(&made, "PLTE", palette, f->depth == 1 ? 6 : f->depth == 2 ? 12 : 24);
  }
  if (which == TRNS || which == GAMA_AND_TRNS) {
    if (f->colour == 3) put_chunk(&made, "tRNS", "\x80\x20", 2); /* of indices 0 and 1 */
    if (f->colour == 0) put_chunk(&made, "tRNS", "\0\1", 2);     /* the grey 1 is clear */
  }
}

enum { ROW = 8 };

/* The sample c of pixel j, as it is stored. */
static uint32_t stored(const format *f, int j, int c)
{
  uint32_t most = (1u << f->depth) - 1, value = (uint32_t)(j * 7919 + c * 104729 + j * c * 31) * 2654435761u >> 8;
  if (f->colour == 3) return (uint32_t)j % (f->depth == 1 ? 2 : f->depth == 2 ? 4 : 8);
  if (j == 0) return c == 0 ? most : 0; /* pure red, or a clear white */
  if (j == 1)
    return c == 3 || (c == 1 && f->colour == 4) ? most / 2 + 1 : f->colour == 0 ? 1 : 0; /* black, half there */
  return value % (most + 1);
}

static void make_row(const format *f, int chunks)
{
  static const int samples[7] = {1, 0, 3, 1, 2, 0, 4};
  uint8_t row[ROW * 8 + 1] = {0}, packed[256];
  int count = samples[f->colour], bit = 8;
  for (int j = 0; j < ROW; j++)
    for (int c = 0; c < count; c++, bit += f->depth) {
      uint32_t value = stored(f, j, c);
      if (f->depth == 16)
        row[bit / 8] = (uint8_t)(value >> 8), row[bit / 8 + 1] = (uint8_t)value;
      else
        row[bit / 8] |= (uint8_t)(value << (8 - f->depth - bit % 8));
    }
  uLongf bytes = sizeof packed;
  file head = {.count = 0};
  put_number(&head, ROW), put_number(&head, 1);
  put(&head, (uint8_t[]){f->depth, f->colour, 0, 0, 0}, 5);
  assert_int_equal(compress(packed, &bytes, row, (uLong)(bit / 8)), Z_OK);
  made.count = 0;
  put(&made, "\x89PNG\r\n\x1a\n", 8);
  put_chunk(&made, "IHDR", head.bytes, head.count);
  put_chunks(chunks, f);
  put_chunk(&made, "IDAT", packed, bytes);
  put_chunk(&made, "IEND", "", 0);
}

/* What the pixel must come out as in channel c of `channels`: its stored values over white. */
static double wanted(const format *f, int chunks, int j, int64_t channels, int64_t c)
{
  double most = (1u << f->depth) - 1, rgb[3], alpha = 1;
  uint32_t index = stored(f, j, 0);
  for (int k = 0; k < 3; k++) {
    if (f->colour == 3)
      rgb[k] = (k == 0 ? 30 * index : k == 1 ? 255 - 30 * index : 90 + 10 * index) / 255.0;
    else
      rgb[k] = stored(f, j, f->colour & 2 ? k : 0) / most;
  }
  if (f->colour & 4) alpha = stored(f, j, f->colour == 4 ? 1 : 3) / most;
  if (chunks == TRNS || chunks == GAMA_AND_TRNS) {
    if (f->colour == 3 && index < 2) alpha = (index ? 0x20 : 0x80) / 255.0;
    if (f->colour == 0 && index == 1) alpha = 0;
  }
  double value = channels == 3 ? rgb[c] : f->colour & 2 ? .2126 * rgb[0] + .7152 * rgb[1] + .0722 * rgb[2] : rgb[0];
  return 1 - alpha * (1 - value);
}

static void chunks_about_colour_change_nothing(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    for (int chunks = 0; chunks < CHUNKS; chunks++)
      for (int64_t channels = 1; channels <= 3; channels += 2) {
        const format *f = &formats[i];
        picture p;
        io_error error;
        harness_doing("colour %d, depth %d, chunks %d, %d channels", f->colour, f->depth, chunks, (int)channels);
        make_row(f, chunks);
        io_status status = picture_parse("the picture", made.bytes, made.count, channels, &p, &error);
        if (status && strstr(error.text, "without libpng")) skip();
        if (status) FAIL("%s", error.text);
        /* A grey of bytes is a byte, cut. */
        double step = channels == 1 && (f->colour & 2) ? (f->depth == 16 ? 1e-4 : 1.001 / 255) : 1e-6;
        for (int j = 0; j < ROW; j++)
          for (int64_t c = 0; c < channels; c++) {
            double is = (double)p.pixels[c * ROW + j], want = wanted(f, chunks, j, channels, c);
            if (!(is >= want - step && is <= want + 1e-4))
              FAIL("pixel %d, channel %d: %g, not %g", j, (int)c, is, want);
          }
        picture_free(&p);
      }
}

/* "P6" of 2 x 1 pixels, and P3: red, green, blue; grey by luminance. */
static void ppm_has_three_values_a_pixel(void **state)
{
  (void)state;
  static const uint8_t bytes[] = "P6 2 1 255\n\x00\x80\xff\x40\x40\x40", text[] = "P3 2 1 255\n0 128 255 64 64 64\n";
  static const float want[6] = {0, 64, 128, 64, 255, 64};
  for (int kind = 0; kind < 2; kind++) {
    const uint8_t *from = kind ? text : bytes;
    const size_t count = (kind ? sizeof text : sizeof bytes) - 1;
    picture p;
    io_error error;
    assert_int_equal(picture_parse("a PPM", from, count, 3, &p, &error), IO_OK);
    for (int i = 0; i < 6; i++) assert_true(p.pixels[i] == want[i] / 255.0F);
    picture_free(&p);
    assert_int_equal(picture_parse("a PPM", from, count, 1, &p, &error), IO_OK);
    assert_true(p.pixels[0] == (float)(((23434 * 128 + 2366 * 255) >> 15) / 255.0) && p.pixels[1] == 64 / 255.0F);
    picture_free(&p);
    for (size_t cut = 0; cut + 4 < count; cut++)
      assert_int_equal(picture_parse("a PPM", from, cut, 3, &p, &error), IO_BAD_INPUT);
  }
}

/* A constant stays constant, a size stays as it is, halves are means, and the middle is what is kept. */
static void pictures_are_fitted(void **state)
{
  (void)state;
  enum { H = 12, W = 20 };
  float pixels[H * W];
  io_error error;
  picture p = {1, H, W, pixels}, out;
  for (int i = 0; i < H * W; i++) pixels[i] = 51 / 255.0F;
  for (int64_t side = 1; side < 40; side += 3) {
    assert_int_equal(picture_fit("it", &p, side, side + 1, &out, &error), IO_OK);
    assert_true(out.h == side && out.w == side + 1 && out.c == 1);
    for (int64_t i = 0; i < side * (side + 1); i++) assert_true(out.pixels[i] == 51 / 255.0F);
    picture_free(&out);
  }
  for (int i = 0; i < H * W; i++) pixels[i] = (float)(i % W < 4 || i % W >= 16);
  assert_int_equal(picture_fit("it", &p, H, W, &out, &error), IO_OK);
  assert_memory_equal(out.pixels, pixels, sizeof pixels);
  picture_free(&out);
  assert_int_equal(picture_fit("it", &p, 6, 6, &out, &error), IO_OK); /* columns 4 to 15 */
  for (int i = 0; i < 36; i++) assert_true(i % 6 == 0 || i % 6 == 5 ? out.pixels[i] < 0.2F : out.pixels[i] == 0);
  picture_free(&out);
}

static void a_picture_takes_its_pixels_and_a_row(void **state)
{
  (void)state;
  enum { SIDE = 900 };
  static const uint32_t all[4] = {0, 0, 1, 1};
  static uint8_t rows[SIDE * (SIDE + 1)];
  make(SIDE, SIDE, 0, 0, rows, pass(rows, SIDE, SIDE, all));
  picture p;
  io_error error;
  faults_total();
  if (parse(&p, &error)) FAIL("%s", error.text);
  picture_free(&p);
  size_t asked = faults_total();
  printf("%d x %d: %zu bytes asked for, %zu of them pixels\n", SIDE, SIDE, asked, SIDE * SIDE * sizeof(float));
  assert_true(asked >= SIDE * SIDE * sizeof(float) && asked <= SIDE * SIDE * sizeof(float) + (256 << 10));
}

static void a_lie_about_the_size_gets_no_memory(void **state)
{
  (void)state;
  make(PICTURE_MOST_SIDE, PICTURE_MOST_SIDE, 2, 0, (const uint8_t[16]){0}, 16);
  picture p = {0};
  io_error error;
  faults_total();
  io_status status = parse(&p, &error);
  size_t asked = faults_total();
  printf("%d x %d in %zu bytes: %zu bytes asked for; %s\n", PICTURE_MOST_SIDE, PICTURE_MOST_SIDE, made.count, asked,
         error.text);
  assert_int_equal(status, IO_BAD_INPUT);
  assert_null(p.pixels);
  assert_true(asked <= 1 << 20);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(interlaced_pictures_are_the_same),     cmocka_unit_test(chunks_about_colour_change_nothing),
      cmocka_unit_test(ppm_has_three_values_a_pixel),         cmocka_unit_test(pictures_are_fitted),
      cmocka_unit_test(a_picture_takes_its_pixels_and_a_row), cmocka_unit_test(a_lie_about_the_size_gets_no_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
