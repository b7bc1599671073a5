/*
 * Output sizes: W2 = (W1 - F + 2P)/S + 1 rounded down, against counting the windows that fit; and the sizes that follow
 * from them, up to and beyond what 63 bits hold.
 */
#include "support/harness.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Windows of the filter that fit the padded axis, counted one by one. */
static int64_t count_windows(int64_t size, int64_t kernel, int64_t stride, int64_t dilation, int64_t padding)
{
  int64_t count = 0;
  for (int64_t start = 0; start + dilation * (kernel - 1) < size + padding; start += stride) count++;
  return count;
}

static void test_output_sizes(void **state)
{
  (void)state;
  long valid = 0, refused = 0, remainders[6] = {0};
  for (int64_t size = 1; size <= 18; size++)
    for (int64_t kernel = 1; kernel <= 7; kernel++)
      for (int64_t stride = 1; stride <= 5; stride++)
        for (int64_t dilation = 1; dilation <= 3; dilation++)
          for (int64_t begin = 0; begin <= 3; begin++)
            for (int64_t end = 0; end <= 3; end++) {
              cnnblas_conv_desc d = {.n = 1,
                                     .rank = 1,
                                     .c = 1,
                                     .k = 1,
                                     .size = {size},
                                     .kernel = {kernel},
                                     .stride = {stride},
                                     .dilation = {dilation},
                                     .pad_begin = {begin},
                                     .pad_end = {end}};
              cnnblas_conv_shape shape;
              harness_doing("size %" PRId64 " kernel %" PRId64 " stride %" PRId64 " dilation %" PRId64 " pad %" PRId64
                            " %" PRId64,
                            size, kernel, stride, dilation, begin, end);
              int64_t windows = count_windows(size, kernel, stride, dilation, begin + end);
              cnnblas_status status = cnnblas_conv_get_shape(&d, &shape);
              if (windows == 0) {
                assert_int_equal(status, CNNBLAS_INVALID_ARGUMENT);
                refused++;
                continue;
              }
              ASSERT_OK(status);
              if (shape.out[0] != windows) FAIL("out is %" PRId64 ", expected %" PRId64, shape.out[0], windows);
              assert_int_equal(shape.y_elements, windows);
              remainders[(size + begin + end - dilation * (kernel - 1) - 1) % stride]++;
              valid++;
            }
  printf(
      "output sizes: %ld right, %ld refused; remainders of the division by the stride, 0 to 4: %ld %ld %ld %ld %ld\n",
      valid, refused, remainders[0], remainders[1], remainders[2], remainders[3], remainders[4]);
  for (int i = 0; i < 5; i++) assert_int_not_equal(remainders[i], 0);
}

/* P = (F - 1)/2 at stride 1 keeps the size, for odd filters. */
static void test_same_padding(void **state)
{
  (void)state;
  for (int64_t size = 1; size <= 40; size++)
    for (int64_t kernel = 1; kernel <= 11; kernel += 2) {
      int64_t pad = (kernel - 1) / 2;
      cnnblas_conv_desc d = {.n = 2,
                             .c = 3,
                             .k = 4,
                             .size = {size, size + 1},
                             .kernel = {kernel, kernel},
                             .pad_begin = {pad, pad},
                             .pad_end = {pad, pad}};
      cnnblas_conv_shape shape;
      ASSERT_OK(cnnblas_conv_get_shape(&d, &shape));
      assert_int_equal(shape.out[0], size);
      assert_int_equal(shape.out[1], size + 1);
      assert_int_equal(shape.out[2], 0);
    }
}

static void test_every_field(void **state)
{
  (void)state;
  cnnblas_conv_desc d = {.n = 5,
                         .rank = 3,
                         .c = 6,
                         .k = 9,
                         .groups = 3,
                         .size = {4, 10, 17},
                         .kernel = {1, 3, 2},
                         .stride = {1, 2, 3},
                         .dilation = {1, 2, 1},
                         .pad_begin = {0, 1, 2},
                         .pad_end = {1, 0, 0}};
  cnnblas_conv_shape shape;
  memset(&shape, 0x55, sizeof shape);
  ASSERT_OK(cnnblas_conv_get_shape(&d, &shape));
  assert_int_equal(shape.out[0], 5); /* 4 + 1 */
  assert_int_equal(shape.out[1], 4); /* (10 + 1 - 5) / 2 + 1 */
  assert_int_equal(shape.out[2], 6); /* (17 + 2 - 2) / 3 + 1, rounded down */
  assert_int_equal(shape.x_elements, 5 * 6 * 4 * 10 * 17);
  assert_int_equal(shape.w_elements, 9 * 2 * 1 * 3 * 2);
  assert_int_equal(shape.y_elements, 5 * 9 * 5 * 4 * 6);
  assert_int_equal(shape.bias_elements, 9);
  assert_true(shape.flops == 2.0 * (5 * 9 * 5 * 4 * 6) * (2 * 1 * 3 * 2));
}

/* Products past 2^31 and 2^32, in elements of one image, of the batch, of the filters, of the multiply-adds. */
static void test_past_31_bits(void **state)
{
  (void)state;
  cnnblas_conv_desc d = {.n = 1000, .c = 70000, .k = 80000, .size = {50000, 60000}, .kernel = {3, 3}};
  cnnblas_conv_shape shape;
  ASSERT_OK(cnnblas_conv_get_shape(&d, &shape));
  assert_int_equal(shape.out[0], 49998);
  assert_int_equal(shape.out[1], 59998);
  assert_true(shape.x_elements == INT64_C(210000000000000000));
  assert_true(shape.w_elements == INT64_C(50400000000));
  assert_true(shape.y_elements == INT64_C(239982400320000000));
  assert_true(shape.flops > 3.02e23 && shape.flops < 3.03e23);
}

/* The largest array that fits has 2^63 - 1 bytes; one element more is refused. An axis alone, then products. */
static void test_the_63_bit_edge(void **state)
{
  (void)state;
  static const int64_t most[] = {(INT64_C(1) << 61) - 1, (INT64_C(1) << 60) - 1}; /* elements of 4 and of 8 bytes */
  for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++) {
    cnnblas_conv_desc d = {
        .dtype = (cnnblas_dtype)dtype, .rank = 1, .n = 1, .c = 1, .k = 1, .size = {most[dtype]}, .kernel = {1}};
    cnnblas_conv_shape shape;
    ASSERT_OK(cnnblas_conv_get_shape(&d, &shape));
    assert_true(shape.x_elements == most[dtype] && shape.y_elements == most[dtype]);
    d.size[0]++;
    assert_int_equal(cnnblas_conv_get_shape(&d, &shape), CNNBLAS_SIZE_OVERFLOW);
    d.size[0] = (most[dtype] + 1) / 2;
    ASSERT_OK(cnnblas_conv_get_shape(&d, &shape));
    d.n = 2;
    assert_int_equal(cnnblas_conv_get_shape(&d, &shape), CNNBLAS_SIZE_OVERFLOW);
  }
}

#define BIG (INT64_C(1) << 62)
#define MAX INT64_MAX

static void test_overflow_in_every_product(void **state)
{
  (void)state;
  static const struct {
    const char *what;
    cnnblas_conv_desc desc;
  } cases[] = {
      {"x by n", {.n = BIG, .c = 2, .k = 1, .size = {1, 1}, .kernel = {1, 1}}},
      {"x by c", {.n = 1, .c = BIG, .k = 1, .size = {2, 1}, .kernel = {1, 1}}},
      {"x by sizes", {.n = 1, .c = 1, .k = 1, .size = {INT64_C(1) << 31, INT64_C(1) << 32}, .kernel = {1, 1}}},
      {"x wraps to 0", {.n = INT64_C(1) << 32, .c = INT64_C(1) << 32, .k = 1, .size = {1, 1}, .kernel = {1, 1}}},
      {"x in bytes only", {.n = INT64_C(1) << 31, .c = INT64_C(1) << 30, .k = 1, .size = {1, 1}, .kernel = {1, 1}}},
      {"y by k", {.n = 4, .c = 1, .k = BIG, .size = {1, 1}, .kernel = {1, 1}}},
      {"y by padding",
       {.n = 1, .c = 1, .k = 1, .size = {1, 1}, .kernel = {1, 1}, .pad_begin = {INT64_C(1) << 40, INT64_C(1) << 40}}},
      {"w", {.n = 1, .c = INT64_C(1) << 31, .k = INT64_C(1) << 31, .size = {1, 1}, .kernel = {1, 1}}},
      {"padded size", {.n = 1, .c = 1, .k = 1, .size = {5, 5}, .kernel = {1, 1}, .pad_begin = {MAX, 0}}},
      {"padding alone",
       {.n = 1, .c = 1, .k = 1, .size = {5, 5}, .kernel = {1, 1}, .pad_begin = {BIG, 0}, .pad_end = {BIG, 0}}},
      {"size", {.n = 1, .c = 1, .k = 1, .size = {MAX, 1}, .kernel = {1, 1}}},
      {"filter's span", {.n = 1, .c = 1, .k = 1, .size = {5, 5}, .kernel = {3, 3}, .dilation = {BIG, 1}}},
      {"depth", {.n = 1, .rank = 3, .c = 1, .k = 1, .size = {1 << 22, 1 << 22, 1 << 22}, .kernel = {1, 1, 1}}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cnnblas_conv_shape shape, before;
    memset(&shape, 0x55, sizeof shape);
    before = shape;
    harness_doing("overflow of %s", cases[i].what);
    if (cnnblas_conv_get_shape(&cases[i].desc, &shape) != CNNBLAS_SIZE_OVERFLOW) FAIL("not CNNBLAS_SIZE_OVERFLOW");
    assert_memory_equal(&shape, &before, sizeof shape);
    assert_non_null(strstr(cnnblas_last_error(), "63 bits"));
    for (int d = 0; d < DIRECTIONS; d++) {
      cnnblas_conv_plan *plan = NULL;
      assert_int_equal(cnnblas_conv_plan_create(&cases[i].desc, (cnnblas_conv_direction)d, NULL, &plan),
                       CNNBLAS_SIZE_OVERFLOW);
      assert_null(plan);
    }
  }
}

/* A plan for arrays that no machine holds: every algorithm prepares it or refuses it, within its workspace limit. */
static void test_plans_of_huge_problems(void **state)
{
  (void)state;
  static const cnnblas_conv_desc huge[] = {
      {.n = 1, .c = 64, .k = 64, .size = {100000, 100000}, .kernel = {3, 3}},
      {.n = 1, .c = 1 << 20, .k = 1 << 20, .size = {7, 7}, .kernel = {1, 1}},
      {.n = INT64_C(1) << 40, .c = 3, .k = 8, .size = {28, 28}, .kernel = {5, 5}, .stride = {2, 2}},
      {.n = 1, .rank = 1, .c = 1, .k = 1, .size = {INT64_C(1) << 60}, .kernel = {INT64_C(1) << 59}},
      {.n = 1,
       .c = INT64_C(1) << 33,
       .k = INT64_C(1) << 33,
       .groups = INT64_C(1) << 33,
       .size = {9, 9},
       .kernel = {3, 3}},
      {.n = 1, .rank = 1, .c = INT64_C(1) << 40, .k = 1, .size = {1}, .kernel = {1}},
      {.n = 1, .rank = 1, .c = 1, .k = INT64_C(1) << 40, .size = {1}, .kernel = {1}},
      {.n = 1, .c = 16384, .k = 131073, .size = {4, 16}, .kernel = {1, 1}}, /* weights of more than 31 bits a group, */
      {.n = 1, .c = 131073, .k = 16384, .size = {4, 16}, .kernel = {1, 1}}, /* outputs that do not fill vectors */
  };
  long plans = 0, refusals = 0;
  for (size_t i = 0; i < sizeof huge / sizeof *huge; i++)
    for (int d = 0; d < DIRECTIONS; d++)
      for (int a = 0; a <= algorithm_count(); a++) {
        cnnblas_conv_options options = {.algorithm = cnnblas_conv_algorithm_name(a)};
        cnnblas_conv_plan *plan = NULL;
        harness_doing("huge problem %zu, %s, %s", i, cnnblas_conv_direction_name((cnnblas_conv_direction)d),
                      options.algorithm ? options.algorithm : "auto");
        cnnblas_status status = cnnblas_conv_plan_create(&huge[i], (cnnblas_conv_direction)d, &options, &plan);
        if (status == CNNBLAS_UNSUPPORTED && options.algorithm && ++refusals) continue;
        ASSERT_OK(status);
        size_t limit = ((size_t)4 << 20) * (size_t)cnnblas_conv_plan_threads(plan);
        /* Rows with transforms hold transformed weights, or two sums of their gradient, once a call: 16 points or 36. */
        if (algorithm_info(cnnblas_conv_plan_algorithm(plan)).norm_factor > 0)
          limit += 2 * 36 * (size_t)huge[i].k * (size_t)huge[i].c * sizeof(double) + ((size_t)1 << 20);
        if (cnnblas_conv_plan_workspace(plan) > limit)
          FAIL("%s: %zu bytes of workspace", harness_line(), cnnblas_conv_plan_workspace(plan));
        cnnblas_conv_plan_destroy(plan);
        plans++;
      }
  printf("huge problems: %ld plans, %ld refusals\n", plans, refusals);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_output_sizes),
      cmocka_unit_test(test_same_padding),
      cmocka_unit_test(test_every_field),
      cmocka_unit_test(test_past_31_bits),
      cmocka_unit_test(test_the_63_bit_edge),
      cmocka_unit_test(test_overflow_in_every_product),
      cmocka_unit_test(test_plans_of_huge_problems),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
