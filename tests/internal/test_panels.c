/*
 * The packers and stores of every level alone, against plain C, exactly:
 *
 *     pack_lanes   dst[s * width + j] = j < count ? src[j * ld + s] : 0          in every bit
 *     store        out[i * row_step + j * lane_step] = c[i * ldc + j] + old + bias + residual, between bounds
 *
 * every count and tail, transposed (rows evenly or by places), straight and neither; transposed never -0; arrays end or begin at pages that trap, and what a store
 * does not own stays.
 */
#include "internal/levels.h"
#include "support/guarded.h"
#include "support/oracle.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static uint64_t seed;
static guarded source, target, old, tile, bias, residual;

/* Random bits, so that a copy that is not a copy shows; among them NaNs and denormals. */
static void fill_bits(guarded *array, rng *r)
{
  for (size_t i = 0; i < array->bytes; i++) ((unsigned char *)array->data)[i] = (unsigned char)rng_next(r);
}

static void pack_once(const cb_engine *engine, cnnblas_dtype dtype, int64_t ld, int64_t steps, int64_t count,
                      int64_t width, rng *r)
{
  size_t element = element_bytes(dtype);
  placement where = rng_chance(r, 50) ? AGAINST_END : AGAINST_START;
  harness_doing("%s pack_lanes: ld %lld steps %lld count %lld width %lld, seed %llu", engine->name, (long long)ld,
                (long long)steps, (long long)count, (long long)width, (unsigned long long)seed);
  guarded_reset(&source, count ? (size_t)((count - 1) * ld + steps) * element : 0, where);
  guarded_reset(&target, (size_t)(steps * width) * element, where);
  fill_bits(&source, r);
  memset(target.data, 0xff, target.bytes);
  guarded_protect(&source, true);
  engine->pack_lanes(target.data, source.data, ld, steps, count, width);
  guarded_protect(&source, false);
  static const double zero = 0;
  for (int64_t s = 0; s < steps; s++)
    for (int64_t j = 0; j < width; j++) {
      const char *got = (const char *)target.data + (size_t)(s * width + j) * element;
      const void *want = j < count ? (const char *)source.data + (size_t)(j * ld + s) * element : (const char *)&zero;
      if (memcmp(got, want, element) != 0) FAIL("dst[%lld][%lld] is wrong", (long long)s, (long long)j);
    }
  if (!guarded_intact(&source) || !guarded_intact(&target)) FAIL("something next to an array has been written");
}

static void pack_engine(const cb_engine *engine, cnnblas_dtype dtype)
{
  long packed = 0;
  rng r = rng_at(seed, (uint64_t)dtype * 100 + (uint64_t)engine->lanes);
  for (int nv = 1; nv <= CB_MAX_VECTORS; nv++) {
    if (!engine->rows[nv]) continue;
    int64_t width = nv * engine->lanes;
    for (int64_t count = 0; count <= width; count++)
      for (int64_t steps = 0; steps <= 40; steps++, packed++)
        pack_once(engine, dtype, steps + rng_range(&r, 0, 5), steps, count, width, &r);
  }
  for (int i = 0; i < 20; i++, packed++) { /* long ones */
    int64_t steps = rng_range(&r, 500, 1600), width = rng_range(&r, 1, 2) * engine->lanes;
    pack_once(engine, dtype, steps + rng_range(&r, 0, 40), steps, rng_range(&r, 0, width), width, &r);
  }
  printf("  %s: %ld packings equal in every bit\n", engine->name, packed);
}

enum { TRANSPOSED, STRAIGHT, NEITHER, PLACED, ORDERS };
enum { NO_BIAS, LANE_BIAS, ROW_BIAS, BIASES };
enum { NO_RESIDUAL, RESIDUAL, IN_PLACE, RESIDUALS };

/* Reals, and now and then something special. */
static void fill_values(cnnblas_dtype dtype, guarded *array, rng *r)
{
  static const double specials[] = {NAN, INFINITY, -INFINITY, 0, -0.0, 1e-40, -1e-310};
  int64_t count = (int64_t)(array->bytes / element_bytes(dtype));
  for (int64_t i = 0; i < count; i++)
    array_set(dtype, array->data, i, rng_chance(r, 96) ? rng_real(r) : specials[rng_range(r, 0, 6)]);
}

/* One addition in the type. */
static double plus(cnnblas_dtype dtype, double x, double y)
{
  return dtype == CNNBLAS_F64 ? x + y : (double)((float)x + (float)y);
}

/* Where element (i, j) belongs. */
static int64_t place_of(const cb_store *t, int64_t i, int64_t j)
{
  return (t->place ? t->place[i] : i * t->row_step) + j * t->lane_step;
}

static double stored(cnnblas_dtype dtype, const cb_store *t, const void *residual_values, int64_t i, int64_t j)
{
  int64_t at = place_of(t, i, j);
  double value = array_get(dtype, t->c, i * t->ldc + j);
  if (t->add) value = plus(dtype, array_get(dtype, old.data, at), value);
  if (t->bias) value = plus(dtype, value, array_get(dtype, t->bias, t->bias_rows ? i : j));
  if (t->residual) value = plus(dtype, value, array_get(dtype, residual_values, at));
  if (t->bounds) {
    double low = array_get(dtype, t->bounds, 0), high = array_get(dtype, t->bounds, 1);
    value = value < low ? low : value > high ? high : value;
  }
  return value;
}

/* Sets the steps of one order; elements from the first to the last that the block owns. */
static int64_t lay_out(cb_store *t, int order, rng *r)
{
  int64_t pad = rng_range(r, 0, 3), m = t->m ? t->m : 1, count = t->count ? t->count : 1;
  switch (order) {
  case TRANSPOSED:
    t->row_step = 1;
    t->lane_step = m + pad;
    break;
  case STRAIGHT:
    t->lane_step = 1;
    t->row_step = count + pad;
    break;
  case PLACED: { /* runs of neighbours, of every second place, and strays */
    static int64_t place[64];
    int64_t step = 1;
    for (int64_t i = 0, at = 0; i < m; i++) {
      place[i] = at;
      if (!rng_chance(r, 85)) step = RNG_PICK(r, 1, 1, 1, 2, 2, 7);
      at += step;
    }
    t->place = place;
    t->lane_step = place[m - 1] + 1 + pad;
    return place[m - 1] + (count - 1) * t->lane_step + 1;
  }
  default: /* a strided input gradient's: every second or third place of a row */
    t->row_step = rng_range(r, 2, 3);
    t->lane_step = m * t->row_step + pad;
  }
  return (m - 1) * t->row_step + (count - 1) * t->lane_step + 1;
}

/* The bounds of ReLU, or of a clip. */
static const void *bounds_of(cnnblas_dtype dtype, rng *r)
{
  static const float single[2][2] = {{0, HUGE_VALF}, {-0.5F, 0.75F}};
  static const double wide[2][2] = {{0, HUGE_VAL}, {-0.5, 0.75}};
  const int clip = rng_chance(r, 50);
  return dtype == CNNBLAS_F64 ? (const void *)wide[clip] : single[clip];
}

static void store_once(const cb_engine *engine, cnnblas_dtype dtype, int64_t m, int64_t count, int order, int with_bias,
                       int with_residual, bool add, const void *bounds, rng *r)
{
  size_t element = element_bytes(dtype);
  placement where = rng_chance(r, 50) ? AGAINST_END : AGAINST_START;
  cb_store t = {.m = m, .count = count, .ldc = count + rng_range(r, 0, 3), .add = add, .bounds = bounds};
  int64_t owned = m && count ? lay_out(&t, order, r) : 0;
  harness_doing(
      "%s store: %lld x %lld ldc %lld, row step %lld lane step %lld, bias %d residual %d add %d bounds %d, seed "
      "%llu",
      engine->name, (long long)m, (long long)count, (long long)t.ldc, (long long)t.row_step, (long long)t.lane_step,
      with_bias, with_residual, add, bounds != NULL, (unsigned long long)seed);
  guarded_reset(&tile, owned ? (size_t)((m - 1) * t.ldc + count) * element : 0, where);
  guarded_reset(&target, (size_t)owned * element, where);
  guarded_reset(&residual, (size_t)owned * element, where);
  guarded_reset(&bias, (size_t)(with_bias == ROW_BIAS ? m : count) * element, where);
  fill_values(dtype, &tile, r);
  fill_values(dtype, &target, r);
  fill_values(dtype, &residual, r);
  fill_values(dtype, &bias, r);
  guarded_reset(&old, target.bytes, where);
  memcpy(old.data, target.data, target.bytes);
  guarded_protect(&tile, true);
  t.c = tile.data;
  t.out = target.data;
  t.bias = with_bias == NO_BIAS ? NULL : bias.data;
  t.bias_rows = with_bias == ROW_BIAS;
  t.residual = with_residual == NO_RESIDUAL ? NULL : with_residual == RESIDUAL ? residual.data : target.data;
  engine->store(&t);
  guarded_protect(&tile, false);
  /* the places of the block are written over in `old` as they are checked; what is left there must be left in out */
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < count; j++) {
      int64_t at = place_of(&t, i, j);
      double want = stored(dtype, &t, with_residual == IN_PLACE ? old.data : residual.data, i, j);
      double got = array_get(dtype, target.data, at);
      if (isnan(want) ? !isnan(got) : got != want)
        FAIL("element (%lld, %lld) is %a, expected %a", (long long)i, (long long)j, got, want);
      if ((order == TRANSPOSED || order == PLACED) && with_bias != ROW_BIAS && got == 0 && signbit(got))
        FAIL("element (%lld, %lld) is -0", (long long)i, (long long)j);
      memcpy((char *)old.data + (size_t)at * element, (char *)target.data + (size_t)at * element, element);
    }
  if (memcmp(old.data, target.data, target.bytes) != 0) FAIL("an element outside the block has been written");
  const guarded *all[] = {&tile, &target, &residual, &bias};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (!guarded_intact(all[i])) FAIL("something next to array %zu has been written", i);
}

static void store_engine(const cb_engine *engine, cnnblas_dtype dtype)
{
  static const int64_t sizes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 31, 32, 33, 49, 64};
  enum { SIZES = sizeof sizes / sizeof *sizes };
  rng r = rng_at(seed, 1000 + (uint64_t)dtype * 100 + (uint64_t)engine->lanes);
  long stores = 0;
  for (int variant = 0; variant < ORDERS * BIASES * RESIDUALS * 4; variant++)
    for (int i = 0; i < SIZES; i++)
      for (int j = 0; j < SIZES; j++) {
        /* the large by the large only now and then: they hold no tail that the small do not */
        if (sizes[i] > 17 && sizes[j] > 17 && !rng_chance(&r, 10)) continue;
        store_once(engine, dtype, sizes[i], sizes[j], variant % ORDERS, variant / ORDERS % BIASES,
                   variant / ORDERS / BIASES % RESIDUALS, variant / (ORDERS * BIASES * RESIDUALS) % 2,
                   variant / (ORDERS * BIASES * RESIDUALS) / 2 ? bounds_of(dtype, &r) : NULL, &r);
        stores++;
      }
  printf("  %s: %ld stores\n", engine->name, stores);
}

static void test_pack(void **state)
{
  (void)state;
  levels_run(pack_engine);
}

static void test_store(void **state)
{
  (void)state;
  levels_run(store_engine);
  guarded *all[] = {&source, &target, &old, &tile, &bias, &residual};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) guarded_free(all[i]);
}

int main(void)
{
  seed = rng_seed(20240612);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_pack), cmocka_unit_test(test_store)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
