/*
 * The root mean square error of every algorithm is at most twice that of im2col on the same data, measured against sums in
 * a wider type: on problems with enough terms and outputs for the figure to mean something. Algorithms that are only taken
 * by name are opted into and may do worse; their ratio is printed all the same.
 */
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

static rig arrays;
static uint64_t seed;
static int worse; /* results that are less accurate than promised */

static bool opted_into(const char *algorithm)
{
  return algorithm_info(algorithm).accuracy == CNNBLAS_ACCURACY_CHAIN;
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
  double bar = rms_of(p, d, "im2col", &want);
  printf("%-17s %5lld terms, im2col %.2e;", cnnblas_conv_direction_name((cnnblas_conv_direction)d),
         (long long)want.terms, bar);
  for (int a = 0; a <= algorithm_count(); a++) {
    const char *name = cnnblas_conv_algorithm_name(a);
    if (name && strcmp(name, "im2col") == 0) continue;
    double rms = rms_of(p, d, name, &want);
    if (rms < 0) continue;
    printf(" %s %.2f", name ? name : "auto", rms / bar);
    if (rms <= 2 * bar || opted_into(name)) continue;
    print_error("\n%s has an RMS error of %.3e, %.2f times im2col's %.3e\n  while: %s\n", name ? name : "auto", rms,
                rms / bar, bar, harness_line());
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

int main(void)
{
  seed = rng_seed(99);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rms_errors)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
