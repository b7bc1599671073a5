/* Resizing: its definition, ONNX's and PyTorch's examples, gradients, threads, batches, edges, bad arguments. */
#include "check.h"
#include "support/guarded.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double element_at(cnnblas_dtype dtype, const void *array, int64_t i)
{
  return dtype == CNNBLAS_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

/* The inputs that output o of an axis is made of, and the second's weight, in long double and exact comparisons of halves. */
static void place(const cnnblas_resize_desc *d, int axis, int64_t o, int64_t at[2], long double *share)
{
  const int64_t in = d->size[axis], out = d->output[axis];
  long double v = d->coordinates == CNNBLAS_RESIZE_HALF_PIXEL
                      ? ((long double)o + 0.5L) * (long double)in / (long double)out - 0.5L
                  : d->coordinates == CNNBLAS_RESIZE_ASYMMETRIC ? (long double)(o * in) / (long double)out
                  : out > 1                                     ? (long double)(o * (in - 1)) / (long double)(out - 1)
                                                                : 0;
  v = fminl(fmaxl(v, 0), (long double)(in - 1));
  long double whole =
      roundl(v * 4 * (long double)(out * in)) / (4 * (long double)(out * in)); /* the place has this divisor */
  if (fabsl(whole - v) < 1e-12L) v = whole;
  *share = v - floorl(v);
  at[0] = (int64_t)floorl(v);
  at[1] = at[0] + (*share > 0);
  if (d->kind == CNNBLAS_RESIZE_LINEAR) return;
  int64_t second = *share > 0.5L || (*share == 0.5L && d->rounding == CNNBLAS_RESIZE_PREFER_CEIL);
  if (d->rounding == CNNBLAS_RESIZE_FLOOR) second = 0;
  if (d->rounding == CNNBLAS_RESIZE_CEIL) second = 1;
  at[0] = at[1] = second ? at[1] : at[0];
  *share = 0;
}

/* One channel's output o by the definition; adds what it gives to the channel's gradient where that is wanted. */
static long double output_at(const cnnblas_resize_desc *d, const void *x, int64_t o, long double dy, long double *dx)
{
  int64_t at[3][2], index = o;
  long double share[3], sum = 0;
  for (int axis = (int)d->rank - 1; axis >= 0; axis--) {
    place(d, axis, index % d->output[axis], at[axis], &share[axis]);
    index /= d->output[axis];
  }
  for (int corner = 0; corner < 1 << d->rank; corner++) {
    int64_t i = 0;
    long double weight = 1;
    for (int axis = 0; axis < d->rank; axis++) {
      int side = corner >> axis & 1;
      weight *= side ? share[axis] : 1 - share[axis];
      i = i * d->size[axis] + at[axis][side];
    }
    if (weight == 0) continue;
    sum += weight * (long double)element_at(d->dtype, x, i);
    if (dx) dx[i] += weight * dy;
  }
  return sum;
}

static int64_t product_of(const int64_t size[3], int rank)
{
  int64_t product = 1;
  for (int i = 0; i < rank; i++) product *= size[i];
  return product;
}

static const struct {
  int rank;
  int64_t size[3], output[3];
} shapes[] = {{1, {7}, {14}},           {1, {1}, {2}},        {1, {5}, {5}},       {1, {9}, {4}},
              {1, {3}, {40}},           {2, {4, 6}, {8, 12}}, {2, {5, 7}, {9, 5}}, {2, {3, 33}, {6, 66}},
              {2, {1, 3}, {4, 1}},      {2, {6, 4}, {3, 2}},  {2, {2, 2}, {7, 6}}, {3, {2, 3, 4}, {4, 6, 8}},
              {3, {3, 2, 5}, {2, 5, 3}}};

enum { SHAPES = sizeof shapes / sizeof *shapes, VARIANTS = 3 * (4 + 1) };

/* A variant is a kind, coordinates and a rounding. */
static cnnblas_resize_desc make(int shape, int variant, cnnblas_dtype dtype)
{
  cnnblas_resize_desc d = {.dtype = dtype, .rank = shapes[shape].rank, .n = 3, .c = 2};
  memcpy(d.size, shapes[shape].size, sizeof d.size);
  memcpy(d.output, shapes[shape].output, sizeof d.output);
  d.coordinates = (cnnblas_resize_coordinates)(variant % 3);
  d.kind = variant < 3 ? CNNBLAS_RESIZE_LINEAR : CNNBLAS_RESIZE_NEAREST;
  if (variant >= 3) d.rounding = (cnnblas_resize_rounding)(variant / 3 - 1);
  return d;
}

static void compare(const cnnblas_resize_desc *d, const guarded g[4])
{
  const int64_t in = product_of(d->size, d->rank), out = product_of(d->output, d->rank);
  const long double unit = d->dtype == CNNBLAS_F64 ? 0x1p-53L : 0x1p-24L;
  long double *dx = calloc((size_t)in, sizeof *dx);
  assert_non_null(dx);
  for (int64_t plane = 0; plane < d->n * d->c; plane++) {
    size_t e = d->dtype == CNNBLAS_F64 ? 8 : 4;
    const char *x = (const char *)g[0].data + (size_t)(plane * in) * e;
    memset(dx, 0, (size_t)in * sizeof *dx);
    for (int64_t o = 0; o < out; o++) {
      long double dy = (long double)element_at(d->dtype, g[2].data, plane * out + o);
      long double want = output_at(d, x, o, dy, dx),
                  got = (long double)element_at(d->dtype, g[1].data, plane * out + o);
      if (!(fabsl(got - want) <= (d->kind == CNNBLAS_RESIZE_NEAREST ? 0 : 16 * unit)))
        FAIL("y[%lld] is %.9Lg, not %.9Lg", (long long)(plane * out + o), got, want);
    }
    for (int64_t i = 0; i < in; i++) {
      long double got = (long double)element_at(d->dtype, g[3].data, plane * in + i);
      if (!(fabsl(got - dx[i]) <= 16 * unit * (long double)(out / in + 4)))
        FAIL("dx[%lld] is %.9Lg, not %.9Lg", (long long)(plane * in + i), got, dx[i]);
    }
  }
  free(dx);
}

/* Every shape and variant, both types, between guard pages. */
static void the_definition_holds(void **state)
{
  (void)state;
  static guarded g[4]; /* x, y, dy, dx */
  for (int shape = 0; shape < SHAPES; shape++)
    for (int variant = 0; variant < VARIANTS; variant++)
      for (int type = 0; type < 2; type++) {
        cnnblas_resize_desc d = make(shape, variant, type ? CNNBLAS_F64 : CNNBLAS_F32);
        harness_doing("shape %d, variant %d, type %d", shape, variant, type);
        for (int i = 0; i < 4; i++) {
          int64_t count = d.n * d.c * product_of(i == 0 || i == 3 ? d.size : d.output, d.rank);
          guarded_reset(&g[i], (size_t)count * (type ? 8 : 4), variant % 2 ? AGAINST_END : AGAINST_START);
          double *values = check_reals((uint64_t)i, count);
          for (int64_t k = 0; k < count; k++)
            if (type)
              ((double *)g[i].data)[k] = values[k];
            else
              ((float *)g[i].data)[k] = (float)values[k];
          free(values);
        }
        ASSERT_OK(cnnblas_resize_forward(&d, d.n, g[0].data, g[1].data));
        ASSERT_OK(cnnblas_resize_backward(&d, d.n, g[2].data, g[3].data));
        for (int i = 0; i < 4; i++) assert_true(guarded_intact(&g[i]));
        compare(&d, g);
      }
}

/* Results that ONNX's operator tests and PyTorch's documents print for their examples. */
static void published_examples_come_out(void **state)
{
  (void)state;
  static const double square[] = {1, 2, 3, 4};
  static const double half_pixel[] = {1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4};
  static const double corners[] = {1,       4.0 / 3, 5.0 / 3, 2,        5.0 / 3, 2,        7.0 / 3,  8.0 / 3,
                                   7.0 / 3, 8.0 / 3, 3,       10.0 / 3, 3,       10.0 / 3, 11.0 / 3, 4};
  static const double repeated[] = {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4};
  double y[16];
  cnnblas_resize_desc d = {.dtype = CNNBLAS_F64, .n = 1, .c = 1, .size = {2, 2}, .output = {4, 4}};
  ASSERT_OK(cnnblas_resize_forward(&d, 1, square, y));
  assert_memory_equal(y, repeated, sizeof y);
  d.kind = CNNBLAS_RESIZE_LINEAR;
  ASSERT_OK(cnnblas_resize_forward(&d, 1, square, y));
  assert_memory_equal(y, half_pixel, sizeof y);
  d.coordinates = CNNBLAS_RESIZE_ALIGN_CORNERS;
  ASSERT_OK(cnnblas_resize_forward(&d, 1, square, y));
  for (int i = 0; i < 16; i++) assert_true(fabs(y[i] - corners[i]) <= 1e-15 * 8);
}

typedef struct {
  cnnblas_resize_desc d;
  double *x, *y, *r;
  int64_t outputs;
} probe;

static double run_probe(void *context)
{
  probe *p = context;
  ASSERT_OK(cnnblas_resize_forward(&p->d, p->d.n, p->x, p->y));
  return check_dot(p->y, p->r, p->outputs);
}

static void gradients_agree_with_differences(void **state)
{
  (void)state;
  for (int shape = 0; shape < SHAPES; shape++)
    for (int variant = 0; variant < VARIANTS; variant++) {
      probe p = {.d = make(shape, variant, CNNBLAS_F64)};
      int64_t inputs = p.d.n * p.d.c * product_of(p.d.size, p.d.rank);
      p.outputs = p.d.n * p.d.c * product_of(p.d.output, p.d.rank);
      double *dx = check_reals(4, inputs);
      p.x = check_reals(1, inputs), p.y = check_reals(2, p.outputs), p.r = check_reals(3, p.outputs);
      ASSERT_OK(cnnblas_resize_backward(&p.d, p.d.n, p.r, dx));
      check_gradient("x", run_probe, &p, p.x, dx, inputs);
      free(dx), free(p.x), free(p.y), free(p.r);
    }
}

static void bits_do_not_depend_on_threads_or_batch(void **state)
{
  (void)state;
  for (int kind = 0; kind < 2; kind++)
    for (int twice = 0; twice < 2; twice++) {
      cnnblas_resize_desc d = {.kind = (cnnblas_resize_kind)kind, .n = 5, .c = 7, .size = {31, 45}, .threads = 1};
      d.output[0] = twice ? 62 : 50, d.output[1] = twice ? 90 : 77;
      int64_t in = d.c * 31 * 45, out = d.c * d.output[0] * d.output[1];
      float *x = check_floats(1, d.n * in), *y = check_floats(2, d.n * out), *dx = check_floats(3, d.n * in);
      float *y2 = check_floats(4, d.n * out), *dx2 = check_floats(5, d.n * in);
      ASSERT_OK(cnnblas_resize_forward(&d, d.n, x, y));
      ASSERT_OK(cnnblas_resize_backward(&d, d.n, y, dx));
      for (int run = 0; run < CHECK_TEAMS; run++) {
        d.threads = check_teams[run];
        ASSERT_OK(cnnblas_resize_forward(&d, d.n, x, y2));
        ASSERT_OK(cnnblas_resize_backward(&d, d.n, y, dx2));
        assert_memory_equal(y, y2, (size_t)(d.n * out) * sizeof *y);
        assert_memory_equal(dx, dx2, (size_t)(d.n * in) * sizeof *dx);
      }
      ASSERT_OK(cnnblas_resize_forward(&d, 1, x + 2 * in, y2));
      ASSERT_OK(cnnblas_resize_backward(&d, 1, y + 2 * out, dx2));
      assert_memory_equal(y + 2 * out, y2, (size_t)out * sizeof *y);
      assert_memory_equal(dx + 2 * in, dx2, (size_t)in * sizeof *dx);
      free(x), free(y), free(dx), free(y2), free(dx2);
    }
}

/* NaN and Inf reach the outputs that are made of them, and no others. */
static void only_what_is_made_of_a_nan_is_one(void **state)
{
  (void)state;
  const float x[] = {1, INFINITY, 2, NAN, 3};
  float y[9], dx[5], dy[9] = {0, 0, 0, NAN, 0, 0, 0, 0, 1};
  cnnblas_resize_desc d = {.kind = CNNBLAS_RESIZE_LINEAR, .coordinates = CNNBLAS_RESIZE_ALIGN_CORNERS, .rank = 1};
  d.n = d.c = 1, d.size[0] = 5, d.output[0] = 9;
  ASSERT_OK(cnnblas_resize_forward(&d, 1, x, y));
  static const float want[] = {1, INFINITY, INFINITY, INFINITY, 2, NAN, NAN, NAN, 3};
  for (int i = 0; i < 9; i++) assert_true(isnan(want[i]) ? isnan(y[i]) : y[i] == want[i]);
  ASSERT_OK(cnnblas_resize_backward(&d, 1, dy, dx));
  assert_true(dx[0] == 0 && isnan(dx[1]) && isnan(dx[2]) && dx[3] == 0 && dx[4] == 1);
  ASSERT_OK(cnnblas_resize_forward(&d, 0, NULL, NULL));
  ASSERT_OK(cnnblas_resize_backward(&d, 0, NULL, NULL));
}

static void bad_arguments_are_refused(void **state)
{
  (void)state;
  float x[8] = {0}, y[32];
  const cnnblas_resize_desc good = {.n = 1, .c = 2, .size = {2, 2}, .output = {4, 4}};
  cnnblas_resize_desc d;
  ASSERT_OK(cnnblas_resize_forward(&good, 1, x, y));
  assert_int_equal(cnnblas_resize_forward(NULL, 1, x, y), CNNBLAS_INVALID_ARGUMENT);
#define REFUSED(status, change)                                                                                        \
  do {                                                                                                                 \
    d = good;                                                                                                          \
    change;                                                                                                            \
    assert_int_equal(cnnblas_resize_forward(&d, 1, x, y), status);                                                     \
    assert_int_equal(cnnblas_resize_backward(&d, 1, y, x), status);                                                    \
  } while (0)
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.dtype = (cnnblas_dtype)7);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.kind = (cnnblas_resize_kind)2);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.coordinates = (cnnblas_resize_coordinates)3);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.rounding = (cnnblas_resize_rounding)4);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, (d.kind = CNNBLAS_RESIZE_LINEAR, d.rounding = CNNBLAS_RESIZE_FLOOR));
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.rank = 4);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.rank = 1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.threads = -1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.n = 0);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.c = 0);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.size[1] = 0);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.output[0] = -1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.reserved[3] = 1);
  REFUSED(CNNBLAS_UNSUPPORTED, d.output[0] = (1 << 30) + 1);
  REFUSED(CNNBLAS_SIZE_OVERFLOW, (d.n = d.c = 1LL << 31, d.output[0] = 8));
  assert_int_equal(cnnblas_resize_forward(&good, 1, x, x), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_resize_forward(&good, 1, NULL, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_resize_forward(&good, 1, x, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_resize_backward(&good, 1, y, (char *)y + 4), CNNBLAS_INVALID_ARGUMENT);
  cnnblas_resize_desc_init(NULL);
  memset(&d, 255, sizeof d);
  cnnblas_resize_desc_init(&d);
  assert_true(d.kind == 0 && d.reserved[3] == 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_definition_holds),
      cmocka_unit_test(published_examples_come_out),
      cmocka_unit_test(gradients_agree_with_differences),
      cmocka_unit_test(bits_do_not_depend_on_threads_or_batch),
      cmocka_unit_test(only_what_is_made_of_a_nan_is_one),
      cmocka_unit_test(bad_arguments_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
