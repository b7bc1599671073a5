/* cnnblas_system_get_info: what base and OpenBLAS know of the machine, in one struct. */
#include "base/cpu.h"
#include "base/parallel.h"
#include "base/quota.h"
#include "base/status.h"
#include "gemm/blas.h"
#include "gemm/blas_cores.h"
#include <cnnblas/system.h>
#include <stdio.h>
#include <string.h>

cnnblas_status cnnblas_system_get_info(cnnblas_system_info *info)
{
  if (!info) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "info is NULL");
  memset(info, 0, sizeof *info);
  const cb_cpu *cpu = cb_cpu_get();
  snprintf(info->cpu_model, sizeof info->cpu_model, "%s", cpu->model);
  snprintf(info->isa, sizeof info->isa, "%s", cb_isa_name(cpu->level));
  snprintf(info->isa_detected, sizeof info->isa_detected, "%s", cb_isa_name(cpu->detected));
  cb_blas_version(info->openblas_version, sizeof info->openblas_version);
  snprintf(info->openblas_core, sizeof info->openblas_core, "%s", cb_blas_core());
  snprintf(info->openblas_flavour, sizeof info->openblas_flavour, "%s", cb_blas_flavour());
  snprintf(info->openmp_runtime, sizeof info->openmp_runtime, "%s", cb_omp_runtime());
  info->openmp_version = cb_omp_version();
  info->cores = cb_cores();
  info->threads = cb_threads_default();
  info->openblas_threads = cb_blas_threads();
  info->l1d_bytes = cpu->l1d;
  info->l2_bytes = cpu->l2;
  info->l3_bytes = cpu->l3;
  info->quota = cb_quota();
  info->openblas_speed =
      100 * cb_blas_core_speed(info->openblas_core) / cb_blas_core_speed(cb_blas_core_for(cpu->detected));
  return CNNBLAS_OK;
}
