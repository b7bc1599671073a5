/* Networks as objects: bits, batches, modes, tensors, maps, the hook, NaN, refusals. */
#include "check.h"
#include "data/digits.h"
#include <cnnblas/net.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char text[] = "INPUT 1x28x28 -> [CONV 8@5x5 -> RELU -> POOL max 2]*2 -> FC 64 -> RELU -> FC 10";
enum { IMAGES = 150, PIXELS = 784 };
static float images[IMAGES * PIXELS];
static int32_t labels[IMAGES];

static int draw_images(void **state)
{
  (void)state;
  digits_draw(77, 0, IMAGES, NULL, 28, images, labels);
  return 0;
}

static cnnblas_net *make(const char *notation, cnnblas_net_options o)
{
  cnnblas_net *net;
  harness_doing("%s", notation);
  ASSERT_OK(cnnblas_net_create(notation, &o, &net));
  return net;
}

static const cnnblas_net_optimiser sgd = {.lr = 0.05, .momentum = 0.9, .weight_decay = 1e-4};

static cnnblas_status train_step(cnnblas_net *net, int64_t n, const float *x, const int32_t *own, cnnblas_net_result *r)
{
  cnnblas_net_step step = {.n = n, .images = x, .labels = own, .optimiser = sgd};
  return cnnblas_net_train_step(net, &step, r);
}

static void train(cnnblas_net *net, int steps)
{
  for (int step = 0; step < steps; step++) {
    int64_t from = step % 2 * 50, n = step % 3 ? 64 : 37;
    ASSERT_OK(train_step(net, n, images + from * PIXELS, labels + from, NULL));
  }
}

static void assert_same_parameters(const cnnblas_net *a, const cnnblas_net *b)
{
  cnnblas_net_info info;
  ASSERT_OK(cnnblas_net_get_info(a, &info));
  for (int64_t t = 0; t < info.tensors; t++) {
    cnnblas_net_tensor x, y;
    ASSERT_OK(cnnblas_net_get_tensor(a, t, &x));
    ASSERT_OK(cnnblas_net_get_tensor(b, t, &y));
    assert_memory_equal(x.value, y.value, (size_t)x.elements * 4);
    assert_memory_equal(x.momentum, y.momentum, (size_t)x.elements * 4);
  }
}

static void training_is_the_same_on_any_number_of_threads(void **state)
{
  (void)state;
  cnnblas_net *one = make(text, (cnnblas_net_options){.seed = 3, .threads = 1});
  train(one, 7);
  static const int counts[] = {2, 3, 4, 5, 8, 16, 64}; /* fewer than the batch's parts, and more */
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    cnnblas_net *more = make(text, (cnnblas_net_options){.seed = 3, .threads = counts[i]});
    train(more, 7);
    assert_same_parameters(one, more);
    cnnblas_net_destroy(more);
  }
  cnnblas_net *again = make(text, (cnnblas_net_options){.seed = 4, .threads = 1});
  train(again, 2);
  ASSERT_OK(cnnblas_net_initialise(again, CNNBLAS_INIT_HE, 3)); /* begins anew, momentum too */
  train(again, 7);
  assert_same_parameters(one, again);
  cnnblas_net_destroy(again);
  cnnblas_net_destroy(one);
}

static void predictions_do_not_depend_on_the_batch_or_mode(void **state)
{
  (void)state;
  cnnblas_net *trained = make(text, (cnnblas_net_options){.seed = 3, .batch = IMAGES});
  cnnblas_net *inferring = make(text, (cnnblas_net_options){.seed = 3, .batch = 64, .mode = CNNBLAS_NET_INFERENCE});
  static float all[IMAGES * 10], part[64 * 10], logits[IMAGES * 10];
  int32_t classes[IMAGES], few[64];
  ASSERT_OK(cnnblas_net_predict(trained, IMAGES, images, all, classes));
  ASSERT_OK(cnnblas_net_forward(trained, IMAGES, images, logits));
  for (int i = 0; i < IMAGES; i++) {
    double sum = 0;
    int best = 0;
    for (int j = 0; j < 10; j++)
      sum += (double)all[10 * i + j], best = logits[10 * i + j] > logits[10 * i + best] ? j : best;
    assert_true(fabs(sum - 1) < 1e-5 && classes[i] == best);
  }
  for (int64_t n = 0; n <= 64; n += 7)
    for (int64_t from = 0; from + n <= IMAGES; from += 23) {
      ASSERT_OK(cnnblas_net_predict(inferring, n, images + from * PIXELS, part, few));
      assert_memory_equal(part, all + 10 * from, (size_t)(40 * n));
      assert_memory_equal(few, classes + from, (size_t)(4 * n));
    }
  assert_int_equal(cnnblas_net_predict(inferring, 65, images, part, few), CNNBLAS_INVALID_ARGUMENT);
  cnnblas_net_destroy(trained);
  cnnblas_net_destroy(inferring);
}

static void evaluation_counts_and_averages(void **state)
{
  (void)state;
  cnnblas_net *net = make(text, (cnnblas_net_options){.seed = 3, .batch = 40, .mode = CNNBLAS_NET_INFERENCE});
  cnnblas_net_result all, r;
  ASSERT_OK(cnnblas_net_evaluate(net, IMAGES, images, labels, &all));
  double loss = 0;
  int64_t correct = 0;
  for (int i = 0; i < IMAGES; i++) {
    ASSERT_OK(cnnblas_net_evaluate(net, 1, images + i * PIXELS, labels + i, &r));
    loss += r.loss, correct += r.correct;
  }
  assert_true(fabs(all.loss - loss / IMAGES) < 1e-9 && all.correct == correct && all.images == IMAGES);
  ASSERT_OK(cnnblas_net_evaluate(net, 0, NULL, NULL, &r));
  assert_true(r.loss == 0 && r.correct == 0);
  cnnblas_net_destroy(net);
}

static void tensors_have_names_and_arrays(void **state)
{
  (void)state;
  cnnblas_net *net = make(text, (cnnblas_net_options){.seed = 3});
  cnnblas_net_tensor w, b;
  ASSERT_OK(cnnblas_net_find_tensor(net, "conv2.weight", &w));
  ASSERT_OK(cnnblas_net_find_tensor(net, "fc2.bias", &b));
  assert_true(w.rank == 4 && w.shape[0] == 8 && w.shape[1] == 8 && w.shape[2] == 5 && w.shape[3] == 5 &&
              w.elements == 1600);
  assert_true(b.rank == 1 && b.shape[0] == 10);
  double squares = 0;
  for (int i = 0; i < 1600; i++) squares += pow(((float *)w.value)[i], 2);
  assert_true(fabs(sqrt(squares / 1600) / sqrt(2.0 / 200) - 1) < 0.1); /* He: fan_in = 8 * 25 */
  for (int i = 0; i < 10; i++) assert_true(((float *)b.value)[i] == 0);
  ((float *)b.value)[7] = 1e6f; /* a written value is used */
  int32_t class;
  ASSERT_OK(cnnblas_net_predict(net, 1, images, NULL, &class));
  assert_int_equal(class, 7);
  assert_int_equal(cnnblas_net_find_tensor(net, "conv3.weight", &w), CNNBLAS_INVALID_ARGUMENT);
  cnnblas_net_destroy(net);
}

static void layers_can_be_looked_into(void **state)
{
  (void)state;
  cnnblas_net *net = make(text, (cnnblas_net_options){.seed = 3});
  const void *conv, *relu, *logits;
  double norm, squares = 0;
  float out[640];
  assert_int_equal(cnnblas_net_layer_output(net, 0, &conv), CNNBLAS_INVALID_ARGUMENT); /* nothing has run */
  ASSERT_OK(cnnblas_net_forward(net, 64, images, out));
  assert_int_equal(cnnblas_net_layer_gradient_norm(net, 0, &norm), CNNBLAS_INVALID_ARGUMENT);
  ASSERT_OK(cnnblas_net_layer_output(net, 0, &conv));
  ASSERT_OK(cnnblas_net_layer_output(net, 1, &relu));
  ASSERT_OK(cnnblas_net_layer_output(net, 8, &logits));
  assert_ptr_equal(conv, relu); /* fused */
  assert_memory_equal(logits, out, sizeof out);
  ASSERT_OK(cnnblas_net_gradient(net, &(cnnblas_net_step){.n = 64, .images = images, .labels = labels}, NULL));
  ASSERT_OK(cnnblas_net_layer_gradient_norm(net, 0, &norm));
  static const char *const names[] = {"conv1.weight", "conv1.bias"};
  for (int t = 0; t < 2; t++) {
    cnnblas_net_tensor tensor;
    ASSERT_OK(cnnblas_net_find_tensor(net, names[t], &tensor));
    for (int64_t i = 0; i < tensor.elements; i++) squares += pow(((float *)tensor.gradient)[i], 2);
  }
  assert_true(norm > 0 && fabs(norm - sqrt(squares)) < 1e-12 * norm);
  char table[8192];
  size_t needed;
  ASSERT_OK(cnnblas_net_describe(net, table, sizeof table, &needed));
  assert_int_equal(needed, strlen(table) + 1);
  assert_non_null(strstr(table, "conv2"));
  cnnblas_net_destroy(net);
}

/* The hook sees the gradients and may change them: twice the sum of halves is the whole. */
static cnnblas_status double_them(void *context, void *gradients, int64_t elements)
{
  ++*(int *)context;
  for (int64_t i = 0; i < elements; i++) ((float *)gradients)[i] *= 2;
  return CNNBLAS_OK;
}

static cnnblas_status refuse(void *context, void *gradients, int64_t elements)
{
  (void)context, (void)gradients, (void)elements;
  return CNNBLAS_IO_ERROR;
}

static void the_hook_stands_between_backward_and_update(void **state)
{
  (void)state;
  int hooks = 0;
  cnnblas_net *plain = make(text, (cnnblas_net_options){.seed = 3}),
              *hooked = make(text, (cnnblas_net_options){.seed = 3});
  cnnblas_net_step twice = {.n = 64, .images = images, .labels = labels, .optimiser.lr = 0.5}, half = twice,
                   stop = twice;
  half.optimiser.lr = 0.25, half.hook = double_them, half.context = &hooks;
  stop.optimiser.lr = 1, stop.hook = refuse;
  ASSERT_OK(cnnblas_net_train_step(plain, &twice, NULL));
  assert_int_equal(cnnblas_net_train_step(hooked, &stop, NULL), CNNBLAS_IO_ERROR);
  ASSERT_OK(cnnblas_net_train_step(hooked, &half, NULL));
  assert_int_equal(hooks, 1);
  cnnblas_net_tensor a, b;
  ASSERT_OK(cnnblas_net_find_tensor(plain, "fc1.weight", &a));
  ASSERT_OK(cnnblas_net_find_tensor(hooked, "fc1.weight", &b));
  assert_memory_equal(a.value, b.value, (size_t)a.elements * 4);
  cnnblas_net_info info;
  ASSERT_OK(cnnblas_net_get_info(hooked, &info));
  assert_int_equal(info.steps, 1);
  cnnblas_net_destroy(plain);
  cnnblas_net_destroy(hooked);
}

static void nan_is_traced_to_its_layer_and_step(void **state)
{
  (void)state;
  cnnblas_net *net = make(text, (cnnblas_net_options){.seed = 3});
  cnnblas_net_tensor w, first;
  cnnblas_net_result r;
  train(net, 2);
  ASSERT_OK(cnnblas_net_find_tensor(net, "conv2.weight", &w));
  ASSERT_OK(cnnblas_net_find_tensor(net, "conv1.weight", &first));
  float kept = ((float *)w.value)[9], before = ((float *)first.value)[0];
  ((float *)w.value)[9] = NAN;
  assert_int_equal(train_step(net, 64, images, labels, &r), CNNBLAS_NOT_FINITE);
  assert_string_equal(r.nonfinite, "conv2");
  assert_non_null(strstr(cnnblas_last_error(), "step 3"));
  assert_non_null(strstr(cnnblas_last_error(), "conv2"));
  assert_true(((float *)first.value)[0] == before); /* nothing was updated */
  ASSERT_OK(cnnblas_net_evaluate(net, 64, images, labels, &r));
  assert_string_equal(r.nonfinite, "conv2");
  ((float *)w.value)[9] = kept;
  float pixel = images[5];
  images[5] = INFINITY;
  assert_int_equal(train_step(net, 64, images, labels, &r), CNNBLAS_NOT_FINITE);
  assert_string_equal(r.nonfinite, "input");
  images[5] = pixel;
  ASSERT_OK(train_step(net, 64, images, labels, &r));
  assert_true(r.steps == 3 && !r.nonfinite[0]);
  cnnblas_net_destroy(net);
}

/* LeNet-5's C3: filter k sees the maps that its table lists; all other weights are and stay 0. */
static void selected_maps_stay_selected(void **state)
{
  (void)state;
  static const char lenet[] = "INPUT 6x14x14 -> CONV 16@5x5 maps 0-2/1-3/2-4/3-5/0,4-5/0-1,5/0-3/1-4/2-5/0,3-5/0-1,4-5/"
                              "0-2,5/0-1,3-4/1-2,4-5/0,2-3,5/0-5 -> TANH -> POOL avg 2 -> FC 10";
  static const char *const c3[6] = {"1000111001111011", "1100011100111101", "1110001110010111",
                                    "0111001111001011", "0011100111101101", "0001110011110111"};
  cnnblas_net *net = make(lenet, (cnnblas_net_options){.seed = 3, .batch = 8});
  for (int step = 0; step < 3; step++) {
    cnnblas_net_tensor w;
    ASSERT_OK(cnnblas_net_find_tensor(net, "conv1.weight", &w));
    int used = 0;
    for (int k = 0; k < 16; k++)
      for (int c = 0; c < 6; c++) {
        bool any = false, gradient = false;
        for (int t = 0; t < 25; t++) {
          any |= ((float *)w.value)[(k * 6 + c) * 25 + t] != 0;
          gradient |= ((float *)w.gradient)[(k * 6 + c) * 25 + t] != 0;
        }
        if (any != (c3[c][k] == '1')) FAIL("filter %d, map %d, step %d", k, c, step);
        assert_true(step == 0 || gradient == any);
        used += any;
      }
    assert_int_equal(used, 60);
    ASSERT_OK(train_step(net, 8, images, labels, NULL));
  }
  cnnblas_net_destroy(net);
}

static cnnblas_status gradient_alone(cnnblas_net *net, const cnnblas_net_step *step)
{
  return cnnblas_net_gradient(net, step, NULL);
}

/* A network told of measured choices keeps to them, and tells those that it measures. */
static void networks_take_wisdom(void **state)
{
  (void)state;
  cnnblas_wisdom *wisdom;
  ASSERT_OK(cnnblas_wisdom_create(&wisdom));
  cnnblas_net_options o = {.seed = 3, .effort = CNNBLAS_MEASURE, .wisdom = wisdom};
  cnnblas_net *first = make(text, o);
  size_t known = cnnblas_wisdom_count(wisdom);
  assert_true(known > 0);
  cnnblas_net *second = make(text, o);
  assert_int_equal(cnnblas_wisdom_count(wisdom), known);
  cnnblas_wisdom_destroy(wisdom); /* networks do not hold on to it */
  cnnblas_net_info info;
  ASSERT_OK(cnnblas_net_get_info(first, &info));
  for (int64_t i = 0; i < info.layers; i++) {
    cnnblas_net_layer_info a, b;
    ASSERT_OK(cnnblas_net_get_layer(first, i, &a));
    ASSERT_OK(cnnblas_net_get_layer(second, i, &b));
    assert_memory_equal(a.algorithm, b.algorithm, sizeof a.algorithm);
  }
  ASSERT_OK(train_step(second, 64, images, labels, NULL));
  cnnblas_net_destroy(first);
  cnnblas_net_destroy(second);
}

/* The fields of a step, one at a time; gradient and update refuse alike what both look at. */
static void bad_steps_are_refused(cnnblas_net *net)
{
  const cnnblas_net_step good = {.n = 64, .images = images, .labels = labels, .optimiser = sgd};
  int64_t numbers[64] = {0};
  numbers[5] = -1;
  cnnblas_net_step step = good;
  assert_int_equal(cnnblas_net_update(net, &good), CNNBLAS_INVALID_ARGUMENT); /* no gradient yet */
  step.numbers = numbers;
  assert_int_equal(cnnblas_net_gradient(net, &step, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_non_null(strstr(cnnblas_last_error(), "numbers[5] is -1"));
  for (int call = 0; call < 2; call++) {
    cnnblas_status (*const refuses)(cnnblas_net *, const cnnblas_net_step *) =
        call ? cnnblas_net_update : gradient_alone;
    step = good, step.optimiser.most_norm = -1;
    assert_int_equal(refuses(net, &step), CNNBLAS_INVALID_ARGUMENT);
    step = good, step.optimiser.average_decay = 1.5;
    assert_int_equal(refuses(net, &step), CNNBLAS_INVALID_ARGUMENT);
    step.optimiser.kind = (cnnblas_net_optimiser_kind)3;
    assert_int_equal(refuses(net, &step), CNNBLAS_INVALID_ARGUMENT);
    step = good, step.label_smoothing = -0.5;
    assert_int_equal(refuses(net, &step), CNNBLAS_INVALID_ARGUMENT);
    for (int i = 0; i < 6; i++) {
      step = good, step.reserved[i] = 1;
      assert_int_equal(refuses(net, &step), CNNBLAS_INVALID_ARGUMENT);
      step = good, step.optimiser.reserved[i % 3] = 1;
      assert_int_equal(refuses(net, &step), CNNBLAS_INVALID_ARGUMENT);
    }
  }
}

static void refusals_leave_everything_alone(void **state)
{
  (void)state;
  cnnblas_net *net = make(text, (cnnblas_net_options){.seed = 3});
  cnnblas_net *design = make(text, (cnnblas_net_options){.mode = CNNBLAS_NET_DESIGN});
  cnnblas_net *inference = make(text, (cnnblas_net_options){.mode = CNNBLAS_NET_INFERENCE});
  float out[640];
  int32_t bad[64] = {0};
  bad[63] = 10;
  assert_int_equal(train_step(net, 64, images, bad, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(train_step(net, 65, images, labels, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(train_step(net, 0, images, labels, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(train_step(net, 64, NULL, labels, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_train_step(net, NULL, NULL), CNNBLAS_INVALID_ARGUMENT);
  bad_steps_are_refused(net);
  assert_int_equal(cnnblas_net_forward(design, 1, images, out), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(train_step(inference, 64, images, labels, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_net_forward(NULL, 1, images, out), CNNBLAS_INVALID_ARGUMENT);
  cnnblas_net_destroy(net);
  cnnblas_net_destroy(design);
  cnnblas_net_destroy(inference);
  cnnblas_net_destroy(NULL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(training_is_the_same_on_any_number_of_threads),
                                     cmocka_unit_test(predictions_do_not_depend_on_the_batch_or_mode),
                                     cmocka_unit_test(evaluation_counts_and_averages),
                                     cmocka_unit_test(tensors_have_names_and_arrays),
                                     cmocka_unit_test(layers_can_be_looked_into),
                                     cmocka_unit_test(the_hook_stands_between_backward_and_update),
                                     cmocka_unit_test(nan_is_traced_to_its_layer_and_step),
                                     cmocka_unit_test(selected_maps_stay_selected),
                                     cmocka_unit_test(networks_take_wisdom),
                                     cmocka_unit_test(refusals_leave_everything_alone)};
  return cmocka_run_group_tests(tests, draw_images, NULL);
}
