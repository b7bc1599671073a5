/*
 * options.flush_denormals: denormal inputs and products are zeros with it and exact without; every thread has its own setting
 * back afterwards.
 */
#include "support/harness.h"
#include "support/names.h"
#include <cnnblas/net.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { TEAM = 2, MOST = 1 << 17, CHANNELS = 16, SIDE = 12 };

static const cnnblas_conv_desc shapes[] = {{.n = 2, .c = CHANNELS, .k = 20, .size = {SIDE, SIDE}, .kernel = {3, 3}},
                                           {.n = 2, .c = CHANNELS, .k = 20, .size = {SIDE, SIDE}, .kernel = {1, 1}},
                                           {.n = 4, .c = 32, .k = 32, .groups = 32, .size = {24, 24}, .kernel = {3, 3}},
                                           {.n = 64, .c = CHANNELS, .k = 20, .size = {6, 6}, .kernel = {3, 3}}};

/* What is multiplied: a denormal number by one; two numbers whose product is denormal. Exponents of f32 and f64. */
static const int exponents[][2][2] = {{{-130, 0}, {-1030, 0}}, {{-70, -70}, {-520, -520}}};

static void *x, *w, *y;

#ifdef __SSE2__
#include <xmmintrin.h>
static unsigned control(void)
{
  return _mm_getcsr() & ~0x3fu; /* but for what the last operations raised */
}
static void set_control(unsigned bits)
{
  _mm_setcsr(bits);
}
#else
static unsigned control(void)
{
  return 0;
}
static void set_control(unsigned bits)
{
  (void)bits;
}
#endif

/* Every thread of the team that a plan of TEAM threads used here has the setting that it should have. */
static void assert_controls(unsigned expected)
{
  unsigned seen[TEAM];
  for (int i = 0; i < TEAM; i++) seen[i] = ~expected;
#pragma omp parallel num_threads(TEAM)
  seen[omp_get_thread_num()] = control();
  assert_int_equal(control(), expected);
  for (int i = 0; i < TEAM; i++) assert_int_equal(seen[i], expected);
}

static void fill(void *array, cnnblas_dtype dtype, double value)
{
  for (int64_t i = 0; i < MOST; i++)
    if (dtype == CNNBLAS_F64)
      ((double *)array)[i] = value;
    else
      ((float *)array)[i] = (float)value;
}

static cnnblas_status run(const cnnblas_conv_plan *plan, int direction, int64_t n)
{
  if (direction == CNNBLAS_FORWARD) return cnnblas_conv_forward(plan, n, x, w, NULL, y, NULL, 0);
  if (direction == CNNBLAS_BACKWARD_DATA) return cnnblas_conv_backward_data(plan, n, x, w, y, NULL, 0);
  return cnnblas_conv_backward_weights(plan, n, x, w, y, NULL, NULL, 0);
}

static int64_t outputs(const cnnblas_conv_desc *d, int direction)
{
  cnnblas_conv_shape shape;
  ASSERT_OK(cnnblas_conv_get_shape(d, &shape));
  return direction == CNNBLAS_FORWARD         ? shape.y_elements
         : direction == CNNBLAS_BACKWARD_DATA ? shape.x_elements
                                              : shape.w_elements;
}

/* The result in units of `unit`, the sum over them; with ones as the unit it is the number of terms of all elements. */
static double total(cnnblas_dtype dtype, int64_t count, double unit)
{
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += (dtype == CNNBLAS_F64 ? ((double *)y)[i] : ((float *)y)[i]) / unit;
  return sum;
}

/* Its sums of doubles are in long double, for which no processor has such a setting. */
static bool sums_wider(const cnnblas_conv_plan *plan, cnnblas_dtype dtype)
{
  return dtype == CNNBLAS_F64 && !strcmp(cnnblas_conv_plan_algorithm(plan), REFERENCE);
}

/* One problem with one algorithm; the number of plans that there were. */
static int try_one(const cnnblas_conv_desc *d, int direction, cnnblas_conv_options o)
{
  int64_t count = outputs(d, direction);
  double terms = 0;
  /* The faster transforms are not exact on small integers, and these sums are counted. */
  if (o.algorithm && algorithm_info(o.algorithm).accuracy == CNNBLAS_ACCURACY_NORM_RELAXED) return 0;
  for (int flush = 0; flush < 2; flush++) {
    cnnblas_conv_plan *plan;
    o.flush_denormals = flush;
    cnnblas_status status = cnnblas_conv_plan_create(d, (cnnblas_conv_direction)direction, &o, &plan);
    if (status == CNNBLAS_UNSUPPORTED) return 0;
    ASSERT_OK(status);
    harness_doing("%s direction %d dtype %d flush %d", cnnblas_conv_plan_algorithm(plan), direction, d->dtype, flush);
    fill(x, d->dtype, 1), fill(w, d->dtype, 1);
    ASSERT_OK(run(plan, direction, d->n));
    terms = total(d->dtype, count, 1);
    for (int i = 0; i < 2; i++) {
      const int *e = exponents[i][d->dtype == CNNBLAS_F64];
      fill(x, d->dtype, ldexp(1, e[0])), fill(w, d->dtype, ldexp(1, e[1])), memset(y, 0xff, MOST * sizeof(double));
      const unsigned before = control();
      ASSERT_OK(run(plan, direction, d->n));
      assert_int_equal(control(), before);
      const bool zeros = flush && !sums_wider(plan, d->dtype);
      const double sum = total(d->dtype, count, ldexp(1, e[0] + e[1]));
      if (sum != (zeros ? 0 : terms)) FAIL("2^%d times 2^%d: %g units, not %g", e[0], e[1], sum, zeros ? 0 : terms);
    }
    cnnblas_conv_plan_destroy(plan);
  }
  return 1;
}

static void denormals_are_zeros_where_asked(void **state)
{
  (void)state;
  int tried = 0;
  for (int i = -1; i < algorithm_count(); i++)
    for (int threads = 1; threads <= TEAM; threads++)
      for (int direction = 0; direction < DIRECTIONS; direction++)
        for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++)
          for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            cnnblas_conv_desc d = shapes[s];
            d.dtype = (cnnblas_dtype)dtype;
            tried += try_one(
                &d, direction,
                (cnnblas_conv_options){.algorithm = i < 0 ? NULL : cnnblas_conv_algorithm_name(i), .threads = threads});
          }
  assert_true(tried > 100);
}

static void every_thread_keeps_its_setting(void **state)
{
  (void)state;
  const cnnblas_conv_desc d = shapes[0];
  const cnnblas_conv_options o = {.threads = TEAM, .flush_denormals = 1};
  const unsigned usual = control();
  cnnblas_conv_plan *plan;
  ASSERT_OK(cnnblas_conv_plan_create(&d, CNNBLAS_FORWARD, &o, &plan));
  fill(x, CNNBLAS_F32, 1), fill(w, CNNBLAS_F32, 1);
  ASSERT_OK(run(plan, CNNBLAS_FORWARD, d.n));
  assert_controls(usual);
  static const unsigned own[] = {0x40, 0x8000, 0x8040}; /* DAZ, FTZ, both: set by the caller, and kept */
  for (int i = 0; i < 3; i++) {
    set_control(usual | own[i]);
    ASSERT_OK(run(plan, CNNBLAS_FORWARD, d.n));
    const unsigned after = control();
    set_control(usual);
    assert_int_equal(after, usual ? usual | own[i] : 0);
  }
  cnnblas_conv_plan_destroy(plan);
}

static void networks_flush_where_asked(void **state)
{
  (void)state;
  static const char text[] = "INPUT 1x8x8 -> CONV 4@3x3 -> RELU -> POOL avg 2 -> FC 5";
  const unsigned usual = control();
  fill(x, CNNBLAS_F32, 1e-39);
  for (int flush = 0; flush < 2; flush++) {
    cnnblas_net_options o = {.batch = 8, .seed = 3, .threads = TEAM, .flush_denormals = flush};
    cnnblas_net *net;
    int zeros = 0;
    ASSERT_OK(cnnblas_net_create(text, &o, &net));
    ASSERT_OK(cnnblas_net_forward(net, 8, x, y));
    for (int i = 0; i < 40; i++) zeros += ((float *)y)[i] == 0;
    assert_int_equal(zeros, flush ? 40 : 0);
    assert_controls(usual);
    cnnblas_net_destroy(net);
    o.flush_denormals = 2;
    assert_int_equal(cnnblas_net_create(text, &o, &net), CNNBLAS_INVALID_ARGUMENT);
  }
}

int main(void)
{
  x = malloc(MOST * sizeof(double)), w = malloc(MOST * sizeof(double)), y = malloc(MOST * sizeof(double));
  if (!x || !w || !y) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(denormals_are_zeros_where_asked),
                                     cmocka_unit_test(every_thread_keeps_its_setting),
                                     cmocka_unit_test(networks_flush_where_asked)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  free(x), free(w), free(y);
  return failed;
}
