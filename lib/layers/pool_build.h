/* One compilation of pooling's loops (gemm/level_build.h): the families, and what they call of each other. */
#ifndef CB_LAYERS_POOL_BUILD_H
#define CB_LAYERS_POOL_BUILD_H

#include "gemm/level_build.h"
#include "layers/pool.h"
#include <stddef.h>

extern const cb_pool_family CB_NAME(cb_pool_whole);         /* pool_whole.c: averages of whole channels */
extern const cb_pool_family CB_NAME(cb_pool_half_windows);  /* pool_windows.c with vectors of half the level's width, */
extern const cb_pool_family CB_NAME(cb_pool_whole_windows); /* and with whole vectors: 2/2, 3/2 and 3/1 */
extern const cb_pool_family CB_NAME(cb_pool_rows);          /* pool_rows.c: columns first, then rows */
extern const cb_pool_family CB_NAME(cb_pool_each);          /* pool_each.c: any windows, any elements */

/* pool_each.c: output o of channel `plane`, whose squares' sum is given: its root, or computed anew and scaled by the largest
   magnitude where the sum overflowed or vanished. */
double CB_NAME(cb_pool_norm)(const cb_pool_run *plane, int64_t o, double sum);

/* Half vectors pay where they still have eight lanes. */
#define CB_POOL_HALVES (CB_LEVEL_ROW(CB_LEVEL_BYTES) * 8 / CB_REAL_BITS >= 16)

/* A run of channel i alone. */
static inline cb_pool_run cb_pool_channel(const cb_pool_run *run, int64_t i)
{
  const int64_t in = i * run->geo->plane, out = i * run->geo->out_plane;
  cb_pool_run one = {.geo = run->geo, .planes = 1};
  one.x = run->x ? (const real *)run->x + in : NULL;
  one.dx = run->dx ? (real *)run->dx + in : NULL;
  one.y = run->y ? (real *)run->y + out : NULL;
  one.y_in = run->y_in ? (const real *)run->y_in + out : NULL;
  one.dy = run->dy ? (const real *)run->dy + out : NULL;
  one.indices = run->indices ? run->indices + out : NULL;
  one.indices_in = run->indices_in ? run->indices_in + out : NULL;
  return one;
}

#endif
