/* Augmentation against its definition: what is drawn follows from seed, epoch and number alone; pixels move as it says. */
#include "data/augment.h"
#include "dataset.h"
#include "io/system.h"
#include "support/harness.h"
#include <string.h>

enum { C = 3, H = 7, W = 9, PIXELS = C * H * W, COUNT = 40 };

static uint8_t pixels[COUNT * PIXELS];
static int32_t labels[COUNT];
static const input_norm norm = {.channels = C, .mean = {1, 2, 3}, .scale = {0.5, 0.25, 2}, .white = 255};

static dataset make_data(void)
{
  for (int i = 0; i < COUNT * PIXELS; i++) pixels[i] = (uint8_t)(37 * i + i / 255);
  for (int i = 0; i < COUNT; i++) labels[i] = i % 4;
  dataset d = {.count = COUNT, .c = C, .size = {H, W}, .pixels = PIXELS, .labels = labels};
  d.images =
      (idx_array){.type = IDX_U8, .rank = 4, .size = {COUNT, C, H, W}, .elements = COUNT * PIXELS, .values = pixels};
  return d;
}

/* The pixel that lands at channel c, row i, column j. */
static double wanted(const augment_draw *d, int64_t image, int64_t c, int64_t i, int64_t j)
{
  int64_t row = i + d->down, column = j + d->right;
  if (row < 0 || row >= H || column < 0 || column >= W) return 0;
  if (i >= d->top && i < d->bottom && j >= d->left && j < d->end_of_square) return 0;
  if (d->flip) column = W - 1 - column;
  return (pixels[image * PIXELS + (c * H + row) * W + column] - norm.mean[c]) * norm.scale[c];
}

static void pixels_move_as_drawn(void **state)
{
  (void)state;
  const augment_settings all = {.flip = true, .crop = 3, .cutout = 4};
  dataset d = make_data();
  static double out[COUNT * PIXELS];
  io_error error;
  const dataset_part part = {.count = COUNT, .augment = &all, .seed = 5, .epoch = 2};
  assert_int_equal(dataset_gather(&d, &part, &norm, CNNBLAS_F64, out, NULL, &error), IO_OK);
  int64_t flips = 0, moved = 0;
  for (int64_t image = 0; image < COUNT; image++) {
    const augment_draw draw = augment_drawn(&all, 5, 2, image, H, W);
    flips += draw.flip;
    moved += draw.down != 0 || draw.right != 0;
    assert_true(draw.down >= -3 && draw.down <= 3 && draw.right >= -3 && draw.right <= 3);
    assert_true(draw.bottom > draw.top && draw.bottom <= H && draw.end_of_square > draw.left &&
                draw.end_of_square <= W);
    for (int64_t c = 0; c < C; c++)
      for (int64_t i = 0; i < H; i++)
        for (int64_t j = 0; j < W; j++) {
          double is = out[image * PIXELS + (c * H + i) * W + j], want = wanted(&draw, image, c, i, j);
          if (!(is - want < 1e-12 && want - is < 1e-12)) FAIL("image %d: %g, not %g", (int)image, is, want);
        }
  }
  assert_true(flips > COUNT / 4 && flips < 3 * COUNT / 4 && moved > COUNT / 2);
}

static void draws_do_not_depend_on_the_batch(void **state)
{
  (void)state;
  const augment_settings all = {.flip = true, .crop = 2, .cutout = 3};
  dataset d = make_data();
  static float whole[COUNT * PIXELS], one[PIXELS];
  io_error error;
  dataset_part part = {.count = COUNT, .augment = &all, .seed = 9, .epoch = 1};
  assert_int_equal(dataset_gather(&d, &part, &norm, CNNBLAS_F32, whole, NULL, &error), IO_OK);
  int64_t differ = 0;
  for (int64_t image = COUNT - 1; image >= 0; image--) {
    int32_t label;
    part = (dataset_part){.numbers = &image, .count = 1, .augment = &all, .seed = 9, .epoch = 1};
    assert_int_equal(dataset_gather(&d, &part, &norm, CNNBLAS_F32, one, &label, &error), IO_OK);
    assert_memory_equal(one, whole + image * PIXELS, sizeof one);
    assert_int_equal(label, labels[image]);
    part.epoch = 2;
    assert_int_equal(dataset_gather(&d, &part, &norm, CNNBLAS_F32, one, NULL, &error), IO_OK);
    differ += memcmp(one, whole + image * PIXELS, sizeof one) != 0;
  }
  assert_true(differ > COUNT / 2);
}

static void texts_are_read_and_printed(void **state)
{
  (void)state;
  static const char *const good[] = {"none", "flip", "crop:4", "cutout:8", "flip,crop:4", "flip,crop:4,cutout:1024"};
  static const char *const bad[] = {
      "",       "flip,",       "flip,flip", "crop",      "crop:",       "crop:0",  "crop:-1",
      "crop:x", "cutout:1025", ",flip",     "none,flip", "flip crop:4", "crop:4,", "flipp"};
  augment_settings s;
  char text[AUGMENT_TEXT];
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    assert_true(augment_parse(good[i], &s));
    assert_string_equal(augment_print(&s, text), good[i]);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    if (augment_parse(bad[i], &s)) FAIL("\"%s\" was read", bad[i]);
}

static void norms_come_back_from_their_text(void **state)
{
  (void)state;
  const double numbers[3] = {1.0 / 3, -1e-20, 255};
  double found[NORM_MOST_CHANNELS];
  int64_t count;
  char text[NORM_TEXT];
  assert_true(norm_parse(norm_print(numbers, 3, text), found, &count) && count == 3);
  assert_memory_equal(found, numbers, sizeof numbers);
  static const char *const bad[] = {"", ",", "1,", "1,,2", "x", "nan", "inf", "1e40", "1 2", "1;2"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    if (norm_parse(bad[i], found, &count)) FAIL("\"%s\" was read", bad[i]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pixels_move_as_drawn), cmocka_unit_test(draws_do_not_depend_on_the_batch),
      cmocka_unit_test(texts_are_read_and_printed), cmocka_unit_test(norms_come_back_from_their_text)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
