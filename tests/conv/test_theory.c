/*
 * The worked example of the theory, term by term: a 3x3 input a11..a33, a 2x2 filter w11..w22, stride 1, no padding, and
 * the 2x2 gradient d11..d22 of the result. All numbers are distinct primes, so that no two products can be mistaken for
 * each other; everything is exact in both types. Every algorithm that applies must give these sums.
 */
#include "support/oracle.h"
#include <stdio.h>
#include <string.h>

enum { a11 = 2, a12 = 3, a13 = 5, a21 = 7, a22 = 11, a23 = 13, a31 = 17, a32 = 19, a33 = 23 };
enum { w11 = 29, w12 = 31, w21 = 37, w22 = 41 };
enum { d11 = 43, d12 = 47, d21 = 53, d22 = 59 };
enum { b1 = 61 };

static const double a[9] = {a11, a12, a13, a21, a22, a23, a31, a32, a33};
static const double w[4] = {w11, w12, w21, w22};
static const double d[4] = {d11, d12, d21, d22};
static const double b[1] = {b1};
static const double db[1] = {d11 + d12 + d21 + d22};

typedef struct {
  double net[4], da[9], dw[4];
} sums;

static const sums cross_correlation = {.net = {a11 * w11 + a12 * w12 + a21 * w21 + a22 * w22 + b1, /* net11 */
                                               a12 *w11 + a13 *w12 + a22 *w21 + a23 *w22 + b1,     /* net12 */
                                               a21 *w11 + a22 *w12 + a31 *w21 + a32 *w22 + b1,     /* net21 */
                                               a22 *w11 + a23 *w12 + a32 *w21 + a33 *w22 + b1},    /* net22 */
                                       .da = {d11 * w11,                                           /* da11 */
                                              d11 *w12 + d12 *w11,                                 /* da12 */
                                              d12 *w12,                                            /* da13 */
                                              d11 *w21 + d21 *w11,                                 /* da21 */
                                              d11 *w22 + d12 *w21 + d21 *w12 + d22 *w11,           /* da22 */
                                              d12 *w22 + d22 *w12,                                 /* da23 */
                                              d21 *w21,                                            /* da31 */
                                              d21 *w22 + d22 *w21,                                 /* da32 */
                                              d22 *w22},                                           /* da33 */
                                       .dw = {d11 * a11 + d12 * a12 + d21 * a21 + d22 * a22,       /* dw11 */
                                              d11 *a12 + d12 *a13 + d21 *a22 + d22 *a23,           /* dw12 */
                                              d11 *a21 + d12 *a22 + d21 *a31 + d22 *a32,           /* dw21 */
                                              d11 *a22 + d12 *a23 + d21 *a32 + d22 *a33}};         /* dw22 */

/* The filter turned by 180 degrees. */
static const sums true_convolution = {.net = {a11 * w22 + a12 * w21 + a21 * w12 + a22 * w11 + b1, /* net11 */
                                              a12 *w22 + a13 *w21 + a22 *w12 + a23 *w11 + b1,     /* net12 */
                                              a21 *w22 + a22 *w21 + a31 *w12 + a32 *w11 + b1,     /* net21 */
                                              a22 *w22 + a23 *w21 + a32 *w12 + a33 *w11 + b1},    /* net22 */
                                      .da = {d11 * w22,                                           /* da11 */
                                             d11 *w21 + d12 *w22,                                 /* da12 */
                                             d12 *w21,                                            /* da13 */
                                             d11 *w12 + d21 *w22,                                 /* da21 */
                                             d11 *w11 + d12 *w12 + d21 *w21 + d22 *w22,           /* da22 */
                                             d12 *w11 + d22 *w21,                                 /* da23 */
                                             d21 *w12,                                            /* da31 */
                                             d21 *w11 + d22 *w12,                                 /* da32 */
                                             d22 *w11},                                           /* da33 */
                                      .dw = {d11 * a22 + d12 * a23 + d21 * a32 + d22 * a33,       /* dw11 */
                                             d11 *a21 + d12 *a22 + d21 *a31 + d22 *a32,           /* dw12 */
                                             d11 *a12 + d12 *a13 + d21 *a22 + d22 *a23,           /* dw21 */
                                             d11 *a11 + d12 *a12 + d21 *a21 + d22 *a22}};         /* dw22 */

/* An array of up to nine elements of either type. */
typedef union {
  float f32[9];
  double f64[9];
} small;

static small pack(cnnblas_dtype dtype, const double *values, int count)
{
  small s;
  array_fill_nan(dtype, &s, 9);
  for (int i = 0; i < count; i++) array_set(dtype, &s, i, values[i]);
  return s;
}

/* The same turned by 180 degrees: the elements backwards. */
static small pack_rot180(cnnblas_dtype dtype, const double *values, int count)
{
  small s = pack(dtype, values, count);
  for (int i = 0; i < count; i++) array_set(dtype, &s, i, values[count - 1 - i]);
  return s;
}

static void expect(cnnblas_dtype dtype, const char *name, const small *got, const double *want, int count)
{
  for (int i = 0; i < count; i++)
    if (array_get(dtype, got, i) != want[i])
      FAIL("%s, element %d, is %g, expected %g", name, i, array_get(dtype, got, i), want[i]);
}

static cnnblas_conv_plan *plan_for(const cnnblas_conv_desc *desc, cnnblas_conv_direction direction,
                                   const char *algorithm)
{
  cnnblas_conv_options options = {.algorithm = algorithm};
  cnnblas_conv_plan *plan = NULL;
  cnnblas_status status = cnnblas_conv_plan_create(desc, direction, &options, &plan);
  if (status != CNNBLAS_UNSUPPORTED || !algorithm) ASSERT_OK(status);
  return plan;
}

/* All three directions and the bias gradient by one algorithm; counts the directions that it has. */
static int check_example(const cnnblas_conv_desc *desc, const char *algorithm)
{
  cnnblas_dtype type = desc->dtype;
  const sums *want = desc->mode == CNNBLAS_TRUE_CONVOLUTION ? &true_convolution : &cross_correlation;
  small x = pack(type, a, 9), filter = pack(type, w, 4), delta = pack(type, d, 4), bias = pack(type, b, 1);
  small net = pack(type, a, 0), dx = net, dw = net, dbias = net; /* NaN */
  cnnblas_conv_epilogue epilogue = {.bias = &bias};
  cnnblas_conv_plan *plan;
  int directions = 0;
  if ((plan = plan_for(desc, CNNBLAS_FORWARD, algorithm))) {
    ASSERT_OK(cnnblas_conv_forward(plan, 1, &x, &filter, &epilogue, &net, NULL, 0));
    expect(type, "net", &net, want->net, 4);
    cnnblas_conv_plan_destroy(plan);
    directions++;
  }
  if ((plan = plan_for(desc, CNNBLAS_BACKWARD_DATA, algorithm))) {
    ASSERT_OK(cnnblas_conv_backward_data(plan, 1, &delta, &filter, &dx, NULL, 0));
    expect(type, "da", &dx, want->da, 9);
    cnnblas_conv_plan_destroy(plan);
    directions++;
  }
  if ((plan = plan_for(desc, CNNBLAS_BACKWARD_WEIGHTS, algorithm))) {
    ASSERT_OK(cnnblas_conv_backward_weights(plan, 1, &x, &delta, &dw, &dbias, NULL, 0));
    expect(type, "dw", &dw, want->dw, 4);
    expect(type, "db", &dbias, db, 1);
    cnnblas_conv_plan_destroy(plan);
    directions++;
  }
  return directions;
}

static cnnblas_conv_desc example(int dtype, int mode)
{
  return (cnnblas_conv_desc){.dtype = (cnnblas_dtype)dtype,
                             .mode = (cnnblas_conv_mode)mode,
                             .n = 1,
                             .c = 1,
                             .k = 1,
                             .size = {3, 3},
                             .kernel = {2, 2}};
}

/* Of 12, two types by two modes by three directions; -1: an algorithm that may choose its problems. */
static int expected_directions(const char *name)
{
  const cnnblas_algorithm_info row = algorithm_info(name);
  if (row.scope == CNNBLAS_SCOPE_SOME) return -1;
  if (row.scope == CNNBLAS_SCOPE_POINTWISE || row.scope == CNNBLAS_SCOPE_ONE_TAP) return 0;
  int directions = 0;
  for (int i = 0; i < DIRECTIONS; i++) directions += row.directions >> i & 1;
  return 4 * directions;
}

static void test_every_algorithm(void **state)
{
  (void)state;
  for (int i = 0; i <= algorithm_count(); i++) {
    const char *name = cnnblas_conv_algorithm_name(i);
    int directions = 0;
    for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++)
      for (int mode = CNNBLAS_CROSS_CORRELATION; mode <= CNNBLAS_TRUE_CONVOLUTION; mode++) {
        cnnblas_conv_desc desc = example(dtype, mode);
        harness_doing("worked example, %s, dtype %d, mode %d", name ? name : "auto", dtype, mode);
        directions += check_example(&desc, name);
      }
    printf("%s: %d of 12\n", name ? name : "auto", directions);
    int promised = expected_directions(name);
    if (promised >= 0) assert_int_equal(directions, promised);
  }
}

/* da = pad(delta) * rot180(W): the delta padded by a ring of zeros, put through the forward direction. */
static void test_input_gradient_as_written(void **state)
{
  (void)state;
  for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++)
    for (int mode = CNNBLAS_CROSS_CORRELATION; mode <= CNNBLAS_TRUE_CONVOLUTION; mode++) {
      cnnblas_conv_desc desc = example(dtype, mode);
      desc.size[0] = desc.size[1] = 2;
      for (int i = 0; i < 2; i++) desc.pad_begin[i] = desc.pad_end[i] = 1;
      small delta = pack(desc.dtype, d, 4), filter = pack_rot180(desc.dtype, w, 4), da = pack(desc.dtype, a, 0);
      harness_doing("pad(delta) * rot180(W), dtype %d, mode %d", dtype, mode);
      ASSERT_OK(cnnblas_conv_forward_once(&desc, &delta, &filter, NULL, &da));
      expect(desc.dtype, "da", &da, mode == CNNBLAS_TRUE_CONVOLUTION ? true_convolution.da : cross_correlation.da, 9);
    }
}

/* dw = delta * rot180(a): as written if * and the forward are true convolution; its rot180 if the forward is
   cross-correlation. */
static void test_weight_gradient_as_written(void **state)
{
  (void)state;
  for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++) {
    cnnblas_conv_desc desc = example(dtype, CNNBLAS_TRUE_CONVOLUTION);
    small turned = pack_rot180(desc.dtype, a, 9), delta = pack(desc.dtype, d, 4), dw = pack(desc.dtype, a, 0);
    harness_doing("delta * rot180(a), dtype %d", dtype);
    ASSERT_OK(cnnblas_conv_forward_once(&desc, &turned, &delta, NULL, &dw));
    expect(desc.dtype, "dw", &dw, true_convolution.dw, 4);
    double back[4];
    for (int i = 0; i < 4; i++) back[i] = array_get(desc.dtype, &dw, 3 - i);
    small rot180 = pack(desc.dtype, back, 4);
    expect(desc.dtype, "rot180(dw)", &rot180, cross_correlation.dw, 4);
  }
}

/* The one-call helpers give the same. */
static void test_one_call(void **state)
{
  (void)state;
  cnnblas_conv_desc desc = example(CNNBLAS_F32, CNNBLAS_CROSS_CORRELATION);
  small x = pack(CNNBLAS_F32, a, 9), filter = pack(CNNBLAS_F32, w, 4), delta = pack(CNNBLAS_F32, d, 4);
  small bias = pack(CNNBLAS_F32, b, 1), net = pack(CNNBLAS_F32, a, 0), dx = net, dw = net, dbias = net;
  harness_doing("one-call helpers");
  ASSERT_OK(cnnblas_conv_forward_once(&desc, &x, &filter, &bias, &net));
  ASSERT_OK(cnnblas_conv_backward_data_once(&desc, &delta, &filter, &dx));
  ASSERT_OK(cnnblas_conv_backward_weights_once(&desc, &x, &delta, &dw, &dbias));
  expect(CNNBLAS_F32, "net", &net, cross_correlation.net, 4);
  expect(CNNBLAS_F32, "da", &dx, cross_correlation.da, 9);
  expect(CNNBLAS_F32, "dw", &dw, cross_correlation.dw, 4);
  expect(CNNBLAS_F32, "db", &dbias, db, 1);
  dw = pack(CNNBLAS_F32, a, 0);
  ASSERT_OK(cnnblas_conv_backward_weights_once(&desc, &x, &delta, &dw, NULL));
  expect(CNNBLAS_F32, "dw without db", &dw, cross_correlation.dw, 4);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_algorithm),
      cmocka_unit_test(test_input_gradient_as_written),
      cmocka_unit_test(test_weight_gradient_as_written),
      cmocka_unit_test(test_one_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
