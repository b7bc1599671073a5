/* Fills arrays with reproducible numbers; see random_data.h. */
#include "random_data.h"

void bench_random_fill(uint64_t seed, void *array, int64_t count, size_t element)
{
#pragma omp parallel for
  for (int64_t i = 0; i < count; i++) {
    uint64_t bits = bench_random(seed, (uint64_t)i);
    if (element == sizeof(double))
      ((double *)array)[i] = (double)(int64_t)(bits >> 11) * 0x1p-52 - 1.0;
    else
      ((float *)array)[i] = (float)(int64_t)(bits >> 40) * 0x1p-23f - 1.0f;
  }
}
