/*
 * Serial GEMM from OpenBLAS. The only door to BLAS: nothing else in the library includes cblas.h.
 *
 * OpenBLAS comes in three flavours behind one soname, told apart only at run time. A GEMM must stay on the thread that
 * calls it, inside our loops; cb_blas_begin and cb_blas_end bracket a parallel loop that calls GEMM and see to that:
 *   serial   built without locks (Debian's 0.3.21): two GEMMs at once may get the same packing buffer and both come out
 *            wrong, so cb_blas_gemm lets in one at a time; the caller's own BLAS calls on other threads stay unguarded
 *   openmp   it is serial inside an active parallel region, but counts a region of one thread as none: the calling
 *            thread's own OpenMP count is set to 1 and restored (our regions name their size, so they do not notice)
 *   pthread  its own threads would multiply ours, and there is only a process-wide setter: it is held at 1 while any
 *            loop runs, counted, and the last one out restores what the first one found. In that window another
 *            thread's own BLAS calls run serially too.
 */
#ifndef CB_GEMM_BLAS_H
#define CB_GEMM_BLAS_H

#include <cnnblas/conv.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
  int omp_threads; /* the calling thread's OpenMP threads before cb_blas_begin; 0: there is nothing to restore */
} cb_blas_guard;

void cb_blas_begin(cb_blas_guard *guard);
void cb_blas_end(cb_blas_guard *guard);

/* C = op(A) * op(B), or += if add; row-major: C is m x n with row pitch ldc; op(A) is m x k, op(B) k x n. transa: A is
   stored k x m with row pitch lda; transb: B is stored n x k with row pitch ldb. Without add, C is not read. Every
   extent and pitch must fit in 31 bits: BLAS's integers. */
typedef struct {
  cnnblas_dtype dtype;
  bool transa, transb;
  int64_t m, n, k;
  const void *a;
  int64_t lda;
  const void *b;
  int64_t ldb;
  bool add;
  void *c;
  int64_t ldc;
} cb_gemm;

void cb_blas_gemm(const cb_gemm *gemm);

/* What the loaded OpenBLAS says of itself: its flavour ("serial", "pthread" or "openmp"), its version ("0.3.21"), the
   core whose kernels it runs, and the number of threads that it is set to. */
const char *cb_blas_flavour(void);
void cb_blas_version(char *text, size_t size);
const char *cb_blas_core(void);
int cb_blas_threads(void);

#endif
