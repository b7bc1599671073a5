/*
 * PNG files made here: interlaced or not they give the same pixels, a picture takes little more memory than its pixels,
 * and a head that promises more than its file can hold gets none.
 */
#include "faults.h"
#include "io/picture.h"
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
      cmocka_unit_test(interlaced_pictures_are_the_same),
      cmocka_unit_test(a_picture_takes_its_pixels_and_a_row),
      cmocka_unit_test(a_lie_about_the_size_gets_no_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
