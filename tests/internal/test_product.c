/*
 * The macro-loops of every level, against its contract in plain C, in every bit:
 *
 *     c[i][j] (+)= sum over chunks, each a chain of sums of its own, of  a[row(i) + walk.a[s]] * b[walk.b[s] + j]
 *
 * rows by a table or evenly apart, sums that stay and sums that are stored, all lanes or some, straight or to places, with a bias,
 * and several items. And panels: what is packed is what lies there, whatever lies side by side.
 */
#include "gemm/panel.h"
#include "internal/levels.h"
#include "support/oracle.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_ROWS = 40, MOST_STEPS = 60, MOST_ITEMS = 3, PLANE = 80, ROOM = 1 << 15 };

static uint64_t seed;
static double a[ROOM], b[ROOM], c[ROOM], old[ROOM], out[ROOM], bias[ROOM];
static int32_t row[MOST_ROWS], awalk[MOST_STEPS], bwalk[MOST_STEPS], cut[MOST_STEPS + 1];
static int64_t place[MOST_ROWS];

/* The sums of one element, chunk by chunk, added to `before` if there is one. */
static double expected(cnnblas_dtype dtype, const cb_product *p, bool fuses, int64_t item, int64_t i, int64_t j,
                       const double *before)
{
  double total = before ? *before : 0;
  int64_t from = item * p->batch.a + (p->a_hop ? i * p->a_hop : p->row[i]);
  for (int64_t chunk = 0; chunk < p->walk.chunks; chunk++) {
    double sum = 0;
    for (int64_t s = p->walk.cut[chunk]; s < p->walk.cut[chunk + 1]; s++) {
      double x = array_get(dtype, a, from + p->walk.a[s]);
      double y = array_get(dtype, b, item * p->batch.b + p->walk.b[s] + j);
      if (dtype == CNNBLAS_F64)
        sum = fuses ? fma(x, y, sum) : x * y + sum;
      else
        sum = (double)(fuses ? fmaf((float)x, (float)y, (float)sum) : (float)x * (float)y + (float)sum);
    }
    bool first = chunk == 0 && !before;
    total = first ? sum : dtype == CNNBLAS_F64 ? total + sum : (double)((float)total + (float)sum);
  }
  return total;
}

/* Random walks, rows and chunks; some chunks are empty. */
static cb_product random_product(const cb_engine *engine, cnnblas_dtype dtype, int vectors, rng *r)
{
  int64_t steps = rng_range(r, 0, MOST_STEPS), chunks = rng_range(r, 1, 4), hop = rng_range(r, 1, 30);
  bool evenly = rng_chance(r, 50);
  for (int i = 0; i < MOST_ROWS; i++) row[i] = (int32_t)(evenly ? i * hop : rng_range(r, 0, 2000));
  for (int s = 0; s < MOST_STEPS; s++) {
    awalk[s] = (int32_t)rng_range(r, 0, 3000);
    bwalk[s] = (int32_t)rng_range(r, 0, 5000);
  }
  cb_chunks_cut(steps, chunks, cut);
  assert_int_equal(cut[chunks], steps);
  if (chunks > 1 && rng_chance(r, 30)) cut[1] = cut[0];
  cb_product p = {.engine = engine,
                  .element = element_bytes(dtype),
                  .a = a,
                  .row = row,
                  .a_hop = evenly ? hop : 0,
                  .b = b,
                  .walk = {awalk, bwalk, cut, chunks},
                  .rows = rng_range(r, 0, MOST_ROWS),
                  .vectors = vectors,
                  .c = c,
                  .ldc = vectors * engine->lanes + rng_range(r, 0, 3),
                  .add = rng_chance(r, 50),
                  .ask = rng_chance(r, 50)};
  p.batch.count = rng_range(r, 0, MOST_ITEMS);
  p.batch.a = rng_range(r, 0, 900);
  p.batch.b = rng_range(r, 0, 900);
  p.batch.c = MOST_ROWS * p.ldc + rng_range(r, 0, 9);
  return p;
}

static void check(cnnblas_dtype dtype, const cb_product *p, bool fuses)
{
  int64_t lanes = p->vectors * p->engine->lanes, at = 0;
  for (int64_t item = 0; item < cb_max(p->batch.count, 1); item++)
    for (int64_t i = 0; i < p->rows; i++) {
      for (; at < item * p->batch.c + i * p->ldc; at++)
        if (array_get(dtype, c, at) != array_get(dtype, old, at)) FAIL("c[%lld] is no sum's place", (long long)at);
      for (int64_t j = 0; j < lanes; j++, at++) {
        double before = array_get(dtype, old, at), got = array_get(dtype, c, at);
        double want = expected(dtype, p, fuses, item, i, j, p->add ? &before : NULL);
        if (got != want)
          FAIL("item %lld, c[%lld][%lld]: %a, not %a", (long long)item, (long long)i, (long long)j, got, want);
      }
    }
}

/* Where element (i, j) of an item is stored. */
static int64_t stored_at(const cb_product *p, int64_t item, int64_t i, int64_t j)
{
  const cb_store *s = p->store;
  return item * p->batch.c + (s->place ? s->place[i] : i * s->row_step) + j * s->lane_step;
}

static void check_stored(cnnblas_dtype dtype, const cb_product *p, bool fuses)
{
  for (int64_t item = 0; item < cb_max(p->batch.count, 1); item++)
    for (int64_t i = 0; i < p->rows; i++)
      for (int64_t j = 0; j < p->store->count; j++) {
        int64_t at = stored_at(p, item, i, j), along = item * p->batch.bias + (p->store->bias_rows ? i : j);
        double want = expected(dtype, p, fuses, item, i, p->skip + j, NULL), term = array_get(dtype, bias, along);
        want = dtype == CNNBLAS_F64 ? want + term : (double)((float)want + (float)term);
        double got = array_get(dtype, out, at);
        if (got != want)
          FAIL("item %lld, out[%lld][%lld]: %a, not %a", (long long)item, (long long)i, (long long)j, got, want);
        array_set(dtype, out, at, array_get(dtype, old, at));
      }
  if (memcmp(out, old, sizeof out) != 0) FAIL("something else has been written to out");
}

static void run_once(const cb_engine *engine, cnnblas_dtype dtype, int vectors, bool fuses, rng *r)
{
  cb_product p = random_product(engine, dtype, vectors, r);
  bool stored = rng_chance(r, 60), placed = rng_chance(r, 50);
  cb_store store = {.count = rng_range(r, 1, vectors * engine->lanes), .out = out, .bias = bias, .bias_rows = !placed};
  harness_doing("%s: %lld rows of %d vectors, %d steps, %lld chunks, %lld items%s, seed %llu", engine->name,
                (long long)p.rows, vectors, (int)cut[p.walk.chunks], (long long)p.walk.chunks, (long long)p.batch.count,
                stored ? ", stored" : "", (unsigned long long)seed);
  for (int64_t i = 0, at = 0; i < MOST_ROWS; i++, at += rng_chance(r, 80) ? 1 : 2) place[i] = at;
  store.place = placed ? place : NULL;
  store.lane_step = placed ? PLANE + 1 : 1;
  store.row_step = placed ? 0 : PLANE;
  memcpy(old, stored ? out : c, sizeof old);
  if (!stored) {
    cb_product_run(&p);
    check(dtype, &p, fuses);
    return;
  }
  p.store = &store;
  p.add = false;
  p.ask &= placed;
  p.skip = rng_range(r, 0, vectors * engine->lanes - store.count);
  p.batch.c = (placed ? CB_MAX_LANES : MOST_ROWS) * (PLANE + 1);
  p.batch.bias = rng_range(r, 0, 20);
  cb_product_run(&p);
  check_stored(dtype, &p, fuses);
}

static void product_engine(const cb_engine *engine, cnnblas_dtype dtype)
{
  bool fuses = level_fuses(engine, dtype);
  rng r = rng_at(seed, (uint64_t)dtype * 100 + (uint64_t)engine->lanes);
  void *arrays[] = {a, b, c, out, bias};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) array_fill_reals(dtype, arrays[i], ROOM, &r);
  for (int i = 0; i < 400; i++)
    for (int vectors = 1; vectors <= CB_MAX_VECTORS; vectors++)
      if (engine->rows[vectors]) run_once(engine, dtype, vectors, fuses, &r);
}

static void test_product(void **state)
{
  (void)state;
  levels_run(product_engine);
}

/* The kernels alone are held by test_dots.c: here every element of any rows and columns has its own products, in integers. */
static void dots_engine(const cb_engine *engine, cnnblas_dtype dtype)
{
  rng r = rng_at(seed, 2000 + (uint64_t)dtype * 100 + (uint64_t)engine->lanes);
  void *arrays[] = {a, b, c};
  for (int i = 0; i < 200; i++) {
    for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) array_fill_integers(dtype, arrays[k], ROOM, &r);
    const int64_t steps = rng_range(&r, 1, 10), hop = rng_chance(&r, 50) ? rng_range(&r, 1, 90) : 0;
    for (int k = 0; k < MOST_ROWS; k++) row[k] = (int32_t)(hop ? k * hop : rng_range(&r, 0, 3000));
    for (int s = 0; s < steps; s++) bwalk[s] = (int32_t)rng_range(&r, 0, 3000);
    const cb_dots_product p = {.engine = engine,
                               .element = element_bytes(dtype),
                               .a = a,
                               .pitch = steps * engine->lanes + rng_range(&r, 0, 5),
                               .b = b,
                               .col = row,
                               .b_hop = hop,
                               .walk = bwalk,
                               .steps = steps,
                               .rows = rng_range(&r, 0, MOST_ROWS),
                               .columns = rng_range(&r, 0, MOST_ROWS),
                               .c = c,
                               .ldc = MOST_ROWS + rng_range(&r, 0, 3)};
    memcpy(old, c, sizeof old);
    cb_dots_run(&p);
    for (int64_t at = 0; at < MOST_ROWS * p.ldc; at++) {
      const int64_t m = at / p.ldc, j = at % p.ldc;
      double want = array_get(dtype, old, at);
      for (int64_t s = 0; s < steps * engine->lanes && m < p.rows && j < p.columns; s++)
        want += array_get(dtype, a, m * p.pitch + s) *
                array_get(dtype, b, row[j] + bwalk[s / engine->lanes] + s % engine->lanes);
      if (array_get(dtype, c, at) != want) FAIL("dots: c[%lld][%lld] is wrong", (long long)m, (long long)j);
    }
  }
}

static void test_dots(void **state)
{
  (void)state;
  levels_run(dots_engine);
}

static void pack_engine(const cb_engine *engine, cnnblas_dtype dtype)
{
  rng r = rng_at(seed, 1000 + (uint64_t)dtype * 100 + (uint64_t)engine->lanes);
  int64_t total = rng_range(&r, 1, 5 * engine->lanes), width = 0;
  array_fill_reals(dtype, a, ROOM, &r);
  for (int i = 0; i < 200; i++, total = rng_range(&r, 1, 5 * engine->lanes), width = 0) {
    int64_t steps = rng_range(&r, 1, MOST_ROWS), ld = rng_chance(&r, 30) ? 1 : rng_range(&r, 100, 150);
    for (int64_t s = 0, at = 0; s < steps; s++, at += rng_chance(&r, 80) ? 1 : 2) place[s] = at;
    for (int64_t p = 0; p < cb_panels(engine, total); p++) {
      cb_panel panel = cb_panel_at(engine, total, p);
      assert_int_equal(cb_panel_offset(engine, steps, p), width * steps);
      cb_panel_pack_places(engine, c, (char *)a + (size_t)panel.first * (size_t)ld * element_bytes(dtype), place, steps,
                           ld, panel.count, panel.width, element_bytes(dtype));
      for (int64_t s = 0; s < steps; s++)
        for (int64_t j = 0; j < panel.width; j++) {
          double want = j < panel.count ? array_get(dtype, a, place[s] + (panel.first + j) * ld) : 0;
          if (array_get(dtype, c, s * panel.width + j) != want)
            FAIL("step %lld, lane %lld", (long long)s, (long long)j);
        }
      width += panel.width;
    }
    assert_int_equal(width * steps, cb_panel_elements(engine, total, steps));
  }
}

static void test_panels(void **state)
{
  (void)state;
  levels_run(pack_engine);
}

int main(void)
{
  seed = rng_seed(20240613);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_product), cmocka_unit_test(test_dots),
                                     cmocka_unit_test(test_panels)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
