/*
 * How the layers cut their work: a small call stays on the calling thread, a large one is cut for every thread of a large
 * team. A watch sees the regions; what they compute is the layers' tests' matter.
 */
#include "base/parallel.h"
#include "support/harness.h"
#include <cnnblas/layers.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 64, TASKS_A_THREAD = 4 };

/* Regions of more than one thread, and the tasks of the last of them. */
typedef struct {
  int teams, threads;
  int64_t tasks;
} seen;

static void see_region(void *context, int threads)
{
  seen *s = context;
  s->threads = threads;
  s->teams += threads > 1;
}

static void see_loop(void *context, const cb_loop *loop)
{
  seen *s = context;
  if (s->threads > 1) s->tasks = loop->tasks;
  for (int64_t task = 0; task < loop->tasks; task++) loop->run(loop->context, task, 0);
}

typedef void layer_call(bool large, float *a, float *b, float *c);

static void relu(bool large, float *a, float *b, float *c)
{
  (void)c;
  const cnnblas_activation_desc d = {.threads = THREADS, .function.kind = CNNBLAS_RELU};
  ASSERT_OK(cnnblas_activation_forward(&d, large ? 1 << 22 : 1 << 12, a, b));
}

static void tanh_gradient(bool large, float *a, float *b, float *c)
{
  const cnnblas_activation_desc d = {.threads = THREADS, .function.kind = CNNBLAS_TANH};
  ASSERT_OK(cnnblas_activation_backward(&d, large ? 1 << 22 : 1 << 12, NULL, a, b, c));
}

static void sgd(bool large, float *a, float *b, float *c)
{
  const cnnblas_sgd_desc d = {.lr = 0.1, .momentum = 0.9, .threads = THREADS};
  ASSERT_OK(cnnblas_sgd_step(&d, large ? 1 << 22 : 1 << 13, a, b, c));
}

static void initial_weights(bool large, float *a, float *b, float *c)
{
  (void)b, (void)c;
  const cnnblas_init_desc d = {.kind = CNNBLAS_INIT_HE, .fan_in = 9, .threads = THREADS};
  ASSERT_OK(cnnblas_init_fill(&d, large ? 1 << 18 : 400, a));
}

static cnnblas_pool_desc pool_desc(bool large)
{
  return (cnnblas_pool_desc){
      .kind = CNNBLAS_POOL_AVG, .n = large ? 64 : 1, .c = large ? 64 : 8, .size = {28, 28}, .kernel = {2, 2}};
}

static void pool(bool large, float *a, float *b, float *c)
{
  (void)c;
  cnnblas_pool_desc d = pool_desc(large);
  if (large) d.size[0] = d.size[1] = 40;
  d.threads = THREADS;
  ASSERT_OK(cnnblas_pool_forward(&d, d.n, a, b, NULL));
}

static void pool_gradient(bool large, float *a, float *b, float *c)
{
  (void)c;
  cnnblas_pool_desc d = pool_desc(large);
  if (large) d.size[0] = d.size[1] = 40;
  d.threads = THREADS;
  ASSERT_OK(cnnblas_pool_backward(&d, d.n, NULL, NULL, a, NULL, b));
}

static void softmax(bool large, float *a, float *b, float *c)
{
  (void)c;
  const cnnblas_loss_desc d = {.n = large ? 1024 : 64, .classes = large ? 1000 : 10, .threads = THREADS};
  ASSERT_OK(cnnblas_softmax_forward(&d, d.n, a, b));
}

static cnnblas_fc_desc fc_desc(bool large)
{
  return (cnnblas_fc_desc){
      .n = large ? 256 : 1, .in = large ? 2048 : 100, .out = large ? 1024 : 10, .threads = THREADS};
}

static void fc(bool large, float *a, float *b, float *c)
{
  const cnnblas_fc_desc d = fc_desc(large);
  ASSERT_OK(cnnblas_fc_forward(&d, d.n, a, b, NULL, NULL, c));
}

static void fc_backward_data(bool large, float *a, float *b, float *c)
{
  const cnnblas_fc_desc d = fc_desc(large);
  ASSERT_OK(cnnblas_fc_backward_data(&d, d.n, a, b, c));
}

static void fc_backward_weights(bool large, float *a, float *b, float *c)
{
  const cnnblas_fc_desc d = fc_desc(large);
  ASSERT_OK(cnnblas_fc_backward_weights(&d, d.n, a, b, c, NULL));
}

static void calls_are_cut_by_their_work(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    layer_call *call;
  } calls[] = {{"relu", relu},
               {"tanh gradient", tanh_gradient},
               {"sgd", sgd},
               {"initial weights", initial_weights},
               {"pool", pool},
               {"pool gradient", pool_gradient},
               {"softmax", softmax},
               {"fully connected", fc},
               {"fully connected, backward_data", fc_backward_data},
               {"fully connected, backward_weights", fc_backward_weights}};
  enum { ELEMENTS = 1 << 23 };
  float *a = calloc(ELEMENTS, sizeof *a), *b = calloc(ELEMENTS, sizeof *b), *c = calloc(ELEMENTS, sizeof *c);
  assert_true(a && b && c);
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    for (int large = 0; large < 2; large++) {
      seen s = {0};
      const cb_watch watch = {&s, see_region, see_loop};
      harness_doing("%s, %s", calls[i].name, large ? "large" : "small");
      cb_parallel_watch(&watch);
      calls[i].call(large, a, b, c);
      cb_parallel_watch(NULL);
      if (!large && s.teams) FAIL("a small call has %d regions of %d threads", s.teams, s.threads);
      if (large && (s.teams != 1 || s.threads != THREADS || s.tasks < TASKS_A_THREAD * THREADS))
        FAIL("%d regions, %d threads, %lld tasks", s.teams, s.threads, (long long)s.tasks);
      if (large) printf("%s: %lld tasks\n", calls[i].name, (long long)s.tasks);
    }
  free(a), free(b), free(c);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(calls_are_cut_by_their_work)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
