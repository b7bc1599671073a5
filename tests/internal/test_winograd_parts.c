/*
 * The parts of minimal filtering (gemm/winograd.h) of every level that the machine has, put together against the definition: a row of
 * tiles by band, inputs, weights, products and outputs. On small integers, exact with points 0, 1 and -1, near with the others.
 * Arrays are as large as the contract says and lie against pages that trap.
 */
#include "base/size.h"
#include "gemm/winograd.h"
#include "support/guarded.h"
#include "support/harness.h"
#include "support/oracle.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed;
static guarded source, taps, band, columns, v, u, m, out;

typedef struct {
  const cb_winograd *kernels;
  const cb_winograd_form *form;
  cnnblas_dtype dtype;
  size_t element;
  int64_t channels, tiles, height, width, row, column; /* of the plane; where the tiles' first input lies */
  int64_t wide;                                        /* columns of the outputs that count */
  int vectors;
  bool turned[2];
} row_of_tiles;

static void make(guarded *array, int64_t count, size_t element, rng *r)
{
  guarded_reset(array, (size_t)count * element, rng_chance(r, 50) ? AGAINST_END : AGAINST_START);
  memset(array->data, 0xff, array->bytes); /* NaN: what is read before it is written shows */
}

static void *at(const guarded *array, int64_t index, size_t element)
{
  return (char *)array->data + (size_t)index * element;
}

/* Output (r, q) of filter f by the definition. */
static double expected(const row_of_tiles *t, int64_t r, int64_t q, int64_t f)
{
  const int64_t width = t->vectors * t->kernels->lanes;
  double sum = 0;
  for (int64_t c = 0; c < t->channels; c++)
    for (int i = 0; i < t->form->taps[0]; i++)
      for (int j = 0; j < t->form->taps[1]; j++) {
        const int64_t h = t->row + r + i, w = t->column + q + j;
        const int ti = t->turned[0] ? t->form->taps[0] - 1 - i : i, tj = t->turned[1] ? t->form->taps[1] - 1 - j : j;
        if (h < 0 || h >= t->height || w < 0 || w >= t->width) continue;
        sum += array_get(t->dtype, source.data, (c * t->height + h) * t->width + w) *
               array_get(t->dtype, taps.data, ((c * t->form->taps[0] + ti) * t->form->taps[1] + tj) * width + f);
      }
  return sum;
}

static void transform_inputs(const row_of_tiles *t, int64_t pitch, int64_t v_pitch)
{
  const int64_t lanes = t->kernels->lanes;
  for (int64_t c = 0; c < t->channels; c += lanes) {
    t->kernels->open_band(&(cb_winograd_band){.from = at(&source, c * t->height * t->width, t->element),
                                              .plane = t->height * t->width,
                                              .channels = cb_min(lanes, t->channels - c),
                                              .height = t->height,
                                              .width = t->width,
                                              .row = t->row,
                                              .column = t->column,
                                              .rows = t->form->points[0],
                                              .columns = pitch,
                                              .to = band.data});
    t->form->inputs(&(cb_winograd_inputs){.band = band.data,
                                          .pitch = pitch,
                                          .tiles = t->tiles,
                                          .columns = columns.data,
                                          .to = at(&v, c * t->tiles, t->element),
                                          .point_pitch = v_pitch});
  }
}

static void check_outputs(const row_of_tiles *t, int vector, int64_t m_pitch)
{
  const int64_t lanes = t->kernels->lanes, width = t->vectors * lanes;
  const bool exact = t->form->outputs[1] == 2;
  const double tolerance = exact ? 0 : t->dtype == CNNBLAS_F64 ? 1e-11 : 5e-3;
  const bool finite = t->form->outputs_of(&(cb_winograd_outputs){.from = at(&m, vector * lanes, t->element),
                                                                 .point_pitch = m_pitch,
                                                                 .width = width,
                                                                 .tiles = t->tiles,
                                                                 .columns = t->wide,
                                                                 .to = out.data,
                                                                 .pitch = t->wide});
  assert_true(finite);
  for (int64_t r = 0; r < t->form->outputs[0]; r++)
    for (int64_t q = 0; q < t->wide; q++)
      for (int64_t l = 0; l < lanes; l++) {
        const double want = expected(t, r, q, vector * lanes + l),
                     got = array_get(t->dtype, out.data, (r * t->wide + q) * lanes + l);
        if (!(fabs(got - want) <= tolerance))
          FAIL("output (%d, %d, %d) is %g, not %g", (int)r, (int)q, (int)l, got, want);
      }
}

static void check_form(const row_of_tiles *t, rng *r)
{
  const cb_winograd_form *form = t->form;
  const int64_t lanes = t->kernels->lanes, width = t->vectors * lanes,
                points = (int64_t)form->points[0] * form->points[1];
  const int64_t pitch = t->tiles * form->outputs[1] + form->points[1] - form->outputs[1];
  const int64_t groups = cb_ceil_div(t->channels, lanes), v_pitch = groups * t->tiles * lanes,
                u_pitch = t->channels * width;
  const int64_t m_pitch = t->tiles * width, weights = t->channels * form->taps[0] * form->taps[1] * width;
  make(&source, t->channels * t->height * t->width, t->element, r);
  make(&taps, weights, t->element, r);
  array_fill_integers(t->dtype, source.data, t->channels * t->height * t->width, r);
  array_fill_integers(t->dtype, taps.data, weights, r);
  make(&band, form->points[0] * pitch * lanes, t->element, r);
  make(&columns, form->points[0] * pitch * lanes, t->element, r);
  make(&v, points * v_pitch, t->element, r);
  make(&u, points * u_pitch, t->element, r);
  make(&m, points * m_pitch, t->element, r);
  make(&out, form->outputs[0] * t->wide * lanes, t->element, r);
  transform_inputs(t, pitch, v_pitch);
  form->weights(&(cb_winograd_weights){.taps = taps.data,
                                       .turned = {t->turned[0], t->turned[1]},
                                       .channels = t->channels,
                                       .vectors = t->vectors,
                                       .to = u.data,
                                       .point_pitch = u_pitch});
  for (int64_t p = 0; p < points; p++)
    t->kernels->multiply(&(cb_winograd_product){.v = at(&v, p * v_pitch, t->element),
                                                .group_pitch = t->tiles * lanes,
                                                .u = at(&u, p * u_pitch, t->element),
                                                .channels = t->channels,
                                                .tiles = t->tiles,
                                                .vectors = t->vectors,
                                                .m = at(&m, p * m_pitch, t->element),
                                                .ahead = rng_chance(r, 50)});
  for (int vector = 0; vector < t->vectors; vector++) check_outputs(t, vector, m_pitch);
  const guarded *arrays[] = {&source, &taps, &band, &columns, &v, &u, &m, &out};
  for (int i = 0; i < 8; i++) assert_true(guarded_intact(arrays[i]));
}

static void test_parts(void **state)
{
  (void)state;
  enum { ROUNDS = 25 };
  for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++)
    for (int isa = 0; isa <= (int)cb_cpu_get()->detected; isa++)
      for (int form = 0; form < CB_WINOGRAD_FORMS; form++)
        for (int round = 0; round < ROUNDS; round++) {
          rng r = rng_at(seed, (uint64_t)round);
          row_of_tiles t = {.kernels = cb_winograd_at((cnnblas_dtype)dtype, (cb_isa)isa),
                            .dtype = (cnnblas_dtype)dtype};
          t.form = &t.kernels->form[form];
          t.element = element_bytes((cnnblas_dtype)dtype);
          t.channels = rng_range(&r, 1, rng_chance(&r, 20) ? 300 : 40);
          t.tiles = rng_range(&r, 1, 17);
          t.height = rng_range(&r, 1, 8);
          t.width = rng_range(&r, 1, 40);
          t.row = rng_range(&r, -4, 6);
          t.column = rng_range(&r, -4, 6);
          t.wide = t.tiles * t.form->outputs[1] - rng_range(&r, 0, t.form->outputs[1] - 1);
          t.vectors = (int)rng_range(&r, 1, 2);
          for (int i = 0; i < 2; i++) t.turned[i] = rng_chance(&r, 50);
          harness_doing("%s of %s, form %d, seed %llu, round %d", dtype ? "f64" : "f32", cb_isa_name((cb_isa)isa), form,
                        (unsigned long long)seed, round);
          check_form(&t, &r);
        }
}

int main(void)
{
  seed = rng_seed(44);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  guarded *const arrays[] = {&source, &taps, &band, &columns, &v, &u, &m, &out};
  for (int i = 0; i < 8; i++) guarded_free(arrays[i]);
  return failed;
}
