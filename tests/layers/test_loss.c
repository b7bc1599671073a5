/* Losses on logits: values against the definition, gradients, large logits, labels, threads. */
#include "check.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 7, CLASSES = 5 };

static cnnblas_loss_desc make(cnnblas_dtype dtype, cnnblas_reduction reduction)
{
  return (cnnblas_loss_desc){.dtype = dtype, .reduction = reduction, .n = N, .classes = CLASSES};
}

typedef struct {
  cnnblas_loss_desc d;
  double *z, *targets; /* targets NULL: softmax */
  const int32_t *labels;
} probe;

static const int32_t labels[N] = {0, 4, 2, 2, 1, 3, 0};

static double run_probe(void *context)
{
  probe *p = context;
  double loss;
  if (p->targets)
    ASSERT_OK(cnnblas_loss_sigmoid_cross_entropy(&p->d, N, p->z, p->targets, &loss, NULL));
  else
    ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&p->d, N, p->z, labels, &loss, NULL, NULL));
  return loss;
}

static void softmax_is_its_definition(void **state)
{
  (void)state;
  double *z = check_reals(1, N * CLASSES), want = 0, loss, mean, p[N * CLASSES], dz[N * CLASSES];
  for (int in = 0; in < N; in++) {
    double sum = 0;
    for (int j = 0; j < CLASSES; j++) sum += exp(z[in * CLASSES + j]);
    want -= log(exp(z[in * CLASSES + labels[in]]) / sum);
  }
  cnnblas_loss_desc d = make(CNNBLAS_F64, CNNBLAS_REDUCTION_SUM);
  ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, N, z, labels, &loss, dz, p));
  assert_true(fabs(loss - want) < 1e-14 * want);
  d.reduction = CNNBLAS_REDUCTION_MEAN;
  ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, N, z, labels, &mean, NULL, NULL));
  assert_true(fabs(mean - want / N) < 1e-14 * want);
  for (int i = 0; i < N * CLASSES; i++) {
    bool own = i % CLASSES == labels[i / CLASSES];
    assert_true(dz[i] == p[i] - own);
  }
  free(z);
}

static void gradients_agree_with_differences(void **state)
{
  (void)state;
  double dz[N * CLASSES];
  for (int sum = 0; sum < 2; sum++) {
    probe p = {make(CNNBLAS_F64, sum ? CNNBLAS_REDUCTION_SUM : CNNBLAS_REDUCTION_MEAN), check_reals(1, N * CLASSES),
               NULL, labels};
    ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&p.d, N, p.z, labels, NULL, dz, NULL));
    check_gradient("softmax", run_probe, &p, p.z, dz, N * CLASSES);
    p.targets = check_reals(2, N * CLASSES);
    for (int i = 0; i < N * CLASSES; i++) p.targets[i] = fabs(p.targets[i]);
    ASSERT_OK(cnnblas_loss_sigmoid_cross_entropy(&p.d, N, p.z, p.targets, NULL, dz));
    check_gradient("sigmoid", run_probe, &p, p.z, dz, N * CLASSES);
    free(p.z), free(p.targets);
  }
}

static void large_logits_stay_finite(void **state)
{
  (void)state;
  float z[] = {1e4f, -1e4f, 0, -1e4f, 1e4f, 1e4f}, dz[6], p[6], t[6] = {0, 1, 1, 1, 0, 0.5f};
  double loss;
  const int32_t wrong[] = {1, 0};
  cnnblas_loss_desc d = {.reduction = CNNBLAS_REDUCTION_SUM, .n = 2, .classes = 3};
  ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, 2, z, wrong, &loss, dz, p));
  assert_true(fabs(loss - (2e4 + 2e4 + log(2))) < 1e-2);
  for (int i = 0; i < 6; i++) assert_true(isfinite(dz[i]) && isfinite(p[i]));
  assert_true(dz[0] == 1 && dz[1] == -1 && dz[3] == -1 && dz[4] == 0.5f);
  ASSERT_OK(cnnblas_loss_sigmoid_cross_entropy(&d, 2, z, t, &loss, dz));
  assert_true(fabs(loss - (1e4 + 1e4 + log(2) + 1e4 + 1e4 + 5e3)) < 1e-2);
  assert_true(dz[0] == 1 && dz[1] == -1 && dz[2] == -0.5f);
  z[2] = NAN;
  ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, 2, z, wrong, &loss, dz, NULL));
  assert_true(isnan(loss) && isnan(dz[0]) && !isnan(dz[4]));
  ASSERT_OK(cnnblas_loss_sigmoid_cross_entropy(&d, 2, z, t, &loss, dz));
  assert_true(isnan(loss) && isnan(dz[2]) && !isnan(dz[0]));
}

static void labels_and_reduction_are_checked(void **state)
{
  (void)state;
  float z[N * CLASSES] = {0}, dz[N * CLASSES];
  double loss = 77;
  int32_t bad[N] = {0};
  cnnblas_loss_desc d = make(CNNBLAS_F32, CNNBLAS_REDUCTION_MEAN);
  memset(dz, 7, sizeof dz);
  for (int32_t label = -1; label <= CLASSES; label += CLASSES + 1) {
    bad[3] = label;
    assert_int_equal(cnnblas_loss_softmax_cross_entropy(&d, N, z, bad, &loss, dz, NULL), CNNBLAS_INVALID_ARGUMENT);
    assert_non_null(strstr(cnnblas_last_error(), "labels[3]"));
    assert_true(loss == 77);
    for (size_t i = 0; i < sizeof dz; i++) assert_int_equal(((char *)dz)[i], 7);
  }
  bad[3] = 0;
  d.reduction = (cnnblas_reduction)0;
  assert_int_equal(cnnblas_loss_softmax_cross_entropy(&d, N, z, bad, &loss, dz, NULL), CNNBLAS_INVALID_ARGUMENT);
  d.reduction = CNNBLAS_REDUCTION_SUM;
  ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, 0, z, bad, &loss, dz, NULL));
  assert_true(loss == 0);
  z[1] = 1.5f;
  assert_int_equal(cnnblas_loss_sigmoid_cross_entropy(&d, N, dz, z, &loss, NULL), CNNBLAS_INVALID_ARGUMENT);
}

static void bits_do_not_depend_on_threads(void **state)
{
  (void)state;
  enum { MANY = 999, WIDE = 37 };
  float *z = check_floats(1, MANY * WIDE), *one = check_floats(2, MANY * WIDE), *other = check_floats(3, MANY * WIDE);
  static int32_t own[MANY];
  double loss, again;
  for (int i = 0; i < MANY; i++) own[i] = i % WIDE;
  cnnblas_loss_desc d = {.reduction = CNNBLAS_REDUCTION_MEAN, .n = MANY, .classes = WIDE, .threads = 1};
  ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, MANY, z, own, &loss, one, NULL));
  for (int i = 0; i < CHECK_TEAMS; i++) {
    d.threads = check_teams[i];
    ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, MANY, z, own, &again, other, NULL));
    assert_true(loss == again);
    assert_memory_equal(one, other, MANY * WIDE * sizeof *z);
  }
  memcpy(other, z, MANY * WIDE * sizeof *z);
  ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, MANY, other, own, &again, other, NULL)); /* in place */
  assert_memory_equal(one, other, MANY * WIDE * sizeof *z);
  free(z), free(one), free(other);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(softmax_is_its_definition), cmocka_unit_test(gradients_agree_with_differences),
      cmocka_unit_test(large_logits_stay_finite), cmocka_unit_test(labels_and_reduction_are_checked),
      cmocka_unit_test(bits_do_not_depend_on_threads)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
