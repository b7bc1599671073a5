/* Nesterov's momentum, AdamW, clipping by the norm and moving averages: definitions, worked examples, threads, bad arguments. */
#include "check.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 50003 };

static void *numbers(cnnblas_dtype dtype, uint64_t stream)
{
  return dtype == CNNBLAS_F64 ? (void *)check_reals(stream, COUNT) : (void *)check_floats(stream, COUNT);
}

static void *zeros(void)
{
  return calloc(COUNT, sizeof(double));
}

/* Three steps in long double, of what the arrays hold. */
static void steps_are_their_definitions(void **state)
{
  (void)state;
  for (int variant = 0; variant < 4; variant++) {
    bool nesterov = variant / 2;
    cnnblas_dtype dtype = variant % 2 ? CNNBLAS_F64 : CNNBLAS_F32;
    double u = dtype == CNNBLAS_F64 ? 0x1p-53 : 0x1p-24;
    void *p = numbers(dtype, 1), *g = numbers(dtype, 2), *m = zeros(), *v = zeros();
    long double *want = malloc(COUNT * sizeof *want), *first = calloc(COUNT, sizeof *first);
    long double *second = calloc(COUNT, sizeof *second);
    for (int i = 0; i < COUNT; i++) want[i] = array_get(dtype, p, i);
    cnnblas_sgd_desc sgd = {.dtype = dtype, .lr = 0.125, .momentum = 0.75, .weight_decay = 0.25};
    cnnblas_adamw_desc adamw = {.dtype = dtype, .lr = 0.125, .beta1 = 0.75, .beta2 = 0.875, .weight_decay = 0.25};
    adamw.epsilon = 0x1p-10;
    for (int step = 1; step <= 3; step++) {
      adamw.step = step;
      if (nesterov)
        ASSERT_OK(cnnblas_nesterov_step(&sgd, COUNT, p, g, v));
      else
        ASSERT_OK(cnnblas_adamw_step(&adamw, COUNT, p, g, m, v));
      for (int i = 0; i < COUNT; i++) {
        long double slope = array_get(dtype, g, i);
        if (nesterov) {
          slope += 0.25L * want[i];
          second[i] = 0.75L * second[i] + slope;
          want[i] -= 0.125L * (slope + 0.75L * second[i]);
        } else {
          first[i] = 0.75L * first[i] + 0.25L * slope;
          second[i] = 0.875L * second[i] + 0.125L * slope * slope;
          long double root = sqrtl(second[i] / (1 - powl(0.875L, step))) + 0x1p-10L;
          want[i] = want[i] * (1 - 0.125L * 0.25L) - 0.125L / (1 - powl(0.75L, step)) * first[i] / root;
        }
        if (!(fabsl(array_get(dtype, p, i) - want[i]) <= 64 * u * (1 + fabsl(want[i]))))
          FAIL("variant %d, step %d: p[%d] is %.17g, not %.17Lg", variant, step, i, array_get(dtype, p, i), want[i]);
        assert_true(fabsl(array_get(dtype, v, i) - second[i]) <= 16 * u * (1 + fabsl(second[i])));
      }
    }
    free(p), free(g), free(m), free(v), free(want), free(first), free(second);
  }
}

/* torch.optim.SGD(lr=0.1, momentum=0.9, nesterov=True) on p = 1 with gradient 1: v = 1, p = 1 - 0.1 * 1.9. AdamW's first step
   with the defaults and lr = 0.1, weight_decay = 0.01 moves by lr whatever the gradient: 0.999 - 0.1. */
static void steps_match_worked_examples(void **state)
{
  (void)state;
  double p = 1, g = 1, v = 0, m = 0;
  cnnblas_sgd_desc sgd = {.dtype = CNNBLAS_F64, .lr = 0.1, .momentum = 0.9};
  ASSERT_OK(cnnblas_nesterov_step(&sgd, 1, &p, &g, &v));
  assert_true(fabs(p - 0.81) < 1e-15 && v == 1);
  cnnblas_adamw_desc adamw = {.dtype = CNNBLAS_F64, .step = 1, .lr = 0.1, .weight_decay = 0.01};
  p = 1, v = 0;
  ASSERT_OK(cnnblas_adamw_step(&adamw, 1, &p, &g, &m, &v));
  assert_true(fabs(p - 0.899) < 1e-8 && fabs(m - 0.1) < 1e-16 && fabs(v - 0.001) < 1e-16);
}

static void clipping_scales_to_the_norm(void **state)
{
  (void)state;
  float a[2] = {3, 0}, b[1] = {-4};
  void *tensors[2] = {a, b};
  const int64_t counts[2] = {2, 1};
  double norm;
  ASSERT_OK(cnnblas_gradient_clip(CNNBLAS_F32, 0, 2, counts, tensors, 5, &norm));
  assert_true(norm == 5 && a[0] == 3 && b[0] == -4);
  ASSERT_OK(cnnblas_gradient_clip(CNNBLAS_F32, 0, 2, counts, tensors, 1, &norm));
  assert_true(norm == 5 && fabsf(a[0] - 0.6f) < 1e-7f && a[1] == 0 && fabsf(b[0] + 0.8f) < 1e-7f);
  a[1] = INFINITY;
  ASSERT_OK(cnnblas_gradient_clip(CNNBLAS_F32, 0, 2, counts, tensors, 1, &norm));
  assert_true(isinf(norm) && fabsf(b[0] + 0.8f) < 1e-7f);
  a[1] = NAN;
  ASSERT_OK(cnnblas_gradient_clip(CNNBLAS_F32, 0, 2, counts, tensors, 1, &norm));
  assert_true(isnan(norm) && fabsf(b[0] + 0.8f) < 1e-7f);
  ASSERT_OK(cnnblas_gradient_clip(CNNBLAS_F32, 0, 0, NULL, NULL, 1, &norm));
  assert_true(norm == 0);
}

/* Elements whose squares overflow, or vanish, in double. */
static void clipping_keeps_extreme_norms(void **state)
{
  (void)state;
  for (int i = 0; i < 2; i++) {
    double unit = i ? 0x1p-700 : 0x1p700, a[2] = {3 * unit, 0}, b[1] = {-4 * unit}, norm;
    void *tensors[2] = {a, b};
    const int64_t counts[2] = {2, 1};
    ASSERT_OK(cnnblas_gradient_clip(CNNBLAS_F64, 0, 2, counts, tensors, unit, &norm));
    assert_true(fabs(norm / unit - 5) < 1e-15 && fabs(a[0] / unit - 0.6) < 1e-15 && fabs(b[0] / unit + 0.8) < 1e-15);
    a[1] = INFINITY;
    ASSERT_OK(cnnblas_gradient_clip(CNNBLAS_F64, 0, 2, counts, tensors, unit, &norm));
    assert_true(isinf(norm));
    a[1] = NAN;
    ASSERT_OK(cnnblas_gradient_clip(CNNBLAS_F64, 0, 2, counts, tensors, unit, &norm));
    assert_true(isnan(norm));
  }
}

static void averages_move(void **state)
{
  (void)state;
  double *p = check_reals(1, COUNT), *a = check_reals(2, COUNT), *was = check_reals(2, COUNT);
  ASSERT_OK(cnnblas_average_update(CNNBLAS_F64, 0, COUNT, 0.75, p, a));
  for (int i = 0; i < COUNT; i++) assert_true(fabs(a[i] - (0.75 * was[i] + 0.25 * p[i])) <= 4e-16);
  memcpy(was, a, COUNT * sizeof *a);
  ASSERT_OK(cnnblas_average_update(CNNBLAS_F64, 0, COUNT, 1, p, a));
  assert_memory_equal(a, was, COUNT * sizeof *a);
  free(p), free(a), free(was);
}

/* Every step on 1 and on other numbers of threads. */
static void bits_do_not_depend_on_threads(void **state)
{
  (void)state;
  float *kept[4] = {NULL};
  double kept_norm = 0;
  for (int run = -1; run < CHECK_TEAMS; run++) {
    int32_t threads = run < 0 ? 1 : check_teams[run];
    float *x[4];
    for (int i = 0; i < 4; i++) x[i] = check_floats((uint64_t)i, COUNT);
    for (int i = 0; i < COUNT; i++) x[3][i] = fabsf(x[3][i]);
    cnnblas_sgd_desc sgd = {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .threads = threads};
    cnnblas_adamw_desc adamw = {.lr = 0.1, .step = 3, .weight_decay = 0.01, .threads = threads};
    void *tensors[2] = {x[0], x[1]};
    const int64_t counts[2] = {COUNT, COUNT - 7};
    double norm;
    ASSERT_OK(cnnblas_gradient_clip(CNNBLAS_F32, threads, 2, counts, tensors, 0.5, &norm));
    ASSERT_OK(cnnblas_nesterov_step(&sgd, COUNT, x[0], x[1], x[2]));
    ASSERT_OK(cnnblas_adamw_step(&adamw, COUNT, x[0], x[1], x[2], x[3]));
    ASSERT_OK(cnnblas_average_update(CNNBLAS_F32, threads, COUNT, 0.9, x[0], x[1]));
    if (run < 0) kept_norm = norm;
    assert_true(norm == kept_norm && norm > 0.5);
    for (int i = 0; i < 4; i++) {
      if (run >= 0) assert_memory_equal(kept[i], x[i], COUNT * sizeof *x[i]);
      if (run >= 0)
        free(x[i]);
      else
        kept[i] = x[i];
    }
  }
  for (int i = 0; i < 4; i++) free(kept[i]);
}

static void bad_arguments_are_refused(void **state)
{
  (void)state;
  float p[4] = {0}, g[4] = {0}, m[4] = {0}, v[4] = {0};
  double norm;
  int64_t counts[1] = {4};
  void *tensors[1] = {g};
  const cnnblas_adamw_desc good = {.step = 1, .lr = 0.1};
  cnnblas_sgd_desc sgd = {.lr = 0.1};
  cnnblas_adamw_desc d;
#define REFUSED(change)                                                                                                \
  d = good, change, assert_int_equal(cnnblas_adamw_step(&d, 4, p, g, m, v), CNNBLAS_INVALID_ARGUMENT)
  REFUSED(d.step = 0);
  REFUSED(d.lr = -1);
  REFUSED(d.lr = INFINITY);
  REFUSED(d.beta1 = 1);
  REFUSED(d.beta2 = -0.1);
  REFUSED(d.epsilon = NAN);
  REFUSED(d.weight_decay = -1);
  REFUSED(d.epsilon = 1e-60);
  REFUSED(d.epsilon = 1e60);
  REFUSED(d.lr = 1e300);
  REFUSED(d.weight_decay = 1e39);
  REFUSED(d.reserved[7] = 1);
  REFUSED(d.threads = -1);
  assert_int_equal(cnnblas_adamw_step(NULL, 4, p, g, m, v), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_adamw_step(&good, 4, p, g, m, m), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_adamw_step(&good, -1, p, g, m, v), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_nesterov_step(&sgd, 4, p, g, NULL), CNNBLAS_INVALID_ARGUMENT);
  sgd.momentum = 1;
  assert_int_equal(cnnblas_nesterov_step(&sgd, 4, p, g, v), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_gradient_clip(CNNBLAS_BF16, 0, 1, counts, tensors, 1, &norm), CNNBLAS_UNSUPPORTED);
  assert_int_equal(cnnblas_gradient_clip(CNNBLAS_F32, 0, 1, counts, tensors, 0, &norm), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_gradient_clip(CNNBLAS_F32, 0, 1, NULL, tensors, 1, &norm), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_gradient_clip(CNNBLAS_F32, 0, 1, counts, tensors, 1, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_gradient_clip(CNNBLAS_F64, 0, 1, counts, (void *[]){&norm}, 1, &norm),
                   CNNBLAS_INVALID_ARGUMENT);
  counts[0] = -1;
  assert_int_equal(cnnblas_gradient_clip(CNNBLAS_F32, 0, 1, counts, tensors, 1, &norm), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_average_update(CNNBLAS_F32, 0, 4, 1.5, p, v), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_average_update(CNNBLAS_F32, 0, 4, 0.5, p, p), CNNBLAS_INVALID_ARGUMENT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_are_their_definitions),  cmocka_unit_test(steps_match_worked_examples),
      cmocka_unit_test(clipping_scales_to_the_norm),  cmocka_unit_test(averages_move),
      cmocka_unit_test(clipping_keeps_extreme_norms), cmocka_unit_test(bits_do_not_depend_on_threads),
      cmocka_unit_test(bad_arguments_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
