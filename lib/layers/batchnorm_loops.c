/* Batch normalisation's loops: 16 running sums in double, in vectors, over blocks of elements. */
#include "layers/batchnorm_loops.h"
#include "base/size.h"
#include "gemm/level_build.h"
#include <string.h>

enum {
  SUMS = 16,
  BLOCK = 4096, /* elements whose sums begin anew, so that long ones keep their digits */
  WIDE = CB_VECTOR_BYTES / 8,
  PARTS = SUMS / WIDE
};

typedef double wide __attribute__((vector_size(CB_VECTOR_BYTES)));
/* As many elements as `wide` has. */
typedef real few __attribute__((vector_size(CB_VECTOR_BYTES / 8 * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef bits few_bits __attribute__((vector_size(CB_VECTOR_BYTES / 8 * sizeof(real))));

static inline few load(const real *x)
{
  return *(const few *)x;
}

static inline wide widened(few x)
{
  return __builtin_convertvector(x, wide);
}

static inline double joined(double sum[SUMS])
{
  for (int half = SUMS / 2; half; half /= 2)
    for (int i = 0; i < half; i++) sum[i] += sum[i + half];
  return sum[0];
}

/* One pass, about the mean of the first elements: however far that lies from the mean of all, those elements are among
   the squares, so that no more than a number of units as large as count is lost. */
static cb_moments moments(int64_t count, const void *elements)
{
  const real *x = elements;
  double about = 0, squares = 0, total = 0;
  const int64_t first = cb_min(count, SUMS);
  for (int64_t i = 0; i < first; i++) about += (double)x[i];
  about /= (double)first;
  for (int64_t begin = 0; begin < count; begin += BLOCK) {
    int64_t end = cb_min(begin + BLOCK, count), i = begin;
    wide squares_of[PARTS] = {{0}}, sums_of[PARTS] = {{0}};
    for (; i + SUMS <= end; i += SUMS)
      for (int p = 0; p < PARTS; p++) {
        wide v = widened(load(x + i + p * WIDE)) - about;
        squares_of[p] += v * v;
        sums_of[p] += v;
      }
    double square[SUMS], sum[SUMS];
    memcpy(square, squares_of, sizeof square);
    memcpy(sum, sums_of, sizeof sum);
    for (int j = 0; i < end; i++, j++) {
      double v = (double)x[i] - about;
      square[j] += v * v;
      sum[j] += v;
    }
    squares += joined(square);
    total += joined(sum);
  }
  const double apart = total / (double)count, variance = squares - total * apart;
  return (cb_moments){about + apart, variance < 0 ? 0 : variance};
}

/* Each iteration of these loops reads its own elements before it writes one, so arrays that are the same are as good as
   apart. */
#define EACH(value)                                                                                                    \
  _Pragma("GCC ivdep") for (int64_t i = 0; i < count; i++)                                                             \
  {                                                                                                                    \
    real v = (x[i] - m) * a + b;                                                                                       \
    y[i] = value;                                                                                                      \
  }

static void normalise(int64_t count, const void *from, const cb_batchnorm_line *line, const void *add, void *to)
{
  const real *x = from, *r = add, m = (real)line->mean, a = (real)line->scale, b = (real)line->shift;
  real *y = to;
  if (add && line->relu) {
    EACH(v + r[i] < 0 ? 0 : v + r[i])
  } else if (add) {
    EACH(v + r[i])
  } else if (line->relu) {
    EACH(v < 0 ? 0 : v)
  } else {
    EACH(v)
  }
}

/* What reaches element i of the output behind the ReLU, where `relu`, goes on to the line. */
static inline real through(const cb_batchnorm_line *line, bool relu, real x, real dy)
{
  real v = (x - (real)line->mean) * (real)line->scale + (real)line->shift;
  return relu && v <= 0 ? 0 : dy;
}

/* The same for vectors. */
static inline few through_few(const cb_batchnorm_line *line, bool relu, few x, few dy)
{
  if (!relu) return dy;
  few v = (x - (real)line->mean) * (real)line->scale + (real)line->shift;
  return (few)((few_bits)dy & ~(few_bits)(v <= 0));
}

static inline cb_batchnorm_sums sums_of(int64_t count, const real *x, const cb_batchnorm_line *line, bool relu,
                                        const real *dy)
{
  const cb_batchnorm_line own = *line;
  const double mean = own.mean;
  cb_batchnorm_sums total = {0, 0};
  for (int64_t begin = 0; begin < count; begin += BLOCK) {
    int64_t end = cb_min(begin + BLOCK, count), i = begin;
    wide all[PARTS] = {{0}}, products[PARTS] = {{0}};
    for (; i + SUMS <= end; i += SUMS)
      for (int p = 0; p < PARTS; p++) {
        few from = load(x + i + p * WIDE);
        wide e = widened(through_few(&own, relu, from, load(dy + i + p * WIDE)));
        all[p] += e;
        products[p] += e * (widened(from) - mean);
      }
    double sum[SUMS], product[SUMS];
    memcpy(sum, all, sizeof sum);
    memcpy(product, products, sizeof product);
    for (int j = 0; i < end; i++, j++) {
      double e = (double)through(&own, relu, x[i], dy[i]);
      sum[j] += e;
      product[j] += e * ((double)x[i] - mean);
    }
    total.dy += joined(sum);
    total.product += joined(product);
  }
  return total;
}

static cb_batchnorm_sums sums(int64_t count, const void *x, const cb_batchnorm_line *line, const void *dy)
{
  return line->relu ? sums_of(count, x, line, true, dy) : sums_of(count, x, line, false, dy);
}

static inline void backward_of(int64_t count, const real *x, const real *dy, const cb_batchnorm_line *line, bool relu,
                               const cb_batchnorm_slope *slope, real *dx)
{
  const cb_batchnorm_line own = *line;
  const real m = (real)own.mean, a = (real)slope->of_dy, b = (real)slope->of_x, c = (real)slope->constant;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; i++) dx[i] = a * through(&own, relu, x[i], dy[i]) + (b * (x[i] - m) + c);
}

static void backward(int64_t count, const void *x, const void *dy, const cb_batchnorm_line *line,
                     const cb_batchnorm_slope *slope, void *dx)
{
  if (line->relu)
    backward_of(count, x, dy, line, true, slope, dx);
  else
    backward_of(count, x, dy, line, false, slope, dx);
}

extern const cb_batchnorm_loops CB_NAME(cb_batchnorm_loops);
const cb_batchnorm_loops CB_NAME(cb_batchnorm_loops) = {moments, normalise, sums, backward};
