/*
 * Pooling by the commonest windows, size/stride 2/2, 3/2 and 3/1: what the loops of pool_windows.h, which keep a window's
 * elements in registers, serve, with whole vectors or with halves.
 */
#include "layers/pool_windows_back.h"

/* The longest rows that are served. */
enum { MOST_OUT = MOST_BLOCKS * (CB_POOL_HALVES ? LANES / 2 : LANES) };

/* Square windows over two axes; places of lanes beside the plane fit in 32 bits as well. */
static int has_loops(const cb_pool_geometry *g)
{
  int64_t k = g->kernel[2], s = g->stride[2];
  return ((k == 2 && s == 2) || (k == 3 && (s == 1 || s == 2))) && g->kernel[1] == k && g->stride[1] == s &&
         g->size[0] == 1 && g->kernel[0] == 1 && g->out[2] <= MOST_OUT && g->plane < INT32_MAX / 2;
}

int CB_NAME(cb_pool_forward_windows)(cnnblas_pool_kind kind, const cb_pool_run *run)
{
  if (!has_loops(run->geo)) return 0;
#if CB_POOL_HALVES
  if (run->geo->out[2] <= LANES / 2) return CB_NAME(cb_pool_forward_halves)(kind, run), 1;
#endif
  forward_windows(kind, run);
  return 1;
}

/* All of the maximum; of the others windows of 2 x 2 inside the image, and of the norm only if they cover it: the share
   that an element without a window gets is 0, and 0 times an infinite x is no 0. */
int CB_NAME(cb_pool_backward_windows)(cnnblas_pool_kind kind, const cb_pool_run *run)
{
  const cb_pool_geometry *g = run->geo;
  if (!has_loops(g)) return 0;
  if (kind != CNNBLAS_POOL_MAX && (g->kernel[2] != 2 || g->pad_begin[1] || g->pad_begin[2] ||
                                   2 * g->out[1] > g->size[1] || 2 * g->out[2] > g->size[2]))
    return 0;
  if (kind == CNNBLAS_POOL_L2 && (2 * g->out[1] != g->size[1] || 2 * g->out[2] != g->size[2])) return 0;
#if CB_POOL_HALVES
  if (g->out[2] <= LANES / 2) return CB_NAME(cb_pool_backward_halves)(kind, run), 1;
#endif
  backward_windows(kind, run);
  return 1;
}
