/*
 * Every micro-kernel of every level alone, against its contract in plain C:
 *
 *     c[i][j] (+)= sum over s < steps of  a[row[i] + awalk[s]] * b[bwalk[s] + j]
 *
 * as one chain in the order of s, fused or not as the level does it, so every bit of every element is fixed. Walks
 * are random, arrays are exactly as large as the contract lets a kernel read and end (or begin) at pages that trap;
 * what lies between the rows of c must stay. Inputs are integers, reals, denormals, numbers that overflow, and reals
 * with NaN, Inf and zeros among them.
 */
#include "internal/levels.h"
#include "support/guarded.h"
#include "support/oracle.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { INTEGERS, REALS, DENORMALS, HUGE_NUMBERS, SPECIALS, KINDS };
static const char *const kind_names[KINDS] = {"integers", "reals", "denormals", "huge", "specials"};
static const int64_t depths[] = {0, 1, 2, 17, 200};
enum { DEPTHS = sizeof depths / sizeof *depths, GUARD_COLUMN = 77 };

static uint64_t seed;
static guarded row, awalk, bwalk, a, b, c, old;

static double number(cnnblas_dtype dtype, int kind, rng *r)
{
  bool f64 = dtype == CNNBLAS_F64;
  double real = rng_real(r);
  switch (kind) {
  case INTEGERS:
    return (double)rng_range(r, -3, 3);
  case DENORMALS: /* products of two are denormal, or vanish */
    return ldexp(real, f64 ? -(int)rng_range(r, 500, 570) : -(int)rng_range(r, 60, 80));
  case HUGE_NUMBERS: /* products of two overflow, or nearly do */
    return ldexp(real, f64 ? (int)rng_range(r, 509, 513) : (int)rng_range(r, 61, 65));
  case SPECIALS:
    if (rng_chance(r, 97)) return real;
    return (const double[]){NAN, INFINITY, -INFINITY, 0, -0.0}[rng_range(r, 0, 4)];
  default:
    return real;
  }
}

static void fill(cnnblas_dtype dtype, guarded *array, int kind, rng *r)
{
  int64_t count = (int64_t)(array->bytes / element_bytes(dtype));
  for (int64_t i = 0; i < count; i++) array_set(dtype, array->data, i, number(dtype, kind, r));
  if (kind == DENORMALS && count) /* and inputs that are denormal themselves, times ones that are not small */
    for (int i = 0; i < 8; i++)
      array_set(dtype, array->data, rng_range(r, 0, count - 1),
                i % 2 ? rng_real(r) : ldexp(rng_real(r), dtype == CNNBLAS_F64 ? -1040 : -135));
}

/* One element of the contract. */
static double expected(cnnblas_dtype dtype, const cb_tile *t, int i, int64_t j, bool fuses, double before)
{
  double sum = 0;
  float sumf = 0;
  for (int64_t s = 0; s < t->steps; s++) {
    int64_t at_a = (int64_t)t->row[i] + t->awalk[s], at_b = t->bwalk[s] + j;
    if (dtype == CNNBLAS_F64) {
      double x = ((const double *)t->a)[at_a], y = ((const double *)t->b)[at_b];
      sum = fuses ? fma(x, y, sum) : x * y + sum;
    } else {
      float x = ((const float *)t->a)[at_a], y = ((const float *)t->b)[at_b];
      sumf = fuses ? fmaf(x, y, sumf) : x * y + sumf;
    }
  }
  if (dtype == CNNBLAS_F64) return t->add ? sum + before : sum;
  return (double)(t->add ? sumf + (float)before : sumf);
}

static bool same(double x, double y)
{
  return isnan(x) ? isnan(y) : x == y;
}

/* Random walks: rows and steps in any order, before and behind the pointer. The arrays are sized exactly. */
static cb_tile place(const cb_engine *engine, cnnblas_dtype dtype, int m, int nv, int64_t steps, bool add, rng *r)
{
  size_t element = element_bytes(dtype);
  placement where = rng_chance(r, 50) ? AGAINST_END : AGAINST_START;
  int64_t lowest_row = INT64_MAX, highest_row = 0, lowest = 0, highest = 0, lanes = 0, width = nv * engine->lanes;
  guarded_reset(&row, (size_t)m * sizeof(int32_t), where);
  guarded_reset(&awalk, (size_t)steps * sizeof(int32_t), where);
  guarded_reset(&bwalk, (size_t)steps * sizeof(int32_t), where);
  int32_t *rows = row.data, *as = awalk.data, *bs = bwalk.data;
  for (int i = 0; i < m; i++) {
    rows[i] = (int32_t)rng_range(r, -60, 300);
    if (rows[i] < lowest_row) lowest_row = rows[i];
    if (i == 0 || rows[i] > highest_row) highest_row = rows[i];
  }
  for (int64_t s = 0; s < steps; s++) {
    as[s] = (int32_t)rng_range(r, -200, 1000);
    bs[s] = (int32_t)rng_range(r, 0, 20 * width);
    if (s == 0 || as[s] < lowest) lowest = as[s];
    if (s == 0 || as[s] > highest) highest = as[s];
    if (bs[s] + width > lanes) lanes = bs[s] + width;
  }
  int64_t base = lowest_row + lowest, elements = steps ? highest_row + highest - base + 1 : 0;
  int64_t ldc = width + rng_range(r, 0, 5);
  guarded_reset(&a, (size_t)elements * element, where);
  guarded_reset(&b, (size_t)lanes * element, where);
  guarded_reset(&c, (size_t)((m - 1) * ldc + width) * element, where);
  return (cb_tile){.a = (const void *)((uintptr_t)a.data - (uintptr_t)base * element),
                   .row = rows,
                   .awalk = as,
                   .b = b.data,
                   .bwalk = bs,
                   .steps = steps,
                   .c = c.data,
                   .ldc = ldc,
                   .add = add};
}

static void check_tile(const cb_engine *engine, cnnblas_dtype dtype, const cb_tile *t, int m, int nv, bool fuses)
{
  int64_t width = nv * engine->lanes;
  for (int i = 0; i < m; i++)
    for (int64_t j = 0; j < (i + 1 < m ? t->ldc : width); j++) {
      double before = array_get(dtype, old.data, i * t->ldc + j), got = array_get(dtype, t->c, i * t->ldc + j);
      double want = j < width ? expected(dtype, t, i, j, fuses, before) : GUARD_COLUMN;
      if (!same(got, want)) FAIL("c[%d][%lld] is %a, expected %a", i, (long long)j, got, want);
    }
  const guarded *all[] = {&row, &awalk, &bwalk, &a, &b, &c};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (!guarded_intact(all[i])) FAIL("array %zu has been written next to", i);
}

static void run_tile(const cb_engine *engine, cnnblas_dtype dtype, int m, int nv, int64_t steps, int kind, bool add,
                     bool fuses, rng *r)
{
  harness_doing("%s %dx%d, %lld steps, %s%s, seed %llu", engine->name, m, nv * engine->lanes, (long long)steps,
                kind_names[kind], add ? ", add" : "", (unsigned long long)seed);
  cb_tile t = place(engine, dtype, m, nv, steps, add, r);
  fill(dtype, &a, kind, r);
  fill(dtype, &b, kind, r);
  fill(dtype, &c, kind, r);
  if (!add) array_fill_nan(dtype, c.data, (m - 1) * t.ldc + nv * engine->lanes); /* must not be read */
  for (int i = 0; i + 1 < m; i++)
    for (int64_t j = nv * engine->lanes; j < t.ldc; j++) array_set(dtype, c.data, i * t.ldc + j, GUARD_COLUMN);
  guarded_reset(&old, c.bytes, AGAINST_END);
  memcpy(old.data, c.data, c.bytes);
  cb_tile sealed = t;
  sealed.a = guarded_sealed(&a, t.a), sealed.b = guarded_sealed(&b, t.b);
  sealed.row = guarded_sealed(&row, t.row);
  sealed.awalk = guarded_sealed(&awalk, t.awalk), sealed.bwalk = guarded_sealed(&bwalk, t.bwalk);
  engine->kernel[nv][m](&sealed);
  check_tile(engine, dtype, &t, m, nv, fuses);
}

static void test_engine(const cb_engine *engine, cnnblas_dtype dtype)
{
  bool fuses = level_fuses(engine, dtype);
  int kernels = 0;
  long tiles = 0;
  for (int nv = 1; nv <= CB_MAX_VECTORS; nv++) {
    assert_true(engine->rows[nv] <= CB_MAX_ROWS);
    assert_true(engine->rows[nv] == 0 || nv * engine->lanes <= CB_MAX_LANES);
    for (int m = 1; m <= engine->rows[nv]; m++) {
      rng r = rng_at(seed, (uint64_t)(nv * 100 + m));
      assert_non_null(engine->kernel[nv][m]);
      kernels++;
      for (int kind = 0; kind < KINDS; kind++)
        for (int d = 0; d < DEPTHS; d++)
          for (int add = 0; add < 2; add++, tiles++) run_tile(engine, dtype, m, nv, depths[d], kind, add, fuses, &r);
    }
  }
  assert_true(engine->rows[1] > 0 && engine->rows[2] > 0);
  printf("  %s: %d kernels, %s, %ld tiles equal in every bit\n", engine->name, kernels, fuses ? "fused" : "not fused",
         tiles);
}

static void test_kernels(void **state)
{
  (void)state;
  levels_run(test_engine);
  guarded *all[] = {&row, &awalk, &bwalk, &a, &b, &c, &old};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) guarded_free(all[i]);
}

int main(void)
{
  seed = rng_seed(20240611);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_kernels)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
