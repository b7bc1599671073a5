/* Updates: each optimiser against its own function on copies, weight decay where it belongs, the limit of the norm, averages. */
#include "check.h"
#include <cnnblas/net.h>
#include <cnnblas/optimiser.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 8, PIXELS = 36, MOST = 4096 };
static float images[IMAGES * PIXELS];
static const int32_t labels[IMAGES] = {0, 1, 2, 0, 1, 2, 0, 1};
static const char text[] = "INPUT 1x6x6 -> CONV 4@3x3 -> RELU -> FC 3";

static cnnblas_net *make(cnnblas_net_options o)
{
  cnnblas_net *net;
  o.batch = IMAGES, o.seed = 5;
  ASSERT_OK(cnnblas_net_create(text, &o, &net));
  for (int i = 0; i < IMAGES * PIXELS; i++) images[i] = (float)cnnblas_random_normal(1, 0, (uint64_t)i);
  return net;
}

static cnnblas_net_step step_of(cnnblas_net_optimiser o)
{
  return (cnnblas_net_step){.n = IMAGES, .images = images, .labels = labels, .optimiser = o};
}

/* What a tensor should become, from copies of what it was. */
typedef struct {
  float value[MOST], v[MOST], second[MOST];
} copies;

static void expect_step(const cnnblas_net_tensor *t, const cnnblas_net_optimiser *o, int64_t number, copies *c)
{
  double decay = t->rank > 1 ? o->weight_decay : 0;
  assert_int_equal(t->decays, t->rank > 1);
  cnnblas_sgd_desc d = {.lr = o->lr, .momentum = o->momentum, .weight_decay = decay};
  cnnblas_adamw_desc a = {.step = number, .lr = o->lr, .weight_decay = decay, .beta1 = o->beta1};
  if (o->kind == CNNBLAS_NET_SGD) ASSERT_OK(cnnblas_sgd_step(&d, t->elements, c->value, t->gradient, c->v));
  if (o->kind == CNNBLAS_NET_NESTEROV) ASSERT_OK(cnnblas_nesterov_step(&d, t->elements, c->value, t->gradient, c->v));
  if (o->kind == CNNBLAS_NET_ADAMW)
    ASSERT_OK(cnnblas_adamw_step(&a, t->elements, c->value, t->gradient, c->v, c->second));
}

static void each_optimiser_is_its_function(void **state)
{
  static const cnnblas_net_optimiser all[] = {
      {.kind = CNNBLAS_NET_SGD, .lr = 0.1, .momentum = 0.9, .weight_decay = 0.01},
      {.kind = CNNBLAS_NET_NESTEROV, .lr = 0.1, .momentum = 0.9, .weight_decay = 0.01},
      {.kind = CNNBLAS_NET_ADAMW, .lr = 0.01, .beta1 = 0.8, .weight_decay = 0.1}};
  static copies c[4];
  (void)state;
  for (int k = 0; k < 3; k++) {
    cnnblas_net *net = make((cnnblas_net_options){.optimiser = all[k].kind});
    cnnblas_net_step step = step_of(all[k]);
    for (int number = 1; number <= 3; number++) {
      ASSERT_OK(cnnblas_net_gradient(net, &step, NULL));
      for (int64_t t = 0; t < 4; t++) {
        cnnblas_net_tensor tensor;
        ASSERT_OK(cnnblas_net_get_tensor(net, t, &tensor));
        assert_true(tensor.trained && tensor.elements <= MOST && !tensor.second == (k != 2) && !tensor.average);
        memcpy(c[t].value, tensor.value, (size_t)tensor.elements * 4);
        memcpy(c[t].v, tensor.momentum, (size_t)tensor.elements * 4);
        if (tensor.second) memcpy(c[t].second, tensor.second, (size_t)tensor.elements * 4);
        expect_step(&tensor, &all[k], number, &c[t]);
      }
      ASSERT_OK(cnnblas_net_update(net, &step));
      for (int64_t t = 0; t < 4; t++) {
        cnnblas_net_tensor tensor;
        ASSERT_OK(cnnblas_net_get_tensor(net, t, &tensor));
        assert_memory_equal(c[t].value, tensor.value, (size_t)tensor.elements * 4);
        assert_memory_equal(c[t].v, tensor.momentum, (size_t)tensor.elements * 4);
      }
    }
    cnnblas_net_destroy(net);
  }
}

static double norm_of(cnnblas_net *net)
{
  double squares = 0, norm;
  for (int64_t layer = 0; layer < 3; layer++) {
    ASSERT_OK(cnnblas_net_layer_gradient_norm(net, layer, &norm));
    squares += norm * norm;
  }
  return sqrt(squares);
}

static void the_norm_of_all_gradients_is_limited(void **state)
{
  (void)state;
  cnnblas_net *net = make((cnnblas_net_options){0});
  cnnblas_net_step step = step_of((cnnblas_net_optimiser){.lr = 0});
  ASSERT_OK(cnnblas_net_gradient(net, &step, NULL));
  double norm = norm_of(net);
  step.optimiser.most_norm = 2 * norm;
  ASSERT_OK(cnnblas_net_update(net, &step));
  assert_true(fabs(norm_of(net) / norm - 1) < 1e-6);
  step.optimiser.most_norm = norm / 4;
  ASSERT_OK(cnnblas_net_update(net, &step));
  assert_true(fabs(norm_of(net) / norm - 0.25) < 1e-6);
  cnnblas_net_destroy(net);
}

static void averages_follow_and_change_places(void **state)
{
  (void)state;
  cnnblas_net *net = make((cnnblas_net_options){.average = 1});
  cnnblas_net_step step = step_of((cnnblas_net_optimiser){.lr = 0.1, .average_decay = 0.75});
  cnnblas_net_tensor t;
  static float before[MOST], after[MOST], average[MOST];
  ASSERT_OK(cnnblas_net_find_tensor(net, "fc1.weight", &t));
  size_t bytes = (size_t)t.elements * 4;
  memcpy(before, t.value, bytes);
  assert_memory_equal(before, t.average, bytes);
  ASSERT_OK(cnnblas_net_train_step(net, &step, NULL));
  memcpy(after, t.value, bytes);
  memcpy(average, t.average, bytes);
  for (int64_t i = 0; i < t.elements; i++)
    assert_true(fabsf(average[i] - (0.75f * before[i] + 0.25f * after[i])) < 1e-6f);
  ASSERT_OK(cnnblas_net_swap_average(net));
  assert_memory_equal(t.value, average, bytes);
  assert_memory_equal(t.average, after, bytes);
  ASSERT_OK(cnnblas_net_swap_average(net));
  assert_memory_equal(t.value, after, bytes);
  cnnblas_net_destroy(net);
}

static void what_there_is_no_room_for_is_refused(void **state)
{
  (void)state;
  cnnblas_net *net = make((cnnblas_net_options){0});
  cnnblas_net_step step = step_of((cnnblas_net_optimiser){.kind = CNNBLAS_NET_ADAMW, .lr = 0.1});
  ASSERT_OK(cnnblas_net_gradient(net, &step, NULL));
  assert_int_equal(cnnblas_net_update(net, &step), CNNBLAS_INVALID_ARGUMENT);
  assert_non_null(strstr(cnnblas_last_error(), "options.optimiser"));
  step = step_of((cnnblas_net_optimiser){.lr = 0.1, .average_decay = 0.9});
  assert_int_equal(cnnblas_net_update(net, &step), CNNBLAS_INVALID_ARGUMENT);
  assert_non_null(strstr(cnnblas_last_error(), "options.average"));
  assert_int_equal(cnnblas_net_swap_average(net), CNNBLAS_INVALID_ARGUMENT);
  cnnblas_net_destroy(net);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_optimiser_is_its_function), cmocka_unit_test(the_norm_of_all_gradients_is_limited),
      cmocka_unit_test(averages_follow_and_change_places), cmocka_unit_test(what_there_is_no_room_for_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
