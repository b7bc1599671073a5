/* A look for NaN and Inf; see finite.h. */
#include "net/finite.h"

/* x * 0 is 0, or NaN for NaN and Inf; sums of these stay NaN. There are sixteen sums, so that they become a vector. */
#define FINITE(type)                                                                                                   \
  const type *x = array;                                                                                               \
  type lane[16] = {0}, total = 0;                                                                                      \
  int64_t i = 0;                                                                                                       \
  for (; i + 16 <= count; i += 16)                                                                                     \
    for (int j = 0; j < 16; j++) lane[j] += x[i + j] * 0;                                                              \
  for (; i < count; i++) total += x[i] * 0;                                                                            \
  for (int j = 0; j < 16; j++) total += lane[j];                                                                       \
  return total == 0;

static bool finite_f32(int64_t count, const void *array)
{
  FINITE(float)
}

static bool finite_f64(int64_t count, const void *array)
{
  FINITE(double)
}

bool cb_net_finite(cnnblas_dtype dtype, int64_t count, const void *array)
{
  return dtype == CNNBLAS_F64 ? finite_f64(count, array) : finite_f32(count, array);
}
