/* The transposed convolution: its definition, gradients of every tensor, bias and activation, threads, bad arguments. */
#include "check.h"
#include "support/names.h"
#include <cnnblas/conv_transpose.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  cnnblas_conv_transpose_desc d;
  int64_t size[3], out[3], kernel[3], stride[3], dilation[3], pad[3];
  int64_t groups, inputs, outputs, weights, pixels;
} layer;

static layer lift(const cnnblas_conv_transpose_desc *d)
{
  layer l = {.d = *d, .groups = d->groups ? d->groups : 1};
  int rank = d->rank ? d->rank : 2;
  cnnblas_conv_desc conv;
  ASSERT_OK(cnnblas_conv_transpose_get_conv(d, &conv));
  for (int a = 0; a < 3; a++) {
    l.size[a] = l.out[a] = l.kernel[a] = l.stride[a] = l.dilation[a] = 1;
    if (a < 3 - rank) continue;
    int i = a - (3 - rank);
    l.size[a] = d->size[i], l.kernel[a] = d->kernel[i], l.pad[a] = d->pad_begin[i];
    if (d->stride[0]) l.stride[a] = d->stride[i];
    if (d->dilation[0]) l.dilation[a] = d->dilation[i];
    l.out[a] = (l.size[a] - 1) * l.stride[a] - d->pad_begin[i] - d->pad_end[i] + l.dilation[a] * (l.kernel[a] - 1) + 1 +
               d->output_padding[i];
    assert_true(conv.size[i] == l.out[a]);
  }
  l.pixels = l.out[0] * l.out[1] * l.out[2];
  l.inputs = d->n * d->c * l.size[0] * l.size[1] * l.size[2];
  l.outputs = d->n * d->k * l.pixels;
  l.weights = d->c * (d->k / l.groups) * l.kernel[0] * l.kernel[1] * l.kernel[2];
  return l;
}

/* y by the header's formula. */
static void naive(const layer *l, const double *x, const double *w, double *y)
{
  int64_t kg = l->d.k / l->groups, cg = l->d.c / l->groups, taps = l->kernel[0] * l->kernel[1] * l->kernel[2];
  int64_t in_pixels = l->size[0] * l->size[1] * l->size[2];
  for (int64_t i = 0; i < l->outputs; i++) y[i] = 0;
  for (int64_t e = 0; e < l->inputs; e++)
    for (int64_t k = 0; k < kg; k++)
      for (int64_t t = 0; t < taps; t++) {
        int64_t in = e / in_pixels / l->d.c, ic = e / in_pixels % l->d.c, p = e % in_pixels, at = 0;
        int64_t pixel[3] = {p / (l->size[1] * l->size[2]), p / l->size[2] % l->size[1], p % l->size[2]};
        int64_t tap[3] = {t / (l->kernel[1] * l->kernel[2]), t / l->kernel[2] % l->kernel[1], t % l->kernel[2]};
        bool inside = true;
        for (int a = 0; a < 3; a++) {
          int64_t place = pixel[a] * l->stride[a] - l->pad[a] + tap[a] * l->dilation[a];
          inside = inside && place >= 0 && place < l->out[a];
          at = at * l->out[a] + place;
        }
        int64_t ik = ic / cg * kg + k;
        if (inside) y[(in * l->d.k + ik) * l->pixels + at] += x[e] * w[(ic * kg + k) * taps + t];
      }
}

static const cnnblas_conv_transpose_desc shapes[] = {
    {.n = 2, .c = 3, .k = 4, .size = {5, 6}, .kernel = {3, 3}},
    {.n = 2,
     .c = 4,
     .k = 2,
     .size = {4, 5},
     .kernel = {4, 4},
     .stride = {2, 2},
     .pad_begin = {1, 1},
     .pad_end = {1, 1}},
    {.n = 1,
     .c = 4,
     .k = 6,
     .groups = 2,
     .size = {4, 3},
     .kernel = {3, 2},
     .stride = {3, 2},
     .dilation = {2, 1},
     .pad_begin = {1, 0},
     .pad_end = {2, 1},
     .output_padding = {2, 1}},
    {.n = 3, .rank = 1, .c = 5, .k = 5, .groups = 5, .size = {11}, .kernel = {3}, .stride = {2}, .output_padding = {1}},
    {.n = 2, .rank = 3, .c = 2, .k = 3, .size = {3, 2, 4}, .kernel = {2, 3, 2}, .stride = {2, 1, 2}}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct {
  layer l;
  cnnblas_conv_transpose_plan *plan;
  cnnblas_conv_epilogue epilogue;
  double *x, *w, *y, *r;
} probe;

static double run_probe(void *context)
{
  probe *p = context;
  ASSERT_OK(cnnblas_conv_transpose_forward(p->plan, p->l.d.n, p->x, p->w, &p->epilogue, p->y, NULL, 0));
  return check_dot(p->y, p->r, p->l.outputs);
}

/* Values in f64 and f32 with bias and activation, then every gradient against differences. */
static void values_and_gradients(void **state)
{
  (void)state;
  for (int s = 0; s < SHAPES; s++) {
    cnnblas_conv_transpose_desc d = shapes[s];
    d.dtype = CNNBLAS_F64;
    probe p = {.l = lift(&d)};
    const layer *l = &p.l;
    p.x = check_reals(1, l->inputs), p.w = check_reals(2, l->weights), p.y = check_reals(3, l->outputs);
    p.r = check_reals(4, l->outputs);
    double *want = check_reals(5, l->outputs), *bias = check_reals(6, d.k);
    harness_doing("shape %d", s);
    ASSERT_OK(cnnblas_conv_transpose_plan_create(&d, CNNBLAS_FORWARD, NULL, &p.plan));
    p.epilogue = (cnnblas_conv_epilogue){.bias = bias, .activation.kind = CNNBLAS_TANH};
    run_probe(&p);
    naive(l, p.x, p.w, want);
    for (int64_t i = 0; i < l->outputs; i++)
      assert_true(fabs(p.y[i] - tanh(want[i] + bias[i / l->pixels % d.k])) <= 1e-13);
    p.epilogue.activation.kind = CNNBLAS_IDENTITY;
    run_probe(&p);
    cnnblas_conv_transpose_plan *back, *weights;
    ASSERT_OK(cnnblas_conv_transpose_plan_create(&d, CNNBLAS_BACKWARD_DATA, NULL, &back));
    ASSERT_OK(cnnblas_conv_transpose_plan_create(&d, CNNBLAS_BACKWARD_WEIGHTS, NULL, &weights));
    double *dx = check_reals(7, l->inputs), *dw = check_reals(8, l->weights), *db = check_reals(9, d.k);
    ASSERT_OK(cnnblas_conv_transpose_backward_data(back, d.n, p.r, p.w, dx, NULL, 0));
    ASSERT_OK(cnnblas_conv_transpose_backward_weights(weights, d.n, p.x, p.r, dw, db, NULL, 0));
    check_gradient("x", run_probe, &p, p.x, dx, l->inputs);
    check_gradient("w", run_probe, &p, p.w, dw, l->weights);
    check_gradient("bias", run_probe, &p, bias, db, d.k);
    assert_int_equal(cnnblas_conv_transpose_forward(back, d.n, p.x, p.w, NULL, p.y, NULL, 0), CNNBLAS_INVALID_ARGUMENT);
    cnnblas_conv_transpose_plan_destroy(p.plan), cnnblas_conv_transpose_plan_destroy(back);
    cnnblas_conv_transpose_plan_destroy(weights);
    free(p.x), free(p.w), free(p.y), free(p.r), free(want), free(bias), free(dx), free(dw), free(db);
  }
}

static void bits_do_not_depend_on_threads(void **state)
{
  (void)state;
  cnnblas_conv_transpose_desc d = {.n = 5, .c = 16, .k = 24, .size = {13, 14}, .kernel = {4, 4}, .stride = {2, 2}};
  layer l = lift(&d);
  float *x = check_floats(1, l.inputs), *w = check_floats(2, l.weights), *bias = check_floats(3, d.k), *y[2], *db[2];
  for (int i = 0; i < 2; i++) y[i] = check_floats(4, l.outputs), db[i] = check_floats(5, d.k);
  float *dw = check_floats(6, l.weights);
  for (int run = -1; run < CHECK_TEAMS; run++) {
    int i = run >= 0;
    const cnnblas_conv_options o = {.threads = i ? check_teams[run] : 1};
    const cnnblas_conv_epilogue e = {.bias = bias, .activation.kind = CNNBLAS_SWISH};
    cnnblas_conv_transpose_plan *plan, *weights;
    ASSERT_OK(cnnblas_conv_transpose_plan_create(&d, CNNBLAS_FORWARD, &o, &plan));
    ASSERT_OK(cnnblas_conv_transpose_plan_create(&d, CNNBLAS_BACKWARD_WEIGHTS, &o, &weights));
    ASSERT_OK(cnnblas_conv_transpose_forward(plan, d.n, x, w, &e, y[i], NULL, 0));
    ASSERT_OK(cnnblas_conv_transpose_backward_weights(weights, d.n, x, y[i], dw, db[i], NULL, 0));
    assert_memory_equal(y[0], y[i], (size_t)l.outputs * sizeof(float));
    assert_memory_equal(db[0], db[i], (size_t)d.k * sizeof(float));
    cnnblas_conv_transpose_plan_destroy(plan), cnnblas_conv_transpose_plan_destroy(weights);
  }
  for (int i = 0; i < 2; i++) free(y[i]), free(db[i]);
  free(x), free(w), free(bias), free(dw);
}

/* Weights packed once give the bits of weights as they are, for any number of threads and images. */
static void packed_weights_give_the_same_bits(void **state)
{
  static const cnnblas_conv_transpose_desc more[] = {
      {.n = 2, .c = 70, .k = 13, .size = {9, 17}, .kernel = {2, 2}, .stride = {2, 2}},
      {.n = 3, .c = 330, .k = 7, .size = {5, 4}, .kernel = {3, 5}, .stride = {1, 3}, .dilation = {2, 1}},
      {.n = 1,
       .c = 12,
       .k = 20,
       .groups = 2,
       .size = {7, 9},
       .kernel = {9, 8},
       .pad_begin = {3, 3},
       .pad_end = {3, 3}}};
  enum { MORE = sizeof more / sizeof *more };
  int packing = 0;
  (void)state;
  for (int s = 0; s < SHAPES + MORE; s++) {
    const cnnblas_conv_transpose_desc d = s < SHAPES ? shapes[s] : more[s - SHAPES];
    const layer l = lift(&d);
    float *x = check_floats(1, l.inputs), *w = check_floats(2, l.weights), *bias = check_floats(3, d.k), *y[2];
    for (int i = 0; i < 2; i++) y[i] = check_floats(4, l.outputs);
    for (int run = 0; run < CHECK_TEAMS; run++) {
      cnnblas_conv_options o = {.threads = check_teams[run], .algorithm = IMPLICIT_GEMM_SLIVERS};
      const cnnblas_conv_epilogue e = {.bias = bias, .activation.kind = CNNBLAS_RELU};
      cnnblas_conv_transpose_plan *plain, *packs;
      harness_doing("shape %d, %d threads", s, (int)o.threads);
      if (cnnblas_conv_transpose_plan_create(&d, CNNBLAS_FORWARD, &o, &plain)) continue;
      o.packed_weights = 1;
      ASSERT_OK(cnnblas_conv_transpose_plan_create(&d, CNNBLAS_FORWARD, &o, &packs));
      packing += cnnblas_conv_plan_packs(cnnblas_conv_transpose_plan_get_conv(plain));
      const cnnblas_conv_plan *conv = cnnblas_conv_transpose_plan_get_conv(packs);
      size_t bytes;
      void *packed = NULL;
      ASSERT_OK(cnnblas_conv_plan_packed_bytes(conv, &bytes));
      assert_int_equal(posix_memalign(&packed, 64, bytes), 0);
      ASSERT_OK(cnnblas_conv_plan_pack_weights(conv, w, packed, bytes));
      ASSERT_OK(cnnblas_conv_transpose_forward(plain, d.n, x, w, &e, y[0], NULL, 0));
      ASSERT_OK(cnnblas_conv_transpose_forward_packed(packs, d.n, x, packed, &e, y[1], NULL, 0));
      assert_memory_equal(y[0], y[1], (size_t)l.outputs * sizeof(float));
      assert_int_equal(cnnblas_conv_transpose_forward(packs, d.n, x, w, &e, y[1], NULL, 0), CNNBLAS_INVALID_ARGUMENT);
      assert_int_equal(cnnblas_conv_transpose_forward_packed(plain, d.n, x, packed, &e, y[1], NULL, 0),
                       CNNBLAS_INVALID_ARGUMENT);
      cnnblas_conv_transpose_plan_destroy(plain), cnnblas_conv_transpose_plan_destroy(packs);
      free(packed);
    }
    free(x), free(w), free(bias), free(y[0]), free(y[1]);
  }
  assert_true(packing > 0);
}

/* Taps of a phase follow from sizes, strides and padding: weights that are packed for others are refused. */
static void packed_weights_are_for_their_sizes(void **state)
{
  cnnblas_conv_transpose_desc d = {.n = 1, .c = 8, .k = 8, .size = {6, 6}, .kernel = {4, 4}, .stride = {2, 2}};
  const cnnblas_conv_options o = {.packed_weights = 1, .algorithm = IMPLICIT_GEMM_SLIVERS};
  static float x[8 * 36], w[8 * 8 * 16], y[8 * 16 * 16];
  cnnblas_conv_transpose_plan *one, *other;
  size_t bytes;
  void *packed = NULL;
  (void)state;
  ASSERT_OK(cnnblas_conv_transpose_plan_create(&d, CNNBLAS_FORWARD, &o, &one));
  const cnnblas_conv_plan *conv = cnnblas_conv_transpose_plan_get_conv(one);
  ASSERT_OK(cnnblas_conv_plan_packed_bytes(conv, &bytes));
  assert_int_equal(posix_memalign(&packed, 64, bytes), 0);
  ASSERT_OK(cnnblas_conv_plan_pack_weights(conv, w, packed, bytes));
  d.pad_begin[0] = d.pad_end[1] = 1;
  ASSERT_OK(cnnblas_conv_transpose_plan_create(&d, CNNBLAS_FORWARD, &o, &other));
  assert_int_equal(cnnblas_conv_transpose_forward_packed(other, 1, x, packed, NULL, y, NULL, 0),
                   CNNBLAS_INVALID_ARGUMENT);
  assert_non_null(strstr(cnnblas_last_error(), "input/stride+base+step"));
  ASSERT_OK(cnnblas_conv_transpose_forward_packed(one, 1, x, packed, NULL, y, NULL, 0));
  cnnblas_conv_transpose_plan_destroy(one), cnnblas_conv_transpose_plan_destroy(other);
  cnnblas_conv_options back = {.packed_weights = 1};
  assert_int_equal(cnnblas_conv_transpose_plan_create(&d, CNNBLAS_BACKWARD_DATA, &back, &one), CNNBLAS_UNSUPPORTED);
  free(packed);
}

static void bad_arguments_are_refused(void **state)
{
  (void)state;
  float x[9] = {0}, w[9] = {0}, y[25];
  const cnnblas_conv_transpose_desc good = {.n = 1, .c = 1, .k = 1, .size = {3, 3}, .kernel = {3, 3}};
  cnnblas_conv_transpose_desc d;
  cnnblas_conv_transpose_plan *plan = NULL;
  cnnblas_conv_options o = {.accumulate = 1};
#define REFUSED(status, change)                                                                                        \
  d = good, change, assert_int_equal(cnnblas_conv_transpose_plan_create(&d, CNNBLAS_FORWARD, NULL, &plan), status)
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.output_padding[0] = 1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.output_padding[1] = -1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.pad_begin[0] = 5);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.pad_end[0] = -1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.stride[0] = 2);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.size[2] = 1);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.rank = 4);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.groups = 2);
  REFUSED(CNNBLAS_INVALID_ARGUMENT, d.reserved[7] = 1);
  REFUSED(CNNBLAS_SIZE_OVERFLOW, (d.stride[0] = INT64_MAX, d.stride[1] = 1));
  REFUSED(CNNBLAS_UNSUPPORTED, d.dtype = CNNBLAS_BF16);
  assert_int_equal(cnnblas_conv_transpose_plan_create(&good, CNNBLAS_FORWARD, &o, &plan), CNNBLAS_UNSUPPORTED);
  assert_int_equal(cnnblas_conv_transpose_plan_create(&good, CNNBLAS_FORWARD, NULL, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_conv_transpose_plan_create(NULL, CNNBLAS_FORWARD, NULL, &plan), CNNBLAS_INVALID_ARGUMENT);
  assert_null(plan);
  ASSERT_OK(cnnblas_conv_transpose_plan_create(&good, CNNBLAS_FORWARD, NULL, &plan));
  assert_non_null(cnnblas_conv_transpose_plan_get_conv(plan));
  cnnblas_conv_epilogue e = {.residual = x};
  assert_int_equal(cnnblas_conv_transpose_forward(plan, 1, x, w, &e, y, NULL, 0), CNNBLAS_UNSUPPORTED);
  e = (cnnblas_conv_epilogue){.bias = y};
  assert_int_equal(cnnblas_conv_transpose_forward(plan, 1, x, w, &e, y, NULL, 0), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_conv_transpose_forward(plan, 2, x, w, NULL, y, NULL, 0), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_conv_transpose_forward(plan, 1, NULL, w, NULL, y, NULL, 0), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_conv_transpose_backward_data(plan, 1, y, w, x, NULL, 0), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_conv_transpose_forward(NULL, 1, x, w, NULL, y, NULL, 0), CNNBLAS_INVALID_ARGUMENT);
  cnnblas_conv_transpose_plan_destroy(plan);
  cnnblas_conv_transpose_plan_destroy(NULL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_and_gradients), cmocka_unit_test(bits_do_not_depend_on_threads),
      cmocka_unit_test(packed_weights_give_the_same_bits), cmocka_unit_test(packed_weights_are_for_their_sizes),
      cmocka_unit_test(bad_arguments_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
