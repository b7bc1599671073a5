/*
 * What calls do to the threads and settings of the process they run in. argv[1] is OpenBLAS's flavour that must be
 * loaded ("serial", "pthread", "openmp"), or "any"; a run for each flavour is registered in meson.build.
 */
#define _GNU_SOURCE
#include "support/harness.h"
#include "support/names.h"
#include <cblas.h>
#include <dirent.h>
#include <fenv.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS_AFTER_FORK = 100, SECONDS_TO_HANG = 3600 };

static const char *program;
static const char *flavour = "any";

/* Enough work for eight tasks in each direction, a GEMM in each algorithm that has one, and no exact zeros. */
static const cnnblas_conv_desc layer = {
    .n = 8, .c = 16, .k = 32, .size = {20, 20}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
static const cnnblas_conv_desc small = {
    .n = 8, .c = 8, .k = 16, .size = {14, 14}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
static const cnnblas_conv_desc pointwise = {.n = 8, .c = 64, .k = 64, .size = {14, 14}, .kernel = {1, 1}};

typedef struct arrays {
  float *x, *w, *dy, *y, *dx, *dw;
  size_t x_count, w_count, y_count;
} arrays;

static float *filled(size_t count, unsigned seed)
{
  float *values = malloc(count * sizeof *values);
  assert_non_null(values);
  for (size_t i = 0; i < count; i++) {
    seed = seed * 1664525u + 1013904223u;
    values[i] = (float)(seed >> 8) / (float)(1u << 23) - 1.0f;
  }
  return values;
}

static arrays arrays_make(const cnnblas_conv_desc *desc)
{
  cnnblas_conv_shape shape;
  ASSERT_OK(cnnblas_conv_get_shape(desc, &shape));
  arrays a = {
      .x_count = (size_t)shape.x_elements, .w_count = (size_t)shape.w_elements, .y_count = (size_t)shape.y_elements};
  a.x = filled(a.x_count, 1);
  a.w = filled(a.w_count, 2);
  a.dy = filled(a.y_count, 3);
  a.y = filled(a.y_count, 4);
  a.dx = filled(a.x_count, 5);
  a.dw = filled(a.w_count, 6);
  return a;
}

static void arrays_free(arrays *a)
{
  free(a->x);
  free(a->w);
  free(a->dy);
  free(a->y);
  free(a->dx);
  free(a->dw);
}

/* NULL if the algorithm does not apply. */
static cnnblas_conv_plan *make_plan(const cnnblas_conv_desc *desc, int direction, const char *algorithm, int threads)
{
  cnnblas_conv_options options = {.algorithm = algorithm, .threads = threads};
  cnnblas_conv_plan *plan = NULL;
  cnnblas_status status = cnnblas_conv_plan_create(desc, (cnnblas_conv_direction)direction, &options, &plan);
  if (status != CNNBLAS_UNSUPPORTED) ASSERT_OK(status);
  return plan;
}

/* Not for assertions: it also runs in children and on other threads. */
static cnnblas_status execute(const cnnblas_conv_plan *plan, int direction, const arrays *a)
{
  const int64_t n = layer.n;
  if (direction == CNNBLAS_FORWARD) return cnnblas_conv_forward(plan, n, a->x, a->w, NULL, a->y, NULL, 0);
  if (direction == CNNBLAS_BACKWARD_DATA) return cnnblas_conv_backward_data(plan, n, a->dy, a->w, a->dx, NULL, 0);
  return cnnblas_conv_backward_weights(plan, n, a->x, a->dy, a->dw, NULL, NULL, 0);
}

static const float *output_of(const arrays *a, int direction, size_t *count)
{
  *count = direction == CNNBLAS_FORWARD ? a->y_count : direction == CNNBLAS_BACKWARD_DATA ? a->x_count : a->w_count;
  return direction == CNNBLAS_FORWARD ? a->y : direction == CNNBLAS_BACKWARD_DATA ? a->dx : a->dw;
}

static bool same_output(const arrays *a, const arrays *b, int direction)
{
  size_t count;
  const float *got = output_of(a, direction, &count);
  return memcmp(got, output_of(b, direction, &count), count * sizeof *got) == 0;
}

static void the_right_openblas_is_loaded(void **state)
{
  (void)state;
  static const char *const names[] = {"serial", "pthread", "openmp"};
  int parallel = openblas_get_parallel();
  assert_in_range(parallel, 0, 2);
  printf("OpenBLAS flavour: %s, wanted: %s\n", names[parallel], flavour);
  if (strcmp(flavour, "any") != 0) assert_string_equal(names[parallel], flavour);
  cnnblas_system_info info;
  ASSERT_OK(cnnblas_system_get_info(&info));
  assert_string_equal(info.openblas_flavour, names[parallel]);
}

/* The threads of this process; of all but the calling one, which are not asleep, and how often they went to sleep: a
   thread that was woken up sleeps again. */
typedef struct {
  long count, awake, sleeps;
} threads_seen;

static threads_seen look_at_threads(void)
{
  threads_seen seen = {0};
  DIR *tasks = opendir("/proc/self/task");
  assert_non_null(tasks);
  for (struct dirent *entry; (entry = readdir(tasks));) {
    char path[300], line[128], letter;
    if (entry->d_name[0] == '.') continue;
    seen.count++;
    if (atoi(entry->d_name) == gettid()) continue;
    snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    long voluntary;
    while (fgets(line, sizeof line, file)) {
      if (sscanf(line, "State: %c", &letter) == 1) seen.awake += letter != 'S';
      if (sscanf(line, "voluntary_ctxt_switches: %ld", &voluntary) == 1) seen.sleeps += voluntary;
    }
    fclose(file);
  }
  closedir(tasks);
  return seen;
}

/* Waits until all other threads are asleep, however long that takes: nothing but the calling thread can wake them then. */
static threads_seen threads_at_rest(void)
{
  threads_seen before, now = look_at_threads();
  do {
    before = now;
    usleep(10000);
    now = look_at_threads();
  } while (before.awake || now.awake || before.sleeps != now.sleeps);
  return now;
}

/* In a process of its own, before anything started a team: plans of one thread start none and wake nobody. */
static int check_one_thread(void)
{
  long plans = 0;
  threads_seen before = threads_at_rest(); /* OpenBLAS's own threads spin for a moment after they are born */
  for (int shape = 0; shape < 2; shape++) {
    const cnnblas_conv_desc *desc = shape ? &pointwise : &layer;
    arrays a = arrays_make(desc);
    for (int i = 0; i < algorithm_count(); i++)
      for (int direction = 0; direction < DIRECTIONS; direction++) {
        cnnblas_conv_plan *plan = make_plan(desc, direction, cnnblas_conv_algorithm_name(i), 1);
        if (!plan) continue;
        if (cnnblas_conv_plan_threads(plan) != 1 || execute(plan, direction, &a)) return 1;
        plans++;
        cnnblas_conv_plan_destroy(plan);
      }
    arrays_free(&a);
  }
  threads_seen after = look_at_threads();
  printf("%ld plans of one thread: %ld threads before, %ld after; the others slept %ld times more, %ld are awake\n",
         plans, before.count, after.count, after.sleeps - before.sleeps, after.awake);
  return plans >= 12 && after.count == before.count && after.sleeps == before.sleeps && !after.awake ? 0 : 1;
}

static void one_thread_stays_one_thread(void **state)
{
  (void)state;
  fflush(stdout);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    execl(program, program, "--one-thread", (char *)NULL);
    _exit(127);
  }
  int status;
  assert_true(waitpid(child, &status, 0) == child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

typedef struct settings {
  int omp_threads, omp_dynamic, omp_levels, blas_threads, rounding;
  omp_sched_t schedule;
  int chunk;
} settings;

static settings settings_now(void)
{
  settings s;
  memset(&s, 0, sizeof s);
  s.omp_threads = omp_get_max_threads();
  s.omp_dynamic = omp_get_dynamic();
  s.omp_levels = omp_get_max_active_levels();
  omp_get_schedule(&s.schedule, &s.chunk);
  s.blas_threads = openblas_get_num_threads();
  s.rounding = fegetround();
  return s;
}

static void settings_are_as_before(void **state)
{
  (void)state;
  arrays a = arrays_make(&small);
  static const int omp_threads[] = {1, 2, 3}, blas_threads[] = {1, 2};
  size_t checked = 0;
  settings at_start = settings_now();
  for (int setting = 0; setting < 6; setting++) {
    openblas_set_num_threads(blas_threads[setting % 2]);
    omp_set_num_threads(omp_threads[setting / 2]);
    settings before = settings_now();
    for (int i = 0; i < algorithm_count(); i++)
      for (int direction = 0; direction < DIRECTIONS; direction++)
        for (int threads = 0; threads <= 4; threads++) {
          harness_doing("%s %s, %d threads", cnnblas_conv_algorithm_name(i),
                        cnnblas_conv_direction_name((cnnblas_conv_direction)direction), threads);
          const cnnblas_algorithm_info row = algorithm_info(cnnblas_conv_algorithm_name(i));
          if (row.by_name_only && !row.one_thread && threads > 1) continue; /* the reference is slow */
          cnnblas_conv_plan *plan = make_plan(&small, direction, cnnblas_conv_algorithm_name(i), threads);
          if (!plan) continue;
          ASSERT_OK(execute(plan, direction, &a));
          cnnblas_conv_plan_destroy(plan);
          settings after = settings_now();
          assert_memory_equal(&before, &after, sizeof before);
          checked++;
        }
  }
  printf("%zu calls left the settings as they were\n", checked);
  assert_true(checked > 200);
  openblas_set_num_threads(at_start.blas_threads);
  omp_set_num_threads(at_start.omp_threads);
  arrays_free(&a);
}

/* Every thread of the caller's team makes and runs plans of its own, and runs one that was made outside. */
static void a_callers_parallel_region(void **state)
{
  (void)state;
  enum { TEAM = 4, ROUNDS = 5 };
  arrays want = arrays_make(&layer), got[TEAM];
  cnnblas_conv_plan *outside[DIRECTIONS];
  settings before = settings_now();
  for (int direction = 0; direction < DIRECTIONS; direction++) {
    outside[direction] = make_plan(&layer, direction, IM2COL, 2);
    ASSERT_OK(execute(outside[direction], direction, &want));
  }
  for (int member = 0; member < TEAM; member++) got[member] = arrays_make(&layer);
  int wrong = 0, parallel_plans = 0, team = 0;
#pragma omp parallel num_threads(TEAM) reduction(+ : wrong, parallel_plans)
  {
    int member = omp_get_thread_num();
#pragma omp single
    team = omp_get_num_threads();
    for (int round = 0; round < ROUNDS; round++)
      for (int direction = 0; direction < DIRECTIONS; direction++) {
        cnnblas_conv_options options = {.algorithm = IM2COL};
        cnnblas_conv_plan *inside = NULL;
        wrong += cnnblas_conv_plan_create(&layer, (cnnblas_conv_direction)direction, &options, &inside) != CNNBLAS_OK;
        parallel_plans += cnnblas_conv_plan_threads(inside) != 1;
        wrong += execute(inside, direction, &got[member]) != CNNBLAS_OK || !same_output(&got[member], &want, direction);
        cnnblas_conv_plan_destroy(inside);
        wrong += execute(outside[direction], direction, &got[member]) != CNNBLAS_OK ||
                 !same_output(&got[member], &want, direction);
      }
  }
  settings after = settings_now();
  printf("a team of %d, %d calls in it\n", team, team * ROUNDS * DIRECTIONS * 2);
  assert_int_equal(team, TEAM);
  assert_int_equal(wrong, 0);
  assert_int_equal(parallel_plans, 0);
  assert_memory_equal(&before, &after, sizeof before);
  for (int member = 0; member < TEAM; member++) arrays_free(&got[member]);
  for (int direction = 0; direction < DIRECTIONS; direction++) cnnblas_conv_plan_destroy(outside[direction]);
  arrays_free(&want);
}

/* The child of a process that ran parallel calls runs all directions, with the parent's plans and with new ones. */
static int run_in_child(cnnblas_conv_plan *const plans[DIRECTIONS], const arrays *want, const arrays *got)
{
  alarm(SECONDS_TO_HANG);
  for (int direction = 0; direction < DIRECTIONS; direction++) {
    if (cnnblas_conv_plan_threads(plans[direction]) != 1) return 4;
    if (execute(plans[direction], direction, got) || !same_output(got, want, direction)) return 1;
    cnnblas_conv_options options = {.algorithm = IM2COL};
    cnnblas_conv_plan *plan;
    if (cnnblas_conv_plan_create(&layer, (cnnblas_conv_direction)direction, &options, &plan)) return 2;
    if (execute(plan, direction, got) || !same_output(got, want, direction)) return 3;
    cnnblas_conv_plan_destroy(plan);
  }
  return 0;
}

static void fork_after_a_parallel_call(void **state)
{
  (void)state;
  arrays want = arrays_make(&layer), got = arrays_make(&layer);
  cnnblas_conv_plan *plans[DIRECTIONS];
  for (int direction = 0; direction < DIRECTIONS; direction++) {
    plans[direction] = make_plan(&layer, direction, IM2COL, 2);
    assert_int_equal(cnnblas_conv_plan_threads(plans[direction]), 2);
  }
  int finished = 0;
  for (int i = 0; i < CALLS_AFTER_FORK; i++) {
    for (int direction = 0; direction < DIRECTIONS; direction++) ASSERT_OK(execute(plans[direction], direction, &want));
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(run_in_child(plans, &want, &got));
    int status;
    assert_true(waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status)) FAIL("child %d died of signal %d (14: it hung)", i, WTERMSIG(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    finished++;
  }
  for (int direction = 0; direction < DIRECTIONS; direction++)
    assert_int_equal(cnnblas_conv_plan_threads(plans[direction]), 2);
  printf("%d children finished\n", finished);
  assert_int_equal(finished, CALLS_AFTER_FORK);
  for (int direction = 0; direction < DIRECTIONS; direction++) cnnblas_conv_plan_destroy(plans[direction]);
  arrays_free(&want);
  arrays_free(&got);
}

int main(int argc, char **argv)
{
  program = "/proc/self/exe";
  if (argc > 1 && strcmp(argv[1], "--one-thread") == 0) return check_one_thread();
  if (argc > 1) flavour = argv[1];
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_right_openblas_is_loaded), cmocka_unit_test(one_thread_stays_one_thread),
      cmocka_unit_test(settings_are_as_before),       cmocka_unit_test(a_callers_parallel_region),
      cmocka_unit_test(fork_after_a_parallel_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
