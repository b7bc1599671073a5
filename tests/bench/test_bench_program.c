/* cnnblas-bench as people call it: the command line, exit statuses, what it prints. argv[1] is the program. */
#define _GNU_SOURCE
#include "caller.h"
#include "support/names.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void help_list_version(void **state)
{
  (void)state;
  EXPECT(0, "--help");
  assert_says("--fail-above");
  assert_true(longest_line() <= 100);
  EXPECT(0, "--list");
  static const char *const names[] = {"alexnet",      "c3d",           "googlenet", "lenet5", "mobilenet",
                                      "resnet50",     "unet",          "vgg16",     "vgg19",  "wavenet1d",
                                      "im2col_sgemm", "im2col_images", REFERENCE};
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
    wanted = strdup(caller_output);
    assert_says("usage: cnnblas-bench");
    snprintf(arguments, sizeof arguments, "%s -h", commands[i]);
    EXPECT(0, arguments);
    assert_string_equal(caller_output, wanted);
    snprintf(arguments, sizeof arguments, "help %s", commands[i]);
    EXPECT(0, arguments);
    assert_string_equal(caller_output, wanted);
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
  json_t *root = json_loads(caller_output, 0, NULL);
  if (!root) FAIL("not JSON alone:\n%s", caller_output);
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
                                    "--accuracy high",
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
  EXPECT(2, "--accuracy high");
  assert_says("--accuracy high: it is default, exact or relaxed");
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
    if (strstr(caller_output, cnnblas_conv_direction_name(CNNBLAS_FORWARD)))
      FAIL("measured before it was refused:\n%s", caller_output);
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
      {"--algorithm implicit_gemm_prepacked --direction backward_weights ic3ih8oc4kh3", "applies to no layer"},
      {"--sweep size=1,2 ic3ih8oc4kh3ph0", "no problem can take any value of the sweep"},
  };
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    EXPECT(3, calls[i].arguments);
    assert_says(calls[i].reason);
    if (strstr(caller_output, "peaks")) FAIL("measured before it was refused:\n%s", caller_output);
  }
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
  EXPECT(0, "--set layers --batch 1 --min-time 0.0001 --json out.json");
  assert_says("max pool 3/2 backward");
  assert_made("out.json");
  EXPECT(0, "plot out.json pictures");
}

int main(int argc, char **argv)
{
  if (!caller_find(argc, argv)) return 2;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(help_list_version),
      cmocka_unit_test(words_for_help_and_version),
      cmocka_unit_test(json_alone_on_standard_output),
      cmocka_unit_test(sweeps_combine),
      cmocka_unit_test(usage_errors),
      cmocka_unit_test(bad_lines_do_not_stop_the_rest),
      cmocka_unit_test(files_are_tried_first),
      cmocka_unit_test(nothing_to_run),
      cmocka_unit_test(every_option_runs),
      cmocka_unit_test(full_standard_output),
      cmocka_unit_test(layers_alone),
  };
  return cmocka_run_group_tests(tests, caller_begin, caller_end);
}
