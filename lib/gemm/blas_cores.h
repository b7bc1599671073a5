/* How fast OpenBLAS's kernels are, by the name of the core that it runs them for. */
#ifndef CB_GEMM_BLAS_CORES_H
#define CB_GEMM_BLAS_CORES_H

#include "base/cpu.h"

/* The speed of the f32 products of a core's kernels, in percent of Haswell's on the same processor. A name that is not
   in the table counts as generic. */
int cb_blas_core_speed(const char *core);

/* The core whose kernels use what the level has. */
const char *cb_blas_core_for(cb_isa level);

#endif
