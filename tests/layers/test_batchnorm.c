/* Batch normalisation: its definition, gradients of every tensor, running statistics, threads, batches, edges. */
#include "check.h"
#include "support/guarded.h"
#include <cnnblas/arrays.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Mean and variance of a channel in long double. */
static void statistics(const cnnblas_batchnorm_desc *d, const void *x, int64_t ic, long double *mean,
                       long double *variance)
{
  long double sum = 0, squares = 0, count = (long double)(d->n * d->pixels);
  for (int pass = 0; pass < 2; pass++)
    for (int64_t in = 0; in < d->n; in++)
      for (int64_t p = 0; p < d->pixels; p++) {
        long double v = (long double)array_get(d->dtype, x, (in * d->c + ic) * d->pixels + p);
        if (pass)
          squares += (v - sum / count) * (v - sum / count);
        else
          sum += v;
      }
  *mean = sum / count;
  *variance = squares / count;
}

enum { X, Y, GAMMA, BETA, RUNNING_MEAN, RUNNING_VARIANCE, MEAN, INV_STD, ARRAYS };

/* Inference by the running statistics; y is written. */
static void inference_holds(const cnnblas_batchnorm_desc *d, const cnnblas_batchnorm_arrays *a, const void *x, void *y,
                            double epsilon)
{
  const double u = d->dtype == CNNBLAS_F64 ? 0x1p-53 : 0x1p-24;
  ASSERT_OK(cnnblas_batchnorm_forward_inference(d, d->n, x, a, y));
  for (int64_t i = 0; i < d->n * d->c * d->pixels; i++) {
    int64_t ic = i / d->pixels % d->c;
    double m = array_get(d->dtype, a->running_mean, ic), scale = array_get(d->dtype, a->gamma, ic);
    scale /= sqrt(array_get(d->dtype, a->running_variance, ic) + epsilon);
    double beta = array_get(d->dtype, a->beta, ic), want = (array_get(d->dtype, x, i) - m) * scale + beta;
    assert_true(fabs(array_get(d->dtype, y, i) - want) <=
                16 * u * (fabs(want) + fabs(beta) + fabs(scale) * (1 + fabs(m))));
  }
}

/* Random problems between guard pages against the formula. */
static void the_formula_holds(void **state)
{
  (void)state;
  static guarded g[ARRAYS];
  static const int64_t shapes[][3] = {{1, 1, 1},  {1, 3, 2},   {7, 2, 1},    {3, 5, 49},
                                      {5, 2, 63}, {2, 3, 196}, {6, 1, 4096}, {3, 2, 9001}};
  for (int s = 0; s < 8; s++)
    for (int variant = 0; variant < 8; variant++) {
      cnnblas_batchnorm_desc d = {.n = shapes[s][0], .c = shapes[s][1], .pixels = shapes[s][2]};
      d.dtype = variant & 1 ? CNNBLAS_F64 : CNNBLAS_F32;
      if (variant & 2) d.epsilon = 0.25, d.momentum = 0.3;
      double epsilon = d.epsilon == 0 ? 1e-5 : d.epsilon, momentum = d.momentum == 0 ? 0.1 : d.momentum;
      double shift = variant & 4 ? 100 : 0, u = d.dtype == CNNBLAS_F64 ? 0x1p-53 : 0x1p-24;
      int64_t elements = d.n * d.c * d.pixels, e = d.dtype == CNNBLAS_F64 ? 8 : 4;
      harness_doing("shape %d, variant %d", s, variant);
      for (int i = 0; i < ARRAYS; i++)
        guarded_reset(&g[i], (size_t)((i <= Y ? elements : d.c) * (i >= MEAN ? 8 : e)),
                      s % 2 ? AGAINST_END : AGAINST_START);
      double *x = check_reals((uint64_t)s, elements), *c = check_reals(99, 4 * d.c);
      for (int64_t i = 0; i < elements; i++)
        array_set(d.dtype, g[X].data, i, x[i] + shift), array_set(d.dtype, g[Y].data, i, NAN);
      for (int64_t ic = 0; ic < d.c; ic++)
        for (int i = 0; i < 4; i++) array_set(d.dtype, g[GAMMA + i].data, ic, c[4 * ic + i] + (i == 3));
      cnnblas_batchnorm_arrays a = {.gamma = g[GAMMA].data,
                                    .beta = g[BETA].data,
                                    .running_mean = g[RUNNING_MEAN].data,
                                    .running_variance = g[RUNNING_VARIANCE].data,
                                    .mean = g[MEAN].data,
                                    .inv_std = g[INV_STD].data};
      guarded_protect(&g[X], true);
      ASSERT_OK(cnnblas_batchnorm_forward_training(&d, d.n, g[X].data, &a, g[Y].data));
      for (int i = 0; i < ARRAYS; i++) assert_true(guarded_intact(&g[i]));
      for (int64_t ic = 0; ic < d.c; ic++) {
        long double mean, variance, count = (long double)(d.n * d.pixels);
        statistics(&d, g[X].data, ic, &mean, &variance);
        long double inv_std = 1 / sqrtl(variance + (long double)epsilon);
        long double gamma = array_get(d.dtype, g[GAMMA].data, ic), beta = array_get(d.dtype, g[BETA].data, ic);
        assert_true(fabsl(a.mean[ic] - mean) <= 1e-14L * (1 + fabsl(mean)));
        assert_true(fabsl(a.inv_std[ic] - inv_std) <= 1e-11L * inv_std);
        double was[2] = {c[4 * ic + 2], c[4 * ic + 3] + 1};
        long double want[2] = {mean, count > 1 ? variance * count / (count - 1) : 0};
        for (int i = 0; i < 2; i++) {
          long double next = (1 - (long double)momentum) * (long double)was[i] + (long double)momentum * want[i];
          assert_true(fabsl(array_get(d.dtype, g[RUNNING_MEAN + i].data, ic) - next) <=
                      8 * u * (1 + fabsl(next)) + 1e-13L);
        }
        for (int64_t in = 0; in < d.n; in++)
          for (int64_t p = 0; p < d.pixels; p++) {
            int64_t at = (in * d.c + ic) * d.pixels + p;
            long double v = array_get(d.dtype, g[X].data, at), y = (v - mean) * inv_std * gamma + beta;
            long double bound = 8 * u * (fabsl(y) + fabsl(beta) + inv_std * fabsl(gamma) * (1 + fabsl(mean)));
            if (!(fabsl(array_get(d.dtype, g[Y].data, at) - y) <= bound + 1e-12L))
              FAIL("y[%lld] is %.9g, not %.9Lg", (long long)at, array_get(d.dtype, g[Y].data, at), y);
          }
      }
      inference_holds(&d, &a, g[X].data, g[Y].data, epsilon);
      guarded_protect(&g[X], false);
      free(x), free(c);
    }
}

typedef struct {
  cnnblas_batchnorm_desc d;
  cnnblas_batchnorm_arrays a;
  double *x, *y, *r;
  int64_t elements;
} probe;

static double run_probe(void *context)
{
  probe *p = context;
  ASSERT_OK(cnnblas_batchnorm_forward_training(&p->d, p->d.n, p->x, &p->a, p->y));
  return check_dot(p->y, p->r, p->elements);
}

static void gradients_agree_with_differences(void **state)
{
  (void)state;
  static const int64_t shapes[][3] = {{4, 3, 6}, {5, 4, 1}, {1, 2, 19}};
  for (int s = 0; s < 3; s++) {
    probe p = {
        .d = {.dtype = CNNBLAS_F64, .n = shapes[s][0], .c = shapes[s][1], .pixels = shapes[s][2], .epsilon = 0.1}};
    p.elements = p.d.n * p.d.c * p.d.pixels;
    double *gamma = check_reals(1, p.d.c), *beta = check_reals(2, p.d.c), *saved = check_reals(3, 2 * p.d.c);
    double *dx = check_reals(4, p.elements), *dgamma = check_reals(5, p.d.c), *dbeta = check_reals(6, p.d.c);
    p.x = check_reals(7, p.elements), p.y = check_reals(8, p.elements), p.r = check_reals(9, p.elements);
    p.a = (cnnblas_batchnorm_arrays){.gamma = gamma, .beta = beta, .mean = saved, .inv_std = saved + p.d.c};
    run_probe(&p);
    ASSERT_OK(cnnblas_batchnorm_backward(&p.d, p.d.n, p.x, &p.a, p.r, dx, dgamma, dbeta));
    check_gradient("x", run_probe, &p, p.x, dx, p.elements);
    check_gradient("gamma", run_probe, &p, gamma, dgamma, p.d.c);
    check_gradient("beta", run_probe, &p, beta, dbeta, p.d.c);
    free(gamma), free(beta), free(saved), free(dx), free(dgamma), free(dbeta), free(p.x), free(p.y), free(p.r);
  }
}

/* In place and apart, on any number of threads; an image's inference in any batch. */
static void bits_do_not_depend_on_threads_place_or_batch(void **state)
{
  (void)state;
  cnnblas_batchnorm_desc d = {.n = 13, .c = 17, .pixels = 150};
  int64_t elements = d.n * d.c * d.pixels;
  size_t bytes = (size_t)elements * sizeof(float);
  float *x = check_floats(1, elements), *y[2], *dx[2], *running[2];
  double saved[2][2 * 17];
  for (int i = 0; i < 2; i++)
    y[i] = check_floats(2, elements), dx[i] = check_floats(3, elements), running[i] = check_floats(4, 2 * d.c);
  for (int run = -1; run < CHECK_TEAMS; run++) {
    int i = run >= 0;
    float variance = 1;
    d.threads = i ? check_teams[run] : 1;
    for (int64_t ic = 0; ic < 2 * d.c; ic++) running[i][ic] = variance;
    cnnblas_batchnorm_arrays a = {.running_mean = running[i], .running_variance = running[i] + d.c};
    a.mean = saved[i], a.inv_std = saved[i] + d.c;
    memcpy(y[i], x, bytes);
    ASSERT_OK(cnnblas_batchnorm_forward_training(&d, d.n, i ? y[i] : x, &a, y[i]));
    memcpy(dx[i], y[i], bytes);
    ASSERT_OK(cnnblas_batchnorm_backward(&d, d.n, x, &a, i ? dx[i] : y[i], dx[i], NULL, NULL));
    assert_memory_equal(y[0], y[i], bytes);
    assert_memory_equal(dx[0], dx[i], bytes);
    assert_memory_equal(saved[0], saved[i], sizeof saved[0]);
    assert_memory_equal(running[0], running[i], (size_t)(2 * d.c) * sizeof(float));
    ASSERT_OK(cnnblas_batchnorm_forward_inference(&d, d.n, x, &a, y[1]));
    ASSERT_OK(cnnblas_batchnorm_forward_inference(&d, 1, x + 5 * d.c * d.pixels, &a, dx[1]));
    assert_memory_equal(dx[1], y[1] + 5 * d.c * d.pixels, (size_t)(d.c * d.pixels) * sizeof(float));
  }
  for (int i = 0; i < 2; i++) free(y[i]), free(dx[i]), free(running[i]);
  free(x);
}

/* The ReLU and the sum in the same pass are those of calls of their own: to the bits but for dx. */
static void relu_and_residual_are_those_of_other_calls(void **state)
{
  (void)state;
  for (int variant = 0; variant < 16; variant++) {
    bool wide = variant & 1, relu = variant & 2, adds = variant & 4, training = variant & 8;
    cnnblas_dtype dtype = wide ? CNNBLAS_F64 : CNNBLAS_F32;
    cnnblas_batchnorm_desc d = {.dtype = dtype, .n = 5, .c = 3, .pixels = 71};
    cnnblas_activation_desc f = {.dtype = dtype, .function.kind = relu ? CNNBLAS_RELU : CNNBLAS_IDENTITY};
    enum { ELEMENTS = 5 * 3 * 71 };
    size_t bytes = ELEMENTS * (wide ? 8 : 4);
    void *a[6];
    double saved[6];
    harness_doing("variant %d", variant);
    for (int i = 0; i < 6; i++)
      a[i] = wide ? (void *)check_reals((uint64_t)i, ELEMENTS) : (void *)check_floats((uint64_t)i, ELEMENTS);
    void *x = a[0], *r = a[1], *y = a[2], *z = a[3], *dy = a[4], *running = a[5];
    cnnblas_batchnorm_arrays with = {.gamma = r, .beta = dy, .mean = saved, .inv_std = saved + 3};
    for (int i = 0; i < 6; i++) array_set(dtype, running, i, 0.5 + i);
    if (!training) with.running_mean = running, with.running_variance = (char *)running + bytes / ELEMENTS * 3;
#define BOTH(to)                                                                                                       \
  (training ? cnnblas_batchnorm_forward_training(&d, 5, x, &with, to)                                                  \
            : cnnblas_batchnorm_forward_inference(&d, 5, x, &with, to))
    ASSERT_OK(BOTH(y));
    if (adds) ASSERT_OK(cnnblas_add_forward(dtype, 1, ELEMENTS, y, r, y));
    ASSERT_OK(cnnblas_activation_forward(&f, ELEMENTS, y, y));
    d.relu = relu;
    memcpy(z, r, bytes); /* the addend's own array becomes the sum */
    if (adds) with.residual = z;
    ASSERT_OK(BOTH(z));
    assert_memory_equal(y, z, bytes);
    if (training && relu && adds)
      assert_int_equal(cnnblas_batchnorm_backward(&d, 5, x, &with, dy, z, NULL, NULL), CNNBLAS_UNSUPPORTED);
    if (training && relu && !adds) {
      double sums[2][6];
      ASSERT_OK(cnnblas_batchnorm_backward(&d, 5, x, &with, dy, z, sums[0], (char *)sums[0] + 3 * bytes / ELEMENTS));
      d.relu = 0;
      with.beta = r; /* without a ReLU it is not looked at */
      ASSERT_OK(cnnblas_activation_backward(&f, ELEMENTS, NULL, y, dy, dy));
      ASSERT_OK(cnnblas_batchnorm_backward(&d, 5, x, &with, dy, y, sums[1], (char *)sums[1] + 3 * bytes / ELEMENTS));
      for (int64_t i = 0; i < ELEMENTS; i++)
        assert_true(fabs(array_get(dtype, y, i) - array_get(dtype, z, i)) <= (wide ? 1e-14 : 1e-5));
      for (int64_t i = 0; i < 6; i++) {
        double fused = array_get(dtype, sums[0], i), apart = array_get(dtype, sums[1], i);
        assert_true(fabs(fused - apart) <= (wide ? 1e-13 : 1e-4));
      }
    }
    for (int i = 0; i < 6; i++) free(a[i]);
  }
}

/* A mean that is a million times the deviation costs no digit of the statistics. */
static void a_large_mean_leaves_the_variance(void **state)
{
  (void)state;
  enum { COUNT = 20000 };
  double *x = check_reals(1, COUNT), *y = check_reals(2, COUNT), mean, inv_std;
  cnnblas_batchnorm_desc d = {.dtype = CNNBLAS_F64, .n = 4, .c = 1, .pixels = COUNT / 4, .epsilon = 1e-300};
  cnnblas_batchnorm_arrays a = {.mean = &mean, .inv_std = &inv_std};
  for (int i = 0; i < COUNT; i++) x[i] += 1e6;
  long double exact_mean, variance;
  statistics(&d, x, 0, &exact_mean, &variance);
  ASSERT_OK(cnnblas_batchnorm_forward_training(&d, 4, x, &a, y));
  assert_true(fabsl(mean - exact_mean) <= 1e-9L && fabsl(inv_std * sqrtl(variance) - 1) <= 1e-12L);
  free(x), free(y);
}

static void edges(void **state)
{
  (void)state;
  float x[4] = {1, 1, NAN, 2}, y[4], running[2] = {5, 7}, dgamma[2], dbeta[2];
  double mean[2], inv_std[2];
  cnnblas_batchnorm_desc d = {.n = 1, .c = 2, .pixels = 2};
  cnnblas_batchnorm_arrays a = {.mean = mean, .inv_std = inv_std};
  ASSERT_OK(cnnblas_batchnorm_forward_training(&d, 1, x, &a, y));
  assert_true(y[0] == 0 && y[1] == 0 && isnan(y[2]) && isnan(y[3])); /* a channel's NaN stays in the channel */
  d.c = 1, a.running_mean = running, a.running_variance = running + 1;
  ASSERT_OK(cnnblas_batchnorm_forward_training(&d, 0, NULL, &a, NULL));
  assert_true(running[0] == 5 && running[1] == 7);
  ASSERT_OK(cnnblas_batchnorm_backward(&d, 0, NULL, &a, NULL, NULL, dgamma, dbeta));
  assert_true(dgamma[0] == 0 && dbeta[0] == 0);
}

static void bad_arguments_are_refused(void **state)
{
  (void)state;
  float x[8] = {0}, y[8], running[2] = {0, 1};
  double saved[2];
  cnnblas_batchnorm_desc good = {.n = 1, .c = 1, .pixels = 8}, d;
  cnnblas_batchnorm_arrays fine = {.mean = saved, .inv_std = saved + 1}, a;
#define REFUSED(status, change)                                                                                        \
  d = good, a = fine, change, assert_int_equal(cnnblas_batchnorm_forward_training(&d, 1, x, &a, y), status)
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.n = 0);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.c = 0);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.pixels = 0);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.epsilon = -1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.epsilon = NAN);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.momentum = 1.5);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.threads = -1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.reserved[5] = 1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, a.reserved[0] = 1);
  cnnblas_batchnorm_join nothing = {.images = 8};
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.join = &nothing);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.relu = 2);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, a.residual = y + 1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, a.mean = NULL);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, a.inv_std = saved);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, a.running_mean = running);
  REFUSED(CNNBLAS_UNSUPPORTED, d.dtype = CNNBLAS_BF16);
  REFUSED(CNNBLAS_SIZE_OVERFLOW, d.n = INT64_MAX);
  assert_int_equal(cnnblas_batchnorm_forward_training(&good, 1, x, &fine, x + 1), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_batchnorm_forward_training(NULL, 1, x, &fine, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_batchnorm_forward_training(&good, 1, x, NULL, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_batchnorm_forward_inference(&good, 1, x, &fine, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_batchnorm_backward(&good, 1, NULL, &fine, x, y, NULL, NULL), CNNBLAS_INVALID_ARGUMENT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_formula_holds),
                                     cmocka_unit_test(gradients_agree_with_differences),
                                     cmocka_unit_test(bits_do_not_depend_on_threads_place_or_batch),
                                     cmocka_unit_test(relu_and_residual_are_those_of_other_calls),
                                     cmocka_unit_test(a_large_mean_leaves_the_variance),
                                     cmocka_unit_test(edges),
                                     cmocka_unit_test(bad_arguments_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
