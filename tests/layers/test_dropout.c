/* Dropout: its definition by random bits, its share, threads, batches, in place, bad arguments. */
#include "check.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whether an element is dropped, as the header says. */
static bool is_dropped(const cnnblas_dropout_desc *d, uint64_t number, int64_t e)
{
  uint32_t key[4], high[4], low[4];
  const int64_t word = e % 8 / 2, shift = e % 2 * 16;
  cnnblas_random_bits(d->seed, d->layer, d->step, key);
  cnnblas_random_bits((uint64_t)key[1] << 32 | key[0], number, (uint64_t)e / 8, high);
  cnnblas_random_bits((uint64_t)key[1] << 32 | key[0], number, (uint64_t)e / 8 + ((uint64_t)1 << 63), low);
  return (high[word] >> shift & 0xffff) * 65536.0 + (low[word] >> shift & 0xffff) < floor(d->p * 0x1p32);
}

static void elements_are_dropped_by_their_numbers(void **state)
{
  (void)state;
  static const int64_t lengths[] = {1, 3, 4, 5, 100, 16384, 16387, 50001};
  for (int s = 0; s < 8; s++)
    for (int variant = 0; variant < 4; variant++) {
      cnnblas_dropout_desc d = {.n = 3, .elements = lengths[s], .p = 0.3, .seed = 5, .layer = 2, .step = 9};
      const int64_t numbers[] = {70000, 3, 1LL << 40}, count = d.n * d.elements;
      d.dtype = variant % 2 ? CNNBLAS_F64 : CNNBLAS_F32;
      double *x = check_reals(1, count), *y = check_reals(2, count);
      float *xf = check_floats(1, count), *yf = check_floats(2, count);
      ASSERT_OK(cnnblas_dropout_apply(&d, d.n, variant / 2 ? numbers : NULL, variant % 2 ? (void *)x : (void *)xf,
                                      variant % 2 ? (void *)y : (void *)yf));
      int64_t dropped = 0;
      for (int64_t i = 0; i < count; i++) {
        int64_t in = i / d.elements;
        bool is = is_dropped(&d, (uint64_t)(variant / 2 ? numbers[in] : in), i % d.elements);
        dropped += is;
        if (variant % 2)
          assert_true(y[i] == (is ? 0 : x[i] * (1 / (1 - 0.3))));
        else
          assert_true(yf[i] == (is ? 0 : xf[i] * (float)(1 / (1 - 0.3))));
      }
      if (count > 1000) assert_true(fabs((double)dropped / (double)count - 0.3) < 5 * sqrt(0.21 / (double)count));
      free(x), free(y), free(xf), free(yf);
    }
}

/* The upper half of a draw is that of a limit in one of 65536 elements, whose lower half then decides: about as often as p says,
   also where p's upper half is all zeros or ones. */
static void rare_draws_follow_the_whole_share(void **state)
{
  (void)state;
  enum { COUNT = 1 << 23 };
  static const double shares[] = {0x1p-17, 0x1p-16, 0x3p-17, 0.3, 0.5 + 0x1p-17, 1 - 0x1p-17};
  float *x = check_floats(1, COUNT), *y = check_floats(2, COUNT);
  for (int s = 0; s < 6; s++) {
    const cnnblas_dropout_desc d = {.n = 1, .elements = COUNT, .p = shares[s], .seed = 4};
    const double expected = shares[s] * COUNT;
    int64_t dropped = 0, decided = 0;
    for (int64_t i = 0; i < COUNT; i++) x[i] = 1;
    ASSERT_OK(cnnblas_dropout_apply(&d, 1, NULL, x, y));
    for (int64_t i = 0; i < COUNT; i++) dropped += y[i] == 0;
    assert_true(fabs((double)dropped - expected) < 5 * sqrt(expected * (1 - shares[s])));
    for (int64_t i = 0; i < COUNT; i += 61) {
      decided++;
      assert_true((y[i] == 0) == is_dropped(&d, 0, i));
    }
    assert_true(decided > COUNT / 64);
  }
  free(x), free(y);
}

/* Any threads, in place, an image alone; another step, layer or seed drops others; p = 0 drops none. */
static void bits_follow_the_key_alone(void **state)
{
  (void)state;
  enum { N = 4, LENGTH = 20001, COUNT = N * LENGTH };
  const int64_t numbers[N] = {11, 5, 8, 2};
  float *x = check_floats(1, COUNT), *one = check_floats(2, COUNT), *other = check_floats(3, COUNT);
  cnnblas_dropout_desc d = {.n = N, .elements = LENGTH, .p = 0.5, .seed = 1, .layer = 1, .step = 1, .threads = 1};
  ASSERT_OK(cnnblas_dropout_apply(&d, N, numbers, x, one));
  for (int i = 0; i < CHECK_TEAMS; i++) {
    d.threads = check_teams[i];
    memcpy(other, x, COUNT * sizeof *x);
    ASSERT_OK(cnnblas_dropout_apply(&d, N, numbers, other, other));
    assert_memory_equal(one, other, COUNT * sizeof *x);
  }
  ASSERT_OK(cnnblas_dropout_apply(&d, 1, numbers + 2, x + 2 * LENGTH, other));
  assert_memory_equal(one + 2 * LENGTH, other, LENGTH * sizeof *x);
  for (int change = 0; change < 3; change++) {
    cnnblas_dropout_desc changed = d;
    uint64_t *keys[] = {&changed.seed, &changed.layer, &changed.step};
    *keys[change] += 1;
    ASSERT_OK(cnnblas_dropout_apply(&changed, N, numbers, x, other));
    int same = 0;
    for (int i = 0; i < COUNT; i++) same += (one[i] == 0) == (other[i] == 0);
    assert_true(abs(same - COUNT / 2) < 5 * sqrt(COUNT) / 2);
  }
  d.p = 0;
  ASSERT_OK(cnnblas_dropout_apply(&d, N, numbers, x, other));
  assert_memory_equal(x, other, COUNT * sizeof *x);
  free(x), free(one), free(other);
}

typedef struct {
  cnnblas_dropout_desc d;
  double *x, *y, *r;
} probe;

static double run_probe(void *context)
{
  probe *p = context;
  ASSERT_OK(cnnblas_dropout_apply(&p->d, 2, NULL, p->x, p->y));
  return check_dot(p->y, p->r, 2 * p->d.elements);
}

static void the_gradient_is_the_same_function(void **state)
{
  (void)state;
  probe p = {{.dtype = CNNBLAS_F64, .n = 2, .elements = 37, .p = 0.4, .seed = 3},
             check_reals(1, 74),
             check_reals(2, 74),
             check_reals(3, 74)};
  double *dx = check_reals(4, 74);
  ASSERT_OK(cnnblas_dropout_apply(&p.d, 2, NULL, p.r, dx));
  check_gradient("x", run_probe, &p, p.x, dx, 74);
  free(p.x), free(p.y), free(p.r), free(dx);
}

static void bad_arguments_are_refused(void **state)
{
  (void)state;
  float x[8] = {0}, y[8];
  const cnnblas_dropout_desc good = {.n = 2, .elements = 4, .p = 0.5};
  cnnblas_dropout_desc d;
#define REFUSED(status, change) d = good, change, assert_int_equal(cnnblas_dropout_apply(&d, 2, NULL, x, y), status)
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.p = 1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.p = -0.1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.p = NAN);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.n = 1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.elements = 0);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.reserved[3] = 1);
  REFUSED(CNNBLAS_UNSUPPORTED, d.dtype = CNNBLAS_BF16);
  REFUSED(CNNBLAS_SIZE_OVERFLOW, d.elements = INT64_MAX);
  assert_int_equal(cnnblas_dropout_apply(&good, 2, NULL, NULL, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_dropout_apply(&good, 1, NULL, x, x + 1), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_dropout_apply(NULL, 2, NULL, x, y), CNNBLAS_INVALID_ARGUMENT);
  ASSERT_OK(cnnblas_dropout_apply(&good, 0, NULL, NULL, NULL));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(elements_are_dropped_by_their_numbers), cmocka_unit_test(rare_draws_follow_the_whole_share),
      cmocka_unit_test(bits_follow_the_key_alone), cmocka_unit_test(the_gradient_is_the_same_function),
      cmocka_unit_test(bad_arguments_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
