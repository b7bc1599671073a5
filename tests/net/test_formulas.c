/*
 * Networks of one layer each against its formula, written out here: the function of every activation's keyword, UP, GPOOL,
 * and CONV, POOL and TCONV whose padding differs at the ends. Exchanged rows, words or ends are other numbers.
 */
#include "check.h"
#include <cnnblas/net.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cnnblas_net *make(const char *text, cnnblas_net_mode mode)
{
  cnnblas_net_options o = {.dtype = CNNBLAS_F64, .mode = mode, .batch = 2, .seed = 6, .threads = 1};
  cnnblas_net *net = NULL;
  harness_doing("%s", text);
  ASSERT_OK(cnnblas_net_create(text, &o, &net));
  return net;
}

/* The network's outputs of two images, in training's passes and in inference's, must be those wanted. */
static void expect(const char *text, const double *x, const double *want, int64_t elements)
{
  for (int mode = CNNBLAS_NET_TRAINING; mode <= CNNBLAS_NET_INFERENCE; mode++) {
    cnnblas_net *net = make(text, (cnnblas_net_mode)mode);
    cnnblas_net_info info;
    ASSERT_OK(cnnblas_net_get_info(net, &info));
    assert_int_equal(2 * info.classes, elements);
    double *y = malloc((size_t)elements * sizeof *y);
    assert_non_null(y);
    ASSERT_OK(cnnblas_net_forward(net, 2, x, y));
    for (int64_t i = 0; i < elements; i++)
      if (!(fabs(y[i] - want[i]) <= 1e-9 * (1 + fabs(want[i]))))
        FAIL("element %lld is %.12g, not %.12g", (long long)i, y[i], want[i]);
    free(y);
    cnnblas_net_destroy(net);
  }
}

/* ---- activations ---- */

static double relu(double x)
{
  return x > 0 ? x : 0;
}

static double leaky(double x)
{
  return x > 0 ? x : 0.01 * x;
}

static double leaky_fifth(double x)
{
  return x > 0 ? x : 0.2 * x;
}

static double elu(double x)
{
  return x > 0 ? x : exp(x) - 1;
}

static double elu_half(double x)
{
  return x > 0 ? x : 0.5 * (exp(x) - 1);
}

static double selu(double x)
{
  return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (exp(x) - 1));
}

static double clip(double x)
{
  return fmin(fmax(x, -1.5), 2);
}

static double sigmoid(double x)
{
  return 1 / (1 + exp(-x));
}

static double softplus(double x)
{
  return log(1 + exp(x));
}

static double hsigmoid(double x)
{
  return fmin(fmax(x / 6 + 0.5, 0), 1);
}

static double swish(double x)
{
  return x * sigmoid(x);
}

static double hswish(double x)
{
  return x * hsigmoid(x);
}

static double gelu(double x)
{
  return x / 2 * (1 + erf(x / sqrt(2)));
}

static const struct {
  const char *words;
  double (*f)(double);
} activations[] = {{"RELU", relu},        {"LEAKY", leaky},       {"LEAKY 0.2", leaky_fifth}, {"ELU", elu},
                   {"ELU 0.5", elu_half}, {"SELU", selu},         {"CLIP -1.5 2", clip},      {"SIGMOID", sigmoid},
                   {"TANH", tanh},        {"SOFTPLUS", softplus}, {"HSIGMOID", hsigmoid},     {"SWISH", swish},
                   {"HSWISH", hswish},    {"GELU", gelu}};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

static void each_keyword_is_its_function(void **state)
{
  enum { COUNT = 2 * 33 };
  double x[COUNT], want[COUNT];
  (void)state;
  for (int i = 0; i < COUNT; i++) x[i] = -6.5 + 0.2 * i;
  for (int a = 0; a < ACTIVATIONS; a++) {
    char text[64];
    snprintf(text, sizeof text, "INPUT 3x11 -> %s", activations[a].words);
    for (int i = 0; i < COUNT; i++) want[i] = activations[a].f(x[i]);
    expect(text, x, want, COUNT);
  }
}

/* The message that lists the keywords names no activation which the table above lacks. */
static void no_keyword_is_left_out(void **state)
{
  static const char others[] = " CONV POOL FC BN DROPOUT GPOOL TCONV UP ADD MUL CAT ";
  cnnblas_net *net = NULL;
  char list[512], *rest = NULL;
  int found = 0;
  (void)state;
  assert_int_equal(cnnblas_net_create("INPUT 3 -> 7", NULL, &net), CNNBLAS_BAD_FORMAT);
  const char *at = strstr(cnnblas_last_error(), "expected "), *end = at ? strstr(at, " or '['") : NULL;
  assert_true(end && end - at < (long)sizeof list);
  snprintf(list, sizeof list, "%.*s", (int)(end - at - 9), at + 9);
  for (char *word = strtok_r(list, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest)) {
    char spaced[32];
    bool known = false;
    snprintf(spaced, sizeof spaced, " %s ", word);
    for (int a = 0; a < ACTIVATIONS && !known; a++) {
      size_t length = strlen(word);
      known = !strncmp(activations[a].words, word, length) && strchr(" ", activations[a].words[length]);
    }
    found += known;
    if (!known && !strstr(others, spaced)) FAIL("%s is tested nowhere here", word);
  }
  assert_int_equal(found, ACTIVATIONS - 2); /* LEAKY and ELU stand there once */
}

/* ---- images ---- */

enum { H = 4, W = 5 };

static void up_repeats_or_interpolates(void **state)
{
  enum { N = 3, WIDE = N * H * N * W };
  double *x = check_reals(2, 2 * H * W), near[2 * WIDE], lines[2 * WIDE];
  (void)state;
  for (int k = 0; k < 2; k++)
    for (int i = 0; i < N * H; i++)
      for (int j = 0; j < N * W; j++) {
        const double *from = x + k * H * W;
        double v = fmin(fmax((i + 0.5) / N - 0.5, 0), H - 1), u = fmin(fmax((j + 0.5) / N - 0.5, 0), W - 1);
        int top = (int)v, left = (int)u, low = top + 1 < H ? top + 1 : top, right = left + 1 < W ? left + 1 : left;
        double p = v - top, q = u - left;
        near[k * WIDE + i * N * W + j] = from[i / N * W + j / N];
        lines[k * WIDE + i * N * W + j] = (1 - p) * ((1 - q) * from[top * W + left] + q * from[top * W + right]) +
                                          p * ((1 - q) * from[low * W + left] + q * from[low * W + right]);
      }
  expect("INPUT 1x4x5 -> UP 3 nearest", x, near, 2 * WIDE);
  expect("INPUT 1x4x5 -> UP 3 linear", x, lines, 2 * WIDE);
  free(x);
}

static void gpool_takes_the_mean_or_the_largest(void **state)
{
  double *x = check_reals(3, 4 * H * W), mean[4] = {0}, most[4];
  (void)state;
  for (int k = 0; k < 4; k++) {
    most[k] = -INFINITY;
    for (int i = 0; i < H * W; i++) {
      mean[k] += x[k * H * W + i] / (H * W);
      most[k] = fmax(most[k], x[k * H * W + i]);
    }
  }
  expect("INPUT 2x4x5 -> GPOOL avg", x, mean, 4);
  expect("INPUT 2x4x5 -> GPOOL max", x, most, 4);
  free(x);
}

/* ---- padding that differs at the ends: 1:2x0:1 ---- */

enum {
  TOP = 1,
  BOTTOM = 2,
  LEFT = 0,
  RIGHT = 1,
  R = 3,
  S = 2,
  OH = H + TOP + BOTTOM - R + 1,
  OW = W + LEFT + RIGHT - S + 1
};

/* The weights with which every such network begins; the caller frees them. */
static double *weights(const char *text, const char *name, int64_t elements)
{
  cnnblas_net *net = make(text, CNNBLAS_NET_INFERENCE);
  cnnblas_net_tensor t;
  ASSERT_OK(cnnblas_net_find_tensor(net, name, &t));
  assert_int_equal(t.elements, elements);
  double *w = malloc((size_t)elements * sizeof *w);
  assert_non_null(w);
  memcpy(w, t.value, (size_t)elements * sizeof *w);
  cnnblas_net_destroy(net);
  return w;
}

static bool inside(int i, int j)
{
  return i >= 0 && i < H && j >= 0 && j < W;
}

static void a_convolutions_ends_are_padded_apart(void **state)
{
  static const char text[] = "INPUT 2x4x5 -> CONV 3@3x2 pad 1:2x0:1";
  enum { K = 3, C = 2, OUT = K * OH * OW };
  double *x = check_reals(4, 2 * C * H * W), *w = weights(text, "conv1.weight", K * C * R * S), want[2 * OUT] = {0};
  (void)state;
  for (int o = 0; o < 2 * OUT; o++) {
    const int n = o / OUT, k = o / (OH * OW) % K, i = o / OW % OH - TOP, j = o % OW - LEFT;
    for (int c = 0; c < C; c++)
      for (int r = 0; r < R; r++)
        for (int s = 0; s < S; s++)
          if (inside(i + r, j + s))
            want[o] += x[((n * C + c) * H + i + r) * W + j + s] * w[((k * C + c) * R + r) * S + s];
  }
  expect(text, x, want, 2 * OUT);
  free(x);
  free(w);
}

static void a_pools_ends_are_padded_apart(void **state)
{
  double *x = check_reals(5, 2 * H * W), most[2 * OH * OW], mean[2 * OH * OW], norm[2 * OH * OW];
  (void)state;
  for (int i = 0; i < 2 * H * W; i++) x[i] -= 2; /* below zero: a padded zero would be the largest */
  for (int o = 0; o < 2 * OH * OW; o++) {
    const int n = o / (OH * OW), i = o / OW % OH - TOP, j = o % OW - LEFT;
    double sum = 0, squares = 0, count = 0;
    most[o] = -INFINITY;
    for (int r = 0; r < R; r++)
      for (int s = 0; s < S; s++) {
        if (!inside(i + r, j + s)) continue;
        double value = x[(n * H + i + r) * W + j + s];
        most[o] = fmax(most[o], value);
        sum += value, squares += value * value, count++;
      }
    mean[o] = sum / count; /* padding is no part of the average */
    norm[o] = sqrt(squares);
  }
  expect("INPUT 1x4x5 -> POOL max 3x2/1 pad 1:2x0:1", x, most, 2 * OH * OW);
  expect("INPUT 1x4x5 -> POOL avg 3x2/1 pad 1:2x0:1", x, mean, 2 * OH * OW);
  expect("INPUT 1x4x5 -> POOL l2 3x2/1 pad 1:2x0:1", x, norm, 2 * OH * OW);
  free(x);
}

/* What lies within the padding is cut from the output's begin and end. */
static void a_transposed_convolutions_ends_are_cut_apart(void **state)
{
  static const char text[] = "INPUT 2x4x5 -> TCONV 3@3x2 stride 2 pad 1:2x0:1";
  enum { K = 3, C = 2, TH = 2 * (H - 1) + R - TOP - BOTTOM, TW = 2 * (W - 1) + S - LEFT - RIGHT, OUT = K * TH * TW };
  double *x = check_reals(6, 2 * C * H * W), *w = weights(text, "tconv1.weight", K * C * R * S), want[2 * OUT] = {0};
  (void)state;
  for (int e = 0; e < 2 * C * H * W; e++) {
    const int n = e / (C * H * W), c = e / (H * W) % C, i = e / W % H, j = e % W;
    for (int t = 0; t < K * R * S; t++) {
      const int k = t / (R * S), a = 2 * i + t / S % R - TOP, b = 2 * j + t % S - LEFT;
      if (a >= 0 && a < TH && b >= 0 && b < TW) want[n * OUT + (k * TH + a) * TW + b] += x[e] * w[c * K * R * S + t];
    }
  }
  expect(text, x, want, 2 * OUT);
  free(x);
  free(w);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_keyword_is_its_function),
                                     cmocka_unit_test(no_keyword_is_left_out),
                                     cmocka_unit_test(up_repeats_or_interpolates),
                                     cmocka_unit_test(gpool_takes_the_mean_or_the_largest),
                                     cmocka_unit_test(a_convolutions_ends_are_padded_apart),
                                     cmocka_unit_test(a_pools_ends_are_padded_apart),
                                     cmocka_unit_test(a_transposed_convolutions_ends_are_cut_apart)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
