/*
 * The batch: empty, smaller than the plan's, and that one image's forward result is the same bits whatever company it
 * came in.
 */
#include "support/rig.h"
#include "support/samples.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rig arrays;
static uint64_t seed;

enum { MANY = 20 /* more than any vector has lanes */ };

/* A plan for many images executed on fewer, arrays exactly as long as the images that there are. */
static bool check_smaller(const problem *sample, cnnblas_conv_direction d, const char *algorithm)
{
  static oracle want, want_db;
  problem p = *sample;
  p.desc.n = MANY;
  problem_finish(&p);
  variant v = {.algorithm = algorithm, .threads = 3, .db = d == CNNBLAS_BACKWARD_WEIGHTS};
  cnnblas_conv_plan *plan = rig_plan(&p, d, &v);
  if (!plan) return false;
  static const int64_t batches[] = {0, 1, 2, 5, 16, MANY};
  for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
    int64_t n = batches[i];
    problem part = p;
    part.desc.n = n;
    problem_finish(&part);
    rng r = rng_at(seed, (uint64_t)n);
    rig_fill(&arrays, &part, &r, true, n % 2 ? AGAINST_END : AGAINST_START);
    rig_expect(&arrays, &part, d, n, &v, &want, &want_db);
    rig_execute(&arrays, &part, d, n, &v, plan);
    rig_check(&arrays, &v, &want, &want_db, true, "smaller batch");
  }
  cnnblas_conv_plan_destroy(plan);
  return true;
}

static void test_smaller_batch(void **state)
{
  (void)state;
  assert_true(samples_run("smaller batches", EVERY_DIRECTION, check_smaller) > 0);
}

/* A plan made for no image at all: gradients are zero, or stay as they were if the plan accumulates. */
static bool check_empty(const problem *sample, cnnblas_conv_direction d, const char *algorithm)
{
  static oracle want, want_db;
  problem p = *sample;
  p.desc.n = 0;
  problem_finish(&p);
  rng r = rng_at(seed, 0);
  for (int accumulate = 0; accumulate < 2; accumulate++)
    for (int policy = CNNBLAS_WORKSPACE_DEFAULT; policy <= CNNBLAS_WORKSPACE_NONE; policy += 2) {
      variant v = {.algorithm = algorithm,
                   .accumulate = accumulate,
                   .policy = (cnnblas_workspace_policy)policy,
                   .db = d == CNNBLAS_BACKWARD_WEIGHTS};
      rig_fill(&arrays, &p, &r, false, AGAINST_END);
      rig_expect(&arrays, &p, d, 0, &v, &want, &want_db);
      if (!rig_run(&arrays, &p, d, 0, &v)) return false;
      rig_check(&arrays, &v, &want, &want_db, true, "empty batch");
    }
  return true;
}

static void test_empty_batch(void **state)
{
  (void)state;
  assert_true(samples_run("empty batches", EVERY_DIRECTION, check_empty) > 0);
}

/* Image i of a batch of MANY against the same image as a batch of its own: on the large plan, and on a plan for one image. */
static bool check_company_within(const problem *sample, cnnblas_conv_direction d, const char *algorithm, size_t limit)
{
  problem p = *sample, one = *sample;
  p.desc.n = MANY;
  one.desc.n = 1;
  problem_finish(&p);
  problem_finish(&one);
  variant v = {.algorithm = algorithm, .threads = 2, .limit = limit};
  if (limit) v.policy = CNNBLAS_WORKSPACE_LIMIT;
  rng r = rng_at(seed, MANY);
  rig_fill(&arrays, &p, &r, false, AGAINST_END);
  cnnblas_conv_plan *plan = rig_plan(&p, d, &v);
  if (!plan) return false;
  cnnblas_conv_plan *small = rig_plan(&one, d, &v);
  if (!small && algorithm_info(algorithm).by_batch) { /* then another of its family */
    v.algorithm = algorithm_info(algorithm).family;
    small = rig_plan(&one, d, &v);
  }
  assert_non_null(small);
  v.algorithm = algorithm;
  rig_execute(&arrays, &p, d, MANY, &v, plan);
  size_t bytes = (size_t)one.y_elements * p.element, image = (size_t)one.x_elements * p.element;
  char *alone = malloc(bytes);
  assert_non_null(alone);
  for (int64_t i = 0; i < MANY; i++)
    for (int which = 0; which < 2; which++) {
      memset(alone, 0xff, bytes);
      const char *x = (const char *)arrays.x.data + (size_t)i * image;
      ASSERT_OK(cnnblas_conv_forward(which ? plan : small, 1, x, arrays.w.data, NULL, alone, NULL, 0));
      if (memcmp(alone, (const char *)arrays.out.data + (size_t)i * bytes, bytes) != 0)
        FAIL("image %lld alone on the %s plan differs from image %lld in the batch", (long long)i,
             which ? "same" : "one-image", (long long)i);
    }
  free(alone);
  cnnblas_conv_plan_destroy(plan);
  cnnblas_conv_plan_destroy(small);
  return true;
}

static bool check_company(const problem *sample, cnnblas_conv_direction d, const char *algorithm)
{
  return check_company_within(sample, d, algorithm, 0);
}

static void test_batch_independence(void **state)
{
  (void)state;
  assert_true(samples_run("batch independence", ONLY_FORWARD, check_company) > 0);
}

/* The same on random problems of real layers' kinds, automatic choice: it must not change with n. */
static void test_batch_independence_of_random_problems(void **state)
{
  (void)state;
  for (uint64_t item = 0; item < 150; item++) {
    problem p;
    rng r = rng_at(seed, 1000 + item);
    problem_random(&p, &r, 2e5);
    char text[PROBLEM_TEXT];
    problem_text(&p, text);
    for (int a = 0; a <= algorithm_count(); a++) {
      const char *name = cnnblas_conv_algorithm_name(a);
      harness_doing("batch independence: %s | forward | %s | CNNBLAS_TEST_SEED=%llu", text, name ? name : "auto",
                    (unsigned long long)seed);
      check_company(&p, CNNBLAS_FORWARD, name);
    }
  }
}

/* Under limits of the workspace that only some batches would need more than. */
static void test_batch_independence_under_limits(void **state)
{
  (void)state;
  for (uint64_t item = 0; item < 300; item++) {
    problem p;
    rng r = rng_at(seed, 10000 + item);
    problem_random(&p, &r, 5e4);
    size_t limit = (size_t)rng_range(&r, 4 << 10, 400 << 10);
    char text[PROBLEM_TEXT];
    problem_text(&p, text);
    harness_doing("batch independence: %s | forward | limit %zu | CNNBLAS_TEST_SEED=%llu", text, limit,
                  (unsigned long long)seed);
    check_company_within(&p, CNNBLAS_FORWARD, NULL, limit);
  }
}

static int close_arrays(void **state)
{
  (void)state;
  rig_free(&arrays);
  return 0;
}

int main(void)
{
  seed = rng_seed(8);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_smaller_batch),
      cmocka_unit_test(test_empty_batch),
      cmocka_unit_test(test_batch_independence),
      cmocka_unit_test(test_batch_independence_of_random_problems),
      cmocka_unit_test(test_batch_independence_under_limits),
  };
  return cmocka_run_group_tests(tests, NULL, close_arrays);
}
