/*
 * Random numbers of the tests: SplitMix64, so that a stream is its seed and any item of a suite can be run alone.
 * Source: G. Steele, D. Lea, C. Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
 */
#ifndef TESTS_SUPPORT_RNG_H
#define TESTS_SUPPORT_RNG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  uint64_t state;
} rng;

/* The suite's seed: CNNBLAS_TEST_SEED from the environment, else fallback. Prints it. */
uint64_t rng_seed(uint64_t fallback);

/* An independent stream for item number `item` of the suite with that seed. */
rng rng_at(uint64_t seed, uint64_t item);

static inline uint64_t rng_next(rng *r)
{
  uint64_t z = r->state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* Uniform on lo..hi, both included. */
int64_t rng_range(rng *r, int64_t lo, int64_t hi);

/* True with the given chance in a hundred. */
bool rng_chance(rng *r, int percent);

/* Uniform on (-1, 1), all bits of a double random, never 0. */
static inline double rng_real(rng *r)
{
  return ((double)(rng_next(r) >> 12) + 0.5) / (double)(INT64_C(1) << 51) - 1;
}

/* One of the listed int64_t values. */
#define RNG_PICK(r, ...)                                                                                               \
  rng_pick((r), (const int64_t[]){__VA_ARGS__}, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
int64_t rng_pick(rng *r, const int64_t *values, uint64_t count);

#endif
