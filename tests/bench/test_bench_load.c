/* The arithmetic of foreign load, on texts of /proc/stat as machines wrote them and on clocks made for the purpose. */
#include "load.h"
#include "support/harness.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What a virtual machine of two cores, Linux 6.18 at 100 ticks a second, wrote while it was very busy: at 1106.625 s,
   1108.626 s and 1110.626 s of its clock. A process computed between the first two, by its own clock for 0.428 s, and
   slept afterwards. */
static const char *const busy_machine[] = {"cpu  153501 18950 30834 17071 338 0 139 110 0 0\n"
                                           "cpu0 76638 9194 15575 9008 19 0 11 57 0 0\n"
                                           "cpu1 76863 9755 15259 8062 319 0 128 52 0 0\n"
                                           "intr 8273313 0 0 52 39\nctxt 19842982\nbtime 1795000000\n",
                                           "cpu  153767 18998 30919 17071 338 0 139 110 0 0\n"
                                           "cpu0 76783 9209 15615 9008 19 0 11 57 0 0\n"
                                           "cpu1 76984 9789 15304 8062 319 0 128 52 0 0\n",
                                           "cpu  154093 19041 30951 17071 338 0 139 110 0 0\n"
                                           "cpu0 76929 9242 15635 9008 19 0 11 57 0 0\n"
                                           "cpu1 77163 9799 15315 8062 319 0 128 52 0 0\n"};
static const double busy_at[] = {1106.624951516, 1108.625680945, 1110.625976536};
static const double busy_cpu[] = {0.04249809, 0.470536444, 0.470765284};

/* Made, not recorded: ten seconds of the same machine left alone but for a process that computed on both cores for 8 s. */
static const char *const idle_machine[] = {"cpu  41210 12 9031 802211 1410 0 310 95 0 0\n"
                                           "cpu0 20610 6 4501 401103 700 0 200 45 0 0\n"
                                           "cpu1 20600 6 4530 401108 710 0 110 50 0 0\n"
                                           "intr 8273313 0 0 52 39\nctxt 19842982\nbtime 1795000000\n",
                                           "cpu  42807 12 9036 802605 1411 0 311 96 0 0\n"
                                           "cpu0 21409 6 4503 401300 701 0 200 46 0 0\n"
                                           "cpu1 21398 6 4533 401305 710 0 111 50 0 0\n"
                                           "intr 8293313 0 0 52 39\nctxt 19852982\nbtime 1795000000\n"};

/* Four cores without steal, as Linux 2.6.9 ended its lines, with a core taken away (cpu2 is absent). */
static const char old_machine[] = "cpu 400 0 100 1000 20 5 5\n"
                                  "cpu0 100 0 25 250 5 1 1\n"
                                  "cpu1 100 0 25 250 5 1 1\n"
                                  "cpu3 200 0 50 500 10 3 3\n";

static bench_load_moment moments[2];

static void moment_of(bench_load_moment *moment, const char *text, double at, double cpu)
{
  memset(moment, 0, sizeof *moment);
  assert_true(bench_cpu_times_read(text, 100, &moment->times));
  moment->at = at;
  moment->cpu = cpu;
  moment->tick = 0.01;
  for (int i = 0; i < 16; i++) moment->allowed[i] = true;
}

static void texts_are_read(void **state)
{
  (void)state;
  bench_cpu_times *t = &moments[0].times;
  assert_true(bench_cpu_times_read(idle_machine[0], 100, t));
  assert_true(fabs(t->core[0].all - 4271.65) < 1e-9 && fabs(t->core[1].idle - 4018.18) < 1e-9);
  assert_true(fabs(t->total.stolen - 0.95) < 1e-9 && t->core[1].present && !t->core[2].present);
  assert_true(bench_cpu_times_read(old_machine, 100, t));
  assert_true(t->core[3].present && !t->core[2].present);
  assert_true(fabs(t->core[3].all - 7.66) < 1e-9 && t->core[3].stolen == 0);
  static const char *const bad[] = {
      "", "cp", "cpu", "cpu ", "intr 1 2 3\n", "cpu  1 2 3 4\n", "cpux 1 2 3\n", "cpu0 1 2 3 4\n"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    harness_doing("\"%s\"", bad[i]);
    assert_false(bench_cpu_times_read(bad[i], 100, t));
  }
  assert_true(bench_cpu_times_read("cpu  1 2 3 4\ncpu0 1 2 3 4\ncpu99999 1 2 3 4", 100, t)); /* a core out of range */
}

static void windows_of_a_machine(void **state)
{
  (void)state;
  moment_of(&moments[0], idle_machine[0], 100, 5);
  moment_of(&moments[1], idle_machine[1], 110, 21); /* 16 s of processor in 10 s */
  bench_load_window w = bench_load_between(&moments[0], &moments[1]);
  assert_true(w.known && w.cores == 2 && w.seconds == 10);
  assert_true(fabs(w.foreign - 0.05) < 1e-9); /* 20 s less 3.95 idle less 16 of its own */
  assert_true(fabs(w.stolen - 0.01) < 1e-9 && fabs(w.error - 0.02) < 1e-9);
  for (int i = 0; i < 2; i++) {
    moment_of(&moments[0], busy_machine[i], busy_at[i], busy_cpu[i]);
    moment_of(&moments[1], busy_machine[i + 1], busy_at[i + 1], busy_cpu[i + 1]);
    w = bench_load_between(&moments[0], &moments[1]);
    double seconds = busy_at[i + 1] - busy_at[i], own = busy_cpu[i + 1] - busy_cpu[i];
    assert_true(w.known && w.cores == 2 && w.stolen == 0);
    assert_true(fabs(w.foreign - (2 * seconds - own)) < 1e-9); /* neither core was idle */
  }
  /* the process may run on one core only: the other is none of its business */
  moments[0].allowed[0] = moments[1].allowed[0] = false;
  w = bench_load_between(&moments[0], &moments[1]);
  assert_true(w.known && w.cores == 1 && fabs(w.foreign - 2) < 0.001 && fabs(w.error - 0.02) < 1e-9);
  moment_of(&moments[0], idle_machine[0], 100, 5);
  moment_of(&moments[1], idle_machine[1], 110, 13);
  moments[0].allowed[1] = moments[1].allowed[1] = false;
  w = bench_load_between(&moments[0], &moments[1]);
  assert_true(w.known && w.cores == 1 && fabs(w.foreign - 0.02) < 1e-9);
}

static void counters_that_say_nothing(void **state)
{
  (void)state;
  static const char zeros[] = "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n";
  moment_of(&moments[0], zeros, 100, 5);
  moment_of(&moments[1], zeros, 110, 6);
  assert_false(bench_load_between(&moments[0], &moments[1]).known); /* as a sandbox shows them */
  moment_of(&moments[1], idle_machine[0], 110, 6);                  /* the counters begin anew */
  assert_false(bench_load_between(&moments[0], &moments[1]).known);
  moments[1].tick = 0;
  assert_false(bench_load_between(&moments[0], &moments[1]).known);
  moment_of(&moments[0], idle_machine[0], 100, 5);
  moment_of(&moments[1], idle_machine[1], 100, 5);
  assert_false(bench_load_between(&moments[0], &moments[1]).known); /* no time has passed */
  moment_of(&moments[1], idle_machine[1], 110, 21);
  memset(moments[1].allowed, 0, sizeof moments[1].allowed);
  assert_false(bench_load_between(&moments[0], &moments[1]).known);
}

/* A window of 2 or 16 cores, in seconds. */
static bench_load_window window(int cores, double seconds, double foreign, double stolen)
{
  return (bench_load_window){
      .known = true, .cores = cores, .seconds = seconds, .foreign = foreign, .stolen = stolen, .error = 0.02};
}

/* Rows, what the machine did around them, and what is to be said of them. */
static const struct {
  const char *what;
  bench_load_clocks row;
  int threads;
  bench_load_window rounds, wide;
  bench_load_verdict verdict;
} judged[] = {
    {"idle, the row kept both cores",
     {0.1, 0.198, 0.0005},
     2,
     {true, 2, 0.6, 0.01, 0, 0.02},
     {true, 2, 1.2, 0.02, 0, 0.02},
     BENCH_LOAD_QUIET},
    {"idle, a row that leaves a core idle",
     {0.1, 0.12, 0.001},
     2,
     {true, 2, 0.6, 0.01, 0, 0.02},
     {true, 2, 1.2, 0.02, 0, 0.02},
     BENCH_LOAD_QUIET},
    {"the same where waiting is not told",
     {0.1, 0.12, NAN},
     2,
     {true, 2, 0.6, 0.01, 0, 0.02},
     {true, 2, 1.2, 0.02, 0, 0.02},
     BENCH_LOAD_QUIET},
    {"the same, fewer ticks, quiet around",
     {0.1, 0.12, NAN},
     2,
     {true, 2, 0.11, 0.02, 0, 0.02},
     {true, 2, 1.2, 0.02, 0, 0.02},
     BENCH_LOAD_QUIET},
    {"a tick at the wrong moment",
     {0.1, 0.12, NAN},
     2,
     {true, 2, 0.11, 0.022, 0, 0.02},
     {true, 2, 1.2, 0.03, 0, 0.02},
     BENCH_LOAD_UNCLEAR},
    {"shorter than the ticks, cores kept",
     {0.002, 0.004, 0},
     2,
     {true, 2, 0.002, 0.01, 0, 0.02},
     {true, 2, 0.3, 0.02, 0, 0.02},
     BENCH_LOAD_QUIET},
    {"shorter than the ticks, cores not kept",
     {0.002, 0.002, NAN},
     2,
     {true, 2, 0.002, 0, 0, 0.02},
     {true, 2, 1.3, 0.02, 0, 0.02},
     BENCH_LOAD_UNCLEAR},
    {"a load on both cores",
     {0.1, 0.1, 0.09},
     2,
     {true, 2, 0.6, 0.6, 0, 0.02},
     {true, 2, 1.2, 1.0, 0, 0.02},
     BENCH_LOAD_BUSY},
    {"a load on both, waiting not told",
     {0.1, 0.1, NAN},
     2,
     {true, 2, 0.6, 0.6, 0, 0.02},
     {true, 2, 1.2, 1.0, 0, 0.02},
     BENCH_LOAD_BUSY},
    {"a load on both, a row of few ticks",
     {0.01, 0.01, 0.009},
     2,
     {true, 2, 0.01, 0.01, 0, 0.02},
     {true, 2, 1.2, 1.1, 0, 0.02},
     BENCH_LOAD_BUSY},
    {"a load on one of two",
     {0.1, 0.15, 0.05},
     2,
     {true, 2, 0.6, 0.3, 0, 0.02},
     {true, 2, 1.2, 0.6, 0, 0.02},
     BENCH_LOAD_BUSY},
    {"a load of a tenth of a core",
     {0.1, 0.19, 0.01},
     2,
     {true, 2, 0.6, 0.06, 0, 0.02},
     {true, 2, 1.2, 0.12, 0, 0.02},
     BENCH_LOAD_BUSY},
    {"a load that began in the row",
     {0.1, 0.15, 0.05},
     2,
     {true, 2, 0.2, 0.06, 0, 0.02},
     {true, 2, 1.9, 0.06, 0, 0.02},
     BENCH_LOAD_BUSY},
    {"one thread of 16 cores, a load elsewhere",
     {0.1, 0.0999, 0.0001},
     1,
     {true, 16, 0.6, 0.6, 0, 0.02},
     {true, 16, 1.2, 1.2, 0, 0.02},
     BENCH_LOAD_QUIET},
    {"that thread sleeps half of the time",
     {0.1, 0.05, 0.0002},
     1,
     {true, 16, 0.6, 0.6, 0, 0.02},
     {true, 16, 1.2, 1.2, 0, 0.02},
     BENCH_LOAD_QUIET},
    {"one thread of 16 cores, a load on its core",
     {0.1, 0.05, 0.05},
     1,
     {true, 16, 0.6, 0.3, 0, 0.02},
     {true, 16, 1.2, 0.6, 0, 0.02},
     BENCH_LOAD_BUSY},
    {"a pool of two where one thread was asked for",
     {0.1, 0.15, 0.05},
     1,
     {true, 2, 0.6, 0.3, 0, 0.02},
     {true, 2, 1.2, 0.6, 0, 0.02},
     BENCH_LOAD_BUSY},
    {"more threads than cores",
     {0.1, 0.199, 0.4},
     8,
     {true, 2, 0.6, 0, 0, 0.02},
     {true, 2, 1.2, 0, 0, 0.02},
     BENCH_LOAD_QUIET},
    {"own threads on one core, nobody else",
     {0.1, 0.12, 0.08},
     2,
     {true, 2, 0.6, 0.01, 0, 0.02},
     {true, 2, 1.2, 0.02, 0, 0.02},
     BENCH_LOAD_QUIET},
    {"the host took a tenth",
     {0.1, 0.2, 0},
     2,
     {true, 2, 0.6, 0.06, 0.06, 0.02},
     {true, 2, 1.2, 0.12, 0.12, 0.02},
     BENCH_LOAD_BUSY},
    {"the host took one tick",
     {0.1, 0.2, 0},
     2,
     {true, 2, 0.1, 0.01, 0.01, 0.02},
     {true, 2, 1.2, 0.01, 0.01, 0.02},
     BENCH_LOAD_QUIET},
    {"no counters",
     {0.1, 0.1, 0.09},
     2,
     {false, 2, 0.6, 0.6, 0, 0.02},
     {true, 2, 1.2, 1.0, 0, 0.02},
     BENCH_LOAD_UNKNOWN},
    {"nothing measured", {0, 0, 0}, 2, {true, 2, 0.6, 0, 0, 0.02}, {true, 2, 1.2, 0, 0, 0.02}, BENCH_LOAD_UNKNOWN},
};

static void judgements(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof judged / sizeof *judged; i++) {
    harness_doing("%s", judged[i].what);
    bench_load load = bench_load_judge(&judged[i].row, judged[i].threads, &judged[i].rounds, &judged[i].wide);
    if (load.verdict != judged[i].verdict)
      FAIL("%s instead of %s", bench_load_name(load.verdict), bench_load_name(judged[i].verdict));
    assert_true((load.verdict == BENCH_LOAD_UNKNOWN) == (bool)isnan(load.foreign));
  }
}

/* Whatever the row's length and what the ticks make of it: a load that takes half of each core is never called quiet,
   and an idle machine whose row keeps its cores is never called busy. */
static void never_falsely(void **state)
{
  (void)state;
  for (double seconds = 1e-4; seconds < 4; seconds *= 1.37)
    for (int shift = -2; shift <= 2; shift++) {
      double wide = fmax(1.1, seconds), error = 0.01 * shift;
      bench_load_window rounds = window(2, seconds, fmax(0, seconds + error), 0),
                        around = window(2, wide, fmax(0, wide / 2 + error), 0);
      bench_load_clocks row = {seconds, seconds, NAN};
      harness_doing("%g s, %d ticks", seconds, shift);
      assert_int_equal(bench_load_judge(&row, 2, &rounds, &around).verdict, BENCH_LOAD_BUSY);
      around = rounds; /* the run was no longer than this */
      assert_int_not_equal(bench_load_judge(&row, 2, &rounds, &around).verdict, BENCH_LOAD_QUIET);
      rounds = window(2, seconds, fmax(0, error), 0);
      around = window(2, wide, fmax(0, error), 0);
      assert_int_not_equal(bench_load_judge(&row, 2, &rounds, &around).verdict, BENCH_LOAD_BUSY);
      row.cpu = 1.97 * seconds;
      assert_int_equal(bench_load_judge(&row, 2, &rounds, &around).verdict, BENCH_LOAD_QUIET);
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(texts_are_read), cmocka_unit_test(windows_of_a_machine),
                                     cmocka_unit_test(counters_that_say_nothing), cmocka_unit_test(judgements),
                                     cmocka_unit_test(never_falsely)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
