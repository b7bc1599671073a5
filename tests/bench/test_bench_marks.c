/*
 * Disturbed rows: this test disturbs its own measurements by busy processes, one pinned to each core, and looks for the
 * marks in table, JSON, CSV and pictures; and how two reports with marks compare. That a quiet machine marks nothing is
 * test_bench_load's, on recorded counters: where this test runs, others may be busy.
 */
#define _GNU_SOURCE
#include "compare.h"
#include "descriptor.h"
#include "plot.h"
#include "quiet.h"
#include "report.h"
#include "runner.h"
#include "support/harness.h"
#include "support/names.h"
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const bench_peaks peaks = {.fma_gflops = 100, .gemm_gflops = 80, .bandwidth_gbytes = 10, .fma_isa = "test"};
static char directory[] = "/tmp/cnnblas-bench-marks-XXXXXX";
static char text[65536]; /* what was printed, or a file's content */
static pid_t burners[CPU_SETSIZE];
static int burner_count;

static const char *path_of(const char *name)
{
  static char path[4][256];
  static int next;
  next = (next + 1) % 4;
  snprintf(path[next], sizeof path[next], "%s/%s", directory, name);
  return path[next];
}

static void read_file(const char *name)
{
  FILE *file = fopen(path_of(name), "r");
  assert_non_null(file);
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
}

/* From begin to end what goes to that stream's descriptor goes to a file instead, and then into text. */
static int held;

static void capture_begin(FILE *stream)
{
  fflush(stream);
  held = dup(fileno(stream));
  FILE *file = fopen(path_of("captured"), "w");
  assert_true(held >= 0 && file);
  assert_true(dup2(fileno(file), fileno(stream)) >= 0);
  fclose(file);
}

static void capture_end(FILE *stream)
{
  fflush(stream);
  assert_true(dup2(held, fileno(stream)) >= 0);
  close(held);
  read_file("captured");
}

static void assert_says(const char *what)
{
  if (!strstr(text, what)) FAIL("no \"%s\" in:\n%s", what, text);
}

static void assert_silent_about(const char *what)
{
  if (strstr(text, what)) FAIL("\"%s\" in:\n%s", what, text);
}

/* A process that computes for ever on every core that this one may use; they die with it. */
static void burners_start(void)
{
  cpu_set_t allowed;
  assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  for (size_t core = 0; core < CPU_SETSIZE; core++) {
    if (!CPU_ISSET(core, &allowed)) continue;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child) {
      burners[burner_count++] = child;
      continue;
    }
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || sched_setaffinity(0, sizeof one, &one)) _exit(1);
    for (volatile unsigned spin = 0;; spin++) continue;
  }
}

static int burners_stop(void **state)
{
  (void)state;
  for (; burner_count; burner_count--) {
    kill(burners[burner_count - 1], SIGKILL);
    waitpid(burners[burner_count - 1], NULL, 0);
  }
  return 0;
}

static void print_rows(void *context, const bench_result *rows, size_t count)
{
  (void)context;
  for (size_t i = 0; i < count; i++) bench_table_row(&rows[i], i == 0);
}

static void write_reports(const bench_options *options, const bench_results *results)
{
  bench_context context;
  bench_context_fill(&context, "test", options);
  context.peaks = peaks;
  assert_true(context.load_known);
  assert_true(bench_json_write(path_of("out.json"), results, &context));
  assert_true(bench_csv_write(path_of("out.csv"), results, &context));
  bench_table_means(results, &context);
  assert_int_equal(bench_plot(path_of("out.json"), path_of("pictures"), NULL), BENCH_OK);
}

/* How often it occurs in text. */
static size_t occurrences(const char *what)
{
  size_t count = 0;
  for (const char *at = text; (at = strstr(at, what)); at++) count++;
  return count;
}

/* Lines of the captured table, before its footnotes, with a b in the column of the marks. */
static size_t marked_lines(void)
{
  enum { COLUMN = 38 };
  size_t count = 0;
  const char *end = strstr(text, "\nb marks");
  for (const char *line = text; line && line < end; line = strchr(line, '\n') + 1)
    count += strcspn(line, "\n") > COLUMN && line[COLUMN] == 'b';
  return count;
}

static void a_load_marks_every_row(void **state)
{
  (void)state;
  enum { ROWS = 4 };
  cnnblas_system_info info;
  cnnblas_system_get_info(&info);
  bench_options o = {
      .directions = {true, true},
      .algorithms = {"auto", IM2COL},
      .algorithm_count = 2,
      .threads = info.threads,
      .min_time = 0.3,
  };
  bench_problem problem;
  bench_parse_error error;
  assert_true(bench_descriptor_parse("mb2ic16ih28oc16kh3ph1", strlen("mb2ic16ih28oc16kh3ph1"), &problem, &error));
  snprintf(problem.set, sizeof problem.set, "line");
  assert_true(bench_problem_list_add(&o.problems, &problem));
  bench_results results = {0};
  burners_start();
  o.load = bench_load_monitor_create();
  assert_non_null(o.load);
  if (!bench_load_monitor_works(o.load)) {
    bench_load_monitor_destroy(o.load);
    bench_problem_list_free(&o.problems);
    skip(); /* no /proc/stat here */
  }
  capture_begin(stdout);
  int status = bench_run(&o, &peaks, &results, print_rows, NULL);
  write_reports(&o, &results);
  capture_end(stdout);
  bench_load_monitor_destroy(o.load);
  assert_int_equal(status, BENCH_OK);
  assert_int_equal(results.count, ROWS);
  for (size_t i = 0; i < ROWS; i++) {
    const bench_result *r = &results.items[i];
    harness_doing("row %zu: %s, foreign %g, stolen %g", i, bench_load_name(r->load.verdict), r->load.foreign,
                  r->load.stolen);
    assert_int_equal(r->load.verdict, BENCH_LOAD_BUSY);
    assert_true(r->load.foreign > BENCH_LOAD_LIMIT && r->load.foreign <= info.cores);
    assert_true(r->fma_before > 0 && r->fma_after > 0);
  }
  assert_says("b marks 4 of 4 rows");
  assert_int_equal(marked_lines(), ROWS);
  read_file("out.csv");
  assert_int_equal(occurrences(",busy,"), ROWS);
  read_file("out.json");
  assert_int_equal(occurrences("\"load\": \"busy\""), ROWS);
  read_file("pictures/bars_line_forward.dat");
  assert_int_equal(occurrences(" b\"") + occurrences(" bp\""), 2);
  read_file("pictures/bars_line_forward.gp");
  assert_says("4 of 4 rows marked");
  bench_results_free(&results);
  bench_problem_list_free(&o.problems);
}

static void waiting_ends(void **state)
{
  (void)state;
  burners_start();
  double left = 1.5;
  capture_begin(stderr);
  bench_wait_quiet(&left);
  capture_end(stderr);
  if (strstr(text, "does not tell")) skip();
  assert_true(left <= 0);
  assert_says("waiting up to");
  assert_says("going on, rows are marked");
  capture_begin(stderr);
  bench_wait_quiet(&left); /* nothing is left to wait */
  capture_end(stderr);
  assert_string_equal(text, "");
}

static void peaks_that_move(void **state)
{
  (void)state;
  static const struct {
    double gflops, before, after;
    bool moved;
  } cases[] = {{50, 100, 100, false}, {50, 100, 109, false}, {50, 109, 100, false}, {50, 100, 112, true},
               {50, 112, 100, true},  {108, 100, 95, false}, {112, 100, 100, true}, {1460, 100, 100, true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bench_result row = {.gflops = cases[i].gflops};
    bench_result_surround(&row, cases[i].before, cases[i].after);
    harness_doing("%g under %g and %g", cases[i].gflops, cases[i].before, cases[i].after);
    assert_int_equal(row.peaks_moved, cases[i].moved);
  }
}

/* Seven rows of known times, the last disturbed as told: load is NULL for a report of before the marks. */
static void write_report(const char *name, double factor, double last, const char *load, bool moved, const char *isa)
{
  json_t *rows = json_array();
  for (int i = 0; i < 7; i++) {
    char problem[32];
    snprintf(problem, sizeof problem, "mb1ic%dih8oc4kh1", i + 1);
    double time = 100 * (i + 1) * (i == 6 ? last : factor);
    json_t *row = json_pack("{s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:s,s:f,s:f,s:f}", "name", problem, "problem", problem,
                            "direction", cnnblas_conv_direction_name(CNNBLAS_FORWARD), "algorithm", "auto", "dtype",
                            "f32", "batch", 1, "threads", 2, "time_unit", "us", "real_time", time, "time_quartile_low",
                            time, "time_quartile_high", 1.01 * time);
    if (load) {
      json_object_set_new(row, "load", json_string(i == 6 ? load : "quiet"));
      json_object_set_new(row, "peaks_moved", json_boolean(moved && i == 6));
    }
    json_array_append_new(rows, row);
  }
  json_t *root = json_pack("{s:{s:s,s:i},s:o}", "context", "isa", isa, "threads", 2, "benchmarks", rows);
  assert_int_equal(json_dump_file(root, path_of(name), 0), 0);
  json_decref(root);
}

static int compare(const char *old_name, const char *new_name, double fail_above)
{
  capture_begin(stdout);
  int status = bench_compare_files(path_of(old_name), path_of(new_name), fail_above, NULL);
  capture_end(stdout);
  return status;
}

static void marked_rows_are_not_judged(void **state)
{
  (void)state;
  write_report("old.json", 1, 1, NULL, false, "avx2");
  static const struct {
    const char *load, *mark;
    bool moved, judged;
  } cases[] = {{"busy", " b\n", false, false},    {"quiet", " p\n", true, false},
               {"busy", " bp\n", true, false},    {"unclear", " ?\n", false, true},
               {"quiet", "0.333\n", false, true}, {"unknown", "0.333\n", false, true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    harness_doing("%s, moved %d", cases[i].load, cases[i].moved);
    write_report("new.json", 1, 3, cases[i].load, cases[i].moved, "avx2"); /* the last row three times as slow */
    assert_int_equal(compare("old.json", "new.json", 5), cases[i].judged ? BENCH_CHECK_FAILED : BENCH_OK);
    assert_says(cases[i].mark);
    assert_says(cases[i].judged ? "over 7" : "1.000  over 6  (1 marked b or p left out)");
    assert_int_equal(compare("new.json", "old.json", 5), BENCH_OK); /* a mark of the old report counts as well */
    assert_says(cases[i].judged ? "over 7" : "1.000  over 6  (1 marked b or p left out)");
    assert_silent_about("differs");
    assert_silent_about("only in");
  }
}

static void nothing_left_to_judge(void **state)
{
  (void)state;
  json_t *root = json_pack("{s:{},s:[{s:s,s:s,s:s,s:s,s:i,s:s}]}", "context", "benchmarks", "name", "a", "problem", "p",
                           "load", "busy", "time_unit", "us", "real_time", 5, "algorithm", "auto");
  assert_int_equal(json_dump_file(root, path_of("one.json"), 0), 0);
  json_decref(root);
  assert_int_equal(compare("one.json", "one.json", -1), BENCH_OK);
  assert_int_equal(compare("one.json", "one.json", 5), BENCH_BAD_INPUT);
}

static void differences_of_two_reports(void **state)
{
  (void)state;
  write_report("old.json", 1, 1, "quiet", false, "avx2");
  write_report("new.json", 1, 1, "quiet", false, "avx512");
  json_t *root = json_load_file(path_of("new.json"), 0, NULL), *rows = json_object_get(root, "benchmarks");
  json_object_set_new(json_array_get(rows, 0), "threads", json_integer(1));
  json_object_set_new(json_array_get(rows, 1), "problem", json_string("mb1ic99ih8oc4kh1"));
  json_object_set_new(json_array_get(rows, 1), "name", json_string("renamed"));
  assert_int_equal(json_dump_file(root, path_of("new.json"), 0), 0);
  json_decref(root);
  assert_int_equal(compare("old.json", "new.json", 5), BENCH_OK);
  assert_says("*** isa differs: avx2, now avx512 ***");
  assert_says("over 5");
  assert_says("old.json, 2 rows:");
  assert_says("new.json, 2 rows:");
  assert_says("mb1ic99ih8oc4kh1, 2 threads, f32");
  assert_says("mb1ic1ih8oc4kh1, 1 threads, f32");
  assert_silent_about("threads differs");
}

static int make_directory(void **state)
{
  (void)state;
  return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
  (void)state;
  char command[256];
  snprintf(command, sizeof command, "rm -rf %s", directory);
  return system(command);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_load_marks_every_row, burners_stop),
      cmocka_unit_test_teardown(waiting_ends, burners_stop),
      cmocka_unit_test(peaks_that_move),
      cmocka_unit_test(marked_rows_are_not_judged),
      cmocka_unit_test(nothing_left_to_judge),
      cmocka_unit_test(differences_of_two_reports),
  };
  return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
