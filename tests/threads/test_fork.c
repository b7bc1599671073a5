/*
 * fork() while other threads are inside calls: the child's calls return, with the parent's bits, and its OpenBLAS has as
 * many threads as the parent's had before any call. A child that hangs hangs the test.
 */
#define _GNU_SOURCE
#include "support/harness.h"
#include "support/names.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 300, THREADS = 2, OUTPUTS = 2 * 8 * 12 * 12 };

static const cnnblas_conv_desc layer = {
    .n = 2, .c = 6, .k = 8, .size = {12, 12}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
static float x[2 * 6 * 12 * 12], w[8 * 6 * 9], want[OUTPUTS];
static cnnblas_wisdom *wisdom;
static atomic_bool done;
static atomic_long calls;

/* One convolution through OpenBLAS and one measured choice; not for assertions, for children run it too. */
static cnnblas_status run(float *y)
{
  cnnblas_conv_options options = {.algorithm = IM2COL, .threads = 1};
  cnnblas_conv_plan *plan = NULL;
  cnnblas_status status = cnnblas_conv_plan_create(&layer, CNNBLAS_FORWARD, &options, &plan);
  if (!status) status = cnnblas_conv_forward(plan, 2, x, w, NULL, y, NULL, 0);
  cnnblas_conv_plan_destroy(plan);
  if (!status && !cnnblas_wisdom_count(wisdom)) status = CNNBLAS_BAD_FORMAT;
  return status;
}

static void *keep_calling(void *context)
{
  static _Thread_local float y[OUTPUTS];
  (void)context;
  while (!atomic_load(&done)) {
    if (run(y)) abort();
    atomic_fetch_add(&calls, 1);
  }
  return NULL;
}

static int openblas_threads(void)
{
  cnnblas_system_info info;
  cnnblas_system_get_info(&info);
  return info.openblas_threads;
}

/* The child's exit status: 0 if all is as it should be. */
static int child(int threads)
{
  static float y[OUTPUTS];
  if (openblas_threads() != threads) return 3;
  for (int i = 0; i < 2; i++)
    if (run(y)) return 4;
  if (memcmp(y, want, sizeof y) != 0) return 5;
  return openblas_threads() == threads ? 0 : 6;
}

static void a_child_of_busy_threads_computes(void **state)
{
  (void)state;
  pthread_t thread[THREADS];
  cnnblas_conv_options measure = {.effort = CNNBLAS_MEASURE, .threads = 1};
  cnnblas_conv_plan *plan;
  for (size_t i = 0; i < sizeof x / sizeof *x; i++) x[i] = (float)(i % 17) / 16 - 0.5f;
  for (size_t i = 0; i < sizeof w / sizeof *w; i++) w[i] = (float)(i % 13) / 12 - 0.5f;
  ASSERT_OK(cnnblas_wisdom_create(&wisdom));
  measure.wisdom = wisdom;
  ASSERT_OK(cnnblas_conv_plan_create(&layer, CNNBLAS_FORWARD, &measure, &plan));
  cnnblas_conv_plan_destroy(plan);
  ASSERT_OK(run(want));
  int threads = openblas_threads();
  for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&thread[i], NULL, keep_calling, NULL), 0);
  for (int i = 0; i < FORKS; i++) {
    int status;
    harness_doing("fork %d", i);
    pid_t pid = fork();
    if (pid == 0) _exit(child(threads));
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) FAIL("fork %d: the child's status is %#x", i, (unsigned)status);
  }
  atomic_store(&done, true);
  for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
  printf("%d forks beside %ld calls; OpenBLAS has %d threads\n", FORKS, atomic_load(&calls), threads);
  assert_int_equal(openblas_threads(), threads);
  cnnblas_wisdom_destroy(wisdom);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_child_of_busy_threads_computes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
