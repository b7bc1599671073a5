/*
 * Algorithm "im2col": lower a tile, multiply it with one serial GEMM, go on to the next.
 *
 * forward          Y[kg x P] = W[kg x Q] . col(x)[Q x P]       tasks: image, group, k tile, p tile
 * weight gradient  dW[kg x Q] = sum of dY[kg x P] . col(x)^T   im2col_weights.c
 * input gradient   dX = col2im(W^T[Q x kg] . dY[kg x P])       im2col_data.c
 *
 * The lowered matrix never exists as a whole: a tile has q_tile x p_tile elements and fits the workspace. Every task
 * owns its part of the output and walks its tiles in order, so no sum depends on the number of threads.
 * Source: K. Chellapilla, S. Puri, P. Simard, High Performance Convolutional Neural Networks for Document Processing,
 * 2006.
 */
#include "base/parallel.h"
#include "conv/costs.h"
#include "conv/epilogue.h"
#include "conv/im2col_parts.h"
#include "conv/lowering.h"
#include "gemm/blas.h"
#include <limits.h>
#include <stdio.h>

static bool applies(const cb_problem *problem, char *why, size_t size)
{
  const cb_geometry *geo = &problem->geo;
  if (geo->p <= INT_MAX && geo->q <= INT_MAX && geo->k <= INT_MAX) return true;
  snprintf(why, size, "a row of its matrices exceeds BLAS's 31-bit integers");
  return false;
}

enum {
  ROW_ELEMENTS = 16,      /* elements that lowering a row of pixels costs beside its own */
  WORKSPACE = 8 << 20,    /* default bytes a thread: OpenBLAS packs the other operand anew for every lowered tile */
  PARTIAL_BYTES = 2 << 20 /* the most bytes of the partial weight gradients together */
};

/* Number of tasks that share the products of one lowered tile of a forward: each task lowers it anew, so one does all
   its products where there are tasks enough for the team. The products are the same either way. */
static int64_t filter_shares(const cnnblas_conv_plan *plan)
{
  const cb_geometry *geo = &plan->problem.geo;
  const cb_tiling *t = &plan->tiling;
  int64_t tiles = geo->n * geo->g * cb_ceil_div(geo->p, t->p_tile);
  return tiles >= 2 * plan->team ? 1 : cb_ceil_div(geo->kg, t->k_tile);
}

static void prepare_forward(cnnblas_conv_plan *plan, int64_t elements)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  const double wanted = cb_im2col_tasks(&plan->problem, 1);
  int64_t p_pieces = cb_pieces(geo->p, CB_IM2COL_NARROW, wanted, geo->g);
  t->p_tile = cb_ceil_div(geo->p, p_pieces);
  t->q_tile = geo->q;
  if (!cb_geometry_is_pointwise(geo)) {
    t->q_tile = cb_im2col_rows(geo->q, t->p_tile, elements);
    t->p_tile = cb_im2col_pixels(t->p_tile, t->q_tile, elements);
    t->p_tile = cb_ceil_div(geo->p, cb_ceil_div(geo->p, t->p_tile));
    t->thread_bytes = (size_t)(t->q_tile * t->p_tile) * geo->element;
  }
  int64_t p_tiles = cb_ceil_div(geo->p, t->p_tile);
  /* Each piece of the filters packs the pixels again. */
  int64_t filters = cb_min(2 * CB_IM2COL_LEAST_FILTERS, cb_max(CB_IM2COL_LEAST_FILTERS, geo->kg / 2));
  t->k_tile = cb_ceil_div(geo->kg, cb_pieces(geo->kg, filters, fmin(wanted, 4), p_tiles * geo->g));
  t->tasks = geo->n * geo->g * p_tiles * filter_shares(plan);
}

/* Sets the bytes that threads share, of a weight gradient's segments if so many images are joined; returns those that a thread's
   tile may have, 0 for a tile on the stack. */
static size_t share_bytes(cnnblas_conv_plan *plan, int64_t joined)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  t->shared_bytes = 0;
  if (plan->problem.direction == CNNBLAS_BACKWARD_WEIGHTS) {
    t->leaves = t->segments = cb_im2col_weight_segments(&plan->problem, joined, PARTIAL_BYTES);
    if (t->segments > 1) t->shared_bytes = cb_aligned_size((size_t)(t->segments * geo->k * geo->q) * geo->element);
  }
  return cb_tile_bytes(&plan->problem, t->shared_bytes, WORKSPACE - 2 * CB_ALIGN - t->shared_bytes);
}

static cnnblas_status prepare(cnnblas_conv_plan *plan)
{
  const cb_problem *problem = &plan->problem;
  const cb_geometry *geo = &problem->geo;
  cb_tiling *t = &plan->tiling;
  const bool weights = problem->direction == CNNBLAS_BACKWARD_WEIGHTS;
  int64_t joined = 1;
  if (weights) {
    const size_t most = cb_tile_bytes(problem, 0, WORKSPACE); /* partial results take at most half of it */
    joined = cb_im2col_joined(geo, geo->q + geo->kg, (int64_t)(most / 2 / geo->element));
  }
  size_t bytes = share_bytes(plan, joined);
  int64_t elements = (int64_t)((bytes ? bytes : CB_STACK_TILE) / geo->element);
  if (weights && joined > 1 && (geo->q + geo->kg) * joined * geo->p > elements) {
    joined = 1;
    bytes = share_bytes(plan, joined);
    elements = (int64_t)((bytes ? bytes : CB_STACK_TILE) / geo->element);
  }
  t->thread_bytes = 0;
  if (problem->direction == CNNBLAS_FORWARD) prepare_forward(plan, elements);
  if (problem->direction == CNNBLAS_BACKWARD_DATA) cb_im2col_prepare_data(plan, elements);
  if (problem->direction == CNNBLAS_BACKWARD_WEIGHTS) cb_im2col_prepare_weights(plan, elements, joined);
  t->thread_bytes = bytes && t->thread_bytes ? cb_aligned_size(t->thread_bytes) : 0;
  return CNNBLAS_OK;
}

static double cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  double images = (double)geo->n, tasks = images * (double)geo->g, weights = (double)(geo->k * geo->q);
  double products = images * (double)geo->p * weights, rows = (double)geo->p / (double)geo->axis[2].out;
  double share = cb_uneven_cut(problem, prepare);
  /* pixels that are lowered, or packed by OpenBLAS */
  double lowered = (double)geo->p + (cb_geometry_is_pointwise(geo) ? 0 : ROW_ELEMENTS * rows);
  double work[CB_WORK_KINDS] = {[CB_WORK_MAC] = share * products * cb_cost_thin(geo->p),
                                [CB_WORK_READ] = share * images * lowered * (double)(geo->g * geo->q),
                                [CB_WORK_WEIGHTS] =
                                    share * images * weights, /* at least: joined images share a product's */
                                [CB_WORK_CALLS] = tasks,
                                [CB_WORK_ONCE] = 1};
  return cb_cost(CB_COST_IM2COL, problem, work);
}

/* Computes pixels [p0, p1) of Y for a share of the group's filters: all of Q in steps of q_tile, each lowered once. */
static void forward_tile(const cb_call *call, int64_t task, char *tile)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_tiling *t = &call->plan->tiling;
  cb_view view = cb_view_forward(geo);
  int64_t k_tiles = cb_ceil_div(geo->kg, t->k_tile), p_tiles = cb_ceil_div(geo->p, t->p_tile);
  int64_t shares = filter_shares(call->plan), share = task % shares, pt = task / shares % p_tiles;
  int64_t image = task / shares / p_tiles, in = image / geo->g, ig = image % geo->g;
  int64_t first = cb_split(k_tiles, shares, share), last = cb_split(k_tiles, shares, share + 1);
  int64_t p0 = pt * t->p_tile, p1 = cb_min(p0 + t->p_tile, geo->p);
  const void *x = cb_at(call->x, (in * geo->c + ig * geo->cg) * geo->image, geo->element);
  bool as_it_is = cb_geometry_is_pointwise(geo);
  for (int64_t q0 = 0; q0 < geo->q; q0 += t->q_tile) {
    cb_block block = {q0, cb_min(q0 + t->q_tile, geo->q), p0, p1, p1 - p0};
    if (!as_it_is) cb_lower(&view, x, &block, tile);
    for (int64_t kt = first; kt < last; kt++) {
      int64_t k0 = ig * geo->kg + kt * t->k_tile, k1 = ig * geo->kg + cb_min((kt + 1) * t->k_tile, geo->kg);
      cb_blas_gemm(&(cb_gemm){.dtype = geo->dtype,
                              .m = k1 - k0,
                              .n = p1 - p0,
                              .k = block.q1 - q0,
                              .a = cb_at(call->w, k0 * geo->q + q0, geo->element),
                              .lda = geo->q,
                              .b = as_it_is ? cb_at(x, p0, geo->element) : tile,
                              .ldb = as_it_is ? geo->p : block.ld,
                              .add = call->accumulate || q0 > 0,
                              .c = cb_at_mut(call->out, (in * geo->k + k0) * geo->p + p0, geo->element),
                              .ldc = geo->p});
    }
  }
  cb_epilogue_apply(call, in, ig * geo->kg + first * t->k_tile, ig * geo->kg + cb_min(last * t->k_tile, geo->kg), p0,
                    p1);
}

static void run_task(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  _Alignas(CB_ALIGN) char stack[CB_STACK_TILE];
  char *tile = call->plan->tiling.thread_bytes ? cb_scratch(call, worker) : stack;
  cnnblas_conv_direction direction = call->plan->problem.direction;
  if (direction == CNNBLAS_FORWARD) forward_tile(call, task, tile);
  if (direction == CNNBLAS_BACKWARD_DATA) cb_im2col_data_task(call, task, tile);
  if (direction == CNNBLAS_BACKWARD_WEIGHTS) cb_im2col_weights_task(call, task, tile);
}

static void work(cb_call *call)
{
  const cb_problem *problem = &call->plan->problem;
  const cb_tiling *t = &call->plan->tiling;
  bool weights = problem->direction == CNNBLAS_BACKWARD_WEIGHTS;
  int64_t tasks = t->tasks;
  if (!weights && problem->geo.n > 0) {
    const int64_t joined = problem->direction == CNNBLAS_FORWARD ? 1 : cb_im2col_joined_of(call->plan);
    tasks = tasks / cb_ceil_div(problem->geo.n, joined) * cb_ceil_div(call->n, joined);
  }
  cb_call_add(call, tasks, run_task);
  cb_tree_add_join(call, weights ? t->segments : 1);
}

const cb_algorithm cb_im2col = {
    CB_NAMED("im2col"),
    .directions = CB_EVERY_DIRECTION,
    .scope = CNNBLAS_SCOPE_EVERY,
    .workspace = WORKSPACE,
    .task_macs = 64 << 20,
    .applies = applies,
    .residual_apart = true,
    .cost = cost,
    .prepare = prepare,
    .work = work,
    .uses_blas = true,
};
