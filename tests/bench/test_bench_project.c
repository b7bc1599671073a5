/* Projections of small problems: what rows hold, and that results which depend on the number of threads are caught. */
#include "descriptor.h"
#include "project.h"
#include "support/harness.h"
#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char file[] = "/tmp/cnnblas-project-test-XXXXXX";

/* The library, but for four threads the last bit of the first output is another one: far within rounding. */
static struct {
  const bench_task *task;
  void *state;
  bool faulty;
} liars[BENCH_MOST_PROJECTED];
static int liar_count;

static void *create_liar(const bench_task *task, const void *options, char *why, size_t why_size)
{
  const cnnblas_conv_options *o = options;
  void *state = bench_ours.create(task, options, why, why_size);
  if (!state) return NULL;
  liars[liar_count].task = task;
  liars[liar_count].state = state;
  liars[liar_count].faulty = o->threads == 4;
  return &liars[liar_count++];
}

static bool run_liar(void *state)
{
  int i = (int)((const char *)state - (const char *)liars) / (int)sizeof *liars;
  bool ok = bench_ours.run(liars[i].state);
  if (liars[i].faulty) *(uint32_t *)liars[i].task->out ^= 1;
  return ok;
}

static const char *describe_liar(const void *state)
{
  (void)state;
  return "liar";
}

static size_t workspace_liar(const void *state)
{
  (void)state;
  return 0;
}

static void destroy_liar(void *state)
{
  int i = (int)((const char *)state - (const char *)liars) / (int)sizeof *liars;
  bench_ours.destroy(liars[i].state);
}

static const bench_peer liar = {.name = "liar",
                                .create = create_liar,
                                .run = run_liar,
                                .describe = describe_liar,
                                .workspace = workspace_liar,
                                .destroy = destroy_liar};

static bench_options options_for(const char *text)
{
  bench_options o = {.directions = {true, true, true},
                     .algorithms = {"auto"},
                     .algorithm_count = 1,
                     .threads = 1,
                     .min_time = 0.002,
                     .project = {1, 4, 64},
                     .project_count = 3,
                     .barrier = 5e-6,
                     .bandwidth = 20e9,
                     .json = file};
  bench_problem problem;
  bench_parse_error error;
  assert_true(bench_descriptor_parse(text, strlen(text), &problem, &error));
  assert_true(bench_problem_list_add(&o.problems, &problem));
  return o;
}

/* The status of a run and its report. */
static int project(bench_options *o, const bench_peer *library, json_t **root)
{
  json_error_t error;
  bench_context context;
  bench_context_fill(&context, "test", o);
  int status = bench_project_run(o, library, &context);
  *root = json_load_file(file, 0, &error);
  if (!*root) FAIL("%s: %s", file, error.text);
  bench_problem_list_free(&o->problems);
  return status;
}

static double number(const json_t *row, const char *key)
{
  const json_t *value = json_object_get(row, key);
  if (!json_is_number(value)) FAIL("%s is no number", key);
  return json_number_value(value);
}

/* Equal as far as the report's nine digits go. */
static bool near(double a, double b)
{
  return fabs(a - b) <= 1e-6 * fabs(b);
}

static void rows_hold_what_was_projected(void **state)
{
  (void)state;
  static const int threads[] = {1, 4, 64};
  bench_options o = options_for("mb4ic32ih28oc32kh3ph1n\"layer\"");
  json_t *root, *row;
  size_t i;
  assert_int_equal(project(&o, &bench_ours, &root), BENCH_OK);
  const json_t *context = json_object_get(root, "context"), *rows = json_object_get(root, "benchmarks");
  assert_true(json_is_true(json_object_get(context, "projected")));
  assert_true(number(context, "barrier_us") == 5);
  assert_true(number(context, "bandwidth_gbytes_per_second") == 20);
  assert_int_equal(json_array_size(rows), 9);
  json_array_foreach(rows, i, row)
  {
    int team = threads[i % 3];
    double work = number(row, "cpu_time"), time = number(row, "real_time"), capped = number(row, "capped_time");
    harness_doing("row %zu, %d threads", i, team);
    assert_string_equal(json_string_value(json_object_get(row, "kind")), "projected");
    assert_string_equal(json_string_value(json_object_get(row, "algorithm")), "auto (projected)");
    assert_memory_equal(json_string_value(json_object_get(row, "name")), "projected/", 10);
    assert_true(json_is_true(json_object_get(row, "same_bits")));
    assert_true(json_is_false(json_object_get(row, "error_occurred")));
    assert_int_equal(number(row, "threads"), team);
    assert_true(number(row, "tasks") >= 1);
    assert_true(time > 0 && time >= work / team * (1 - 1e-6) && capped >= time);
    if (team == 1) {
      assert_true(near(time, work) && capped == time);
      assert_true(number(row, "speedup") == 1 && number(row, "work_ratio") == 1);
      assert_int_equal(number(row, "regions"), 0);
    } else {
      const json_t *one = json_array_get(rows, i / 3 * 3);
      assert_true(number(row, "regions") >= 1 && number(row, "tasks") > 1);
      assert_true(capped >= number(row, "bytes") / 20e3 * (1 - 1e-6)); /* microseconds */
      assert_true(near(number(row, "speedup"), number(one, "real_time") / time));
      assert_true(
          near(number(row, "capped_speedup"), fmax(number(one, "real_time"), number(row, "bytes") / 20e3) / capped));
      assert_true(near(number(row, "work_ratio"), work / number(one, "cpu_time")));
    }
  }
  json_decref(root);
}

/* Work so small that the library keeps it on the calling thread: no region of a team, no barrier. */
static void small_work_stays_serial(void **state)
{
  (void)state;
  bench_options o = options_for("ic3ih4oc4kh3ph1");
  json_t *root, *row;
  size_t i;
  assert_int_equal(project(&o, &bench_ours, &root), BENCH_OK);
  json_array_foreach(json_object_get(root, "benchmarks"), i, row)
  {
    assert_int_equal(number(row, "regions"), 0);
    assert_true(near(number(row, "real_time"), number(row, "cpu_time")));
  }
  json_decref(root);
}

static void other_bits_are_caught(void **state)
{
  (void)state;
  bench_options o = options_for("mb2ic8ih10oc8kh3ph1");
  json_t *root, *row;
  size_t i;
  o.directions[1] = o.directions[2] = false;
  assert_int_equal(project(&o, &liar, &root), BENCH_CHECK_FAILED);
  json_array_foreach(json_object_get(root, "benchmarks"), i, row)
  {
    bool faulty = number(row, "threads") == 4;
    assert_true(number(row, "error_share_of_bound") <= 1);
    assert_int_equal(json_is_false(json_object_get(row, "same_bits")), faulty);
    assert_int_equal(json_is_true(json_object_get(row, "error_occurred")), faulty);
  }
  assert_int_equal(i, 3);
  json_decref(root);
}

static int make_file(void **state)
{
  (void)state;
  int descriptor = mkstemp(file);
  return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_file(void **state)
{
  (void)state;
  return unlink(file);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(rows_hold_what_was_projected),
                                     cmocka_unit_test(small_work_stays_serial),
                                     cmocka_unit_test(other_bits_are_caught)};
  return cmocka_run_group_tests(tests, make_file, remove_file);
}
