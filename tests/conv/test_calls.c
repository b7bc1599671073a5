/*
 * Bad arguments of the executing calls and of the functions around a plan: the right status, a message that names what is
 * wrong and its value, and outputs that nobody touched. Every algorithm's plan goes through the same doors.
 */
#include "support/harness.h"
#include "support/names.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { X = 2 * 3 * 5 * 5, W = 4 * 3 * 3 * 3, Y = 2 * 4 * 5 * 5, K = 4 };

static const cnnblas_conv_desc desc = {
    .n = 2, .c = 3, .k = K, .size = {5, 5}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};

/* Every array in one block, so that overlaps are easy to make. */
static float block[1024], before[1024];
static float *const x = block, *const w = block + 200, *const y = block + 400, *const residual = block + 700;
static float *const bias = block + 900;
static char *workspace;
static size_t workspace_bytes;
static long checked;

_Static_assert((int)X <= 200 && (int)W <= 200 && (int)Y <= 300, "the arrays must not overlap unless asked to");

static cnnblas_conv_plan *make(cnnblas_conv_direction d, const cnnblas_conv_options *options)
{
  cnnblas_conv_plan *plan = NULL;
  ASSERT_OK(cnnblas_conv_plan_create(&desc, d, options, &plan));
  free(workspace);
  workspace_bytes = cnnblas_conv_plan_workspace(plan);
  workspace = malloc(workspace_bytes + 1);
  assert_non_null(workspace);
  for (int i = 0; i < 1024; i++) before[i] = block[i] = (float)(i % 7) - 3;
  return plan;
}

static void expect_refusal(cnnblas_status got, const char *call, const char *words)
{
  const char *message = cnnblas_last_error();
  char list[256];
  harness_doing("%s", call);
  if (got != CNNBLAS_INVALID_ARGUMENT) FAIL("gave %s (message: %s)", cnnblas_status_string(got), message);
  snprintf(list, sizeof list, "%s", words);
  for (char *word = strtok(list, "|"); word; word = strtok(NULL, "|"))
    if (!strstr(message, word)) FAIL("the message does not say \"%s\": %s", word, message);
  if (memcmp(block, before, sizeof block) != 0) FAIL("an array was touched");
  checked++;
}
#define REFUSE(CALL, WORDS) expect_refusal(CALL, #CALL, WORDS)

/* What a pointer looks like in a message. */
static const char *spelled(const char *name, const void *pointer)
{
  static char text[64];
  snprintf(text, sizeof text, "%s|%p", name, pointer);
  return text;
}

static void *shifted(void *array, int bytes)
{
  return (char *)array + bytes;
}

#define FORWARD(PLAN, N, IN, FILTER, OUT)                                                                              \
  cnnblas_conv_forward(PLAN, N, IN, FILTER, NULL, OUT, workspace, workspace_bytes)
#define DATA(PLAN, N, DELTA, FILTER, OUT)                                                                              \
  cnnblas_conv_backward_data(PLAN, N, DELTA, FILTER, OUT, workspace, workspace_bytes)
#define WEIGHTS(PLAN, N, IN, DELTA, OUT, DB)                                                                           \
  cnnblas_conv_backward_weights(PLAN, N, IN, DELTA, OUT, DB, workspace, workspace_bytes)

static void check_forward(const cnnblas_conv_plan *plan)
{
  REFUSE(FORWARD(plan, 2, NULL, w, y), "x|NULL");
  REFUSE(FORWARD(plan, 2, x, NULL, y), "w|NULL");
  REFUSE(FORWARD(plan, 2, x, w, NULL), "y|NULL");
  REFUSE(FORWARD(plan, 2, shifted(x, 1), w, y), spelled("x", shifted(x, 1)));
  REFUSE(FORWARD(plan, 2, x, shifted(w, 2), y), spelled("w", shifted(w, 2)));
  REFUSE(FORWARD(plan, 2, x, w, shifted(y, 3)), spelled("y", shifted(y, 3)));
  REFUSE(FORWARD(plan, 2, x, w, x), "y|x|overlap");
  REFUSE(FORWARD(plan, 2, x, w, x + X - 1), "y|x|overlap");
  REFUSE(FORWARD(plan, 2, x, w, w + 1), "y|w|overlap");
  REFUSE(FORWARD(plan, 2, y + Y - 1, w, y), "y|x|overlap");
  REFUSE(FORWARD(plan, 3, x, w, y), "n is 3|2");
  REFUSE(FORWARD(plan, -1, x, w, y), "n is -1");
  REFUSE(FORWARD(plan, INT64_MAX, x, w, y), "n is 9223372036854775807|2");
  REFUSE(DATA(plan, 2, y, w, x), "direction|forward");
  REFUSE(WEIGHTS(plan, 2, x, y, w, NULL), "direction|forward");
}

static void check_epilogue(const cnnblas_conv_plan *plan)
{
  cnnblas_conv_epilogue e = {.bias = shifted(bias, 1)};
  REFUSE(cnnblas_conv_forward(plan, 2, x, w, &e, y, workspace, workspace_bytes), spelled("bias", shifted(bias, 1)));
  e = (cnnblas_conv_epilogue){.residual = shifted(residual, 2)};
  REFUSE(cnnblas_conv_forward(plan, 2, x, w, &e, y, workspace, workspace_bytes),
         spelled("residual", shifted(residual, 2)));
  e = (cnnblas_conv_epilogue){.residual = y + 1};
  REFUSE(cnnblas_conv_forward(plan, 2, x, w, &e, y, workspace, workspace_bytes), "residual|y|overlap");
  e = (cnnblas_conv_epilogue){.bias = y + 5};
  REFUSE(cnnblas_conv_forward(plan, 2, x, w, &e, y, workspace, workspace_bytes), "bias|y|overlap");
  e = (cnnblas_conv_epilogue){.activation.kind = (cnnblas_activation_kind)99};
  REFUSE(cnnblas_conv_forward(plan, 2, x, w, &e, y, workspace, workspace_bytes), "activation|99");
  e = (cnnblas_conv_epilogue){.activation.kind = (cnnblas_activation_kind)-1};
  REFUSE(cnnblas_conv_forward(plan, 2, x, w, &e, y, workspace, workspace_bytes), "activation|-1");
  for (int i = 0; i < 4; i++) {
    e = (cnnblas_conv_epilogue){0};
    e.reserved[i] = 55;
    REFUSE(cnnblas_conv_forward(plan, 2, x, w, &e, y, workspace, workspace_bytes), "reserved[|55");
  }
}

static void check_data(const cnnblas_conv_plan *plan)
{
  REFUSE(DATA(plan, 2, NULL, w, x), "dy|NULL");
  REFUSE(DATA(plan, 2, y, NULL, x), "w|NULL");
  REFUSE(DATA(plan, 2, y, w, NULL), "dx|NULL");
  REFUSE(DATA(plan, 2, shifted(y, 1), w, x), spelled("dy", shifted(y, 1)));
  REFUSE(DATA(plan, 2, y, shifted(w, 2), x), spelled("w", shifted(w, 2)));
  REFUSE(DATA(plan, 2, y, w, shifted(x, 3)), spelled("dx", shifted(x, 3)));
  REFUSE(DATA(plan, 2, y, w, y), "dx|dy|overlap");
  REFUSE(DATA(plan, 2, y, w, w + 1), "dx|w|overlap");
  REFUSE(DATA(plan, 3, y, w, x), "n is 3|2");
  REFUSE(DATA(plan, -4, y, w, x), "n is -4");
  REFUSE(FORWARD(plan, 2, x, w, y), "direction|backward_data");
  REFUSE(WEIGHTS(plan, 2, x, y, w, NULL), "direction|backward_data");
}

static void check_weights(const cnnblas_conv_plan *plan)
{
  REFUSE(WEIGHTS(plan, 2, NULL, y, w, bias), "x|NULL");
  REFUSE(WEIGHTS(plan, 2, x, NULL, w, bias), "dy|NULL");
  REFUSE(WEIGHTS(plan, 2, x, y, NULL, bias), "dw|NULL");
  REFUSE(WEIGHTS(plan, 2, shifted(x, 1), y, w, bias), spelled("x", shifted(x, 1)));
  REFUSE(WEIGHTS(plan, 2, x, shifted(y, 2), w, bias), spelled("dy", shifted(y, 2)));
  REFUSE(WEIGHTS(plan, 2, x, y, shifted(w, 3), bias), spelled("dw", shifted(w, 3)));
  REFUSE(WEIGHTS(plan, 2, x, y, w, shifted(bias, 1)), spelled("db", shifted(bias, 1)));
  REFUSE(WEIGHTS(plan, 2, x, y, x + 7, bias), "dw|x|overlap");
  REFUSE(WEIGHTS(plan, 2, x, y, y + 7, bias), "dw|dy|overlap");
  REFUSE(WEIGHTS(plan, 2, x, y, w, w + 1), "dw|db|overlap");
  REFUSE(WEIGHTS(plan, 2, x, y, w, x + 1), "db|x|overlap");
  REFUSE(WEIGHTS(plan, 2, x, y, w, y + 1), "db|dy|overlap");
  REFUSE(WEIGHTS(plan, 3, x, y, w, bias), "n is 3|2");
  REFUSE(WEIGHTS(plan, -1, x, y, w, bias), "n is -1");
  REFUSE(FORWARD(plan, 2, x, w, y), "direction|backward_weights");
  REFUSE(DATA(plan, 2, y, w, x), "direction|backward_weights");
}

static void test_every_plan(void **state)
{
  (void)state;
  static void (*const checks[DIRECTIONS])(const cnnblas_conv_plan *) = {check_forward, check_data, check_weights};
  for (int a = 0; a <= algorithm_count(); a++)
    for (int d = 0; d < DIRECTIONS; d++) {
      cnnblas_conv_options options = {.algorithm = cnnblas_conv_algorithm_name(a)};
      cnnblas_conv_plan *plan = NULL;
      if (cnnblas_conv_plan_create(&desc, (cnnblas_conv_direction)d, &options, &plan) == CNNBLAS_UNSUPPORTED) continue;
      cnnblas_conv_plan_destroy(plan);
      plan = make((cnnblas_conv_direction)d, &options);
      checks[d](plan);
      if (d == CNNBLAS_FORWARD) check_epilogue(plan);
      cnnblas_conv_plan_destroy(plan);
    }
}

static void test_null_plan(void **state)
{
  (void)state;
  char text[10];
  cnnblas_conv_plan *plan = make(CNNBLAS_FORWARD, NULL);
  REFUSE(FORWARD(NULL, 2, x, w, y), "plan|NULL");
  REFUSE(DATA(NULL, 2, y, w, x), "plan|NULL");
  REFUSE(WEIGHTS(NULL, 2, x, y, w, bias), "plan|NULL");
  REFUSE(cnnblas_conv_plan_describe(NULL, text, sizeof text, NULL), "plan|NULL");
  REFUSE(cnnblas_conv_plan_describe(plan, NULL, 5, NULL), "buffer|NULL|5");
  REFUSE(cnnblas_conv_plan_expect(NULL, CNNBLAS_F32), "plan|NULL");
  REFUSE(cnnblas_conv_plan_expect(plan, CNNBLAS_F64), "f32");
  REFUSE(cnnblas_conv_forward_f64(plan, 2, NULL, NULL, NULL, NULL, NULL, 0), "dtype");
  REFUSE(cnnblas_conv_forward_f32(NULL, 2, x, w, NULL, y, NULL, 0), "plan|NULL");
  REFUSE(cnnblas_system_get_info(NULL), "info|NULL");
  assert_int_equal(cnnblas_conv_plan_workspace(NULL), 0);
  assert_string_equal(cnnblas_conv_plan_algorithm(NULL), "");
  assert_int_equal(cnnblas_conv_plan_threads(NULL), 0);
  assert_int_equal(cnnblas_conv_plan_packs(NULL), 0);
  cnnblas_conv_plan_destroy(NULL);
  ASSERT_OK(cnnblas_conv_plan_expect(plan, CNNBLAS_F32));
  cnnblas_conv_plan_destroy(plan);
  assert_null(cnnblas_conv_algorithm_name(-1));
  cnnblas_algorithm_info info = {.one_thread = 77};
  assert_int_equal(cnnblas_conv_algorithm_info(-1, &info), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_conv_algorithm_info(algorithm_count(), &info), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_conv_algorithm_info(0, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(info.one_thread, 77);
  for (int i = 0; i < algorithm_count(); i++) {
    ASSERT_OK(cnnblas_conv_algorithm_info(i, &info));
    assert_string_equal(info.name, cnnblas_conv_algorithm_name(i));
    assert_int_equal(strncmp(info.name, info.family, strlen(info.family)), 0);
    assert_int_equal(strlen(info.name), strlen(info.family) + (info.orientation[0] ? 1 + strlen(info.orientation) : 0));
    assert_in_range(info.directions, 1, (1 << DIRECTIONS) - 1);
  }
  assert_null(cnnblas_conv_algorithm_name(algorithm_count()));
  assert_null(cnnblas_conv_algorithm_name(INT32_MAX));
}

/* One byte less than asked for is refused; nothing, where allocating is forbidden, too. */
static void test_short_workspace(void **state)
{
  (void)state;
  char asked[64];
  cnnblas_conv_options options = {.algorithm = IM2COL, .no_alloc = 1};
  for (int d = 0; d < DIRECTIONS; d++) {
    cnnblas_conv_plan *plan = make((cnnblas_conv_direction)d, &options);
    assert_true(workspace_bytes > 1);
    snprintf(asked, sizeof asked, "workspace_bytes is %zu|%zu", workspace_bytes - 1, workspace_bytes);
    size_t enough = workspace_bytes--;
    if (d == CNNBLAS_FORWARD) REFUSE(FORWARD(plan, 2, x, w, y), asked);
    if (d == CNNBLAS_BACKWARD_DATA) REFUSE(DATA(plan, 2, y, w, x), asked);
    if (d == CNNBLAS_BACKWARD_WEIGHTS) REFUSE(WEIGHTS(plan, 2, x, y, w, bias), asked);
    cnnblas_status status = CNNBLAS_OK;
    if (d == CNNBLAS_FORWARD) status = cnnblas_conv_forward(plan, 2, x, w, NULL, y, NULL, 0);
    if (d == CNNBLAS_BACKWARD_DATA) status = cnnblas_conv_backward_data(plan, 2, y, w, x, NULL, 0);
    if (d == CNNBLAS_BACKWARD_WEIGHTS) status = cnnblas_conv_backward_weights(plan, 2, x, y, w, bias, NULL, 0);
    snprintf(asked, sizeof asked, "%zu", enough);
    harness_doing("no workspace, no_alloc, %s", cnnblas_conv_direction_name((cnnblas_conv_direction)d));
    assert_int_equal(status, CNNBLAS_OUT_OF_MEMORY);
    assert_non_null(strstr(cnnblas_last_error(), asked));
    assert_memory_equal(block, before, sizeof block);
    cnnblas_conv_plan_destroy(plan);
  }
}

static void test_accumulate_with_activation(void **state)
{
  (void)state;
  cnnblas_conv_options options = {.accumulate = 1};
  cnnblas_conv_plan *plan = make(CNNBLAS_FORWARD, &options);
  cnnblas_conv_epilogue relu = {.activation.kind = CNNBLAS_RELU};
  REFUSE(cnnblas_conv_forward(plan, 2, x, w, &relu, y, workspace, workspace_bytes), "activation|RELU|accumulate");
  cnnblas_conv_plan_destroy(plan);
}

/* A workspace that is one of the arrays would be overwritten. */
static void test_overlapping_workspace(void **state)
{
  (void)state;
  cnnblas_conv_options options = {.algorithm = IM2COL, .workspace = CNNBLAS_WORKSPACE_DEFAULT};
  cnnblas_conv_plan *plan = make(CNNBLAS_FORWARD, &options);
  char *inside = workspace;
  float *in_workspace = (float *)(void *)(inside + (-(uintptr_t)inside & 3));
  memcpy(in_workspace, x, X * sizeof(float));
  REFUSE(FORWARD(plan, 2, in_workspace, w, y), "x|workspace|overlap");
  REFUSE(FORWARD(plan, 2, x, w, in_workspace), "y|workspace|overlap");
  cnnblas_conv_plan_destroy(plan);
}

/* Describe behaves as snprintf does. */
static void test_describe(void **state)
{
  (void)state;
  cnnblas_conv_plan *plan = make(CNNBLAS_BACKWARD_DATA, NULL);
  size_t needed = 0;
  ASSERT_OK(cnnblas_conv_plan_describe(plan, NULL, 0, &needed));
  assert_in_range(needed, 100, 10000);
  char *whole = malloc(needed), *part = malloc(needed);
  assert_true(whole && part);
  ASSERT_OK(cnnblas_conv_plan_describe(plan, whole, needed, NULL));
  assert_int_equal(strlen(whole), needed - 1);
  for (size_t size = 1; size < needed; size += 1 + size / 7) {
    size_t again = 0;
    memset(part, 0x5a, needed);
    ASSERT_OK(cnnblas_conv_plan_describe(plan, part, size, &again));
    assert_int_equal(again, needed);
    assert_int_equal(strlen(part), size - 1);
    assert_memory_equal(part, whole, size - 1);
    assert_int_equal(part[size], 0x5a);
  }
  assert_non_null(strstr(whole, cnnblas_conv_plan_algorithm(plan)));
  for (int a = 0; a < algorithm_count(); a++) assert_non_null(strstr(whole, cnnblas_conv_algorithm_name(a)));
  free(whole), free(part);
  cnnblas_conv_plan_destroy(plan);
}

static int finish(void **state)
{
  (void)state;
  free(workspace);
  printf("refusals checked: %ld\n", checked);
  return checked == 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_plan),
      cmocka_unit_test(test_null_plan),
      cmocka_unit_test(test_short_workspace),
      cmocka_unit_test(test_accumulate_with_activation),
      cmocka_unit_test(test_overlapping_workspace),
      cmocka_unit_test(test_describe),
  };
  return cmocka_run_group_tests(tests, NULL, finish);
}
