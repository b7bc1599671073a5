/* How the GEMM algorithms cut their work: rules that look at the shape and the workspace, never at the threads. */
#ifndef CB_CONV_TILES_H
#define CB_CONV_TILES_H

#include "base/memory.h"
#include "base/parameters.h"
#include "conv/sum_tree.h"

enum { CB_STACK_TILE = 64 << 10 /* bytes of the tile that lies on the stack if there is no workspace */ };

/* Bytes of scratch that a thread may use for tiles: `most`, or, if the caller set a limit, what the limit leaves beside
   `shared` bytes and alignment; 0 means the tile on the stack. */
static inline size_t cb_tile_bytes(const cb_problem *problem, size_t shared, size_t most)
{
  size_t taken = shared + 2 * CB_ALIGN;
  if (problem->budget && !problem->limited) return most;
  if (problem->budget < taken + CB_STACK_TILE) return 0;
  size_t bytes = problem->budget - taken;
  return bytes < most ? bytes & ~(size_t)(CB_ALIGN - 1) : most;
}

/* Number of pieces that an extent is cut into if there is work for `tasks` tasks and other cuts make `others` parts
   already: a power of two, so that teams share pieces evenly, and no piece is smaller than `smallest`. OpenBLAS may
   order a sum by the size of its matrices, so pieces follow the shape and not the team. */
static inline int64_t cb_pieces(int64_t extent, int64_t smallest, double tasks, int64_t others)
{
  double wanted = tasks / (double)cb_max(others, 1);
  return cb_power_of_two(cb_min((int64_t)(wanted < 1e6 ? wanted : 1e6), extent / smallest));
}

/* Number of tasks that are worth having for so many multiply-adds; and if each task lowers its pixels anew, for which
   reason there are no more than 16. */
static inline double cb_tasks(double macs)
{
  return macs / cb_parameters_get()->order.task_macs;
}
static inline double cb_lowered_tasks(double macs)
{
  double tasks = macs / cb_parameters_get()->order.lowered_macs;
  return tasks < 16 ? tasks : 16;
}

/* How many times as long two threads take with so many equal tasks as with very many: a factor on an estimate's
   multiply-adds. */
static inline double cb_uneven(int64_t tasks)
{
  return 2 * (double)cb_ceil_div(cb_max(tasks, 1), 2) / (double)cb_max(tasks, 1);
}

/* cb_uneven of a problem's tasks as prepare() cuts it for two threads; small problems have one task. */
static inline double cb_uneven_cut(const cb_problem *problem, cnnblas_status (*prepare)(cnnblas_conv_plan *plan))
{
  cnnblas_conv_plan plan = {.problem = *problem, .team = 2};
  if (cb_geometry_macs(&problem->geo, problem->geo.n) < CB_SERIAL_MACS || prepare(&plan)) return cb_uneven(1);
  return cb_uneven(plan.tiling.tasks);
}

/* Number of leaves of a weight gradient's tree (sum_tree.h), each a task's, for `units` pieces of pixels and `blocks`
   parts of the output, if `tasks` tasks are worth having: 1 if there is no workspace, or if the partial results
   together would be larger than `most` bytes. */
static inline int64_t cb_segments(const cb_problem *problem, int64_t units, int64_t blocks, double tasks, int64_t most)
{
  int64_t bytes = problem->geo.k * problem->geo.q * (int64_t)problem->geo.element;
  int64_t fit = cb_min(most, (int64_t)(problem->budget / 2)) / bytes;
  return cb_power_of_two(cb_min(cb_min(units, fit), (int64_t)(tasks / (double)blocks)));
}

#endif
