/*
 * Algorithm "im2col": lower a tile, multiply it with one serial GEMM, go on to the next.
 *
 *   forward          Y[kg x P] = W[kg x Q] . col(x)[Q x P]           tasks: image, group, k tile, p tile
 *   weight gradient  dW[kg x Q] = sum of dY[kg x P] . col(x)^T       tasks: group, q tile, k tile, segment of (image, p tile)
 *   input gradient   dX = col2im(W^T[Q x kg] . dY[kg x P])           tasks: image, group, channel tile
 *
 * The lowered matrix never exists as a whole: a tile has q_tile x p_tile elements and fits the workspace. Every task owns
 * its part of the output and walks its tiles in order, so no sum depends on the number of threads.
 * Source: K. Chellapilla, S. Puri, P. Simard, High Performance Convolutional Neural Networks for Document Processing, 2006.
 */
#include "base/parallel.h"
#include "conv/costs.h"
#include "conv/epilogue.h"
#include "conv/lowering.h"
#include "conv/tiles.h"
#include "gemm/blas.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

static bool applies(const cb_problem *problem, char *why, size_t size)
{
  const cb_geometry *geo = &problem->geo;
  if (geo->p <= INT_MAX && geo->q <= INT_MAX && geo->k <= INT_MAX) return true;
  snprintf(why, size, "a row of its matrices exceeds BLAS's 31-bit integers");
  return false;
}

static double cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  double pixels = (double)geo->n * cb_cost_pixels(geo->p), weights = (double)(geo->k * geo->q);
  double work[CB_WORK_KINDS] = {[CB_WORK_MAC] = pixels * weights,
                                [CB_WORK_READ] = pixels * (double)(geo->g * geo->q),
                                [CB_WORK_WEIGHTS] = weights,
                                [CB_WORK_CALLS] = (double)geo->n * (double)geo->g,
                                [CB_WORK_ONCE] = 1};
  return cb_cost(CB_COST_IM2COL, problem, work);
}

static void prepare_forward(cnnblas_conv_plan *plan, int64_t elements)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  t->q_tile = cb_max(1, cb_min(geo->q, elements / cb_min(geo->p, 256)));
  t->p_tile = cb_max(1, cb_min(geo->p, elements / t->q_tile));
  t->p_tile = cb_ceil_div(geo->p, cb_ceil_div(geo->p, t->p_tile));
  int64_t p_tiles = cb_ceil_div(geo->p, t->p_tile);
  t->k_tile =
      cb_ceil_div(geo->kg, cb_pieces(geo->kg, 48, cb_lowered_tasks(cb_geometry_macs(geo, 1)), p_tiles * geo->g));
  t->tasks = geo->n * geo->g * p_tiles * cb_ceil_div(geo->kg, t->k_tile);
}

static void prepare_data(cnnblas_conv_plan *plan, int64_t elements)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  int64_t pieces =
      cb_max(cb_pieces(geo->cg, 1, cb_geometry_macs(geo, 1) / CB_TASK_MACS, geo->g), cb_ceil_div(geo->q, 512));
  t->c_tile = cb_ceil_div(geo->cg, cb_min(pieces, geo->cg));
  t->q_tile = cb_max(1, cb_min(t->c_tile * geo->taps, elements / cb_min(geo->p, 128)));
  t->p_tile = cb_max(1, cb_min(geo->p, elements / t->q_tile));
  t->tasks = geo->n * geo->g * cb_ceil_div(geo->cg, t->c_tile);
}

static void prepare_weights(cnnblas_conv_plan *plan, int64_t elements)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  t->q_tile = cb_ceil_div(geo->q, cb_ceil_div(geo->q, 256));
  t->q_tile = cb_max(1, cb_min(t->q_tile, elements / cb_min(geo->p, 64)));
  t->p_tile = cb_max(1, cb_min(geo->p, elements / t->q_tile));
  int64_t blocks = geo->g * cb_ceil_div(geo->q, t->q_tile);
  int64_t pieces =
      t->segments > 1 ? 1 : cb_pieces(geo->kg, 48, cb_lowered_tasks(cb_geometry_macs(geo, geo->n)), blocks);
  blocks *= cb_ceil_div(geo->kg, cb_ceil_div(geo->kg, pieces));
  t->k_tile = cb_ceil_div(geo->kg, blocks / (geo->g * cb_ceil_div(geo->q, t->q_tile)));
  t->tasks = blocks * t->segments;
}

static cnnblas_status prepare(cnnblas_conv_plan *plan)
{
  const cb_problem *problem = &plan->problem;
  const cb_geometry *geo = &problem->geo;
  cb_tiling *t = &plan->tiling;
  if (problem->direction == CNNBLAS_BACKWARD_WEIGHTS) {
    int64_t p_tiles = cb_ceil_div(geo->p, 1024);
    t->segments = cb_segments(problem, cb_max(geo->n, 1) * p_tiles, geo->g * cb_ceil_div(geo->q, 256));
    t->leaves = t->segments;
    if (t->segments > 1) t->shared_bytes = cb_aligned_size((size_t)(t->segments * geo->k * geo->q) * geo->element);
  }
  t->thread_bytes = cb_tile_bytes(problem, t->shared_bytes);
  int64_t elements = (int64_t)((t->thread_bytes ? t->thread_bytes : CB_STACK_TILE) / geo->element);
  if (problem->direction == CNNBLAS_FORWARD) prepare_forward(plan, elements);
  if (problem->direction == CNNBLAS_BACKWARD_DATA) prepare_data(plan, elements);
  if (problem->direction == CNNBLAS_BACKWARD_WEIGHTS) prepare_weights(plan, elements);
  return CNNBLAS_OK;
}

/* Y tile of k_tile filters and p_tile pixels, all of Q in steps of q_tile. */
static void forward_tile(const cb_call *call, int64_t task, char *tile)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_tiling *t = &call->plan->tiling;
  cb_view view = cb_view_forward(geo);
  int64_t k_tiles = cb_ceil_div(geo->kg, t->k_tile), p_tiles = cb_ceil_div(geo->p, t->p_tile);
  int64_t kt = task % k_tiles, pt = task / k_tiles % p_tiles, image = task / k_tiles / p_tiles;
  int64_t in = image / geo->g, ig = image % geo->g;
  int64_t k0 = ig * geo->kg + kt * t->k_tile, k1 = ig * geo->kg + cb_min((kt + 1) * t->k_tile, geo->kg);
  int64_t p0 = pt * t->p_tile, p1 = cb_min(p0 + t->p_tile, geo->p);
  const void *x = cb_at(call->x, (in * geo->c + ig * geo->cg) * geo->image, geo->element);
  for (int64_t q0 = 0; q0 < geo->q; q0 += t->q_tile) {
    cb_block block = {q0, cb_min(q0 + t->q_tile, geo->q), p0, p1, p1 - p0};
    cb_lower(&view, x, &block, tile);
    cb_blas_gemm(&(cb_gemm){.dtype = geo->dtype,
                            .m = k1 - k0,
                            .n = p1 - p0,
                            .k = block.q1 - q0,
                            .a = cb_at(call->w, k0 * geo->q + q0, geo->element),
                            .lda = geo->q,
                            .b = tile,
                            .ldb = block.ld,
                            .add = call->accumulate || q0 > 0,
                            .c = cb_at_mut(call->out, (in * geo->k + k0) * geo->p + p0, geo->element),
                            .ldc = geo->p});
  }
  cb_epilogue_apply(call, in, k0, k1, p0, p1);
}

/* c_tile planes of dX: products of a tile of W^T with dY, scattered back. */
static void data_planes(const cb_call *call, int64_t task, char *tile)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_tiling *t = &call->plan->tiling;
  cb_view view = cb_view_forward(geo);
  int64_t c_tiles = cb_ceil_div(geo->cg, t->c_tile), ct = task % c_tiles, image = task / c_tiles;
  int64_t in = image / geo->g, ig = image % geo->g;
  int64_t c0 = ct * t->c_tile, c1 = cb_min(c0 + t->c_tile, geo->cg);
  char *dx = cb_at_mut(call->out, (in * geo->c + ig * geo->cg) * geo->image, geo->element);
  if (!call->accumulate)
    memset(dx + (size_t)(c0 * geo->image) * geo->element, 0, (size_t)((c1 - c0) * geo->image) * geo->element);
  for (int64_t q0 = c0 * geo->taps; q0 < c1 * geo->taps; q0 += t->q_tile)
    for (int64_t p0 = 0; p0 < geo->p; p0 += t->p_tile) {
      int64_t p1 = cb_min(p0 + t->p_tile, geo->p);
      cb_block block = {q0, cb_min(q0 + t->q_tile, c1 * geo->taps), p0, p1, p1 - p0};
      cb_blas_gemm(&(cb_gemm){.dtype = geo->dtype,
                              .transa = true,
                              .m = block.q1 - q0,
                              .n = p1 - p0,
                              .k = geo->kg,
                              .a = cb_at(call->w, ig * geo->kg * geo->q + q0, geo->element),
                              .lda = geo->q,
                              .b = cb_at(call->dy, (in * geo->k + ig * geo->kg) * geo->p + p0, geo->element),
                              .ldb = geo->p,
                              .c = tile,
                              .ldc = block.ld});
      cb_unlower_add(&view, tile, &block, dx);
    }
}

/* One tile of dW (or of a segment's partial dW), summed over the segment's images and pixel tiles in order. */
static void weights_tile(const cb_call *call, int64_t task, char *tile)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_tiling *t = &call->plan->tiling;
  cb_view view = cb_view_forward(geo);
  int64_t k_tiles = cb_ceil_div(geo->kg, t->k_tile), q_tiles = cb_ceil_div(geo->q, t->q_tile);
  int64_t kt = task % k_tiles, qt = task / k_tiles % q_tiles, ig = task / k_tiles / q_tiles % geo->g;
  int64_t segment = task / k_tiles / q_tiles / geo->g;
  int64_t k0 = ig * geo->kg + kt * t->k_tile, k1 = ig * geo->kg + cb_min((kt + 1) * t->k_tile, geo->kg);
  int64_t q0 = qt * t->q_tile, q1 = cb_min(q0 + t->q_tile, geo->q);
  int64_t p_tiles = cb_ceil_div(geo->p, t->p_tile), units = call->n * p_tiles;
  int64_t first = cb_split(units, t->segments, segment), last = cb_split(units, t->segments, segment + 1);
  bool partial = t->segments > 1;
  void *out = partial ? cb_at_mut(call->shared, segment * geo->k * geo->q, geo->element) : call->out;
  bool add = !partial && call->accumulate;
  for (int64_t k = k0; k < k1 && first == last && !add; k++)
    memset(cb_at_mut(out, k * geo->q + q0, geo->element), 0, (size_t)(q1 - q0) * geo->element);
  for (int64_t unit = first; unit < last; unit++, add = true) {
    int64_t in = unit / p_tiles, p0 = unit % p_tiles * t->p_tile, p1 = cb_min(p0 + t->p_tile, geo->p);
    cb_block block = {q0, q1, p0, p1, p1 - p0};
    cb_lower(&view, cb_at(call->x, (in * geo->c + ig * geo->cg) * geo->image, geo->element), &block, tile);
    cb_blas_gemm(&(cb_gemm){.dtype = geo->dtype,
                            .transb = true,
                            .m = k1 - k0,
                            .n = q1 - q0,
                            .k = p1 - p0,
                            .a = cb_at(call->dy, (in * geo->k + k0) * geo->p + p0, geo->element),
                            .lda = geo->p,
                            .b = tile,
                            .ldb = block.ld,
                            .add = add,
                            .c = cb_at_mut(out, k0 * geo->q + q0, geo->element),
                            .ldc = geo->q});
  }
}

static void run_task(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  _Alignas(CB_ALIGN) char stack[CB_STACK_TILE];
  char *tile = call->plan->tiling.thread_bytes ? cb_scratch(call, worker) : stack;
  cnnblas_conv_direction direction = call->plan->problem.direction;
  if (direction == CNNBLAS_FORWARD) forward_tile(call, task, tile);
  if (direction == CNNBLAS_BACKWARD_DATA) data_planes(call, task, tile);
  if (direction == CNNBLAS_BACKWARD_WEIGHTS) weights_tile(call, task, tile);
}

static void run(const cb_call *call)
{
  const cb_problem *problem = &call->plan->problem;
  const cb_tiling *t = &call->plan->tiling;
  bool weights = problem->direction == CNNBLAS_BACKWARD_WEIGHTS;
  int64_t tasks = weights || problem->geo.n == 0 ? t->tasks : t->tasks / problem->geo.n * call->n;
  cb_tree_parts parts = {call, call->shared, weights ? t->segments : 1};
  cb_loop loops[] = {{tasks, run_task, (void *)call}, cb_tree_join(&parts)};
  cb_parallel_loops(call->threads, loops, 2);
}

const cb_algorithm cb_im2col = {
    .name = "im2col", .applies = applies, .cost = cost, .prepare = prepare, .run = run, .uses_blas = true};
