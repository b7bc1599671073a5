/*
 * Reproducible data: the i-th number of a stream depends on the seed and i alone, so it can be made in any order by any
 * number of threads. SplitMix64's output function (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
 * OOPSLA 2014) over the counter.
 */
#ifndef BENCH_RANDOM_DATA_H
#define BENCH_RANDOM_DATA_H

#include <stddef.h>
#include <stdint.h>

enum { BENCH_SEED_X = 1, BENCH_SEED_W = 2, BENCH_SEED_DY = 3, BENCH_SEED_SAMPLES = 4, BENCH_SEED_GEMM = 5 };

static inline uint64_t bench_random(uint64_t seed, uint64_t i)
{
  uint64_t z = (seed << 56) + (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

/* Uniform in [-1, 1), count elements of 4 or 8 bytes. */
void bench_random_fill(uint64_t seed, void *array, int64_t count, size_t element);

#endif
