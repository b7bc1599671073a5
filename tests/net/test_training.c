/*
 * What training shows: vanishing gradients with sigmoid and not with ReLU, initialisations that learn and do not, and
 * a CNN that learns drawn digits which a linear classifier does not.
 */
#include "check.h"
#include "data/digits.h"
#include <cnnblas/net.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRAIN = 8000, TEST = 2000, PIXELS = DIGITS_SIZE * DIGITS_SIZE, BATCH = 64 };
static float *images, *test_images;
static int32_t labels[TRAIN], test_labels[TEST];

static int draw_images(void **state)
{
  (void)state;
  images = malloc(sizeof *images * TRAIN * PIXELS);
  test_images = malloc(sizeof *images * TEST * PIXELS);
  assert_true(images && test_images);
  digits_draw(1, 0, TRAIN, NULL, DIGITS_SIZE, images, labels);
  digits_draw(2, 0, TEST, NULL, DIGITS_SIZE, test_images, test_labels);
  return 0;
}

static int free_images(void **state)
{
  (void)state;
  free(images);
  free(test_images);
  return 0;
}

static cnnblas_net *make(const char *text, cnnblas_init init, uint64_t seed)
{
  cnnblas_net_options o = {.init = init, .seed = seed, .batch = BATCH, .c = 1, .size = {28, 28}, .classes = 10};
  cnnblas_net *net;
  harness_doing("%s", text);
  ASSERT_OK(cnnblas_net_create(text, &o, &net));
  return net;
}

/* One epoch in an order of its own; returns the mean loss. */
static double train_epoch(cnnblas_net *net, int64_t count, int epoch, double lr)
{
  static int64_t order[TRAIN];
  static float batch[BATCH * PIXELS];
  int32_t own[BATCH];
  double loss = 0;
  cnnblas_net_step step = {.n = BATCH, .images = batch, .labels = own, .optimiser = {.lr = lr, .momentum = 0.9}};
  ASSERT_OK(cnnblas_random_permutation(1, (uint64_t)epoch, count, order));
  for (int64_t at = 0; at + BATCH <= count; at += BATCH) {
    cnnblas_net_result r;
    for (int i = 0; i < BATCH; i++) {
      memcpy(batch + i * PIXELS, images + order[at + i] * PIXELS, PIXELS * sizeof *batch);
      own[i] = labels[order[at + i]];
    }
    ASSERT_OK(cnnblas_net_train_step(net, &step, &r));
    loss += r.loss;
  }
  return loss / (double)(count / BATCH);
}

static double accuracy(cnnblas_net *net)
{
  cnnblas_net_result r;
  ASSERT_OK(cnnblas_net_evaluate(net, TEST, test_images, test_labels, &r));
  return 100.0 * (double)r.correct / TEST;
}

/* First over last layer's gradient norm at step 0 of eight fully connected layers, one seed. */
static double gradient_ratio(const char *activation, uint64_t seed)
{
  char text[256];
  double first, last;
  snprintf(text, sizeof text, "INPUT -> [FC 64 -> %s]*7 -> FC", activation);
  cnnblas_net *net = make(text, CNNBLAS_INIT_HE, seed);
  ASSERT_OK(cnnblas_net_gradient(net, &(cnnblas_net_step){.n = BATCH, .images = images, .labels = labels}, NULL));
  ASSERT_OK(cnnblas_net_layer_gradient_norm(net, 0, &first));
  ASSERT_OK(cnnblas_net_layer_gradient_norm(net, 14, &last));
  cnnblas_net_destroy(net);
  print_message("%s, seed %d: first layer's gradient over the last's: %.2e\n", activation, (int)seed, first / last);
  return first / last;
}

static void sigmoid_gradients_vanish_and_relu_gradients_do_not(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 5; seed++) {
    assert_true(gradient_ratio("SIGMOID", seed) < 0.01);
    assert_true(gradient_ratio("RELU", seed) > 0.1);
  }
}

static const char cnn[] = "INPUT -> [CONV 8@5x5 -> RELU -> POOL max 2]*2 -> FC 64 -> RELU -> FC";

static void zeros_do_not_learn(void **state)
{
  (void)state;
  cnnblas_net *net = make(cnn, CNNBLAS_INIT_ZERO, 1);
  cnnblas_net_tensor w;
  double loss = train_epoch(net, 2048, 0, 0.05), right = accuracy(net);
  ASSERT_OK(cnnblas_net_find_tensor(net, "conv1.weight", &w));
  for (int64_t i = 0; i < w.elements; i++) assert_true(((float *)w.value)[i] == 0); /* no gradient ever reached it */
  print_message("zeros: loss %.3f, accuracy %.2f%%\n", loss, right);
  assert_true(loss > 2.2 && right < 20);
  cnnblas_net_destroy(net);
}

static void small_gaussian_learns_slower_than_he(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 3; seed++) {
    cnnblas_net *he = make(cnn, CNNBLAS_INIT_HE, seed), *small = make(cnn, CNNBLAS_INIT_SMALL, seed);
    double he_loss = train_epoch(he, 2048, 0, 0.05), small_loss = train_epoch(small, 2048, 0, 0.05);
    print_message("seed %d: mean loss of the first epoch: He %.3f, small Gaussian %.3f\n", (int)seed, he_loss,
                  small_loss);
    assert_true(he_loss < small_loss);
    cnnblas_net_destroy(he);
    cnnblas_net_destroy(small);
  }
}

static void a_cnn_learns_what_a_linear_classifier_cannot(void **state)
{
  (void)state;
  cnnblas_net *net = make(cnn, CNNBLAS_INIT_HE, 1), *linear = make("INPUT -> FC", CNNBLAS_INIT_HE, 1);
  double best = 0;
  for (int epoch = 0; epoch < 4; epoch++)
    train_epoch(net, TRAIN, epoch, cnnblas_lr_get(0.05, &(cnnblas_lr_step){.epoch = 3, .factor = 0.1}, 1, epoch));
  for (int epoch = 0; epoch < 20; epoch++) { /* its best epoch counts */
    train_epoch(linear, TRAIN, epoch, 0.01);
    best = fmax(best, accuracy(linear));
  }
  double right = accuracy(net);
  print_message("CNN %.2f%%, linear %.2f%% at best\n", right, best);
  assert_true(right >= 98);
  assert_true(best <= 92);
  cnnblas_net_destroy(net);
  cnnblas_net_destroy(linear);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(sigmoid_gradients_vanish_and_relu_gradients_do_not),
                                     cmocka_unit_test(zeros_do_not_learn),
                                     cmocka_unit_test(small_gaussian_learns_slower_than_he),
                                     cmocka_unit_test(a_cnn_learns_what_a_linear_classifier_cannot)};
  return cmocka_run_group_tests(tests, draw_images, free_images);
}
