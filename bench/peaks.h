/*
 * What this machine can do at most, measured: the yardsticks of the report's percentages.
 */
#ifndef BENCH_PEAKS_H
#define BENCH_PEAKS_H

#include <cnnblas/conv.h>

typedef struct bench_peaks {
  double fma_gflops;       /* multiply-adds on registers only, all threads */
  double gemm_gflops;      /* OpenBLAS on 2048 x 2048 matrices, all its threads (serial flavour: one) */
  double bandwidth_gbytes; /* memory, read or triad, whichever is more, all threads; 10^9 bytes a second */
  const char *fma_isa;     /* the vectors that the first one used */
} bench_peaks;

/*
 * Spends about time_each seconds on each of the three; bench_set_threads(threads) was called before. Below 0.1 s the
 * matrices are 512 x 512 and the arrays 8 MiB, which caches may hold: peaks for trying things out.
 */
void bench_peaks_measure(cnnblas_dtype dtype, int threads, double time_each, bench_peaks *peaks);

/* The first of them alone. */
double bench_peaks_fma(cnnblas_dtype dtype, int threads, double seconds);

/* Seconds for each peak that suit a run's --min-time. */
static inline double bench_peaks_time(double min_time)
{
  return min_time < 0.05 ? 10 * min_time : 0.5;
}

/* What a call can reach at most, in GFLOP/s: the smaller of compute and of memory at its FLOPs per byte. */
double bench_roof(const bench_peaks *peaks, double flops, double bytes);

#endif
