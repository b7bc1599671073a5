/* Networks that branch: gradients of every tensor in f64 against differences of the loss, bits on any number of threads, counts of
   parameters, what a gradient may and may not change, errors at their column. */
#include "check.h"
#include <cnnblas/net.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cnnblas_net *make(const char *text, cnnblas_net_options o)
{
  cnnblas_net *net = NULL;
  harness_doing("%s", text);
  ASSERT_OK(cnnblas_net_create(text, &o, &net));
  return net;
}

static cnnblas_net_info info_of(const cnnblas_net *net)
{
  cnnblas_net_info info;
  ASSERT_OK(cnnblas_net_get_info(net, &info));
  return info;
}

static cnnblas_net_tensor tensor_of(const cnnblas_net *net, int64_t t)
{
  cnnblas_net_tensor tensor;
  ASSERT_OK(cnnblas_net_get_tensor(net, t, &tensor));
  return tensor;
}

/* ---- gradients ---- */

typedef struct {
  cnnblas_net *net;
  cnnblas_net_step step;
} probe;

/* The loss that training sees: batch statistics, dropout. */
static double run_probe(void *context)
{
  probe *p = context;
  cnnblas_net_result r;
  ASSERT_OK(cnnblas_net_gradient(p->net, &p->step, &r));
  return r.loss;
}

enum { MOST = 8 };

static void check_net(const char *text, int64_t n)
{
  static const int32_t labels[MOST] = {2, 0, 1, 2, 1, 0, 0, 1};
  static const int64_t numbers[MOST] = {5, 1000, 3, 77, 8, 9, 12, 4};
  probe p = {.net = make(text, (cnnblas_net_options){.dtype = CNNBLAS_F64, .batch = n, .seed = 5, .threads = 2})};
  cnnblas_net_info info = info_of(p.net);
  double *x = check_reals(1, n * info.input_elements);
  p.step = (cnnblas_net_step){.n = n, .images = x, .labels = labels, .numbers = numbers};
  for (int64_t t = 0; t < info.tensors; t++) { /* biases away from 0, scales from 1 */
    cnnblas_net_tensor tensor = tensor_of(p.net, t);
    for (int64_t i = 0; tensor.trained && tensor.rank == 1 && i < tensor.elements; i++)
      ((double *)tensor.value)[i] += 0.6 * cnnblas_random_uniform(3, (uint64_t)t, (uint64_t)i) - 0.3;
  }
  run_probe(&p);
  for (int64_t t = 0; t < info.tensors; t++) {
    cnnblas_net_tensor tensor = tensor_of(p.net, t);
    if (!tensor.trained) continue;
    size_t bytes = (size_t)tensor.elements * sizeof(double);
    double *gradient = malloc(bytes);
    assert_non_null(gradient);
    run_probe(&p);
    memcpy(gradient, tensor.gradient, bytes);
    check_gradient(tensor.name, run_probe, &p, tensor.value, gradient, tensor.elements);
    free(gradient);
  }
  free(x);
  cnnblas_net_destroy(p.net);
}

static void residual_blocks(void **state)
{
  (void)state;
  check_net(
      "INPUT 2x6x6 -> CONV 4@3 pad 1 -> BN -> TANH -> ADD[ CONV 4@3 pad 1 -> BN -> TANH -> CONV 4@3 pad 1 -> BN | ] "
      "-> RELU -> ADD[ CONV 6@3 stride 2 pad 1 -> BN -> RELU -> CONV 6@3 pad 1 -> BN | CONV 6@1 stride 2 -> BN ] "
      "-> RELU -> GPOOL avg -> FC 3",
      4);
  check_net("INPUT 3x4x4 -> [ADD[ CONV 3@3 pad 1 -> SWISH -> CONV 3@1 | ] -> TANH]*3 -> FC 3", 3);
}

static void inception_blocks(void **state)
{
  (void)state;
  check_net(
      "INPUT 3x5x5 -> CONV 4@1 -> CAT[ CONV 2@1 -> BN -> RELU | CONV 2@1 -> BN -> RELU -> CONV 3@3 pad 1 -> BN -> RELU "
      "| POOL max 3/1 pad 1 -> CONV 2@1 -> BN -> TANH | ] -> POOL avg 2 -> FC 3",
      4);
  check_net("INPUT 2x4x4 -> CONV 3@3 pad 1 -> [CAT[ BN -> TANH -> CONV 2@3 pad 1 | ]]*3 -> GPOOL max -> FC 3", 3);
}

static void squeeze_and_excite(void **state)
{
  (void)state;
  check_net(
      "INPUT 2x5x5 -> CONV 4@3 -> BN -> HSWISH -> MUL[ | GPOOL avg -> FC 2 -> TANH -> FC 4 -> SIGMOID ] -> CONV 3@2 -> "
      "GELU -> FC 3",
      4);
  check_net("INPUT 2x4x4 -> CONV 3@1 -> MUL[ GPOOL avg -> FC 3 -> HSIGMOID | ] -> MUL[ CONV 3@1 | TANH ] -> FC 3", 3);
}

/* Every way in which gradients may meet: twice the same value, joins in joins, activations at the ends, three branches. */
static void joins_in_odd_places(void **state)
{
  (void)state;
  check_net("INPUT 2x3x3 -> CONV 2@1 -> ADD[ | ] -> FC 3", 2);
  check_net("INPUT 2x3x3 -> CONV 3@1 -> ADD[ CONV 3@1 -> TANH | CONV 3@3 pad 1 -> SIGMOID | ] -> MUL[ | ] -> FC 3", 3);
  check_net(
      "INPUT 2x3x3 -> CONV 3@1 -> ADD[ ADD[ CONV 3@1 | ] | ADD[ | ] -> TANH | ] -> CAT[ | ADD[ BN | ] | ] -> FC 3", 3);
  check_net("INPUT 2x4x4 -> ADD[ BN | BN ] -> ADD[ POOL max 3/1 pad 1 | BN ] -> TANH -> FC 3", 3);
  check_net("INPUT 2x4x4 -> ADD[ CONV 3@1 -> RELU -> POOL max 1 | CONV 3@1 | CONV 3@1 -> RELU ] -> FC 3", 3);
  check_net("INPUT 2x4x4 -> CAT[ ADD[ | ] | ] -> BN -> ADD[ DROPOUT 0.3 -> CONV 4@1 | TANH -> DROPOUT 0.5 ] -> FC 3",
            4);
  check_net("INPUT 3 -> FC 8 -> TANH -> BN -> SOFTPLUS -> FC 4 -> ELU -> SELU -> CLIP -0.5 2 -> FC 3", 5);
}

/* ---- bits ---- */

static const char network[] =
    "INPUT 3x12x12 -> CONV 8@3 pad 1 -> BN -> RELU -> [ADD[ CONV 8@3 pad 1 -> BN -> RELU -> CONV 8@3 pad "
    "1 -> BN | ] -> RELU]*2 -> MUL[ | GPOOL avg -> FC 4 -> RELU -> FC 8 -> SIGMOID ] -> CAT[ CONV 4@1 "
    "| POOL max 3/1 pad 1 ] -> DROPOUT 0.2 -> GPOOL avg -> FC 5";

enum { BATCH = 24, ELEMENTS = 432 };

static cnnblas_net *trained(int threads, float *images)
{
  int32_t labels[BATCH];
  cnnblas_net *net = make(network, (cnnblas_net_options){.batch = BATCH, .seed = 9, .threads = threads});
  cnnblas_net_step step = {.images = images, .labels = labels};
  step.optimiser =
      (cnnblas_net_optimiser){.kind = CNNBLAS_NET_NESTEROV, .lr = 0.05, .momentum = 0.9, .weight_decay = 1e-3};
  for (int i = 0; i < BATCH; i++) labels[i] = i % 5;
  for (int number = 0; number < 20; number++) {
    step.n = number % 3 ? BATCH : 7;
    ASSERT_OK(cnnblas_net_train_step(net, &step, NULL));
  }
  return net;
}

static void training_is_the_same_on_any_number_of_threads(void **state)
{
  static const int teams[] = {2, 3, 8};
  (void)state;
  float *images = check_floats(4, BATCH * ELEMENTS), logits[2][BATCH * 5];
  cnnblas_net *one = trained(1, images);
  ASSERT_OK(cnnblas_net_forward(one, BATCH, images, logits[0]));
  for (int i = 0; i < 3; i++) {
    cnnblas_net *more = trained(teams[i], images);
    for (int64_t t = 0; t < info_of(one).tensors; t++) {
      cnnblas_net_tensor a = tensor_of(one, t), b = tensor_of(more, t);
      harness_doing("%s, %d threads", a.name, teams[i]);
      assert_memory_equal(a.value, b.value, (size_t)a.elements * 4);
    }
    ASSERT_OK(cnnblas_net_forward(more, BATCH, images, logits[1]));
    assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
    cnnblas_net_destroy(more);
  }
  free(images);
  cnnblas_net_destroy(one);
}

/* An inference network with the trained one's tensors gives what that gives. */
static void inference_is_the_same(void **state)
{
  (void)state;
  float *images = check_floats(4, BATCH * ELEMENTS), logits[2][BATCH * 5];
  cnnblas_net *from = trained(2, images);
  cnnblas_net *to = make(network, (cnnblas_net_options){.batch = BATCH, .mode = CNNBLAS_NET_INFERENCE});
  assert_true(info_of(to).allocated_bytes == info_of(from).inference_bytes);
  assert_true(2 * info_of(to).allocated_bytes < info_of(from).allocated_bytes);
  for (int64_t t = 0; t < info_of(from).tensors; t++) {
    cnnblas_net_tensor a = tensor_of(from, t), b;
    ASSERT_OK(cnnblas_net_find_tensor(to, a.name, &b));
    memcpy(b.value, a.value, (size_t)a.elements * 4);
  }
  ASSERT_OK(cnnblas_net_forward(from, BATCH, images, logits[0]));
  ASSERT_OK(cnnblas_net_forward(to, BATCH, images, logits[1]));
  assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
  for (int i = 0; i < BATCH; i += 5) { /* one image's answer does not depend on the others */
    ASSERT_OK(cnnblas_net_forward(to, 1, images + i * ELEMENTS, logits[1]));
    assert_memory_equal(logits[0] + 5 * i, logits[1], 5 * sizeof(float));
  }
  free(images);
  cnnblas_net_destroy(from);
  cnnblas_net_destroy(to);
}

/* Normalisation in the weights, addition and activation in the store: the same up to rounding, and fewer layers that run. */
static void check_folded(const char *text, cnnblas_dtype dtype, int folded)
{
  enum { IMAGES = 5 };
  cnnblas_net_options o = {.dtype = dtype, .batch = IMAGES, .mode = CNNBLAS_NET_INFERENCE, .seed = 4, .threads = 2};
  cnnblas_net *plain = make(text, o), *packed = (o.packed_weights = 1, make(text, o));
  int64_t count = IMAGES * info_of(plain).input_elements, classes = IMAGES * info_of(plain).classes;
  bool wide = dtype == CNNBLAS_F64;
  void *x = wide ? (void *)check_reals(8, count) : (void *)check_floats(8, count);
  double *y = calloc((size_t)(2 * classes), sizeof *y), *z = y + classes, largest = 0, apart = 0;
  assert_non_null(y);
  for (int64_t t = 0; t < info_of(plain).tensors; t++) { /* statistics and scales of a trained network */
    cnnblas_net_tensor a = tensor_of(plain, t), b = tensor_of(packed, t);
    for (int64_t i = 0; a.rank == 1 && i < a.elements; i++) {
      double add = 0.5 * cnnblas_random_uniform(6, (uint64_t)t, (uint64_t)i);
      wide ? (((double *)a.value)[i] += add) : (double)(((float *)a.value)[i] += (float)add);
    }
    memcpy(b.value, a.value, (size_t)a.elements * (wide ? 8 : 4));
  }
  ASSERT_OK(cnnblas_net_forward(plain, IMAGES, x, y));
  ASSERT_OK(cnnblas_net_forward(packed, IMAGES, x, z));
  assert_memory_equal(y, z, (size_t)classes * (wide ? 8 : 4)); /* nothing is packed yet */
  ASSERT_OK(cnnblas_net_pack_weights(packed));
  ASSERT_OK(cnnblas_net_forward(packed, IMAGES, x, z));
  for (int64_t i = 0; i < classes; i++) {
    double a = wide ? y[i] : (double)((float *)y)[i], b = wide ? z[i] : (double)((float *)z)[i];
    largest = fmax(largest, fabs(a));
    apart = fmax(apart, fabs(a - b));
  }
  if (!(apart <= (wide ? 1e-13 : 3e-6) * largest)) FAIL("%g apart of %g", apart, largest);
  for (int64_t i = 0; i < info_of(packed).layers; i++) {
    cnnblas_net_layer_info l;
    ASSERT_OK(cnnblas_net_get_layer(packed, i, &l));
    folded -= l.fused;
  }
  assert_int_equal(folded, 0);
  free(x);
  free(y);
  cnnblas_net_destroy(plain);
  cnnblas_net_destroy(packed);
}

static void folding_changes_rounding_alone(void **state)
{
  (void)state;
  for (int wide = 0; wide < 2; wide++) {
    cnnblas_dtype dtype = wide ? CNNBLAS_F64 : CNNBLAS_F32;
    check_folded(network, dtype, 2 + 2 * 5 + 1);
    check_folded("INPUT 3x9x9 -> CONV 40@3x3 stride 2 -> BN -> HSWISH -> ADD[ CONV 40@3 pad 1 -> BN -> RELU -> CONV "
                 "40@3 pad 1 -> BN "
                 "| CONV 40@1 bias -> BN ] -> SWISH -> CONV 40@3 groups 40 -> BN -> CLIP 0 6 -> FC 7",
                 dtype, 2 + 2 + 1 + 3 + 2);
    check_folded(
        "INPUT 2x8x8 -> ADD[ BN | CONV 2@1 -> BN ] -> CAT[ CONV 2@3 pad 1 -> BN | DROPOUT 0.5 -> TANH | ] -> MUL[ | "
        "GPOOL "
        "max ] -> ADD[ | CONV 6@1 -> BN -> TANH | BN ] -> TCONV 2@2 stride 2 -> BN -> RELU -> GPOOL avg -> FC 3",
        dtype, 2 + 1 + 2 + 1);
  }
}

/* ---- running statistics ---- */

static void running_statistics_follow_in_the_update(void **state)
{
  (void)state;
  cnnblas_net *net = make("INPUT 1 -> BN -> FC 2", (cnnblas_net_options){.batch = 4});
  float x[4] = {1, 2, 3, 6};
  const int32_t labels[4] = {0, 1, 0, 1};
  cnnblas_net_step step = {.n = 4, .images = x, .labels = labels, .optimiser.lr = 0};
  cnnblas_net_tensor mean, variance;
  ASSERT_OK(cnnblas_net_find_tensor(net, "bn1.running_mean", &mean));
  ASSERT_OK(cnnblas_net_find_tensor(net, "bn1.running_var", &variance));
  assert_true(!mean.trained && !mean.gradient && !mean.momentum && mean.rank == 1 && mean.elements == 1);
  const float *m = mean.value, *v = variance.value;
  assert_true(*m == 0 && *v == 1);
  ASSERT_OK(cnnblas_net_gradient(net, &step, NULL));
  assert_true(*m == 0 && *v == 1);
  ASSERT_OK(cnnblas_net_update(net, &step));
  assert_true(fabsf(*m - 0.3f) < 1e-6f && fabsf(*v - (0.9f + 0.1f * 14 / 3)) < 1e-6f);
  float kept = *m;
  x[0] = NAN;
  assert_int_equal(cnnblas_net_train_step(net, &step, NULL), CNNBLAS_NOT_FINITE);
  assert_true(*m == kept);
  x[0] = 1;
  ASSERT_OK(cnnblas_net_train_step(net, &step, NULL));
  assert_true(fabsf(*m - (0.9f * kept + 0.3f)) < 1e-6f);
  cnnblas_net_destroy(net);
}

/* ---- text ---- */

static const cnnblas_net_options design = {.mode = CNNBLAS_NET_DESIGN};

static void convolutions_in_front_of_bn_have_no_bias(void **state)
{
  (void)state;
  cnnblas_net *net =
      make("INPUT 3x8x8 -> CONV 4@3 -> BN -> CONV 5@3 bias -> BN -> CONV 6@3 -> RELU -> BN -> FC 2", design);
  cnnblas_net_tensor t;
  assert_int_equal(cnnblas_net_find_tensor(net, "conv1.bias", &t), CNNBLAS_INVALID_ARGUMENT);
  ASSERT_OK(cnnblas_net_find_tensor(net, "conv2.bias", &t));
  ASSERT_OK(cnnblas_net_find_tensor(net, "conv3.bias", &t));
  assert_int_equal(info_of(net).parameters, 4 * 27 + 8 + 5 * 36 + 5 + 10 + 6 * 45 + 6 + 12 + 6 * 4 * 2 + 2);
  cnnblas_net_destroy(net);
}

static void errors_point_at_the_column(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    int column;
    const char *says;
  } cases[] = {
      {"INPUT 1x8x8 -> ADD CONV", 20, "expected '[' and branches, found 'CONV'"},
      {"INPUT 1x8x8 -> ADD[ CONV ]", 26, "at least two branches"},
      {"INPUT 1x8x8 -> ADD[ CONV 2@3 | ] -> FC 2", 16, "branch 2 gives 1x8x8, branch 1 2x6x6"},
      {"INPUT 1x8x8 -> CAT[ CONV 2@3 | ] -> FC 2", 16, "branch 2 gives 1x8x8, branch 1 2x6x6"},
      {"INPUT 2x8x8 -> MUL[ CONV 2@3 | ] -> FC 2", 16, "neither alike"},
      {"INPUT 2x8x8 -> MUL[ | | ] -> FC 2", 16, "3 branches"},
      {"INPUT 1x8x8 -> ADD[ CONV 2@3 | CONV 2@3 -> FC 2", 48, "expected '->', '|' or ']', found the end"},
      {"INPUT 1x8x8 -> ADD[ BM | ] -> FC 2", 21, "found 'BM'"},
      {"INPUT 1x8x8 -> DROPOUT 1 -> FC 2", 24, "a share below 1"},
      {"INPUT 1x8x8 -> DROPOUT -> FC 2", 24, "the share to drop"},
      {"INPUT 1x8x8 -> UP 2 cubic -> FC 2", 21, "expected nearest or linear"},
      {"INPUT 1x8x8 -> GPOOL -> FC 2", 22, "expected avg or max"},
      {"INPUT 1x8x8 -> CLIP 3 2 -> FC 2", 21, "a lower bound below"},
      {"INPUT 1x8x8 -> CONV 2@3 pad 1:2x1:2x3 -> FC 2", 29, "expected 1 or 2 numbers"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cnnblas_net *net = NULL;
    char column[32];
    harness_doing("%s", cases[i].text);
    assert_int_equal(cnnblas_net_create(cases[i].text, &design, &net), CNNBLAS_BAD_FORMAT);
    assert_null(net);
    snprintf(column, sizeof column, "column %d: ", cases[i].column);
    if (strncmp(cnnblas_last_error(), column, strlen(column)) != 0 || !strstr(cnnblas_last_error(), cases[i].says))
      FAIL("the message is \"%s\"", cnnblas_last_error());
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(residual_blocks),
                                     cmocka_unit_test(inception_blocks),
                                     cmocka_unit_test(squeeze_and_excite),
                                     cmocka_unit_test(joins_in_odd_places),
                                     cmocka_unit_test(training_is_the_same_on_any_number_of_threads),
                                     cmocka_unit_test(inference_is_the_same),
                                     cmocka_unit_test(folding_changes_rounding_alone),
                                     cmocka_unit_test(running_statistics_follow_in_the_update),
                                     cmocka_unit_test(convolutions_in_front_of_bn_have_no_bias),
                                     cmocka_unit_test(errors_point_at_the_column)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
