/*
 * Serial GEMM from OpenBLAS and the guard that keeps it serial; see blas.h.
 *
 * A child of fork() has the calling thread alone, and every lock as some other thread may have left it. So fork() waits
 * until no product runs, which also leaves OpenBLAS's own locks and buffers free, and the child begins with new locks,
 * and with the number of threads that the products of its parent had put away.
 */
#define _GNU_SOURCE
#include "gemm/blas.h"
#include "base/parallel.h"
#include <cblas.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { FLAVOUR_SERIAL = 0, FLAVOUR_PTHREAD = 1, FLAVOUR_OPENMP = 2 }; /* the answers of openblas_get_parallel */

static pthread_mutex_t guard_lock = PTHREAD_MUTEX_INITIALIZER;
static int guard_count;    /* loops in flight; counted for the pthread flavour alone */
static int guard_restores; /* the number of threads that the first of these loops found, for the last to restore */

/* Each product holds this lock: to write where only one may run at a time (the serial flavour has no locks of its own),
   to read elsewhere. fork() asks for it to write, and is not put off by products that come later. */
static pthread_rwlock_t product_lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static void before_fork(void)
{
  pthread_rwlock_wrlock(&product_lock);
  pthread_mutex_lock(&guard_lock);
}

static void after_fork_in_parent(void)
{
  pthread_mutex_unlock(&guard_lock);
  pthread_rwlock_unlock(&product_lock);
}

/* The loops in flight ran on other threads, which the child does not have. */
static void after_fork_in_child(void)
{
  guard_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
  product_lock = (pthread_rwlock_t)PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
  if (guard_count > 0 && guard_restores != 1) openblas_set_num_threads(guard_restores);
  guard_count = 0;
}

static void __attribute__((constructor)) watch_forks(void)
{
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

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

void cb_blas_gemm(const cb_gemm *g)
{
  if (openblas_get_parallel() == FLAVOUR_SERIAL)
    pthread_rwlock_wrlock(&product_lock);
  else
    pthread_rwlock_rdlock(&product_lock);
  gemm(g);
  pthread_rwlock_unlock(&product_lock);
}

const char *cb_blas_flavour(void)
{
  static const char *const names[] = {"serial", "pthread", "openmp"};
  int flavour = openblas_get_parallel();
  return flavour >= FLAVOUR_SERIAL && flavour <= FLAVOUR_OPENMP ? names[flavour] : "unknown";
}

/* The version is the second word of OpenBLAS's configuration: "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...". */
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
