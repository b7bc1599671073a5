/*
 * The rows that compute by transforms ("winograd" and its faster kin): exact on small integers where the points are 0, 1 and -1,
 * near enough on reals, NaN, Inf and overflow as the definition has them, the same bits however the work is cut.
 *
 * To see one problem again: CNNBLAS_TEST_SEED=S test_winograd --only I
 */
#include "support/names.h"
#include "support/rig.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rig arrays;
static oracle want, want_db;
static uint64_t seed;
static int64_t only = -1;

enum { BOTH = 2 /* directions: forward and input gradient; the third: test_winograd_dw */ };

/* A problem that the rows take: 3 x 3, or 3 along rows, stride 1, any padding, any channels, groups of 8 and more. */
static void random_problem(problem *p, rng *r)
{
  cnnblas_conv_desc *d = &p->desc;
  memset(p, 0, sizeof *p);
  d->dtype = rng_chance(r, 30) ? CNNBLAS_F64 : CNNBLAS_F32;
  d->rank = rng_chance(r, 25) ? 1 : 2;
  d->mode = rng_chance(r, 25) ? CNNBLAS_TRUE_CONVOLUTION : CNNBLAS_CROSS_CORRELATION;
  d->n = rng_range(r, 1, 4);
  d->groups = rng_chance(r, 25) ? rng_range(r, 2, 3) : 1;
  d->c = d->groups * rng_range(r, d->groups > 1 ? 8 : 1, rng_chance(r, 15) ? 90 : 20);
  d->k = d->groups * rng_range(r, d->groups > 1 ? 8 : 1, rng_chance(r, 15) ? 70 : 20);
  for (int i = 0; i < d->rank; i++) {
    const bool last = i == d->rank - 1;
    d->size[i] = rng_range(r, 3, last && rng_chance(r, 15) ? 150 : 17);
    d->kernel[i] = 3;
    d->pad_begin[i] = rng_range(r, 0, 3);
    d->pad_end[i] = rng_range(r, 0, 3);
  }
  if (d->rank == 2 && rng_chance(r, 20)) d->kernel[0] = 1;
  problem_finish(p);
}

static void doing(const problem *p, int direction, const variant *v, int64_t item)
{
  char text[PROBLEM_TEXT], how[VARIANT_TEXT];
  problem_text(p, text);
  variant_text(v, how);
  harness_doing("%s | %s | %s | CNNBLAS_TEST_SEED=%llu test_winograd --only %lld", text,
                cnnblas_conv_direction_name((cnnblas_conv_direction)direction), how, (unsigned long long)seed,
                (long long)item);
}

static void test_integers_are_exact(void **state)
{
  (void)state;
  enum { COUNT = 400 };
  long done = 0;
  for (int64_t item = only < 0 ? 0 : only; item < (only < 0 ? COUNT : only + 1); item++) {
    rng r = rng_at(seed, (uint64_t)item);
    problem p;
    random_problem(&p, &r);
    rig_fill(&arrays, &p, &r, true, rng_chance(&r, 50) ? AGAINST_END : AGAINST_START);
    for (int d = 0; d < DIRECTIONS; d++) {
      variant v;
      variant_random(&v, (cnnblas_conv_direction)d, &r);
      v.algorithm = WINOGRAD;
      doing(&p, d, &v, item);
      rig_expect(&arrays, &p, (cnnblas_conv_direction)d, p.n, &v, &want, &want_db);
      if (!rig_run(&arrays, &p, (cnnblas_conv_direction)d, p.n, &v)) {
        if (v.policy == CNNBLAS_WORKSPACE_DEFAULT && !v.packed) FAIL("it refuses: %s", cnnblas_last_error());
        continue;
      }
      rig_check(&arrays, &v, &want, &want_db, true, "the output");
      done++;
    }
  }
  printf("%ld calls\n", done);
  assert_true(done > COUNT / 2 || only >= 0);
}

/* The rows with transforms, by their declared accuracy. */
static bool transforms(const cnnblas_algorithm_info *row)
{
  return row->norm_factor > 0;
}

/* ---- the same bits however the work is cut ---- */

static void keep(char **copy, size_t *bytes)
{
  *bytes = arrays.out.bytes;
  *copy = realloc(*copy, *bytes + 1);
  assert_non_null(*copy);
  memcpy(*copy, arrays.out.data, *bytes);
}

static void same(const char *copy, size_t bytes, const char *what)
{
  if (bytes != arrays.out.bytes || memcmp(copy, arrays.out.data, bytes) != 0) FAIL("other bits: %s", what);
}

static void check_bits(const problem *p, int d, variant *v, int64_t item)
{
  static char *first;
  size_t bytes;
  const cnnblas_conv_direction direction = (cnnblas_conv_direction)d;
  v->threads = 1;
  doing(p, d, v, item);
  if (!rig_run(&arrays, p, direction, p->n, v)) FAIL("%s refuses: %s", v->algorithm, cnnblas_last_error());
  keep(&first, &bytes);
  for (v->threads = 2; v->threads <= 7; v->threads++) {
    doing(p, d, v, item);
    rig_run(&arrays, p, direction, p->n, v);
    same(first, bytes, "threads");
  }
  v->threads = 3;
  if (d == CNNBLAS_FORWARD && p->cg > 1) {
    v->packed = true;
    doing(p, d, v, item);
    if (!rig_run(&arrays, p, direction, p->n, v)) FAIL("%s refuses packed weights", v->algorithm);
    same(first, bytes, "packed weights");
    v->packed = false;
  }
  if (p->n > 1) { /* fewer images of the plan, and a plan of fewer */
    rig_run(&arrays, p, direction, p->n - 1, v);
    same(first, bytes / (size_t)p->n * (size_t)(p->n - 1), "a call on fewer images");
    problem one = *p;
    one.desc.n = 1;
    problem_finish(&one);
    rig_run(&arrays, &one, direction, 1, v);
    same(first, bytes / (size_t)p->n, "a plan of one image");
  }
  free(first);
  first = NULL;
}

static void test_bits(void **state)
{
  (void)state;
  enum { COUNT = 40 };
  cnnblas_algorithm_info row;
  for (int64_t item = only < 0 ? 0 : only; item < (only < 0 ? COUNT : only + 1); item++)
    for (int a = 0; cnnblas_conv_algorithm_info(a, &row) == CNNBLAS_OK; a++) {
      rng r = rng_at(seed + 1, (uint64_t)item);
      problem p;
      if (!transforms(&row)) continue;
      random_problem(&p, &r);
      if (item % 4 == 0) { /* several blocks */
        p.desc.size[p.rank - 1] = rng_range(&r, 100, 300);
        p.desc.k += 40 * p.g;
        problem_finish(&p);
      }
      rig_fill(&arrays, &p, &r, false, AGAINST_END);
      for (int d = 0; d < BOTH; d++) {
        variant v = {.algorithm = row.name, .bias = d == 0 && rng_chance(&r, 50), .relu = d == 0 && rng_chance(&r, 50)};
        check_bits(&p, d, &v, item);
      }
    }
}

/* ---- NaN, Inf and overflow at every place of a tile ---- */

/* Each result as the reference's: NaN and Inf where they are there, and near it elsewhere. What one huge element adds to the
   error of its tile's other outputs is left out where tiles overlap ("reach" pixels around it). */
static void compare_special(const problem *p, int d, const char *name, const char *reference, bool spreads)
{
  variant v = {.algorithm = reference};
  char *expected = NULL;
  size_t bytes;
  assert_true(rig_run(&arrays, p, (cnnblas_conv_direction)d, p->n, &v));
  keep(&expected, &bytes);
  v.algorithm = name;
  v.threads = 2;
  assert_true(rig_run(&arrays, p, (cnnblas_conv_direction)d, p->n, &v));
  const double tolerance = p->desc.dtype == CNNBLAS_F64 ? 1e-12 : 1e-4;
  for (int64_t i = 0; i < problem_outputs(p, (cnnblas_conv_direction)d, p->n); i++) {
    const double want_it = array_get(p->desc.dtype, expected, i), got = array_get(p->desc.dtype, arrays.out.data, i);
    if (isnan(want_it) ? isnan(got) : isinf(want_it) || isinf(got) || isnan(got) ? got == want_it : true) {
      if (!isfinite(want_it) || spreads || fabs(got - want_it) <= tolerance * fmax(fabs(want_it), 1)) continue;
    }
    FAIL("element %lld is %g, the reference's %g", (long long)i, got, want_it);
  }
  free(expected);
}

static void test_special_values(void **state)
{
  (void)state;
  static const cnnblas_conv_desc shapes[] = {
      {.n = 2, .c = 3, .k = 9, .size = {7, 6}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}},
      {.n = 2, .rank = 1, .c = 9, .k = 3, .size = {13}, .kernel = {3}, .pad_begin = {1}, .pad_end = {1}}};
  const char *reference = NULL;
  cnnblas_algorithm_info row;
  for (int a = 0; cnnblas_conv_algorithm_info(a, &row) == CNNBLAS_OK; a++)
    if (row.accuracy == CNNBLAS_ACCURACY_WIDE) reference = row.name;
  assert_non_null(reference);
  long done = 0;
  for (int a = 0; cnnblas_conv_algorithm_info(a, &row) == CNNBLAS_OK; a++)
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes && transforms(&row); s++)
      for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++) {
        problem p = {.desc = shapes[s]};
        p.desc.dtype = (cnnblas_dtype)dtype;
        problem_finish(&p);
        rng r = rng_at(seed + 2, s);
        rig_fill(&arrays, &p, &r, false, AGAINST_END);
        rig_lock(&arrays, false);
        const double huge = dtype == CNNBLAS_F64 ? 1e308 : 1e38, values[] = {NAN, INFINITY, -INFINITY, huge, -3 * huge};
        for (int v = 0; v < 5; v++)
          for (int d = 0; d < BOTH; d++) {
            guarded *const source = d == 0 ? &arrays.x : &arrays.y;
            const int64_t plane = d == 0 ? p.image : p.pixels;
            for (int64_t at = 0; at < plane; at++) {
              const int64_t where = plane * (d == 0 ? 1 : 2) + at;
              const double before = array_get(p.desc.dtype, source->data, where);
              const double value =
                  isfinite(values[v]) && fabs(values[v]) > (dtype ? 1.7e308 : 3.4e38) ? -huge : values[v];
              harness_doing("%s, %s, %s, shape %zu, %g at %lld", row.name, dtype ? "f64" : "f32",
                            cnnblas_conv_direction_name((cnnblas_conv_direction)d), s, value, (long long)at);
              array_set(p.desc.dtype, source->data, where, value);
              /* a neighbour as large: their sum overflows in the transforms and in some of the results */
              const double next = array_get(p.desc.dtype, source->data, where + 1);
              if (v == 4 && at + 1 < plane) array_set(p.desc.dtype, source->data, where + 1, 3 * value);
              compare_special(&p, d, row.name, reference, isfinite(value) && strcmp(row.name, WINOGRAD) != 0);
              array_set(p.desc.dtype, source->data, where + 1, next);
              array_set(p.desc.dtype, source->data, where, before);
              done++;
            }
          }
        rig_lock(&arrays, true);
      }
  printf("%ld calls\n", done);
  assert_true(done > 0);
}

/* ---- errors on ordinary data ---- */

/* RMS error relative to the sums' own RMS. */
static double rms_of(const problem *p, cnnblas_conv_direction d, const char *name)
{
  variant v = {.algorithm = name, .threads = 2};
  if (!rig_run(&arrays, p, d, p->n, &v)) FAIL("%s refuses: %s", name, cnnblas_last_error());
  return oracle_rms(&want, arrays.out.data);
}

/* Times the limit that a row may take: by how many tiles' outputs it has each way. */
static double allowance(const char *name)
{
  return strcmp(name, WINOGRAD) == 0 ? 1 : strcmp(name, WINOGRAD_FAST) == 0 ? 1.6 : 3;
}

static void fill_normal(const problem *p, guarded *array, int64_t count, bool positive, rng *r)
{
  for (int64_t i = 0; i < count; i++) {
    double sum = 0;
    for (int j = 0; j < 12; j++) sum += rng_real(r);
    sum /= 2; /* of variance 1 */
    array_set(p->desc.dtype, array->data, i, positive ? fmax(sum, 0) : sum);
  }
}

static void test_errors(void **state)
{
  (void)state;
  int worse = 0;
  cnnblas_algorithm_info row;
  for (int positive = 0; positive < 2; positive++)
    for (int64_t c = 8; c <= 512; c *= 2)
      for (int d = 0; d < BOTH; d++) {
        problem p = {
            .desc = {
                .n = 1, .c = c, .k = 64, .size = {12, 12}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}}};
        if (d == CNNBLAS_BACKWARD_DATA) p.desc.c = 64, p.desc.k = c;
        problem_finish(&p);
        rng r = rng_at(seed + 3, (uint64_t)c);
        rig_fill(&arrays, &p, &r, false, AGAINST_END);
        rig_lock(&arrays, false);
        fill_normal(&p, &arrays.x, p.x_elements, positive, &r);
        fill_normal(&p, &arrays.y, p.y_elements, positive, &r);
        fill_normal(&p, &arrays.w, p.w_elements, false, &r);
        rig_lock(&arrays, true);
        const variant plain = {.algorithm = NULL};
        rig_expect(&arrays, &p, (cnnblas_conv_direction)d, p.n, &plain, &want, NULL);
        const double im2col = rms_of(&p, (cnnblas_conv_direction)d, IM2COL);
        const double limit = fmax(im2col, positive ? 2.1e-7 : 2.3e-7);
        printf("%s, %s, %3lld channels: im2col %.2e;", cnnblas_conv_direction_name((cnnblas_conv_direction)d),
               positive ? "non-negative" : "normal", (long long)c, im2col);
        for (int a = 0; cnnblas_conv_algorithm_info(a, &row) == CNNBLAS_OK; a++) {
          if (!transforms(&row)) continue;
          const double rms = rms_of(&p, (cnnblas_conv_direction)d, row.name);
          printf(" %s %.2e", row.name, rms);
          worse += rms > limit * allowance(row.name);
          if (rms > limit * allowance(row.name)) printf(" (too much)");
        }
        printf("\n");
      }
  assert_int_equal(worse, 0);
}

int main(int argc, char **argv)
{
  if (argc == 3 && strcmp(argv[1], "--only") == 0) only = atoll(argv[2]);
  harness_skip_without_isa();
  seed = rng_seed(2203);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_integers_are_exact),
      cmocka_unit_test(test_bits),
      cmocka_unit_test(test_special_values),
      cmocka_unit_test(test_errors),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  rig_free(&arrays);
  oracle_free(&want);
  oracle_free(&want_db);
  return failed;
}
