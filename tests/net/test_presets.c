/* The presets: parameters, shapes, their notation; gradients of resnet20 as a whole and of the others' blocks, small. */
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

static const cnnblas_net_options design = {.mode = CNNBLAS_NET_DESIGN};

static void parameters_are_those_of_the_papers(void **state)
{
  static const struct {
    const char *text;
    int64_t parameters, classes, input;
  } all[] = {{"NET ResNet20", 272474, 10, 3 * 32 * 32},           {"net RESNET50 ", 25557032, 1000, 3 * 224 * 224},
             {" Net MobileNet_v2", 3504872, 1000, 3 * 224 * 224}, {"NET GoogLeNet", 6624904, 1000, 3 * 224 * 224},
             {"NET vgg16", 138357544, 1000, 3 * 224 * 224},       {"NET unet", 31037698, 2 * 256 * 256, 3 * 256 * 256}};
  (void)state;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    cnnblas_net *net = make(all[i].text, design), *again = make(cnnblas_net_text(net), design);
    cnnblas_net_info info, same;
    ASSERT_OK(cnnblas_net_get_info(net, &info));
    ASSERT_OK(cnnblas_net_get_info(again, &same));
    assert_int_equal(info.parameters, all[i].parameters);
    assert_int_equal(info.classes, all[i].classes);
    assert_int_equal(info.input_elements, all[i].input);
    assert_memory_equal(&info, &same, sizeof info); /* its notation makes the same */
    assert_true(strncmp(cnnblas_net_text(net), "INPUT 3x", 8) == 0);
    cnnblas_net_destroy(net);
    cnnblas_net_destroy(again);
  }
}

static void expect_expanded(const char *text, const cnnblas_net_options *o, const char *notation)
{
  char made[2048], cut[8];
  size_t needed = 0;
  ASSERT_OK(cnnblas_net_expand(text, o, made, sizeof made, &needed));
  assert_string_equal(made, notation);
  assert_int_equal(needed, strlen(notation) + 1);
  ASSERT_OK(cnnblas_net_expand(text, o, cut, sizeof cut, NULL));
  assert_memory_equal(cut, notation, 7);
  assert_int_equal(cut[7], 0);
}

static void presets_take_the_datas_shape(void **state)
{
  (void)state;
  cnnblas_net_options o = design;
  o.c = 1, o.size[0] = o.size[1] = 28, o.classes = 7;
  cnnblas_net *net = make("NET resnet20", o);
  cnnblas_net_info info;
  ASSERT_OK(cnnblas_net_get_info(net, &info));
  assert_true(info.classes == 7 && info.c == 1 && info.parameters == 272474 - 2 * 16 * 9 - 3 * 65);
  const char *notation = cnnblas_net_text(net);
  assert_true(strncmp(notation, "INPUT -> CONV 16@3x3 pad 1 ", 27) == 0);
  assert_string_equal(notation + strlen(notation) - 6, " -> FC");
  expect_expanded("NET resnet20", &o, notation);
  cnnblas_net_destroy(net);
}

static void other_texts_are_no_presets(void **state)
{
  static const struct {
    const char *text;
    const char *message;
  } cases[] = {
      {"NET lenet", "column 5: expected resnet20, resnet50, mobilenet_v2, googlenet, vgg16 or unet, found 'lenet'"},
      {"NET",
       "column 4: expected resnet20, resnet50, mobilenet_v2, googlenet, vgg16 or unet, found the end of the text"},
      {"NET resnet200",
       "column 5: expected resnet20, resnet50, mobilenet_v2, googlenet, vgg16 or unet, found 'resnet200'"},
      {"NET resnet20 -> FC", "column 14: expected the end of the text behind a preset's name, found '-'"},
      {"NET VGG16 10", "column 11: expected the end of the text behind a preset's name, found '1'"}};
  cnnblas_net *net = NULL;
  size_t needed;
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    harness_doing("%s", cases[i].text);
    assert_int_equal(cnnblas_net_create(cases[i].text, &design, &net), CNNBLAS_BAD_FORMAT);
    assert_string_equal(cnnblas_last_error(), cases[i].message);
    assert_null(net);
    assert_int_equal(cnnblas_net_expand(cases[i].text, NULL, NULL, 0, &needed), CNNBLAS_BAD_FORMAT);
    assert_string_equal(cnnblas_last_error(), cases[i].message);
  }
  expect_expanded("INPUT 3 -> FX", NULL, "INPUT 3 -> FX");
  assert_int_equal(cnnblas_net_expand(NULL, NULL, NULL, 0, &needed), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_expand("NET unet", NULL, NULL, 3, &needed), CNNBLAS_INVALID_ARGUMENT);
}

/* ---- gradients ---- */

typedef struct {
  cnnblas_net *net;
  cnnblas_net_step step;
} probe;

static double run_probe(void *context)
{
  probe *p = context;
  cnnblas_net_result r;
  ASSERT_OK(cnnblas_net_gradient(p->net, &p->step, &r));
  return r.loss;
}

enum { IMAGES = 4, SAMPLES = 2 };

/* Some elements of one tensor, relative to its largest gradient. Returns the largest error. */
static double check_tensor(probe *p, const cnnblas_net_tensor *t)
{
  double *value = t->value, largest = 0, worst = 0, *gradient = malloc((size_t)t->elements * sizeof *gradient);
  const double step = 1e-5;
  assert_non_null(gradient);
  run_probe(p);
  memcpy(gradient, t->gradient, (size_t)t->elements * sizeof *gradient);
  for (int64_t i = 0; i < t->elements; i++) largest = fmax(largest, fabs(gradient[i]));
  assert_true(largest > 0);
  for (int64_t s = 0; s < SAMPLES && s < t->elements; s++) {
    int64_t i =
        t->elements <= SAMPLES ? s : (int64_t)(cnnblas_random_uniform(11, 0, (uint64_t)s) * (double)t->elements);
    double kept = value[i];
    value[i] = kept + step;
    double above = run_probe(p);
    value[i] = kept - step;
    double error = fabs((above - run_probe(p)) / (2 * step) - gradient[i]) / largest;
    value[i] = kept;
    if (!(error < 1e-6)) FAIL("%s[%lld]: relative error %.3g", t->name, (long long)i, error);
    worst = fmax(worst, error);
  }
  free(gradient);
  return worst;
}

static void check_net(const char *text)
{
  static const int32_t labels[IMAGES] = {1, 0, 2, 1};
  probe p = {.net = make(text, (cnnblas_net_options){.dtype = CNNBLAS_F64, .batch = IMAGES, .seed = 2, .threads = 2})};
  cnnblas_net_info info;
  double worst = 0;
  ASSERT_OK(cnnblas_net_get_info(p.net, &info));
  double *x = check_reals(1, IMAGES * info.input_elements);
  p.step = (cnnblas_net_step){.n = IMAGES, .images = x, .labels = labels};
  for (int64_t t = 0; t < info.tensors; t++) {
    cnnblas_net_tensor tensor;
    ASSERT_OK(cnnblas_net_get_tensor(p.net, t, &tensor));
    if (tensor.trained) worst = fmax(worst, check_tensor(&p, &tensor));
  }
  print_message("%d tensors, largest relative error %.1e: %.60s\n", (int)info.tensors, worst, text);
  free(x);
  cnnblas_net_destroy(p.net);
}

/* resnet20's own text with a smaller image, and a smooth function in place of RELU: differences across a kink are no gradients. */
static void resnet20s_gradients(void **state)
{
  (void)state;
  cnnblas_net *net = make("NET resnet20", design);
  char text[4096] = "INPUT 3x8x8", *at = text + strlen(text);
  const char *from = strstr(cnnblas_net_text(net), " -> ");
  while (*from) {
    bool relu = strncmp(from, "RELU", 4) == 0;
    at += snprintf(at, 8, "%.*s", relu ? 4 : 1, relu ? "TANH" : from);
    from += relu ? 4 : 1;
  }
  check_net(text);
  cnnblas_net_destroy(net);
}

static void the_blocks_gradients(void **state)
{
  (void)state;
  check_net(
      "INPUT 2x8x8 -> [CONV 3@3x3 pad 1 -> BN -> TANH]*2 -> CAT[ POOL max 2 -> [CONV 4@3x3 pad 1 -> BN -> TANH]*2 -> "
      "CAT[ "
      "POOL max 2 -> CONV 5@3x3 pad 1 -> BN -> TANH -> TCONV 4@2x2 stride 2 | ] -> CONV 4@3x3 pad 1 -> BN -> TANH -> "
      "TCONV 3@2x2 stride 2 | ] -> [CONV 3@3x3 pad 1 -> BN -> TANH]*2 -> CONV 2@1x1"); /* U-Net */
  check_net("INPUT 3x6x6 -> CONV 8@1x1 -> BN -> SWISH -> CONV 8@3x3 stride 2 pad 1 groups 8 -> BN -> TANH -> CONV "
            "4@1x1 -> BN -> "
            "ADD[ CONV 12@1x1 -> BN -> TANH -> CONV 12@3x3 pad 1 groups 12 -> BN -> TANH -> CONV 4@1x1 -> BN | ] -> "
            "GPOOL avg "
            "-> DROPOUT 0.2 -> FC 3"); /* MobileNetV2 */
  check_net("INPUT 4x6x6 -> ADD[ CONV 4@1x1 -> BN -> TANH -> CONV 4@3x3 stride 2 pad 1 -> BN -> TANH -> CONV 8@1x1 -> "
            "BN | CONV "
            "8@1x1 stride 2 -> BN ] -> TANH -> [ADD[ CONV 4@1x1 -> BN -> TANH -> CONV 4@3x3 pad 1 -> BN -> TANH -> "
            "CONV 8@1x1 -> BN "
            "| ] -> TANH]*2 -> GPOOL avg -> FC 3"); /* ResNet-50 */
  check_net("INPUT 3x7x7 -> CAT[ CONV 2@1x1 -> BN -> TANH | CONV 2@1x1 -> BN -> TANH -> CONV 3@3x3 pad 1 -> BN -> TANH "
            "| CONV 2@1x1 "
            "-> BN -> TANH -> CONV 2@3x3 pad 1 -> BN -> TANH | POOL max 3/1 pad 1 -> CONV 2@1x1 -> BN -> TANH ] -> "
            "POOL max 3/2 "
            "ceil -> GPOOL avg -> DROPOUT 0.2 -> FC 3"); /* GoogLeNet */
  check_net(
      "INPUT 2x8x8 -> [CONV 3@3x3 pad 1 -> RELU]*2 -> POOL max 2 -> [FC 8 -> RELU -> DROPOUT 0.5]*2 -> FC 3"); /* VGG-16 */
  check_net("INPUT 2x3x4 -> CONV 3@1 -> CAT[ UP 2 linear -> TANH -> CONV 2@1 | UP 2 nearest ] -> UP 3 linear -> CONV "
            "2@3 -> FC 3");
  check_net("INPUT 4x3x4 -> TCONV 4@3x2 stride 2x3 pad 1:0x0:1 output 1x2 groups 2 -> TANH -> TCONV 3@2 bias -> "
            "SIGMOID -> BN -> FC 3");
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(parameters_are_those_of_the_papers),
                                     cmocka_unit_test(presets_take_the_datas_shape),
                                     cmocka_unit_test(other_texts_are_no_presets),
                                     cmocka_unit_test(resnet20s_gradients), cmocka_unit_test(the_blocks_gradients)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
