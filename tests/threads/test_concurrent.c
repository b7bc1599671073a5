/*
 * 16 threads of the application and 1,000 calls each, mixed: any problem, direction and algorithm, plans shared by all
 * threads or made for the call, on one thread or two of the library's own. Every result has the hash that it has alone.
 *
 *   test_concurrent [--calls N]     1,000 if not said
 *   test_concurrent --racy          two threads write one output, which a race detector must report
 */
#include "support/harness.h"
#include "support/names.h"
#include "support/problem.h"
#include "support/samples.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 16, MOST_CASES = 1200, MOST_ELEMENTS = 1 << 16 };

/* A problem, direction and algorithm that go together, their shared plan, and the output's hash. */
typedef struct {
  problem p;
  cnnblas_conv_direction direction;
  const char *algorithm;
  cnnblas_conv_plan *plan;
  uint64_t hash;
} call;

static call cases[MOST_CASES];
static int case_count;
static double numbers[MOST_ELEMENTS]; /* the inputs of all calls; as float, every other bit pattern is small too */
static float small_numbers[MOST_ELEMENTS];
static int64_t calls = 1000;
static atomic_long wrong;

static cnnblas_conv_plan *make(const call *c, int32_t threads)
{
  const cnnblas_conv_options options = {.algorithm = c->algorithm, .threads = threads};
  cnnblas_conv_plan *plan = NULL;
  return cnnblas_conv_plan_create(&c->p.desc, c->direction, &options, &plan) == CNNBLAS_OK ? plan : NULL;
}

/* Runs a case into out and returns the output's hash (FNV-1a), 0 for an error. */
static uint64_t run(const call *c, const cnnblas_conv_plan *plan, void *out)
{
  const void *in = c->p.desc.dtype == CNNBLAS_F64 ? (const void *)numbers : small_numbers;
  const int64_t n = c->p.n;
  cnnblas_status status = c->direction == CNNBLAS_FORWARD ? cnnblas_conv_forward(plan, n, in, in, NULL, out, NULL, 0)
                          : c->direction == CNNBLAS_BACKWARD_DATA
                              ? cnnblas_conv_backward_data(plan, n, in, in, out, NULL, 0)
                              : cnnblas_conv_backward_weights(plan, n, in, in, out, NULL, NULL, 0);
  if (status != CNNBLAS_OK) return 0;
  const uint8_t *byte = out;
  uint64_t hash = 14695981039346656037u;
  for (size_t left = (size_t)problem_outputs(&c->p, c->direction, n) * c->p.element; left > 0; left--)
    hash = (hash ^ *byte++) * 1099511628211u;
  return hash;
}

/* Keeps what applies; its hash alone, on one thread. */
static bool collect(const problem *p, cnnblas_conv_direction direction, const char *algorithm)
{
  call *c = &cases[case_count];
  if (case_count == MOST_CASES || p->x_elements > MOST_ELEMENTS || p->w_elements > MOST_ELEMENTS ||
      p->y_elements > MOST_ELEMENTS)
    return false;
  *c = (call){.p = *p, .direction = direction, .algorithm = algorithm};
  cnnblas_conv_plan *alone = make(c, 1);
  if (!alone) return false;
  double *out = malloc(MOST_ELEMENTS * sizeof *out);
  assert_non_null(out);
  c->hash = run(c, alone, out);
  free(out);
  cnnblas_conv_plan_destroy(alone);
  assert_true(c->hash != 0);
  assert_non_null(c->plan = make(c, 2));
  case_count++;
  return true;
}

static void *work(void *argument)
{
  const uint64_t me = (uint64_t)(uintptr_t)argument;
  double *out = malloc(MOST_ELEMENTS * sizeof *out);
  for (int64_t i = 0; out && i < calls; i++) {
    rng r = rng_at(41 + me, (uint64_t)i);
    const call *c = &cases[rng_range(&r, 0, case_count - 1)];
    cnnblas_conv_plan *own = rng_chance(&r, 30) ? make(c, (int32_t)rng_range(&r, 1, 2)) : NULL;
    if (run(c, own ? own : c->plan, out) != c->hash) wrong++;
    cnnblas_conv_plan_destroy(own);
  }
  if (!out) wrong++;
  free(out);
  return NULL;
}

static void sixteen_threads_of_mixed_calls(void **state)
{
  (void)state;
  pthread_t threads[THREADS];
  for (int i = 0; i < MOST_ELEMENTS; i++) {
    rng r = rng_at(7, (uint64_t)i);
    numbers[i] = rng_real(&r);
    small_numbers[i] = (float)numbers[i];
  }
  samples_run("collected", EVERY_DIRECTION, collect);
  assert_true(case_count > 100);
  for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i), 0);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  printf("%d cases, %d threads of %lld calls each, %ld wrong\n", case_count, THREADS, (long long)calls, (long)wrong);
  assert_int_equal(wrong, 0);
  for (int i = 0; i < case_count; i++) cnnblas_conv_plan_destroy(cases[i].plan);
}

/* ---- the control ---- */

static float shared[32 * 32];

static void *write_shared(void *argument)
{
  for (int i = 0; i < 200; i++) cnnblas_conv_forward(argument, 1, small_numbers, small_numbers, NULL, shared, NULL, 0);
  return NULL;
}

static int race(void)
{
  const cnnblas_conv_desc desc = {
      .n = 1, .c = 3, .k = 1, .size = {32, 32}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
  const cnnblas_conv_options options = {.threads = 1, .algorithm = IMPLICIT_GEMM};
  cnnblas_conv_plan *plan;
  pthread_t threads[2];
  if (cnnblas_conv_plan_create(&desc, CNNBLAS_FORWARD, &options, &plan)) return 3;
  for (int i = 0; i < 2; i++)
    if (pthread_create(&threads[i], NULL, write_shared, plan)) return 3;
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  cnnblas_conv_plan_destroy(plan);
  return 0;
}

int main(int argc, char **argv)
{
  if (argc == 2 && strcmp(argv[1], "--racy") == 0) return race();
  if (argc == 3 && strcmp(argv[1], "--calls") == 0) calls = atoll(argv[2]);
  const struct CMUnitTest tests[] = {cmocka_unit_test(sixteen_threads_of_mixed_calls)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
