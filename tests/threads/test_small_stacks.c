/*
 * A thread with the stack that conv.h names is enough for every algorithm and direction, and for the layers: what lies
 * beyond its end is a guard page.
 */
#include "support/harness.h"
#include <cnnblas/layers.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { STACK = 256 << 10, POOL_STACK = 64 << 10 /* layers.h */, MOST = 1 << 18 };

static const cnnblas_conv_desc shapes[] = {
    {.n = 2, .c = 32, .k = 48, .size = {28, 28}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 2, .c = 64, .k = 64, .size = {14, 14}, .kernel = {1, 1}},
    {.n = 2,
     .c = 3,
     .k = 16,
     .size = {56, 56},
     .kernel = {7, 7},
     .stride = {2, 2},
     .pad_begin = {3, 3},
     .pad_end = {3, 3}},
    {.n = 2,
     .c = 32,
     .k = 32,
     .groups = 32,
     .size = {28, 28},
     .kernel = {3, 3},
     .pad_begin = {1, 1},
     .pad_end = {1, 1}},
    {.n = 64, .c = 8, .k = 16, .size = {6, 6}, .kernel = {3, 3}},
    {.n = 2, .rank = 3, .c = 8, .k = 8, .size = {6, 12, 12}, .kernel = {3, 3, 3}}};

static float *a, *b, *c, *d;
static int32_t places[MOST];

/* The number of calls that failed otherwise than by not applying. */
static int convolve(const cnnblas_conv_desc *shape, cnnblas_dtype dtype)
{
  int bad = 0;
  for (int i = 0; cnnblas_conv_algorithm_name(i); i++)
    for (int direction = 0; direction < 3; direction++) {
      cnnblas_conv_desc desc = *shape;
      cnnblas_conv_options o = {.algorithm = cnnblas_conv_algorithm_name(i), .threads = 1};
      cnnblas_conv_plan *plan = NULL;
      desc.dtype = dtype;
      cnnblas_status status = cnnblas_conv_plan_create(&desc, (cnnblas_conv_direction)direction, &o, &plan);
      if (status == CNNBLAS_UNSUPPORTED) continue;
      if (!status && direction == CNNBLAS_FORWARD) status = cnnblas_conv_forward(plan, desc.n, a, b, NULL, c, NULL, 0);
      if (!status && direction == CNNBLAS_BACKWARD_DATA)
        status = cnnblas_conv_backward_data(plan, desc.n, c, b, a, NULL, 0);
      if (!status && direction == CNNBLAS_BACKWARD_WEIGHTS)
        status = cnnblas_conv_backward_weights(plan, desc.n, a, c, b, NULL, NULL, 0);
      bad += status != CNNBLAS_OK;
      cnnblas_conv_plan_destroy(plan);
    }
  return bad;
}

static int run_layers(cnnblas_dtype dtype)
{
  int bad = 0;
  cnnblas_fc_desc fc = {.dtype = dtype, .n = 64, .in = 300, .out = 200, .threads = 1};
  bad += cnnblas_fc_forward(&fc, 64, a, b, NULL, NULL, c) != CNNBLAS_OK;
  bad += cnnblas_fc_backward_data(&fc, 64, c, b, a) != CNNBLAS_OK;
  bad += cnnblas_fc_backward_weights(&fc, 64, a, c, b, NULL) != CNNBLAS_OK;
  return bad;
}

/* Every family of loops: common windows, any others, long and adaptive ones, whole channels. */
static int run_pooling(cnnblas_dtype dtype)
{
  static const int64_t windows[][4] = {/* kernel, stride, dilation, output */
                                       {2, 2, 1, 0},  {3, 1, 1, 0},  {3, 2, 1, 0}, {5, 3, 1, 0},
                                       {21, 2, 2, 0}, {60, 1, 1, 0}, {0, 0, 0, 7}, {0, 0, 0, 20}};
  int bad = 0;
  for (int kind = 0; kind < 3; kind++)
    for (int w = 0; w < 8; w++) {
      cnnblas_pool_desc pool = {.dtype = dtype, .kind = (cnnblas_pool_kind)kind, .n = 2, .c = 4, .threads = 1};
      for (int axis = 0; axis < 2; axis++) {
        pool.size[axis] = 60, pool.kernel[axis] = windows[w][0], pool.stride[axis] = windows[w][1];
        pool.dilation[axis] = windows[w][2], pool.output[axis] = windows[w][3];
      }
      bad += cnnblas_pool_forward(&pool, 2, a, c, kind ? NULL : places) != CNNBLAS_OK;
      bad += cnnblas_pool_backward(&pool, 2, a, c, b, kind ? NULL : places, d) != CNNBLAS_OK;
    }
  return bad;
}

/* Pooling of zeros, and of NaN, whose channels are done again by the loops of any window. */
static void *pool_all(void *bad)
{
  for (int nan = 0; nan < 2; nan++) {
    memset(a, nan ? 0xff : 0, MOST * sizeof(double));
    for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++) *(int *)bad += run_pooling((cnnblas_dtype)dtype);
  }
  memset(a, 0, MOST * sizeof(double));
  return NULL;
}

static void *run_all(void *bad)
{
  for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++) {
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
      *(int *)bad += convolve(&shapes[i], (cnnblas_dtype)dtype);
    *(int *)bad += run_layers((cnnblas_dtype)dtype);
  }
  return NULL;
}

static void *nothing(void *bad)
{
  return bad;
}

/* Runs a thread on a stack of painted memory; returns how many bytes from the stack's top on have lost their paint. */
static size_t stack_of(void *(*run)(void *), int *bad)
{
  static _Alignas(4096) unsigned char stack[STACK];
  pthread_t thread;
  pthread_attr_t attributes;
  size_t painted = 0;
  memset(stack, 0xa5, sizeof stack);
  pthread_attr_init(&attributes);
  assert_int_equal(pthread_attr_setstack(&attributes, stack, sizeof stack), 0);
  assert_int_equal(pthread_create(&thread, &attributes, run, bad), 0);
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
  while (painted < sizeof stack && stack[painted] == 0xa5) painted++;
  return sizeof stack - painted;
}

static void the_stated_stack_is_enough(void **state)
{
  (void)state;
  pthread_t thread;
  pthread_attr_t attributes;
  int bad = 0;
  a = calloc(MOST, sizeof(double)), b = calloc(MOST, sizeof(double)), c = calloc(MOST, sizeof(double));
  d = calloc(MOST, sizeof(double));
  assert_true(a && b && c && d);
  pthread_attr_init(&attributes);
  assert_int_equal(pthread_attr_setstacksize(&attributes, STACK), 0);
  assert_int_equal(pthread_create(&thread, &attributes, run_all, &bad), 0);
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
  assert_int_equal(bad, 0);
  size_t least = stack_of(nothing, &bad), pooling = stack_of(pool_all, &bad) - least;
  print_message("pooling takes %zu bytes of stack\n", pooling);
  assert_true(bad == 0 && pooling < POOL_STACK);
  free(a), free(b), free(c), free(d);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_stated_stack_is_enough)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
