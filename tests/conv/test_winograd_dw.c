/*
 * Winograd's weight gradient: as near as its bound and as im2col on reals, NaN, Inf and overflow as the definition has them, the same
 * bits on any number of threads and in any workspace. Small integers: test_winograd.
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

static problem layer(cnnblas_dtype dtype, int64_t n, int64_t c, int64_t k, int64_t side, int64_t groups)
{
  problem p = {.desc = {.dtype = dtype, .n = n, .c = c, .k = k, .groups = groups, .size = {side, side + 1}}};
  for (int i = 0; i < 2; i++) {
    p.desc.kernel[i] = 3;
    p.desc.pad_begin[i] = p.desc.pad_end[i] = 1;
  }
  problem_finish(&p);
  return p;
}

/* A row of `length` pixels and 3 taps. */
static problem line(cnnblas_dtype dtype, int64_t n, int64_t c, int64_t k, int64_t length)
{
  problem p = {.desc = {.dtype = dtype, .rank = 1, .n = n, .c = c, .k = k, .size = {length}, .kernel = {3}}};
  p.desc.pad_begin[0] = p.desc.pad_end[0] = 1;
  problem_finish(&p);
  return p;
}

static void run(const problem *p, const variant *v)
{
  if (!rig_run(&arrays, p, CNNBLAS_BACKWARD_WEIGHTS, p->n, v)) FAIL("it refuses: %s", cnnblas_last_error());
}

/* Products of one sign too: images after a ReLU. */
static void make_positive(const problem *p)
{
  rig_lock(&arrays, false);
  for (int64_t i = 0; i < p->x_elements; i++)
    array_set(p->desc.dtype, arrays.x.data, i, fabs(array_get(p->desc.dtype, arrays.x.data, i)));
  for (int64_t i = 0; i < p->y_elements; i++)
    array_set(p->desc.dtype, arrays.y.data, i, fabs(array_get(p->desc.dtype, arrays.y.data, i)));
  rig_lock(&arrays, true);
}

static bool is_im2col(const cnnblas_algorithm_info *row)
{
  return row->uses_blas && row->scope == CNNBLAS_SCOPE_EVERY;
}

/* The root mean square error is at most the larger of im2col's and 2.3e-7 (of positive data 2.1e-7); in f64 as many units. */
static void test_errors(void **state)
{
  (void)state;
  const problem problems[] = {layer(CNNBLAS_F32, 4, 8, 24, 56, 1),  layer(CNNBLAS_F32, 8, 16, 16, 40, 1),
                              layer(CNNBLAS_F32, 3, 64, 32, 28, 1), layer(CNNBLAS_F32, 8, 128, 16, 7, 1),
                              layer(CNNBLAS_F32, 2, 48, 48, 14, 3), line(CNNBLAS_F32, 4, 24, 24, 3000),
                              layer(CNNBLAS_F64, 2, 16, 16, 30, 1)};
  for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
    for (int positive = 0; positive < 2; positive++) {
      const problem *p = &problems[i];
      const bool f64 = p->desc.dtype == CNNBLAS_F64;
      char text[PROBLEM_TEXT];
      problem_text(p, text);
      harness_doing("%s%s", text, positive ? ", positive" : "");
      rng r = rng_at(seed, i);
      rig_fill(&arrays, p, &r, false, AGAINST_END);
      if (positive) make_positive(p);
      variant v = {.algorithm = algorithm_where(is_im2col), .threads = 2, .db = true};
      rig_expect(&arrays, p, CNNBLAS_BACKWARD_WEIGHTS, p->n, &v, &want, &want_db);
      run(p, &v);
      const double theirs = oracle_rms(&want, arrays.out.data);
      v.algorithm = WINOGRAD;
      run(p, &v);
      rig_check(&arrays, &v, &want, &want_db, false, "the gradient");
      const double ours = oracle_rms(&want, arrays.out.data),
                   floor = (positive ? 2.1e-7 : 2.3e-7) * (f64 ? 0x1p-29 : 1);
      printf("%-70.70s %s RMS %.2e, im2col %.2e\n", text, positive ? "positive" : "normal  ", ours, theirs);
      if (!(ours <= fmax(theirs, floor))) FAIL("an RMS error of %.3e; im2col has %.3e", ours, theirs);
    }
}

/* Threads, limits of the workspace, and fewer images than the plan's move no bit. */
static void test_bits(void **state)
{
  (void)state;
  const problem problems[] = {layer(CNNBLAS_F32, 5, 24, 40, 31, 1), layer(CNNBLAS_F64, 3, 9, 17, 45, 1),
                              layer(CNNBLAS_F32, 2, 33, 24, 9, 3), line(CNNBLAS_F32, 7, 8, 11, 901)};
  for (size_t i = 0; i < sizeof problems / sizeof *problems; i++) {
    const problem *p = &problems[i];
    rng r = rng_at(seed, 100 + i);
    rig_fill(&arrays, p, &r, false, AGAINST_START);
    variant v = {.algorithm = WINOGRAD, .threads = 1, .where = AGAINST_START};
    run(p, &v);
    const size_t bytes = arrays.out.bytes;
    void *first = malloc(bytes);
    assert_non_null(first);
    memcpy(first, arrays.out.data, bytes);
    long limited = 0;
    for (int threads = 1; threads <= 7; threads += 2)
      for (size_t limit = 0; limit < 3; limit++) {
        v.threads = threads;
        v.policy = limit ? CNNBLAS_WORKSPACE_LIMIT : CNNBLAS_WORKSPACE_DEFAULT;
        v.limit = limit ? (limit == 1 ? 700 << 10 : 3 << 20) : 0;
        harness_doing("problem %zu, %d threads, limit %zu", i, threads, v.limit);
        if (!rig_run(&arrays, p, CNNBLAS_BACKWARD_WEIGHTS, p->n, &v)) {
          if (!limit) FAIL("it refuses: %s", cnnblas_last_error());
          continue;
        }
        limited += limit > 0;
        assert_memory_equal(first, arrays.out.data, bytes);
      }
    assert_true(limited > 0);
    free(first);
  }
}

/* NaN, infinities and what overflows in the transforms, at every place of a tile and in padding's reach. */
static void test_specials(void **state)
{
  (void)state;
  static const double plants[] = {NAN, INFINITY, -INFINITY, 2e38, -1e38};
  const problem problems[] = {layer(CNNBLAS_F32, 2, 9, 10, 6, 1), layer(CNNBLAS_F32, 1, 16, 16, 5, 2),
                              line(CNNBLAS_F32, 2, 8, 9, 11)};
  for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
    for (int side = 0; side < 2; side++)
      for (int64_t place = 0; place < (side ? problems[i].pixels : problems[i].image); place++) {
        const problem *p = &problems[i];
        const double plant = plants[(place + side) % 5];
        variant v = {.algorithm = WINOGRAD, .threads = 2, .accumulate = place % 3 == 0};
        rng r = rng_at(seed, 200 + i);
        rig_fill(&arrays, p, &r, false, AGAINST_END);
        rig_lock(&arrays, false);
        array_set(p->desc.dtype, side ? arrays.y.data : arrays.x.data,
                  place + (side ? p->pixels : p->image) * (place % (side ? p->k : p->c)), plant);
        rig_lock(&arrays, true);
        harness_doing("problem %zu: %g at %lld of %s", i, plant, (long long)place, side ? "dy" : "x");
        rig_expect(&arrays, p, CNNBLAS_BACKWARD_WEIGHTS, p->n, &v, &want, &want_db);
        run(p, &v);
        rig_check(&arrays, &v, &want, &want_db, false, "the gradient");
      }
}

/* An empty batch gives zeros, or leaves what is to be added to; fewer images than the plan's are those images' sum. */
static void test_batches(void **state)
{
  (void)state;
  problem p = layer(CNNBLAS_F32, 9, 10, 12, 20, 1);
  for (int accumulate = 0; accumulate < 2; accumulate++) {
    const variant v = {.algorithm = WINOGRAD, .threads = 3, .accumulate = accumulate};
    cnnblas_conv_plan *plan = rig_plan(&p, CNNBLAS_BACKWARD_WEIGHTS, &v);
    assert_non_null(plan);
    for (int64_t n = 0; n <= p.n; n += n < 2 ? 1 : 7) {
      problem part = p;
      part.desc.n = n;
      problem_finish(&part);
      rng r = rng_at(seed, 300 + (uint64_t)n);
      rig_fill(&arrays, &part, &r, true, AGAINST_END);
      rig_expect(&arrays, &part, CNNBLAS_BACKWARD_WEIGHTS, n, &v, &want, &want_db);
      rig_execute(&arrays, &part, CNNBLAS_BACKWARD_WEIGHTS, n, &v, plan);
      rig_check(&arrays, &v, &want, &want_db, true, "the gradient");
    }
    cnnblas_conv_plan_destroy(plan);
  }
}

int main(void)
{
  harness_skip_without_isa();
  seed = rng_seed(2204);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_errors),
      cmocka_unit_test(test_bits),
      cmocka_unit_test(test_specials),
      cmocka_unit_test(test_batches),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  rig_free(&arrays);
  oracle_free(&want);
  oracle_free(&want_db);
  return failed;
}
