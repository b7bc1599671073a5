/*
 * The machine and the libraries as cnnblas sees them at run time.
 */
#ifndef CNNBLAS_SYSTEM_H
#define CNNBLAS_SYSTEM_H

#include <cnnblas/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What cnnblas_system_get_info fills. */
typedef struct cnnblas_system_info {
  char cpu_model[64];        /* "AMD EPYC", from the CPU's brand string; empty where unknown */
  char isa[16];              /* the level in use: "baseline", "avx2" or "avx512" (CNNBLAS_ISA can lower it) */
  char isa_detected[16];     /* the highest level that the CPU and the operating system support */
  char openblas_version[32]; /* OpenBLAS's version, "0.3.21" */
  char openblas_core[32];    /* the kernels OpenBLAS chose: "SkylakeX", "Zen", ... */
  char openblas_flavour[16]; /* "serial", "pthread" or "openmp" */
  char openmp_runtime[32];   /* "libgomp", "libomp" or "unknown" */
  int32_t openmp_version;    /* _OPENMP of the build: yyyymm */
  int32_t cores;             /* processors that this process may run on (its affinity) */
  int32_t threads;           /* threads that a plan with threads = 0 would use if created now by this thread: the least
                                of cores, quota and OMP_NUM_THREADS; 1 in a parallel region or a forked child */
  int32_t openblas_threads;  /* OpenBLAS's own setting, for the caller's other calls; cnnblas uses serial GEMMs */
  size_t l1d_bytes;          /* data caches a core; 0 where unknown */
  size_t l2_bytes;           /* bytes of a core's second cache; 0 if unknown */
  size_t l3_bytes;           /* bytes of the third cache, which cores share */
  int64_t quota;             /* processors' worth of time that the process's cgroups allow, rounded up; 0: no limit */
  int64_t openblas_speed; /* of its kernels' f32 products, in percent of those that it has for isa_detected: below 100
                                it does not know the processor, or OPENBLAS_CORETYPE names a lesser one */
  int64_t reserved[6];    /* for later fields: the library writes zeros */
} cnnblas_system_info;

/**
 * Fills info. Changes nothing in the process. Thread safe.
 * Returns CNNBLAS_OK, or CNNBLAS_INVALID_ARGUMENT if info is NULL.
 */
CNNBLAS_API cnnblas_status cnnblas_system_get_info(cnnblas_system_info *info);

#ifdef __cplusplus
}
#endif
#endif
