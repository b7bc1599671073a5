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

static const int32_t labels[N] = {0, 4, 2, 2, 1, 3, 0};

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
    check_loss p = {make(CNNBLAS_F64, sum ? CNNBLAS_REDUCTION_SUM : CNNBLAS_REDUCTION_MEAN),
                    check_reals(1, N * CLASSES), NULL, labels};
    ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&p.d, N, p.z, labels, NULL, dz, NULL));
    check_gradient("softmax", check_loss_of, &p, p.z, dz, N * CLASSES);
    p.targets = check_reals(2, N * CLASSES);
    for (int i = 0; i < N * CLASSES; i++) p.targets[i] = fabs(p.targets[i]);
    ASSERT_OK(cnnblas_loss_sigmoid_cross_entropy(&p.d, N, p.z, p.targets, NULL, dz));
    check_gradient("sigmoid", check_loss_of, &p, p.z, dz, N * CLASSES);
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

/* ---- smoothed labels, ignored images, class weights ---- */

enum { OTHER = -100 };
static const int32_t some_ignored[N] = {0, OTHER, 2, 2, 1, OTHER, 4};
static const double class_weights[CLASSES] = {1, 0.5, 2, 0, 3};

/* PyTorch's definition in long double; which: 1 smoothing, 2 ignore, 4 weights. */
static cnnblas_loss_desc make_variant(int which, cnnblas_reduction reduction)
{
  cnnblas_loss_desc d = make(CNNBLAS_F64, reduction);
  if (which & 1) d.label_smoothing = 0.1;
  if (which & 2) d.ignore = 1, d.ignore_index = OTHER;
  if (which & 4) d.class_weights = class_weights;
  return d;
}

static long double wanted_loss(const cnnblas_loss_desc *d, const double *z, const int32_t *own)
{
  long double loss = 0, divisor = 0;
  const double *w = d->class_weights;
  for (int in = 0; in < N; in++) {
    if (d->ignore && own[in] == d->ignore_index) continue;
    long double sum = 0, smooth = d->label_smoothing;
    for (int c = 0; c < CLASSES; c++) sum += expl((long double)z[in * CLASSES + c]);
    for (int c = 0; c < CLASSES; c++) {
      long double target = (c == own[in] ? 1 - smooth : 0) + smooth / CLASSES;
      loss += target * (w ? w[c] : 1) * (logl(sum) - (long double)z[in * CLASSES + c]);
    }
    divisor += w ? w[own[in]] : 1;
  }
  return d->reduction == CNNBLAS_REDUCTION_MEAN ? loss / divisor : loss;
}

typedef struct {
  cnnblas_loss_desc d;
  double *z;
  const int32_t *labels;
} varied;

static double run_varied(void *context)
{
  varied *p = context;
  double loss;
  ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&p->d, N, p->z, p->labels, &loss, NULL, NULL));
  return loss;
}

static void variants_are_their_definitions(void **state)
{
  (void)state;
  for (int which = 0; which < 8; which++)
    for (int sum = 0; sum < 2; sum++) {
      varied p = {make_variant(which, sum ? CNNBLAS_REDUCTION_SUM : CNNBLAS_REDUCTION_MEAN),
                  check_reals(1, N * CLASSES), which & 2 ? some_ignored : labels};
      double dz[N * CLASSES], probabilities[N * CLASSES], loss;
      harness_doing("variant %d, reduction %d", which, sum);
      ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&p.d, N, p.z, p.labels, &loss, dz, probabilities));
      assert_true(fabsl((long double)loss - wanted_loss(&p.d, p.z, p.labels)) < 1e-14L * (long double)loss);
      assert_true(fabs(run_varied(&p) - loss) < 1e-14 * loss);
      check_gradient("softmax", run_varied, &p, p.z, dz, N * CLASSES);
      for (int i = 0; which & 2 && i < CLASSES; i++)
        assert_true(dz[CLASSES + i] == 0 && probabilities[CLASSES + i] > 0);
      ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&p.d, N, p.z, p.labels, &loss, p.z, NULL)); /* in place */
      assert_memory_equal(p.z, dz, sizeof dz);
      free(p.z);
    }
}

static void nothing_counted_is_no_loss(void **state)
{
  (void)state;
  int32_t none[N];
  double *z = check_reals(1, N * CLASSES), dz[N * CLASSES], loss = 5;
  for (int i = 0; i < N; i++) none[i] = 3;
  cnnblas_loss_desc d = make(CNNBLAS_F64, CNNBLAS_REDUCTION_MEAN);
  d.ignore = 1, d.ignore_index = 3;
  ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, N, z, none, &loss, dz, NULL));
  assert_true(loss == 0);
  for (int i = 0; i < N * CLASSES; i++) assert_true(dz[i] == 0);
  free(z);
}

/* Every loss and every variant of it at +-1e4 in both types, labels right and wrong. */
static void every_loss_is_finite_at_large_logits(void **state)
{
  (void)state;
  float z[N * CLASSES], dz[N * CLASSES], p[N * CLASSES], weights[CLASSES], targets[N * CLASSES];
  double zd[N * CLASSES], dzd[N * CLASSES], loss;
  for (int i = 0; i < N * CLASSES; i++)
    zd[i] = (double)(z[i] = (float)(i * 7 % 3 - 1) * 1e4f), targets[i] = (float)(i % 3) / 2;
  for (int c = 0; c < CLASSES; c++) weights[c] = (float)class_weights[c];
  for (int which = 0; which < 8; which++) {
    cnnblas_loss_desc d = make_variant(which, CNNBLAS_REDUCTION_MEAN);
    const int32_t *own = which & 2 ? some_ignored : labels;
    ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, N, zd, own, &loss, dzd, NULL));
    assert_true(isfinite(loss));
    d.dtype = CNNBLAS_F32;
    if (d.class_weights) d.class_weights = weights;
    ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, N, z, own, &loss, dz, p));
    assert_true(isfinite(loss));
    for (int i = 0; i < N * CLASSES; i++) assert_true(isfinite(dz[i]) && isfinite(dzd[i]) && isfinite(p[i]));
    if (which & 3) continue;
    ASSERT_OK(cnnblas_loss_sigmoid_cross_entropy(&d, N, z, targets, &loss, dz));
    assert_true(isfinite(loss));
    for (int i = 0; i < N * CLASSES; i++) assert_true(isfinite(dz[i]));
  }
}

/* As the header says: NaN for the softmax of the image with a logit of +Inf, limits for the sigmoid. */
static void an_infinite_logit_is_as_documented(void **state)
{
  (void)state;
  for (int which = 0; which < 8; which++) {
    double *z = check_reals(1, N * CLASSES), dz[N * CLASSES], loss;
    cnnblas_loss_desc d = make_variant(which, CNNBLAS_REDUCTION_SUM);
    z[2 * CLASSES + 4] = INFINITY;
    ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, N, z, labels, &loss, dz, NULL));
    assert_true(isnan(loss));
    for (int i = 0; i < N * CLASSES; i++) assert_true(isnan(dz[i]) == (i / CLASSES == 2));
    z[2 * CLASSES + 4] = -INFINITY; /* not the label, and class 4 has a weight */
    ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, N, z, labels, &loss, dz, NULL));
    assert_true(which & 1 ? loss == INFINITY : isfinite(loss));
    for (int i = 0; i < N * CLASSES; i++) assert_true(isfinite(dz[i]));
    free(z);
  }
  const double z[] = {INFINITY, INFINITY, -INFINITY, -INFINITY}, right[] = {1, 1, 0, 0}, wrong[] = {1, 0, 0, 0};
  double loss, dz[4];
  cnnblas_loss_desc d = {.dtype = CNNBLAS_F64, .reduction = CNNBLAS_REDUCTION_SUM, .n = 1, .classes = 4};
  ASSERT_OK(cnnblas_loss_sigmoid_cross_entropy(&d, 1, z, right, &loss, dz));
  assert_true(loss == 0 && dz[0] == 0 && dz[3] == 0);
  ASSERT_OK(cnnblas_loss_sigmoid_cross_entropy(&d, 1, z, wrong, &loss, dz));
  assert_true(loss == INFINITY && dz[1] == 1);
}

static void the_largest_k_are_counted(void **state)
{
  (void)state;
  static const float z[] = {3, 1, 2, 2, 0, 1, 1, 1, 1, 1, NAN, 5, 4, 3, 2};
  static const int32_t own[] = {3, 2, 1};
  cnnblas_loss_desc d = {.n = 3, .classes = 5};
  int64_t correct;
  for (int64_t k = 1; k <= 5; k++) {
    int64_t counted =
        0; /* by definition: image 0's label is third (a tie with class 2), 1's third of equals, 2's second */
    counted += k >= 3, counted += k >= 3, counted += k >= 2;
    ASSERT_OK(cnnblas_top_k_count(&d, 3, z, own, k, &correct));
    assert_int_equal(correct, counted);
  }
  const int32_t of_nan[] = {3, 2, 0};
  ASSERT_OK(cnnblas_top_k_count(&d, 3, z, of_nan, 5, &correct));
  assert_int_equal(correct, 2);
  d.ignore = 1, d.ignore_index = 2;
  ASSERT_OK(cnnblas_top_k_count(&d, 3, z, of_nan, 5, &correct));
  assert_int_equal(correct, 1);
  assert_int_equal(cnnblas_top_k_count(&d, 3, z, own, 0, &correct), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_top_k_count(&d, 3, z, own, 6, &correct), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_top_k_count(&d, 3, z, own, 1, NULL), CNNBLAS_INVALID_ARGUMENT);
  ASSERT_OK(cnnblas_top_k_count(&d, 0, z, own, 1, &correct));
  assert_int_equal(correct, 0);
}

static void bad_variants_are_refused(void **state)
{
  (void)state;
  double z[N * CLASSES] = {0}, dz[N * CLASSES], bad[CLASSES] = {1, 1, -1, 1, 1}, loss;
  cnnblas_loss_desc d;
#define REFUSED(change)                                                                                                \
  do {                                                                                                                 \
    d = make(CNNBLAS_F64, CNNBLAS_REDUCTION_SUM);                                                                      \
    change;                                                                                                            \
    assert_int_equal(cnnblas_loss_softmax_cross_entropy(&d, N, z, labels, &loss, dz, NULL), CNNBLAS_INVALID_ARGUMENT); \
  } while (0)
  REFUSED(d.label_smoothing = -0.1);
  REFUSED(d.label_smoothing = 1.1);
  REFUSED(d.label_smoothing = NAN);
  REFUSED(d.ignore = 2);
  REFUSED(d.ignore_index = 1);
  REFUSED(d.class_weights = bad);
  REFUSED((bad[2] = INFINITY, d.class_weights = bad));
  REFUSED(d.class_weights = dz);
  REFUSED(d.reserved[9] = 1);
  d = make(CNNBLAS_F64, CNNBLAS_REDUCTION_SUM);
  assert_int_equal(cnnblas_loss_softmax_cross_entropy(&d, N, z, labels, &dz[1], dz, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_loss_softmax_cross_entropy(&d, N, z, labels, &z[1], NULL, NULL), CNNBLAS_INVALID_ARGUMENT);
  assert_int_equal(cnnblas_loss_sigmoid_cross_entropy(&d, N, z, z, &dz[1], dz), CNNBLAS_INVALID_ARGUMENT);
  d = make_variant(2, CNNBLAS_REDUCTION_SUM);
  assert_int_equal(cnnblas_loss_sigmoid_cross_entropy(&d, N, z, z, &loss, dz), CNNBLAS_INVALID_ARGUMENT);
  d = make_variant(1, CNNBLAS_REDUCTION_SUM);
  assert_int_equal(cnnblas_loss_sigmoid_cross_entropy(&d, N, z, z, &loss, dz), CNNBLAS_INVALID_ARGUMENT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(softmax_is_its_definition),
                                     cmocka_unit_test(gradients_agree_with_differences),
                                     cmocka_unit_test(large_logits_stay_finite),
                                     cmocka_unit_test(labels_and_reduction_are_checked),
                                     cmocka_unit_test(bits_do_not_depend_on_threads),
                                     cmocka_unit_test(variants_are_their_definitions),
                                     cmocka_unit_test(nothing_counted_is_no_loss),
                                     cmocka_unit_test(every_loss_is_finite_at_large_logits),
                                     cmocka_unit_test(an_infinite_logit_is_as_documented),
                                     cmocka_unit_test(the_largest_k_are_counted),
                                     cmocka_unit_test(bad_variants_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
