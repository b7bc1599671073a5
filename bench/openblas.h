/*
 * OpenBLAS as the hand-written peers and the SGEMM peak call it, and the one place that sets thread counts.
 */
#ifndef BENCH_OPENBLAS_H
#define BENCH_OPENBLAS_H

#include <cnnblas/conv.h>
#include <stdbool.h>

/* C[m x n] = op(A)[m x k] * op(B)[k x n], plus the old C if add; row-major, lines as long as their rows. */
typedef struct bench_gemm_args {
  cnnblas_dtype dtype;
  bool transpose_a, transpose_b, add;
  int64_t m, n, k;
  const void *a, *b;
  void *c;
} bench_gemm_args;

void bench_gemm(const bench_gemm_args *gemm);

/* The largest m, n or k that this OpenBLAS takes. */
int64_t bench_gemm_limit(void);

/* Threads of OpenMP regions started by this thread from now on, and of OpenBLAS. */
void bench_set_threads(int threads);

/* For a parallel region whose threads each call bench_gemm: OpenBLAS stays serial inside. Call around the region. */
void bench_serial_gemm_begin(void);
void bench_serial_gemm_end(int threads);
/* Call in the region, before the first bench_gemm: a team of one counts as "not parallel" for OpenBLAS's OpenMP build. */
void bench_serial_gemm_in_team(void);

/* openblas_get_parallel()'s answers. */
enum { BENCH_BLAS_SERIAL = 0, BENCH_BLAS_PTHREAD = 1, BENCH_BLAS_OPENMP = 2 };
int bench_blas_flavour(void);

#endif
