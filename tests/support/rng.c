/* SplitMix64; see rng.h. */
#include "support/rng.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t rng_seed(uint64_t fallback)
{
  const char *text = getenv("CNNBLAS_TEST_SEED");
  uint64_t seed = text && *text ? strtoull(text, NULL, 0) : fallback;
  printf("seed: %" PRIu64 "\n", seed);
  return seed;
}

rng rng_at(uint64_t seed, uint64_t item)
{
  rng r = {seed ^ (item * 0xd1342543de82ef95u)};
  r.state = rng_next(&r);
  return r;
}

int64_t rng_range(rng *r, int64_t lo, int64_t hi)
{
  return lo + (int64_t)(rng_next(r) % (uint64_t)(hi - lo + 1));
}

bool rng_chance(rng *r, int percent)
{
  return rng_range(r, 0, 99) < percent;
}

int64_t rng_pick(rng *r, const int64_t *values, uint64_t count)
{
  return values[rng_next(r) % count];
}
