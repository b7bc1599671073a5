/*
 * The benchmark's own judgement: its sampled elements equal the library's reference, a single wrong bit pattern is found,
 * and every peer is right on shapes with every feature.
 */
#include "check.h"
#include "descriptor.h"
#include "norms.h"
#include "peer.h"
#include "process_memory.h"
#include "random_data.h"
#include "support/harness.h"
#include "support/names.h"
#include "timing.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Ranks 1 to 3, groups, depthwise with multiplier, strides that divide and that do not, dilation, uneven padding, tails,
   padding so wide that some taps never meet the image. */
static const char *const shapes[] = {
    "mb3ic4ih9oc6kh3ph1",
    "mb2ic8ih7oc16kh1",
    "mb2g2ic6ih11iw8oc4kh3kw5ph2pw2sh2sw3",
    "mb3g5ic5ih10oc10kh3sh2ph1",
    "mb2ic3ih12oc5kh3dh2ph4",
    "mb1ic3ih9oc4oh5kh2sh2",
    "mb2ic5iw33oc7ow33kw2dw3pw4",
    "mb2ic3id5ih6iw7oc4kd3kh2kw3pd1pw2sd2",
    "mb2ic2ih2oc3kh5ph6dh1",
    "mb5ic17ih5oc13kh3ph1",
};

enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct rig {
  bench_task task;
  void *x, *w, *dy, *out;
} rig;

static size_t bytes(int64_t count)
{
  return (size_t)count * sizeof(double);
}

static void rig_make(rig *r, const char *text, cnnblas_dtype dtype, cnnblas_conv_direction direction)
{
  bench_problem problem;
  bench_parse_error error;
  harness_doing("%s %s %s", text, dtype == CNNBLAS_F64 ? "f64" : "f32", cnnblas_conv_direction_name(direction));
  assert_true(bench_descriptor_parse(text, strlen(text), &problem, &error));
  problem.desc.dtype = dtype;
  memset(r, 0, sizeof *r);
  r->task.desc = problem.desc;
  r->task.direction = direction;
  r->task.threads = 2;
  r->task.element = dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float);
  ASSERT_OK(cnnblas_conv_get_shape(&problem.desc, &r->task.shape));
  bench_geometry_make(&problem.desc, &r->task.geometry);
  const cnnblas_conv_shape *s = &r->task.shape;
  r->task.x = r->x = bench_pages(bytes(s->x_elements));
  r->task.w = r->w = bench_pages(bytes(s->w_elements));
  r->task.dy = r->dy = bench_pages(bytes(s->y_elements));
  r->task.out = r->out = bench_pages(bytes(bench_task_outputs(&r->task)));
  assert_non_null(r->x && r->w && r->dy ? r->out : NULL);
  bench_random_fill(BENCH_SEED_X, r->x, s->x_elements, r->task.element);
  bench_random_fill(BENCH_SEED_W, r->w, s->w_elements, r->task.element);
  bench_random_fill(BENCH_SEED_DY, r->dy, s->y_elements, r->task.element);
  memset(r->out, 0xff, (size_t)bench_task_outputs(&r->task) * r->task.element);
}

static void rig_free(rig *r)
{
  bench_pages_free(r->x, bytes(r->task.shape.x_elements));
  bench_pages_free(r->w, bytes(r->task.shape.w_elements));
  bench_pages_free(r->dy, bytes(r->task.shape.y_elements));
  bench_pages_free(r->out, bytes(bench_task_outputs(&r->task)));
}

/* Runs a candidate once; false if the task is not for it. */
static bool run_once(const bench_peer *peer, const bench_task *task, const void *options)
{
  char why[200];
  void *state = peer->create(task, options, why, sizeof why);
  if (!state) return false;
  assert_true(peer->run(state));
  if (peer->fetch) assert_true(peer->fetch(state));
  peer->destroy(state);
  return true;
}

static void samples_equal_the_reference(void **state)
{
  (void)state;
  const cnnblas_conv_options options = {.algorithm = REFERENCE};
  for (int i = 0; i < SHAPES * 6; i++) {
    rig r;
    rig_make(&r, shapes[i / 6], i % 2 ? CNNBLAS_F64 : CNNBLAS_F32, (cnnblas_conv_direction)(i / 2 % 3));
    bench_expected *all = bench_expected_create(&r.task, BENCH_COVER_ALL);
    bench_expected *samples = bench_expected_create(&r.task, BENCH_COVER_SAMPLES);
    assert_non_null(all);
    assert_non_null(samples);
    assert_false(bench_check(all, &r.task, "").correct); /* still full of NaN */
    assert_false(bench_check(samples, &r.task, "").correct);
    assert_true(run_once(&bench_ours, &r.task, &options));
    bench_verdict whole = bench_check(all, &r.task, ""), part = bench_check(samples, &r.task, "");
    assert_true(whole.correct);
    assert_true(whole.max_error == 0);
    assert_int_equal(whole.checked, bench_task_outputs(&r.task));
    int64_t outputs = bench_task_outputs(&r.task);
    assert_int_equal(part.checked, outputs < BENCH_SAMPLES ? outputs : BENCH_SAMPLES);
    if (!part.correct || part.share_of_bound > 1)
      FAIL("error %g, %g of the bound", part.max_error, part.share_of_bound);
    bench_expected_destroy(all);
    bench_expected_destroy(samples);
    rig_free(&r);
  }
}

/* |patch| * |filter| of an output, term by term; squares of what an output's taps meet count once a channel. */
static double norm_of(const rig *r, int64_t index)
{
  const bench_task *t = &r->task;
  const bench_geometry *g = &t->geometry;
  double patch = 0, filter = 0;
  const float *x = t->x, *w = t->w;
  const int64_t column = index % g->out[2], row = index / g->out[2] % g->out[1], k = index / g->out_pixels % g->k;
  for (int64_t c = 0; c < g->cg; c++)
    for (int64_t i = 0; i < g->taps; i++) {
      const int64_t y = row * g->stride[1] - g->pad[1] + i / g->kernel[2] * g->dilation[1];
      const int64_t z = column * g->stride[2] - g->pad[2] + i % g->kernel[2] * g->dilation[2];
      const bool inside = y >= 0 && y < g->in[1] && z >= 0 && z < g->in[2];
      const int64_t plane = index / g->out_pixels / g->k * g->c + k / g->kg * g->cg + c;
      const double a = inside ? (double)x[(plane * g->in[1] + y) * g->in[2] + z] : 0,
                   b = (double)w[k * g->q + c * g->taps + i];
      patch += a * a;
      filter += b * b;
    }
  return sqrt(patch * filter);
}

/* The norms of forward are those of the definition; a wider patch has a larger norm, and c grows with the terms. */
static void norms_are_those_of_the_definition(void **state)
{
  (void)state;
  static const int of_shapes[] = {0, 9};
  for (size_t s = 0; s < 2; s++) {
    rig r;
    rig_make(&r, shapes[of_shapes[s]], CNNBLAS_F32, CNNBLAS_FORWARD);
    bench_norms *near = bench_norms_create(&r.task, 0), *far = bench_norms_create(&r.task, 3);
    assert_true(near && far);
    for (int64_t i = 0; i < bench_task_outputs(&r.task); i++) {
      const double want = norm_of(&r, i), got = bench_norms_at(near, i);
      if (!(fabs(got - want) <= 1e-12 * want)) FAIL("output %lld: %g, expected %g", (long long)i, got, want);
      assert_true(bench_norms_at(far, i) >= got);
    }
    bench_norms_destroy(near);
    bench_norms_destroy(far);
    rig_free(&r);
  }
  assert_true(bench_norms_factor(0, 576) == 0);
  assert_true(bench_norms_factor(16, 576) == 16 * (16 + 64 + 9));
}

/* Every row of the library is within its own bound, and an output that is off by a hundredth of its norm is not. */
static void every_row_is_right(void **state)
{
  (void)state;
  for (int32_t a = 0; cnnblas_conv_algorithm_name(a); a++)
    for (int i = 0; i < SHAPES * 6; i++) {
      const cnnblas_conv_options options = {.algorithm = cnnblas_conv_algorithm_name(a)};
      rig r;
      rig_make(&r, shapes[i / 6], i % 2 ? CNNBLAS_F64 : CNNBLAS_F32, (cnnblas_conv_direction)(i / 2 % 3));
      bench_expected *all = bench_expected_create(&r.task, BENCH_COVER_ALL);
      if (run_once(&bench_ours, &r.task, &options)) {
        const bench_verdict verdict = bench_check(all, &r.task, options.algorithm);
        if (!verdict.correct) FAIL("%s: %g of the bound", options.algorithm, verdict.share_of_bound);
        bench_norms *norms = bench_norms_create(&r.task, 0);
        assert_non_null(norms);
        const double off = 0.01 + 0.01 * bench_norms_at(norms, 0);
        bench_norms_destroy(norms);
        if (i % 2 == 0) *(float *)r.out += (float)off;
        if (i % 2) *(double *)r.out += off;
        assert_false(bench_check(all, &r.task, options.algorithm).correct);
      }
      bench_expected_destroy(all);
      rig_free(&r);
    }
}

/* 2,048 samples drawn anywhere from 1,458 elements meet 75% of them, the others add borders; both ends are certain. */
static void a_wrong_element_is_found(void **state)
{
  (void)state;
  const cnnblas_conv_options options = {.algorithm = REFERENCE};
  rig r;
  rig_make(&r, shapes[0], CNNBLAS_F32, CNNBLAS_FORWARD);
  bench_expected *all = bench_expected_create(&r.task, BENCH_COVER_ALL);
  bench_expected *samples = bench_expected_create(&r.task, BENCH_COVER_SAMPLES);
  assert_true(run_once(&bench_ours, &r.task, &options));
  int64_t count = bench_task_outputs(&r.task), found = 0;
  float *out = r.out;
  for (int64_t i = 0; i < count; i++) {
    float right = out[i];
    out[i] = right + 1e-3f * (1 + fabsf(right));
    assert_false(bench_check(all, &r.task, "").correct);
    bool seen = !bench_check(samples, &r.task, "").correct;
    if (i == 0 || i == count - 1) assert_true(seen);
    found += seen;
    out[i] = i % 2 ? NAN : INFINITY;
    assert_false(bench_check(all, &r.task, "").correct);
    out[i] = right;
  }
  printf("%lld of %lld wrong elements found by sampling\n", (long long)found, (long long)count);
  assert_true(found * 4 >= count * 3);
  bench_expected_destroy(all);
  bench_expected_destroy(samples);
  rig_free(&r);
}

static void every_peer_is_right(void **state)
{
  (void)state;
  for (size_t p = 0; bench_peer_at(p); p++) {
    int ran[3] = {0};
    for (int i = 0; i < SHAPES * 6; i++) {
      rig r;
      cnnblas_conv_direction direction = (cnnblas_conv_direction)(i / 2 % 3);
      rig_make(&r, shapes[i / 6], i % 2 ? CNNBLAS_F64 : CNNBLAS_F32, direction);
      bench_expected *all = bench_expected_create(&r.task, BENCH_COVER_ALL);
      if (run_once(bench_peer_at(p), &r.task, NULL)) {
        ran[direction]++;
        bench_verdict verdict = bench_check(all, &r.task, "");
        if (!verdict.correct)
          FAIL("%s: error %g, %g of the bound", bench_peer_at(p)->name, verdict.max_error, verdict.share_of_bound);
      }
      bench_expected_destroy(all);
      rig_free(&r);
    }
    printf("%-14s %d forward, %d backward_data, %d backward_weights\n", bench_peer_at(p)->name, ran[0], ran[1], ran[2]);
    for (int d = 0; d < 3; d++) assert_true(ran[d] >= SHAPES - 2); /* oneDNN knows f32 only, and not every shape */
  }
}

/* The lowered buffers of a peer are seen as memory that the call used, the inputs and output are not. */
static void memory_growth_sees_touched_pages(void **state)
{
  (void)state;
  enum { SIZE = 8 << 20 };
  char *pages = bench_pages(SIZE);
  assert_non_null(pages);
  size_t begin = bench_memory_begin();
  if (begin == SIZE_MAX) {
    print_message("this system does not tell\n");
    skip();
  }
  memset(pages, 1, SIZE / 2);
  size_t half = bench_memory_growth(begin);
  bench_pages_free(pages, SIZE);
  size_t still_half = bench_memory_growth(begin); /* the peak stays, though the pages are gone */
  assert_in_range(half, SIZE / 2 - (1 << 20), SIZE / 2 + (1 << 20));
  assert_in_range(still_half, SIZE / 2 - (1 << 20), SIZE / 2 + (1 << 20));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(samples_equal_the_reference),
      cmocka_unit_test(a_wrong_element_is_found),
      cmocka_unit_test(norms_are_those_of_the_definition),
      cmocka_unit_test(every_row_is_right),
      cmocka_unit_test(every_peer_is_right),
      cmocka_unit_test(memory_growth_sees_touched_pages),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
