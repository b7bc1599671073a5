/* The files of cnnblas-bench: JSON, comparisons, wisdom, pictures, projections. argv[1] is the program. */
#define _GNU_SOURCE
#include "caller.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const texts[] = {"name",  "run_name",  "run_type",  "time_unit", "problem",
                                    "dtype", "direction", "algorithm", "chosen",    "load"};
static const char *const numbers[] = {"real_time",
                                      "cpu_time",
                                      "time_median",
                                      "time_spread",
                                      "iterations",
                                      "batch",
                                      "threads",
                                      "repeats",
                                      "gflops",
                                      "percent_of_peak",
                                      "speedup_over_naive",
                                      "workspace_bytes",
                                      "max_error",
                                      "memory_bytes",
                                      "roof_gflops",
                                      "percent_of_roof",
                                      "fma_peak_before_gflops",
                                      "fma_peak_after_gflops"};
static const char *const context_texts[] = {"date",
                                            "executable",
                                            "cpu",
                                            "isa",
                                            "openblas_version",
                                            "openblas_core",
                                            "openblas_flavour",
                                            "openmp_runtime",
                                            "compiler",
                                            "build_type",
                                            "library_build_type",
                                            "onednn_version"};
static const char *const context_numbers[] = {"cpus_online",
                                              "num_cpus",
                                              "default_threads",
                                              "threads",
                                              "fma_peak_gflops",
                                              "gemm_peak_gflops",
                                              "memory_peak_gbytes_per_second"};

static void json_holds_every_field(void **state)
{
  (void)state;
  EXPECT(0, "--set lenet5 --batch 2 --threads 2 --min-time 0.001 --json out.json --csv out.csv");
  assert_true(longest_line() <= 100);
  bool flagged = strstr(caller_output, "DEBUG BUILD") != NULL;
  json_t *root = read_json("out.json"), *context = json_object_get(root, "context"),
         *rows = json_object_get(root, "benchmarks");
  assert_true(json_is_boolean(json_object_get(context, "debug_build")));
  assert_int_equal(json_is_true(json_object_get(context, "debug_build")), flagged);
  assert_non_null(json_object_get(context, "cpu_quota")); /* null: none */
  for (size_t i = 0; i < sizeof context_texts / sizeof *context_texts; i++) {
    harness_doing("%s", context_texts[i]);
    assert_true(json_is_string(json_object_get(context, context_texts[i])));
  }
  for (size_t i = 0; i < sizeof context_numbers / sizeof *context_numbers; i++) {
    harness_doing("%s", context_numbers[i]);
    assert_true(json_number_value(json_object_get(context, context_numbers[i])) > 0);
  }
  assert_true(json_array_size(json_object_get(context, "caches")) == 3);
  assert_true(json_array_size(rows) >= 3 * 3 * 4);
  bool load_known = json_is_true(json_object_get(context, "load_known"));
  size_t first = 0, row_index;
  json_t *row;
  json_array_foreach(rows, row_index, row)
  {
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
      harness_doing("%s", texts[i]);
      assert_true(json_is_string(json_object_get(row, texts[i])));
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
      harness_doing("%s", numbers[i]);
      assert_true(json_is_number(json_object_get(row, numbers[i])));
    }
    assert_int_equal(json_integer_value(json_object_get(row, "batch")), 2);
    assert_true(json_is_boolean(json_object_get(row, "peaks_moved")));
    assert_int_equal(strcmp(json_string_value(json_object_get(row, "load")), "unknown") != 0, load_known);
    first += strcmp(json_string_value(json_object_get(row, "name")), "lenet5:c3/backward_weights/auto") == 0;
  }
  assert_int_equal(first, 1);
  size_t count = json_array_size(rows), lines = 0;
  json_decref(root);
  char path[256];
  snprintf(path, sizeof path, "%s/out.csv", caller_directory);
  FILE *csv = fopen(path, "r");
  assert_non_null(csv);
  for (int c; (c = fgetc(csv)) != EOF;) lines += c == '\n';
  fclose(csv);
  assert_int_equal(lines, count + 1);
}

/* Rows of known times: the join, the means and the limit. */
static void write_report(const char *name, double factor, const char *dtype)
{
  json_t *rows = json_array();
  for (int i = 0; i < 7; i++) {
    char problem[32];
    snprintf(problem, sizeof problem, "mb1ic%dih8oc4kh1", i + 1);
    double time = 100 * (i + 1) * (i == 6 ? 1 : factor);
    json_array_append_new(rows,
                          json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:s,s:f,s:f,s:f}", "name", problem, "problem",
                                    problem, "direction", cnnblas_conv_direction_name(CNNBLAS_FORWARD), "algorithm",
                                    "auto", "dtype", dtype, "batch", 1, "threads", 2, "time_unit", "us", "real_time",
                                    time, "time_quartile_low", time, "time_quartile_high", 1.01 * time));
  }
  json_t *root = json_pack("{s:{s:b},s:o}", "context", "debug_build", 0, "benchmarks", rows);
  char path[256];
  snprintf(path, sizeof path, "%s/%s", caller_directory, name);
  assert_int_equal(json_dump_file(root, path, 0), 0);
  json_decref(root);
}

static void comparisons(void **state)
{
  (void)state;
  write_report("old.json", 1, "f32");
  write_report("new.json", 1.1, "f32"); /* six of seven 10% slower: a mean of 1.1^(6/7), 8.51% */
  write_report("other.json", 1, "f64");
  write_file("broken.json", "{\"benchmarks\": [");
  write_file("no_report.json", "{}");
  EXPECT(0, "compare old.json old.json --fail-above 0");
  assert_says("1.000  over 7");
  EXPECT(0, "compare old.json new.json");
  assert_says("0.922  over 7");
  assert_says("0.909");
  EXPECT(0, "compare old.json new.json --fail-above 8.6");
  EXPECT(1, "compare old.json new.json --fail-above 8.4");
  assert_says("slower by 8.5%");
  EXPECT(0, "compare new.json old.json --fail-above 0");
  EXPECT(1, "compare old.json new.json --fail-above 8.4 --json out.json");
  assert_says("slower by 8.5%");
  json_t *root = read_json("out.json"), *rows = json_object_get(root, "benchmarks"), *row = json_array_get(rows, 0);
  json_t *mean = json_array_get(json_object_get(json_object_get(root, "context"), "means"), 0);
  assert_int_equal(json_array_size(rows), 7);
  assert_true(fabs(json_real_value(json_object_get(row, "ratio")) - 1 / 1.1) < 1e-12);
  assert_true(fabs(json_real_value(json_object_get(row, "new_time")) - 110) < 1e-9);
  assert_true(fabs(json_real_value(json_object_get(mean, "ratio")) - pow(1.1, -6.0 / 7)) < 1e-12);
  json_decref(root);
  EXPECT(1, "compare old.json new.json --fail-above 8.4 --json -");
  root = json_loads(caller_output, 0, NULL);
  if (!root) FAIL("not JSON alone:\n%s", caller_output);
  json_decref(root);
  EXPECT(4, "compare old.json new.json --json nosuch/file.json");
  EXPECT(3, "compare old.json other.json");
  EXPECT(3, "compare old.json nosuch.json");
  EXPECT(3, "compare broken.json old.json");
  EXPECT(3, "compare old.json no_report.json");
}

static void wisdom_from_run_to_run(void **state)
{
  (void)state;
  EXPECT(0, "--peers none --no-naive --min-time 0.001 --effort measure --wisdom some.wisdom ic4ih9oc6kh3");
  EXPECT(0, "--peers none --no-naive --min-time 0.001 --effort measure --wisdom some.wisdom ic4ih9oc6kh3 ic5ih9oc6kh3");
  write_file("some.wisdom", "not wisdom\n");
  EXPECT(3, "--peers none --no-naive --min-time 0.001 --wisdom some.wisdom ic4ih9oc6kh3");
  assert_says("some.wisdom:1: ");
  EXPECT(4, "--peers none --no-naive --min-time 0.001 --wisdom no/such/folder ic4ih9oc6kh3");
  assert_says("no/such/folder");
}

static void pictures(void **state)
{
  (void)state;
  EXPECT(2, "plot out.json");
  EXPECT(0, "plot --help");
  write_file("broken.json", "{\"benchmarks\": [");
  EXPECT(3, "plot broken.json pictures");
  EXPECT(3, "plot absent.json pictures");
  EXPECT(2, "--plot pictures --json - ic4ih9oc6kh3");
  EXPECT(0, "--peers none --no-naive --min-time 0.001 --direction forward --plot pictures --set lenet5");
  assert_made("pictures/results.json");
  bool drawn = system("gnuplot --version > /dev/null 2>&1") == 0;
  assert_says(drawn ? "3 pictures, each SVG and PNG" : "gnuplot is not installed");
  static const char *const kinds[] = {"dat", "gp", "svg", "png"};
  for (int i = 0; i < (drawn ? 4 : 2); i++) {
    char name[64];
    snprintf(name, sizeof name, "pictures/bars_lenet5_forward.%s", kinds[i]);
    assert_made(name);
    snprintf(name, sizeof name, "pictures/roofline_lenet5.%s", kinds[i]);
    assert_made(name);
  }
  EXPECT(0,
         "--peers none --no-naive --min-time 0.001 --direction forward --sweep batch=1,2 --json out.json ic4ih9oc6kh3");
  EXPECT(0, "plot out.json pictures");
  char *path = strdup(getenv("PATH"));
  setenv("PATH", "/nowhere", 1);
  int status = caller_run("plot out.json pictures");
  setenv("PATH", path, 1);
  free(path);
  assert_int_equal(status, 0);
  assert_says("gnuplot is not installed");
}

static void projections(void **state)
{
  (void)state;
  EXPECT(0, "--project 16,4,16 --min-time 0.001 --barrier 2.5 --direction forward --set lenet5 --plot pictures");
  assert_says("PROJECTED, not measured");
  assert_says("a barrier of 2.5 us");
  assert_says("GB/s a thread");
  assert_says("9 results: equal to the last bit for every number of threads"); /* 1, 4 and 16; the repeated one once */
  assert_true(longest_line() <= 100 || strstr(caller_output, "DEBUG BUILD"));
  assert_made("pictures/projected_lenet5.dat");
  EXPECT(0, "--project 4 --min-time 0.001 --bandwidth 30 --algorithm all --json out.json ic4ih9oc6kh3");
  assert_says("30 GB/s, as stated");
  EXPECT(0, "--peers none --no-naive --min-time 0.001 --threads 4 --json other.json ic4ih9oc6kh3");
  EXPECT(3, "compare out.json other.json"); /* nothing measured is compared with a projection */
  EXPECT(0, "compare out.json out.json");
}

int main(int argc, char **argv)
{
  if (!caller_find(argc, argv)) return 2;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(json_holds_every_field),
      cmocka_unit_test(comparisons),
      cmocka_unit_test(wisdom_from_run_to_run),
      cmocka_unit_test(pictures),
      cmocka_unit_test(projections),
  };
  return cmocka_run_group_tests(tests, caller_begin, caller_end);
}
