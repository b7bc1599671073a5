/* cnnblas-bench as people call it: exit statuses, files, the comparison. argv[1] is the program. */
#define _GNU_SOURCE
#include "support/harness.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *program;
static char directory[] = "/tmp/cnnblas-bench-test-XXXXXX";
static char output[65536]; /* of the last call, stdout and stderr */

/* Runs the program in the test's own directory; its exit status. */
static int call(const char *arguments)
{
  char command[1024];
  snprintf(command, sizeof command, "cd %s && %s %s 2>&1", directory, program, arguments);
  harness_doing("%s", arguments);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  size_t length = fread(output, 1, sizeof output - 1, pipe);
  output[length] = 0;
  int status = pclose(pipe);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

#define EXPECT(status, arguments)                                                                                      \
  do {                                                                                                                 \
    int got = call(arguments);                                                                                         \
    if (got != (status)) FAIL("exit status %d instead of %d:\n%s", got, (status), output);                             \
  } while (0)

static void assert_says(const char *text)
{
  if (!strstr(output, text)) FAIL("no \"%s\" in:\n%s", text, output);
}

static void write_file(const char *name, const char *text)
{
  char path[256];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static json_t *read_json(const char *name)
{
  char path[256];
  json_error_t error;
  snprintf(path, sizeof path, "%s/%s", directory, name);
  json_t *root = json_load_file(path, 0, &error);
  if (!root) FAIL("%s:%d: %s", name, error.line, error.text);
  return root;
}

static size_t longest_line(void)
{
  size_t longest = 0;
  for (const char *line = output; *line; line += strcspn(line, "\n") + 1)
    if (strcspn(line, "\n") > longest) longest = strcspn(line, "\n");
  return longest;
}

static void help_list_version(void **state)
{
  (void)state;
  EXPECT(0, "--help");
  assert_says("--fail-above");
  assert_true(longest_line() <= 100);
  EXPECT(0, "--list");
  static const char *const names[] = {"alexnet",      "c3d",           "googlenet", "lenet5", "mobilenet",
                                      "resnet50",     "unet",          "vgg16",     "vgg19",  "wavenet1d",
                                      "im2col_sgemm", "im2col_images", "reference"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) assert_says(names[i]);
  EXPECT(0, "--version");
  assert_says(cnnblas_version_string());
  EXPECT(0, "compare --help");
}

/* Every way to ask for help or the version, of the program and of its commands. */
static void words_for_help_and_version(void **state)
{
  (void)state;
  static const char *const commands[] = {"", "compare", "plot", "ab"};
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    char arguments[64], *wanted;
    snprintf(arguments, sizeof arguments, "%s --help", commands[i]);
    EXPECT(0, arguments);
    wanted = strdup(output);
    assert_says("usage: cnnblas-bench");
    snprintf(arguments, sizeof arguments, "%s -h", commands[i]);
    EXPECT(0, arguments);
    assert_string_equal(output, wanted);
    snprintf(arguments, sizeof arguments, "help %s", commands[i]);
    EXPECT(0, arguments);
    assert_string_equal(output, wanted);
    free(wanted);
    snprintf(arguments, sizeof arguments, "%s -V", commands[i]);
    EXPECT(0, arguments);
    assert_says(cnnblas_version_string());
  }
  EXPECT(2, "help nosuch");
  assert_says("help nosuch: there are ab, compare and plot");
}

static void json_alone_on_standard_output(void **state)
{
  (void)state;
  EXPECT(0, "--peers none --no-naive --min-time 0.001 --direction forward --json - ic4ih9oc6kh3");
  json_t *root = json_loads(output, 0, NULL);
  if (!root) FAIL("not JSON alone:\n%s", output);
  assert_int_equal(json_array_size(json_object_get(root, "benchmarks")), 1);
  json_decref(root);
}

/* Two sweeps give every combination, and the growth along each. */
static void sweeps_combine(void **state)
{
  (void)state;
  EXPECT(0, "--peers none --no-naive --min-time 0.0001 --direction forward --sweep batch=1,2 --sweep size=9,11,13 "
            "ic4ih9oc6kh3n\"a\"");
  assert_says("@batch=2@size=13");
  assert_says("time by batch");
  assert_says("a@size=11 forward");
  assert_says("time by size");
  assert_says("a@batch=1 forward");
}

static void usage_errors(void **state)
{
  (void)state;
  static const char *const bad[] = {"--bogus",
                                    "--set nosuch",
                                    "--direction up",
                                    "--algorithm nosuch",
                                    "--peers nosuch",
                                    "--batch 0",
                                    "--batch x",
                                    "--threads -1",
                                    "--dtype f16",
                                    "--min-time 0",
                                    "--min-time nan",
                                    "--wait-quiet soon",
                                    "--wait-quiet -1",
                                    "--workspace lots",
                                    "--effort much",
                                    "--sweep speed=1..2",
                                    "--sweep batch=2..1",
                                    "--sweep batch=1,2 --sweep batch=4 ic4ih9oc6kh3",
                                    "--project 0",
                                    "--project 2,x",
                                    "--project 1025",
                                    "--project 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18",
                                    "--project 2 --barrier -1",
                                    "--project 2 --barrier 5us",
                                    "--project 2 --bandwidth 0",
                                    "--project 2 --bandwidth nan",
                                    "--barrier 3",
                                    "--bandwidth 10",
                                    "--project 2 --csv out.csv",
                                    "--project 2 --fresh",
                                    "--project 2 --effort measure",
                                    "--project 2 --sweep batch=1..4",
                                    "--project 2 --set layers",
                                    "compare one.json",
                                    "compare a b --fail-above x",
                                    "compare a b --fail-above -1"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) EXPECT(2, bad[i]);
  EXPECT(2, "--workspace banana");
  assert_says("--workspace banana: it is default, none, or a number of bytes");
  EXPECT(2, "--algorithm fastest");
  assert_says("auto, ");
  for (int32_t i = 0; cnnblas_conv_algorithm_name(i); i++) assert_says(cnnblas_conv_algorithm_name(i));
}

static void bad_lines_do_not_stop_the_rest(void **state)
{
  (void)state;
  write_file("some.txt",
             "# three layers, one of them bad\nic3ih8oc4kh3n\"first\"\n ic3ih8oc4kh\nic3ih9oc4kh3n\"last\"\n");
  EXPECT(3, "--problems some.txt --peers none --no-naive --min-time 0.001");
  assert_says("some.txt:3:13: kh needs a number");
  assert_says("some:first");
  assert_says("some:last");
  EXPECT(3, "--problems nosuch.txt");
  assert_says("nosuch.txt: No such file");
  EXPECT(3, "--peers none --no-naive --min-time 0.001 ic3ih8oc4kh3q1 ic3ih8oc4kh3");
  assert_says("column 13: unknown field");
  assert_says("mb8ic3ih8oc4oh6kh3ph0");
  EXPECT(3, "resnet50");
  assert_says("resnet50 is a set: --set resnet50");
  EXPECT(3, "compare nosuch.json neither.json");
  assert_says("cnnblas-bench: unable to open nosuch.json: No such file");
  EXPECT(4, "--peers none --no-naive --min-time 0.001 --direction forward mb1000000ic1000ih1000oc1kh1");
  assert_says("do not fit");
}

/* A run may take an hour: that its files cannot be written is said before it. */
static void files_are_tried_first(void **state)
{
  (void)state;
  static const char *const bad[] = {"--json nosuch/file.json",
                                    "--csv nosuch/file.csv",
                                    "--wisdom nosuch/file.wisdom",
                                    "--latency --json nosuch/file.json",
                                    "--project 2 --json nosuch/file.json",
                                    "--set kernels --json nosuch/file.json",
                                    "--json ."};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char arguments[160];
    snprintf(arguments, sizeof arguments, "--peers none --no-naive --min-time 0.001 %s%s", bad[i],
             strstr(bad[i], "kernels") ? "" : " ic3ih8oc4kh3");
    EXPECT(4, arguments);
    assert_says(strstr(bad[i], "nosuch") ? "No such file" : "Is a directory");
    if (strstr(output, "forward")) FAIL("measured before it was refused:\n%s", output);
  }
}

/* Refused before anything is measured: no peaks, no table. */
static void nothing_to_run(void **state)
{
  (void)state;
  static const struct {
    const char *arguments, *reason;
  } calls[] = {
      {"ic3ih8oc4kh9", "nothing to run: no problem is left"},
      {"--algorithm depthwise ic3ih8oc4kh3", "--algorithm depthwise applies to no layer"},
      {"--algorithm auto,depthwise ic3ih8oc4kh3 ic4ih8oc4kh3", "for one input channel a group only"},
      {"--algorithm implicit_gemm_prepacked --direction backward_data ic3ih8oc4kh3", "applies to no layer"},
      {"--sweep size=1,2 ic3ih8oc4kh3ph0", "no problem can take any value of the sweep"},
  };
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    EXPECT(3, calls[i].arguments);
    assert_says(calls[i].reason);
    if (strstr(output, "peaks")) FAIL("measured before it was refused:\n%s", output);
  }
}

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
  bool flagged = strstr(output, "DEBUG BUILD") != NULL;
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
  snprintf(path, sizeof path, "%s/out.csv", directory);
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
    json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:s,s:f,s:f,s:f}", "name", problem, "problem",
                                          problem, "direction", "forward", "algorithm", "auto", "dtype", dtype, "batch",
                                          1, "threads", 2, "time_unit", "us", "real_time", time, "time_quartile_low",
                                          time, "time_quartile_high", 1.01 * time));
  }
  json_t *root = json_pack("{s:{s:b},s:o}", "context", "debug_build", 0, "benchmarks", rows);
  char path[256];
  snprintf(path, sizeof path, "%s/%s", directory, name);
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
  root = json_loads(output, 0, NULL);
  if (!root) FAIL("not JSON alone:\n%s", output);
  json_decref(root);
  EXPECT(4, "compare old.json new.json --json nosuch/file.json");
  EXPECT(3, "compare old.json other.json");
  EXPECT(3, "compare old.json nosuch.json");
  EXPECT(3, "compare broken.json old.json");
  EXPECT(3, "compare old.json no_report.json");
}

static void every_option_runs(void **state)
{
  (void)state;
  EXPECT(0,
         "--algorithm all --peers all --dtype f64 --threads 1 --workspace none --min-time 0.001 g2ic4ih9oc6kh3ph1sh2");
  EXPECT(0,
         "--algorithm reference,naive --peers none --effort measure --workspace 65536 --min-time 0.001 ic4iw9oc6kw3");
  EXPECT(
      0,
      "--peers none --no-naive --min-time 0.001 --sweep batch=1..4 --direction forward,backward_weights ic4ih9oc6kh3");
  assert_says("grows with the power");
  assert_says("@batch=4");
  EXPECT(0, "--peers none --no-naive --min-time 0.001 --sweep threads=1,2 --direction forward ic4ih9oc6kh3");
  EXPECT(0, "--peers none --no-naive --min-time 0.001 --fresh --direction forward --json out.json ic4ih9oc6kh3");
  assert_says("the same in a new process");
  EXPECT(0, "--peers im2col_sgemm,im2col_images --no-naive --min-time 0.001 --direction backward_data ic4ih9oc6kh3");
  assert_says("im2col_images");
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

static void assert_made(const char *name)
{
  char path[256];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen(path, "r");
  if (!file) FAIL("%s was not made; the program said:\n%s", name, output);
  if (fgetc(file) == EOF) FAIL("%s is empty", name);
  fclose(file);
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
  int status = call("plot out.json pictures");
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
  assert_true(longest_line() <= 100 || strstr(output, "DEBUG BUILD"));
  assert_made("pictures/projected_lenet5.dat");
  EXPECT(0, "--project 4 --min-time 0.001 --bandwidth 30 --algorithm all --json out.json ic4ih9oc6kh3");
  assert_says("30 GB/s, as stated");
  EXPECT(0, "--peers none --no-naive --min-time 0.001 --threads 4 --json other.json ic4ih9oc6kh3");
  EXPECT(3, "compare out.json other.json"); /* nothing measured is compared with a projection */
  EXPECT(0, "compare out.json out.json");
}

static void full_standard_output(void **state)
{
  (void)state;
  EXPECT(0, "--peers none --no-naive --min-time 0.001 --direction forward --json out.json ic4ih9oc6kh3");
  static const char *const calls[] = {
      "--help",
      "--version",
      "--list",
      "plot --help",
      "compare out.json out.json",
      "--set kernels --min-time 0.0001",
      "--peers none --no-naive --min-time 0.001 --direction forward ic4ih9oc6kh3",
      "--project 2 --bandwidth 9 --min-time 0.001 --direction forward ic4ih9oc6kh3",
      "--peers none --no-naive --min-time 0.001 --direction forward --json - ic4ih9oc6kh3"};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    char arguments[512];
    snprintf(arguments, sizeof arguments, "%s 2>&1 >/dev/full", calls[i]);
    EXPECT(4, arguments);
  }
}

static void layers_alone(void **state)
{
  (void)state;
  EXPECT(0, "--set layers --batch 2 --min-time 0.0001 --json out.json");
  assert_says("max pool 3/2 backward");
  assert_made("out.json");
  EXPECT(0, "plot out.json pictures");
}

static int make_directory(void **state)
{
  (void)state;
  return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
  (void)state;
  static const char *const names[] = {"some.txt",   "out.json",    "out.csv",        "old.json",   "new.json",
                                      "other.json", "broken.json", "no_report.json", "some.wisdom"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, names[i]);
    unlink(path);
  }
  char command[256];
  snprintf(command, sizeof command, "rm -rf %s/pictures", directory);
  if (system(command)) return -1;
  return rmdir(directory);
}

int main(int argc, char **argv)
{
  if (argc < 2) {
    fputs("usage: test_bench_program PATH_OF_CNNBLAS_BENCH\n", stderr);
    return 2;
  }
  program = realpath(argv[1], NULL);
  if (!program) return 2;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(help_list_version),
      cmocka_unit_test(words_for_help_and_version),
      cmocka_unit_test(json_alone_on_standard_output),
      cmocka_unit_test(sweeps_combine),
      cmocka_unit_test(usage_errors),
      cmocka_unit_test(bad_lines_do_not_stop_the_rest),
      cmocka_unit_test(files_are_tried_first),
      cmocka_unit_test(nothing_to_run),
      cmocka_unit_test(json_holds_every_field),
      cmocka_unit_test(comparisons),
      cmocka_unit_test(every_option_runs),
      cmocka_unit_test(wisdom_from_run_to_run),
      cmocka_unit_test(pictures),
      cmocka_unit_test(projections),
      cmocka_unit_test(full_standard_output),
      cmocka_unit_test(layers_alone),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
