/* The built-in sets against what the papers say: number of convolutions and multiply-adds of one image. */
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

static const published table[] = {
    /* LeCun et al., section II.B: C1 122,304 connections, 4,704 of them biases; C5 48,120, 120 of them biases; C3 with
       all 6 x 16 pairs of maps has 240,000 */
    {"lenet5", 3, 3, 117600 + 240000 + 48000, 0},
    {"alexnet", 5, 5, 105415200 + 223948800.0 + 149520384 + 112140288 + 74760192,
     0},                                /* the paper's layer sizes, multiplied */
    {"vgg16", 9, 13, 15.3e9, 0.01},     /* He et al.: 15.3 billion */
    {"vgg19", 9, 16, 19.6e9, 0.01},     /* He et al.: 19.6 billion */
    {"googlenet", 51, 59, 1.5e9, 0.1},  /* Szegedy et al., section 1: 1.5 billion */
    {"resnet50", 20, 53, 3.8e9, 0.03},  /* He et al., table 1: 3.8 billion */
    {"mobilenet", 19, 27, 569e6, 0.01}, /* Howard et al., table 4: 569 million, 1 million of them fully connected */
    {"unet", 19, 19, 0, 0},
    {"wavenet1d", 10, 10, 10.0 * 16000 * 2 * 64 * 64, 0},
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
    int64_t convolutions = 0;
    double multiply_adds = 0;
    for (size_t l = 0; l < list.count; l++) {
      cnnblas_conv_shape shape;
      assert_int_equal(list.items[l].desc.n, BENCH_SET_BATCH);
      list.items[l].desc.n = 1;
      ASSERT_OK(cnnblas_conv_get_shape(&list.items[l].desc, &shape));
      convolutions += list.items[l].repeats;
      multiply_adds += (double)list.items[l].repeats * shape.flops / 2;
      assert_null(strchr(list.items[l].name, '/'));
      for (size_t other = 0; other < l; other++) {
        assert_string_not_equal(list.items[l].name, list.items[other].name);
        assert_memory_not_equal(&list.items[l].desc, &list.items[other].desc, sizeof list.items[l].desc);
      }
      list.items[l].desc.n = BENCH_SET_BATCH;
    }
    printf("%-10s %2zu layers for %2lld convolutions, %.4g multiply-adds an image\n", table[i].set, list.count,
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
