/* cb_correlate and cb_correlate_weights by the loops of planes_down.c and planes_down_weights.c; false, and nothing is done,
   if these have none for the plane. */
#ifndef CB_GEMM_PLANES_DOWN_H
#define CB_GEMM_PLANES_DOWN_H

#include "gemm/engine.h"
#include "gemm/level_build.h"

bool CB_NAME(cb_correlate_down)(const cb_plane *plane);
bool CB_NAME(cb_weigh_down)(const cb_plane *plane, void *sums);

#endif
