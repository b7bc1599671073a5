/*
 * The input gradient of algorithm "im2col": dX = col2im(W^T[Q x kg] . dY[kg x P]).
 *
 * Tasks: images, group, c tile; and where images are not joined p tile if dX is the product itself, else rows of dX. A
 * task owns its part of dX. Joined images lie side by side in the scratch:
 *
 *   products [q_tile][images * P], dY [kg][images * P]
 */
#include "conv/im2col_parts.h"
#include "conv/lowering.h"
#include "gemm/blas.h"
#include <string.h>

enum {
  /* the least rows of dX in a task, for each row that a filter spans: outputs that reach two tasks are multiplied in
     both */
  ROWS_OF_SPAN = 8,
  JOINED_ROWS = 256 /* the least rows of a product of joined images, of which there are fewer than images */
};

/* Rows of dX in a task, where dX is not the product itself: all rows, unless few channels leave few tasks. */
static int64_t rows_of(const cnnblas_conv_plan *plan)
{
  const cb_problem *problem = &plan->problem;
  const cb_geometry *geo = &problem->geo;
  const cb_axis *h = &geo->axis[1];
  const int64_t span = (h->taps - 1) * (h->step < 0 ? -h->step : h->step) + 1;
  if (geo->axis[0].in > 1 || geo->axis[0].taps > 1 || span >= h->in || cb_im2col_joined_of(plan) > 1) return h->in;
  const int64_t others = cb_max(geo->n, 1) * geo->g * cb_ceil_div(geo->cg, plan->tiling.c_tile);
  return cb_ceil_div(h->in, cb_pieces(h->in, ROWS_OF_SPAN * span, cb_im2col_tasks(problem, geo->n), others));
}

/* Cuts the channels where `joined` images share a product. */
static void prepare_joined(cnnblas_conv_plan *plan, int64_t joined)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  const int64_t parts = cb_ceil_div(geo->n, joined) * geo->g;
  const int64_t least = cb_max(1, JOINED_ROWS / geo->taps);
  t->p_tile = joined * geo->p;
  t->c_tile = cb_ceil_div(geo->cg, cb_pieces(geo->cg, least, cb_im2col_tasks(&plan->problem, geo->n), parts));
  t->q_tile = t->c_tile * geo->taps;
  t->tasks = parts * cb_ceil_div(geo->cg, t->c_tile);
  t->thread_bytes = (size_t)((t->q_tile + geo->kg) * t->p_tile) * geo->element;
}

void cb_im2col_prepare_data(cnnblas_conv_plan *plan, int64_t elements)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  const cb_im2col_least l = cb_im2col_least_of(&plan->problem);
  const double wanted = cb_im2col_tasks(&plan->problem, 1);
  const bool pointwise = cb_geometry_is_pointwise(geo);
  const int64_t joined = cb_im2col_joined(geo, geo->q + geo->kg, elements);
  if (joined > 1) {
    prepare_joined(plan, joined);
    return;
  }
  const int64_t p_pieces = pointwise ? cb_pieces(geo->p, l.data_pixels, wanted, geo->g) : 1;
  t->p_tile = cb_ceil_div(geo->p, p_pieces);
  t->c_tile = cb_ceil_div(geo->cg, cb_pieces(geo->cg, cb_max(1, l.data_rows / geo->taps), wanted, geo->g * p_pieces));
  t->q_tile = t->c_tile * geo->taps;
  const int64_t planes = geo->g * cb_ceil_div(geo->cg, t->c_tile);
  if (!pointwise) {
    t->q_tile = cb_im2col_rows(t->q_tile, geo->p, elements);
    t->p_tile = cb_im2col_pixels(geo->p, t->q_tile, elements);
    t->thread_bytes = (size_t)(t->q_tile * t->p_tile) * geo->element;
  }
  t->tasks =
      geo->n * planes * (pointwise ? cb_ceil_div(geo->p, t->p_tile) : cb_ceil_div(geo->axis[1].in, rows_of(plan)));
}

/* The output rows [*first, *last) that reach rows [from, to) of dX. */
static void rows_reaching(const cb_axis *h, int64_t from, int64_t to, int64_t *first, int64_t *last)
{
  const int64_t span = (h->taps - 1) * h->step, low = h->base + cb_min(span, 0), high = h->base + cb_max(span, 0);
  *first = from > high ? cb_min(h->out, cb_ceil_div(from - high, h->stride)) : 0;
  *last = to > low ? cb_min(h->out, cb_ceil_div(to - low, h->stride)) : 0;
  *last = cb_max(*first, *last);
}

/* c = (or +=, if add) rows [q0, q1) of the group's W^T times columns of dY. */
static void multiply(const cb_call *call, int64_t ig, const cb_block *block, const void *dy, int64_t ldb, bool add,
                     void *c)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  cb_blas_gemm(&(cb_gemm){.dtype = geo->dtype,
                          .transa = true,
                          .m = block->q1 - block->q0,
                          .n = block->p1 - block->p0,
                          .k = geo->kg,
                          .a = cb_at(call->w, ig * geo->kg * geo->q + block->q0, geo->element),
                          .lda = geo->q,
                          .b = dy,
                          .ldb = ldb,
                          .add = add,
                          .c = c,
                          .ldc = block->ld});
}

/* Computes some rows of planes [c0, c1) of dX: products of a tile of W^T with dY, scattered back. */
static void data_rows(const cb_call *call, int64_t image, int64_t c0, int64_t c1, int64_t row0, char *tile)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_tiling *t = &call->plan->tiling;
  cb_view view = cb_view_forward(geo);
  cb_axis *h = &view.axis[1];
  const int64_t in = image / geo->g, ig = image % geo->g, rows = rows_of(call->plan);
  char *dx = cb_at_mut(call->out, (in * geo->c + ig * geo->cg) * geo->image, geo->element);
  int64_t first = 0, last = geo->p;
  if (rows < h->in) { /* the view then has these rows alone */
    rows_reaching(h, row0, cb_min(row0 + rows, h->in), &first, &last);
    first *= geo->axis[2].out, last *= geo->axis[2].out;
    h->base -= row0, h->in = cb_min(rows, h->in - row0);
    dx += (size_t)(row0 * geo->axis[2].in) * geo->element;
  }
  const size_t part = call->accumulate ? 0 : (size_t)(view.axis[0].in * h->in * geo->axis[2].in) * geo->element;
  for (int64_t c = c0; c < c1 && first == last; c++) memset(dx + (size_t)(c * geo->image) * geo->element, 0, part);
  for (int64_t q0 = c0 * geo->taps; q0 < c1 * geo->taps; q0 += t->q_tile)
    for (int64_t p0 = first; p0 < last; p0 += t->p_tile) {
      const int64_t p1 = cb_min(p0 + t->p_tile, last);
      const cb_block block = {q0, cb_min(q0 + t->q_tile, c1 * geo->taps), p0, p1, p1 - p0};
      multiply(call, ig, &block, cb_at(call->dy, (in * geo->k + ig * geo->kg) * geo->p + p0, geo->element), geo->p,
               false, tile);
      cb_unlower_add(&view, tile, &block, p0 == first ? part : 0, dx);
    }
}

/* Computes planes [c0, c1) of one group of `count` images from `in` on, whose pixels share one product. */
static void data_joined(const cb_call *call, int64_t in, int64_t count, int64_t ig, int64_t c0, int64_t c1, char *tile)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_tiling *t = &call->plan->tiling;
  const cb_view view = cb_view_forward(geo);
  const int64_t pixels = count * geo->p;
  const size_t part = call->accumulate ? 0 : (size_t)geo->image * geo->element;
  char *dy = tile + (size_t)(t->q_tile * t->p_tile) * geo->element;
  cb_im2col_join(geo, cb_at(call->dy, (in * geo->k + ig * geo->kg) * geo->p, geo->element), geo->k, geo->kg, count, dy);
  const cb_block product = {c0 * geo->taps, c1 * geo->taps, 0, pixels, pixels};
  multiply(call, ig, &product, dy, pixels, false, tile);
  for (int64_t i = 0; i < count; i++) {
    const cb_block block = {product.q0, product.q1, 0, geo->p, pixels};
    char *dx = cb_at_mut(call->out, ((in + i) * geo->c + ig * geo->cg) * geo->image, geo->element);
    cb_unlower_add(&view, tile + (size_t)(i * geo->p) * geo->element, &block, part, dx);
  }
}

void cb_im2col_data_task(const cb_call *call, int64_t task, char *tile)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_tiling *t = &call->plan->tiling;
  const int64_t c_tiles = cb_ceil_div(geo->cg, t->c_tile), joined = cb_im2col_joined_of(call->plan);
  const bool direct = cb_geometry_is_pointwise(geo); /* dX is the product itself */
  const int64_t extent = direct ? geo->p : geo->axis[1].in, stretch = direct ? t->p_tile : rows_of(call->plan);
  const int64_t stretches = cb_ceil_div(extent, stretch), first = task % stretches * stretch;
  const int64_t ct = task / stretches % c_tiles, image = task / stretches / c_tiles;
  const int64_t c0 = ct * t->c_tile, c1 = cb_min(c0 + t->c_tile, geo->cg), in = image / geo->g, ig = image % geo->g;
  if (joined > 1) {
    data_joined(call, in * joined, cb_min(joined, call->n - in * joined), ig, c0, c1, tile);
  } else if (!direct) {
    data_rows(call, image, c0, c1, first, tile);
  } else {
    const cb_block block = {c0, c1, first, cb_min(first + stretch, geo->p), geo->p};
    multiply(call, ig, &block, cb_at(call->dy, (in * geo->k + ig * geo->kg) * geo->p + first, geo->element), geo->p,
             call->accumulate, cb_at_mut(call->out, (in * geo->c + ig * geo->cg + c0) * geo->p + first, geo->element));
  }
}
