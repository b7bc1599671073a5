/* Batch normalisation's loops: 16 running sums in double over blocks of elements, which the compiler turns into vectors. */
#include "layers/batchnorm_loops.h"
#include "base/size.h"
#include "gemm/level_build.h"

enum { SUMS = 16, BLOCK = 4096 /* elements whose sums begin anew, so that long ones keep their digits */ };

static inline double joined(double sum[SUMS])
{
  for (int half = SUMS / 2; half; half /= 2)
    for (int i = 0; i < half; i++) sum[i] += sum[i + half];
  return sum[0];
}

static double sum_of(int64_t count, const real *x)
{
  double total = 0;
  for (int64_t begin = 0; begin < count; begin += BLOCK) {
    int64_t end = cb_min(begin + BLOCK, count), i = begin;
    double sum[SUMS] = {0};
    for (; i + SUMS <= end; i += SUMS)
      for (int j = 0; j < SUMS; j++) sum[j] += (double)x[i + j];
    for (int j = 0; i < end; i++, j++) sum[j] += (double)x[i];
    total += joined(sum);
  }
  return total;
}

static cb_moments moments(int64_t count, const void *elements)
{
  const real *x = elements;
  const double mean = sum_of(count, x) / (double)count;
  double squares = 0, rest = 0; /* rest: what the mean's rounding left */
  for (int64_t begin = 0; begin < count; begin += BLOCK) {
    int64_t end = cb_min(begin + BLOCK, count), i = begin;
    double square[SUMS] = {0}, sum[SUMS] = {0};
    for (; i + SUMS <= end; i += SUMS)
      for (int j = 0; j < SUMS; j++) {
        double v = (double)x[i + j] - mean;
        square[j] += v * v;
        sum[j] += v;
      }
    for (int j = 0; i < end; i++, j++) {
      double v = (double)x[i] - mean;
      square[j] += v * v;
      sum[j] += v;
    }
    squares += joined(square);
    rest += joined(sum);
  }
  return (cb_moments){mean + rest / (double)count, squares - rest * rest / (double)count};
}

static void normalise(int64_t count, const void *from, double mean, double scale, double shift, void *to)
{
  const real *x = from, m = (real)mean, a = (real)scale, b = (real)shift;
  real *y = to;
  /* Each iteration reads its own element before writing it, so y == x is as good as apart. */
#pragma GCC ivdep
  for (int64_t i = 0; i < count; i++) y[i] = (x[i] - m) * a + b;
}

static cb_batchnorm_sums sums(int64_t count, const void *elements, double mean, const void *error)
{
  const real *x = elements, *dy = error;
  cb_batchnorm_sums total = {0, 0};
  for (int64_t begin = 0; begin < count; begin += BLOCK) {
    int64_t end = cb_min(begin + BLOCK, count), i = begin;
    double sum[SUMS] = {0}, product[SUMS] = {0};
    for (; i + SUMS <= end; i += SUMS)
      for (int j = 0; j < SUMS; j++) {
        sum[j] += (double)dy[i + j];
        product[j] += (double)dy[i + j] * ((double)x[i + j] - mean);
      }
    for (int j = 0; i < end; i++, j++) {
      sum[j] += (double)dy[i];
      product[j] += (double)dy[i] * ((double)x[i] - mean);
    }
    total.dy += joined(sum);
    total.product += joined(product);
  }
  return total;
}

static void backward(int64_t count, const void *elements, const void *error, const cb_batchnorm_slope *slope, void *to)
{
  const real *x = elements, *dy = error;
  const real m = (real)slope->mean, a = (real)slope->of_dy, b = (real)slope->of_x, c = (real)slope->constant;
  real *dx = to;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; i++) dx[i] = a * dy[i] + (b * (x[i] - m) + c);
}

extern const cb_batchnorm_loops CB_NAME(cb_batchnorm_loops);
const cb_batchnorm_loops CB_NAME(cb_batchnorm_loops) = {moments, normalise, sums, backward};
