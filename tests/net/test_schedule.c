/* The learning rate's schedules against their formulas; smoothed labels against the loss written out, and finite differences. */
#include "check.h"
#include <cnnblas/net.h>
#include <math.h>
#include <string.h>

static void close_to(double is, double want, double within)
{
  if (!(fabs(is - want) <= within * (1 + fabs(want)))) FAIL("%.17g, not %.17g", is, want);
}

static void rates_follow_their_formulas(void **state)
{
  (void)state;
  const cnnblas_lr_step steps[] = {{.epoch = 1, .factor = 0.5}, {.epoch = 3, .factor = 0.1}};
  cnnblas_net_schedule s = {.lr = 0.2, .epoch_steps = 10, .epochs = 4};
  for (int64_t step = 0; step < 50; step++) close_to(cnnblas_net_schedule_rate(&s, step), 0.2, 0);
  s.steps = steps;
  s.count = 2;
  s.warm_up = 4;
  const double factors[] = {1, 0.5, 0.5, 0.05, 0.05};
  for (int64_t step = 0; step < 50; step++)
    close_to(cnnblas_net_schedule_rate(&s, step), step < 4 ? 0.2 * (double)(step + 1) / 4 : 0.2 * factors[step / 10],
             1e-15);
  s.kind = CNNBLAS_NET_LR_COSINE;
  for (int64_t step = 4; step < 40; step++)
    close_to(cnnblas_net_schedule_rate(&s, step), 0.1 * (1 + cos(acos(-1) * (double)(step - 4) / 36)), 1e-14);
  assert_true(cnnblas_net_schedule_rate(&s, 4) == 0.2 && cnnblas_net_schedule_rate(&s, 40) == 0);
  s.warm_up = 40;
  assert_true(cnnblas_net_schedule_rate(&s, 39) == 0.2 && cnnblas_net_schedule_rate(&s, 41) == 0);
}

static void bad_schedules_have_no_rate(void **state)
{
  (void)state;
  const cnnblas_net_schedule good = {.lr = 0.2, .epoch_steps = 10, .epochs = 4};
  cnnblas_net_schedule s;
  assert_true(isnan(cnnblas_net_schedule_rate(NULL, 0)) && isnan(cnnblas_net_schedule_rate(&good, -1)));
  s = good, s.epoch_steps = 0;
  assert_true(isnan(cnnblas_net_schedule_rate(&s, 0)));
  s = good, s.warm_up = -1;
  assert_true(isnan(cnnblas_net_schedule_rate(&s, 0)));
  s = good, s.count = 1;
  assert_true(isnan(cnnblas_net_schedule_rate(&s, 0)));
  s = good, s.kind = (cnnblas_net_schedule_kind)7;
  assert_true(isnan(cnnblas_net_schedule_rate(&s, 0)));
  memset(&s, 1, sizeof s);
  cnnblas_net_schedule_init(&s);
  assert_true(s.lr == 0 && s.kind == CNNBLAS_NET_LR_STEPS && !s.steps);
  cnnblas_net_schedule_init(NULL);
}

enum { IMAGES = 6, PIXELS = 64, CLASSES = 4 };
static double images[IMAGES * PIXELS];
static const int32_t labels[IMAGES] = {0, 3, 1, 1, 2, 0};

static double loss_of(cnnblas_net *net, double smoothing)
{
  cnnblas_net_result r;
  cnnblas_net_step step = {.n = IMAGES, .images = images, .labels = labels, .label_smoothing = smoothing};
  ASSERT_OK(cnnblas_net_gradient(net, &step, &r));
  return r.loss;
}

/* The mean over images of the cross-entropy against the smoothed labels. */
static double written_out(cnnblas_net *net, double smoothing)
{
  double z[IMAGES * CLASSES], sum = 0;
  ASSERT_OK(cnnblas_net_forward(net, IMAGES, images, z));
  for (int i = 0; i < IMAGES; i++) {
    double all = 0;
    for (int j = 0; j < CLASSES; j++) all += exp(z[i * CLASSES + j]);
    for (int j = 0; j < CLASSES; j++)
      sum -= ((j == labels[i]) * (1 - smoothing) + smoothing / CLASSES) * (z[i * CLASSES + j] - log(all));
  }
  return sum / IMAGES;
}

static void smoothed_labels_have_their_loss_and_gradient(void **state)
{
  (void)state;
  static const double smoothings[] = {0, 0.1, 0.9};
  cnnblas_net_options o = {.dtype = CNNBLAS_F64, .batch = IMAGES, .seed = 2};
  cnnblas_net *net;
  for (int i = 0; i < IMAGES * PIXELS; i++) images[i] = cnnblas_random_normal(4, 0, (uint64_t)i);
  ASSERT_OK(cnnblas_net_create("INPUT 1x8x8 -> CONV 3@3x3 -> TANH -> FC 4", &o, &net));
  for (size_t e = 0; e < sizeof smoothings / sizeof *smoothings; e++) {
    double loss = loss_of(net, smoothings[e]);
    close_to(loss, written_out(net, smoothings[e]), 1e-12);
    cnnblas_net_info info;
    ASSERT_OK(cnnblas_net_get_info(net, &info));
    for (int64_t t = 0; t < info.tensors; t++) {
      cnnblas_net_tensor tensor;
      ASSERT_OK(cnnblas_net_get_tensor(net, t, &tensor));
      for (int64_t i = 0; i < tensor.elements; i += 7) {
        static const double h = 1e-5;
        double *value = (double *)tensor.value + i, was = *value;
        loss_of(net, smoothings[e]);
        double gradient = ((double *)tensor.gradient)[i];
        *value = was + h;
        double above = loss_of(net, smoothings[e]);
        *value = was - h;
        double below = loss_of(net, smoothings[e]);
        *value = was;
        close_to(gradient, (above - below) / (2 * h), 1e-8);
      }
    }
  }
  cnnblas_net_result r;
  cnnblas_net_step step = {.n = IMAGES, .images = images, .labels = labels, .label_smoothing = 1};
  assert_int_equal(cnnblas_net_gradient(net, &step, &r), CNNBLAS_INVALID_ARGUMENT);
  cnnblas_net_destroy(net);
  o.loss = CNNBLAS_NET_SIGMOID;
  ASSERT_OK(cnnblas_net_create("INPUT 1x8x8 -> FC 4", &o, &net));
  step.label_smoothing = 0.1;
  assert_int_equal(cnnblas_net_gradient(net, &step, &r), CNNBLAS_INVALID_ARGUMENT);
  cnnblas_net_destroy(net);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(rates_follow_their_formulas),
                                     cmocka_unit_test(bad_schedules_have_no_rate),
                                     cmocka_unit_test(smoothed_labels_have_their_loss_and_gradient)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
