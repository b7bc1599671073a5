/*
 * What must hold whatever the numbers are: linearity, the delta filter, shifts, adjointness, finite differences, NaN and
 * Inf, and independence of the batch. Every algorithm that applies, on the samples of support/samples.c.
 */
#include "support/rig.h"
#include "support/samples.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rig arrays;
static uint64_t seed;

/* The direction's first and second input, and their lengths. */
static guarded *first_input(cnnblas_conv_direction d)
{
  return d == CNNBLAS_BACKWARD_DATA ? &arrays.y : &arrays.x;
}
static guarded *second_input(cnnblas_conv_direction d)
{
  return d == CNNBLAS_BACKWARD_WEIGHTS ? &arrays.y : &arrays.w;
}
static int64_t elements(const problem *p, const guarded *array)
{
  return (int64_t)(array->bytes / p->element);
}

static bool run(const problem *p, cnnblas_conv_direction d, const char *algorithm)
{
  variant v = {.algorithm = algorithm, .threads = 2};
  return rig_run(&arrays, p, d, p->n, &v);
}

/* Checks the last run against the definition within the bound of its row: for rows whose results are not the same to the bit. */
static void check_bound(const problem *p, cnnblas_conv_direction d, bool integers)
{
  static oracle want;
  const variant plain = {.algorithm = NULL};
  rig_expect(&arrays, p, d, p->n, &plain, &want, NULL);
  rig_check(&arrays, &plain, &want, NULL, integers, "the last run");
}

static double *copy_of(const problem *p, const guarded *array)
{
  int64_t count = elements(p, array);
  double *copy = malloc(((size_t)count + 1) * sizeof *copy);
  assert_non_null(copy);
  for (int64_t i = 0; i < count; i++) copy[i] = array_get(p->desc.dtype, array->data, i);
  return copy;
}

static void put(const problem *p, guarded *array, const double *values)
{
  guarded_protect(array, false);
  for (int64_t i = 0; i < elements(p, array); i++) array_set(p->desc.dtype, array->data, i, values[i]);
}

static rng sample_rng(const problem *p)
{
  return rng_at(seed, (uint64_t)(p->x_elements * 31 + p->y_elements * 7 + p->w_elements));
}

/* f(2a - 3b) = 2 f(a) - 3 f(b), exactly on small integers, in each operand. */
static bool linear_in(const problem *p, cnnblas_conv_direction d, const char *algorithm, guarded *operand)
{
  rng r = sample_rng(p);
  rig_fill(&arrays, p, &r, true, AGAINST_END);
  if (!run(p, d, algorithm)) return false;
  double *a = copy_of(p, operand), *fa = copy_of(p, &arrays.out);
  rig_lock(&arrays, false);
  array_fill_integers(p->desc.dtype, operand->data, elements(p, operand), &r);
  run(p, d, algorithm);
  double *b = copy_of(p, operand), *fb = copy_of(p, &arrays.out);
  for (int64_t i = 0; i < elements(p, operand); i++) b[i] = 2 * a[i] - 3 * b[i];
  put(p, operand, b);
  run(p, d, algorithm);
  const bool exact = oracle_bound_of(&arrays.row, true) == ORACLE_EXACT;
  if (!exact) check_bound(p, d, true);
  for (int64_t i = 0; i < elements(p, &arrays.out) && exact; i++)
    if (array_get(p->desc.dtype, arrays.out.data, i) != 2 * fa[i] - 3 * fb[i])
      FAIL("element %lld is %g, not 2 * %g - 3 * %g", (long long)i, array_get(p->desc.dtype, arrays.out.data, i), fa[i],
           fb[i]);
  free(a), free(b), free(fa), free(fb);
  return true;
}

static bool check_linear(const problem *p, cnnblas_conv_direction d, const char *algorithm)
{
  return linear_in(p, d, algorithm, first_input(d)) && linear_in(p, d, algorithm, second_input(d));
}

static void test_linearity(void **state)
{
  (void)state;
  assert_true(samples_run("linearity", EVERY_DIRECTION, check_linear) > 0);
}

/* A filter that is 1 at one tap of the channel's own plane and 0 elsewhere moves the picture; in the middle of the filter
   and with padding (R-1)/2 it is the identity. Reals: moving changes no bit, but where neighbours are added before the product. */
static bool check_delta(const problem *p, const char *algorithm, int64_t tap)
{
  cnnblas_dtype type = p->desc.dtype;
  rng r = rng_at(seed, (uint64_t)tap);
  rig_fill(&arrays, p, &r, false, AGAINST_END);
  guarded_protect(&arrays.w, false);
  for (int64_t i = 0; i < p->w_elements; i++)
    array_set(type, arrays.w.data, i, i / p->filter / p->cg % p->kg == i / p->filter % p->cg && i % p->filter == tap);
  if (!run(p, CNNBLAS_FORWARD, algorithm)) return false;
  if (arrays.row.norm_factor) return check_bound(p, CNNBLAS_FORWARD, false), true;
  int64_t t[2] = {tap / p->taps[2], tap % p->taps[2]};
  if (p->desc.mode == CNNBLAS_TRUE_CONVOLUTION)
    for (int i = 0; i < 2; i++) t[i] = p->taps[i + 1] - 1 - t[i];
  for (int64_t i = 0; i < p->y_elements; i++) {
    int64_t row = i / p->out[2] % p->out[1] - p->begin[1] + t[0], column = i % p->out[2] - p->begin[2] + t[1];
    bool inside = row >= 0 && row < p->in[1] && column >= 0 && column < p->in[2];
    int64_t from = (i / p->pixels * p->in[1] + row) * p->in[2] + column;
    double want = inside ? array_get(type, arrays.x.data, from) : 0;
    if (array_get(type, arrays.out.data, i) != want)
      FAIL("tap %lld, element %lld is %g, expected %g", (long long)tap, (long long)i,
           array_get(type, arrays.out.data, i), want);
  }
  return true;
}

static void test_delta_filter_and_shifts(void **state)
{
  (void)state;
  static const cnnblas_conv_desc descs[] = {
      {.n = 2, .c = 4, .k = 4, .size = {7, 9}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
      {.n = 2, .c = 4, .k = 4, .groups = 4, .size = {7, 9}, .kernel = {5, 3}, .pad_begin = {2, 1}, .pad_end = {2, 1}},
      {.n = 1, .c = 33, .k = 33, .size = {14, 14}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
      {.n = 1, .c = 6, .k = 6, .size = {5, 7}, .kernel = {1, 1}},
      {.n = 1,
       .c = 3,
       .k = 3,
       .size = {6, 6},
       .kernel = {2, 4},
       .pad_begin = {0, 3},
       .mode = CNNBLAS_TRUE_CONVOLUTION}};
  long done = 0;
  for (size_t i = 0; i < sizeof descs / sizeof *descs; i++)
    for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++)
      for (int a = 0; a <= algorithm_count(); a++) {
        problem p = {.desc = descs[i]};
        p.desc.dtype = (cnnblas_dtype)dtype;
        problem_finish(&p);
        char text[PROBLEM_TEXT];
        problem_text(&p, text);
        const char *name = cnnblas_conv_algorithm_name(a);
        harness_doing("delta filter: %s | forward | %s", text, name ? name : "auto");
        for (int64_t tap = 0; tap < p.filter; tap++) done += check_delta(&p, name, tap);
      }
  printf("delta filters and shifts: %ld cases\n", done);
  assert_true(done > 0);
}

static double dot(const problem *p, const guarded *a, const guarded *b)
{
  double sum = 0;
  for (int64_t i = 0; i < elements(p, a); i++)
    sum += array_get(p->desc.dtype, a->data, i) * array_get(p->desc.dtype, b->data, i);
  return sum;
}

/* <conv(x, w), y> = <x, backward_data(y, w)> = <w, backward_weights(x, y)>, exactly on small integers. The direction is
   compared with the definition's forward, so that each algorithm stands alone. */
static bool check_adjoint(const problem *p, cnnblas_conv_direction d, const char *algorithm)
{
  static oracle forward;
  rng r = sample_rng(p);
  rig_fill(&arrays, p, &r, true, AGAINST_START);
  oracle_run(&forward, p, CNNBLAS_FORWARD, p->n, arrays.x.data, arrays.w.data, NULL);
  double want = 0;
  for (int64_t i = 0; i < forward.count; i++)
    want += (double)forward.value[i] * array_get(p->desc.dtype, arrays.y.data, i);
  if (!run(p, d, algorithm)) return false;
  if (oracle_bound_of(&arrays.row, true) != ORACLE_EXACT) return check_bound(p, d, true), true;
  const guarded *partner = d == CNNBLAS_FORWARD ? &arrays.y : d == CNNBLAS_BACKWARD_DATA ? &arrays.x : &arrays.w;
  if (dot(p, &arrays.out, partner) != want) FAIL("the product is %g, expected %g", dot(p, &arrays.out, partner), want);
  return true;
}

static void test_adjoint(void **state)
{
  (void)state;
  assert_true(samples_run("adjoint identities", EVERY_DIRECTION, check_adjoint) > 0);
}

/* The loss <y, dy> as a function of one element of an operand, by the algorithm's own forward. */
static double loss_at(const problem *p, const char *algorithm, guarded *operand, int64_t i, double value)
{
  double before = array_get(CNNBLAS_F64, operand->data, i);
  guarded_protect(operand, false);
  array_set(CNNBLAS_F64, operand->data, i, value);
  if (!run(p, CNNBLAS_FORWARD, algorithm)) run(p, CNNBLAS_FORWARD, NULL); /* rows without a forward */
  double loss = dot(p, &arrays.out, &arrays.y);
  array_set(CNNBLAS_F64, operand->data, i, before);
  return loss;
}

/* Gradients against central differences of the loss, in f64. The loss is linear in each operand, so a step of 1 is as good
   as a small one; what is left is rounding, below 1e-12 of the sums' magnitudes here. */
static bool check_differences(const problem *p, cnnblas_conv_direction d, const char *algorithm)
{
  if (p->desc.dtype != CNNBLAS_F64) return false;
  rng r = sample_rng(p);
  rig_fill(&arrays, p, &r, false, AGAINST_END);
  if (!run(p, d, algorithm)) return false;
  double *gradient = copy_of(p, &arrays.out);
  guarded *operand = d == CNNBLAS_BACKWARD_DATA ? &arrays.x : &arrays.w;
  double scale = (double)(p->y_elements * p->cg * p->filter);
  for (int trial = 0; trial < 12; trial++) {
    int64_t i = rng_range(&r, 0, elements(p, operand) - 1);
    double at = array_get(CNNBLAS_F64, operand->data, i);
    double slope = (loss_at(p, algorithm, operand, i, at + 1) - loss_at(p, algorithm, operand, i, at - 1)) / 2;
    if (!(fabs(slope - gradient[i]) <= 1e-12 * scale))
      FAIL("element %lld: the gradient is %.15g, the difference quotient %.15g", (long long)i, gradient[i], slope);
  }
  free(gradient);
  return true;
}

static void test_finite_differences(void **state)
{
  (void)state;
  assert_true(samples_run("finite differences", EVERY_DIRECTION & ~ONLY_FORWARD, check_differences) > 0);
}

/* One NaN or infinity planted anywhere shows exactly where the definition says, and nowhere else. */
static bool check_plants(const problem *p, cnnblas_conv_direction d, const char *algorithm)
{
  static oracle want, want_db;
  static const double plants[] = {NAN, INFINITY, -INFINITY};
  rng r = sample_rng(p);
  variant v = {.algorithm = algorithm, .threads = 2, .db = d == CNNBLAS_BACKWARD_WEIGHTS};
  rig_fill(&arrays, p, &r, false, AGAINST_END);
  cnnblas_conv_plan *plan = rig_plan(p, d, &v);
  if (!plan) return false;
  for (int trial = 0; trial < 24; trial++) {
    guarded *operand = trial % 2 ? second_input(d) : first_input(d);
    int64_t at = rng_range(&r, 0, elements(p, operand) - 1);
    double before = array_get(p->desc.dtype, operand->data, at);
    guarded_protect(operand, false);
    array_set(p->desc.dtype, operand->data, at, plants[trial / 2 % 3]);
    rig_expect(&arrays, p, d, p->n, &v, &want, &want_db);
    rig_execute(&arrays, p, d, p->n, &v, plan);
    char what[64];
    snprintf(what, sizeof what, "%g at element %lld of the %s input", plants[trial / 2 % 3], (long long)at,
             trial % 2 ? "second" : "first");
    rig_check(&arrays, &v, &want, &want_db, false, what);
    array_set(p->desc.dtype, operand->data, at, before);
  }
  cnnblas_conv_plan_destroy(plan);
  return true;
}

static void test_nan_and_inf(void **state)
{
  (void)state;
  assert_true(samples_run("NaN and Inf", EVERY_DIRECTION, check_plants) > 0);
}

/* NaN through the epilogue: bias, residual and ReLU keep it; ReLU of -Inf is 0. */
static bool check_epilogue_plants(const problem *p, cnnblas_conv_direction d, const char *algorithm)
{
  static oracle want;
  static const double plants[] = {NAN, INFINITY, -INFINITY};
  rng r = sample_rng(p);
  for (int trial = 0; trial < 6; trial++) {
    variant v = {.algorithm = algorithm, .bias = true, .residual = true, .relu = true};
    rig_fill(&arrays, p, &r, false, AGAINST_END);
    rig_lock(&arrays, false);
    guarded *operand = trial % 2 ? &arrays.bias : &arrays.residual;
    array_set(p->desc.dtype, operand->data, rng_range(&r, 0, elements(p, operand) - 1), plants[trial / 2]);
    rig_expect(&arrays, p, d, p->n, &v, &want, NULL);
    if (!rig_run(&arrays, p, d, p->n, &v)) return false;
    rig_check(&arrays, &v, &want, NULL, false, "after the epilogue");
  }
  return true;
}

static void test_nan_and_inf_in_the_epilogue(void **state)
{
  (void)state;
  assert_true(samples_run("NaN and Inf in the epilogue", ONLY_FORWARD, check_epilogue_plants) > 0);
}

/* Outputs that hold NaN are overwritten without being read; a NaN that is to be added to stays. */
static bool check_accumulated_nan(const problem *p, cnnblas_conv_direction d, const char *algorithm)
{
  static oracle want;
  rng r = sample_rng(p);
  variant v = {.algorithm = algorithm, .accumulate = true};
  rig_fill(&arrays, p, &r, false, AGAINST_END);
  rig_lock(&arrays, false);
  for (int64_t i = 0; i < problem_outputs(p, d, p->n); i += 3) array_set(p->desc.dtype, arrays.old.data, i, NAN);
  rig_expect(&arrays, p, d, p->n, &v, &want, NULL);
  if (!rig_run(&arrays, p, d, p->n, &v)) return false;
  rig_check(&arrays, &v, &want, NULL, false, "accumulated");
  return true;
}

static void test_accumulating_onto_nan(void **state)
{
  (void)state;
  assert_true(samples_run("accumulating onto NaN", EVERY_DIRECTION, check_accumulated_nan) > 0);
}

/* A column of pixels, a row and a line of rank 1 are the same arrays: the same algorithm, and the same bits in each direction. */
static void test_axes_of_length_one(void **state)
{
  (void)state;
  enum { N = 2, C = 3, K = 5, LENGTH = 97, TAPS = 9, OUT = 49, X = N * C * LENGTH, W = K * C * TAPS, Y = N * K * OUT };
  static const struct {
    int rank, axis;
  } lines[] = {{1, 0}, {2, 0}, {2, 1}, {3, 0}, {3, 1}, {3, 2}};
  static float x[X], w[W], dy[Y], first[3][Y > X ? Y : X], result[Y > X ? Y : X];
  rng r = rng_at(seed, 77);
  for (int i = 0; i < X; i++) x[i] = (float)rng_real(&r);
  for (int i = 0; i < W; i++) w[i] = (float)rng_real(&r);
  for (int i = 0; i < Y; i++) dy[i] = (float)rng_real(&r);
  char algorithm[3][64];
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
    for (int d = 0; d < 3; d++) {
      cnnblas_conv_desc desc = {.n = N, .c = C, .k = K, .rank = lines[i].rank};
      for (int a = 0; a < lines[i].rank; a++) {
        const bool line = a == lines[i].axis;
        desc.size[a] = line ? LENGTH : 1;
        desc.kernel[a] = line ? TAPS : 1;
        desc.stride[a] = line ? 2 : 1;
        desc.pad_begin[a] = desc.pad_end[a] = line ? 4 : 0;
      }
      harness_doing("rank %d, axis %d, direction %d", lines[i].rank, lines[i].axis, d);
      cnnblas_conv_plan *plan;
      ASSERT_OK(cnnblas_conv_plan_create(&desc, (cnnblas_conv_direction)d, NULL, &plan));
      if (d == 0) ASSERT_OK(cnnblas_conv_forward(plan, N, x, w, NULL, result, NULL, 0));
      if (d == 1) ASSERT_OK(cnnblas_conv_backward_data(plan, N, dy, w, result, NULL, 0));
      if (d == 2) ASSERT_OK(cnnblas_conv_backward_weights(plan, N, x, dy, result, NULL, NULL, 0));
      const size_t bytes = sizeof(float) * (size_t)(d == 0 ? Y : d == 1 ? X : W);
      if (i == 0) {
        memcpy(first[d], result, bytes);
        snprintf(algorithm[d], sizeof algorithm[d], "%s", cnnblas_conv_plan_algorithm(plan));
      }
      assert_string_equal(cnnblas_conv_plan_algorithm(plan), algorithm[d]);
      assert_memory_equal(result, first[d], bytes);
      cnnblas_conv_plan_destroy(plan);
    }
}

static int close_arrays(void **state)
{
  (void)state;
  rig_free(&arrays);
  return 0;
}

int main(void)
{
  seed = rng_seed(31);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_linearity),
      cmocka_unit_test(test_delta_filter_and_shifts),
      cmocka_unit_test(test_adjoint),
      cmocka_unit_test(test_finite_differences),
      cmocka_unit_test(test_nan_and_inf),
      cmocka_unit_test(test_nan_and_inf_in_the_epilogue),
      cmocka_unit_test(test_accumulating_onto_nan),
      cmocka_unit_test(test_axes_of_length_one),
  };
  return cmocka_run_group_tests(tests, NULL, close_arrays);
}
