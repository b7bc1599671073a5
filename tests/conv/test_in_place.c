/*
 * A residual that is the output itself: every algorithm gives the bits that it gives with the residual elsewhere, in the
 * order convolution + bias + residual.
 */
#include "support/harness.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cnnblas_conv_desc shapes[] = {
    {.n = 2, .c = 7, .k = 19, .size = {13, 17}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 3, .c = 40, .k = 33, .size = {9, 9}, .kernel = {1, 1}},
    {.n = 2, .c = 16, .k = 16, .size = {40, 40}, .kernel = {3, 3}, .stride = {2, 2}, .pad_begin = {1, 1}},
    {.n = 2,
     .c = 24,
     .k = 24,
     .groups = 24,
     .size = {15, 18},
     .kernel = {3, 3},
     .pad_begin = {1, 1},
     .pad_end = {1, 1}},
    {.n = 2, .c = 12, .k = 24, .groups = 4, .size = {11, 9}, .kernel = {3, 2}},
    {.n = 40, .c = 6, .k = 10, .size = {5, 5}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 2, .c = 600, .k = 8, .size = {6, 7}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 1, .rank = 1, .c = 3, .k = 5, .size = {400}, .kernel = {9}},
    {.n = 1, .rank = 3, .c = 3, .k = 5, .size = {5, 9, 8}, .kernel = {3, 3, 3}, .pad_begin = {1, 1, 1}}};

static void fill(void *array, cnnblas_dtype dtype, int64_t count, unsigned seed)
{
  for (int64_t i = 0; i < count; i++) {
    seed = seed * 1664525u + 1013904223u;
    double value = (double)(seed >> 8) / (double)(1u << 23) - 1;
    if (dtype == CNNBLAS_F64)
      ((double *)array)[i] = value;
    else
      ((float *)array)[i] = (float)value;
  }
}

/* Runs one plan both ways; the number of them that it was worth. */
static int both_ways(const cnnblas_conv_desc *d, const cnnblas_conv_options *o, bool with_bias, bool relu)
{
  cnnblas_conv_plan *plan;
  cnnblas_conv_shape shape;
  cnnblas_status status = cnnblas_conv_plan_create(d, CNNBLAS_FORWARD, o, &plan);
  if (status == CNNBLAS_UNSUPPORTED) return 0;
  ASSERT_OK(status);
  ASSERT_OK(cnnblas_conv_get_shape(d, &shape));
  size_t element = d->dtype == CNNBLAS_F64 ? 8 : 4, bytes = (size_t)shape.y_elements * element;
  void *x = malloc((size_t)shape.x_elements * element), *w = malloc((size_t)shape.w_elements * element);
  void *bias = malloc((size_t)shape.bias_elements * element), *apart = malloc(bytes), *y = malloc(bytes),
       *in_place = malloc(bytes);
  fill(x, d->dtype, shape.x_elements, 1), fill(w, d->dtype, shape.w_elements, 2);
  fill(bias, d->dtype, shape.bias_elements, 3), fill(apart, d->dtype, shape.y_elements, 4);
  memcpy(in_place, apart, bytes);
  memset(y, 0xff, bytes);
  cnnblas_conv_epilogue e = {.bias = with_bias ? bias : NULL, .residual = apart};
  if (relu) e.activation.kind = CNNBLAS_RELU;
  ASSERT_OK(cnnblas_conv_forward(plan, d->n, x, w, &e, y, NULL, 0));
  e.residual = in_place;
  ASSERT_OK(cnnblas_conv_forward(plan, d->n, x, w, &e, in_place, NULL, 0));
  if (memcmp(y, in_place, bytes) != 0) FAIL("in place it is not the same");
  cnnblas_conv_plan_destroy(plan);
  free(x), free(w), free(bias), free(apart), free(y), free(in_place);
  return 1;
}

static void in_place_gives_the_same_bits(void **state)
{
  (void)state;
  int run = 0;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int variant = 0; variant < 16; variant++)
      for (int a = 0;; a++) {
        cnnblas_conv_desc d = shapes[i];
        cnnblas_conv_options o = {.algorithm = cnnblas_conv_algorithm_name(a), .threads = variant & 8 ? 3 : 1};
        d.dtype = variant & 1 ? CNNBLAS_F64 : CNNBLAS_F32;
        harness_doing("shape %zu, variant %d, %s", i, variant, o.algorithm ? o.algorithm : "auto");
        run += both_ways(&d, &o, variant & 2, variant & 4);
        if (!o.algorithm) break;
      }
  printf("%d pairs\n", run);
  assert_true(run > 500);
}

/* 1e8 * 1 - 1e8 + 1: in any other order the 1 is lost. */
static void the_residual_comes_last(void **state)
{
  (void)state;
  for (int a = 0;; a++)
    for (int in_place = 0; in_place < 2; in_place++) {
      cnnblas_conv_desc d = {.n = 1, .c = 1, .k = 1, .size = {1, 1}, .kernel = {1, 1}};
      cnnblas_conv_options o = {.algorithm = cnnblas_conv_algorithm_name(a)};
      cnnblas_conv_plan *plan;
      float x = 1e8f, w = 1, bias = -1e8f, residual = 1, y = 1;
      cnnblas_status status = cnnblas_conv_plan_create(&d, CNNBLAS_FORWARD, &o, &plan);
      if (status == CNNBLAS_UNSUPPORTED) continue;
      ASSERT_OK(status);
      cnnblas_conv_epilogue e = {.bias = &bias, .residual = in_place ? &y : &residual};
      ASSERT_OK(cnnblas_conv_forward(plan, 1, &x, &w, &e, &y, NULL, 0));
      cnnblas_conv_plan_destroy(plan);
      if (y != 1) FAIL("%s, %s: %g", o.algorithm ? o.algorithm : "auto", in_place ? "in place" : "apart", (double)y);
      if (!o.algorithm && in_place) return;
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(in_place_gives_the_same_bits),
                                     cmocka_unit_test(the_residual_comes_last)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
