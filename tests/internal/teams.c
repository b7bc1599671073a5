/*
 * Calls whose regions have few and many tasks in turns, all with 16 threads: run by tests/threads/created.py, which counts
 * the threads that the process creates.
 *
 *   teams tasks    loops of exactly 2, 7 and 1000 tasks
 *   teams plans    plans with 2, 7 and 1000 tasks, then the library's own choice in each direction
 *   teams resized  the control: a region has as many threads as tasks
 */
#include "base/parallel.h"
#include "support/harness.h"
#include "support/names.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 16, TURNS = 100, KINDS = 3 };

static const int64_t task_counts[KINDS] = {2, 7, 1000};

static void count_task(void *context, int64_t task, int worker)
{
  (void)worker;
  unsigned char *done = context;
  done[task]++;
}

/* The region's threads: THREADS, or the tasks if there are fewer and `resized`. */
static void loops_in_turns(bool resized)
{
  for (int turn = 0; turn < TURNS; turn++)
    for (int i = 0; i < KINDS; i++) {
      int64_t tasks = task_counts[i];
      unsigned char done[1000] = {0};
      cb_parallel_for(resized && tasks < THREADS ? (int)tasks : THREADS, tasks, count_task, done);
      for (int64_t task = 0; task < tasks; task++)
        if (done[task] != 1) FAIL("task %lld of %lld ran %d times", (long long)task, (long long)tasks, done[task]);
    }
}

static void tasks(void **state)
{
  (void)state;
  loops_in_turns(false);
}

static void resized(void **state)
{
  (void)state;
  loops_in_turns(true);
}

/* A plan with arrays of its own. */
typedef struct {
  cnnblas_conv_plan *plan;
  int direction;
  int64_t n;
  float *x, *w, *y, *bias;
} layer;

static float *zeros(int64_t count)
{
  float *array = calloc((size_t)count, sizeof *array);
  assert_non_null(array);
  return array;
}

static layer make_layer(const cnnblas_conv_desc *desc, int direction, const char *algorithm)
{
  cnnblas_conv_options options = {.algorithm = algorithm, .threads = THREADS};
  cnnblas_conv_shape shape;
  layer l = {.direction = direction, .n = desc->n};
  ASSERT_OK(cnnblas_conv_get_shape(desc, &shape));
  ASSERT_OK(cnnblas_conv_plan_create(desc, (cnnblas_conv_direction)direction, &options, &l.plan));
  assert_int_equal(cnnblas_conv_plan_threads(l.plan), THREADS);
  l.x = zeros(shape.x_elements);
  l.w = zeros(shape.w_elements);
  l.y = zeros(shape.y_elements);
  l.bias = zeros(desc->k);
  return l;
}

static void free_layer(layer *l)
{
  cnnblas_conv_plan_destroy(l->plan);
  free(l->x);
  free(l->w);
  free(l->y);
  free(l->bias);
}

/* Tasks of a call, as the plan describes itself. */
static long tasks_of(const layer *l)
{
  char text[4096];
  ASSERT_OK(cnnblas_conv_plan_describe(l->plan, text, sizeof text, NULL));
  const char *line = strstr(text, "\ntasks: ");
  assert_non_null(line);
  return strtol(line + strlen("\ntasks: "), NULL, 10);
}

static void execute(const layer *l)
{
  if (l->direction == CNNBLAS_FORWARD)
    ASSERT_OK(cnnblas_conv_forward(l->plan, l->n, l->x, l->w, NULL, l->y, NULL, 0));
  else if (l->direction == CNNBLAS_BACKWARD_DATA)
    ASSERT_OK(cnnblas_conv_backward_data(l->plan, l->n, l->y, l->w, l->x, NULL, 0));
  else
    ASSERT_OK(cnnblas_conv_backward_weights(l->plan, l->n, l->x, l->y, l->w, l->bias, NULL, 0));
}

/* A task of REFERENCE is a plane of the output. Each call has enough to do to be given threads. */
static void plans(void **state)
{
  (void)state;
  static const cnnblas_conv_desc planes[KINDS] = {
      {.n = 2, .c = 4, .k = 1, .size = {30, 30}, .kernel = {3, 3}},
      {.n = 7, .c = 4, .k = 1, .size = {18, 18}, .kernel = {3, 3}},
      {.n = 1000, .c = 8, .k = 1, .size = {3, 3}, .kernel = {3, 3}},
  };
  static const cnnblas_conv_desc ordinary[] = {
      {.n = 1, .c = 16, .k = 16, .size = {14, 14}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
      {.n = 8, .c = 3, .k = 32, .size = {28, 28}, .kernel = {5, 5}, .stride = {2, 2}},
      {.n = 4, .c = 64, .k = 32, .size = {14, 14}, .kernel = {1, 1}},
      {.n = 2, .c = 32, .k = 32, .size = {20, 20}, .kernel = {3, 3}, .groups = 32},
  };
  enum { ORDINARY = sizeof ordinary / sizeof *ordinary };
  layer alternating[KINDS], chosen[ORDINARY][DIRECTIONS];
  for (int i = 0; i < KINDS; i++) {
    alternating[i] = make_layer(&planes[i], CNNBLAS_FORWARD, REFERENCE);
    assert_int_equal(tasks_of(&alternating[i]), task_counts[i]);
  }
  for (int i = 0; i < ORDINARY; i++)
    for (int direction = 0; direction < DIRECTIONS; direction++) {
      chosen[i][direction] = make_layer(&ordinary[i], direction, NULL);
      printf("%s %s: %ld tasks\n", cnnblas_conv_plan_algorithm(chosen[i][direction].plan),
             cnnblas_conv_direction_name((cnnblas_conv_direction)direction), tasks_of(&chosen[i][direction]));
    }
  for (int turn = 0; turn < TURNS; turn++)
    for (int i = 0; i < KINDS; i++) execute(&alternating[i]);
  for (int turn = 0; turn < TURNS / 50; turn++)
    for (int i = 0; i < ORDINARY; i++)
      for (int direction = 0; direction < DIRECTIONS; direction++) execute(&chosen[i][direction]);
  for (int i = 0; i < KINDS; i++) free_layer(&alternating[i]);
  for (int i = 0; i < ORDINARY; i++)
    for (int direction = 0; direction < DIRECTIONS; direction++) free_layer(&chosen[i][direction]);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(tasks), cmocka_unit_test(plans), cmocka_unit_test(resized)};
  for (size_t i = 0; argc == 2 && i < sizeof tests / sizeof *tests; i++)
    if (!strcmp(argv[1], tests[i].name)) return _cmocka_run_group_tests("teams", &tests[i], 1, NULL, NULL);
  fputs("usage: teams tasks|plans|resized\n", stderr);
  return 2;
}
