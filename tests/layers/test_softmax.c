/* Softmax over any axis and its logarithm: the definition, gradients, large elements, NaN and Inf, threads, in place, bad arguments. */
#include "check.h"
#include "support/guarded.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t shapes[][3] = {{1, 1, 1},   {3, 7, 1},   {2, 5, 3},    {1, 1000, 1}, {4, 16, 64},
                                    {2, 33, 65}, {5, 2, 130}, {1, 9, 4096}, {2, 300, 2},  {257, 10, 1}};

enum { SHAPES = sizeof shapes / sizeof *shapes };

static cnnblas_softmax_desc make(int shape, cnnblas_dtype dtype, bool logarithm)
{
  return (cnnblas_softmax_desc){.dtype = dtype,
                                .outer = shapes[shape][0],
                                .axis = shapes[shape][1],
                                .inner = shapes[shape][2],
                                .logarithm = logarithm};
}

static int64_t count_of(const cnnblas_softmax_desc *d)
{
  return d->outer * d->axis * d->inner;
}

/* One line of y and dx in long double; its elements are at at, at + pitch, ... */
static void compare_line(const cnnblas_softmax_desc *d, int64_t at, const void *x, const void *dy,
                         const void *const got[2])
{
  const long double unit = d->dtype == CNNBLAS_F64 ? 0x1p-53L : 0x1p-24L;
  const long double least =
      d->dtype == CNNBLAS_F64 ? 0x1p-1073L : 0x1p-148L; /* two of the smallest numbers above zero */
  const long double terms = d->dtype == CNNBLAS_F64 ? (long double)d->axis : 1; /* sums are kept in double */
  long double largest = -INFINITY, sum = 0, dot = 0, magnitude = 0;
  for (int64_t j = 0; j < d->axis; j++)
    largest = fmaxl(largest, (long double)array_get(d->dtype, x, at + j * d->inner));
  for (int64_t j = 0; j < d->axis; j++) sum += expl((long double)array_get(d->dtype, x, at + j * d->inner) - largest);
  for (int64_t j = 0; j < d->axis; j++) {
    long double e = (long double)array_get(d->dtype, dy, at + j * d->inner),
                p = (long double)array_get(d->dtype, got[0], at + j * d->inner);
    dot += d->logarithm ? e : e * p;
    magnitude += fabsl(d->logarithm ? e : e * p);
  }
  for (int64_t j = 0; j < d->axis; j++) {
    int64_t i = at + j * d->inner;
    long double shifted = (long double)array_get(d->dtype, x, i) - largest,
                own = (long double)array_get(d->dtype, got[0], i);
    long double y = d->logarithm ? shifted - logl(sum) : expl(shifted) / sum;
    /* The difference to the largest element is rounded, which its exponential function magnifies by itself. */
    long double bound =
        (d->logarithm ? 4 * (fabsl(shifted) + fabsl(logl(sum)) + 1) + terms : (8 + terms + fabsl(shifted)) * y) * unit;
    if (!(fabsl(own - y) <= bound + least)) FAIL("y[%lld] is %.12Lg, not %.12Lg", (long long)i, own, y);
    long double e = (long double)array_get(d->dtype, dy, i), p = d->logarithm ? expl(own) : own;
    long double dx = d->logarithm ? e - p * dot : p * (e - dot);
    bound = (8 + terms) * unit * (d->logarithm ? fabsl(e) + p * magnitude : p * (fabsl(e) + magnitude));
    if (!(fabsl((long double)array_get(d->dtype, got[1], i) - dx) <= bound + least))
      FAIL("dx[%lld] is %.12g, not %.12Lg", (long long)i, array_get(d->dtype, got[1], i), dx);
  }
}

static void the_definition_holds(void **state)
{
  (void)state;
  static guarded g[4]; /* x, y, dy, dx */
  for (int shape = 0; shape < SHAPES; shape++)
    for (int variant = 0; variant < 8; variant++) {
      cnnblas_softmax_desc d = make(shape, variant & 1 ? CNNBLAS_F64 : CNNBLAS_F32, variant & 2);
      const double scale = variant & 4 ? 1e4 : 3;
      harness_doing("shape %d, variant %d", shape, variant);
      double *values = check_reals((uint64_t)shape, 2 * count_of(&d));
      for (int i = 0; i < 4; i++)
        guarded_reset(&g[i], (size_t)count_of(&d) * (variant & 1 ? 8 : 4), shape % 2 ? AGAINST_END : AGAINST_START);
      for (int64_t i = 0; i < count_of(&d); i++) {
        array_set(d.dtype, g[0].data, i, values[2 * i] * scale);
        array_set(d.dtype, g[2].data, i, values[2 * i + 1]);
      }
      ASSERT_OK(cnnblas_softmax_axis_forward(&d, g[0].data, g[1].data));
      ASSERT_OK(cnnblas_softmax_axis_backward(&d, g[1].data, g[2].data, g[3].data));
      for (int i = 0; i < 4; i++) assert_true(guarded_intact(&g[i]));
      const void *got[] = {g[1].data, g[3].data};
      for (int64_t line = 0; line < d.outer * d.inner; line++)
        compare_line(&d, line / d.inner * d.axis * d.inner + line % d.inner, g[0].data, g[2].data, got);
      free(values);
    }
}

typedef struct {
  cnnblas_softmax_desc d;
  double *x, *y, *r;
} probe;

static double run_probe(void *context)
{
  probe *p = context;
  ASSERT_OK(cnnblas_softmax_axis_forward(&p->d, p->x, p->y));
  return check_dot(p->y, p->r, count_of(&p->d));
}

static void gradients_agree_with_differences(void **state)
{
  (void)state;
  for (int shape = 1; shape < 3; shape++)
    for (int logarithm = 0; logarithm < 2; logarithm++) {
      probe p = {.d = make(shape, CNNBLAS_F64, logarithm)};
      int64_t count = count_of(&p.d);
      double *dx = check_reals(4, count);
      p.x = check_reals(1, count), p.y = check_reals(2, count), p.r = check_reals(3, count);
      run_probe(&p);
      ASSERT_OK(cnnblas_softmax_axis_backward(&p.d, p.y, p.r, dx));
      check_gradient("x", run_probe, &p, p.x, dx, count);
      free(dx), free(p.x), free(p.y), free(p.r);
    }
}

/* Lines with NaN, with +Inf and of -Inf alone are NaN; the lines beside them are as they were. */
static void a_line_with_infinity_is_nan_alone(void **state)
{
  (void)state;
  enum { AXIS = 5 };
  for (int inner = 1; inner <= 5; inner += 4)
    for (int logarithm = 0; logarithm < 2; logarithm++) {
      float x[5 * AXIS], y[5 * AXIS];
      const int outer = 5 / inner;
      cnnblas_softmax_desc d = {.outer = outer, .axis = AXIS, .inner = inner, .logarithm = logarithm};
      for (int line = 0; line < 5; line++)
        for (int j = 0; j < AXIS; j++) {
          float v = (float)(j - 2);
          if (line == 0 && j == 3) v = NAN;
          if (line == 1 && j == 2) v = INFINITY;
          if (line == 2 || (line == 3 && j == 1)) v = -INFINITY;
          x[inner == 1 ? line * AXIS + j : j * 5 + line] = v;
        }
      ASSERT_OK(cnnblas_softmax_axis_forward(&d, x, y));
      for (int line = 0; line < 5; line++) {
        double sum = 0;
        for (int j = 0; j < AXIS; j++) {
          float v = y[inner == 1 ? line * AXIS + j : j * 5 + line];
          assert_true(line < 3 ? isnan(v) : !isnan(v));
          if (line == 3 && j == 1) assert_true(logarithm ? v == -INFINITY : v == 0);
          sum += logarithm ? exp((double)v) : (double)v;
        }
        if (line >= 3) assert_true(fabs(sum - 1) < 1e-6);
      }
    }
}

static void bits_do_not_depend_on_threads_or_place(void **state)
{
  (void)state;
  static const int64_t sizes[][3] = {{3001, 37, 1}, {7, 33, 911}};
  for (int s = 0; s < 2; s++)
    for (int logarithm = 0; logarithm < 2; logarithm++) {
      cnnblas_softmax_desc d = {.outer = sizes[s][0], .axis = sizes[s][1], .inner = sizes[s][2], .threads = 1};
      d.logarithm = logarithm;
      const int64_t count = count_of(&d);
      const size_t bytes = (size_t)count * sizeof(float);
      float *x = check_floats(1, count), *y = check_floats(2, count), *dx = check_floats(3, count);
      float *dy = check_floats(4, count), *other = check_floats(5, count);
      ASSERT_OK(cnnblas_softmax_axis_forward(&d, x, y));
      ASSERT_OK(cnnblas_softmax_axis_backward(&d, y, dy, dx));
      for (int run = 0; run < CHECK_TEAMS; run++) {
        d.threads = check_teams[run];
        memcpy(other, x, bytes);
        ASSERT_OK(cnnblas_softmax_axis_forward(&d, other, other));
        assert_memory_equal(y, other, bytes);
        memcpy(other, dy, bytes);
        ASSERT_OK(cnnblas_softmax_axis_backward(&d, y, other, other));
        assert_memory_equal(dx, other, bytes);
      }
      free(x), free(y), free(dx), free(dy), free(other);
    }
}

static void bad_arguments_are_refused(void **state)
{
  (void)state;
  float x[24], y[24];
  const cnnblas_softmax_desc good = {.outer = 2, .axis = 3, .inner = 4};
  cnnblas_softmax_desc d;
  memset(x, 0, sizeof x);
  ASSERT_OK(cnnblas_softmax_axis_forward(&good, x, y));
  assert_int_equal(cnnblas_softmax_axis_forward(NULL, x, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_softmax_axis_backward(NULL, x, x, y), CNNBLAS_INVALID_ARGUMENT);
#define REFUSED(status, change)                                                                                        \
  do {                                                                                                                 \
    d = good;                                                                                                          \
    change;                                                                                                            \
    assert_int_equal(cnnblas_softmax_axis_forward(&d, x, y), status);                                                  \
    assert_int_equal(cnnblas_softmax_axis_backward(&d, x, x, y), status);                                              \
  } while (0)
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.dtype = (cnnblas_dtype)7);
  REFUSED(CNNBLAS_UNSUPPORTED, d.dtype = CNNBLAS_BF16);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.threads = -1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.outer = -1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.axis = 0);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.inner = 0);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.logarithm = 2);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.reserved[8] = 1);
  REFUSED(CNNBLAS_SIZE_OVERFLOW, d.outer = INT64_MAX / 8);
  assert_int_equal(cnnblas_softmax_axis_forward(&good, x, x + 1), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_softmax_axis_forward(&good, NULL, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_softmax_axis_backward(&good, y, x, y), CNNBLAS_INVALID_ARGUMENT);
  d = good;
  d.outer = 0;
  ASSERT_OK(cnnblas_softmax_axis_forward(&d, NULL, NULL));
  ASSERT_OK(cnnblas_softmax_axis_backward(&d, NULL, NULL, NULL));
  cnnblas_softmax_desc_init(NULL);
  cnnblas_softmax_desc_init(&d);
  assert_true(d.axis == 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_definition_holds), cmocka_unit_test(gradients_agree_with_differences),
      cmocka_unit_test(a_line_with_infinity_is_nan_alone), cmocka_unit_test(bits_do_not_depend_on_threads_or_place),
      cmocka_unit_test(bad_arguments_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
