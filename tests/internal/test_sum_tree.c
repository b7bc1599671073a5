/*
 * How sums are ordered and work is cut, alone:
 *   - trees: the order of every number of leaves to 70, written as a text with brackets; subtrees give what the whole gives
 *     for them; no more slots are used than announced
 *   - numbers of parts: each makes the largest part smaller, the last ones are of one; not many for any extent
 *   - convolutions: small calls open no region with a team, and large ones have jobs for 64 threads
 */
#include "conv/cuts.h"
#include "conv/sum_tree.h"
#include "support/harness.h"
#include "support/rng.h"
#include <cnnblas/cnnblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 70, TEXT = 600 };

/* Slots of texts: what was joined, in brackets. */
typedef struct {
  char slot[CB_TREE_MOST_SLOTS][TEXT];
  int used;
} texts;

static void text_leaf(void *context, int64_t leaf, int slot)
{
  texts *t = context;
  if (slot >= t->used) t->used = slot + 1;
  snprintf(t->slot[slot], TEXT, "%lld", (long long)leaf);
}

static void text_join(void *context, int slot)
{
  texts *t = context;
  char joined[2 * TEXT + 8];
  snprintf(joined, sizeof joined, "(%s+%s)", t->slot[slot], t->slot[slot + 1]);
  assert_true(strlen(joined) < TEXT);
  memcpy(t->slot[slot], joined, strlen(joined) + 1);
}

/* Writes the definition of a sum of leaves [first, first + count) at `to`; returns its end. */
static char *define(char *to, int64_t first, int64_t count)
{
  if (count == 1) return to + sprintf(to, "%lld", (long long)first);
  int64_t left = 1;
  while (2 * left < count) left *= 2;
  *to++ = '(';
  to = define(to, first, left);
  *to++ = '+';
  to = define(to, first + left, count - left);
  *to++ = ')';
  *to = 0;
  return to;
}

static void test_order(void **state)
{
  (void)state;
  static texts t, part;
  for (int64_t count = 1; count <= MOST; count++) {
    t.used = part.used = 0;
    cb_tree_sum(&(cb_tree){&t, text_leaf, text_join}, 0, count, 0);
    char want[TEXT];
    define(want, 0, count);
    assert_string_equal(t.slot[0], want);
    assert_true(t.used <= cb_tree_slots(count));
    if (cb_power_of_two(count) == count) assert_int_equal(t.used, cb_tree_slots(count));
  }
  for (int64_t leaves = 1; leaves <= 64; leaves *= 2)
    for (int64_t each = 1; each <= leaves; each *= 2)
      for (int64_t first = 0; first < leaves; first += each) {
        char want[TEXT];
        cb_tree_sum(&(cb_tree){&part, text_leaf, text_join}, first, each, 0);
        define(want, first, each);
        assert_string_equal(part.slot[0], want);
        cb_tree_sum(&(cb_tree){&t, text_leaf, text_join}, 0, leaves, 0);
        assert_non_null(strstr(t.slot[0], want));
      }
  assert_int_equal(cb_power_of_two(0), 1);
  assert_int_equal(cb_power_of_two(63), 32);
  assert_int_equal(cb_power_of_two(64), 64);
}

/* What a thread's calls open: regions with a team, and the tasks of their loops. */
typedef struct {
  int teams;
  int64_t tasks;
} openings;

static void see_region(void *context, int threads)
{
  openings *o = context;
  o->teams += threads > 1;
}

static void see_loop(void *context, const cb_loop *loop)
{
  openings *o = context;
  if (loop->tasks > o->tasks) o->tasks = loop->tasks;
  for (int64_t task = 0; task < loop->tasks; task++) loop->run(loop->context, task, 0);
}

/* One call of a layer on random arrays under a watch; its result is left in *out. */
static openings watch_call(const cnnblas_conv_desc *d, cnnblas_conv_direction direction, int threads, float **out)
{
  cnnblas_conv_shape s;
  cnnblas_conv_options o = {.threads = threads};
  cnnblas_conv_plan *plan;
  ASSERT_OK(cnnblas_conv_get_shape(d, &s));
  ASSERT_OK(cnnblas_conv_plan_create(d, direction, &o, &plan));
  const int64_t counts[3] = {s.x_elements, s.w_elements, s.y_elements};
  float *array[3];
  rng r = rng_at(1, 1);
  for (int i = 0; i < 3; i++) {
    array[i] = malloc((size_t)counts[i] * sizeof(float));
    assert_non_null(array[i]);
    for (int64_t j = 0; j < counts[i]; j++) array[i][j] = (float)(2 * rng_real(&r) - 1);
  }
  openings seen = {0};
  const cb_watch watch = {&seen, see_region, see_loop}, *before = cb_parallel_watch(&watch);
  int kept = direction == CNNBLAS_FORWARD ? 2 : direction == CNNBLAS_BACKWARD_DATA ? 0 : 1;
  if (kept == 2) ASSERT_OK(cnnblas_conv_forward(plan, d->n, array[0], array[1], NULL, array[2], NULL, 0));
  if (kept == 0) ASSERT_OK(cnnblas_conv_backward_data(plan, d->n, array[2], array[1], array[0], NULL, 0));
  if (kept == 1) ASSERT_OK(cnnblas_conv_backward_weights(plan, d->n, array[0], array[2], array[1], NULL, NULL, 0));
  cb_parallel_watch(before);
  cnnblas_conv_plan_destroy(plan);
  for (int i = 0; i < 3; i++)
    if (i != kept) free(array[i]);
  *out = array[kept];
  return seen;
}

static cnnblas_algorithm_info chosen_info(const cnnblas_conv_desc *desc, cnnblas_conv_direction d)
{
  cnnblas_conv_plan *plan = NULL;
  ASSERT_OK(cnnblas_conv_plan_create(desc, d, NULL, &plan));
  const cnnblas_algorithm_info info = algorithm_info(cnnblas_conv_plan_algorithm(plan));
  cnnblas_conv_plan_destroy(plan);
  return info;
}

static void test_small_calls_stay(void **state)
{
  (void)state;
  static const cnnblas_conv_desc small[] = {
      {.n = 1, .c = 1, .k = 8, .size = {28, 28}, .kernel = {5, 5}},
      {.n = 1, .c = 8, .k = 16, .size = {12, 12}, .kernel = {5, 5}},
      {.n = 2, .c = 32, .k = 64, .size = {7, 7}, .kernel = {1, 1}},
      {.n = 1, .c = 64, .k = 64, .groups = 64, .size = {14, 14}, .kernel = {3, 3}}};
  for (size_t i = 0; i < sizeof small / sizeof *small; i++)
    for (int d = 0; d < 3; d++) {
      float *result;
      harness_doing("small layer %zu, direction %d", i, d);
      assert_int_equal(watch_call(&small[i], (cnnblas_conv_direction)d, 64, &result).teams, 0);
      free(result);
    }
}

/* Also the bits of 64 threads, with every task on one: what no scheduling can change. */
static void test_large_calls_have_jobs(void **state)
{
  (void)state;
  static const cnnblas_conv_desc large[] = {
      {.n = 1, .c = 64, .k = 64, .size = {56, 56}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
      {.n = 8, .c = 64, .k = 64, .size = {56, 56}, .kernel = {1, 1}},
      {.n = 1, .c = 512, .k = 512, .size = {7, 7}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
      {.n = 2, .c = 3, .k = 64, .size = {112, 112}, .kernel = {7, 7}, .stride = {2, 2}}};
  for (size_t i = 0; i < sizeof large / sizeof *large; i++)
    for (int d = 0; d < 3; d++) {
      cnnblas_conv_shape s;
      ASSERT_OK(cnnblas_conv_get_shape(&large[i], &s));
      const size_t bytes = (size_t)(d == 0 ? s.y_elements : d == 1 ? s.x_elements : s.w_elements) * sizeof(float);
      const double worth = s.flops / 2 / (1 << 22); /* tasks of four million multiply-adds */
      float *one, *many;
      harness_doing("large layer %zu, direction %d", i, d);
      watch_call(&large[i], (cnnblas_conv_direction)d, 1, &one);
      openings seen = watch_call(&large[i], (cnnblas_conv_direction)d, 64, &many);
      printf("%s: %lld tasks for 64 threads\n", harness_line(), (long long)seen.tasks);
      assert_true(seen.teams > 0);
      /* What OpenBLAS multiplies is cut as its shape alone says, since the cut may order sums. */
      if (!chosen_info(&large[i], (cnnblas_conv_direction)d).uses_blas)
        assert_true((double)seen.tasks >= (worth < 64 ? worth : 64));
      assert_memory_equal(one, many, bytes);
      free(one), free(many);
    }
}

static void test_numbers_of_parts(void **state)
{
  (void)state;
  static const int64_t extents[] = {1, 2, 3, 7, 64, 2048, 4096, 4097, 100003, 1000000, INT64_C(1) << 40};
  for (size_t i = 0; i < sizeof extents / sizeof *extents; i++) {
    int64_t extent = extents[i], steps = 0, largest = extent + 1;
    for (int64_t parts = 1; parts <= extent; parts = cb_next_parts(extent, parts), steps++) {
      assert_true(cb_ceil_div(extent, parts) < largest);
      largest = cb_ceil_div(extent, parts);
    }
    printf("%lld: %lld numbers of parts\n", (long long)extent, (long long)steps);
    assert_int_equal(largest, 1);
    assert_true(steps <= 500);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_numbers_of_parts),
                                     cmocka_unit_test(test_small_calls_stay),
                                     cmocka_unit_test(test_large_calls_have_jobs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
