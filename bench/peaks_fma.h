/*
 * Multiply-adds on registers only: the compute peak.
 */
#ifndef BENCH_PEAKS_FMA_H
#define BENCH_PEAKS_FMA_H

#include <cnnblas/conv.h>
#include <stdint.h>

typedef struct bench_fma {
  const char *isa;
  double (*run)(int64_t iterations); /* returns something that depends on every chain, so that none is dropped */
  double flops;                      /* of one iteration */
} bench_fma;

/* The widest loop that this CPU can run. */
bench_fma bench_fma_widest(cnnblas_dtype dtype);

/* The loop of the level of that name; run is NULL if this CPU or this build has none. */
bench_fma bench_fma_at(cnnblas_dtype dtype, const char *isa);

#endif
