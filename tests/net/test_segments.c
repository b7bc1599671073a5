/*
 * Weight gradients by segments of the batch: those of the whole but for rounding, on any number of threads, and the same bits
 * where halves of the batch are summed by other networks and joined afterwards.
 */
#include "check.h"
#include <cnnblas/net.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BATCH = 24, PIXELS = 2 * 8 * 8 };
static const char network[] = "INPUT 2x8x8 -> CONV 5@3x3 pad 1 bias -> TANH -> ADD[ CONV 5@3x3 pad 1 groups 5 -> RELU "
                              "| ] -> CAT[ POOL max 2 -> TCONV "
                              "3@2x2 stride 2 bias | ] -> CONV 4@3x3 stride 2 -> RELU -> FC 7 -> RELU -> FC 3";
static const char normalised[] =
    "INPUT 2x8x8 -> CONV 5@3x3 pad 1 -> BN -> RELU -> ADD[ CONV 5@3x3 pad 1 -> BN | ] -> RELU -> GPOOL avg -> FC 3";

static cnnblas_net *make(const char *text, int64_t batch, int32_t segments, int32_t threads, cnnblas_dtype dtype)
{
  cnnblas_net_options o = {.batch = batch, .segments = segments, .threads = threads, .seed = 7, .dtype = dtype};
  cnnblas_net *net;
  ASSERT_OK(cnnblas_net_create(text, &o, &net));
  return net;
}

static void find_gradient(cnnblas_net *net, int64_t n, const void *images, int64_t first)
{
  int32_t labels[MOST_BATCH];
  for (int64_t i = 0; i < n; i++) labels[i] = (int32_t)((first + i) % 3);
  cnnblas_net_step step = {.n = n, .images = images, .labels = labels};
  ASSERT_OK(cnnblas_net_gradient(net, &step, NULL));
}

static cnnblas_net_tensor tensor_of(const cnnblas_net *net, int64_t t)
{
  cnnblas_net_tensor tensor;
  ASSERT_OK(cnnblas_net_get_tensor(net, t, &tensor));
  return tensor;
}

static int64_t trained(const cnnblas_net *net)
{
  cnnblas_net_info info;
  int64_t count = 0;
  ASSERT_OK(cnnblas_net_get_info(net, &info));
  while (count < info.tensors && tensor_of(net, count).trained) count++;
  return count;
}

static void segments_change_rounding_alone(void **state)
{
  (void)state;
  static const char *const texts[] = {network, normalised};
  double *x = check_reals(3, MOST_BATCH * PIXELS);
  for (int which = 0; which < 2; which++)
    for (int64_t n = 1; n <= MOST_BATCH; n += 5) {
      cnnblas_net *whole = make(texts[which], MOST_BATCH, 0, 2, CNNBLAS_F64);
      find_gradient(whole, n, x, 0);
      for (int32_t segments = 2; segments <= 64; segments *= 2) {
        cnnblas_net *cut = make(texts[which], MOST_BATCH, segments, 2, CNNBLAS_F64);
        harness_doing("%d segments of %d images", (int)segments, (int)n);
        find_gradient(cut, n, x, 0);
        for (int64_t t = 0; t < trained(whole); t++) {
          cnnblas_net_tensor a = tensor_of(whole, t), b = tensor_of(cut, t);
          const double *p = a.gradient, *q = b.gradient;
          double largest = 0, apart = 0;
          for (int64_t i = 0; i < a.elements; i++) {
            largest = fmax(largest, fabs(p[i]));
            apart = fmax(apart, fabs(p[i] - q[i]));
          }
          assert_true(apart <= 1e-13 * largest + 1e-16);
        }
        cnnblas_net_destroy(cut);
      }
      cnnblas_net_destroy(whole);
    }
  free(x);
}

static void bits_do_not_depend_on_threads(void **state)
{
  (void)state;
  float *x = check_floats(4, MOST_BATCH * PIXELS);
  for (int threads = 2; threads <= 8; threads += 3) {
    cnnblas_net *one = make(normalised, MOST_BATCH, 4, 1, CNNBLAS_F32);
    cnnblas_net *more = make(normalised, MOST_BATCH, 4, threads, CNNBLAS_F32);
    find_gradient(one, 21, x, 0);
    find_gradient(more, 21, x, 0);
    for (int64_t t = 0; t < trained(one); t++) {
      cnnblas_net_tensor a = tensor_of(one, t), b = tensor_of(more, t);
      assert_memory_equal(a.gradient, b.gradient, (size_t)a.elements * sizeof(float));
    }
    cnnblas_net_destroy(one);
    cnnblas_net_destroy(more);
  }
  free(x);
}

/* A batch of 16 in eight segments, and its halves in four by networks of their own: the mean's divisor is twice as large,
   which costs no bit. */
static void join_halves(const char *text)
{
  enum { BATCH = 16, HALF = BATCH / 2 };
  float *x = check_floats(5, BATCH * PIXELS);
  cnnblas_net *whole = make(text, BATCH, 8, 2, CNNBLAS_F32);
  cnnblas_net *left = make(text, HALF, 4, 1, CNNBLAS_F32), *right = make(text, HALF, 4, 3, CNNBLAS_F32);
  find_gradient(whole, BATCH, x, 0);
  find_gradient(left, HALF, x, 0);
  find_gradient(right, HALF, x + HALF * PIXELS, HALF);
  for (int64_t t = 0; t < trained(whole); t++) {
    cnnblas_net_tensor all = tensor_of(whole, t), a = tensor_of(left, t), b = tensor_of(right, t);
    const float *sum = all.gradient, *p = a.gradient, *q = b.gradient;
    harness_doing("%s", all.name);
    for (int64_t i = 0; i < all.elements; i++)
      if (sum[i] != (p[i] + q[i]) / 2)
        FAIL("element %d is %a, not %a", (int)i, (double)sum[i], (double)(p[i] + q[i]) / 2);
  }
  cnnblas_net_destroy(whole);
  cnnblas_net_destroy(left);
  cnnblas_net_destroy(right);
  free(x);
}

/* Sizes and strides for which the automatic choice of an input gradient follows the batch, or OpenBLAS's products would. */
static void halves_joined_are_the_whole(void **state)
{
  (void)state;
  join_halves(network);
  join_halves("INPUT 2x8x8 -> CONV 16@5x5 pad 2 -> RELU -> CONV 24@3x3 stride 2 pad 1 -> RELU -> CONV 32@3x3 pad 1 -> "
              "RELU -> FC 3");
  join_halves(
      "INPUT 2x8x8 -> CONV 48@1x1 -> RELU -> CONV 40@1x1 stride 2 -> RELU -> CONV 33@5x5 pad 2 -> RELU -> FC 3");
  join_halves(
      "INPUT 2x8x8 -> CONV 5@3x3 pad 1 -> TCONV 20@3x3 stride 2 -> RELU -> CONV 10@7x7 stride 3 groups 5 -> FC 3");
}

static void bad_numbers_are_refused(void **state)
{
  (void)state;
  static const int32_t bad[] = {-1, 3, 12, 2048};
  for (int i = 0; i < 4; i++) {
    cnnblas_net_options o = {.segments = bad[i]};
    cnnblas_net *net = NULL;
    assert_int_equal(cnnblas_net_create(network, &o, &net), CNNBLAS_INVALID_ARGUMENT);
    assert_null(net);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(segments_change_rounding_alone), cmocka_unit_test(bits_do_not_depend_on_threads),
      cmocka_unit_test(halves_joined_are_the_whole), cmocka_unit_test(bad_numbers_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
