/* The network notation: the theory's patterns, defaults, shapes and counts, and errors that point at their column. */
#include "support/harness.h"
#include <cnnblas/net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The data of the bare patterns: 28 x 28, 10 classes. */
static const cnnblas_net_options mnist = {.mode = CNNBLAS_NET_DESIGN, .c = 1, .size = {28, 28}, .classes = 10};
static const cnnblas_net_options alone = {.mode = CNNBLAS_NET_DESIGN};

static cnnblas_net *make(const char *text, const cnnblas_net_options *options)
{
  cnnblas_net *net = NULL;
  harness_doing("%s", text);
  ASSERT_OK(cnnblas_net_create(text, options, &net));
  return net;
}

/* "conv1 16x28x28 relu1 ..." */
static void expect_layers(const char *text, const cnnblas_net_options *options, const char *want)
{
  char got[4096] = "";
  cnnblas_net *net = make(text, options);
  cnnblas_net_info info;
  ASSERT_OK(cnnblas_net_get_info(net, &info));
  for (int64_t i = 0; i < info.layers; i++) {
    cnnblas_net_layer_info l;
    ASSERT_OK(cnnblas_net_get_layer(net, i, &l));
    size_t used = strlen(got);
    used += (size_t)snprintf(got + used, sizeof got - used, "%s%s %d", i ? " " : "", l.name, (int)l.c);
    for (int a = 0; a < info.rank && l.kind[0] != 'F'; a++)
      used += (size_t)snprintf(got + used, sizeof got - used, "x%d", (int)l.size[a]);
  }
  assert_string_equal(got, want);
  cnnblas_net_destroy(net);
}

static void the_theorys_patterns_parse_as_they_stand(void **state)
{
  (void)state;
  expect_layers("INPUT -> FC", &mnist, "fc1 10");
  expect_layers("INPUT -> CONV -> RELU -> FC", &mnist, "conv1 16x28x28 relu1 16x28x28 fc1 10");
  expect_layers("INPUT -> [CONV -> RELU -> POOL]*2 -> FC -> RELU -> FC", &mnist,
                "conv1 16x28x28 relu1 16x28x28 pool1 16x14x14 conv2 16x14x14 relu2 16x14x14 pool2 16x7x7 fc1 128 "
                "relu3 128x1x1 fc2 10");
  expect_layers("INPUT -> [CONV -> RELU -> CONV -> RELU -> POOL]*3 -> [FC -> RELU]*2 -> FC", &mnist,
                "conv1 16x28x28 relu1 16x28x28 conv2 16x28x28 relu2 16x28x28 pool1 16x14x14 "
                "conv3 16x14x14 relu3 16x14x14 conv4 16x14x14 relu4 16x14x14 pool2 16x7x7 "
                "conv5 16x7x7 relu5 16x7x7 conv6 16x7x7 relu6 16x7x7 pool3 16x3x3 "
                "fc1 128 relu7 128x1x1 fc2 128 relu8 128x1x1 fc3 10");
}

static void words_take_any_case_and_spacing(void **state)
{
  (void)state;
  expect_layers(" input 3 x 8X8->[conv 4 @ 3 x 3 PAD same\n->Relu]*2\t-> pool AVG 2 / 2 -> fC 7 ", &alone,
                "conv1 4x8x8 relu1 4x8x8 conv2 4x8x8 relu2 4x8x8 pool1 4x4x4 fc1 7");
}

static void repeats_may_be_none_and_pools_may_be_left_out(void **state)
{
  (void)state;
  expect_layers("INPUT 1x8x8 -> [CONV 2@3x3 -> RELU]*0 -> FC 3", &alone, "fc1 3");
  expect_layers("INPUT 1x8x8 -> [[TANH]*2 -> POOL max 2/2?]*5 -> FC 3", &alone,
                "tanh1 1x8x8 tanh2 1x8x8 pool1 1x4x4 tanh3 1x4x4 tanh4 1x4x4 pool2 1x2x2 tanh5 1x2x2 tanh6 1x2x2 "
                "pool3 1x1x1 tanh7 1x1x1 tanh8 1x1x1 tanh9 1x1x1 tanh10 1x1x1 fc1 3");
  expect_layers("INPUT 1x2x9 -> POOL 3? -> FC 3", &alone, "fc1 3"); /* one axis too short is enough */
}

static void every_word_of_a_convolution_counts(void **state)
{
  (void)state;
  expect_layers("INPUT 1x8x8 -> DROPOUT 5e-1 -> CLIP -1E1 2.5e+0 -> ELU 1e0 -> FC 2", &alone,
                "dropout1 1x8x8 clip1 1x8x8 elu1 1x8x8 fc1 2");
  expect_layers("INPUT 4x9x11 -> CONV 8@3x5 stride 2x3 dilation 2 groups 2 pad 1x4 -> LEAKY 0.2", &alone,
                "conv1 8x4x4 leaky1 8x4x4");
  expect_layers("INPUT 2x100 -> CONV 3@5 stride 2 -> POOL l2 4 ceil -> FC 2", &alone, "conv1 3x48 pool1 3x12 fc1 2");
  expect_layers("INPUT 1x6x7x8 -> CONV 2@3 pad same -> POOL 2 -> FC 2", &alone, "conv1 2x6x7x8 pool1 2x3x3x4 fc1 2");
  expect_layers("INPUT 784 -> FC 10 -> SIGMOID", &alone, "fc1 10 sigmoid1 10x1x1");
}

/* F * F * D1 * K weights and K biases; FLOPs of the definition; bytes as said, and the same for the allocated block. */
static void counts_are_the_theorys(void **state)
{
  (void)state;
  const char *text = "INPUT 3x32x32 -> CONV 8@5x5 -> RELU -> CONV 6@3x3 groups 2 -> POOL 2 -> FC 10";
  cnnblas_net *net = make(text, &alone);
  cnnblas_net_info info, trained, inferring;
  cnnblas_net_layer_info l;
  ASSERT_OK(cnnblas_net_get_info(net, &info));
  const double first = 2.0 * 8 * 28 * 28 * 75, second = 2.0 * 6 * 26 * 26 * 36, fc = 2.0 * 10 * 6 * 13 * 13;
  const int64_t parameters = 5 * 5 * 3 * 8 + 8 + 3 * 3 * 4 * 6 + 6 + 6 * 13 * 13 * 10 + 10;
  assert_int_equal(info.parameters, parameters);
  assert_true(info.flops == first + second + fc);
  assert_true(info.training_flops == 2 * first + 3 * second + 3 * fc);
  assert_int_equal(info.allocated_bytes, 0);
  ASSERT_OK(cnnblas_net_get_layer(net, 0, &l));
  assert_true(l.weights == 600 && l.biases == 8 && l.column == 18 && l.algorithm[0][0] && !l.algorithm[1][0]);
  ASSERT_OK(cnnblas_net_get_layer(net, 1, &l));
  assert_true(l.fused && l.weights == 0);
  cnnblas_net_destroy(net);

  cnnblas_net_options options = {.mode = CNNBLAS_NET_TRAINING};
  net = make(text, &options);
  ASSERT_OK(cnnblas_net_get_info(net, &trained));
  assert_true(trained.allocated_bytes == info.training_bytes && trained.inference_bytes == info.inference_bytes);
  cnnblas_net_destroy(net);
  options.mode = CNNBLAS_NET_INFERENCE;
  net = make(text, &options);
  ASSERT_OK(cnnblas_net_get_info(net, &inferring));
  assert_true(inferring.allocated_bytes == info.inference_bytes && inferring.training_bytes == info.training_bytes);
  assert_true(info.inference_bytes < info.training_bytes);
  /* outputs of conv1, conv2, pool, fc; the pool's indices; three times the parameters: the least there must be */
  int64_t outputs = 64 * (8 * 28 * 28 + 6 * 26 * 26 + 6 * 13 * 13 + 10) * 4;
  assert_true(info.training_bytes >= (size_t)(outputs + 64 * 6 * 13 * 13 * 4 + 3 * 4 * parameters));
  cnnblas_net_destroy(net);
}

typedef struct {
  const char *text;
  int column;
  const char *says; /* part of the message */
} wrong;

static void errors_point_at_the_column(void **state)
{
  (void)state;
  static const wrong cases[] = {
      {"", 1, "expected INPUT, found the end"},
      {"FC 10", 1, "expected INPUT, found 'FC'"},
      {"INPUT -> FC 10", 7, "the input's size"},
      {"INPUT 1x28x28", 14, "at least one layer"},
      {"INPUT 1x28x28 FC 10", 15, "expected '->' or the end of the text, found 'FC'"},
      {"INPUT 1x28x28 -> ", 18, "expected CONV, POOL, FC"},
      {"INPUT 1x28x28 -> CONV 8@x5 -> FC 2", 25, "a number: the filter size, found 'x5'"},
      {"INPUT 1x28x28 -> CONV 8 -> FC 2", 25, "expected '@' and the filter size, found '-'"},
      {"INPUT 1x28x28 -> CONV 8@3x3x3 -> FC 2", 25, "expected 1 or 2 numbers"},
      {"INPUT 1x28x28 -> CONV 0@3x3 -> FC 2", 23, "a number of filters; a number here is 1 to"},
      {"INPUT 1x28x28 -> CONV 8@3x3 pad -> FC 2", 33, "'same' or 'valid', found '-'"},
      {"INPUT 1x28x28 -> CONV 8@3x3 stried 2 -> FC 2", 29, "found 'stried'"},
      {"INPUT 1x28x28 -> [CONV 8@3x3 -> FC 2", 37, "expected '->' or ']', found the end"},
      {"INPUT 1x28x28 -> [FC]*x -> FC 2", 23, "a number of repetitions, found 'x'"},
      {"INPUT 1x28x28 -> RELX", 18, "found 'RELX'"},
      {"INPUT 1x28x28 -> FC", 18, "the number of outputs behind the last FC"},
      {"INPUT 1x4x4 -> RELU -> CONV 2@5x5 -> FC 2", 24, "conv1 does not fit its input"},
      {"INPUT 1x28x28 -> [CONV 8@9x9 -> POOL 2]*3 -> FC 2", 19, "conv3 does not fit its input"},
      {"INPUT 1x28x28 -> POOL max 40 -> FC 2", 18, "pool1 does not fit its input"},
      {"INPUT 99999999999x1x1 -> FC 2", 7, "a number here is 1 to 1000000000"},
      {"INPUT 1x9x9 -> CONV 2@3 pad 9223372036854775807 -> FC 2", 29,
       "'same' or 'valid'; a number here is 0 to 1000000000"},
      {"INPUT 1x9x9 -> DROPOUT 1e-99 -> FC 2", 25, "an exponent of at most 22"},
      {"INPUT 1x9x9 -> DROPOUT 1e2 -> FC 2", 24, "a share below 1"},
      {"INPUT 1x2x3x4x5 -> FC 2", 15, "at most 4 numbers"},
      {"INPUT 6x9x9 -> CONV 2@3x3 maps 0-5 -> FC 2", 32, "a list of maps for each of 2 filters, found 1"},
      {"INPUT 6x9x9 -> CONV 2@3x3 maps 0/6 -> FC 2", 34, "input maps of 0 to 5"},
      {"INPUT 3x9x9 -> CONV 2@3x3 groups 2 -> FC 2", 16, "conv1 does not fit its input"},
      {"INPUT 1x9x9 -> [[RELU]*1000]*1000 -> FC 2", 18, "more than 1000 layers"},
      {"INPUT 1x9x9 -> [[[RELU]*0]*1000000]*1000 -> FC 2", 0, "repeat more than"},
      {"INPUT 1x9x9 -> [[[[[[[[[[[[[[[[[RELU]]]]]]]]]]]]]]]]] -> FC 2", 0, "nested more than 16 deep"},
      {"INPUT 100000 -> CONV 100000@1 maps 0 -> FC 2", 36, "a table of at most 16777216 places, found 100000 x 100000"},
      {"INPUT 1x9x9 -> F\xc3\x83", 16, "found 'F'"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cnnblas_net *net = NULL;
    char column[32];
    harness_doing("%s", cases[i].text);
    cnnblas_status status = cnnblas_net_create(cases[i].text, &alone, &net);
    if (status != CNNBLAS_BAD_FORMAT) FAIL("status is %s", cnnblas_status_string(status));
    assert_null(net);
    snprintf(column, sizeof column, cases[i].column ? "column %d: " : "column ", cases[i].column);
    if (strncmp(cnnblas_last_error(), column, strlen(column)) != 0 || !strstr(cnnblas_last_error(), cases[i].says))
      FAIL("the message is \"%s\"", cnnblas_last_error());
  }
}

static void text_and_data_must_agree(void **state)
{
  (void)state;
  cnnblas_net *net = NULL;
  assert_int_equal(cnnblas_net_create("INPUT 1x32x32 -> FC", &mnist, &net), CNNBLAS_BAD_FORMAT);
  assert_string_equal(cnnblas_last_error(), "column 7: expected the data's size, 1x28x28");
  const cnnblas_net_options features = {.mode = CNNBLAS_NET_DESIGN, .c = 784, .classes = 10};
  assert_int_equal(cnnblas_net_create("INPUT 783 -> FC", &features, &net), CNNBLAS_BAD_FORMAT);
  assert_string_equal(cnnblas_last_error(), "column 7: expected the data's size, 784");
  assert_int_equal(cnnblas_net_create("INPUT 1x28x28 -> FC 11", &mnist, &net), CNNBLAS_BAD_FORMAT);
  assert_non_null(strstr(cnnblas_last_error(), "11 outputs, but there are 10 classes"));
  cnnblas_net_destroy(make("INPUT 1x28x28 -> FC 10", &mnist));
  cnnblas_net_options bad = mnist;
  bad.size[0] = 0;
  assert_int_equal(cnnblas_net_create("INPUT -> FC", &bad, &net), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_create(NULL, &mnist, &net), CNNBLAS_INVALID_ARGUMENT);
  bad = mnist;
  bad.accuracy = (cnnblas_accuracy_policy)3;
  assert_int_equal(cnnblas_net_create("INPUT -> FC", &bad, &net), CNNBLAS_INVALID_ARGUMENT);
  assert_non_null(strstr(cnnblas_last_error(), "options.accuracy is 3"));
}

/* Puts part in times times, and then end. */
static char *repeated(const char *begin, const char *part, int times, const char *end)
{
  size_t length = strlen(begin), each = strlen(part);
  char *text = malloc(length + (size_t)times * each + strlen(end) + 1);
  if (!text) abort();
  memcpy(text, begin, length);
  for (int i = 0; i < times; i++, length += each) memcpy(text + length, part, each);
  memcpy(text + length, end, strlen(end) + 1);
  return text;
}

/* Texts of some thousand bytes whose reading would take minutes. */
static void texts_that_ask_for_too_much_are_refused(void **state)
{
  (void)state;
  char *texts[] = {repeated("INPUT 1x4x4 -> [POOL 9?", " -> POOL 9?", 2000, "]*99999 -> FC 2"),
                   repeated("INPUT 10000000 -> CONV 1@1 maps 0", ",0-9999999", 1000, " -> FC 2")};
  for (int i = 0; i < 2; i++) {
    cnnblas_net *net = NULL;
    harness_doing("%.60s...", texts[i]);
    assert_int_equal(cnnblas_net_create(texts[i], &alone, &net), CNNBLAS_BAD_FORMAT);
    assert_non_null(strstr(cnnblas_last_error(), "more than 100000000 steps"));
    assert_null(net);
    free(texts[i]);
  }
}

/* Every prefix of a long text, and every text with one byte changed, is parsed or refused, nothing else. */
static void damaged_texts_are_parsed_or_refused(void **state)
{
  (void)state;
  const char *good = "INPUT 3x12x12 -> [[CONV 4@3x3 pad 1 groups 1 -> RELU]*2 -> POOL max 2/2?]*2 -> CONV 3@1 maps "
                     "0-1/2/0,3 -> LEAKY 0.1 -> [FC 5 -> RELU]*2 -> FC 3";
  static const char bytes[] = "\x01 ->[]*?@/,.-0x9aZ\xff";
  char text[256];
  size_t length = strlen(good);
  for (size_t at = 0; at < length; at++)
    for (size_t b = 0; b < sizeof bytes; b++) { /* the last byte is 0: a prefix */
      cnnblas_net *net = NULL;
      memcpy(text, good, length + 1);
      text[at] = bytes[b];
      harness_doing("%s", text);
      cnnblas_status status = cnnblas_net_create(text, &alone, &net);
      assert_true(status == CNNBLAS_OK || status == CNNBLAS_BAD_FORMAT);
      assert_true((status == CNNBLAS_OK) == (net != NULL));
      cnnblas_net_destroy(net);
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_theorys_patterns_parse_as_they_stand),
                                     cmocka_unit_test(words_take_any_case_and_spacing),
                                     cmocka_unit_test(repeats_may_be_none_and_pools_may_be_left_out),
                                     cmocka_unit_test(every_word_of_a_convolution_counts),
                                     cmocka_unit_test(counts_are_the_theorys),
                                     cmocka_unit_test(errors_point_at_the_column),
                                     cmocka_unit_test(text_and_data_must_agree),
                                     cmocka_unit_test(texts_that_ask_for_too_much_are_refused),
                                     cmocka_unit_test(damaged_texts_are_parsed_or_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
