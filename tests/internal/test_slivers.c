/*
 * The kernels of packed operands and the packing of both, of every level, against their contracts in plain C (engine.h).
 *
 * Arrays are exactly as large as the contract says and lie against pages that trap; every element of every result is fixed to
 * the bit. What may be written past a sliver is given, what may not is watched.
 */
#include "base/size.h"
#include "internal/levels.h"
#include "support/guarded.h"
#include "support/oracle.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 60, MOST_STEPS = 40 };

static uint64_t seed;
static guarded a, b, c, before, walk, source;

static void fill(cnnblas_dtype dtype, guarded *array, int64_t count, placement where, rng *r)
{
  guarded_reset(array, (size_t)count * element_bytes(dtype), where);
  array_fill_reals(dtype, array->data, count, r);
}

static placement any_place(rng *r)
{
  return rng_chance(r, 50) ? AGAINST_END : AGAINST_START;
}

static double multiply_add(cnnblas_dtype dtype, double x, double y, double sum, bool fuses)
{
  if (dtype == CNNBLAS_F64) return fuses ? fma(x, y, sum) : x * y + sum;
  float fx = (float)x, fy = (float)y, fsum = (float)sum;
  return fuses ? (double)fmaf(fx, fy, fsum) : (double)(fx * fy + fsum);
}

static void check_kernel(const cb_engine *engine, cnnblas_dtype dtype, int m, int nv, bool fuses, rng *r)
{
  const int64_t width = (int64_t)nv * engine->lanes, steps = rng_range(r, 0, MOST_STEPS),
                ldc = width + rng_range(r, 0, 3);
  const bool add = rng_chance(r, 50), last = rng_chance(r, 50);
  harness_doing("%s %dx%d, %lld steps%s%s, seed %llu", engine->name, m, nv, (long long)steps, add ? ", added" : "",
                last ? ", last" : "", (unsigned long long)seed);
  fill(dtype, &a, steps * m, any_place(r), r);
  fill(dtype, &b, steps * width, any_place(r), r);
  fill(dtype, &before, m * width, any_place(r), r);
  fill(dtype, &c, (m - 1) * ldc + width, any_place(r), r);
  if (add && steps == 0) array_set(dtype, before.data, 0, -0.0);
  engine->packed[nv][m](&(cb_packed_tile){.weights = a.data,
                                          .sliver = b.data,
                                          .steps = steps,
                                          .before = add ? before.data : NULL,
                                          .c = c.data,
                                          .ldc = ldc,
                                          .last = last});
  for (int i = 0; i < m; i++)
    for (int64_t j = 0; j < width; j++) {
      double sum = 0;
      for (int64_t s = 0; s < steps; s++)
        sum = multiply_add(dtype, array_get(dtype, a.data, s * m + i), array_get(dtype, b.data, s * width + j), sum,
                           fuses);
      if (add) {
        double old = array_get(dtype, before.data, i * width + j);
        sum = dtype == CNNBLAS_F64 ? old + sum : (double)((float)old + (float)sum);
      }
      double got = array_get(dtype, c.data, i * ldc + j);
      if (got != sum) FAIL("c[%d][%lld] is %a, expected %a", i, (long long)j, got, sum);
      if (last && got == 0 && signbit(got)) FAIL("c[%d][%lld] is -0", i, (long long)j);
    }
}

/* The kernel that packs the sliver as it multiplies, against the one whose sliver is packed. */
static void check_packing(const cb_engine *engine, cnnblas_dtype dtype, int m, int nv, rng *r)
{
  const int64_t width = (int64_t)nv * engine->lanes, steps = rng_range(r, 1, MOST_STEPS), sums = m * width;
  const size_t element = element_bytes(dtype);
  int64_t far = 0;
  if (!engine->packing[nv][m]) return;
  harness_doing("%s %dx%d packs %lld steps, seed %llu", engine->name, m, nv, (long long)steps,
                (unsigned long long)seed);
  guarded_reset(&walk, (size_t)steps * sizeof(int32_t), AGAINST_END);
  int32_t *at = walk.data;
  for (int64_t s = 0; s < steps; s++) far = cb_max(far, at[s] = (int32_t)rng_range(r, 0, 60));
  fill(dtype, &source, far + width, AGAINST_END, r);
  fill(dtype, &a, steps * m, any_place(r), r);
  fill(dtype, &b, steps * width, any_place(r), r);
  fill(dtype, &before, sums, any_place(r), r);
  fill(dtype, &c, 2 * sums, any_place(r), r);
  cb_packed_tile tile = {.weights = a.data,
                         .sliver = b.data,
                         .run = source.data,
                         .walk = at,
                         .steps = steps,
                         .before = rng_chance(r, 50) ? before.data : NULL,
                         .c = c.data,
                         .ldc = width,
                         .last = rng_chance(r, 50)};
  engine->packing[nv][m](&tile);
  for (int64_t s = 0; s < steps; s++)
    if (memcmp((char *)b.data + (size_t)(s * width) * element, (char *)source.data + (size_t)at[s] * element,
               (size_t)width * element) != 0)
      FAIL("step %lld of the sliver is not what lies in the run", (long long)s);
  tile.c = (char *)c.data + (size_t)sums * element;
  engine->packed[nv][m](&tile);
  if (memcmp(c.data, tile.c, (size_t)sums * element) != 0) FAIL("sums of a sliver packed before have other bits");
}

/* Runs that fill up to `width` lanes, at places of an array of which `size` elements from the least on are needed. */
static int random_runs(cb_run *run, int64_t width, int64_t *pixels, int64_t *size, rng *r)
{
  int runs = 0;
  int64_t lane = 0, most = rng_range(r, 1, width), longest = rng_range(r, 1, width);
  *size = 0;
  while (lane < most) {
    int64_t count = cb_min(most - lane, rng_range(r, 1, longest)), at = rng_range(r, 0, 50);
    run[runs++] = (cb_run){(int32_t)lane, (int32_t)count, at};
    lane += count;
    *size = cb_max(*size, at + count);
  }
  *pixels = lane;
  return runs;
}

static void check_sliver(const cb_engine *engine, cnnblas_dtype dtype, rng *r)
{
  cb_run run[2 * CB_MAX_LANES];
  const bool exact = rng_chance(r, 50);
  const int64_t width = rng_range(r, 1, 2) * engine->lanes, steps = rng_range(r, 1, MOST_STEPS);
  int64_t pixels, size, far = 0;
  int runs = random_runs(run, width, &pixels, &size, r);
  harness_doing("%s sliver of %lld lanes, %d runs%s, seed %llu", engine->name, (long long)width, runs,
                exact ? ", exact" : "", (unsigned long long)seed);
  guarded_reset(&walk, (size_t)steps * sizeof(int32_t), AGAINST_END);
  int32_t *at = walk.data;
  for (int64_t s = 0; s < steps; s++) far = cb_max(far, at[s] = (int32_t)rng_range(r, 0, 60));
  if (!exact) size = 50 + 2 * engine->lanes; /* up to two vectors from where a run begins */
  fill(dtype, &a, far + size, AGAINST_END, r);
  const int64_t room = (steps + (exact ? 0 : 2)) * width;
  guarded_reset(&c, (size_t)room * element_bytes(dtype), AGAINST_END);
  engine->pack_sliver(&(cb_sliver){.to = c.data,
                                   .from = a.data,
                                   .walk = at,
                                   .steps = steps,
                                   .width = width,
                                   .run = run,
                                   .runs = runs,
                                   .exact = exact});
  for (int64_t s = 0; s < steps; s++)
    for (int i = 0; i < runs; i++)
      for (int64_t j = 0; j < run[i].count; j++) {
        double want = array_get(dtype, a.data, at[s] + run[i].at + j);
        double got = array_get(dtype, c.data, s * width + run[i].lane + j);
        if (want != got)
          FAIL("step %lld, lane %lld is %a, expected %a", (long long)s, (long long)(run[i].lane + j), got, want);
      }
  if (!guarded_intact(&c)) FAIL("the sliver has been written next to");
}

static void check_rows(const cb_engine *engine, cnnblas_dtype dtype, rng *r)
{
  const int64_t m = rng_range(r, 1, engine->packed_rows), steps = rng_range(r, 1, 3 * MOST_STEPS);
  const int64_t ld = steps + rng_range(r, 0, 7);
  harness_doing("%s rows %lld x %lld, seed %llu", engine->name, (long long)m, (long long)steps,
                (unsigned long long)seed);
  fill(dtype, &a, (m - 1) * ld + steps, any_place(r), r);
  guarded_reset(&c, (size_t)(m * steps) * element_bytes(dtype), any_place(r));
  engine->pack_rows(c.data, a.data, ld, steps, m);
  for (int64_t s = 0; s < steps; s++)
    for (int64_t i = 0; i < m; i++)
      if (array_get(dtype, c.data, s * m + i) != array_get(dtype, a.data, i * ld + s))
        FAIL("row %lld, step %lld", (long long)i, (long long)s);
  if (!guarded_intact(&c)) FAIL("the rows have been written next to");
}

static void check_turned(const cb_engine *engine, cnnblas_dtype dtype, rng *r)
{
  const bool nine = rng_chance(r, 50);
  const int64_t all = nine ? 9 : rng_range(r, 1, 12), taps = nine ? 9 : rng_range(r, 1, all),
                channels = rng_range(r, 1, 9);
  const int64_t outputs = rng_range(r, 1, 40), tiles = cb_ceil_div(outputs, engine->packed_rows), pitch = outputs * all;
  const int64_t first = rng_range(r, 0, tiles - 1), end = rng_range(r, first + 1, tiles), steps = channels * taps;
  const int64_t k0 = cb_split(outputs, tiles, first), k1 = end == tiles ? outputs : cb_split(outputs, tiles, end);
  int64_t tap[12];
  for (int64_t t = 0; t < taps; t++) tap[t] = nine ? 8 - t : rng_range(r, 0, all - 1);
  harness_doing("%s turned, %lld taps, seed %llu", engine->name, (long long)taps, (unsigned long long)seed);
  fill(dtype, &a, channels * pitch, any_place(r), r);
  guarded_reset(&c, (size_t)((k1 - k0) * steps) * element_bytes(dtype), any_place(r));
  engine->pack_turned(&(cb_turned){.to = c.data,
                                   .from = a.data,
                                   .channel_pitch = pitch,
                                   .output_pitch = all,
                                   .tap = tap,
                                   .taps = taps,
                                   .channels = channels,
                                   .outputs = outputs,
                                   .tiles = tiles,
                                   .first = first,
                                   .end = end});
  for (int64_t tile = first; tile < end; tile++) {
    const int64_t k = cb_split(outputs, tiles, tile),
                  m = (tile + 1 == tiles ? outputs : cb_split(outputs, tiles, tile + 1)) - k;
    for (int64_t i = 0; i < m; i++)
      for (int64_t s = 0; s < steps; s++)
        if (array_get(dtype, c.data, (k - k0) * steps + s * m + i) !=
            array_get(dtype, a.data, s / taps * pitch + tap[s % taps] + (k + i) * all))
          FAIL("output %lld, step %lld", (long long)(k + i), (long long)s);
  }
  if (!guarded_intact(&c)) FAIL("the weights have been written next to");
}

static void check_interleaving(const cb_engine *engine, cnnblas_dtype dtype, rng *r)
{
  const int64_t stride = rng_range(r, 1, 4), count = rng_range(r, 1, 70), most = rng_range(r, 1, stride * count);
  harness_doing("%s every %lld of %lld, seed %llu", engine->name, (long long)stride, (long long)count,
                (unsigned long long)seed);
  fill(dtype, &a, (count - 1) * stride + 1, any_place(r), r);
  guarded_reset(&c, (size_t)count * element_bytes(dtype), any_place(r));
  engine->take_every(c.data, a.data, stride, count);
  for (int64_t i = 0; i < count; i++)
    if (array_get(dtype, c.data, i) != array_get(dtype, a.data, i * stride)) FAIL("element %lld", (long long)i);
  if (!guarded_intact(&c)) FAIL("every: written next to");
  const void *ways[4];
  const int64_t none = rng_range(r, 0, 4);
  fill(dtype, &b, stride * count, AGAINST_END, r);
  for (int64_t j = 0; j < stride; j++)
    ways[j] = j == none ? NULL : (const char *)b.data + (size_t)(j * count) * element_bytes(dtype);
  guarded_reset(&c, (size_t)most * element_bytes(dtype), AGAINST_END);
  engine->weave(&(cb_woven){.to = c.data, .from = ways, .rows = 1, .ways = stride, .count = count, .most = most});
  for (int64_t i = 0; i < most; i++) {
    double want = ways[i % stride] ? array_get(dtype, b.data, i % stride * count + i / stride) : 0;
    if (array_get(dtype, c.data, i) != want) FAIL("woven element %lld", (long long)i);
  }
  if (!guarded_intact(&c)) FAIL("woven: written next to");
}

static void test_engine(const cb_engine *engine, cnnblas_dtype dtype)
{
  const bool fuses = level_fuses(engine, dtype);
  rng r = rng_at(seed, (uint64_t)dtype);
  for (int nv = 1; nv <= CB_PACKED_VECTORS; nv++)
    for (int m = 1; m <= engine->packed_rows; m++)
      for (int i = 0; i < ROUNDS / 4; i++) {
        check_kernel(engine, dtype, m, nv, fuses, &r);
        check_packing(engine, dtype, m, nv, &r);
      }
  for (int i = 0; i < 4 * ROUNDS; i++) {
    check_sliver(engine, dtype, &r);
    check_rows(engine, dtype, &r);
    check_turned(engine, dtype, &r);
    check_interleaving(engine, dtype, &r);
  }
  printf("  %s: packed tiles of up to %d rows, and packing\n", engine->name, engine->packed_rows);
}

static void test_slivers(void **state)
{
  (void)state;
  levels_run(test_engine);
  guarded *all[] = {&a, &b, &c, &before, &walk, &source};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) guarded_free(all[i]);
}

int main(void)
{
  seed = rng_seed(20241127);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_slivers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
