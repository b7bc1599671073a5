/* The arithmetic of --project on lists whose makespans are known, and on random ones against a scheduler without a heap. */
#include "makespan.h"
#include "random_data.h"
#include "support/harness.h"
#include <math.h>
#include <stdio.h>

enum { SEED = 17 };

static void known_lists(void **state)
{
  (void)state;
  static const struct {
    double seconds[8];
    size_t tasks;
    int workers;
    double makespan;
  } lists[] = {
      {{0}, 0, 4, 0}, /* no task */
      {{3}, 1, 1, 3}, /* one task: as long as it, whatever the team */
      {{3}, 1, 64, 3},
      {{1, 2, 3, 4}, 4, 1, 10},            /* one worker: the sum */
      {{1, 2, 3, 4}, 4, 4, 4},             /* a worker a task: the longest */
      {{1, 1, 1, 1, 1, 1, 1, 1}, 8, 3, 3}, /* equal tasks: rounds */
      {{1, 2, 3, 4}, 4, 2, 6},             /* 1 + 3 and 2 + 4 */
      {{4, 3, 2, 1}, 4, 2, 5},             /* the same tasks, longest first: 4 + 1 and 3 + 2 */
      {{1, 1, 1, 1, 4}, 5, 2, 6},          /* the long task comes last: 2 and 2, then 4 */
      {{3, 3, 2, 2, 2}, 5, 2, 7},          /* Graham's example: 3 + 2 + 2 though 6 could be reached */
      {{5, 0, 0, 0, 5}, 5, 2, 5},          /* tasks of no time block nobody */
  };
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    double got = bench_makespan(lists[i].seconds, lists[i].tasks, lists[i].workers);
    if (got != lists[i].makespan) FAIL("list %zu: %g instead of %g", i, got, lists[i].makespan);
  }
}

/* The definition: each task in order to the worker that is free first. Whole numbers, so that sums are exact. */
static void random_lists(void **state)
{
  (void)state;
  enum { TASKS = 300 };
  static const int teams[] = {1, 2, 3, 7, 16, 64, 1000, BENCH_MOST_WORKERS};
  double seconds[TASKS], longest = 0, sum = 0;
  harness_doing("seed %d", SEED);
  for (size_t i = 0; i < TASKS; i++) {
    seconds[i] = (double)(bench_random(SEED, i) % 1000);
    longest = fmax(longest, seconds[i]);
    sum += seconds[i];
  }
  for (size_t t = 0; t < sizeof teams / sizeof *teams; t++) {
    double free_at[BENCH_MOST_WORKERS] = {0}, want = 0;
    for (size_t i = 0; i < TASKS; i++) {
      int first = 0;
      for (int w = 1; w < teams[t]; w++)
        if (free_at[w] < free_at[first]) first = w;
      free_at[first] += seconds[i];
      want = fmax(want, free_at[first]);
    }
    double got = bench_makespan(seconds, TASKS, teams[t]);
    assert_true(got == want);
    assert_true(got >= longest && got >= sum / teams[t]);
    assert_true(got <= sum / teams[t] + longest * (1 - 1.0 / teams[t]) + 1e-6); /* Graham's bound */
  }
}

/* One repetition: a serial region of two tasks, then a team's region of two loops; every time `scale` fold. */
static bool record(bench_trace *trace, double scale, int team, size_t last_tasks)
{
  bench_trace_begin(trace);
  bench_trace_between(trace, 0.5 * scale);
  bench_trace_region(trace, 1);
  bench_trace_loop(trace);
  bench_trace_task(trace, 1 * scale);
  bench_trace_task(trace, 2 * scale);
  bench_trace_between(trace, 0.25 * scale);
  bench_trace_region(trace, team);
  bench_trace_loop(trace);
  for (int i = 0; i < 4; i++) bench_trace_task(trace, 3 * scale);
  bench_trace_loop(trace);
  for (size_t i = 0; i < last_tasks; i++) bench_trace_task(trace, (double)(i + 1) * scale);
  return bench_trace_end(trace);
}

static void loops_add_up(void **state)
{
  (void)state;
  bench_trace t = {0};
  assert_true(record(&t, 1, 4, 5));
  assert_int_equal(t.slot_count, 11);
  assert_int_equal(t.loop_count, 3);
  assert_int_equal(t.regions, 2);
  assert_int_equal(t.team_regions, 1);
  assert_true(bench_trace_work(&t) == 0.75 + 3 + 12 + 15);
  /* serial 3, four equal tasks on four threads 3, then 1 2 3 4 and the 5 after the 1: 6; two barriers */
  assert_true(bench_trace_makespan(&t, 0) == 0.75 + 3 + 3 + 6);
  assert_true(bench_trace_makespan(&t, 0.125) == 0.75 + 3 + 3 + 6 + 2 * 0.125);
  bench_trace_free(&t);
  assert_true(record(&t, 1, 1, 5)); /* one thread: no barrier, the makespan is the work */
  assert_int_equal(t.team_regions, 0);
  assert_true(bench_trace_makespan(&t, 100) == bench_trace_work(&t));
  bench_trace_free(&t);
}

static void every_task_keeps_its_least_time(void **state)
{
  (void)state;
  bench_trace t = {0};
  assert_true(bench_trace_next(&t) == 0);
  assert_true(record(&t, 2, 4, 5));
  bench_trace_begin(&t);
  assert_true(bench_trace_next(&t) == 2);
  assert_true(record(&t, 1, 4, 5) && record(&t, 3, 4, 5));
  assert_true(bench_trace_work(&t) == 0.75 + 3 + 12 + 15);
  t.seconds[0] = 9;
  t.seconds[10] = 0.5;
  assert_true(record(&t, 1, 4, 5)); /* the first task falls back to 1, the last stays at 0.5 */
  assert_true(bench_trace_work(&t) == 0.75 + 3 + 12 + 10.5);
  bench_trace_free(&t);
}

/* A call that is cut otherwise from one repetition to the next cannot be projected: that is said, not averaged. */
static void changed_calls_fail(void **state)
{
  (void)state;
  bench_trace t = {0};
  assert_true(record(&t, 1, 4, 5));
  assert_false(record(&t, 1, 4, 6));
  bench_trace_free(&t);
  assert_true(record(&t, 1, 4, 5));
  assert_false(record(&t, 1, 4, 4));
  assert_false(record(&t, 1, 4, 5)); /* and it stays so */
  bench_trace_free(&t);
  assert_true(record(&t, 1, 4, 5));
  assert_false(record(&t, 1, 8, 5));
  bench_trace_free(&t);
}

static void caps_and_means(void **state)
{
  (void)state;
  bench_mean mean = {0};
  assert_true(bench_capped(2e-3, 1e6, 1e9) == 2e-3); /* 1 ms of memory traffic hides behind 2 ms */
  assert_true(bench_capped(2e-3, 4e6, 1e9) == 4e-3);
  assert_true(isnan(bench_mean_of(&mean)));
  assert_true(bench_mean_add(&mean, 8));
  assert_true(bench_mean_add(&mean, 2));
  assert_false(bench_mean_add(&mean, 4));
  assert_true(fabs(bench_mean_of(&mean) - 4) < 1e-12 && mean.least == 2 && mean.count == 3);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_lists),        cmocka_unit_test(random_lists),
      cmocka_unit_test(loops_add_up),       cmocka_unit_test(every_task_keeps_its_least_time),
      cmocka_unit_test(changed_calls_fail), cmocka_unit_test(caps_and_means),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
