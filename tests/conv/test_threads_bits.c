/*
 * The bits of a result do not depend on the number of threads, nor on what else runs: every algorithm on 1, 2, 3, 4 and 8
 * threads, the automatic choice on 16 and 64 too, on shapes that give every thread a task where the work is worth it, and
 * one plan executed by 8 threads of the application at once.
 */
#include "support/names.h"
#include "support/rig.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Shapes whose work must split into a task for each of 8 threads in every direction, a batch of 1 among them. */
static const cnnblas_conv_desc shapes[] = {
    {.n = 1, .c = 64, .k = 160, .size = {14, 14}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 1,
     .c = 64,
     .k = 160,
     .size = {22, 22},
     .kernel = {3, 3},
     .stride = {2, 2},
     .pad_begin = {1, 1},
     .pad_end = {1, 1}},
    {.n = 1, .c = 130, .k = 300, .size = {7, 7}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 1, .c = 256, .k = 256, .size = {14, 14}, .kernel = {1, 1}},
    {.n = 8, .c = 100, .k = 70, .size = {7, 7}, .kernel = {1, 1}},
    {.n = 8, .c = 128, .k = 64, .size = {20, 20}, .kernel = {1, 1}, .stride = {2, 2}},
    {.n = 8,
     .c = 3,
     .k = 32,
     .size = {28, 28},
     .kernel = {7, 7},
     .stride = {2, 2},
     .pad_begin = {3, 3},
     .pad_end = {3, 3}},
    {.n = 2,
     .c = 32,
     .k = 32,
     .groups = 32,
     .size = {56, 56},
     .kernel = {3, 3},
     .pad_begin = {1, 1},
     .pad_end = {1, 1}},
    {.n = 2, .c = 64, .k = 64, .groups = 8, .size = {14, 14}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 8, .rank = 1, .c = 24, .k = 32, .size = {300}, .kernel = {9}, .dilation = {2}},
    {.n = 8, .rank = 3, .c = 6, .k = 16, .size = {5, 9, 9}, .kernel = {3, 3, 3}, .mode = CNNBLAS_TRUE_CONVOLUTION},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static rig arrays;
static uint64_t seed;
static long too_few; /* plans with fewer tasks than threads */

/* The number behind "tasks: " in the plan's description. */
static long tasks_of(const cnnblas_conv_plan *plan)
{
  char text[4096];
  ASSERT_OK(cnnblas_conv_plan_describe(plan, text, sizeof text, NULL));
  const char *line = strstr(text, "\ntasks: ");
  if (!line) FAIL("the description has no line \"tasks: N\":\n%s", text);
  return strtol(line + 8, NULL, 10);
}

/* A row of one thread has one task; everything else must split, into tasks of at most as many multiply-adds as its row says. */
static void check_tasks(const cnnblas_conv_plan *plan, const problem *p, int32_t threads)
{
  const cnnblas_algorithm_info row = algorithm_info(cnnblas_conv_plan_algorithm(plan));
  long tasks = tasks_of(plan);
  if (tasks >= threads || (double)tasks >= problem_macs(p) / row.task_macs || row.one_thread) return;
  print_error("%ld tasks for %d threads\n  while: %s\n", tasks, threads, harness_line());
  too_few++;
}

/* A plan on so many threads, executed; the result is left in the rig. False if the algorithm does not apply. */
static bool run(const problem *p, cnnblas_conv_direction d, variant *v, int32_t threads)
{
  v->threads = threads;
  cnnblas_conv_plan *plan = rig_plan(p, d, v);
  if (!plan) return false;
  assert_int_equal(cnnblas_conv_plan_threads(plan), threads);
  if (v->policy != CNNBLAS_WORKSPACE_LIMIT) check_tasks(plan, p, threads); /* a limit cuts for one thread */
  rig_execute(&arrays, p, d, p->n, v, plan);
  cnnblas_conv_plan_destroy(plan);
  return true;
}

static bool check_bits(const problem *p, cnnblas_conv_direction d, variant *v)
{
  static const int32_t more[] = {2, 3, 4, 8, 16, 64};
  enum { EVERY = 4 /* numbers of threads for algorithms by name: a plan of 64 makes and ends them all */ };
  const size_t counts = v->algorithm ? EVERY : sizeof more / sizeof *more;
  if (!run(p, d, v, 1)) return false;
  size_t bytes = arrays.out.bytes, db_bytes = arrays.db.bytes;
  char *first = malloc(bytes), *first_db = malloc(db_bytes);
  assert_true(first && first_db);
  memcpy(first, arrays.out.data, bytes);
  memcpy(first_db, arrays.db.data, db_bytes);
  for (size_t i = 0; i < counts; i++) {
    run(p, d, v, more[i]);
    if (memcmp(first, arrays.out.data, bytes) != 0) FAIL("%d threads give other bits than 1", (int)more[i]);
    if (v->db && memcmp(first_db, arrays.db.data, db_bytes) != 0)
      FAIL("%d threads give other bits of the bias gradient than 1", (int)more[i]);
  }
  free(first), free(first_db);
  return true;
}

/* The plain loops take their time; a few of the shapes will do for them. */
static bool too_slow(const problem *p, const char *algorithm)
{
  return algorithm_info(algorithm).by_name_only && problem_macs(p) > 6e6;
}

static void test_bits(void **state)
{
  (void)state;
  long done = 0;
  for (int s = 0; s < SHAPES; s++)
    for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++)
      for (int d = 0; d < DIRECTIONS; d++)
        for (int a = 0; a <= algorithm_count(); a++) {
          problem p = {.desc = shapes[s]};
          p.desc.dtype = (cnnblas_dtype)dtype;
          problem_finish(&p);
          rng r = rng_at(seed, (uint64_t)s);
          variant v = {.algorithm = cnnblas_conv_algorithm_name(a), .db = d == CNNBLAS_BACKWARD_WEIGHTS};
          if (too_slow(&p, v.algorithm)) continue;
          char text[PROBLEM_TEXT];
          problem_text(&p, text);
          harness_doing("bits: %s | %s | %s", text, cnnblas_conv_direction_name((cnnblas_conv_direction)d),
                        v.algorithm ? v.algorithm : "auto");
          rig_fill(&arrays, &p, &r, false, AGAINST_END);
          done += check_bits(&p, (cnnblas_conv_direction)d, &v);
          if (v.algorithm) continue;
          v.policy = CNNBLAS_WORKSPACE_LIMIT; /* other bits than without, but the same on all */
          v.limit = (size_t)256 << 10;
          done += check_bits(&p, (cnnblas_conv_direction)d, &v);
        }
  printf("bits on 1, 2, 3, 4 and 8 threads, or up to 64: %ld cases\n", done);
  assert_int_equal(too_few, 0);
  assert_true(done > 0);
}

static void doing_far_rows(const problem *p, const char *algorithm)
{
  char text[PROBLEM_TEXT];
  problem_text(p, text);
  harness_doing("far rows: %s | %s", text, algorithm);
}

/* The orientations of implicit_gemm on one problem: exact on integers, whose expected sums are the same for all, and the same bits
   of reals on any threads. Returns how many apply. */
static long check_far_rows(const problem *p, size_t number)
{
  static oracle want, want_db;
  const char *taken[64];
  long count = 0;
  rng r = rng_at(seed, 900 + (uint64_t)number);
  rig_fill(&arrays, p, &r, true, AGAINST_END);
  for (int a = 0; a < algorithm_count(); a++) {
    variant v = {.algorithm = cnnblas_conv_algorithm_name(a)};
    if (strncmp(v.algorithm, IMPLICIT_GEMM, strlen(IMPLICIT_GEMM)) != 0) continue;
    doing_far_rows(p, v.algorithm);
    if (!rig_run(&arrays, p, CNNBLAS_BACKWARD_WEIGHTS, p->n, &v)) continue;
    if (count == 0) rig_expect(&arrays, p, CNNBLAS_BACKWARD_WEIGHTS, p->n, &v, &want, &want_db);
    rig_check(&arrays, &v, &want, &want_db, true, "the gradient of far rows");
    assert_true(count < (long)(sizeof taken / sizeof *taken));
    taken[count++] = v.algorithm;
  }
  rig_fill(&arrays, p, &r, false, AGAINST_END);
  for (long i = 0; i < count; i++) {
    variant v = {.algorithm = taken[i]};
    doing_far_rows(p, v.algorithm);
    assert_true(check_bits(p, CNNBLAS_BACKWARD_WEIGHTS, &v));
  }
  return count;
}

/* Weight gradients of 1x1 filters whose rows lie far from the core, over 4 MiB: some levels pack them, on jobs of several
   panels. Blocks of several images, of part of one, gathered by a stride; groups; more panels at f64 than are kept packed. */
static void test_far_rows(void **state)
{
  (void)state;
  static const cnnblas_conv_desc far_shapes[] = {
      {.n = 26, .c = 900, .k = 67, .size = {7, 7}, .kernel = {1, 1}},
      {.n = 2, .c = 61, .k = 70, .size = {98, 99}, .kernel = {1, 1}},
      {.n = 3, .c = 500, .k = 270, .size = {27, 29}, .kernel = {1, 1}, .stride = {2, 2}},
      {.n = 2, .c = 122, .k = 140, .groups = 2, .size = {98, 99}, .kernel = {1, 1}},
      {.n = 1, .c = 60, .k = 460, .size = {96, 97}, .kernel = {1, 1}},
  };
  long done = 0;
  for (size_t s = 0; s < sizeof far_shapes / sizeof *far_shapes; s++)
    for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++) {
      problem p = {.desc = far_shapes[s]};
      p.desc.dtype = (cnnblas_dtype)dtype;
      problem_finish(&p);
      done += check_far_rows(&p, s);
    }
  printf("far rows: %ld cases\n", done);
  assert_true(done > 0);
}

/* Scales an input so far down that its products underflow, to zeros of either sign. */
static void shrink(guarded *array)
{
  guarded_protect(array, false);
  for (size_t i = 0; i < array->bytes / sizeof(float); i++) ((float *)array->data)[i] *= 1e-30f;
  guarded_protect(array, true);
}

/* Where every product underflows the sign of a zero sum could tell which products with the padding were left out. */
static void test_signs_of_zeros(void **state)
{
  (void)state;
  long done = 0;
  for (int s = 0; s < SHAPES; s++)
    for (int d = 0; d < DIRECTIONS; d++) {
      problem p = {.desc = shapes[s]};
      problem_finish(&p);
      rng r = rng_at(seed, 500 + (uint64_t)s);
      variant v = {.algorithm = IMPLICIT_GEMM};
      char text[PROBLEM_TEXT];
      problem_text(&p, text);
      harness_doing("signs of zeros: %s | %s", text, cnnblas_conv_direction_name((cnnblas_conv_direction)d));
      rig_fill(&arrays, &p, &r, false, AGAINST_END);
      shrink(&arrays.x), shrink(&arrays.w), shrink(&arrays.y);
      done += check_bits(&p, (cnnblas_conv_direction)d, &v);
    }
  printf("signs of zeros on 1, 2, 3, 4 and 8 threads: %ld cases\n", done);
  assert_true(done > 0);
}

/* The automatic choice and the workspace a thread do not look at the number of threads. */
static void test_choice_ignores_threads(void **state)
{
  (void)state;
  for (int s = 0; s < SHAPES; s++)
    for (int d = 0; d < DIRECTIONS; d++) {
      problem p = {.desc = shapes[s]};
      problem_finish(&p);
      const char *first = NULL;
      for (int32_t threads = 1; threads <= 8; threads++) {
        variant v = {.threads = threads};
        cnnblas_conv_plan *plan = rig_plan(&p, (cnnblas_conv_direction)d, &v);
        if (!first) first = cnnblas_conv_plan_algorithm(plan);
        assert_string_equal(cnnblas_conv_plan_algorithm(plan), first);
        cnnblas_conv_plan_destroy(plan);
      }
    }
}

/* One of the application's threads: executes the plan a few times into an output of its own. */
typedef struct {
  const problem *p;
  const cnnblas_conv_plan *plan;
  cnnblas_conv_direction direction;
  const char *want;
  size_t bytes;
  int rounds;
  bool own_workspace;
  int wrong, failed;
} worker;

/* Calls of fast rows overlap only if there are several; the plain loops take long enough for one. */
enum { WORKERS = 8, ROUNDS = 4, ROUNDS_OF_PLAIN_LOOPS = 1 };

static void *work(void *context)
{
  worker *w = context;
  size_t workspace_bytes = cnnblas_conv_plan_workspace(w->plan);
  char *out = malloc(w->bytes), *workspace = w->own_workspace && workspace_bytes ? malloc(workspace_bytes) : NULL;
  for (int i = 0; i < w->rounds && out; i++) {
    memset(out, 0xff, w->bytes);
    cnnblas_status status;
    size_t given = workspace ? workspace_bytes : 0;
    if (w->direction == CNNBLAS_FORWARD)
      status = cnnblas_conv_forward(w->plan, w->p->n, arrays.x.data, arrays.w.data, NULL, out, workspace, given);
    else if (w->direction == CNNBLAS_BACKWARD_DATA)
      status = cnnblas_conv_backward_data(w->plan, w->p->n, arrays.y.data, arrays.w.data, out, workspace, given);
    else
      status =
          cnnblas_conv_backward_weights(w->plan, w->p->n, arrays.x.data, arrays.y.data, out, NULL, workspace, given);
    w->failed += status != CNNBLAS_OK;
    w->wrong += memcmp(out, w->want, w->bytes) != 0;
  }
  w->failed += !out;
  free(out);
  free(workspace);
  return NULL;
}

static void run_workers(const problem *p, cnnblas_conv_direction d, const cnnblas_conv_plan *plan, const char *want,
                        size_t bytes)
{
  const bool plain = algorithm_info(cnnblas_conv_plan_algorithm(plan)).by_name_only;
  const int rounds = plain ? ROUNDS_OF_PLAIN_LOOPS : ROUNDS;
  worker workers[WORKERS];
  pthread_t threads[WORKERS];
  for (int i = 0; i < WORKERS; i++) {
    workers[i] = (worker){p, plan, d, want, bytes, rounds, i % 2 == 0, 0, 0};
    assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  }
  int wrong = 0, failed = 0;
  for (int i = 0; i < WORKERS; i++) {
    pthread_join(threads[i], NULL);
    wrong += workers[i].wrong;
    failed += workers[i].failed;
  }
  if (failed || wrong) FAIL("of %d calls %d failed and %d gave other bits", WORKERS * rounds, failed, wrong);
}

static void test_one_plan_in_eight_threads(void **state)
{
  (void)state;
  long done = 0;
  for (int s = 0; s < SHAPES; s += 2)
    for (int d = 0; d < DIRECTIONS; d++)
      for (int a = 0; a <= algorithm_count(); a++) {
        problem p = {.desc = shapes[s]};
        problem_finish(&p);
        rng r = rng_at(seed, (uint64_t)s);
        variant v = {.algorithm = cnnblas_conv_algorithm_name(a), .threads = 2};
        if (too_slow(&p, v.algorithm)) continue;
        char text[PROBLEM_TEXT];
        problem_text(&p, text);
        harness_doing("eight threads: %s | %s | %s", text, cnnblas_conv_direction_name((cnnblas_conv_direction)d),
                      v.algorithm ? v.algorithm : "auto");
        rig_fill(&arrays, &p, &r, false, AGAINST_END);
        cnnblas_conv_plan *plan = rig_plan(&p, (cnnblas_conv_direction)d, &v);
        if (!plan) continue;
        rig_execute(&arrays, &p, (cnnblas_conv_direction)d, p.n, &v, plan);
        run_workers(&p, (cnnblas_conv_direction)d, plan, arrays.out.data, arrays.out.bytes);
        cnnblas_conv_plan_destroy(plan);
        done++;
      }
  printf("one plan executed by %d threads at once: %ld cases\n", WORKERS, done);
  assert_true(done > 0);
}

static int close_arrays(void **state)
{
  (void)state;
  rig_free(&arrays);
  return 0;
}

int main(void)
{
  seed = rng_seed(1234);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bits),
      cmocka_unit_test(test_far_rows),
      cmocka_unit_test(test_signs_of_zeros),
      cmocka_unit_test(test_choice_ignores_threads),
      cmocka_unit_test(test_one_plan_in_eight_threads),
  };
  return cmocka_run_group_tests(tests, NULL, close_arrays);
}
