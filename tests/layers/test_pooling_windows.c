/* Pooling by the windows and rows that have vector loops of their own: every tail, and what the loops leave to others. */
#include "pool_oracle.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows around the length up to which columns are reduced first, and more rows than are reduced at a time. */
static void long_rows_and_many_rows_agree_with_the_definition(void **state)
{
  (void)state;
  static const int64_t shapes[][4] = {/* h, w, kernel, stride */
                                      {1, 4095, 2, 1}, {3, 4096, 2, 2}, {2, 4100, 2, 2}, {2, 8195, 3, 2},
                                      {5, 4097, 5, 3}, {1000, 9, 3, 1}, {700, 14, 2, 2}, {513, 33, 3, 2},
                                      {1, 600, 1, 1},  {1, 900, 1, 300}};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
    for (int kind = 0; kind < 3; kind++) {
      const int64_t *s = shapes[i];
      int64_t kernel_h = s[0] < s[2] ? s[0] : s[2];
      cnnblas_pool_desc d = {
          .dtype = i % 2 ? CNNBLAS_F64 : CNNBLAS_F32, .kind = (cnnblas_pool_kind)kind, .n = 1, .c = 2};
      d.size[0] = s[0], d.size[1] = s[1], d.kernel[0] = kernel_h, d.kernel[1] = s[2];
      d.stride[0] = d.stride[1] = s[3];
      d.pad_begin[1] = s[2] > 2, d.pad_end[1] = s[2] / 2;
      harness_doing("shape %d kind %d", (int)i, kind);
      pool_compare_with_naive(&d, i, kind == 0);
    }
}

/* The windows with loops of their own, at every number of columns around one and two vectors of them. */
static void every_tail_of_the_vector_loops_agrees_with_the_definition(void **state)
{
  (void)state;
  static const int windows[][3] = {/* kernel, stride, padding */
                                   {2, 2, 0}, {2, 2, 1}, {3, 2, 0}, {3, 2, 1},
                                   {3, 2, 2}, {3, 1, 0}, {3, 1, 1}, {3, 1, 2}};
  for (int i = 0; i < 8; i++)
    for (int w = 3; w <= 70; w++)
      for (int variant = 0; variant < 12; variant++) {
        const int *s = windows[i];
        cnnblas_pool_desc d = {.dtype = variant & 1 ? CNNBLAS_F64 : CNNBLAS_F32,
                               .kind = (cnnblas_pool_kind)(variant / 2 % 3),
                               .n = 1,
                               .c = 2,
                               .size = {3 + w % 5, w},
                               .kernel = {s[0], s[0]},
                               .stride = {s[1], s[1]},
                               .pad_begin = {s[2], s[2]},
                               .pad_end = {s[2], w % 2 ? 0 : s[2]},
                               .ceil_mode = variant / 6};
        d.count_include_pad = variant == 2 || variant == 9;
        harness_doing("window %d/%d pad %d, width %d, variant %d", s[0], s[1], s[2], w, variant);
        pool_compare_with_naive(&d, (uint64_t)w, variant < 6 && d.kind == CNNBLAS_POOL_MAX);
      }
}

/* Planes that are done row after row. */
static void large_planes_agree_with_the_definition(void **state)
{
  (void)state;
  static const int64_t sizes[][2] = {{96, 96}, {91, 95}, {90, 129}, {129, 66}, {93, 101}};
  for (int i = 0; i < 5; i++)
    for (int variant = 0; variant < 36; variant++) {
      int64_t pad = variant / 6 % 2, kernel = variant < 12 ? 2 : 3, stride = variant < 24 ? 2 : 1;
      cnnblas_pool_desc d = {.dtype = variant & 1 ? CNNBLAS_F64 : CNNBLAS_F32,
                             .kind = (cnnblas_pool_kind)(variant / 2 % 3),
                             .n = 1,
                             .c = 2,
                             .size = {sizes[i][0], sizes[i][1]},
                             .kernel = {kernel, kernel},
                             .stride = {stride, stride},
                             .pad_begin = {pad, pad},
                             .pad_end = {0, pad}};
      harness_doing("size %d x %d, variant %d", (int)sizes[i][0], (int)sizes[i][1], variant);
      pool_compare_with_naive(&d, (uint64_t)i, d.kind == CNNBLAS_POOL_MAX);
    }
}

typedef struct {
  cnnblas_pool_desc d;
  cnnblas_pool_shape shape;
  int64_t plane, out;
} window;

static window window_of(cnnblas_dtype dtype, cnnblas_pool_kind kind, int64_t kernel, int64_t stride, int64_t pad,
                        int64_t h, int64_t w)
{
  window v = {.d = {.dtype = dtype, .kind = kind, .n = 2, .c = 2, .size = {h, w}, .kernel = {kernel, kernel}}};
  v.d.stride[0] = v.d.stride[1] = stride;
  v.d.pad_begin[0] = v.d.pad_begin[1] = v.d.pad_end[0] = v.d.pad_end[1] = pad;
  ASSERT_OK(cnnblas_pool_get_shape(&v.d, &v.shape));
  v.plane = h * w;
  v.out = v.shape.out[0] * v.shape.out[1];
  return v;
}

/* The gradient goes where the index says, even outside the window that it belongs to. */
static void any_index_of_the_channel_is_followed(void **state)
{
  (void)state;
  static const int64_t windows[][5] = {{2, 2, 0, 96, 96}, {2, 2, 0, 8, 8},   {2, 2, 1, 11, 37}, {3, 2, 1, 95, 93},
                                       {3, 2, 1, 13, 40}, {3, 1, 1, 14, 14}, {3, 2, 0, 9, 66}};
  for (int i = 0; i < 7; i++)
    for (int stray = 0; stray < 3; stray++) {
      const int64_t *s = windows[i];
      window v = window_of(CNNBLAS_F32, CNNBLAS_POOL_MAX, s[0], s[1], s[2], s[3], s[4]);
      float *x = check_floats(1, v.shape.x_elements), *dy = check_floats(2, v.shape.y_elements);
      float *y = malloc((size_t)v.shape.y_elements * sizeof *y), *dx = malloc((size_t)v.shape.x_elements * sizeof *dx);
      float *want = calloc((size_t)v.shape.x_elements, sizeof *want);
      int32_t *at = malloc((size_t)v.shape.y_elements * sizeof *at);
      harness_doing("window %d, stray %d", i, stray);
      ASSERT_OK(cnnblas_pool_forward(&v.d, 2, x, y, at));
      for (int64_t o = stray; o < v.shape.y_elements && stray; o += stray * 7)
        at[o] = (int32_t)(((int64_t)at[o] + stray * s[4] + o % 5) % v.plane);
      for (int64_t o = 0; o < v.shape.y_elements; o++) want[o / v.out * v.plane + at[o]] += dy[o];
      ASSERT_OK(cnnblas_pool_backward(&v.d, 2, NULL, NULL, dy, at, dx));
      assert_memory_equal(dx, want, (size_t)v.shape.x_elements * sizeof *dx);
      free(x), free(dy), free(y), free(dx), free(want), free(at);
    }
}

/* The same for one index alone, of an output of the first columns, whose windows reach beside the image. */
static void one_index_of_the_first_columns_is_followed(void **state)
{
  (void)state;
  static const int64_t sizes[][2] = {{8, 16}, {8, 600}, {5, 2}, {40, 5}};
  for (int i = 0; i < 8; i++) {
    const cnnblas_dtype dtype = i < 4 ? CNNBLAS_F32 : CNNBLAS_F64;
    window v = window_of(dtype, CNNBLAS_POOL_MAX, 3, 1, 1, sizes[i % 4][0], sizes[i % 4][1]);
    v.d.n = v.d.c = 1;
    const size_t bytes = (size_t)v.plane * sizeof(double);
    void *dy = calloc(1, bytes), *dx = malloc(bytes);
    int32_t *at = malloc((size_t)v.plane * sizeof *at);
    const int64_t far = v.plane - 1;
    for (int64_t column = 0; column < 2; column++) {
      const int64_t o = 3 * sizes[i % 4][1] + column;
      harness_doing("size %lldx%lld, column %lld", (long long)sizes[i % 4][0], (long long)sizes[i % 4][1],
                    (long long)column);
      for (int64_t j = 0; j < v.plane; j++) at[j] = (int32_t)j;
      at[o] = (int32_t)far;
      array_set(dtype, dy, o, 5);
      ASSERT_OK(cnnblas_pool_backward(&v.d, 1, NULL, NULL, dy, at, dx));
      for (int64_t j = 0; j < v.plane; j++) assert_true(array_get(dtype, dx, j) == (j == far ? 5 : 0));
      array_set(dtype, dy, o, 0);
    }
    free(dy), free(dx), free(at);
  }
}

/* The same for one index alone, the place behind its window's first row: a plane of many is done again for the others. */
static void one_index_outside_its_window_is_followed(void **state)
{
  (void)state;
  static const int64_t windows[][7] = {/* kernel, stride, pads, ceil, size */
                                       {3, 2, 0, 0, 1, 96, 96}, {3, 2, 1, 1, 0, 96, 95}, {3, 2, 0, 1, 0, 96, 100},
                                       {3, 2, 2, 2, 1, 97, 96}, {3, 1, 1, 2, 0, 96, 96}, {3, 1, 2, 2, 0, 96, 97},
                                       {2, 2, 0, 0, 0, 96, 96}, {3, 2, 1, 1, 0, 40, 39}, {2, 2, 0, 1, 0, 91, 95}};
  for (int i = 0; i < 9; i++) {
    const int64_t *s = windows[i];
    cnnblas_pool_desc d = {.n = 1, .c = 1, .size = {s[5], s[6]}, .kernel = {s[0], s[0]}, .stride = {s[1], s[1]}};
    for (int a = 0; a < 2; a++) d.pad_begin[a] = s[2], d.pad_end[a] = s[3];
    d.ceil_mode = (int32_t)s[4];
    cnnblas_pool_shape shape;
    ASSERT_OK(cnnblas_pool_get_shape(&d, &shape));
    float *x = check_floats(1, shape.x_elements), *dy = check_floats(2, shape.y_elements);
    float *y = check_floats(3, shape.y_elements), *dx = check_floats(4, shape.x_elements);
    float *want = check_floats(5, shape.x_elements);
    int32_t *at = malloc((size_t)shape.y_elements * sizeof *at);
    ASSERT_OK(cnnblas_pool_forward(&d, 1, x, y, at));
    for (int64_t o = shape.out[1] - 1; o < shape.y_elements; o += shape.out[1]) {
      int64_t h = o / shape.out[1] * s[1] - s[2], place = ((h < 0 ? 0 : h) + 1) * s[6];
      int32_t was = at[o];
      if (place < s[5] * s[6]) at[o] = (int32_t)place;
      harness_doing("window %d, output %d at %d", i, (int)o, at[o]);
      memset(want, 0, (size_t)shape.x_elements * sizeof *want);
      for (int64_t j = 0; j < shape.y_elements; j++) want[at[j]] += dy[j];
      ASSERT_OK(cnnblas_pool_backward(&d, 1, NULL, NULL, dy, at, dx));
      assert_memory_equal(dx, want, (size_t)shape.x_elements * sizeof *dx);
      at[o] = was;
    }
    free(x), free(dy), free(y), free(dx), free(want), free(at);
  }
}

/* What no window takes has the gradient 0, whatever it is. */
static void elements_without_a_window_have_gradient_zero(void **state)
{
  (void)state;
  static const float values[] = {INFINITY, -INFINITY, NAN, -3};
  for (int kind = 0; kind < 3; kind++)
    for (int v = 0; v < 4; v++) {
      window w = window_of(CNNBLAS_F32, (cnnblas_pool_kind)kind, 2, 2, 0, 21, 37);
      float *x = check_floats(1, w.shape.x_elements), *dy = check_floats(2, w.shape.y_elements);
      float *y = check_floats(3, w.shape.y_elements), *dx = check_floats(4, w.shape.x_elements), zero = 0;
      int32_t *at = malloc((size_t)w.shape.y_elements * sizeof *at);
      for (int64_t p = 0; p < w.shape.x_elements; p++)
        if (p % 37 == 36 || p / 37 % 21 == 20) x[p] = values[v];
      harness_doing("kind %d, value %g", kind, (double)values[v]);
      ASSERT_OK(cnnblas_pool_forward(&w.d, 2, x, y, kind ? NULL : at));
      ASSERT_OK(cnnblas_pool_backward(&w.d, 2, x, y, dy, kind ? NULL : at, dx));
      for (int64_t p = 0; p < w.shape.x_elements; p++)
        if (p % 37 == 36 || p / 37 % 21 == 20) assert_memory_equal(&dx[p], &zero, sizeof zero);
      free(x), free(dy), free(y), free(dx), free(at);
    }
}

/* Squares that overflow or vanish, and gradients of outputs so small that dy / y would overflow, in one window each. */
static void l2_windows_lose_nothing(void **state)
{
  (void)state;
  static const int64_t windows[][5] = {{2, 2, 0, 96, 96}, {2, 2, 0, 8, 8}, {3, 2, 1, 13, 40}, {3, 1, 1, 14, 14}};
  static const double factors[] = {1e-25, 1e-38, 1e25, 0};
  for (int i = 0; i < 4; i++)
    for (int f = 0; f < 4; f++) {
      const int64_t *s = windows[i];
      window v = window_of(CNNBLAS_F32, CNNBLAS_POOL_L2, s[0], s[1], s[2], s[3], s[4]);
      float *x = check_floats(1, v.shape.x_elements), *dy = check_floats(2, v.shape.y_elements);
      float *y = malloc((size_t)v.shape.y_elements * sizeof *y), *dx = malloc((size_t)v.shape.x_elements * sizeof *dx);
      double *wide = check_reals(3, v.shape.x_elements), *wide_dy = check_reals(4, v.shape.y_elements);
      double *wide_y = check_reals(5, v.shape.y_elements), *wide_dx = check_reals(6, v.shape.x_elements);
      for (int64_t p = 0; p < v.shape.x_elements; p++)
        wide[p] = x[p] = (float)((double)x[p] * (p % s[4] < 4 ? factors[f] : 1));
      for (int64_t o = 0; o < v.shape.y_elements; o++) wide_dy[o] = (double)dy[o];
      harness_doing("window %d, factor %g", i, factors[f]);
      ASSERT_OK(cnnblas_pool_forward(&v.d, 2, x, y, NULL));
      ASSERT_OK(cnnblas_pool_backward(&v.d, 2, x, y, dy, NULL, dx));
      v.d.dtype = CNNBLAS_F64;
      ASSERT_OK(cnnblas_pool_forward(&v.d, 2, wide, wide_y, NULL));
      ASSERT_OK(cnnblas_pool_backward(&v.d, 2, wide, wide_y, wide_dy, NULL, wide_dx));
      for (int64_t o = 0; o < v.shape.y_elements; o++)
        assert_true(fabs((double)y[o] - wide_y[o]) <= 1e-6 * wide_y[o] + 1e-44);
      for (int64_t p = 0; p < v.shape.x_elements; p++)
        assert_true(fabs((double)dx[p] - wide_dx[p]) <= 1e-5 * (1 + fabs(wide_dx[p])));
      free(x), free(dy), free(y), free(dx), free(wide), free(wide_dy), free(wide_y), free(wide_dx);
    }
}

/* Planes of -inf have the place of each window's first element in the image. */
static void nothing_but_minus_infinity_has_a_place(void **state)
{
  (void)state;
  static const int64_t windows[][5] = {{2, 2, 1, 96, 96}, {2, 2, 1, 11, 37}, {3, 2, 1, 13, 40}, {3, 1, 2, 14, 14}};
  for (int i = 0; i < 4; i++) {
    const int64_t *s = windows[i];
    window v = window_of(CNNBLAS_F32, CNNBLAS_POOL_MAX, s[0], s[1], s[2], s[3], s[4]);
    float *x = malloc((size_t)v.shape.x_elements * sizeof *x), *y = malloc((size_t)v.shape.y_elements * sizeof *y);
    int32_t *at = malloc((size_t)v.shape.y_elements * sizeof *at);
    for (int64_t p = 0; p < v.shape.x_elements; p++) x[p] = -INFINITY;
    harness_doing("window %d", i);
    ASSERT_OK(cnnblas_pool_forward(&v.d, 2, x, y, at));
    for (int64_t o = 0; o < v.shape.y_elements; o++) {
      int64_t h = o % v.out / v.shape.out[1] * s[1] - s[2], w = o % v.shape.out[1] * s[1] - s[2];
      assert_true(y[o] == -INFINITY);
      assert_int_equal(at[o], (h < 0 ? 0 : h) * s[4] + (w < 0 ? 0 : w));
    }
    free(x), free(y), free(at);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_tail_of_the_vector_loops_agrees_with_the_definition),
                                     cmocka_unit_test(long_rows_and_many_rows_agree_with_the_definition),
                                     cmocka_unit_test(large_planes_agree_with_the_definition),
                                     cmocka_unit_test(any_index_of_the_channel_is_followed),
                                     cmocka_unit_test(one_index_of_the_first_columns_is_followed),
                                     cmocka_unit_test(one_index_outside_its_window_is_followed),
                                     cmocka_unit_test(elements_without_a_window_have_gradient_zero),
                                     cmocka_unit_test(l2_windows_lose_nothing),
                                     cmocka_unit_test(nothing_but_minus_infinity_has_a_place)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
