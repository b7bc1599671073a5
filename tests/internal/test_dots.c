/*
 * Every kernel of dots of every level alone, against its contract in plain C:
 *
 *     c[i * ldc + j] += sum over s < steps, l < lanes of  a[i * pitch + s * lanes + l] * b[col[j] + walk[s] + l]
 *
 * a lane being one chain in the order of s, fused or not as the level does it, and the lanes added by halves: every bit
 * is fixed. Arrays end or begin at pages that trap, and what lies between the rows of c stays.
 */
#include "internal/levels.h"
#include "support/guarded.h"
#include "support/oracle.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static uint64_t seed;
static guarded a, b, c, col, walk;

static float chain_f32(float x, float y, float sum, bool fused)
{
  return fused ? fmaf(x, y, sum) : x * y + sum;
}

/* One element of the contract, in the dtype's arithmetic. */
static double expected(const cb_engine *engine, cnnblas_dtype dtype, const cb_dots *t, int i, int j, bool fused)
{
  double lane[CB_MAX_LANES];
  float lanef[CB_MAX_LANES];
  for (int l = 0; l < engine->lanes; l++) {
    double sum = 0;
    float sumf = 0;
    for (int64_t s = 0; s < t->steps; s++) {
      double x = array_get(dtype, t->a, i * t->pitch + s * engine->lanes + l);
      double y = array_get(dtype, t->b, t->col[j] + t->walk[s] + l);
      sum = fused ? fma(x, y, sum) : x * y + sum;
      sumf = chain_f32((float)x, (float)y, sumf, fused);
    }
    lane[l] = sum;
    lanef[l] = sumf;
  }
  for (int half = engine->lanes / 2; half > 0; half /= 2)
    for (int l = 0; l < half; l++) {
      lane[l] += lane[l + half];
      lanef[l] += lanef[l + half];
    }
  return dtype == CNNBLAS_F64 ? lane[0] : (double)lanef[0];
}

static void check(const cb_engine *engine, cnnblas_dtype dtype, int m, int nv, int64_t steps, rng *r)
{
  enum { PLACES = 40, BEFORE = 7 };
  size_t element = element_bytes(dtype);
  placement where = rng_chance(r, 50) ? AGAINST_END : AGAINST_START;
  int64_t lanes = engine->lanes, pitch = (steps + rng_range(r, 0, 2)) * lanes, ldc = nv + rng_range(r, 0, 3);
  harness_doing("%s dots %dx%d, %lld steps, seed %llu", engine->name, m, nv, (long long)steps,
                (unsigned long long)seed);
  guarded_reset(&a, (size_t)((m - 1) * pitch + steps * lanes) * element, where);
  guarded_reset(&b, (size_t)(2 * PLACES * lanes) * element, where);
  guarded_reset(&c, (size_t)((m - 1) * ldc + nv) * element, where);
  guarded_reset(&col, (size_t)nv * sizeof(int32_t), where);
  guarded_reset(&walk, (size_t)steps * sizeof(int32_t), where);
  guarded_fill_reals(dtype, &a, r);
  guarded_fill_reals(dtype, &b, r);
  int32_t *cols = col.data, *steps_at = walk.data;
  for (int j = 0; j < nv; j++) cols[j] = (int32_t)(rng_range(r, 0, PLACES - 1) * lanes);
  for (int64_t s = 0; s < steps; s++) steps_at[s] = (int32_t)(rng_range(r, 0, PLACES) * lanes);
  for (int i = 0; i < m; i++)
    for (int64_t j = 0; j < (i + 1 < m ? ldc : nv); j++) array_set(dtype, c.data, i * ldc + j, BEFORE);
  cb_dots t = {a.data, pitch, b.data, cols, steps_at, steps, c.data, ldc};
  guarded *inputs[] = {&a, &b, &col, &walk};
  for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) guarded_protect(inputs[i], true);
  engine->dots[nv][m](&t);
  for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) guarded_protect(inputs[i], false);
  bool fused = level_fuses(engine, dtype);
  for (int i = 0; i < m; i++)
    for (int64_t j = 0; j < (i + 1 < m ? ldc : nv); j++) {
      double want = j < nv ? expected(engine, dtype, &t, i, (int)j, fused) : 0,
             got = array_get(dtype, c.data, i * ldc + j);
      want = dtype == CNNBLAS_F64 ? BEFORE + want : (double)((float)BEFORE + (float)want);
      if (got != want) FAIL("c[%d][%lld] is %a, expected %a", i, (long long)j, got, want);
    }
  const guarded *all[] = {&a, &b, &c, &col, &walk};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (!guarded_intact(all[i])) FAIL("array %zu has been written next to", i);
}

static void test_engine(const cb_engine *engine, cnnblas_dtype dtype)
{
  static const int64_t depths[] = {0, 1, 2, 9, 100};
  assert_true(engine->dots_rows >= 1 && engine->dots_rows <= CB_DOTS_ROWS);
  assert_true(engine->dots_columns >= 1 && engine->dots_columns <= CB_DOTS_COLUMNS);
  rng r = rng_at(seed, (uint64_t)engine->lanes);
  int tiles = 0;
  for (int nv = 1; nv <= engine->dots_columns; nv++)
    for (int m = 1; m <= engine->dots_rows; m++) {
      assert_non_null(engine->dots[nv][m]);
      for (size_t d = 0; d < sizeof depths / sizeof *depths; d++, tiles++) check(engine, dtype, m, nv, depths[d], &r);
    }
  printf("  %s: %d x %d kernels, %d tiles equal in every bit\n", engine->name, engine->dots_rows, engine->dots_columns,
         tiles);
}

static void test_dots(void **state)
{
  (void)state;
  levels_run(test_engine);
  guarded *all[] = {&a, &b, &c, &col, &walk};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) guarded_free(all[i]);
}

int main(void)
{
  seed = rng_seed(20240611);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_dots)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
