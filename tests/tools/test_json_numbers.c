/* Numbers in JSON: read back equal, to the bit, and in no more digits than that takes. */
#include "reports/json_numbers.h"
#include "support/harness.h"
#include "support/rng.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t seed = 20261127;

/* The text of an array of one number. */
static char *shortened(double value)
{
  json_t *array = json_pack("[f]", value);
  char *text = json_dumps(array, 0);
  assert_non_null(text);
  size_t before = strlen(text);
  io_json_shorten_numbers(text);
  assert_true(strlen(text) <= before);
  json_decref(array);
  return text;
}

static int significant_digits(const char *text)
{
  int digits = 0, zeros = 0;
  for (; *text && *text != 'e'; text++) {
    if (*text < '0' || *text > '9' || (*text == '0' && !digits)) continue;
    digits++;
    zeros = *text == '0' ? zeros + 1 : 0;
  }
  return digits - zeros;
}

static void check(double value)
{
  char *text = shortened(value), fewer[320];
  json_t *array = json_loads(text, 0, NULL);
  harness_doing("%.17g as %s", value, text);
  json_t *number = json_array_get(array, 0);
  assert_true(json_is_real(number));
  double got = json_real_value(number);
  assert_memory_equal(&got, &value, sizeof value);
  int digits = significant_digits(text);
  /* Whole numbers are written out: their digits are all of them. */
  bool whole = fabs(value) >= 1 && fabs(value) < 1e17 && value == trunc(value);
  if (digits > 1 && !whole) {
    snprintf(fewer, sizeof fewer, "%.*g", digits - 1, value);
    if (strtod(fewer, NULL) == value) FAIL("%s would do", fewer);
  }
  json_decref(array);
  free(text);
}

static void random_numbers_read_back_equal(void **state)
{
  (void)state;
  rng r = rng_at(seed, 0);
  long count = 0;
  for (int i = 0; i < 20000; i++) {
    uint64_t bits = rng_next(&r);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) continue;
    check(value);
    check((double)(float)(bits % 1000003) / 1000);                           /* few digits */
    check((double)(int64_t)(bits >> (bits % 60)));                           /* whole */
    check(ldexp(1 + (double)(bits >> 12) * 0x1p-52, (int)(bits % 40) - 20)); /* of everyday size */
    count += 4;
  }
  printf("seed %llu: %ld numbers\n", (unsigned long long)seed, count);
  static const double special[] = {
      0.0,       -0.0,   0.1,        1.0,  100000, 1e16,   1e17,      1e22,
      1e23,      1e-5,   1e-4,       -2.5, 1e300,  5e-324, 0x1p-1022, 0x1.fffffffffffffp1023,
      123456789, 0x1p53, 0x1p56 + 16};
  for (size_t i = 0; i < sizeof special / sizeof *special; i++) check(special[i]);
}

static void the_rest_of_a_text_stays(void **state)
{
  (void)state;
  static const char *const pairs[][2] = {
      {"[0.10000000000000001]", "[0.1]"},
      {"{\"a 0.10000000000000001\": 1.5, \"b\\\"0.10000000000000001\": [1, -2, true, false, null, \"\", \"\\\\\"]}",
       "{\"a 0.10000000000000001\": 1.5, \"b\\\"0.10000000000000001\": [1, -2, true, false, null, \"\", \"\\\\\"]}"},
      {"{\n  \"t\": -1.0000000000000001e-5,\n  \"u\": 12345678901234567890}\n",
       "{\n  \"t\": -1e-5,\n  \"u\": 12345678901234567890}\n"},
      {"[100000.0, 1e22, 1.0]", "[100000.0, 1e22, 1.0]"},
      {"\"\"", "\"\""},
      {"", ""},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    char *text = strdup(pairs[i][0]);
    io_json_shorten_numbers(text);
    assert_string_equal(text, pairs[i][1]);
    free(text);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(random_numbers_read_back_equal),
                                     cmocka_unit_test(the_rest_of_a_text_stays)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
