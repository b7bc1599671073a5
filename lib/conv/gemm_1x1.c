/*
 * Algorithm "gemm_1x1": kernel 1, stride 1, no padding. The input is its own lowered matrix, so every direction is
 * GEMMs on the caller's arrays, without a workspace (but for a weight gradient's partial sums).
 *
 *   forward          Y[kg x P] = W[kg x cg] . X[cg x P]
 *   input gradient   dX[cg x P] = W^T[cg x kg] . dY[kg x P]
 *   weight gradient  dW[kg x cg] = sum over images of dY[kg x P] . X^T[P x cg]
 */
#include "base/parallel.h"
#include "conv/costs.h"
#include "conv/epilogue.h"
#include "conv/tiles.h"
#include "gemm/blas.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

static bool applies(const cb_problem *problem, char *why, size_t size)
{
  const cb_geometry *geo = &problem->geo;
  if (geo->p <= INT_MAX && geo->cg <= INT_MAX && geo->kg <= INT_MAX) return true;
  snprintf(why, size, "a row of its matrices exceeds BLAS's 31-bit integers");
  return false;
}

/* Rows and columns of the output matrix of one image and group: filters or channels, by pixels. */
static int64_t output_rows(const cb_problem *problem)
{
  return problem->direction == CNNBLAS_FORWARD ? problem->geo.kg : problem->geo.cg;
}

static cnnblas_status prepare(cnnblas_conv_plan *plan)
{
  const cb_problem *problem = &plan->problem;
  const cb_geometry *geo = &problem->geo;
  cb_tiling *t = &plan->tiling;
  if (problem->direction == CNNBLAS_BACKWARD_WEIGHTS) {
    t->c_tile = cb_ceil_div(geo->cg, cb_ceil_div(geo->cg, 256));
    int64_t c_tiles = cb_ceil_div(geo->cg, t->c_tile);
    t->segments =
        cb_segments(problem, cb_max(geo->n, 1) * cb_ceil_div(geo->p, 512), geo->g * c_tiles,
                    cb_lowered_tasks(cb_geometry_macs(geo, geo->n)), cb_parameters_get()->order.segment_bytes);
    int64_t pieces = cb_pieces(geo->kg, 32, cb_tasks(cb_geometry_macs(geo, geo->n)), geo->g * c_tiles * t->segments);
    t->k_tile = cb_ceil_div(geo->kg, pieces);
    t->p_tile = cb_ceil_div(geo->p, cb_ceil_div(geo->p, 512));
    t->leaves = t->segments;
    if (t->segments > 1) t->shared_bytes = cb_aligned_size((size_t)(t->segments * geo->k * geo->q) * geo->element);
    t->tasks = t->segments * geo->g * c_tiles * cb_ceil_div(geo->kg, t->k_tile);
    return CNNBLAS_OK;
  }
  int64_t rows = output_rows(problem);
  t->p_tile = cb_ceil_div(geo->p, cb_ceil_div(geo->p, 512));
  int64_t p_tiles = cb_ceil_div(geo->p, t->p_tile);
  t->k_tile =
      cb_ceil_div(rows, cb_pieces(rows, cb_max(32, rows / 8), cb_tasks(cb_geometry_macs(geo, 1)), geo->g * p_tiles));
  t->tasks = geo->n * geo->g * p_tiles * cb_ceil_div(rows, t->k_tile);
  return CNNBLAS_OK;
}

static double cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  double n = (double)geo->n, weights = (double)(geo->k * geo->cg), p = (double)geo->p;
  double packed = p * (double)(problem->direction == CNNBLAS_FORWARD         ? geo->c
                               : problem->direction == CNNBLAS_BACKWARD_DATA ? geo->k
                                                                             : geo->c + geo->k);
  double share = cb_uneven_cut(problem, prepare);
  double work[CB_WORK_KINDS] = {[CB_WORK_MAC] = share * n * weights * p * cb_cost_thin(geo->p),
                                [CB_WORK_STORE] = problem->direction == CNNBLAS_FORWARD         ? n * (double)geo->k * p
                                                  : problem->direction == CNNBLAS_BACKWARD_DATA ? n * (double)geo->c * p
                                                                                                : weights,
                                [CB_WORK_READ] = share * n * packed,     /* OpenBLAS packs the pixels */
                                [CB_WORK_WEIGHTS] = share * n * weights, /* weights of each image's products */
                                [CB_WORK_CALLS] = n * (double)geo->g,
                                [CB_WORK_ONCE] = 1};
  return cb_cost(CB_COST_GEMM_1X1, problem, work);
}

/* Computes a tile of Y or dX: rows [r0, r1) of the group, pixels [p0, p1). */
static void image_tile(const cb_call *call, int64_t task)
{
  const cb_problem *problem = &call->plan->problem;
  const cb_geometry *geo = &problem->geo;
  const cb_tiling *t = &call->plan->tiling;
  bool forward = problem->direction == CNNBLAS_FORWARD;
  int64_t rows = output_rows(problem), depth = forward ? geo->cg : geo->kg;
  int64_t r_tiles = cb_ceil_div(rows, t->k_tile), p_tiles = cb_ceil_div(geo->p, t->p_tile);
  int64_t rt = task % r_tiles, pt = task / r_tiles % p_tiles, image = task / r_tiles / p_tiles;
  int64_t in = image / geo->g, ig = image % geo->g;
  int64_t r0 = rt * t->k_tile, r1 = cb_min(r0 + t->k_tile, rows);
  int64_t p0 = pt * t->p_tile, p1 = cb_min(p0 + t->p_tile, geo->p);
  const void *in_array = forward ? call->x : call->dy;
  int64_t weights = ig * geo->kg * geo->cg + (forward ? r0 * geo->cg : r0);
  cb_blas_gemm(&(cb_gemm){.dtype = geo->dtype,
                          .transa = !forward,
                          .m = r1 - r0,
                          .n = p1 - p0,
                          .k = depth,
                          .a = cb_at(call->w, weights, geo->element),
                          .lda = geo->cg,
                          .b = cb_at(in_array, (in * depth * geo->g + ig * depth) * geo->p + p0, geo->element),
                          .ldb = geo->p,
                          .add = call->accumulate,
                          .c = cb_at_mut(call->out, (in * rows * geo->g + ig * rows + r0) * geo->p + p0, geo->element),
                          .ldc = geo->p});
  if (forward) cb_epilogue_apply(call, in, ig * geo->kg + r0, ig * geo->kg + r1, p0, p1);
}

/* Computes a tile of dW, or of a segment's partial dW, summed over the segment's images and pixel tiles in order. */
static void weights_tile(const cb_call *call, int64_t task)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_tiling *t = &call->plan->tiling;
  int64_t k_tiles = cb_ceil_div(geo->kg, t->k_tile), c_tiles = cb_ceil_div(geo->cg, t->c_tile);
  int64_t kt = task % k_tiles, ct = task / k_tiles % c_tiles, ig = task / k_tiles / c_tiles % geo->g;
  int64_t segment = task / k_tiles / c_tiles / geo->g;
  int64_t k0 = ig * geo->kg + kt * t->k_tile, k1 = ig * geo->kg + cb_min((kt + 1) * t->k_tile, geo->kg);
  int64_t c0 = ct * t->c_tile, c1 = cb_min(c0 + t->c_tile, geo->cg);
  int64_t p_tiles = cb_ceil_div(geo->p, t->p_tile), units = call->n * p_tiles;
  int64_t first = cb_split(units, t->segments, segment), last = cb_split(units, t->segments, segment + 1);
  bool partial = t->segments > 1, add = !partial && call->accumulate;
  void *out = partial ? cb_at_mut(call->shared, segment * geo->k * geo->q, geo->element) : call->out;
  for (int64_t k = k0; k < k1 && first == last && !add; k++)
    memset(cb_at_mut(out, k * geo->cg + c0, geo->element), 0, (size_t)(c1 - c0) * geo->element);
  for (int64_t unit = first; unit < last; unit++, add = true) {
    int64_t in = unit / p_tiles, p0 = unit % p_tiles * t->p_tile, p1 = cb_min(p0 + t->p_tile, geo->p);
    cb_blas_gemm(&(cb_gemm){.dtype = geo->dtype,
                            .transb = true,
                            .m = k1 - k0,
                            .n = c1 - c0,
                            .k = p1 - p0,
                            .a = cb_at(call->dy, (in * geo->k + k0) * geo->p + p0, geo->element),
                            .lda = geo->p,
                            .b = cb_at(call->x, (in * geo->c + ig * geo->cg + c0) * geo->p + p0, geo->element),
                            .ldb = geo->p,
                            .add = add,
                            .c = cb_at_mut(out, k0 * geo->cg + c0, geo->element),
                            .ldc = geo->cg});
  }
}

static void run_task(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  (void)worker;
  if (call->plan->problem.direction == CNNBLAS_BACKWARD_WEIGHTS)
    weights_tile(call, task);
  else
    image_tile(call, task);
}

static void work(cb_call *call)
{
  const cb_problem *problem = &call->plan->problem;
  const cb_tiling *t = &call->plan->tiling;
  bool weights = problem->direction == CNNBLAS_BACKWARD_WEIGHTS;
  int64_t tasks = weights || problem->geo.n == 0 ? t->tasks : t->tasks / problem->geo.n * call->n;
  cb_call_add(call, tasks, run_task);
  cb_tree_add_join(call, weights ? t->segments : 1);
}

const cb_algorithm cb_gemm_1x1 = {
    CB_NAMED("gemm_1x1"),
    .directions = CB_EVERY_DIRECTION,
    .scope = CNNBLAS_SCOPE_POINTWISE,
    .task_macs = 16 << 20,
    .applies = applies,
    .residual_apart = true,
    .cost = cost,
    .prepare = prepare,
    .work = work,
    .uses_blas = true,
};
