/*
 * Algorithm "im2col_rot180": the input gradient at stride 1 as the theory writes it, pad(delta) * rot180(W).
 *
 *   dX[cg x HW] = W'[cg x Q'] . col(pad(dY))[Q' x HW]     Q' = kg * taps, W'[c][(k, t)] = W[k][(c, t)]
 *
 * The rotation sits in the lowering: seen from dx, tap t reads dy at i - base - t * step, so W' is only a transposition
 * of channels and filters, made a tile at a time. Tasks: image, group, channel tile, pixel tile.
 */
#include "base/parallel.h"
#include "conv/costs.h"
#include "conv/lowering.h"
#include "conv/tiles.h"
#include "gemm/blas.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* LONGEST_SUM is the most terms that one GEMM adds up. Its error grows with the length of its sums, and twice the error
   of col2im is allowed, whose sums have kg terms and then one for each tap. WIDEST_TILE is the most pixels of a tile:
   the products' rows stay in the caches from sum to sum. */
enum { LONGEST_SUM = 80, WIDEST_TILE = 256 };

static bool applies(const cb_problem *problem, char *why, size_t size)
{
  const cb_geometry *geo = &problem->geo;
  if (geo->image <= INT_MAX && geo->p <= INT_MAX && geo->kg <= INT_MAX / geo->taps) return true;
  snprintf(why, size, "a row of its matrices exceeds BLAS's 31-bit integers");
  return false;
}

static double cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  double pixels = (double)geo->n * (double)geo->image, weights = (double)(geo->k * geo->q);
  double work[CB_WORK_KINDS] = {[CB_WORK_MAC] = pixels * weights,
                                [CB_WORK_READ] = pixels * (double)(geo->k * geo->taps),
                                [CB_WORK_WEIGHTS] = (double)geo->n * weights, /* weights of each image's products */
                                [CB_WORK_CALLS] = (double)geo->n * (double)geo->g,
                                [CB_WORK_ONCE] = 1};
  return cb_cost(CB_COST_ROT180, problem, work);
}

/* The scratch holds a lowered tile [q_tile][p_tile] and behind it a weight tile [c_tile][q_tile]. */
static cnnblas_status prepare(cnnblas_conv_plan *plan)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  t->thread_bytes = cb_tile_bytes(&plan->problem, 0, (size_t)cb_parameters_get()->order.lowered_bytes);
  int64_t elements = (int64_t)((t->thread_bytes ? t->thread_bytes : CB_STACK_TILE) / geo->element);
  int64_t q = geo->kg * geo->taps, wide = t->thread_bytes ? 256 : 64;
  t->c_tile = cb_min(geo->cg, wide);
  t->q_tile = cb_max(1, cb_min(q, elements / (cb_min(geo->image, wide) + t->c_tile)));
  t->q_tile = cb_min(t->q_tile, cb_ceil_div(q, cb_ceil_div(q, LONGEST_SUM)));
  t->p_tile = cb_max(1, cb_min(cb_min(geo->image, WIDEST_TILE), elements / t->q_tile - t->c_tile));
  t->p_tile = cb_ceil_div(geo->image, cb_ceil_div(geo->image, t->p_tile));
  int64_t p_tiles = cb_ceil_div(geo->image, t->p_tile), c_tiles = cb_ceil_div(geo->cg, t->c_tile);
  int64_t pieces = cb_pieces(t->c_tile, 16, cb_lowered_tasks(cb_geometry_macs(geo, 1)), p_tiles * c_tiles * geo->g);
  t->c_tile = cb_ceil_div(t->c_tile, pieces);
  t->tasks = geo->n * geo->g * p_tiles * cb_ceil_div(geo->cg, t->c_tile);
  return CNNBLAS_OK;
}

/* tile[c - c0][j - q0] = W[k][(c, t)] with j = k * taps + t; w points to its group's first filter. */
static void transpose_weights(const cb_geometry *geo, const void *w, int64_t c0, int64_t c1, int64_t q0, int64_t q1,
                              char *tile)
{
  for (int64_t c = c0; c < c1; c++)
    for (int64_t j = q0; j < q1;) {
      int64_t k = j / geo->taps, t = j % geo->taps, run = cb_min(geo->taps - t, q1 - j);
      memcpy(tile + (size_t)((c - c0) * (q1 - q0) + j - q0) * geo->element,
             cb_at(w, k * geo->q + c * geo->taps + t, geo->element), (size_t)run * geo->element);
      j += run;
    }
}

static void run_task(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_tiling *t = &call->plan->tiling;
  _Alignas(CB_ALIGN) char stack[CB_STACK_TILE];
  char *tile = t->thread_bytes ? cb_scratch(call, worker) : stack;
  char *weights = tile + (size_t)(t->q_tile * t->p_tile) * geo->element;
  cb_view view = cb_view_rot180(geo);
  int64_t c_tiles = cb_ceil_div(geo->cg, t->c_tile), p_tiles = cb_ceil_div(geo->image, t->p_tile);
  int64_t ct = task % c_tiles, pt = task / c_tiles % p_tiles, image = task / c_tiles / p_tiles;
  int64_t in = image / geo->g, ig = image % geo->g, q = geo->kg * geo->taps;
  int64_t c0 = ct * t->c_tile, c1 = cb_min(c0 + t->c_tile, geo->cg);
  int64_t p0 = pt * t->p_tile, p1 = cb_min(p0 + t->p_tile, geo->image);
  for (int64_t q0 = 0; q0 < q; q0 += t->q_tile) {
    cb_block block = {q0, cb_min(q0 + t->q_tile, q), p0, p1, p1 - p0};
    cb_lower(&view, cb_at(call->dy, (in * geo->k + ig * geo->kg) * geo->p, geo->element), &block, tile);
    transpose_weights(geo, cb_at(call->w, ig * geo->kg * geo->q, geo->element), c0, c1, q0, block.q1, weights);
    cb_blas_gemm(
        &(cb_gemm){.dtype = geo->dtype,
                   .m = c1 - c0,
                   .n = p1 - p0,
                   .k = block.q1 - q0,
                   .a = weights,
                   .lda = block.q1 - q0,
                   .b = tile,
                   .ldb = block.ld,
                   .add = call->accumulate || q0 > 0,
                   .c = cb_at_mut(call->out, (in * geo->c + ig * geo->cg + c0) * geo->image + p0, geo->element),
                   .ldc = geo->image});
  }
}

static void work(cb_call *call)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  int64_t per_image = geo->n ? call->plan->tiling.tasks / geo->n : 0;
  cb_call_add(call, per_image * call->n, run_task);
}

const cb_algorithm cb_im2col_rot180 = {
    CB_NAMED("im2col_rot180"),
    .directions = CB_BACKWARD_DATA,
    .scope = CNNBLAS_SCOPE_STRIDE_1,
    .task_macs = 16 << 20,
    .applies = applies,
    .cost = cost,
    .prepare = prepare,
    .work = work,
    .uses_blas = true,
};
