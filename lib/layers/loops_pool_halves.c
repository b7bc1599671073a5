/* Pooling by the commonest windows with vectors of half the level's width, for rows that fill no more. */
#define CB_HALF_VECTORS
#include "layers/loops_build.h"

#if CB_POOL_HALVES
#include "layers/pool_windows_back.h"

void CB_NAME(cb_pool_forward_halves)(cnnblas_pool_kind kind, const cb_pool_run *run)
{
  forward_windows(kind, run);
}

void CB_NAME(cb_pool_backward_halves)(cnnblas_pool_kind kind, const cb_pool_run *run)
{
  backward_windows(kind, run);
}
#endif
