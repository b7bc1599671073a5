/*
 * The drawn digits: image i of a seed is a function of (seed, i); all digits equally often; legible, but not by
 * comparing pixels.
 */
#include "digits.h"
#include "support/harness.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 7, TRAIN = 2000, TEST = 1000 };

static void an_image_is_the_same_alone_and_in_any_range(void **state)
{
  (void)state;
  static float range[30 * DIGITS_PIXELS], alone[DIGITS_PIXELS];
  int32_t labels[30];
  digits_fill(SEED, 95, 30, range, labels);
  for (int i = 29; i >= 0; i--) {
    assert_int_equal(digits_draw(SEED, 95 + (uint64_t)i, alone), labels[i]);
    assert_memory_equal(alone, range + i * DIGITS_PIXELS, sizeof alone);
  }
}

static void labels_count_through_the_digits(void **state)
{
  (void)state;
  static float pixels[25 * DIGITS_PIXELS];
  int32_t labels[25];
  digits_fill(SEED, 1000004, 25, pixels, labels);
  for (int i = 0; i < 25; i++) assert_int_equal(labels[i], (4 + i) % 10);
}

static void pixels_are_from_paper_to_ink(void **state)
{
  (void)state;
  static float pixels[DIGITS_PIXELS];
  for (uint64_t i = 0; i < 500; i++) {
    digits_draw(SEED, i, pixels);
    int inked = 0;
    for (int p = 0; p < DIGITS_PIXELS; p++) {
      assert_true(pixels[p] >= 0 && pixels[p] <= 1);
      inked += pixels[p] > 0.5F;
    }
    if (inked < 10 || inked > DIGITS_PIXELS / 3) FAIL("image %d has %d inked pixels", (int)i, inked);
  }
}

static void no_two_images_are_alike(void **state)
{
  (void)state;
  enum { COUNT = 100 };
  static float pixels[2 * COUNT * DIGITS_PIXELS];
  int32_t labels[COUNT];
  digits_fill(SEED, 0, COUNT, pixels, labels);
  digits_fill(SEED + 1, 0, COUNT, pixels + COUNT * DIGITS_PIXELS, labels);
  for (int i = 0; i < 2 * COUNT; i++)
    for (int j = 0; j < i; j++)
      assert_memory_not_equal(pixels + i * DIGITS_PIXELS, pixels + j * DIGITS_PIXELS, DIGITS_PIXELS * sizeof *pixels);
}

static int nearest(const double centroids[DIGITS_CLASSES][DIGITS_PIXELS], const float *pixels)
{
  int best = 0;
  double least = INFINITY;
  for (int digit = 0; digit < DIGITS_CLASSES; digit++) {
    double distance = 0;
    for (int p = 0; p < DIGITS_PIXELS; p++) {
      double d = centroids[digit][p] - (double)pixels[p];
      distance += d * d;
    }
    if (distance < least) least = distance, best = digit;
  }
  return best;
}

/* Whoever compares an image with the mean image of each digit is right far more often than chance, and often wrong. */
static void the_mean_image_tells_some_digits(void **state)
{
  (void)state;
  static double centroids[DIGITS_CLASSES][DIGITS_PIXELS];
  static float pixels[DIGITS_PIXELS];
  for (uint64_t i = 0; i < TRAIN; i++) {
    int32_t digit = digits_draw(SEED, i, pixels);
    for (int p = 0; p < DIGITS_PIXELS; p++) centroids[digit][p] += (double)pixels[p] * DIGITS_CLASSES / TRAIN;
  }
  int right = 0;
  for (uint64_t i = TRAIN; i < TRAIN + TEST; i++) {
    int32_t digit = digits_draw(SEED, i, pixels);
    right += nearest((const double(*)[DIGITS_PIXELS])centroids, pixels) == digit;
  }
  print_message("nearest mean image: %d of %d\n", right, TEST);
  assert_in_range(right, 4 * TEST / 10, 9 * TEST / 10);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_image_is_the_same_alone_and_in_any_range),
      cmocka_unit_test(labels_count_through_the_digits),
      cmocka_unit_test(pixels_are_from_paper_to_ink),
      cmocka_unit_test(no_two_images_are_alike),
      cmocka_unit_test(the_mean_image_tells_some_digits),
  };
  return cmocka_run_group_tests_name("digits", tests, NULL, NULL);
}
