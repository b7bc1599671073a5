/* Losses of images whose pixels have labels, [n][classes][pixels]: against the same pixels as images of their own, gradients. */
#include "check.h"
#include <math.h>
#include <stdlib.h>

enum { IMAGES = 3, PIXELS = 11, ALL = IMAGES * PIXELS, CLASSES = 5, COUNT = ALL * CLASSES, IGNORED = -1 };

static const double weights[CLASSES] = {1, 0.5, 2, 0, 3};
static int32_t labels[ALL];

/* Which variant: 1 smoothing, 2 ignored pixels, 4 class weights, 8 the mean. */
static cnnblas_loss_desc make(int which)
{
  cnnblas_loss_desc d = {.dtype = CNNBLAS_F64, .n = IMAGES, .classes = CLASSES, .pixels = PIXELS};
  for (int i = 0; i < ALL; i++) labels[i] = (which & 2) && i % 4 == 1 ? IGNORED : i * 7 % CLASSES;
  d.reduction = which & 8 ? CNNBLAS_REDUCTION_MEAN : CNNBLAS_REDUCTION_SUM;
  if (which & 1) d.label_smoothing = 0.1;
  if (which & 2) d.ignore = 1, d.ignore_index = IGNORED;
  if (which & 4) d.class_weights = weights;
  return d;
}

static cnnblas_loss_desc moved(cnnblas_loss_desc d)
{
  d.n = ALL;
  d.pixels = 0;
  return d;
}

/* to[image * PIXELS + pixel][class] = from[image][class][pixel] */
static void move(const double *from, double *to)
{
  for (int i = 0; i < IMAGES; i++)
    for (int c = 0; c < CLASSES; c++)
      for (int p = 0; p < PIXELS; p++) to[(i * PIXELS + p) * CLASSES + c] = from[(i * CLASSES + c) * PIXELS + p];
}

static void assert_moved(const double *got, const double *want)
{
  double got_moved[COUNT];
  move(got, got_moved);
  for (int i = 0; i < COUNT; i++)
    if (!(fabs(got_moved[i] - want[i]) <= 1e-14)) FAIL("element %d is %.17g, not %.17g", i, got_moved[i], want[i]);
}

static void pixels_are_images_of_their_own(void **state)
{
  (void)state;
  double *z = check_reals(1, COUNT), *t = check_reals(2, COUNT), other[COUNT], targets[COUNT];
  for (int i = 0; i < COUNT; i++) z[i] *= 8, t[i] = fabs(t[i]);
  move(z, other);
  move(t, targets);
  for (int which = 0; which < 16; which++) {
    cnnblas_loss_desc d = make(which), m = moved(d);
    double loss, want, dz[COUNT], p[COUNT], want_dz[COUNT], want_p[COUNT];
    ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, IMAGES, z, labels, &loss, dz, p));
    ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&m, ALL, other, labels, &want, want_dz, want_p));
    assert_true(fabs(loss - want) <= 1e-14 * fabs(want));
    assert_moved(dz, want_dz);
    assert_moved(p, want_p);
    int64_t first, second;
    ASSERT_OK(cnnblas_top_k_count(&d, IMAGES, z, labels, 2, &first));
    ASSERT_OK(cnnblas_top_k_count(&m, ALL, other, labels, 2, &second));
    assert_true(first == second && first > 0 && first < ALL);
    if (which & 3) continue; /* for softmax alone */
    ASSERT_OK(cnnblas_loss_sigmoid_cross_entropy(&d, IMAGES, z, t, &loss, dz));
    ASSERT_OK(cnnblas_loss_sigmoid_cross_entropy(&m, ALL, other, targets, &want, want_dz));
    assert_true(fabs(loss - want) <= 1e-14 * fabs(want));
    assert_moved(dz, want_dz);
    ASSERT_OK(cnnblas_softmax_forward(&d, IMAGES, z, p));
    assert_moved(p, want_p);
  }
  free(z), free(t);
}

static void gradients_agree_with_differences(void **state)
{
  (void)state;
  double dz[COUNT], loss;
  check_loss p = {make(15), check_reals(1, COUNT), NULL, labels};
  ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&p.d, IMAGES, p.z, labels, &loss, dz, NULL));
  check_gradient("softmax", check_loss_of, &p, p.z, dz, COUNT);
  p.targets = check_reals(2, COUNT);
  for (int i = 0; i < COUNT; i++) p.targets[i] = fabs(p.targets[i]);
  p.d = make(12);
  ASSERT_OK(cnnblas_loss_sigmoid_cross_entropy(&p.d, IMAGES, p.z, p.targets, &loss, dz));
  check_gradient("sigmoid", check_loss_of, &p, p.z, dz, COUNT);
  free(p.z), free(p.targets);
}

/* In place, on any number of threads; large logits; and labels that are none. */
static void edges(void **state)
{
  (void)state;
  double *z = check_reals(1, COUNT), *same = check_reals(1, COUNT), dz[COUNT], loss, again;
  cnnblas_loss_desc d = make(1);
  ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, IMAGES, z, labels, &loss, dz, NULL));
  for (int i = 0; i < CHECK_TEAMS; i++) {
    d.threads = check_teams[i];
    for (int k = 0; k < COUNT; k++) same[k] = z[k];
    ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, IMAGES, same, labels, &again, same, NULL));
    assert_true(loss == again);
    assert_memory_equal(dz, same, sizeof dz);
  }
  for (int i = 0; i < COUNT; i++) z[i] = i % 2 ? 1e4 : -1e4;
  ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&d, IMAGES, z, labels, &loss, dz, NULL));
  assert_true(isfinite(loss));
  labels[ALL - 1] = CLASSES;
  assert_int_equal(cnnblas_loss_softmax_cross_entropy(&d, IMAGES, z, labels, &loss, dz, NULL),
                   CNNBLAS_INVALID_ARGUMENT);
  d.pixels = -1;
  assert_int_equal(cnnblas_softmax_forward(&d, IMAGES, z, dz), CNNBLAS_INVALID_ARGUMENT);
  free(z), free(same);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(pixels_are_images_of_their_own),
                                     cmocka_unit_test(gradients_agree_with_differences), cmocka_unit_test(edges)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
