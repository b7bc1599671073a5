/* How the GEMM algorithms cut their work: rules that look at the shape and the workspace, never at the threads. */
#ifndef CB_CONV_TILES_H
#define CB_CONV_TILES_H

#include "base/memory.h"
#include "conv/plan.h"

enum {
  CB_STACK_TILE = 64 << 10,     /* bytes of the tile on the stack when there is no workspace */
  CB_LOWERED_TILE = 1 << 20,    /* bytes of a lowered tile at most: about an L2 cache */
  CB_SEGMENT_BYTES = 512 << 10, /* bytes of all partial weight gradients together, at most */
  CB_MIN_TASKS = 8              /* tasks to aim at for one image, so that a batch of 1 uses every core */
};

/* Bytes of scratch for tiles that a thread may use: budget less shared and alignment; 0 means the stack's tile. */
static inline size_t cb_tile_bytes(const cb_problem *problem, size_t shared)
{
  size_t taken = shared + 2 * CB_ALIGN;
  if (problem->budget < taken + CB_STACK_TILE) return 0;
  size_t bytes = problem->budget - taken;
  return bytes < CB_LOWERED_TILE ? bytes & ~(size_t)(CB_ALIGN - 1) : CB_LOWERED_TILE;
}

/* Pieces that an extent is cut into so that others * pieces reaches CB_MIN_TASKS, none smaller than smallest. */
static inline int64_t cb_pieces(int64_t extent, int64_t smallest, int64_t others)
{
  int64_t wanted = others >= CB_MIN_TASKS ? 1 : cb_ceil_div(CB_MIN_TASKS, cb_max(others, 1));
  return cb_max(1, cb_min(wanted, extent / smallest));
}

/* Partial sums for a weight gradient of `units` pieces of work in `blocks` output blocks: 1 if there are blocks enough,
   if there is no workspace, or if the partial results would be too large. */
static inline int64_t cb_segments(const cb_problem *problem, int64_t units, int64_t blocks)
{
  int64_t bytes = problem->geo.k * problem->geo.q * (int64_t)problem->geo.element;
  if (blocks >= CB_MIN_TASKS || problem->budget == 0) return 1;
  int64_t fit = cb_min(CB_SEGMENT_BYTES, (int64_t)(problem->budget / 2)) / bytes;
  return cb_max(1, cb_min(cb_min(cb_ceil_div(CB_MIN_TASKS, blocks), units), fit));
}

/* out = (or +=) the sum of the partial results parts[segment][elements], in order. */
void cb_reduce_segments(const cb_call *call, const void *parts, int64_t segments);

#endif
