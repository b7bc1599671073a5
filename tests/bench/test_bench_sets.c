/* The built-in sets against what the papers say: number of convolutions and multiply-adds of one image. */
#include "descriptor.h"
#include "sets.h"
#include "support/harness.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct published {
  const char *set;
  size_t distinct;
  int64_t convolutions;
  double multiply_adds; /* of one image, all convolutions; 0: the paper gives none */
  double within;        /* relative: the papers round, and count the fully connected layers in */
} published;

/* DenseNet, table 1: a layer takes c channels to 128 by 1x1 and to 32 by 3x3, and the next has 32 more; a block of so many
   layers from so many channels on images of h x h, multiplied. The transition behind it halves the channels. */
#define DENSE(c, layers, h)                                                                                            \
  ((h) * (h) * ((layers) * (128.0 * (c) + 9 * 128 * 32) + 128.0 * 32 * (layers) * ((layers)-1) / 2))
#define TRANSITION(c, h) ((h) * (h) * ((c) * (c) / 2.0))

/* YOLO9000, section 3: Darknet-19 takes 5.58 billion operations on 224 x 224, two a multiply-add, with the classifier's 1024 x
   1000 on 7 x 7; without it, on 416 x 416. */
#define DARKNET_416 ((5.58e9 / 2 - 1024.0 * 1000 * 49) * (416.0 * 416) / (224.0 * 224))

static const published table[] = {
    /* LeCun et al., section II.B: C1 122,304 connections, 4,704 of them biases; C5 48,120, 120 of them biases; C3 with
       all 6 x 16 pairs of maps has 240,000 */
    {"lenet5", 3, 3, 117600 + 240000 + 48000, 0},
    {"alexnet", 5, 5, 105415200 + 223948800.0 + 149520384 + 112140288 + 74760192,
     0},                            /* the paper's layer sizes, multiplied */
    {"vgg16", 9, 13, 15.3e9, 0.01}, /* He et al.: 15.3 billion */
    {"vgg19", 9, 16, 19.6e9, 0.01}, /* He et al.: 19.6 billion */
    {"densenet121", 66, 120,
     64.0 * 3 * 49 * 112 * 112 + DENSE(64, 6, 56) + TRANSITION(256.0, 56) + DENSE(128, 12, 28) + TRANSITION(512.0, 28) +
         DENSE(256, 24, 14) + TRANSITION(1024.0, 14) + DENSE(512, 16, 7),
     0},                                       /* the paper's layer sizes, multiplied */
    {"efficientnet_b0", 46, 81, 0.39e9, 0.02}, /* Tan and Le, table 2: 0.39 billion */
    {"googlenet", 51, 59, 1.5e9, 0.1},         /* Szegedy et al., section 1: 1.5 billion */
    {"resnet50", 20, 53, 3.8e9, 0.03},         /* He et al., table 1: 3.8 billion */
    {"mobilenet", 19, 27, 569e6, 0.01},    /* Howard et al., table 4: 569 million, 1 million of them fully connected */
    {"mobilenet_v2", 30, 52, 300e6, 0.01}, /* Sandler et al., table 4: 300 million, 1.3 of them fully connected */
    {"resnext50", 24, 53, 4.2e9, 0.02},    /* Xie et al., table 1: 4.2 billion */
    {"unet", 19, 19, 0, 0},
    {"wavenet1d", 10, 10, 10.0 * 16000 * 2 * 64 * 64, 0},
    {"yolov2", 13, 22, DARKNET_416 + 169.0 * 9 * 1024 * (1024 + 1024 + 3072) + 169.0 * 1024 * 125, 0.01},
    /* no networks */
    {"filters", 24, 24, 0, 0},
    {"cliffs", 20, 20, 0, 0},
    {"c3d", 7, 8, 38.5e9, 0.01}, /* the 3x3x3 layers of table/figure 3, multiplied */
};

static void sets_match_their_papers(void **state)
{
  (void)state;
  size_t sets = 0;
  for (const bench_set *set = bench_sets; set->name; set++) sets++;
  assert_int_equal(sets, sizeof table / sizeof *table);
  for (size_t i = 0; i < sets; i++) {
    bench_problem_list list = {0};
    harness_doing("%s", table[i].set);
    assert_int_equal(bench_set_load(&list, table[i].set), 0);
    int64_t convolutions = 0, batch = strcmp(table[i].set, "filters") == 0 ? 1 : BENCH_DEFAULT_BATCH; /* 4K: 1 */
    double multiply_adds = 0;
    for (size_t l = 0; l < list.count; l++) {
      cnnblas_conv_shape shape;
      assert_int_equal(list.items[l].desc.n, batch);
      list.items[l].desc.n = 1;
      ASSERT_OK(cnnblas_conv_get_shape(&list.items[l].desc, &shape));
      convolutions += list.items[l].repeats;
      multiply_adds += (double)list.items[l].repeats * shape.flops / 2;
      assert_null(strchr(list.items[l].name, '/'));
      for (size_t other = 0; other < l; other++) {
        assert_string_not_equal(list.items[l].name, list.items[other].name);
        assert_memory_not_equal(&list.items[l].desc, &list.items[other].desc, sizeof list.items[l].desc);
      }
      list.items[l].desc.n = batch;
    }
    printf("%-15s %2zu layers for %2lld convolutions, %.4g multiply-adds an image\n", table[i].set, list.count,
           (long long)convolutions, multiply_adds);
    assert_int_equal(list.count, table[i].distinct);
    assert_int_equal(convolutions, table[i].convolutions);
    if (table[i].multiply_adds > 0)
      assert_true(fabs(multiply_adds / table[i].multiply_adds - 1) <= table[i].within + 1e-9);
    bench_problem_list_free(&list);
  }
}

static void an_unknown_set_is_refused(void **state)
{
  (void)state;
  bench_problem_list list = {0};
  assert_int_equal(bench_set_load(&list, "resnet51"), 1);
  assert_int_equal(bench_set_load(&list, ""), 1);
  assert_int_equal(list.count, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(sets_match_their_papers),
                                     cmocka_unit_test(an_unknown_set_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
