/* The optimisers' loops over elements, without branches, which the compiler turns into vectors; see optimiser_loops.h. */
#include "layers/optimiser_loops.h"
#include "base/size.h"
#include "gemm/level_build.h"
#include <math.h>

static void nesterov(double rate, double momentum, double decay, int64_t count, void *parameters, const void *gradient,
                     void *velocity)
{
  const real lr = (real)rate, mu = (real)momentum, wd = (real)decay;
  real *restrict p = parameters, *restrict v = velocity;
  const real *restrict g = gradient;
  for (int64_t i = 0; i < count; i++) {
    real slope = g[i] + wd * p[i];
    v[i] = mu * v[i] + slope;
    p[i] -= lr * (slope + mu * v[i]);
  }
}

static void adamw(const cb_adamw *how, int64_t count, void *parameters, const void *gradient, void *first, void *second)
{
  const real b1 = (real)how->beta1, b2 = (real)how->beta2, c1 = (real)(1 - how->beta1), c2 = (real)(1 - how->beta2);
  const real kept = (real)how->kept, rate = (real)how->rate, root = (real)how->root, epsilon = (real)how->epsilon;
  real *restrict p = parameters, *restrict m = first, *restrict v = second;
  const real *restrict g = gradient;
  for (int64_t i = 0; i < count; i++) {
    m[i] = b1 * m[i] + c1 * g[i];
    v[i] = b2 * v[i] + c2 * (g[i] * g[i]);
#if CB_REAL_BITS == 32
    p[i] = kept * p[i] - rate * m[i] / (sqrtf(v[i]) * root + epsilon);
#else
    p[i] = kept * p[i] - rate * m[i] / (sqrt(v[i]) * root + epsilon);
#endif
  }
}

static double squares(int64_t count, const void *gradient)
{
  enum { SUMS = 16, BLOCK = 4096 };
  const real *g = gradient;
  double total = 0;
  for (int64_t begin = 0; begin < count; begin += BLOCK) {
    int64_t end = cb_min(begin + BLOCK, count), i = begin;
    double sum[SUMS] = {0};
    for (; i + SUMS <= end; i += SUMS)
      for (int j = 0; j < SUMS; j++) sum[j] += (double)g[i + j] * (double)g[i + j];
    for (int j = 0; i < end; i++, j++) sum[j] += (double)g[i] * (double)g[i];
    for (int half = SUMS / 2; half; half /= 2)
      for (int j = 0; j < half; j++) sum[j] += sum[j + half];
    total += sum[0];
  }
  return total;
}

static void scale(int64_t count, double factor, void *gradient)
{
  real *g = gradient;
  const real by = (real)factor;
  for (int64_t i = 0; i < count; i++) g[i] *= by;
}

static void average(int64_t count, double share, const void *parameters, void *averages)
{
  const real *restrict p = parameters;
  real *restrict a = averages;
  const real by = (real)share;
  for (int64_t i = 0; i < count; i++) a[i] += by * (p[i] - a[i]);
}

extern const cb_optimiser_loops CB_NAME(cb_optimiser_loops);
const cb_optimiser_loops CB_NAME(cb_optimiser_loops) = {nesterov, adamw, squares, scale, average};
