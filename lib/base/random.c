/*
 * Counter-based random numbers: Philox4x32-10 from Random123 (Salmon et al., SC11), and what is made of its bits.
 * Number i of a stream is a function of (seed, stream, i): no state, hence the same on any number of threads.
 */
#include "base/status.h"
#include <Random123/philox.h>
#include <cnnblas/layers.h>
#include <math.h>

void cnnblas_random_bits(uint64_t seed, uint64_t stream, uint64_t index, uint32_t bits[4])
{
  philox4x32_ctr_t counter = {{(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
  philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
  philox4x32_ctr_t result = philox4x32_R(10, counter, key);
  for (int i = 0; i < 4; i++) bits[i] = result.v[i];
}

static uint64_t word(const uint32_t *bits)
{
  return (uint64_t)bits[1] << 32 | bits[0];
}

double cnnblas_random_uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
  uint32_t bits[4];
  cnnblas_random_bits(seed, stream, index / 2, bits);
  return (double)(word(bits + 2 * (index % 2)) >> 11) * 0x1p-53;
}

double cnnblas_random_normal(uint64_t seed, uint64_t stream, uint64_t index)
{
  uint32_t bits[4];
  cnnblas_random_bits(seed, stream, index / 2, bits);
  double u = (double)((word(bits) >> 11) + 1) * 0x1p-53; /* u is in (0, 1], so that its logarithm is finite */
  double angle = 6.283185307179586477 * ((double)(word(bits + 2) >> 11) * 0x1p-53);
  return sqrt(-2 * log(u)) * (index % 2 ? sin(angle) : cos(angle));
}

cnnblas_status cnnblas_random_permutation(uint64_t seed, uint64_t stream, int64_t count, int64_t *order)
{
  if (count < 0) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "count is %lld; it must be at least 0", (long long)count);
  if (count > INT64_MAX / (int64_t)sizeof *order)
    return cb_fail(CNNBLAS_SIZE_OVERFLOW, "count is %lld, too many", (long long)count);
  if (!order && count > 0) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "order is NULL");
  for (int64_t i = 0; i < count; i++) order[i] = i;
  for (int64_t i = count - 1; i > 0; i--) {
    uint32_t bits[4];
    cnnblas_random_bits(seed, stream, (uint64_t)i, bits);
    int64_t j = (int64_t)(((unsigned __int128)word(bits) * ((uint64_t)i + 1)) >> 64), swapped = order[j];
    order[j] = order[i];
    order[i] = swapped;
  }
  return CNNBLAS_OK;
}
