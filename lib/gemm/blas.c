/* Serial GEMM from OpenBLAS and the guard that keeps it serial; see blas.h. */
#include "gemm/blas.h"
#include "base/parallel.h"
#include <cblas.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { FLAVOUR_SERIAL = 0, FLAVOUR_PTHREAD = 1, FLAVOUR_OPENMP = 2 }; /* openblas_get_parallel's answers */

static pthread_mutex_t guard_lock = PTHREAD_MUTEX_INITIALIZER;
static int guard_count;    /* loops in flight, pthread flavour */
static int guard_restores; /* what the first of them found */

void cb_blas_begin(cb_blas_guard *guard)
{
  guard->omp_threads = 0;
  int flavour = openblas_get_parallel();
  if (flavour == FLAVOUR_OPENMP && !cb_in_parallel()) {
    guard->omp_threads = cb_omp_threads();
    cb_omp_set_threads(1);
  } else if (flavour == FLAVOUR_PTHREAD) {
    pthread_mutex_lock(&guard_lock);
    if (guard_count++ == 0) {
      guard_restores = openblas_get_num_threads();
      if (guard_restores != 1) openblas_set_num_threads(1);
    }
    pthread_mutex_unlock(&guard_lock);
  }
}

void cb_blas_end(cb_blas_guard *guard)
{
  if (guard->omp_threads) cb_omp_set_threads(guard->omp_threads);
  if (openblas_get_parallel() != FLAVOUR_PTHREAD) return;
  pthread_mutex_lock(&guard_lock);
  if (--guard_count == 0 && guard_restores != 1) openblas_set_num_threads(guard_restores);
  pthread_mutex_unlock(&guard_lock);
}

static void gemm(const cb_gemm *g)
{
  CBLAS_TRANSPOSE ta = g->transa ? CblasTrans : CblasNoTrans, tb = g->transb ? CblasTrans : CblasNoTrans;
  blasint m = (blasint)g->m, n = (blasint)g->n, k = (blasint)g->k;
  blasint lda = (blasint)g->lda, ldb = (blasint)g->ldb, ldc = (blasint)g->ldc;
  if (g->dtype == CNNBLAS_F64)
    cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1.0, g->a, lda, g->b, ldb, g->add ? 1.0 : 0.0, g->c, ldc);
  else
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1.0f, g->a, lda, g->b, ldb, g->add ? 1.0f : 0.0f, g->c, ldc);
}

static pthread_mutex_t serial_lock = PTHREAD_MUTEX_INITIALIZER;

void cb_blas_gemm(const cb_gemm *g)
{
  bool one_at_a_time = openblas_get_parallel() == FLAVOUR_SERIAL;
  if (one_at_a_time) pthread_mutex_lock(&serial_lock);
  gemm(g);
  if (one_at_a_time) pthread_mutex_unlock(&serial_lock);
}

const char *cb_blas_flavour(void)
{
  static const char *const names[] = {"serial", "pthread", "openmp"};
  int flavour = openblas_get_parallel();
  return flavour >= FLAVOUR_SERIAL && flavour <= FLAVOUR_OPENMP ? names[flavour] : "unknown";
}

/* "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...": the second word. */
void cb_blas_version(char *text, size_t size)
{
  const char *config = openblas_get_config(), *begin = strchr(config, ' ');
  begin = begin ? begin + 1 : config;
  snprintf(text, size, "%.*s", (int)strcspn(begin, " "), begin);
}

const char *cb_blas_core(void)
{
  return openblas_get_corename();
}

int cb_blas_threads(void)
{
  return openblas_get_num_threads();
}
