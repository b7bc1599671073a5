/* Gradients of whole networks in f64 against differences of their loss: every kind of layer, every place for it. */
#include "check.h"
#include <cnnblas/net.h>
#include <stdlib.h>

typedef struct {
  cnnblas_net *net;
  double *x;
  const int32_t *labels;
  int64_t n;
} probe;

static double run_probe(void *context)
{
  probe *p = context;
  cnnblas_net_result r;
  ASSERT_OK(cnnblas_net_evaluate(p->net, p->n, p->x, p->labels, &r));
  return r.loss;
}

/* Three images at once, and so many that small networks take them in several parts, the last of them short. */
enum { FEW = 3, MANY = 19 };

static void check_batch(const char *text, cnnblas_net_loss loss, int64_t n)
{
  cnnblas_net_options o = {.dtype = CNNBLAS_F64, .loss = loss, .batch = n, .seed = 5};
  int32_t labels[MANY];
  cnnblas_net_info info;
  probe p = {.labels = labels, .n = n};
  for (int i = 0; i < MANY; i++) labels[i] = (2 + i) % 3;
  harness_doing("%s, %lld images", text, (long long)n);
  ASSERT_OK(cnnblas_net_create(text, &o, &p.net));
  ASSERT_OK(cnnblas_net_get_info(p.net, &info));
  p.x = check_reals(1, n * info.input_elements);
  for (int64_t t = 0; t < info.tensors; t++) { /* biases away from 0, so that their part shows */
    cnnblas_net_tensor tensor;
    ASSERT_OK(cnnblas_net_get_tensor(p.net, t, &tensor));
    for (int64_t i = 0; tensor.rank == 1 && i < tensor.elements; i++)
      ((double *)tensor.value)[i] = 0.2 * cnnblas_random_uniform(3, (uint64_t)t, (uint64_t)i) - 0.1;
  }
  ASSERT_OK(cnnblas_net_gradient(p.net, &(cnnblas_net_step){.n = n, .images = p.x, .labels = labels}, NULL));
  for (int64_t t = 0; t < info.tensors; t++) {
    cnnblas_net_tensor tensor;
    ASSERT_OK(cnnblas_net_get_tensor(p.net, t, &tensor));
    check_gradient(tensor.name, run_probe, &p, tensor.value, tensor.gradient, tensor.elements);
  }
  free(p.x);
  cnnblas_net_destroy(p.net);
}

static void check_net(const char *text, cnnblas_net_loss loss)
{
  check_batch(text, loss, FEW);
  check_batch(text, loss, MANY);
}

static void relu_and_max(void **state)
{
  (void)state;
  check_net("INPUT 2x8x8 -> [CONV 3@3x3 pad 1 -> RELU -> POOL max 2]*2 -> FC 6 -> RELU -> FC 3", CNNBLAS_NET_SOFTMAX);
}

static void smooth_activations_and_other_pools(void **state)
{
  (void)state;
  check_net("INPUT 2x9x9 -> CONV 3@3x3 stride 2 -> TANH -> POOL avg 2/1 pad 1 -> CONV 2@2 -> SIGMOID -> POOL l2 2 ceil "
            "-> FC 4 -> LEAKY 0.3 -> FC 3",
            CNNBLAS_NET_SIGMOID);
}

static void activations_in_odd_places(void **state)
{
  (void)state;
  check_net(
      "INPUT 2x6x6 -> TANH -> CONV 3@3 -> TANH -> SIGMOID -> POOL max 2 -> TANH -> POOL l2 1 -> LEAKY -> FC 5 -> FC 3",
      CNNBLAS_NET_SOFTMAX);
  check_net("INPUT 3x5x5 -> CONV 3@5", CNNBLAS_NET_SOFTMAX);
  check_net("INPUT 4 -> POOL 1 -> FC 3 -> TANH", CNNBLAS_NET_SIGMOID);
}

static void groups_dilation_and_other_ranks(void **state)
{
  (void)state;
  check_net("INPUT 4x9x9 -> CONV 4@3 groups 2 dilation 2 pad same -> TANH -> CONV 4@3 groups 4 stride 2 -> FC 3",
            CNNBLAS_NET_SOFTMAX);
  check_net("INPUT 2x20 -> CONV 3@4 stride 3 -> TANH -> POOL max 2 -> FC 3", CNNBLAS_NET_SOFTMAX);
  check_net("INPUT 1x5x6x5 -> CONV 2@3 pad 1 -> SIGMOID -> POOL avg 2 -> FC 3", CNNBLAS_NET_SOFTMAX);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(relu_and_max), cmocka_unit_test(smooth_activations_and_other_pools),
      cmocka_unit_test(activations_in_odd_places), cmocka_unit_test(groups_dilation_and_other_ranks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
