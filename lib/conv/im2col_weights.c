/*
 * The weight gradient of algorithm "im2col": dW[kg x Q] = sum over images of dY[kg x P] . col(x)^T[P x Q].
 *
 * Tasks: group, q tile, k tile, segment of units. A unit is a p tile of an image, or several images that are joined; they
 * lie side by side in the scratch:
 *
 *   lowered x [q_tile][images * P], dY [k_tile][images * P]
 */
#include "conv/im2col_parts.h"
#include "conv/lowering.h"
#include "gemm/blas.h"

/* The least sizes of a product whose pixels are lowered. Tasks that have the same taps, and other filters, each lower the same pixels,
   so the work is cut by taps first; by more of them where a stride makes lowering slow. */
enum { LOWERED_FILTERS = 256, LOWERED_COLUMNS = 256, STRIDED_FILTERS = 512, STRIDED_COLUMNS = 128 };

enum { JOINED_FILTERS = 192, JOINED_COLUMNS = 256 /* the least sizes of a product of joined images */ };

/* Cuts filters and taps where images are joined. */
static void prepare_joined(cnnblas_conv_plan *plan, int64_t joined, double wanted)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  t->p_tile = joined * geo->p;
  t->q_tile = cb_ceil_div(geo->q, cb_pieces(geo->q, JOINED_COLUMNS, wanted, geo->g));
  const int64_t blocks = geo->g * cb_ceil_div(geo->q, t->q_tile);
  t->k_tile = cb_ceil_div(geo->kg, cb_pieces(geo->kg, JOINED_FILTERS, wanted, blocks));
  t->thread_bytes = (size_t)((t->q_tile + t->k_tile) * t->p_tile) * geo->element;
}

void cb_im2col_prepare_weights(cnnblas_conv_plan *plan, int64_t elements, int64_t joined)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  cb_im2col_least l = cb_im2col_least_of(&plan->problem);
  if (!cb_geometry_is_pointwise(geo) && l.weight_columns > LOWERED_COLUMNS) {
    const bool strided = geo->axis[2].stride > 1;
    l.weight_columns = strided ? STRIDED_COLUMNS : LOWERED_COLUMNS;
    l.weight_filters = strided ? STRIDED_FILTERS : LOWERED_FILTERS;
  }
  const double wanted = t->segments > 1 ? 1 : cb_im2col_tasks(&plan->problem, geo->n);
  if (joined > 1) {
    prepare_joined(plan, joined, wanted);
  } else {
    t->q_tile = cb_ceil_div(geo->q, cb_pieces(geo->q, l.weight_columns, wanted, geo->g));
    t->p_tile = cb_ceil_div(geo->p, cb_ceil_div(t->segments, cb_max(geo->n, 1))); /* so that each segment has pixels */
    if (!cb_geometry_is_pointwise(geo)) {
      t->q_tile = cb_im2col_rows(t->q_tile, t->p_tile, elements);
      t->p_tile = cb_im2col_pixels(t->p_tile, t->q_tile, elements);
      t->thread_bytes = (size_t)(t->q_tile * t->p_tile) * geo->element;
    }
    const int64_t blocks = geo->g * cb_ceil_div(geo->q, t->q_tile);
    t->k_tile = cb_ceil_div(geo->kg, cb_pieces(geo->kg, l.weight_filters, wanted, blocks));
  }
  t->tasks = geo->g * cb_ceil_div(geo->q, t->q_tile) * cb_ceil_div(geo->kg, t->k_tile) * t->segments;
}

int64_t cb_im2col_weight_segments(const cb_problem *problem, int64_t joined, int64_t most)
{
  const cb_geometry *geo = &problem->geo;
  const int64_t units = joined > 1 ? cb_ceil_div(geo->n, joined)
                                   : cb_max(geo->n, 1) * cb_ceil_div(geo->p, cb_im2col_least_of(problem).weight_pixels);
  return cb_segments(problem, units, geo->g, cb_im2col_tasks(problem, geo->n), most);
}

/* A block of dW: filters [k0, k1) of all, taps [q0, q1) of group ig; `out` is the array that it is added to. */
typedef struct {
  int64_t ig, k0, k1, q0, q1;
  void *out;
} weights_block;

/* The product of `pixels` columns of dY and of the lowered x, rows lda and ldb elements apart. */
static void multiply(const cb_geometry *geo, const weights_block *b, const void *dy, int64_t lda, const void *x,
                     int64_t ldb, int64_t pixels, bool add)
{
  cb_blas_gemm(&(cb_gemm){.dtype = geo->dtype,
                          .transb = true,
                          .m = b->k1 - b->k0,
                          .n = b->q1 - b->q0,
                          .k = pixels,
                          .a = dy,
                          .lda = lda,
                          .b = x,
                          .ldb = ldb,
                          .add = add,
                          .c = cb_at_mut(b->out, b->k0 * geo->q + b->q0, geo->element),
                          .ldc = geo->q});
}

/* Adds pixels [p0, p1) of one image. */
static void add_tile(const cb_call *call, const weights_block *b, int64_t in, int64_t p0, int64_t p1, bool add,
                     char *tile)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_view view = cb_view_forward(geo);
  const bool as_it_is = cb_geometry_is_pointwise(geo);
  const cb_block block = {b->q0, b->q1, p0, p1, p1 - p0};
  const void *x = cb_at(call->x, (in * geo->c + b->ig * geo->cg) * geo->image, geo->element);
  if (!as_it_is) cb_lower(&view, x, &block, tile);
  multiply(geo, b, cb_at(call->dy, (in * geo->k + b->k0) * geo->p + p0, geo->element), geo->p,
           as_it_is ? cb_at(x, b->q0 * geo->p + p0, geo->element) : tile, as_it_is ? geo->p : block.ld, p1 - p0, add);
}

/* Adds `count` whole images from `in` on. */
static void add_joined(const cb_call *call, const weights_block *b, int64_t in, int64_t count, bool add, char *tile)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_tiling *t = &call->plan->tiling;
  const cb_view view = cb_view_forward(geo);
  const int64_t pixels = count * geo->p;
  char *dy = tile + (size_t)(t->q_tile * t->p_tile) * geo->element;
  for (int64_t i = 0; i < count; i++) {
    const cb_block block = {b->q0, b->q1, 0, geo->p, pixels};
    cb_lower(&view, cb_at(call->x, ((in + i) * geo->c + b->ig * geo->cg) * geo->image, geo->element), &block,
             tile + (size_t)(i * geo->p) * geo->element);
  }
  cb_im2col_join(geo, cb_at(call->dy, (in * geo->k + b->k0) * geo->p, geo->element), geo->k, b->k1 - b->k0, count, dy);
  multiply(geo, b, dy, pixels, tile, pixels, pixels, add);
}

void cb_im2col_weights_task(const cb_call *call, int64_t task, char *tile)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_tiling *t = &call->plan->tiling;
  const int64_t k_tiles = cb_ceil_div(geo->kg, t->k_tile), q_tiles = cb_ceil_div(geo->q, t->q_tile);
  const int64_t kt = task % k_tiles, qt = task / k_tiles % q_tiles, ig = task / k_tiles / q_tiles % geo->g;
  const int64_t segment = task / k_tiles / q_tiles / geo->g, joined = cb_im2col_joined_of(call->plan);
  const bool partial = t->segments > 1;
  const weights_block b = {.ig = ig,
                           .k0 = ig * geo->kg + kt * t->k_tile,
                           .k1 = ig * geo->kg + cb_min((kt + 1) * t->k_tile, geo->kg),
                           .q0 = qt * t->q_tile,
                           .q1 = cb_min((qt + 1) * t->q_tile, geo->q),
                           .out =
                               partial ? cb_at_mut(call->shared, segment * geo->k * geo->q, geo->element) : call->out};
  const int64_t p_tiles = joined > 1 ? 1 : cb_ceil_div(geo->p, t->p_tile);
  const int64_t units = cb_ceil_div(call->n, joined) * p_tiles;
  const int64_t first = cb_split(units, t->segments, segment), last = cb_split(units, t->segments, segment + 1);
  bool add = !partial && call->accumulate;
  for (int64_t k = b.k0; k < b.k1 && first == last && !add; k++)
    memset(cb_at_mut(b.out, k * geo->q + b.q0, geo->element), 0, (size_t)(b.q1 - b.q0) * geo->element);
  for (int64_t unit = first; unit < last; unit++, add = true) {
    const int64_t in = unit / p_tiles * joined, p0 = unit % p_tiles * t->p_tile;
    if (joined > 1)
      add_joined(call, &b, in, cb_min(joined, call->n - in), add, tile);
    else
      add_tile(call, &b, in, p0, cb_min(p0 + t->p_tile, geo->p), add, tile);
  }
}
