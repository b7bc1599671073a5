/* Random numbers against Random123's known answers; initialisation; permutations. */
#include "check.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The vectors for philox4x32, 10 rounds, from Random123's kat_vectors. */
static void philox_gives_the_known_answers(void **state)
{
  (void)state;
  uint32_t bits[4];
  const uint32_t zeros[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  const uint32_t ones[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
  const uint32_t pi[4] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
  cnnblas_random_bits(0, 0, 0, bits);
  assert_memory_equal(bits, zeros, sizeof bits);
  cnnblas_random_bits(UINT64_MAX, UINT64_MAX, UINT64_MAX, bits);
  assert_memory_equal(bits, ones, sizeof bits);
  cnnblas_random_bits(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88, bits);
  assert_memory_equal(bits, pi, sizeof bits);
}

static void uniform_comes_from_the_bits(void **state)
{
  (void)state;
  double sum = 0;
  assert_true(cnnblas_random_uniform(0, 0, 0) == (double)(0xe169c58d6627e8d5 >> 11) * 0x1p-53);
  assert_true(cnnblas_random_uniform(0, 0, 1) == (double)(0x9b00dbd8bc57ac4c >> 11) * 0x1p-53);
  for (uint64_t i = 0; i < 100000; i++) {
    double u = cnnblas_random_uniform(7, 1, i);
    assert_true(u >= 0 && u < 1);
    sum += u;
  }
  assert_true(fabs(sum / 100000 - 0.5) < 5 * 0.2887 / sqrt(100000));
}

static void he_has_its_standard_deviation(void **state)
{
  (void)state;
  enum { COUNT = 200000 };
  double *w = check_reals(1, COUNT);
  cnnblas_init_desc d = {.dtype = CNNBLAS_F64, .fan_in = 50, .fan_out = 8, .seed = 3, .stream = 9};
  const struct {
    cnnblas_init kind;
    double std;
  } cases[] = {
      {CNNBLAS_INIT_HE, 0.2}, {CNNBLAS_INIT_HE_FAN_OUT, 0.5}, {CNNBLAS_INIT_SMALL, 0.01}, {CNNBLAS_INIT_ZERO, 0}};
  for (int c = 0; c < 4; c++) {
    double sum = 0, squares = 0, fourth = 0;
    d.kind = cases[c].kind;
    ASSERT_OK(cnnblas_init_fill(&d, COUNT, w));
    for (int i = 0; i < COUNT; i++) sum += w[i], squares += w[i] * w[i], fourth += pow(w[i], 4);
    double std = sqrt(squares / COUNT);
    assert_true(fabs(sum / COUNT) <= 5 * cases[c].std / sqrt(COUNT));
    assert_true(fabs(std - cases[c].std) <= 5 * cases[c].std / sqrt(2.0 * COUNT));
    if (c < 3) assert_true(fabs(fourth / COUNT / pow(std, 4) - 3) < 0.1); /* a Gaussian's */
  }
  free(w);
}

static void numbers_do_not_depend_on_threads_or_length(void **state)
{
  (void)state;
  enum { COUNT = 30001 };
  float *one = check_floats(1, COUNT), *other = check_floats(2, COUNT);
  cnnblas_init_desc d = {.fan_in = 9, .seed = 11, .stream = 4, .threads = 1};
  ASSERT_OK(cnnblas_init_fill(&d, COUNT, one));
  for (int i = 0; i < CHECK_TEAMS; i++) {
    d.threads = check_teams[i];
    ASSERT_OK(cnnblas_init_fill(&d, COUNT, other));
    assert_memory_equal(one, other, COUNT * sizeof *one);
  }
  ASSERT_OK(cnnblas_init_fill(&d, 777, other));
  assert_memory_equal(one, other, 777 * sizeof *one);
  d.stream = 5;
  ASSERT_OK(cnnblas_init_fill(&d, COUNT, other));
  assert_true(memcmp(one, other, COUNT * sizeof *one) != 0);
  d.fan_in = 0;
  assert_int_equal(cnnblas_init_fill(&d, COUNT, other), CNNBLAS_INVALID_ARGUMENT);
  free(one), free(other);
}

static void permutations_hold_every_number_once(void **state)
{
  (void)state;
  enum { COUNT = 1000 };
  int64_t order[COUNT], again[COUNT];
  char seen[COUNT] = {0};
  ASSERT_OK(cnnblas_random_permutation(5, 0, COUNT, order));
  int fixed = 0;
  for (int i = 0; i < COUNT; i++) {
    assert_true(order[i] >= 0 && order[i] < COUNT && !seen[order[i]]);
    seen[order[i]] = 1;
    fixed += order[i] == i;
  }
  assert_true(fixed < 12); /* one is expected */
  ASSERT_OK(cnnblas_random_permutation(5, 0, COUNT, again));
  assert_memory_equal(order, again, sizeof order);
  ASSERT_OK(cnnblas_random_permutation(5, 1, COUNT, again));
  assert_true(memcmp(order, again, sizeof order) != 0);
  assert_int_equal(cnnblas_random_permutation(5, 0, -1, order), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_random_permutation(5, 0, INT64_MAX, order), CNNBLAS_SIZE_OVERFLOW);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(philox_gives_the_known_answers), cmocka_unit_test(uniform_comes_from_the_bits),
      cmocka_unit_test(he_has_its_standard_deviation), cmocka_unit_test(numbers_do_not_depend_on_threads_or_length),
      cmocka_unit_test(permutations_hold_every_number_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
