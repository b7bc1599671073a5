/* Pooling against a naive loop on random problems of every kind; the exact edge semantics, one test each. */
#include "pool_oracle.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t pick(uint64_t problem, uint64_t *i, int64_t from, int64_t to)
{
  return from + (int64_t)(cnnblas_random_uniform(99, problem, (*i)++) * (double)(to - from + 1));
}

static void random_problems_agree_with_the_definition(void **state)
{
  (void)state;
  for (uint64_t problem = 0; problem < 2000; problem++) {
    uint64_t i = 0;
    cnnblas_pool_desc d;
    cnnblas_pool_desc_init(&d);
    d.dtype = problem % 2 ? CNNBLAS_F64 : CNNBLAS_F32;
    d.kind = (cnnblas_pool_kind)(problem / 2 % 3);
    d.rank = (int32_t)pick(problem, &i, 1, 3);
    d.n = pick(problem, &i, 1, 3);
    d.c = pick(problem, &i, 1, 4);
    d.ceil_mode = (int32_t)pick(problem, &i, 0, 1);
    d.count_include_pad = d.kind == CNNBLAS_POOL_AVG ? (int32_t)pick(problem, &i, 0, 1) : 0;
    bool strided = pick(problem, &i, 0, 2) > 0, padded = pick(problem, &i, 0, 1);
    for (int a = 0; a < d.rank; a++) {
      d.size[a] = pick(problem, &i, 1, d.rank == 3 ? 9 : d.rank == 2 ? 40 : 300);
      d.kernel[a] = pick(problem, &i, 1, d.size[a] < 4 ? d.size[a] : 4);
      if (strided) d.stride[a] = pick(problem, &i, 1, 4);
      if (padded) d.pad_begin[a] = pick(problem, &i, 0, d.kernel[a] - 1);
      if (padded) d.pad_end[a] = pick(problem, &i, 0, d.kernel[a] - 1);
    }
    harness_doing("problem %d: rank %d kind %d size %d %d %d kernel %d %d %d stride %d %d %d", (int)problem, d.rank,
                  (int)d.kind, (int)d.size[0], (int)d.size[1], (int)d.size[2], (int)d.kernel[0], (int)d.kernel[1],
                  (int)d.kernel[2], (int)d.stride[0], (int)d.stride[1], (int)d.stride[2]);
    pool_compare_with_naive(&d, problem, pick(problem, &i, 0, 1));
  }
}

/* Dilated windows: a problem in which one takes no element of the input is refused, all others agree. */
static void dilated_windows_agree_with_the_definition(void **state)
{
  (void)state;
  int refused = 0, done = 0;
  for (uint64_t problem = 0; problem < 1500; problem++) {
    uint64_t i = 0;
    cnnblas_pool_desc d = {.dtype = problem % 2 ? CNNBLAS_F64 : CNNBLAS_F32, .n = 2, .c = 2};
    d.kind = (cnnblas_pool_kind)(problem / 2 % 3);
    d.rank = (int32_t)pick(7000 + problem, &i, 1, 3);
    d.ceil_mode = (int32_t)pick(7000 + problem, &i, 0, 1);
    d.count_include_pad = d.kind == CNNBLAS_POOL_AVG ? (int32_t)pick(7000 + problem, &i, 0, 1) : 0;
    bool fits = true, empty = false;
    for (int a = 0; a < d.rank; a++) {
      d.size[a] = pick(7000 + problem, &i, 1, d.rank == 3 ? 9 : d.rank == 2 ? 30 : 1500);
      d.kernel[a] = pick(7000 + problem, &i, 1, 3);
      d.stride[a] = pick(7000 + problem, &i, 1, 3);
      d.dilation[a] = pick(7000 + problem, &i, 1, 4);
      int64_t reach = (d.kernel[a] - 1) * d.dilation[a];
      d.pad_begin[a] = pick(7000 + problem, &i, 0, reach);
      d.pad_end[a] = pick(7000 + problem, &i, 0, reach);
      int64_t room = d.size[a] + d.pad_begin[a] + d.pad_end[a] - reach - 1 + (d.ceil_mode ? d.stride[a] - 1 : 0);
      int64_t out = room < 0 ? 0 : room / d.stride[a] + 1;
      if (out && d.ceil_mode && (out - 1) * d.stride[a] >= d.size[a] + d.pad_begin[a]) out--;
      fits = fits && out > 0;
      for (int64_t o = 0; o < out; o++) {
        bool any = false;
        for (int64_t u = 0; u < d.kernel[a]; u++) {
          int64_t at = o * d.stride[a] - d.pad_begin[a] + u * d.dilation[a];
          any = any || (at >= 0 && at < d.size[a]);
        }
        empty = empty || !any;
      }
    }
    harness_doing("problem %d: rank %d kind %d", (int)problem, d.rank, (int)d.kind);
    cnnblas_pool_shape shape;
    assert_int_equal(cnnblas_pool_get_shape(&d, &shape), fits && !empty ? CNNBLAS_OK : CNNBLAS_INVALID_ARGUMENT);
    refused += fits && empty;
    if (!fits || empty) continue;
    done++;
    pool_compare_with_naive(&d, problem, pick(7000 + problem, &i, 0, 1));
  }
  assert_true(done > 300 && refused > 30);
}

static void adaptive_windows_agree_with_the_definition(void **state)
{
  (void)state;
  for (uint64_t problem = 0; problem < 600; problem++) {
    uint64_t i = 0;
    cnnblas_pool_desc d = {.dtype = problem % 2 ? CNNBLAS_F64 : CNNBLAS_F32, .n = 2, .c = 3};
    d.kind = (cnnblas_pool_kind)(problem / 2 % 3);
    d.rank = (int32_t)pick(9000 + problem, &i, 1, 3);
    for (int a = 0; a < d.rank; a++) {
      d.size[a] = pick(9000 + problem, &i, 1, d.rank == 3 ? 8 : d.rank == 2 ? 25 : 1200);
      d.output[a] = problem % 5 ? pick(9000 + problem, &i, 1, d.size[a]) : 1;
    }
    harness_doing("problem %d: rank %d kind %d", (int)problem, d.rank, (int)d.kind);
    pool_compare_with_naive(&d, problem, pick(9000 + problem, &i, 0, 1));
  }
  cnnblas_pool_desc d = {.n = 1, .c = 1, .size = {4, 4}, .output = {2, 5}};
  cnnblas_pool_shape shape;
  assert_int_equal(cnnblas_pool_get_shape(&d, &shape), CNNBLAS_INVALID_ARGUMENT);
  d.output[1] = 2;
  ASSERT_OK(cnnblas_pool_get_shape(&d, &shape));
  d.kernel[0] = d.kernel[1] = 2;
  assert_int_equal(cnnblas_pool_get_shape(&d, &shape), CNNBLAS_INVALID_ARGUMENT);
}

/* The theory's example: 224 x 224 x 64 becomes 112 x 112 x 64 with F = S = 2. */
static void the_theorys_size_holds(void **state)
{
  (void)state;
  cnnblas_pool_desc d = {.n = 1, .c = 64, .size = {224, 224}, .kernel = {2, 2}};
  cnnblas_pool_shape shape;
  ASSERT_OK(cnnblas_pool_get_shape(&d, &shape));
  assert_true(shape.out[0] == 112 && shape.out[1] == 112 && shape.y_elements == 64 * 112 * 112);
}

static void ceil_mode_never_begins_a_window_in_the_back_padding(void **state)
{
  (void)state;
  cnnblas_pool_shape shape;
  cnnblas_pool_desc d = {.rank = 1, .n = 1, .c = 1, .size = {5}, .kernel = {2}, .ceil_mode = 1};
  ASSERT_OK(cnnblas_pool_get_shape(&d, &shape));
  assert_int_equal(shape.out[0], 3);
  d.size[0] = 4, d.pad_begin[0] = 1, d.pad_end[0] = 1, d.kernel[0] = 2, d.stride[0] = 5;
  ASSERT_OK(cnnblas_pool_get_shape(&d, &shape));
  assert_int_equal(shape.out[0], 1); /* ceil gives 2, but window 2 would begin at position 4, behind the input */
}

/* PyTorch's rule, window by window: floor((size + pads - kernel + stride - 1) / stride) + 1, less one for a last window
   behind the input; fewer than one window is refused. */
static void ceil_mode_takes_windows_larger_than_the_input(void **state)
{
  (void)state;
  cnnblas_pool_shape shape;
  cnnblas_pool_desc two = {.rank = 1, .n = 1, .c = 1, .size = {2}, .kernel = {3}, .stride = {2}, .ceil_mode = 1};
  float x[2] = {5, 7}, y;
  ASSERT_OK(cnnblas_pool_get_shape(&two, &shape));
  assert_int_equal(shape.out[0], 1);
  ASSERT_OK(cnnblas_pool_forward(&two, 1, x, &y, NULL));
  assert_true(y == 7);
  two.ceil_mode = 0;
  assert_int_equal(cnnblas_pool_get_shape(&two, &shape), CNNBLAS_INVALID_ARGUMENT);
  uint64_t larger = 0;
  for (int64_t size = 1; size <= 5; size++)
    for (int64_t kernel = 1; kernel <= 7; kernel++)
      for (int64_t stride = 1; stride <= 4; stride++)
        for (int64_t pad = 0; pad < kernel && pad < 3; pad++)
          for (int variant = 0; variant < 8; variant++) {
            cnnblas_pool_desc d = {
                .n = 2, .c = 3, .size = {size, 4}, .kernel = {kernel, 3}, .stride = {stride, 2}, .ceil_mode = 1};
            d.dtype = variant & 1 ? CNNBLAS_F64 : CNNBLAS_F32;
            d.kind = (cnnblas_pool_kind)(variant / 2 % 3);
            d.count_include_pad = variant / 2 == 3;
            if (d.count_include_pad) d.kind = CNNBLAS_POOL_AVG;
            d.pad_begin[0] = pad, d.pad_end[0] = pad / 2;
            int64_t room = size + pad + pad / 2 - kernel + stride - 1;
            int64_t out = room < 0 ? 0 : room / stride + 1;
            if (out && (out - 1) * stride >= size + pad) out--;
            harness_doing("size %d kernel %d stride %d pad %d variant %d", (int)size, (int)kernel, (int)stride,
                          (int)pad, variant);
            cnnblas_status status = cnnblas_pool_get_shape(&d, &shape);
            assert_int_equal(status, out ? CNNBLAS_OK : CNNBLAS_INVALID_ARGUMENT);
            if (!out) continue;
            assert_true(shape.out[0] == out);
            larger += kernel > size + pad + pad / 2;
            pool_compare_with_naive(&d, (uint64_t)kernel, d.kind == CNNBLAS_POOL_MAX && variant % 2);
            d.size[1] = size, d.kernel[1] = kernel, d.stride[1] = stride;
            d.pad_begin[1] = d.pad_begin[0], d.pad_end[1] = d.pad_end[0];
            pool_compare_with_naive(&d, (uint64_t)kernel, d.kind == CNNBLAS_POOL_MAX && variant % 2);
          }
  assert_true(larger > 100);
}

/* -inf everywhere gives -inf, with the index of a real element. */
static void max_starts_at_minus_infinity(void **state)
{
  (void)state;
  float x[9], y[4];
  int32_t at[4];
  for (int i = 0; i < 9; i++) x[i] = -INFINITY;
  cnnblas_pool_desc d = {.n = 1, .c = 1, .size = {3, 3}, .kernel = {2, 2}, .pad_begin = {1, 1}};
  ASSERT_OK(cnnblas_pool_forward(&d, 1, x, y, at));
  for (int i = 0; i < 4; i++) assert_true(y[i] == -INFINITY);
  assert_true(at[0] == 0 && at[1] == 1 && at[2] == 3 && at[3] == 4);
}

static void nan_wins_and_the_first_of_equals_is_kept(void **state)
{
  (void)state;
  for (int width = 8; width <= 80; width += 72) { /* the vector body and its tail */
    float x[2][80], y[40];
    int32_t at[40];
    for (int j = 0; j < 80; j++) x[0][j] = x[1][j] = 3;
    x[0][1] = NAN, x[1][0] = NAN, x[1][3] = NAN, x[0][4] = INFINITY;
    float flat[160];
    for (int j = 0; j < width; j++) flat[j] = x[0][j], flat[width + j] = x[1][j];
    cnnblas_pool_desc d = {.n = 1, .c = 1, .size = {2, width}, .kernel = {2, 2}};
    ASSERT_OK(cnnblas_pool_forward(&d, 1, flat, y, at));
    assert_true(isnan(y[0]) && at[0] == 1);         /* the first NaN */
    assert_true(isnan(y[1]) && at[1] == width + 3); /* the only one, the last element */
    assert_true(y[2] == INFINITY && at[2] == 4);
    assert_true(y[3] == 3 && at[3] == 6); /* a tie: the first */
  }
}

static void l2_does_not_overflow_and_has_gradient_zero_at_zero(void **state)
{
  (void)state;
  double x[] = {3e200, 4e200, 3e-200, 4e-200, 0, 0, DBL_MAX, 0, INFINITY, 1, NAN, INFINITY}, y[6], dx[12];
  const double dy[] = {1, 1, NAN, 1, 1, 1};
  cnnblas_pool_desc d = {
      .dtype = CNNBLAS_F64, .kind = CNNBLAS_POOL_L2, .rank = 1, .n = 1, .c = 1, .size = {12}, .kernel = {2}};
  ASSERT_OK(cnnblas_pool_forward(&d, 1, x, y, NULL));
  assert_true(fabs(y[0] / 5e200 - 1) < 1e-15 && fabs(y[1] / 5e-200 - 1) < 1e-15 && y[2] == 0 && y[3] == DBL_MAX);
  assert_true(y[4] == INFINITY && isnan(y[5]));
  ASSERT_OK(cnnblas_pool_backward(&d, 1, x, y, dy, NULL, dx));
  assert_true(fabs(dx[0] - 0.6) < 1e-15 && fabs(dx[3] - 0.8) < 1e-15 && dx[4] == 0 && dx[5] == 0 && dx[6] == 1);
  float xf[] = {3e38f, 1e38f, 3e-30f, 4e-30f}, yf[2];
  d.dtype = CNNBLAS_F32, d.size[0] = 4;
  ASSERT_OK(cnnblas_pool_forward(&d, 1, xf, yf, NULL));
  assert_true(fabs((double)yf[0] / sqrt(10e76) - 1) < 1e-6 && fabs((double)yf[1] / 5e-30 - 1) < 1e-6);
}

static void uncovered_positions_get_gradient_zero(void **state)
{
  (void)state;
  float dy[] = {1, 2}, dx[7];
  int32_t at[] = {1, 3};
  for (int kind = 0; kind < 2; kind++) {
    cnnblas_pool_desc d = {
        .kind = (cnnblas_pool_kind)kind, .rank = 1, .n = 1, .c = 1, .size = {7}, .kernel = {2}, .stride = {3}};
    for (int i = 0; i < 7; i++) dx[i] = NAN;
    ASSERT_OK(cnnblas_pool_backward(&d, 1, NULL, NULL, dy, kind ? NULL : at, dx));
    assert_true(dx[2] == 0 && dx[5] == 0 && dx[6] == 0);
    assert_true(kind ? dx[0] == 0.5f && dx[4] == 1 : dx[1] == 1 && dx[3] == 2);
  }
}

typedef struct {
  cnnblas_pool_desc d;
  double *x, *y, *r;
  int64_t outputs;
} probe;

static double run_probe(void *context)
{
  probe *p = context;
  ASSERT_OK(cnnblas_pool_forward(&p->d, p->d.n, p->x, p->y, NULL));
  return check_dot(p->y, p->r, p->outputs);
}

static void gradients_agree_with_differences(void **state)
{
  (void)state;
  static const char *const names[] = {"max", "average", "l2"};
  for (int variant = 0; variant < 9; variant++) {
    int kind = variant % 3;
    cnnblas_pool_desc d = {.dtype = CNNBLAS_F64, .kind = (cnnblas_pool_kind)kind, .n = 2, .c = 3, .size = {7, 6}};
    if (variant < 6)
      d.kernel[0] = 3, d.kernel[1] = 2, d.stride[0] = 2, d.stride[1] = 1, d.pad_begin[0] = 1, d.ceil_mode = 1;
    if (variant / 3 == 1) d.dilation[0] = 2, d.dilation[1] = 3;
    if (variant / 3 == 2) d.output[0] = 3, d.output[1] = 4;
    cnnblas_pool_shape s;
    ASSERT_OK(cnnblas_pool_get_shape(&d, &s));
    probe p = {d, check_reals(1, s.x_elements), check_reals(2, s.y_elements), check_reals(3, s.y_elements),
               s.y_elements};
    int32_t *at = malloc((size_t)s.y_elements * sizeof *at);
    double *dx = check_reals(4, s.x_elements);
    ASSERT_OK(cnnblas_pool_forward(&d, 2, p.x, p.y, kind ? NULL : at));
    ASSERT_OK(cnnblas_pool_backward(&d, 2, p.x, p.y, p.r, kind ? NULL : at, dx));
    check_gradient(names[kind], run_probe, &p, p.x, dx, s.x_elements);
    free(at), free(dx), free(p.x), free(p.y), free(p.r);
  }
}

static void bits_do_not_depend_on_threads(void **state)
{
  (void)state;
  for (int kind = 0; kind < 3; kind++) {
    cnnblas_pool_desc d = {
        .kind = (cnnblas_pool_kind)kind, .n = 5, .c = 7, .size = {33, 47}, .kernel = {3, 3}, .stride = {2, 2}};
    cnnblas_pool_shape s;
    ASSERT_OK(cnnblas_pool_get_shape(&d, &s));
    float *x = check_floats(1, s.x_elements), *y[2], *dx[2];
    int32_t *at = malloc((size_t)s.y_elements * sizeof *at);
    for (int run = 0; run < 2; run++) y[run] = check_floats(2, s.y_elements), dx[run] = check_floats(3, s.x_elements);
    for (int i = -1; i < CHECK_TEAMS; i++) {
      int run = i >= 0;
      d.threads = run ? check_teams[i] : 1;
      ASSERT_OK(cnnblas_pool_forward(&d, 5, x, y[run], kind ? NULL : at));
      ASSERT_OK(cnnblas_pool_backward(&d, 5, x, y[run], y[run], kind ? NULL : at, dx[run]));
      assert_memory_equal(y[0], y[run], (size_t)s.y_elements * sizeof *x);
      assert_memory_equal(dx[0], dx[run], (size_t)s.x_elements * sizeof *x);
    }
    for (int run = 0; run < 2; run++) free(y[run]), free(dx[run]);
    free(x), free(at);
  }
}

static void bad_arguments_are_refused(void **state)
{
  (void)state;
  float x[16] = {0}, y[4], dx[16];
  int32_t at[4] = {0, 1, 16, 2};
  cnnblas_pool_desc good = {.n = 1, .c = 1, .size = {4, 4}, .kernel = {2, 2}}, d;
#define REFUSED(change)                                                                                                \
  d = good, change, assert_int_equal(cnnblas_pool_forward(&d, 1, x, y, NULL), CNNBLAS_INVALID_ARGUMENT)
  REFUSED(d.kernel[0] = 5);
  REFUSED(d.kernel[1] = 0);
  REFUSED(d.stride[0] = 2);
  REFUSED(d.pad_begin[0] = 2);
  REFUSED(d.pad_end[1] = -1);
  REFUSED(d.size[2] = 1);
  REFUSED(d.rank = 4);
  REFUSED(d.ceil_mode = 2);
  REFUSED(d.count_include_pad = 1);
  REFUSED(d.reserved[1] = 1);
  REFUSED(d.dilation[0] = 1);
  REFUSED(d.dilation[2] = 1);
  REFUSED(d.n = 0);
  assert_int_equal(cnnblas_pool_backward(&good, 1, NULL, NULL, y, at, dx), CNNBLAS_INVALID_ARGUMENT);
  assert_non_null(strstr(cnnblas_last_error(), "indices[2] is 16"));
  at[2] = -1;
  assert_int_equal(cnnblas_pool_backward(&good, 1, NULL, NULL, y, at, dx), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_pool_forward(&good, 1, x, x + 3, NULL), CNNBLAS_INVALID_ARGUMENT);
  good.kind = CNNBLAS_POOL_AVG;
  assert_int_equal(cnnblas_pool_forward(&good, 1, x, y, at), CNNBLAS_INVALID_ARGUMENT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(random_problems_agree_with_the_definition),
                                     cmocka_unit_test(dilated_windows_agree_with_the_definition),
                                     cmocka_unit_test(adaptive_windows_agree_with_the_definition),
                                     cmocka_unit_test(the_theorys_size_holds),
                                     cmocka_unit_test(ceil_mode_never_begins_a_window_in_the_back_padding),
                                     cmocka_unit_test(ceil_mode_takes_windows_larger_than_the_input),
                                     cmocka_unit_test(max_starts_at_minus_infinity),
                                     cmocka_unit_test(nan_wins_and_the_first_of_equals_is_kept),
                                     cmocka_unit_test(l2_does_not_overflow_and_has_gradient_zero_at_zero),
                                     cmocka_unit_test(uncovered_positions_get_gradient_zero),
                                     cmocka_unit_test(gradients_agree_with_differences),
                                     cmocka_unit_test(bits_do_not_depend_on_threads),
                                     cmocka_unit_test(bad_arguments_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
