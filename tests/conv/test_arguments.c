/*
 * Every bad argument: the right status, a message that names the field and the value, and outputs that nobody touched.
 */
#include "support/harness.h"
#include "support/names.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long checked;

/* The last call gave that status, and its message holds every word of the list (separated by '|'). */
static void expect_refusal(cnnblas_status got, cnnblas_status want, const char *words)
{
  const char *message = cnnblas_last_error();
  char list[256];
  if (got != want)
    FAIL("gave %s, expected %s (message: %s)", cnnblas_status_string(got), cnnblas_status_string(want), message);
  snprintf(list, sizeof list, "%s", words);
  for (char *word = strtok(list, "|"); word; word = strtok(NULL, "|"))
    if (!strstr(message, word)) FAIL("the message does not say \"%s\": %s", word, message);
  if (!*message || strlen(message) > 511 || strchr(message, '\n')) FAIL("not one sentence: \"%s\"", message);
  checked++;
}

static const cnnblas_conv_desc good = {
    .n = 2, .c = 6, .k = 4, .size = {8, 9}, .kernel = {3, 3}, .stride = {1, 1}, .pad_begin = {1, 1}, .pad_end = {1, 1}};

/* A descriptor that is refused, by every function that takes one. */
static void refuse_desc(const cnnblas_conv_desc *desc, cnnblas_status status, const char *words)
{
  cnnblas_conv_shape shape, shape_before;
  float x[64], w[64], y[64], before[64];
  memset(&shape, 0x5a, sizeof shape);
  memset(y, 0x5a, sizeof y);
  memset(x, 0, sizeof x);
  memset(w, 0, sizeof w);
  shape_before = shape;
  memcpy(before, y, sizeof y);
  harness_doing("refused descriptor: %s", words);
  expect_refusal(cnnblas_conv_get_shape(desc, &shape), status, words);
  assert_memory_equal(&shape, &shape_before, sizeof shape);
  for (int d = 0; d < DIRECTIONS; d++) {
    cnnblas_conv_plan *plan = (cnnblas_conv_plan *)0x5a5a;
    expect_refusal(cnnblas_conv_plan_create(desc, (cnnblas_conv_direction)d, NULL, &plan), status, words);
    assert_ptr_equal(plan, (cnnblas_conv_plan *)0x5a5a);
  }
  expect_refusal(cnnblas_conv_forward_once(desc, x, w, NULL, y), status, words);
  expect_refusal(cnnblas_conv_backward_data_once(desc, x, w, y), status, words);
  expect_refusal(cnnblas_conv_backward_weights_once(desc, x, w, y, NULL), status, words);
  assert_memory_equal(y, before, sizeof y);
}

/* good with one field changed. */
#define REFUSE(FIELD, VALUE, STATUS, WORDS)                                                                            \
  do {                                                                                                                 \
    cnnblas_conv_desc desc = good;                                                                                     \
    desc.FIELD = (VALUE);                                                                                              \
    refuse_desc(&desc, STATUS, WORDS);                                                                                 \
  } while (0)

#define INVALID CNNBLAS_INVALID_ARGUMENT

static void test_descriptor_fields(void **state)
{
  (void)state;
  REFUSE(n, -1, INVALID, "n is |-1");
  REFUSE(c, 0, INVALID, "c is |0");
  REFUSE(c, -6, INVALID, "c is |-6");
  REFUSE(k, 0, INVALID, "k is |0");
  REFUSE(k, -4, INVALID, "k is |-4");
  REFUSE(groups, -1, INVALID, "groups|-1");
  REFUSE(groups, 4, INVALID, "groups is 4|c = 6");
  REFUSE(groups, 3, INVALID, "groups is 3|k = 4");
  REFUSE(groups, 100, INVALID, "groups is 100|6");
  REFUSE(rank, -1, INVALID, "rank|-1");
  REFUSE(rank, 4, INVALID, "rank|4");
  REFUSE(size[0], 0, INVALID, "size[0]|0");
  REFUSE(size[1], -9, INVALID, "size[1]|-9");
  REFUSE(kernel[0], 0, INVALID, "kernel[0]|0");
  REFUSE(kernel[1], -3, INVALID, "kernel[1]|-3");
  REFUSE(stride[1], -2, INVALID, "stride[1]|-2");
  REFUSE(dilation[0], -1, INVALID, "dilation[0]|-1");
  REFUSE(pad_begin[0], -1, INVALID, "pad_begin[0]|-1");
  REFUSE(pad_end[1], -7, INVALID, "pad_end[1]|-7");
  for (int i = 0; i < 8; i++) REFUSE(reserved[i], 77, INVALID, "reserved[|77");
}

/* Fields given for one axis and not for another, or for an axis that the rank does not have. */
static void test_half_filled_axes(void **state)
{
  (void)state;
  REFUSE(stride[0], 0, INVALID, "stride[0]|0");
  REFUSE(stride[1], 0, INVALID, "stride[1]|0");
  REFUSE(dilation[0], 2, INVALID, "dilation[1]|0");
  REFUSE(dilation[1], 1, INVALID, "dilation[0]|0");
  REFUSE(size[2], 8, INVALID, "size[2]|8|rank");
  REFUSE(kernel[2], 3, INVALID, "kernel[2]|3|rank");
  REFUSE(stride[2], 5, INVALID, "stride[2]|5|rank");
  REFUSE(dilation[2], 5, INVALID, "dilation[2]|5|rank");
  REFUSE(pad_begin[2], 1, INVALID, "pad_begin[2]|1|rank");
  REFUSE(pad_end[2], 1, INVALID, "pad_end[2]|1|rank");
  REFUSE(rank, 1, INVALID, "[1]|rank");
  REFUSE(rank, 3, INVALID, "size[2]|0");
}

/* Windows that do not fit; one that just fits is accepted. */
static void test_filter_larger_than_the_padded_input(void **state)
{
  (void)state;
  REFUSE(kernel[0], 11, INVALID, "kernel[0]|11|10");
  REFUSE(kernel[1], 12, INVALID, "kernel[1]|12|11");
  cnnblas_conv_desc dilated = good;
  dilated.dilation[0] = 5;
  dilated.dilation[1] = 1;
  refuse_desc(&dilated, INVALID, "kernel[0]|11|10");
  cnnblas_conv_desc fits = good;
  fits.kernel[0] = 10;
  fits.kernel[1] = 11;
  cnnblas_conv_shape shape;
  ASSERT_OK(cnnblas_conv_get_shape(&fits, &shape));
  assert_true(shape.out[0] == 1 && shape.out[1] == 1);
}

static void test_unknown_enums(void **state)
{
  (void)state;
  REFUSE(dtype, (cnnblas_dtype)3, INVALID, "dtype|3");
  REFUSE(dtype, (cnnblas_dtype)-1, INVALID, "dtype|-1");
  REFUSE(dtype, CNNBLAS_BF16, CNNBLAS_UNSUPPORTED, "dtype|BF16");
  REFUSE(layout, (cnnblas_layout)2, INVALID, "layout|2");
  REFUSE(layout, (cnnblas_layout)-5, INVALID, "layout|-5");
  REFUSE(layout, CNNBLAS_NHWC, CNNBLAS_UNSUPPORTED, "layout|NHWC");
  REFUSE(mode, (cnnblas_conv_mode)2, INVALID, "mode|2");
  REFUSE(mode, (cnnblas_conv_mode)-1, INVALID, "mode|-1");
}

static void test_overflow(void **state)
{
  (void)state;
  const int64_t big = INT64_C(1) << 61;
  REFUSE(n, big, CNNBLAS_SIZE_OVERFLOW, "63 bits");
  REFUSE(size[1], big, CNNBLAS_SIZE_OVERFLOW, "63 bits");
  REFUSE(pad_begin[0], INT64_MAX, CNNBLAS_SIZE_OVERFLOW, "63 bits");
  REFUSE(k, big, CNNBLAS_SIZE_OVERFLOW, "63 bits");
}

static void test_null_descriptors(void **state)
{
  (void)state;
  cnnblas_conv_shape shape;
  refuse_desc(NULL, INVALID, "desc|NULL");
  expect_refusal(cnnblas_conv_get_shape(&good, NULL), INVALID, "shape|NULL");
  expect_refusal(cnnblas_conv_plan_create(&good, CNNBLAS_FORWARD, NULL, NULL), INVALID, "plan|NULL");
  cnnblas_conv_desc_init(NULL);
  cnnblas_conv_options_init(NULL);
  cnnblas_conv_epilogue_init(NULL);
  cnnblas_activation_init(NULL);
  cnnblas_conv_epilogue epilogue, nothing = {0};
  memset(&epilogue, 1, sizeof epilogue);
  cnnblas_conv_epilogue_init(&epilogue);
  assert_memory_equal(&epilogue, &nothing, sizeof nothing);
  cnnblas_conv_desc desc;
  memset(&desc, 0x5a, sizeof desc);
  cnnblas_conv_desc_init(&desc);
  desc.n = desc.c = desc.k = desc.size[0] = desc.size[1] = desc.kernel[0] = desc.kernel[1] = 1;
  ASSERT_OK(cnnblas_conv_get_shape(&desc, &shape));
}

static void refuse_options(const cnnblas_conv_options *options, cnnblas_status status, const char *words)
{
  harness_doing("refused options: %s", words);
  for (int d = 0; d < DIRECTIONS; d++) {
    cnnblas_conv_plan *plan = (cnnblas_conv_plan *)0x5a5a;
    expect_refusal(cnnblas_conv_plan_create(&good, (cnnblas_conv_direction)d, options, &plan), status, words);
    assert_ptr_equal(plan, (cnnblas_conv_plan *)0x5a5a);
  }
}

#define REFUSE_OPTION(FIELD, VALUE, STATUS, WORDS)                                                                     \
  do {                                                                                                                 \
    cnnblas_conv_options options;                                                                                      \
    cnnblas_conv_options_init(&options);                                                                               \
    options.FIELD = (VALUE);                                                                                           \
    refuse_options(&options, STATUS, WORDS);                                                                           \
  } while (0)

/* Weight gradients of sizes at which im2col's joined images nearly fill the limit: no plan has more than it. */
static void test_limit_holds(void **state)
{
  static const struct {
    int64_t n, c, k;
    cnnblas_dtype dtype;
    size_t limit;
  } cases[] = {
      {6, 42, 178, CNNBLAS_F32, 1076544}, {4, 46, 171, CNNBLAS_F32, 1132736}, {8, 21, 89, CNNBLAS_F64, 1076544}};
  int plans = 0;
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (size_t limit = cases[i].limit - 64; limit <= cases[i].limit + 64; limit += 32)
      for (int32_t row = 0; row < algorithm_count(); row++) {
        const cnnblas_conv_desc d = {.dtype = cases[i].dtype,
                                     .n = cases[i].n,
                                     .c = cases[i].c,
                                     .k = cases[i].k,
                                     .size = {11, 11},
                                     .kernel = {3, 3},
                                     .pad_begin = {1, 1},
                                     .pad_end = {1, 1}};
        const cnnblas_conv_options options = {.algorithm = cnnblas_conv_algorithm_name(row),
                                              .threads = 1,
                                              .workspace = CNNBLAS_WORKSPACE_LIMIT,
                                              .workspace_limit = limit};
        cnnblas_conv_plan *plan;
        if (cnnblas_conv_plan_create(&d, CNNBLAS_BACKWARD_WEIGHTS, &options, &plan)) continue;
        assert_in_range(cnnblas_conv_plan_workspace(plan), 0, limit);
        cnnblas_conv_plan_destroy(plan);
        plans++;
      }
  assert_true(plans > 15);
}

static void test_options(void **state)
{
  (void)state;
  REFUSE_OPTION(threads, -1, INVALID, "threads|-1");
  REFUSE_OPTION(workspace, (cnnblas_workspace_policy)3, INVALID, "workspace|3");
  REFUSE_OPTION(workspace, (cnnblas_workspace_policy)-1, INVALID, "workspace|-1");
  REFUSE_OPTION(workspace_limit, 1000, INVALID, "workspace_limit|1000");
  REFUSE_OPTION(effort, (cnnblas_effort)2, INVALID, "effort|2");
  REFUSE_OPTION(effort, (cnnblas_effort)-3, INVALID, "effort|-3");
  REFUSE_OPTION(no_alloc, 2, INVALID, "no_alloc|2");
  REFUSE_OPTION(flush_denormals, 2, INVALID, "flush_denormals|2");
  REFUSE_OPTION(accuracy, (cnnblas_accuracy_policy)3, INVALID, "accuracy|3");
  REFUSE_OPTION(accuracy, (cnnblas_accuracy_policy)-1, INVALID, "accuracy|-1");
  REFUSE_OPTION(accumulate, -1, INVALID, "accumulate|-1");
  for (int i = 0; i < 14; i++) REFUSE_OPTION(reserved[i], -9, INVALID, "reserved[|-9");
  REFUSE_OPTION(algorithm, "im2coll", INVALID, "algorithm|im2coll");
  REFUSE_OPTION(algorithm, "", INVALID, "algorithm");
  REFUSE_OPTION(algorithm, GEMM_1X1, CNNBLAS_UNSUPPORTED, "gemm_1x1|kernel");
  REFUSE_OPTION(algorithm, DEPTHWISE, CNNBLAS_UNSUPPORTED, "depthwise|channel");
  cnnblas_conv_plan *plan = (cnnblas_conv_plan *)0x5a5a;
  expect_refusal(cnnblas_conv_plan_create(&good, (cnnblas_conv_direction)3, NULL, &plan), INVALID, "direction|3");
  expect_refusal(cnnblas_conv_plan_create(&good, (cnnblas_conv_direction)-1, NULL, &plan), INVALID, "direction|-1");
  cnnblas_conv_options rot180 = {.algorithm = IM2COL_ROT180};
  expect_refusal(cnnblas_conv_plan_create(&good, CNNBLAS_FORWARD, &rot180, &plan), CNNBLAS_UNSUPPORTED,
                 "im2col_rot180|backward_data");
  assert_ptr_equal(plan, (cnnblas_conv_plan *)0x5a5a);
}

/* A very long name does not break the message's buffer. */
static void test_long_algorithm_name(void **state)
{
  (void)state;
  char name[5000];
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = 0;
  REFUSE_OPTION(algorithm, name, INVALID, "algorithm|xxxx");
}

/* A plan's making takes no step a channel, not even where their number has no divisors. */
static void test_very_many_channels(void **state)
{
  (void)state;
  const int64_t prime = INT64_C(1000000000039);
  const cnnblas_conv_desc d = {.c = prime, .k = prime, .groups = prime, .size = {1, 1}, .kernel = {1, 1}};
  const cnnblas_conv_options depthwise = {.algorithm = DEPTHWISE};
  for (int i = 0; i < DIRECTIONS; i++) {
    cnnblas_conv_plan *plan;
    ASSERT_OK(cnnblas_conv_plan_create(&d, (cnnblas_conv_direction)i, &depthwise, &plan));
    cnnblas_conv_plan_destroy(plan);
  }
}

static void test_status_text(void **state)
{
  (void)state;
  assert_string_equal(cnnblas_status_string(CNNBLAS_OK), "CNNBLAS_OK");
  assert_string_equal(cnnblas_status_string(CNNBLAS_INVALID_ARGUMENT), "CNNBLAS_INVALID_ARGUMENT");
  assert_string_equal(cnnblas_status_string(CNNBLAS_UNSUPPORTED), "CNNBLAS_UNSUPPORTED");
  assert_string_equal(cnnblas_status_string(CNNBLAS_OUT_OF_MEMORY), "CNNBLAS_OUT_OF_MEMORY");
  assert_string_equal(cnnblas_status_string(CNNBLAS_SIZE_OVERFLOW), "CNNBLAS_SIZE_OVERFLOW");
  assert_string_equal(cnnblas_status_string(CNNBLAS_IO_ERROR), "CNNBLAS_IO_ERROR");
  assert_string_equal(cnnblas_status_string(CNNBLAS_BAD_FORMAT), "CNNBLAS_BAD_FORMAT");
  assert_string_equal(cnnblas_status_string((cnnblas_status)-1), "unknown status");
  assert_string_equal(cnnblas_status_string((cnnblas_status)1000), "unknown status");
  /* A successful call leaves the message alone. */
  cnnblas_conv_shape shape;
  expect_refusal(cnnblas_conv_get_shape(NULL, &shape), INVALID, "desc");
  ASSERT_OK(cnnblas_conv_get_shape(&good, &shape));
  assert_non_null(strstr(cnnblas_last_error(), "desc"));
}

/* The one-call functions take n left at 0 for a mistake where arrays of images are given; an empty batch has none. */
static void test_forgotten_batch(void **state)
{
  (void)state;
  cnnblas_conv_desc desc = good;
  float x[64] = {0}, w[216] = {0}, y[216], before[216];
  memset(y, 0x5a, sizeof y);
  memcpy(before, y, sizeof y);
  desc.n = 0;
  static const char words[] = "n is 0|set n to the number of images";
  expect_refusal(cnnblas_conv_forward_once(&desc, x, w, NULL, y), INVALID, words);
  expect_refusal(cnnblas_conv_forward_once(&desc, NULL, w, NULL, y), INVALID, words);
  expect_refusal(cnnblas_conv_forward_once(&desc, x, w, NULL, NULL), INVALID, words);
  expect_refusal(cnnblas_conv_backward_data_once(&desc, x, w, y), INVALID, words);
  expect_refusal(cnnblas_conv_backward_data_once(&desc, NULL, w, y), INVALID, words);
  expect_refusal(cnnblas_conv_backward_data_once(&desc, x, w, NULL), INVALID, words);
  expect_refusal(cnnblas_conv_backward_weights_once(&desc, x, x, y, NULL), INVALID, words);
  expect_refusal(cnnblas_conv_backward_weights_once(&desc, NULL, x, y, NULL), INVALID, words);
  expect_refusal(cnnblas_conv_backward_weights_once(&desc, x, NULL, y, NULL), INVALID, words);
  assert_memory_equal(y, before, sizeof y);

  ASSERT_OK(cnnblas_conv_forward_once(&desc, NULL, w, NULL, NULL));
  ASSERT_OK(cnnblas_conv_backward_data_once(&desc, NULL, w, NULL));
  ASSERT_OK(cnnblas_conv_backward_weights_once(&desc, NULL, NULL, y, NULL));
  for (size_t i = 0; i < 216; i++) assert_true(y[i] == 0); /* k * c * r * s */
}

static int print_count(void **state)
{
  (void)state;
  printf("refusals checked: %ld\n", checked);
  return checked == 0;
}

int main(void)
{
  if (*cnnblas_last_error()) return fprintf(stderr, "an error before the first call\n"), 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_descriptor_fields),
      cmocka_unit_test(test_half_filled_axes),
      cmocka_unit_test(test_filter_larger_than_the_padded_input),
      cmocka_unit_test(test_unknown_enums),
      cmocka_unit_test(test_overflow),
      cmocka_unit_test(test_null_descriptors),
      cmocka_unit_test(test_options),
      cmocka_unit_test(test_limit_holds),
      cmocka_unit_test(test_long_algorithm_name),
      cmocka_unit_test(test_very_many_channels),
      cmocka_unit_test(test_forgotten_batch),
      cmocka_unit_test(test_status_text),
  };
  return cmocka_run_group_tests(tests, NULL, print_count);
}
