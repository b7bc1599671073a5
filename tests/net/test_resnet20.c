/* Twenty steps of resnet20 on several numbers of threads: the same bits of every tensor. */
#include "check.h"
#include <cnnblas/net.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32, LAST = 24, STEPS = 20, PIXELS = 3 * 32 * 32 };

static cnnblas_net *trained(int threads, const float *images)
{
  cnnblas_net_options o = {.batch = BATCH, .seed = 3, .threads = threads};
  cnnblas_net_step step = {.images = images, .optimiser = {.kind = CNNBLAS_NET_NESTEROV, .lr = 0.1, .momentum = 0.9}};
  cnnblas_net *net;
  int32_t labels[BATCH];
  step.optimiser.weight_decay = 5e-4;
  step.labels = labels;
  ASSERT_OK(cnnblas_net_create("NET resnet20", &o, &net));
  for (int i = 0; i < STEPS; i++) {
    for (int j = 0; j < BATCH; j++) labels[j] = (i + j) % 10;
    step.n = i % 5 == 4 ? LAST : BATCH; /* an epoch's last batch is smaller */
    ASSERT_OK(cnnblas_net_train_step(net, &step, NULL));
  }
  return net;
}

static void twenty_steps_have_the_same_bits(void **state)
{
  static const int teams[] = {2, 3, 8};
  (void)state;
  float *images = check_floats(4, BATCH * PIXELS);
  cnnblas_net *one = trained(1, images);
  cnnblas_net_info info;
  ASSERT_OK(cnnblas_net_get_info(one, &info));
  for (int i = 0; i < 3; i++) {
    cnnblas_net *more = trained(teams[i], images);
    for (int64_t t = 0; t < info.tensors; t++) {
      cnnblas_net_tensor a, b;
      ASSERT_OK(cnnblas_net_get_tensor(one, t, &a));
      ASSERT_OK(cnnblas_net_get_tensor(more, t, &b));
      harness_doing("%s, %d threads", a.name, teams[i]);
      assert_memory_equal(a.value, b.value, (size_t)a.elements * sizeof(float));
    }
    cnnblas_net_destroy(more);
  }
  cnnblas_net_destroy(one);
  free(images);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(twenty_steps_have_the_same_bits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
