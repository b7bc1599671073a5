/*
 * A pass that takes microseconds opens no parallel region: where another process holds the second core, waiting for it
 * would take a thousand times as long. Networks of less than 1 MFLOP an image, one image a call, every mode and number of
 * threads; the same networks with many images do open regions.
 */
#include "base/parallel.h"
#include "support/harness.h"
#include <cnnblas/net.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const networks[] = {
    "INPUT 1x28x28 -> CONV 6@5x5 pad 2 -> TANH -> POOL avg 2 -> CONV 16@5x5 -> TANH -> POOL avg 2 -> FC 120 -> TANH -> "
    "FC 84 "
    "-> TANH -> FC 10", /* LeNet-5: 0.83 MFLOP */
    "INPUT 1x28x28 -> [CONV 8@5x5 -> RELU -> POOL max 2] -> CONV 12@5x5 -> RELU -> POOL max 2 -> FC 10", /* 0.8 */
    "INPUT 1x28x28 -> CONV 32@5x5 -> RELU -> POOL max 4 -> FC 10", /* one convolution of 0.9 */
    "INPUT 3x16x16 -> CONV 16@3x3 pad same -> RELU -> POOL max 2 -> CONV 16@3x3 pad same -> RELU -> FC 10",
    "INPUT 8x12x12 -> CONV 24@3x3 pad same -> RELU -> CONV 8@1 -> RELU -> POOL avg 2 -> FC 5",
    "INPUT 1x28x28 -> FC 500 -> RELU -> FC 100 -> RELU -> FC 10",
    "INPUT 4x200 -> CONV 16@9 -> RELU -> POOL max 4 -> CONV 8@5 -> RELU -> FC 4",
    "INPUT 1x8x8x8 -> CONV 8@3x3x3 -> RELU -> POOL l2 2 -> FC 3",
};

typedef struct {
  int regions, teams, threads;
} seen;

static void see_region(void *context, int threads)
{
  seen *s = context;
  s->regions++;
  s->teams += threads > 1;
}

static void see_loop(void *context, const cb_loop *loop)
{
  (void)context;
  for (int64_t task = 0; task < loop->tasks; task++) loop->run(loop->context, task, 0);
}

/* Teams that predicting, testing and learning from n images open. */
static void count_teams(cnnblas_net *net, int64_t n, bool training, int teams[3])
{
  cnnblas_net_info info;
  cnnblas_net_get_info(net, &info);
  void *x = calloc((size_t)(n * info.input_elements), sizeof(double));
  void *y = calloc((size_t)(n * info.classes), sizeof(double));
  int32_t *labels = calloc((size_t)n, sizeof *labels);
  cnnblas_net_result result;
  for (int call = 0; call < (training ? 3 : 2); call++) {
    seen s = {0};
    const cb_watch watch = {&s, see_region, see_loop};
    cb_parallel_watch(&watch);
    if (call == 0) ASSERT_OK(cnnblas_net_predict(net, n, x, y, labels));
    if (call == 1) ASSERT_OK(cnnblas_net_evaluate(net, n, x, labels, &result));
    if (call == 2)
      ASSERT_OK(cnnblas_net_gradient(net, &(cnnblas_net_step){.n = n, .images = x, .labels = labels}, &result));
    cb_parallel_watch(NULL);
    teams[call] = s.teams;
  }
  free(x), free(y), free(labels);
}

static void passes_of_microseconds_open_no_region(void **state)
{
  (void)state;
  static const int threads[] = {0, 2, 64};
  for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
    for (int t = 0; t < 3; t++)
      for (int variant = 0; variant < 6; variant++) {
        bool training = variant >= 4;
        cnnblas_net_options o = {.dtype = variant % 2 ? CNNBLAS_F64 : CNNBLAS_F32, .batch = variant % 4 < 2 ? 1 : 64};
        o.mode = training ? CNNBLAS_NET_TRAINING : CNNBLAS_NET_INFERENCE;
        o.packed_weights = !training && variant / 2 == 0;
        o.threads = threads[t];
        cnnblas_net *net;
        cnnblas_net_info info;
        int teams[3] = {0};
        harness_doing("network %zu, %d threads, variant %d", i, threads[t], variant);
        ASSERT_OK(cnnblas_net_create(networks[i], &o, &net));
        if (o.packed_weights) ASSERT_OK(cnnblas_net_pack_weights(net));
        cnnblas_net_get_info(net, &info);
        if (info.flops >= 1e6) FAIL("%g flops an image", info.flops);
        count_teams(net, 1, training, teams);
        if (teams[0] || teams[1] || teams[2]) FAIL("%d, %d and %d regions with teams", teams[0], teams[1], teams[2]);
        if (o.batch > 1 && t) {
          count_teams(net, o.batch, training, teams);
          if (!teams[0]) FAIL("no team for %d images", (int)o.batch);
        }
        cnnblas_net_destroy(net);
      }
}

/* What a pass that stays alone computes is what a team computes. */
static void bits_are_those_of_a_team(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
    double one[16], all[64][16]; /* logits: f64, at most 16 classes */
    cnnblas_net_options o = {.dtype = CNNBLAS_F64, .batch = 64, .threads = 3, .seed = 5};
    cnnblas_net *net;
    cnnblas_net_info info;
    ASSERT_OK(cnnblas_net_create(networks[i], &o, &net));
    cnnblas_net_get_info(net, &info);
    double *x = calloc((size_t)(64 * info.input_elements), sizeof *x);
    for (int64_t j = 0; j < 64 * info.input_elements; j++) x[j] = (double)(j * 37 % 101) / 100 - 0.5;
    double *y = calloc((size_t)(64 * info.classes), sizeof *y);
    ASSERT_OK(cnnblas_net_forward(net, 64, x, y));
    for (int64_t j = 0; j < 64 * info.classes; j++) all[j / info.classes][j % info.classes] = y[j];
    for (int image = 0; image < 64; image += 21) {
      ASSERT_OK(cnnblas_net_forward(net, 1, x + image * info.input_elements, one));
      assert_memory_equal(one, all[image], (size_t)info.classes * sizeof *one);
    }
    free(x), free(y);
    cnnblas_net_destroy(net);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(passes_of_microseconds_open_no_region),
                                     cmocka_unit_test(bits_are_those_of_a_team)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
