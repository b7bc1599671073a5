/*
 * LeNet, trained: the network from one line of text, drawn digits as data (data/digits.h; any images of 28 x 28 floats
 * with labels 0 to 9 will do), SGD with momentum. Prints loss and accuracy; exit status 1 below 90 % on unseen images.
 *
 *   cc lenet.c ../data/digits.c -I.. $(pkg-config --cflags --libs cnnblas_net) -lm && ./a.out
 */
#include "data/digits.h"
#include <cnnblas/net.h>
#include <stdio.h>
#include <stdlib.h>

enum { TRAIN = 4096, TEST = 1024, BATCH = 64, EPOCHS = 2, PIXELS = DIGITS_SIZE * DIGITS_SIZE };

static const char lenet[] =
    "INPUT 1x28x28 -> CONV 6@5x5 pad 2 -> RELU -> POOL max 2 -> CONV 16@5x5 -> RELU -> POOL max 2 -> "
    "FC 120 -> RELU -> FC 84 -> RELU -> FC 10";

static int failed(cnnblas_net *net)
{
  fprintf(stderr, "lenet: %s\n", cnnblas_last_error());
  cnnblas_net_destroy(net);
  return 1;
}

static int train(const float *images, const int32_t *labels, const float *test_images, const int32_t *test_labels)
{
  const cnnblas_net_options options = {.batch = BATCH, .seed = 1};
  cnnblas_net_step step = {.n = BATCH, .optimiser = {.lr = 0.02, .momentum = 0.9}};
  cnnblas_net_result result = {0};
  cnnblas_net *net = NULL;
  if (cnnblas_net_create(lenet, &options, &net) != CNNBLAS_OK) return failed(NULL);
  for (int epoch = 1; epoch <= EPOCHS; epoch++) {
    /* the digits are drawn in no order; real data should be shuffled: cnnblas_random_permutation */
    for (int64_t i = 0; i < TRAIN; i += BATCH) {
      step.images = images + i * PIXELS;
      step.labels = labels + i;
      if (cnnblas_net_train_step(net, &step, &result) != CNNBLAS_OK) return failed(net);
    }
    printf("epoch %d: loss of the last batch %.4f", epoch, result.loss);
    if (cnnblas_net_evaluate(net, TEST, test_images, test_labels, &result) != CNNBLAS_OK) return failed(net);
    printf(", unseen images: loss %.4f, %.1f %% right\n", result.loss, 100.0 * (double)result.correct / TEST);
  }
  cnnblas_net_destroy(net);
  return result.correct < TEST * 9 / 10;
}

int main(void)
{
  static int32_t labels[TRAIN], test_labels[TEST];
  float *images = malloc(sizeof *images * TRAIN * PIXELS), *test_images = malloc(sizeof *images * TEST * PIXELS);
  int result = 1;
  if (images && test_images) {
    digits_draw(1, 0, TRAIN, NULL, DIGITS_SIZE, images, labels);
    digits_draw(2, 0, TEST, NULL, DIGITS_SIZE, test_images, test_labels);
    result = train(images, labels, test_images, test_labels);
  } else {
    fputs("lenet: out of memory\n", stderr);
  }
  free(images);
  free(test_images);
  return result;
}
