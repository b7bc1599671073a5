/* Activations: values, gradients, edges, in place, tails, threads. */
#include "check.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 15, SOFTPLUS = 10, SELU = 9 };
static const char *const names[KINDS] = {"relu",     "leaky relu", "sigmoid", "tanh",    "identity",
                                         "clip",     "leaky 0.25", "elu",     "elu 0.7", "selu",
                                         "softplus", "hsigmoid",   "swish",   "hswish",  "gelu"};
static const cnnblas_activation functions[KINDS] = {{.kind = CNNBLAS_RELU},
                                                    {.kind = CNNBLAS_LEAKY_RELU},
                                                    {.kind = CNNBLAS_SIGMOID},
                                                    {.kind = CNNBLAS_TANH},
                                                    {.kind = CNNBLAS_IDENTITY},
                                                    {.kind = CNNBLAS_CLIP, .alpha = -0.5, .beta = 0.75},
                                                    {.kind = CNNBLAS_LEAKY_RELU, .alpha = 0.25},
                                                    {.kind = CNNBLAS_ELU},
                                                    {.kind = CNNBLAS_ELU, .alpha = 0.7},
                                                    {.kind = CNNBLAS_SELU},
                                                    {.kind = CNNBLAS_SOFTPLUS},
                                                    {.kind = CNNBLAS_HSIGMOID},
                                                    {.kind = CNNBLAS_SWISH},
                                                    {.kind = CNNBLAS_HSWISH},
                                                    {.kind = CNNBLAS_GELU}};

static cnnblas_activation_desc make(int kind, cnnblas_dtype dtype)
{
  return (cnnblas_activation_desc){.dtype = dtype, .function = functions[kind]};
}

#define SELU_SCALE 1.0507009873554804934193349852946
#define SELU_ALPHA 1.6732632423543772848170429916717

/* A parameter is what the dtype makes of it. */
static long double exact(int kind, long double x, bool is_float)
{
  const long double alpha = is_float ? (long double)0.7f : (long double)0.7;
  switch (kind) {
  case 0:
    return x > 0 ? x : 0;
  case 1:
    return x > 0 ? x : 0.01L * x;
  case 2:
    return 1 / (1 + expl(-x));
  case 3:
    return tanhl(x);
  case 4:
    return x;
  case 5:
    return x < -0.5L ? -0.5L : x > 0.75L ? 0.75L : x;
  case 6:
    return x > 0 ? x : 0.25L * x;
  case 7:
    return x > 0 ? x : expm1l(x);
  case 8:
    return x > 0 ? x : alpha * expm1l(x);
  case SELU:
    return (long double)SELU_SCALE * (x > 0 ? x : (long double)SELU_ALPHA * expm1l(x));
  case SOFTPLUS:
    return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x));
  case 11:
    return x < -3 ? 0 : x > 3 ? 1 : (x + 3) / 6;
  case 12:
    return x / (1 + expl(-x));
  case 13:
    return x < -3 ? 0 : x > 3 ? x : x * ((x + 3) / 6);
  default:
    return x * erfcl(-x / sqrtl(2)) / 2;
  }
}

/* Units in the last place between a result and the exact value. */
static double units(double got, long double want, bool is_float)
{
  double w = (double)want, place;
  if (is_float)
    place = (double)(nextafterf(fabsf((float)w), INFINITY) - fabsf((float)w));
  else
    place = nextafter(fabs(w), INFINITY) - fabs(w);
  return (double)(fabsl((long double)got - want) / (long double)place);
}

static void values_are_within_four_units(void **state)
{
  (void)state;
  enum { COUNT = 40001 };
  static double x[COUNT], y[COUNT];
  static float xf[COUNT], yf[COUNT];
  for (int i = 0; i < COUNT; i++) {
    double t = (double)(i - COUNT / 2) / (COUNT / 2);
    xf[i] = (float)(x[i] = i % 3 == 0 ? 90 * t : i % 3 == 1 ? 2 * t : 30 * t * t * t);
  }
  for (int kind = 0; kind < KINDS; kind++) {
    double worst = 0, worst_f = 0;
    cnnblas_activation_desc d = make(kind, CNNBLAS_F64), f = make(kind, CNNBLAS_F32);
    ASSERT_OK(cnnblas_activation_forward(&d, COUNT, x, y));
    ASSERT_OK(cnnblas_activation_forward(&f, COUNT, xf, yf));
    for (int i = 0; i < COUNT; i++) {
      worst = fmax(worst, units(y[i], exact(kind, x[i], false), false));
      worst_f = fmax(worst_f, units((double)yf[i], exact(kind, (long double)xf[i], true), true));
    }
    print_message("%s: f64 %.2f, f32 %.2f units in the last place\n", names[kind], worst, worst_f);
    assert_true(worst <= 4 && worst_f <= 4);
  }
}

static void edges_are_exact(void **state)
{
  (void)state;
  double x[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, DBL_MAX, -DBL_MAX, 1e-320}, y[8];
  static const double want[KINDS][8] = {
      {0, 0, INFINITY, 0, NAN, DBL_MAX, 0, 1e-320},
      {0, 0, INFINITY, -INFINITY, NAN, DBL_MAX, -DBL_MAX * 0.01, 1e-320},
      {0.5, 0.5, 1, 0, NAN, 1, 0, 0.5},
      {0, 0, 1, -1, NAN, 1, -1, 1e-320},
      {0, 0, INFINITY, -INFINITY, NAN, DBL_MAX, -DBL_MAX, 1e-320},
      {0, 0, 0.75, -0.5, NAN, 0.75, -0.5, 1e-320},
      {0, 0, INFINITY, -INFINITY, NAN, DBL_MAX, -DBL_MAX * 0.25, 1e-320},
      {0, 0, INFINITY, -1, NAN, DBL_MAX, -1, 1e-320},
      {0, 0, INFINITY, -0.7, NAN, DBL_MAX, -0.7, 1e-320},
      {0, 0, INFINITY, -SELU_SCALE * SELU_ALPHA, NAN, INFINITY, -SELU_SCALE * SELU_ALPHA, SELU_SCALE * 1e-320},
      {M_LN2, M_LN2, INFINITY, 0, NAN, DBL_MAX, 0, M_LN2},
      {0.5, 0.5, 1, 0, NAN, 1, 0, 0.5},
      {0, 0, INFINITY, 0, NAN, DBL_MAX, 0, 5e-321},
      {0, 0, INFINITY, 0, NAN, DBL_MAX, 0, 5e-321},
      {0, 0, INFINITY, 0, NAN, DBL_MAX, 0, 5e-321}};
  for (int kind = 0; kind < KINDS; kind++) {
    cnnblas_activation_desc d = make(kind, CNNBLAS_F64);
    ASSERT_OK(cnnblas_activation_forward(&d, 8, x, y));
    for (int i = 0; i < 8; i++)
      if (isnan(want[kind][i]) ? !isnan(y[i])
                               : y[i] != want[kind][i] && !(kind == SOFTPLUS && fabs(y[i] - M_LN2) < 4e-16))
        FAIL("%s(%g) is %g, not %g", names[kind], x[i], y[i], want[kind][i]);
  }
}

/* Far out the gradients of the functions that vanish below 0 are 0 or 1, and no product of 0 with an infinity. */
static void gradients_far_out_are_those_of_the_limits(void **state)
{
  (void)state;
  double x[] = {INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, 1e4, -1e4}, y[6], dx[6];
  const double dy[] = {1, 1, 1, 1, 1, 1};
  for (int kind = SOFTPLUS; kind < KINDS; kind++) {
    cnnblas_activation_desc d = make(kind, CNNBLAS_F64);
    ASSERT_OK(cnnblas_activation_forward(&d, 6, x, y));
    ASSERT_OK(cnnblas_activation_backward(&d, 6, x, y, dy, dx));
    for (int i = 0; i < 6; i++)
      if (dx[i] != (i % 2 || kind == SOFTPLUS + 1 ? 0 : 1)) FAIL("%s: slope at %g is %g", names[kind], x[i], dx[i]);
  }
}

static void relu_gradient_at_zero_is_zero(void **state)
{
  (void)state;
  float y[] = {0, 2, 0, NAN}, dy[] = {5, 6, NAN, 7}, dx[4];
  cnnblas_activation_desc d = make(0, CNNBLAS_F32);
  ASSERT_OK(cnnblas_activation_backward(&d, 4, NULL, y, dy, dx));
  assert_true(dx[0] == 0 && dx[1] == 6 && dx[2] == 0 && dx[3] == 7);
}

static void clip_gradient_at_its_bounds_is_zero(void **state)
{
  (void)state;
  float y[] = {-0.5f, 0.75f, 0.5f, NAN}, dy[] = {5, 6, 7, 8}, dx[4];
  cnnblas_activation_desc d = make(5, CNNBLAS_F32);
  ASSERT_OK(cnnblas_activation_backward(&d, 4, NULL, y, dy, dx));
  assert_true(dx[0] == 0 && dx[1] == 0 && dx[2] == 7 && dx[3] == 8);
}

typedef struct {
  cnnblas_activation_desc d;
  int64_t count;
  double *x, *y, *r;
} probe;

static double run_probe(void *context)
{
  probe *p = context;
  ASSERT_OK(cnnblas_activation_forward(&p->d, p->count, p->x, p->y));
  return check_dot(p->y, p->r, p->count);
}

static void gradients_agree_with_differences(void **state)
{
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    probe p = {make(kind, CNNBLAS_F64), 101, check_reals(1, 101), check_reals(2, 101), check_reals(3, 101)};
    double *dx = check_reals(4, p.count);
    static const double kinks[] = {-3, -0.5, 0, 0.75,
                                   3}; /* of the hard functions, of clip, of ELU and the leaky ones */
    for (int64_t i = 0; i < p.count; i++) {
      if (kind > 6) p.x[i] *= 5;
      for (int k = 0; k < 5; k++)
        if (fabs(p.x[i] - kinks[k]) < 1e-3) p.x[i] += 0.01;
    }
    run_probe(&p);
    bool needs_x = p.d.function.kind >= CNNBLAS_SWISH;
    ASSERT_OK(cnnblas_activation_backward(&p.d, p.count, needs_x ? p.x : NULL, needs_x ? NULL : p.y, p.r, dx));
    double other = NAN;
    assert_int_equal(cnnblas_activation_backward(&p.d, 1, needs_x ? NULL : p.x, needs_x ? p.y : NULL, p.r, &other),
                     CNNBLAS_INVALID_ARGUMENT);
    check_gradient(names[kind], run_probe, &p, p.x, dx, p.count);
    free(dx), free(p.x), free(p.y), free(p.r);
  }
}

/* Every length of tail, in place and apart, and any number of threads give the same bits. */
static void bits_do_not_depend_on_place_or_threads(void **state)
{
  (void)state;
  enum { COUNT = 70001 };
  float *x = check_floats(5, COUNT), *one = check_floats(6, COUNT), *other = check_floats(7, COUNT);
  for (int kind = 0; kind < KINDS; kind++) {
    cnnblas_activation_desc d = make(kind, CNNBLAS_F32);
    d.threads = 1;
    ASSERT_OK(cnnblas_activation_forward(&d, COUNT, x, one));
    for (int i = 0; i < CHECK_TEAMS; i++) {
      d.threads = check_teams[i];
      memcpy(other, x, COUNT * sizeof *x);
      ASSERT_OK(cnnblas_activation_forward(&d, COUNT, other, other));
      assert_memory_equal(one, other, COUNT * sizeof *x);
    }
    for (int64_t count = 0; count < 70; count++) {
      ASSERT_OK(cnnblas_activation_forward(&d, count, x + 1, other));
      ASSERT_OK(cnnblas_activation_forward(&d, COUNT - 1, x + 1, one));
      assert_memory_equal(one, other, (size_t)count * sizeof *x);
    }
  }
  free(x), free(one), free(other);
}

static void bad_arguments_are_refused(void **state)
{
  (void)state;
  float x[4] = {0}, y[4] = {0};
  cnnblas_activation_desc d;
  cnnblas_activation_desc_init(&d);
  assert_int_equal(cnnblas_activation_forward(NULL, 4, x, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_activation_forward(&d, -1, x, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_activation_forward(&d, 4, NULL, y), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_activation_forward(&d, 3, x, x + 1), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_activation_forward(&d, 0, NULL, NULL), CNNBLAS_OK);
  d.function.kind = CNNBLAS_TANH, d.dtype = CNNBLAS_BF16;
  assert_int_equal(cnnblas_activation_forward(&d, 4, x, y), CNNBLAS_UNSUPPORTED);
  cnnblas_activation_desc_init(&d);
  d.reserved[3] = 1;
  assert_int_equal(cnnblas_activation_forward(&d, 4, x, y), CNNBLAS_INVALID_ARGUMENT);
  cnnblas_activation_desc_init(&d);
  assert_int_equal(cnnblas_activation_backward(&d, 3, y, x, x, x + 1), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_activation_backward(&d, 3, x, y, y, x), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_activation_backward(&d, 3, NULL, NULL, y, x), CNNBLAS_INVALID_ARGUMENT);
}

/* Every function that takes an activation refuses the same ones in the same words. */
static void bad_functions_are_refused(void **state)
{
  (void)state;
  const struct {
    cnnblas_activation f;
    cnnblas_status status;
    const char *word;
  } cases[] = {
      {{.kind = (cnnblas_activation_kind)13}, CNNBLAS_INVALID_ARGUMENT, "13"},
      {{.kind = (cnnblas_activation_kind)-1}, CNNBLAS_INVALID_ARGUMENT, "-1"},
      {{.alpha = 0.5}, CNNBLAS_INVALID_ARGUMENT, "IDENTITY has alpha 0.5"},
      {{.kind = CNNBLAS_RELU, .beta = 6}, CNNBLAS_INVALID_ARGUMENT, "RELU has beta 6"},
      {{.kind = CNNBLAS_LEAKY_RELU, .alpha = -1}, CNNBLAS_INVALID_ARGUMENT, "LEAKY_RELU has alpha -1"},
      {{.kind = CNNBLAS_LEAKY_RELU, .alpha = NAN}, CNNBLAS_INVALID_ARGUMENT, "LEAKY_RELU has alpha"},
      {{.kind = CNNBLAS_LEAKY_RELU, .alpha = INFINITY}, CNNBLAS_INVALID_ARGUMENT, "LEAKY_RELU has alpha inf"},
      {{.kind = CNNBLAS_ELU, .alpha = -1}, CNNBLAS_INVALID_ARGUMENT, "ELU has alpha -1"},
      {{.kind = CNNBLAS_GELU, .alpha = 1}, CNNBLAS_INVALID_ARGUMENT, "GELU has alpha 1"},
      {{.kind = CNNBLAS_CLIP}, CNNBLAS_INVALID_ARGUMENT, "below beta"},
      {{.kind = CNNBLAS_CLIP, .alpha = 1, .beta = -1}, CNNBLAS_INVALID_ARGUMENT, "alpha 1 and beta -1"},
      {{.kind = CNNBLAS_CLIP, .beta = NAN}, CNNBLAS_INVALID_ARGUMENT, "below beta"},
      {{.kind = CNNBLAS_TANH, .reserved = {0, 7}}, CNNBLAS_INVALID_ARGUMENT, "reserved[1] is 7"},
  };
  float x[4] = {1, 2, 3, 4}, w[4] = {0}, y[4] = {9, 9, 9, 9};
  cnnblas_conv_desc conv = {.n = 1, .c = 1, .k = 1, .size = {2, 2}, .kernel = {1, 1}};
  cnnblas_conv_plan *plan;
  ASSERT_OK(cnnblas_conv_plan_create(&conv, CNNBLAS_FORWARD, NULL, &plan));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cnnblas_activation_desc layer = {.function = cases[i].f};
    cnnblas_fc_desc fc = {.n = 1, .in = 1, .out = 1};
    cnnblas_conv_epilogue epilogue = {.activation = cases[i].f};
    const cnnblas_status got[] = {cnnblas_activation_forward(&layer, 4, x, y),
                                  cnnblas_activation_backward(&layer, 4, x, x, x, y),
                                  cnnblas_fc_forward(&fc, 1, x, w, NULL, &cases[i].f, y),
                                  cnnblas_conv_forward(plan, 1, x, w, &epilogue, y, NULL, 0)};
    for (size_t call = 0; call < sizeof got / sizeof *got; call++) assert_int_equal(got[call], cases[i].status);
    if (!strstr(cnnblas_last_error(), cases[i].word))
      FAIL("the message does not say \"%s\": %s", cases[i].word, cnnblas_last_error());
    assert_true(y[0] == 9 && y[1] == 9 && y[2] == 9 && y[3] == 9);
  }
  cnnblas_conv_plan_destroy(plan);
}

/* A convolution or a fully connected layer with an activation has the bits of the layer and then the activation. */
static void stores_give_the_bits_of_the_layer(void **state)
{
  (void)state;
  enum { N = 3, C = 4, K = 5, PIXELS = 9 * 7, OUT = 37, IN = C * PIXELS };
  cnnblas_conv_desc conv = {
      .n = N, .c = C, .k = K, .size = {9, 7}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
  cnnblas_fc_desc fc = {.n = N, .in = IN, .out = OUT};
  float *x = check_floats(1, N * IN), *w = check_floats(2, OUT * IN), *bias = check_floats(3, OUT);
  float *one = check_floats(4, N * IN * 2), *two = check_floats(5, N * IN * 2);
  for (int32_t i = 0; cnnblas_conv_algorithm_name(i); i++) {
    cnnblas_conv_options o = {.algorithm = cnnblas_conv_algorithm_name(i), .threads = 3};
    cnnblas_conv_plan *plan;
    if (cnnblas_conv_plan_create(&conv, CNNBLAS_FORWARD, &o, &plan)) continue;
    for (int kind = 0; kind < KINDS; kind++) {
      cnnblas_activation_desc d = make(kind, CNNBLAS_F32);
      cnnblas_conv_epilogue plain = {.bias = bias}, with = {.bias = bias, .activation = functions[kind]};
      ASSERT_OK(cnnblas_conv_forward(plan, N, x, w, &plain, one, NULL, 0));
      ASSERT_OK(cnnblas_activation_forward(&d, N * K * PIXELS, one, one));
      ASSERT_OK(cnnblas_conv_forward(plan, N, x, w, &with, two, NULL, 0));
      for (int e = 0; e < N * K * PIXELS; e++)
        if (one[e] != two[e]) FAIL("%s, %s: element %d is %g, not %g", o.algorithm, names[kind], e, two[e], one[e]);
    }
    cnnblas_conv_plan_destroy(plan);
  }
  for (int kind = 0; kind < KINDS; kind++) {
    cnnblas_activation_desc d = make(kind, CNNBLAS_F32);
    ASSERT_OK(cnnblas_fc_forward(&fc, N, x, w, bias, NULL, one));
    ASSERT_OK(cnnblas_activation_forward(&d, N * OUT, one, one));
    ASSERT_OK(cnnblas_fc_forward(&fc, N, x, w, bias, &functions[kind], two));
    assert_memory_equal(one, two, N * OUT * sizeof *one);
  }
  free(x), free(w), free(bias), free(one), free(two);
}

/* An alpha that f32 cannot hold is infinite there, and reaches what is negative alone. */
static void alpha_of_elu_leaves_what_is_positive(void **state)
{
  (void)state;
  const cnnblas_activation_desc d = {.dtype = CNNBLAS_F32, .function = {.kind = CNNBLAS_ELU, .alpha = 1e39}};
  float x[11], y[11];
  for (int i = 0; i < 11; i++) x[i] = (float)(i - 1);
  ASSERT_OK(cnnblas_activation_forward(&d, 11, x, y));
  assert_true(isinf(y[0]) && y[0] < 0);
  for (int i = 1; i < 11; i++) assert_true(y[i] == x[i]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(values_are_within_four_units),
                                     cmocka_unit_test(edges_are_exact),
                                     cmocka_unit_test(relu_gradient_at_zero_is_zero),
                                     cmocka_unit_test(gradients_far_out_are_those_of_the_limits),
                                     cmocka_unit_test(clip_gradient_at_its_bounds_is_zero),
                                     cmocka_unit_test(gradients_agree_with_differences),
                                     cmocka_unit_test(bits_do_not_depend_on_place_or_threads),
                                     cmocka_unit_test(alpha_of_elu_leaves_what_is_positive),
                                     cmocka_unit_test(bad_arguments_are_refused),
                                     cmocka_unit_test(bad_functions_are_refused),
                                     cmocka_unit_test(stores_give_the_bits_of_the_layer)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
