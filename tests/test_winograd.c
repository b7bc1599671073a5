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
static oracle want;
static uint64_t seed;
static int64_t only = -1;

enum { BOTH = 2 /* directions: forward and input gradient */ };

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
    for (int d = 0; d < BOTH; d++) {
      variant v;
      variant_random(&v, (cnnblas_conv_direction)d, &r);
      v.algorithm = WINOGRAD;
      doing(&p, d, &v, item);
      rig_expect(&arrays, &p, (cnnblas_conv_direction)d, p.n, &v, &want, NULL);
      if (!rig_run(&arrays, &p, (cnnblas_conv_direction)d, p.n, &v)) {
        if (v.policy == CNNBLAS_WORKSPACE_DEFAULT && !v.packed) FAIL("it refuses: %s", cnnblas_last_error());
        continue;
      }
      oracle_check(&want, arrays.out.data, true, "the output");
      done++;
    }
  }
  printf("%ld calls\n", done);
  assert_true(done > COUNT / 2 || only >= 0);
}

int main(int argc, char **argv)
{
  if (argc == 3 && strcmp(argv[1], "--only") == 0) only = atoll(argv[2]);
  harness_skip_without_isa();
  seed = rng_seed(2203);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_integers_are_exact),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  rig_free(&arrays);
  oracle_free(&want);
  return failed;
}
