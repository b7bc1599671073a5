/*
 * Sums of millions of terms: the error is a few u * log2(terms) * sum |terms|, where a plain sum of ones in f32 stays at
 * 2^24 for ever.
 */
#include "check.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MANY = 25000000 };

static double bound(double terms, double magnitude)
{
  return 3 * 0x1p-24 * (log2(terms) + 1) * magnitude;
}

static float *filled(int64_t count, float value)
{
  float *x = malloc((size_t)count * sizeof *x);
  assert_non_null(x);
  for (int64_t i = 0; i < count; i++) x[i] = value;
  return x;
}

static void the_bias_gradient_of_a_fully_connected_layer(void **state)
{
  (void)state;
  static const float values[] = {1, 0.1f};
  for (int v = 0; v < 2; v++) {
    float *x = filled(MANY, 0), *dy = filled(MANY, values[v]), dw, db;
    cnnblas_fc_desc d = {.n = MANY, .in = 1, .out = 1};
    ASSERT_OK(cnnblas_fc_backward_weights(&d, MANY, x, dy, &dw, &db));
    double want = (double)MANY * (double)values[v];
    if (fabs((double)db - want) > bound(MANY, want)) FAIL("%.9g, not %.9g", (double)db, want);
    if (v == 0) assert_true(db == 25000000);
    free(x), free(dy);
  }
}

/* The three products, each with so many terms that one chain of additions would lose a thousandth of the sum. */
static void the_products_of_a_fully_connected_layer(void **state)
{
  (void)state;
  static const int64_t shapes[][2] = {/* terms, the other length */ {1 << 25, 1}, {1 << 20, 20}, {4096 * 3 + 5, 67}};
  for (int s = 0; s < 3; s++)
    for (int direction = 0; direction < 3; direction++) {
      int64_t terms = shapes[s][0], others = shapes[s][1], rows = s ? 3 : 1;
      float *many = filled(terms * rows, 0.1f), *w = filled(terms * others, 0.3f), *sums = filled(rows * others, NAN);
      cnnblas_fc_desc d = {.n = rows, .in = terms, .out = others};
      double want = (double)terms * (double)0.1f * (double)0.3f;
      harness_doing("%lld terms, direction %d", (long long)terms, direction);
      if (direction == 0) ASSERT_OK(cnnblas_fc_forward(&d, rows, many, w, NULL, NULL, sums));
      if (direction == 1) {
        d.in = others, d.out = terms;
        ASSERT_OK(cnnblas_fc_backward_data(&d, rows, many, w, sums));
      }
      if (direction == 2) {
        d.n = terms, d.in = others, d.out = rows;
        ASSERT_OK(cnnblas_fc_backward_weights(&d, terms, w, many, sums, NULL));
      }
      for (int64_t i = 0; i < rows * others; i++)
        if (!(fabs((double)sums[i] - want) <= bound((double)terms, want)))
          FAIL("sum %lld is %.9g, not %.9g", (long long)i, (double)sums[i], want);
      free(many), free(w), free(sums);
    }
}

/* Every number of rows around the tree's leaves, and of columns around its pieces. */
static void every_tail_of_the_tree(void **state)
{
  (void)state;
  static const int64_t widths[] = {1, 3, 127, 128, 129, 256, 300};
  for (int w = 0; w < 7; w++)
    for (int64_t n = 0; n <= 1100; n += n < 140 ? 1 : 37) {
      int64_t out = widths[w];
      float *x = filled(n + 1, 0), *dy = check_floats((uint64_t)n, n * out + 1), *dw = filled(out, NAN),
            *db = filled(out, NAN);
      cnnblas_fc_desc d = {.n = n, .in = 1, .out = out};
      harness_doing("%d rows of %d", (int)n, (int)out);
      ASSERT_OK(cnnblas_fc_backward_weights(&d, n, x, dy, dw, db));
      for (int64_t o = 0; o < out; o++) {
        double want = 0, magnitude = 0;
        for (int64_t in = 0; in < n; in++)
          want += (double)dy[in * out + o], magnitude += fabs((double)dy[in * out + o]);
        assert_true(n ? fabs((double)db[o] - want) <= bound((double)n, magnitude) + 16 * 0x1p-24 * magnitude
                      : db[o] == 0);
      }
      free(x), free(dy), free(dw), free(db);
    }
}

static void averages_of_whole_maps(void **state)
{
  (void)state;
  enum { SIDE = 5000 };
  float *x = filled((int64_t)SIDE * SIDE, 0.1f);
  for (int padded = 0; padded < 3; padded++) {
    cnnblas_pool_desc d = {.kind = CNNBLAS_POOL_AVG, .n = 1, .c = 1, .size = {SIDE, SIDE}, .kernel = {SIDE, SIDE}};
    cnnblas_pool_shape shape;
    float y[4] = {NAN, NAN, NAN, NAN};
    d.stride[0] = d.stride[1] = SIDE;
    if (padded == 2) d.size[0] = SIDE * (SIDE / 1000), d.size[1] = 1000, d.kernel[0] = d.size[0], d.kernel[1] = 1000;
    if (padded) d.pad_begin[0] = d.pad_begin[1] = d.pad_end[0] = d.pad_end[1] = 1;
    ASSERT_OK(cnnblas_pool_get_shape(&d, &shape));
    assert_int_equal(shape.y_elements, 1);
    ASSERT_OK(cnnblas_pool_forward(&d, 1, x, y, NULL));
    if (fabs((double)y[0] - (double)0.1f) > bound((double)SIDE * SIDE, (double)0.1f))
      FAIL("variant %d: %.9g, not %.9g", padded, (double)y[0], (double)0.1f);
  }
  free(x);
}

static void the_bias_gradient_of_a_convolution(void **state)
{
  (void)state;
  enum { IMAGES = MANY / 25 };
  float *x = filled(MANY, 0), *dy = filled(MANY, 1), dw, db;
  cnnblas_conv_desc d = {.n = IMAGES, .c = 1, .k = 1, .size = {5, 5}, .kernel = {1, 1}};
  cnnblas_conv_plan *plan;
  ASSERT_OK(cnnblas_conv_plan_create(&d, CNNBLAS_BACKWARD_WEIGHTS, NULL, &plan));
  ASSERT_OK(cnnblas_conv_backward_weights(plan, IMAGES, x, dy, &dw, &db, NULL, 0));
  cnnblas_conv_plan_destroy(plan);
  assert_true(db == 25000000);
  free(x), free(dy);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_bias_gradient_of_a_fully_connected_layer),
                                     cmocka_unit_test(the_products_of_a_fully_connected_layer),
                                     cmocka_unit_test(every_tail_of_the_tree), cmocka_unit_test(averages_of_whole_maps),
                                     cmocka_unit_test(the_bias_gradient_of_a_convolution)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
