/* Activations: values, gradients, edges, in place, tails, threads. */
#include "check.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 4 };
static const char *const names[KINDS] = {"relu", "leaky relu", "sigmoid", "tanh"};

static cnnblas_activation_desc make(int kind, cnnblas_dtype dtype)
{
  return (cnnblas_activation_desc){.dtype = dtype, .kind = (cnnblas_nonlinearity)kind};
}

static long double exact(int kind, long double x)
{
  switch (kind) {
  case 0:
    return x > 0 ? x : 0;
  case 1:
    return x > 0 ? x : 0.01L * x;
  case 2:
    return 1 / (1 + expl(-x));
  default:
    return tanhl(x);
  }
}

/* Units in the last place between a result and the exact value. */
static double units(double got, long double want, bool is_float)
{
  double w = (double)want, place;
  if (is_float)
    place = (double)(nextafterf(fabsf((float)w), INFINITY) - fabsf((float)w));
  else
    place = nextafter(fabs(w), INFINITY) - fabs(w);
  return (double)(fabsl((long double)got - want) / (long double)place);
}

static void values_are_within_four_units(void **state)
{
  (void)state;
  enum { COUNT = 40001 };
  static double x[COUNT], y[COUNT];
  static float xf[COUNT], yf[COUNT];
  for (int i = 0; i < COUNT; i++) {
    double t = (double)(i - COUNT / 2) / (COUNT / 2);
    xf[i] = (float)(x[i] = i % 3 == 0 ? 90 * t : i % 3 == 1 ? 2 * t : 30 * t * t * t);
  }
  for (int kind = 0; kind < KINDS; kind++) {
    double worst = 0, worst_f = 0;
    cnnblas_activation_desc d = make(kind, CNNBLAS_F64), f = make(kind, CNNBLAS_F32);
    ASSERT_OK(cnnblas_activation_forward(&d, COUNT, x, y));
    ASSERT_OK(cnnblas_activation_forward(&f, COUNT, xf, yf));
    for (int i = 0; i < COUNT; i++) {
      worst = fmax(worst, units(y[i], exact(kind, x[i]), false));
      worst_f = fmax(worst_f, units((double)yf[i], exact(kind, (long double)xf[i]), true));
    }
    print_message("%s: f64 %.2f, f32 %.2f units in the last place\n", names[kind], worst, worst_f);
    assert_true(worst <= 4 && worst_f <= 4);
  }
}

static void edges_are_exact(void **state)
{
  (void)state;
  double x[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, DBL_MAX, -DBL_MAX, 1e-320}, y[8];
  static const double want[KINDS][8] = {{0, 0, INFINITY, 0, NAN, DBL_MAX, 0, 1e-320},
                                        {0, 0, INFINITY, -INFINITY, NAN, DBL_MAX, -DBL_MAX * 0.01, 1e-320},
                                        {0.5, 0.5, 1, 0, NAN, 1, 0, 0.5},
                                        {0, 0, 1, -1, NAN, 1, -1, 1e-320}};
  for (int kind = 0; kind < KINDS; kind++) {
    cnnblas_activation_desc d = make(kind, CNNBLAS_F64);
    ASSERT_OK(cnnblas_activation_forward(&d, 8, x, y));
    for (int i = 0; i < 8; i++)
      if (isnan(want[kind][i]) ? !isnan(y[i]) : y[i] != want[kind][i])
        FAIL("%s(%g) is %g, not %g", names[kind], x[i], y[i], want[kind][i]);
  }
}

static void relu_gradient_at_zero_is_zero(void **state)
{
  (void)state;
  float y[] = {0, 2, 0, NAN}, dy[] = {5, 6, NAN, 7}, dx[4];
  cnnblas_activation_desc d = make(0, CNNBLAS_F32);
  ASSERT_OK(cnnblas_activation_backward(&d, 4, y, dy, dx));
  assert_true(dx[0] == 0 && dx[1] == 6 && dx[2] == 0 && dx[3] == 7);
}

typedef struct {
  cnnblas_activation_desc d;
  int64_t count;
  double *x, *y, *r;
} probe;

static double run_probe(void *context)
{
  probe *p = context;
  ASSERT_OK(cnnblas_activation_forward(&p->d, p->count, p->x, p->y));
  return check_dot(p->y, p->r, p->count);
}

static void gradients_agree_with_differences(void **state)
{
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    probe p = {make(kind, CNNBLAS_F64), 101, check_reals(1, 101), check_reals(2, 101), check_reals(3, 101)};
    double *dx = check_reals(4, p.count);
    run_probe(&p);
    ASSERT_OK(cnnblas_activation_backward(&p.d, p.count, p.y, p.r, dx));
    check_gradient(names[kind], run_probe, &p, p.x, dx, p.count);
    free(dx), free(p.x), free(p.y), free(p.r);
  }
}

/* Every length of tail, in place and apart, and any number of threads give the same bits. */
static void bits_do_not_depend_on_place_or_threads(void **state)
{
  (void)state;
  enum { COUNT = 70001 };
  float *x = check_floats(5, COUNT), *one = check_floats(6, COUNT), *other = check_floats(7, COUNT);
  for (int kind = 0; kind < KINDS; kind++) {
    cnnblas_activation_desc d = make(kind, CNNBLAS_F32);
    d.threads = 1;
    ASSERT_OK(cnnblas_activation_forward(&d, COUNT, x, one));
    for (int i = 0; i < CHECK_TEAMS; i++) {
      d.threads = check_teams[i];
      memcpy(other, x, COUNT * sizeof *x);
      ASSERT_OK(cnnblas_activation_forward(&d, COUNT, other, other));
      assert_memory_equal(one, other, COUNT * sizeof *x);
    }
    for (int64_t count = 0; count < 70; count++) {
      ASSERT_OK(cnnblas_activation_forward(&d, count, x + 1, other));
      ASSERT_OK(cnnblas_activation_forward(&d, COUNT - 1, x + 1, one));
      assert_memory_equal(one, other, (size_t)count * sizeof *x);
    }
  }
  free(x), free(one), free(other);
}

static void bad_arguments_are_refused(void **state)
{
  (void)state;
  float x[4] = {0}, y[4] = {0};
  cnnblas_activation_desc d;
  cnnblas_activation_desc_init(&d);
  assert_int_equal(cnnblas_activation_forward(NULL, 4, x, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_activation_forward(&d, -1, x, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_activation_forward(&d, 4, NULL, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_activation_forward(&d, 3, x, x + 1), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_activation_forward(&d, 0, NULL, NULL), CNNBLAS_OK);
  d.slope = 0.5;
  assert_int_equal(cnnblas_activation_forward(&d, 4, x, y), CNNBLAS_INVALID_ARGUMENT);
  d.kind = (cnnblas_nonlinearity)4, d.slope = 0;
  assert_int_equal(cnnblas_activation_forward(&d, 4, x, y), CNNBLAS_INVALID_ARGUMENT);
  d.kind = CNNBLAS_NONLINEARITY_TANH, d.dtype = CNNBLAS_BF16;
  assert_int_equal(cnnblas_activation_forward(&d, 4, x, y), CNNBLAS_UNSUPPORTED);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_within_four_units),           cmocka_unit_test(edges_are_exact),
      cmocka_unit_test(relu_gradient_at_zero_is_zero),          cmocka_unit_test(gradients_agree_with_differences),
      cmocka_unit_test(bits_do_not_depend_on_place_or_threads), cmocka_unit_test(bad_arguments_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
