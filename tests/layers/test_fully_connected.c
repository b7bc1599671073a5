/* The fully connected layer against its definition: shapes that straddle the tiles, gradients, batches, threads. */
#include "check.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  cnnblas_fc_desc d;
  double *x, *w, *b, *y, *r;
} probe;

static probe make_probe(int64_t n, int64_t in, int64_t out)
{
  probe p = {.d = {.dtype = CNNBLAS_F64, .n = n, .in = in, .out = out}};
  p.x = check_reals(1, n * in);
  p.w = check_reals(2, in * out);
  p.b = check_reals(3, out);
  p.y = check_reals(4, n * out);
  p.r = check_reals(5, n * out);
  return p;
}

static void free_probe(probe *p)
{
  free(p->x), free(p->w), free(p->b), free(p->y), free(p->r);
}

static double run_probe(void *context)
{
  probe *p = context;
  ASSERT_OK(cnnblas_fc_forward(&p->d, p->d.n, p->x, p->w, p->b, NULL, p->y));
  return check_dot(p->y, p->r, p->d.n * p->d.out);
}

static void agrees_with_the_definition(void **state)
{
  (void)state;
  static const int64_t shapes[][3] = {{1, 1, 1},     {3, 5, 2},     {16, 7, 256},   {17, 33, 257},  {64, 300, 10},
                                      {70, 258, 66}, {70, 512, 66}, {65, 256, 128}, {9, 1100, 256}, {5, 2048, 800}};
  for (int s = 0; s < 10; s++) {
    int64_t n = shapes[s][0], in = shapes[s][1], out = shapes[s][2];
    probe p = make_probe(n, in, out);
    double *dx = check_reals(6, n * in), *dw = check_reals(7, in * out), *db = check_reals(8, out);
    ASSERT_OK(cnnblas_fc_forward(&p.d, n, p.x, p.w, p.b, &(cnnblas_activation){.kind = CNNBLAS_RELU}, p.y));
    ASSERT_OK(cnnblas_fc_backward_data(&p.d, n, p.r, p.w, dx));
    ASSERT_OK(cnnblas_fc_backward_weights(&p.d, n, p.x, p.r, dw, db));
    double bound = 1e-15 * (double)(in + out + n) * 4;
    for (int64_t i = 0; i < n; i++)
      for (int64_t o = 0; o < out; o++) {
        double want = p.b[o];
        for (int64_t j = 0; j < in; j++) want += p.x[i * in + j] * p.w[o * in + j];
        assert_true(fabs(p.y[i * out + o] - fmax(want, 0)) <= bound);
      }
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < in; j++) {
        double want = 0;
        for (int64_t o = 0; o < out; o++) want += p.r[i * out + o] * p.w[o * in + j];
        assert_true(fabs(dx[i * in + j] - want) <= bound);
      }
    for (int64_t o = 0; o < out; o++) {
      double bias = 0;
      for (int64_t i = 0; i < n; i++) bias += p.r[i * out + o];
      assert_true(fabs(db[o] - bias) <= bound);
      for (int64_t j = 0; j < in; j++) {
        double want = 0;
        for (int64_t i = 0; i < n; i++) want += p.r[i * out + o] * p.x[i * in + j];
        assert_true(fabs(dw[o * in + j] - want) <= bound);
      }
    }
    free(dx), free(dw), free(db);
    free_probe(&p);
  }
}

static void single_precision_agrees_with_double(void **state)
{
  (void)state;
  static const int64_t shapes[][3] = {{1, 1, 1},      {2, 31, 7},     {16, 16, 14},    {70, 258, 66},
                                      {70, 512, 256}, {65, 1030, 64}, {3, 2048, 1600}, {3, 2048, 1600}};
  for (int s = 0; s < 8; s++) {
    int64_t n = shapes[s][0], in = shapes[s][1], out = shapes[s][2], most = n * in > in * out ? n * in : in * out;
    cnnblas_fc_desc d = {.n = n, .in = in, .out = out};
    float *x = check_floats(1, n * in), *w = check_floats(2, in * out), *b = check_floats(3, out);
    float *dy = check_floats(4, n * out);
    char *room = aligned_alloc(64, (size_t)(most + n * out + 32) / 16 * 64); /* large results: aligned, and not */
    float *got = (float *)(void *)room + (s == 7);
    double *wide[5] = {check_reals(6, n * in), check_reals(7, in * out), check_reals(8, out), check_reals(9, n * out),
                       check_reals(10, most + n * out)};
    const float *narrow[] = {x, w, b, dy};
    const int64_t counts[] = {n * in, in * out, out, n * out};
    for (int a = 0; a < 4; a++)
      for (int64_t i = 0; i < counts[a]; i++) wide[a][i] = (double)narrow[a][i];
    for (int product = 0; product < 3; product++) {
      for (int dtype = CNNBLAS_F32; dtype <= CNNBLAS_F64; dtype++) {
        bool f64 = dtype == CNNBLAS_F64;
        const void *px = f64 ? (void *)wide[0] : x, *pw = f64 ? (void *)wide[1] : w, *pb = f64 ? (void *)wide[2] : b;
        const void *pdy = f64 ? (void *)wide[3] : dy;
        void *to = f64 ? (void *)wide[4] : got;
        d.dtype = (cnnblas_dtype)dtype;
        if (product == 0) ASSERT_OK(cnnblas_fc_forward(&d, n, px, pw, pb, NULL, to));
        if (product == 1) ASSERT_OK(cnnblas_fc_backward_data(&d, n, pdy, pw, to));
        if (product == 2) ASSERT_OK(cnnblas_fc_backward_weights(&d, n, px, pdy, to, NULL));
      }
      int64_t count = product == 0 ? n * out : product == 1 ? n * in : in * out;
      double terms = (double)(product == 0 ? in : product == 1 ? out : n) + 1;
      for (int64_t i = 0; i < count; i++) assert_true(fabs((double)got[i] - wide[4][i]) <= 6e-8 * terms * sqrt(terms));
    }
    free(x), free(w), free(b), free(dy), free(room);
    for (int a = 0; a < 5; a++) free(wide[a]);
  }
}

static void gradients_agree_with_differences(void **state)
{
  (void)state;
  probe p = make_probe(5, 9, 4);
  double *dx = check_reals(6, 45), *dw = check_reals(7, 36), *db = check_reals(8, 4);
  ASSERT_OK(cnnblas_fc_backward_data(&p.d, 5, p.r, p.w, dx));
  ASSERT_OK(cnnblas_fc_backward_weights(&p.d, 5, p.x, p.r, dw, db));
  check_gradient("fc input", run_probe, &p, p.x, dx, 45);
  check_gradient("fc weights", run_probe, &p, p.w, dw, 36);
  check_gradient("fc bias", run_probe, &p, p.b, db, 4);
  free(dx), free(dw), free(db);
  free_probe(&p);
}

/* The bits of an image's outputs are the same in every batch and place, and on any number of threads. */
static void bits_do_not_depend_on_batch_or_threads(void **state)
{
  (void)state;
  enum { N = 70, IN = 531, OUT = 300 };
  float *x = check_floats(1, N * IN), *w = check_floats(2, IN * OUT), *all = check_floats(3, N * OUT);
  float *part = check_floats(4, N * OUT), *g1 = check_floats(5, IN * OUT), *g2 = check_floats(6, IN * OUT);
  cnnblas_fc_desc d = {.n = N, .in = IN, .out = OUT, .threads = 1};
  ASSERT_OK(cnnblas_fc_forward(&d, N, x, w, NULL, NULL, all));
  d.threads = 4;
  for (int64_t from = 0; from < N; from += 13)
    for (int64_t n = 1; from + n <= N; n += 9) {
      ASSERT_OK(cnnblas_fc_forward(&d, n, x + from * IN, w, NULL, NULL, part));
      assert_memory_equal(part, all + from * OUT, (size_t)(n * OUT) * sizeof *part);
    }
  float *dx1 = check_floats(7, N * IN), *dx2 = check_floats(8, N * IN);
  d.threads = 1;
  ASSERT_OK(cnnblas_fc_backward_weights(&d, N, x, all, g1, NULL));
  ASSERT_OK(cnnblas_fc_backward_data(&d, N, all, w, dx1));
  for (int i = 0; i < CHECK_TEAMS; i++) {
    d.threads = check_teams[i];
    harness_doing("%d threads", d.threads);
    ASSERT_OK(cnnblas_fc_forward(&d, N, x, w, NULL, NULL, part));
    ASSERT_OK(cnnblas_fc_backward_weights(&d, N, x, all, g2, NULL));
    ASSERT_OK(cnnblas_fc_backward_data(&d, N, all, w, dx2));
    assert_memory_equal(part, all, N * OUT * sizeof *all);
    assert_memory_equal(g1, g2, IN * OUT * sizeof *g1);
    assert_memory_equal(dx1, dx2, N * IN * sizeof *dx1);
  }
  free(x), free(w), free(all), free(part), free(g1), free(g2), free(dx1), free(dx2);
}

/* Enough images and outputs that the bias gradient is worth a team: its chunks are the whole's bits, and each sum is within a
   few roundings of the exact one. */
static void bias_bits_do_not_depend_on_threads(void **state)
{
  (void)state;
  enum { N = 200, IN = 3, OUT = 1001 };
  float *x = check_floats(1, N * IN), *dy = check_floats(2, N * OUT), *dw = check_floats(3, IN * OUT);
  float *alone = check_floats(4, OUT), *db = check_floats(5, OUT);
  cnnblas_fc_desc d = {.n = N, .in = IN, .out = OUT, .threads = 1};
  ASSERT_OK(cnnblas_fc_backward_weights(&d, N, x, dy, dw, alone));
  for (int o = 0; o < OUT; o++) {
    double sum = 0, size = 0;
    for (int in = 0; in < N; in++) sum += dy[in * OUT + o], size += fabs((double)dy[in * OUT + o]);
    if (fabs(alone[o] - sum) > 0x1p-24 * 40 * size) FAIL("db[%d] is %.9g, not %.9g", o, (double)alone[o], sum);
  }
  for (int i = 0; i < CHECK_TEAMS; i++) {
    d.threads = check_teams[i];
    harness_doing("%d threads", d.threads);
    memset(db, 7, OUT * sizeof *db);
    ASSERT_OK(cnnblas_fc_backward_weights(&d, N, x, dy, dw, db));
    assert_memory_equal(db, alone, OUT * sizeof *db);
  }
  free(x), free(dy), free(dw), free(alone), free(db);
}

static void an_empty_batch_gives_zeros(void **state)
{
  (void)state;
  float dw[6], db[2], w[6] = {0};
  memset(dw, 7, sizeof dw);
  memset(db, 7, sizeof db);
  cnnblas_fc_desc d = {.n = 0, .in = 3, .out = 2};
  ASSERT_OK(cnnblas_fc_forward(&d, 0, NULL, w, NULL, NULL, NULL));
  ASSERT_OK(cnnblas_fc_backward_weights(&d, 0, NULL, NULL, dw, db));
  for (int i = 0; i < 6; i++) assert_true(dw[i] == 0 && db[i % 2] == 0);
  assert_int_equal(cnnblas_fc_forward(&d, 1, w, w, NULL, NULL, dw), CNNBLAS_INVALID_ARGUMENT);
  d.n = INT64_MAX / 4;
  assert_int_equal(cnnblas_fc_forward(&d, 1, w, w, NULL, NULL, dw), CNNBLAS_SIZE_OVERFLOW);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_the_definition),         cmocka_unit_test(single_precision_agrees_with_double),
      cmocka_unit_test(gradients_agree_with_differences),   cmocka_unit_test(bits_do_not_depend_on_batch_or_threads),
      cmocka_unit_test(bias_bits_do_not_depend_on_threads), cmocka_unit_test(an_empty_batch_gives_zeros)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
