/* A whole run inside the process: what a row holds, and that a peer which lies is caught. */
#include "descriptor.h"
#include "runner.h"
#include "support/harness.h"
#include "support/names.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const bench_peaks peaks = {.fma_gflops = 100, .gemm_gflops = 80, .bandwidth_gbytes = 10, .fma_isa = "test"};

/* A peer that computes nothing: its output stays what it was, or becomes zero. */
static int calls;

static void *create_liar(const bench_task *task, const void *options, char *why, size_t why_size)
{
  (void)options;
  if (task->direction == CNNBLAS_BACKWARD_WEIGHTS) {
    snprintf(why, why_size, "not this one");
    return NULL;
  }
  return (void *)(uintptr_t)task;
}

static bool run_nothing(void *state)
{
  (void)state;
  calls++;
  return true;
}

static bool run_zeros(void *state)
{
  const bench_task *task = state;
  memset(task->out, 0, (size_t)bench_task_outputs(task) * task->element);
  return true;
}

static bool run_failing(void *state)
{
  (void)state;
  return false;
}

static void destroy_nothing(void *state)
{
  (void)state;
}

static const bench_peer liars[] = {
    {.name = "nothing", .create = create_liar, .run = run_nothing, .destroy = destroy_nothing},
    {.name = "zeros", .create = create_liar, .run = run_zeros, .destroy = destroy_nothing},
    {.name = "failing", .create = create_liar, .run = run_failing, .destroy = destroy_nothing},
};

static void ignore_rows(void *context, const bench_result *rows, size_t count)
{
  (void)rows;
  *(size_t *)context += count;
}

static bench_options options_for(const char *text)
{
  bench_options o = {.directions = {true, true, true},
                     .algorithms = {"auto", IM2COL},
                     .algorithm_count = 2,
                     .threads = 2,
                     .min_time = 0.002,
                     .naive = true};
  bench_problem problem;
  bench_parse_error error;
  assert_true(bench_descriptor_parse(text, strlen(text), &problem, &error));
  assert_true(bench_problem_list_add(&o.problems, &problem));
  return o;
}

static void rows_hold_what_was_measured(void **state)
{
  (void)state;
  bench_options o = options_for("mb4ic8ih14oc16kh3ph1n\"layer*3\"");
  bench_results results = {0};
  size_t rows = 0;
  assert_int_equal(bench_run(&o, &peaks, &results, ignore_rows, &rows), BENCH_OK);
  assert_int_equal(results.count, 9); /* auto, im2col, naive in three directions */
  assert_int_equal(rows, 9);
  for (size_t i = 0; i < results.count; i++) {
    const bench_result *r = &results.items[i];
    double flops = 2.0 * 4 * 16 * 14 * 14 * 8 * 9, all_bytes = 4.0 * (4 * 8 * 196 + 16 * 8 * 9 + 4 * 16 * 196);
    assert_true(r->flops == flops && r->bytes == all_bytes);
    assert_true(r->verdict.correct && r->timing.calls > 0);
    assert_true(r->timing.minimum > 0 && r->timing.minimum <= r->timing.low && r->timing.low <= r->timing.median &&
                r->timing.median <= r->timing.high);
    assert_true(fabs(r->gflops * r->timing.minimum * 1e9 / flops - 1) < 1e-9);
    assert_true(r->roof_gflops == fmin(100, 10 * flops / all_bytes));
    assert_true(r->speedup_over_naive > 0);
    assert_int_equal(r->direction, i / 3);
    assert_int_equal(r->kind, i % 3 == 2 ? BENCH_NAIVE : BENCH_OURS);
    assert_int_equal(r->problem.repeats, 3);
    if (i % 3 == 2) {
      assert_true(r->speedup_over_naive == 1);
      assert_string_equal(r->chosen, "n=1 of 4, k=16 of 16");
    } else {
      assert_true(strlen(r->chosen) > 0);
    }
    assert_true((r->versus_ours > 0) == (i % 3 == 1));
  }
  bench_results_free(&results);
  bench_problem_list_free(&o.problems);
}

static void liars_are_caught(void **state)
{
  (void)state;
  for (size_t liar = 0; liar < 3; liar++) {
    bench_options o = options_for("mb2ic3ih6oc4kh3ph1");
    o.peers[0] = &liars[liar];
    o.peer_count = 1;
    o.naive = false;
    bench_results results = {0};
    size_t rows = 0;
    harness_doing("%s", liars[liar].name);
    assert_int_equal(bench_run(&o, &peaks, &results, ignore_rows, &rows), BENCH_CHECK_FAILED);
    assert_int_equal(results.count, 8); /* two of ours in three directions, the liar in two */
    for (size_t i = 0; i < results.count; i++)
      assert_true(results.items[i].verdict.correct == (results.items[i].kind == BENCH_OURS));
    bench_results_free(&results);
    bench_problem_list_free(&o.problems);
  }
  assert_true(calls > 2);
}

/* A layer with so many FLOPs that it is sampled and that naive runs on a part of it. */
static void large_layers_are_sampled(void **state)
{
  (void)state;
  bench_options o = options_for("mb2ic64ih28oc160kh3ph1");
  o.algorithm_count = 1;
  bench_results results = {0};
  size_t rows = 0;
  assert_int_equal(bench_run(&o, &peaks, &results, ignore_rows, &rows), BENCH_OK);
  assert_int_equal(results.count, 6);
  for (size_t i = 0; i < results.count; i++) {
    assert_int_equal(results.items[i].verdict.checked, BENCH_SAMPLES);
    assert_true(results.items[i].verdict.correct);
    if (i % 2) assert_string_equal(results.items[i].chosen, "n=1 of 2, k=110 of 160");
  }
  bench_results_free(&results);
  bench_problem_list_free(&o.problems);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(rows_hold_what_was_measured), cmocka_unit_test(liars_are_caught),
                                     cmocka_unit_test(large_layers_are_sampled)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
