/*
 * The root mean square error of every algorithm is at most twice that of im2col on the same data, or ERROR_LINE, measured
 * against sums in a wider type: on problems with enough terms and outputs for the figure to mean something. im2col alone would
 * be no measure: its error is that of OpenBLAS's kernel, which on one machine sums half as long chains as on another.
 * Those of relaxed accuracy may have three times as much, and those of one chain any; their ratio is printed all the same.
 *
 * Products that underflow: every algorithm is within its bound with the m, and not all are without it.
 *
 * The option of that name: which rows a plan, measured or estimated, may take.
 */
#include "support/norms.h"
#include "support/rig.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const cnnblas_conv_desc layers[] = {
    {.n = 1, .c = 64, .k = 32, .size = {14, 14}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 1, .c = 256, .k = 24, .size = {7, 7}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 1, .c = 512, .k = 16, .size = {7, 7}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 1, .c = 24, .k = 256, .size = {7, 7}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 4,
     .c = 64,
     .k = 16,
     .size = {28, 28},
     .kernel = {3, 3},
     .stride = {2, 2},
     .pad_begin = {1, 1},
     .pad_end = {1, 1}},
    {.n = 4,
     .c = 3,
     .k = 32,
     .size = {56, 56},
     .kernel = {7, 7},
     .stride = {2, 2},
     .pad_begin = {3, 3},
     .pad_end = {3, 3}},
    {.n = 1, .c = 1024, .k = 64, .size = {7, 7}, .kernel = {1, 1}},
    {.n = 1, .c = 64, .k = 1024, .size = {7, 7}, .kernel = {1, 1}},
    {.n = 8, .c = 32, .k = 32, .size = {28, 28}, .kernel = {1, 1}},
    {.n = 2, .c = 256, .k = 64, .size = {14, 14}, .kernel = {1, 1}, .stride = {2, 2}},
    {.n = 8, .c = 4, .k = 4, .size = {56, 56}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 8,
     .c = 32,
     .k = 32,
     .groups = 32,
     .size = {28, 28},
     .kernel = {3, 3},
     .pad_begin = {1, 1},
     .pad_end = {1, 1}},
    {.n = 8, .c = 8, .k = 8, .groups = 8, .size = {112, 112}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 16, .c = 64, .k = 64, .groups = 64, .size = {7, 7}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
    {.n = 2,
     .c = 16,
     .k = 32,
     .groups = 16,
     .size = {56, 56},
     .kernel = {5, 5},
     .pad_begin = {2, 2},
     .pad_end = {2, 2}},
    {.n = 2,
     .c = 128,
     .k = 64,
     .groups = 4,
     .size = {14, 14},
     .kernel = {3, 3},
     .pad_begin = {1, 1},
     .pad_end = {1, 1}},
    {.n = 2, .rank = 1, .c = 32, .k = 16, .size = {2000}, .kernel = {9}},
    {.n = 1, .rank = 3, .c = 16, .k = 16, .size = {6, 10, 10}, .kernel = {3, 3, 3}},
};

#define ERROR_LINE 3.86 /* units of roundoff: 2.3e-7 of f32 */

static rig arrays;
static uint64_t seed;
static int worse; /* results that are less accurate than promised */

/* Times that limit, an error that a row may have. */
static double allowed_share(const char *algorithm)
{
  const cnnblas_accuracy accuracy = algorithm_info(algorithm).accuracy;
  return accuracy == CNNBLAS_ACCURACY_CHAIN ? INFINITY : accuracy == CNNBLAS_ACCURACY_NORM_RELAXED ? 3 : 1;
}

/* Lowering and GEMM of any problem: im2col. */
static bool is_measure(const cnnblas_algorithm_info *row)
{
  return row->uses_blas && row->scope == CNNBLAS_SCOPE_EVERY;
}

/* RMS error of one algorithm; negative if it does not apply. */
static double rms_of(const problem *p, cnnblas_conv_direction d, const char *algorithm, const oracle *want)
{
  variant v = {.algorithm = algorithm, .threads = 2};
  return rig_run(&arrays, p, d, p->n, &v) ? oracle_rms(want, arrays.out.data) : -1;
}

static void compare(const problem *p, cnnblas_conv_direction d)
{
  static oracle want;
  char text[PROBLEM_TEXT];
  problem_text(p, text);
  harness_doing("accuracy: %s | %s", text, cnnblas_conv_direction_name((cnnblas_conv_direction)d));
  variant plain = {.algorithm = NULL};
  rig_expect(&arrays, p, d, p->n, &plain, &want, NULL);
  if (want.count < 50 || want.terms < 8) return;
  const char *measure = algorithm_where(is_measure);
  double bar = rms_of(p, d, measure, &want);
  double limit = fmax(2 * bar, ERROR_LINE * (p->desc.dtype == CNNBLAS_F64 ? 0x1p-53 : 0x1p-24));
  printf("%-17s %5lld terms, im2col %.2e;", cnnblas_conv_direction_name((cnnblas_conv_direction)d),
         (long long)want.terms, bar);
  for (int a = 0; a <= algorithm_count(); a++) {
    const char *name = cnnblas_conv_algorithm_name(a);
    if (name && strcmp(name, measure) == 0) continue;
    double rms = rms_of(p, d, name, &want);
    if (rms < 0) continue;
    printf(" %s %.2f", name ? name : "auto", rms / bar);
    if (rms <= allowed_share(name) * limit) continue;
    print_error("\n%s has an RMS error of %.3e, %.2f times the %.3e of %s\n  while: %s\n", name ? name : "auto", rms,
                rms / bar, bar, measure, harness_line());
    worse++;
  }
  printf("\n");
}

static void test_rms_errors(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
    for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++) {
      problem p = {.desc = layers[i]};
      p.desc.dtype = (cnnblas_dtype)dtype;
      problem_finish(&p);
      if (dtype == CNNBLAS_F64 && problem_macs(&p) > 4e6) continue;
      rng r = rng_at(seed, i);
      rig_fill(&arrays, &p, &r, false, AGAINST_END);
      for (int d = 0; d < DIRECTIONS; d++) compare(&p, (cnnblas_conv_direction)d);
    }
  rig_free(&arrays);
  assert_int_equal(worse, 0);
}

/* ---- products near the smallest normal number and far below it ---- */

static void spread(cnnblas_dtype dtype, guarded *array, int64_t count, int from, int to, rng *r)
{
  for (int64_t i = 0; i < count; i++) {
    double value = ldexp(array_get(dtype, array->data, i), (int)rng_range(r, from, to));
    array_set(dtype, array->data, i, value);
  }
}

/* Results beyond the bound; *only_by_m counts those that the m alone saves. */
static int64_t beyond(const oracle *want, const rig *g, int64_t *only_by_m)
{
  const void *got = g->out.data;
  const long double m = want->dtype == CNNBLAS_F64 ? 0x1p-1074L : 0x1p-149L;
  const double factor = g->row.norm_factor ? norms_factor(g->row.norm_factor, want->terms) : (double)want->terms;
  int64_t wrong = 0;
  for (int64_t i = 0; i < want->count; i++) {
    long double error = fabsl(want->value[i] - (long double)array_get(want->dtype, got, i));
    long double without = oracle_allowed(want, i, &g->row, false);
    wrong += !(error <= without + (long double)factor * m);
    *only_by_m += error > without;
  }
  return wrong;
}

static void test_underflow(void **state)
{
  (void)state;
  static oracle want;
  static const cnnblas_conv_desc shapes[] = {
      {.n = 2, .c = 16, .k = 24, .size = {9, 11}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
      {.n = 2, .c = 32, .k = 16, .size = {8, 8}, .kernel = {1, 1}},
      {.n = 2, .c = 16, .k = 16, .groups = 16, .size = {14, 14}, .kernel = {3, 3}},
      {.n = 16, .c = 8, .k = 8, .size = {4, 4}, .kernel = {2, 2}}};
  int64_t saved = 0, results = 0;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++)
      for (int low = 0; low < 3; low++) {
        problem p = {.desc = shapes[i]};
        p.desc.dtype = (cnnblas_dtype)dtype;
        problem_finish(&p);
        rng r = rng_at(seed, 1000 + i);
        int half = dtype == CNNBLAS_F64 ? -511 : -63, down = low * (dtype == CNNBLAS_F64 ? 12 : 5);
        rig_fill(&arrays, &p, &r, false, AGAINST_END);
        rig_lock(&arrays, false);
        spread(p.desc.dtype, &arrays.x, p.x_elements, half - down - 2, half - down + 2, &r);
        spread(p.desc.dtype, &arrays.w, p.w_elements, half - down - 2, half - down + 2, &r);
        spread(p.desc.dtype, &arrays.y, p.y_elements, half - down - 2, half - down + 2, &r);
        rig_lock(&arrays, true);
        for (int d = 0; d < DIRECTIONS; d++) {
          variant plain = {.algorithm = NULL};
          rig_expect(&arrays, &p, (cnnblas_conv_direction)d, p.n, &plain, &want, NULL);
          for (int a = 0; a <= algorithm_count(); a++) {
            variant v = {.algorithm = cnnblas_conv_algorithm_name(a), .threads = 2};
            harness_doing("underflow: shape %zu, %s, 2^%d, %s, %s", i, dtype ? "f64" : "f32", 2 * (half - down),
                          cnnblas_conv_direction_name((cnnblas_conv_direction)d), v.algorithm ? v.algorithm : "auto");
            if (!rig_run(&arrays, &p, (cnnblas_conv_direction)d, p.n, &v)) continue;
            int64_t wrong = beyond(&want, &arrays, &saved);
            if (wrong) FAIL("%lld of %lld results", (long long)wrong, (long long)want.count);
            results += want.count;
          }
        }
      }
  printf("%lld results, %lld of them within the bound by its term for underflow alone\n", (long long)results,
         (long long)saved);
  assert_true(saved > 0);
  rig_free(&arrays);
}

/* ---- the option ---- */

static bool may_take(const cnnblas_algorithm_info *row, int policy)
{
  static const bool norm[] = {true, false, true}, relaxed[] = {false, false, true};
  return row->accuracy == CNNBLAS_ACCURACY_NORM           ? norm[policy]
         : row->accuracy == CNNBLAS_ACCURACY_NORM_RELAXED ? relaxed[policy]
                                                          : true;
}

static void check_said(const cnnblas_conv_plan *plan, int policy, const cnnblas_algorithm_info *row)
{
  char text[4096], line[96];
  ASSERT_OK(cnnblas_conv_plan_describe(plan, text, sizeof text, NULL));
  snprintf(line, sizeof line, "\naccuracy: %s; %s", cnnblas_accuracy_policy_name((cnnblas_accuracy_policy)policy),
           row->norm_factor ? "norm-wise bound of factor " : "element-wise bound\n");
  if (!strstr(text, line)) FAIL("no \"%s\" in\n%s", line + 1, text);
  cnnblas_algorithm_info other;
  for (int i = 0; cnnblas_conv_algorithm_info(i, &other) == CNNBLAS_OK; i++) {
    char estimated[96];
    snprintf(estimated, sizeof estimated, "not %s: estimated", other.name);
    if (!may_take(&other, policy)) assert_null(strstr(text, estimated));
  }
}

/* No plan of any policy takes a row whose bound it does not allow, and each row runs by name at each policy. */
static void test_option_is_respected(void **state)
{
  (void)state;
  long norm_rows[3] = {0}, forced = 0;
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
    for (int d = 0; d < DIRECTIONS; d++)
      for (int policy = 0; policy < 3; policy++)
        for (int a = 0; a <= algorithm_count(); a++) {
          const char *name = cnnblas_conv_algorithm_name(a);
          const cnnblas_conv_options o = {.algorithm = name, .accuracy = (cnnblas_accuracy_policy)policy};
          cnnblas_conv_plan *plan;
          if (cnnblas_conv_plan_create(&layers[i], (cnnblas_conv_direction)d, &o, &plan)) continue;
          const cnnblas_algorithm_info row = algorithm_info(cnnblas_conv_plan_algorithm(plan));
          if (!name && !may_take(&row, policy)) FAIL("%s at policy %d", row.name, policy);
          if (name) assert_string_equal(row.name, name);
          check_said(plan, policy, &row);
          norm_rows[policy] += !name && row.norm_factor;
          forced += name && row.norm_factor;
          cnnblas_conv_plan_destroy(plan);
        }
  printf("plans with a norm-wise bound: %ld by default, %ld exact, %ld relaxed, %ld by name\n", norm_rows[0],
         norm_rows[1], norm_rows[2], forced);
  assert_int_equal(norm_rows[1], 0);
}

/* Measuring takes none that the policy does not allow, and does not even time it. */
static void test_measured_plans(void **state)
{
  (void)state;
  cnnblas_conv_desc desc = {
      .n = 1, .c = 16, .k = 16, .size = {14, 14}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
  for (int policy = 0; policy < 3; policy++)
    for (int d = 0; d < DIRECTIONS; d++) {
      const cnnblas_conv_options o = {.effort = CNNBLAS_MEASURE, .accuracy = (cnnblas_accuracy_policy)policy};
      cnnblas_conv_plan *plan;
      char text[4096], line[96];
      cnnblas_algorithm_info row;
      ASSERT_OK(cnnblas_conv_plan_create(&desc, (cnnblas_conv_direction)d, &o, &plan));
      row = algorithm_info(cnnblas_conv_plan_algorithm(plan));
      assert_true(may_take(&row, policy));
      ASSERT_OK(cnnblas_conv_plan_describe(plan, text, sizeof text, NULL));
      for (int i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++) {
        snprintf(line, sizeof line, "not %s: measured", row.name);
        if (!may_take(&row, policy)) assert_null(strstr(text, line));
      }
      cnnblas_conv_plan_destroy(plan);
    }
}

/* Every row says which bound it holds, and its factor if that is the norm-wise one. */
static void test_declared_bounds(void **state)
{
  (void)state;
  cnnblas_algorithm_info row;
  for (int i = 0; cnnblas_conv_algorithm_info(i, &row) == CNNBLAS_OK; i++) {
    const bool norm = row.accuracy == CNNBLAS_ACCURACY_NORM || row.accuracy == CNNBLAS_ACCURACY_NORM_RELAXED;
    assert_int_equal(row.norm_factor > 0, norm);
  }
  assert_string_equal(cnnblas_accuracy_policy_name(CNNBLAS_ACCURACY_DEFAULT), "default");
  assert_string_equal(cnnblas_accuracy_policy_name(CNNBLAS_ACCURACY_EXACT), "exact");
  assert_string_equal(cnnblas_accuracy_policy_name(CNNBLAS_ACCURACY_RELAXED), "relaxed");
  assert_null(cnnblas_accuracy_policy_name((cnnblas_accuracy_policy)3));
  assert_null(cnnblas_accuracy_policy_name((cnnblas_accuracy_policy)-1));
}

/* One filter column far larger than the others beside zeros breaks the element-wise bound under a row of the norm-wise one, and
   never under the others: the norms are what such a row promises. */
static void test_contrast(void **state)
{
  (void)state;
  static oracle want;
  problem p = {.desc = {.n = 1, .c = 16, .k = 16, .size = {16, 16}, .kernel = {3, 3}}};
  for (int i = 0; i < 2; i++) p.desc.pad_begin[i] = p.desc.pad_end[i] = 1;
  problem_finish(&p);
  rng r = rng_at(seed, 5000);
  rig_fill(&arrays, &p, &r, false, AGAINST_END);
  rig_lock(&arrays, false);
  for (int64_t i = 0; i < p.w_elements; i += 3)
    array_set(p.desc.dtype, arrays.w.data, i, 3e4 * array_get(p.desc.dtype, arrays.w.data, i));
  rig_lock(&arrays, true);
  for (int d = 0; d < DIRECTIONS; d++) {
    const variant plain = {.algorithm = NULL};
    rig_expect(&arrays, &p, (cnnblas_conv_direction)d, p.n, &plain, &want, NULL);
    for (int a = 0; a <= algorithm_count(); a++)
      for (int policy = 0; policy < 3; policy++) {
        const variant v = {
            .algorithm = cnnblas_conv_algorithm_name(a), .threads = 2, .accuracy = (cnnblas_accuracy_policy)policy};
        if (!rig_run(&arrays, &p, (cnnblas_conv_direction)d, p.n, &v)) continue;
        rig_check(&arrays, &v, &want, NULL, false, "columns of contrast 3e4");
        int64_t broken = 0;
        for (int64_t i = 0; i < want.count; i++)
          broken += fabs(array_get(p.desc.dtype, arrays.out.data, i) - (double)want.value[i]) >
                    (double)want.terms * 0x1p-24 * want.magnitude[i];
        if (!arrays.row.norm_factor) assert_int_equal(broken, 0);
        if (policy == 0 && broken)
          printf("%s, direction %d: %lld of %lld outputs beyond the element-wise bound\n", arrays.row.name, d,
                 (long long)broken, (long long)want.count);
      }
  }
  rig_free(&arrays);
}

int main(void)
{
  seed = rng_seed(99);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rms_errors),          cmocka_unit_test(test_underflow),
                                     cmocka_unit_test(test_option_is_respected), cmocka_unit_test(test_measured_plans),
                                     cmocka_unit_test(test_declared_bounds),     cmocka_unit_test(test_contrast)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
