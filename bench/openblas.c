/* OpenBLAS for the benchmark; see openblas.h. */
#include "openblas.h"
#include <cblas.h>
#include <limits.h>
#include <omp.h>

void bench_gemm(const bench_gemm_args *g)
{
  CBLAS_TRANSPOSE ta = g->transpose_a ? CblasTrans : CblasNoTrans, tb = g->transpose_b ? CblasTrans : CblasNoTrans;
  blasint m = (blasint)g->m, n = (blasint)g->n, k = (blasint)g->k;
  blasint lda = g->transpose_a ? m : k, ldb = g->transpose_b ? k : n;
  if (g->dtype == CNNBLAS_F64)
    cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1.0, g->a, lda, g->b, ldb, g->add ? 1.0 : 0.0, g->c, n);
  else
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1.0f, g->a, lda, g->b, ldb, g->add ? 1.0f : 0.0f, g->c, n);
}

int64_t bench_gemm_limit(void)
{
  return sizeof(blasint) == 4 ? INT_MAX : INT64_MAX;
}

void bench_set_threads(int threads)
{
  omp_set_num_threads(threads);
  openblas_set_num_threads(threads);
}

void bench_serial_gemm_begin(void)
{
  if (openblas_get_parallel() == BENCH_BLAS_PTHREAD) openblas_set_num_threads(1);
}

void bench_serial_gemm_end(int threads)
{
  if (openblas_get_parallel() == BENCH_BLAS_PTHREAD) openblas_set_num_threads(threads);
}

void bench_serial_gemm_in_team(void)
{
  omp_set_num_threads(1);
}

int bench_blas_flavour(void)
{
  return openblas_get_parallel();
}
