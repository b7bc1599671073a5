/* One compilation of the vector loops (gemm/level_build.h): what its files call of each other. */
#ifndef CB_LAYERS_LOOPS_BUILD_H
#define CB_LAYERS_LOOPS_BUILD_H

#include "gemm/level_build.h"
#include "layers/loops.h"

/* loops_pool.c: the two that choose among all loops for pooling. */
void CB_NAME(cb_pool_forward)(cnnblas_pool_kind kind, const cb_pool_run *run);
void CB_NAME(cb_pool_backward)(cnnblas_pool_kind kind, const cb_pool_run *run);
/* loops_pool_windows.c and loops_pool_whole.c, called by loops_pool.c: nonzero if it did the channels, zero if it has no
   loops for them. */
int CB_NAME(cb_pool_forward_windows)(cnnblas_pool_kind kind, const cb_pool_run *run);
int CB_NAME(cb_pool_backward_windows)(cnnblas_pool_kind kind, const cb_pool_run *run);
int CB_NAME(cb_pool_forward_whole)(cnnblas_pool_kind kind, const cb_pool_run *run);
int CB_NAME(cb_pool_backward_whole)(cnnblas_pool_kind kind, const cb_pool_run *run);
/* loops_pool_halves.c, called by loops_pool_windows.c: the same with half vectors, where they take half the time. */
#define CB_POOL_HALVES (CB_LEVEL_ROW(CB_LEVEL_BYTES) * 8 / CB_REAL_BITS >= 16)
void CB_NAME(cb_pool_forward_halves)(cnnblas_pool_kind kind, const cb_pool_run *run);
void CB_NAME(cb_pool_backward_halves)(cnnblas_pool_kind kind, const cb_pool_run *run);
/* loops_pool.c: any windows, any elements; called by loops_pool_windows.c for a channel that it does not do right. */
void CB_NAME(cb_pool_forward_any)(cnnblas_pool_kind kind, const cb_pool_run *run);
void CB_NAME(cb_pool_backward_any)(cnnblas_pool_kind kind, const cb_pool_run *run);
/* A run of channel i alone. */
cb_pool_run CB_NAME(cb_pool_channel)(const cb_pool_run *run, int64_t i);
/* loops_pool_separable.c, called by loops_pool.c: whether it serves a geometry, and the two directions. dx is zeros. */
int CB_NAME(cb_pool_separable)(cnnblas_pool_kind kind, const cb_pool_geometry *geometry);
void CB_NAME(cb_pool_forward_separable)(cnnblas_pool_kind kind, const cb_pool_run *plane);
void CB_NAME(cb_pool_backward_separable)(cnnblas_pool_kind kind, const cb_pool_run *plane);

#endif
