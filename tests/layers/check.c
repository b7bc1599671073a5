/* Numbers and gradient checks for the layers' tests. */
#include "check.h"
#include <math.h>
#include <stdlib.h>

const int check_teams[CHECK_TEAMS] = {2, 3, 4, 5, 8, 16, 64};

void check_fill(cnnblas_dtype dtype, void *to, uint64_t stream, int64_t count)
{
  for (int64_t i = 0; i < count; i++)
    array_set(dtype, to, i, 2 * cnnblas_random_uniform(2024, stream, (uint64_t)i) - 1);
}

static void *filled(cnnblas_dtype dtype, uint64_t stream, int64_t count)
{
  void *x = malloc((size_t)(count ? count : 1) * element_bytes(dtype));
  assert_non_null(x);
  check_fill(dtype, x, stream, count);
  return x;
}

double *check_reals(uint64_t stream, int64_t count)
{
  return filled(CNNBLAS_F64, stream, count);
}

float *check_floats(uint64_t stream, int64_t count)
{
  return filled(CNNBLAS_F32, stream, count);
}

double check_dot(const double *a, const double *b, int64_t count)
{
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += a[i] * b[i];
  return sum;
}

void check_gradient(const char *what, check_function *function, void *context, double *x, const double *gradient,
                    int64_t count)
{
  double largest = 0, worst = 0;
  const double step = 1e-5;
  for (int64_t i = 0; i < count; i++) largest = fmax(largest, fabs(gradient[i]));
  assert_true(largest > 0);
  for (int64_t i = 0; i < count; i++) {
    double kept = x[i];
    x[i] = kept + step;
    double above = function(context);
    x[i] = kept - step;
    double below = function(context);
    x[i] = kept;
    double error = fabs((above - below) / (2 * step) - gradient[i]) / largest;
    if (!(error < 1e-6))
      FAIL("%s: gradient[%lld] is %.12g, differences give %.12g", what, (long long)i, gradient[i],
           (above - below) / (2 * step));
    worst = fmax(worst, error);
  }
  print_message("%s: %lld gradients, largest relative error %.1e\n", what, (long long)count, worst);
}

double check_loss_of(void *context)
{
  const check_loss *c = context;
  double loss;
  if (c->targets)
    ASSERT_OK(cnnblas_loss_sigmoid_cross_entropy(&c->d, c->d.n, c->z, c->targets, &loss, NULL));
  else
    ASSERT_OK(cnnblas_loss_softmax_cross_entropy(&c->d, c->d.n, c->z, c->labels, &loss, NULL, NULL));
  return loss;
}
