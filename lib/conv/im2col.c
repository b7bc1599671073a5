/*
 * Algorithm "im2col": lower a tile, multiply it with one serial GEMM, go on to the next.
 *
 * forward          Y[kg x P] = W[kg x Q] . col(x)[Q x P]       tasks: image, group, k tile, p tile
 * weight gradient  dW[kg x Q] = sum of dY[kg x P] . col(x)^T   tasks: group, q tile, k tile, segment of (image, p tile)
 * input gradient   dX = col2im(W^T[Q x kg] . dY[kg x P])       tasks: image, group, c tile; p tile if 1x1, else rows
 *
 * The lowered matrix never exists as a whole: a tile has q_tile x p_tile elements and fits the workspace. Every task
 * owns its part of the output and walks its tiles in order, so no sum depends on the number of threads.
 * Source: K. Chellapilla, S. Puri, P. Simard, High Performance Convolutional Neural Networks for Document Processing,
 * 2006.
 */
#include "base/parallel.h"
#include "conv/costs.h"
#include "conv/epilogue.h"
#include "conv/lowering.h"
#include "conv/tiles.h"
#include "gemm/blas.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool applies(const cb_problem *problem, char *why, size_t size)
{
  const cb_geometry *geo = &problem->geo;
  if (geo->p <= INT_MAX && geo->q <= INT_MAX && geo->k <= INT_MAX) return true;
  snprintf(why, size, "a row of its matrices exceeds BLAS's 31-bit integers");
  return false;
}

enum {
  ROW_ELEMENTS = 16,       /* elements that lowering a row of pixels costs beside its own */
  WORKSPACE = 8 << 20,     /* default bytes a thread: OpenBLAS packs the other operand anew for every lowered tile */
  PARTIAL_BYTES = 2 << 20, /* the most bytes of the partial weight gradients together */
  PIECE_MACS = 1 << 23,    /* the least multiply-adds of a task: 0.1 to 0.2 ms of a core */
  FEW_PIECES = 4,          /* so many tasks are worth having if each has FEW_MACS multiply-adds */
  FEW_MACS = 1 << 19,
  MOST_PIECES = 16,    /* the most pieces of an image, or of a weight gradient */
  NARROW = 256,        /* the least pixels of a tile: fewer pay for packing the weights again */
  LEAST_FILTERS = 128, /* the least filters of a product: fewer pay for lowering or packing the pixels again */
  /* the least rows of dX in a task, for each row that a filter spans: outputs that reach two tasks are multiplied in
     both */
  ROWS_OF_SPAN = 8
};

/* The least sizes that products are cut into: each piece packs the other operand again. Pieces of a gradient of few
   images are smaller, since a thread without work costs more. A forward's pieces are the same for any number of
   images. */
typedef struct {
  double macs;            /* multiply-adds of a task */
  int64_t data_rows;      /* rows of a product of the input gradient */
  int64_t data_pixels;    /* columns of that product, where it is the gradient itself */
  int64_t weight_columns; /* columns of a product of the weight gradient */
  int64_t weight_filters; /* rows of that product */
  int64_t weight_pixels;  /* terms of that product's sums */
} least;

static least least_of(const cb_problem *problem)
{
  enum { FEW_IMAGES = 4 };
  static const least few = {PIECE_MACS / 2, 96, NARROW, 256, 64, 256},
                     many = {PIECE_MACS, 768, INT64_MAX, 512, LEAST_FILTERS, 1024};
  return problem->direction != CNNBLAS_FORWARD && problem->geo.n < FEW_IMAGES ? few : many;
}

/* Number of tasks that are worth having for the multiply-adds of so many images. */
static double tasks_for(const cb_problem *problem, int64_t images)
{
  const double macs = cb_geometry_macs(&problem->geo, images);
  return fmin(fmax(macs / least_of(problem).macs, fmin(macs / FEW_MACS, FEW_PIECES)), MOST_PIECES);
}

/* Number of tasks that share the products of one lowered tile of a forward: each task lowers it anew, so one does all
   its products where there are tasks enough for the team. The products are the same either way. */
static int64_t filter_shares(const cnnblas_conv_plan *plan)
{
  const cb_geometry *geo = &plan->problem.geo;
  const cb_tiling *t = &plan->tiling;
  int64_t tiles = geo->n * geo->g * cb_ceil_div(geo->p, t->p_tile);
  return tiles >= 2 * plan->team ? 1 : cb_ceil_div(geo->kg, t->k_tile);
}

/* Pixels of a tile of `rows` rows: all of `pixels`, if the scratch of `elements` holds them. */
static int64_t pixels_of(int64_t pixels, int64_t rows, int64_t elements)
{
  return cb_max(1, cb_min(pixels, elements / rows));
}

/* Rows of a tile: at most `rows`, and so few that the tile has at least NARROW pixels. */
static int64_t rows_of(int64_t rows, int64_t pixels, int64_t elements)
{
  return cb_max(1, cb_min(rows, elements / cb_min(pixels, NARROW)));
}

static void prepare_forward(cnnblas_conv_plan *plan, int64_t elements)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  const double wanted = tasks_for(&plan->problem, 1);
  int64_t p_pieces = cb_pieces(geo->p, NARROW, wanted, geo->g);
  t->p_tile = cb_ceil_div(geo->p, p_pieces);
  t->q_tile = geo->q;
  if (!cb_geometry_is_pointwise(geo)) {
    t->q_tile = rows_of(geo->q, t->p_tile, elements);
    t->p_tile = pixels_of(t->p_tile, t->q_tile, elements);
    t->p_tile = cb_ceil_div(geo->p, cb_ceil_div(geo->p, t->p_tile));
  }
  int64_t p_tiles = cb_ceil_div(geo->p, t->p_tile);
  /* Each piece of the filters packs the pixels again. */
  int64_t filters = cb_min(2 * LEAST_FILTERS, cb_max(LEAST_FILTERS, geo->kg / 2));
  t->k_tile = cb_ceil_div(geo->kg, cb_pieces(geo->kg, filters, fmin(wanted, 4), p_tiles * geo->g));
  t->tasks = geo->n * geo->g * p_tiles * filter_shares(plan);
}

/* Rows of dX in a task, where dX is not the product itself: all rows, unless few channels leave few tasks. */
static int64_t data_rows_of(const cb_problem *problem, int64_t c_tile)
{
  const cb_geometry *geo = &problem->geo;
  const cb_axis *h = &geo->axis[1];
  const int64_t span = (h->taps - 1) * (h->step < 0 ? -h->step : h->step) + 1;
  if (geo->axis[0].in > 1 || geo->axis[0].taps > 1 || span >= h->in) return h->in;
  const int64_t others = cb_max(geo->n, 1) * geo->g * cb_ceil_div(geo->cg, c_tile);
  return cb_ceil_div(h->in, cb_pieces(h->in, ROWS_OF_SPAN * span, tasks_for(problem, geo->n), others));
}

/* The output rows [*first, *last) that reach rows [from, to) of dX. */
static void rows_reaching(const cb_axis *h, int64_t from, int64_t to, int64_t *first, int64_t *last)
{
  const int64_t span = (h->taps - 1) * h->step, low = h->base + cb_min(span, 0), high = h->base + cb_max(span, 0);
  *first = from > high ? cb_min(h->out, cb_ceil_div(from - high, h->stride)) : 0;
  *last = to > low ? cb_min(h->out, cb_ceil_div(to - low, h->stride)) : 0;
  *last = cb_max(*first, *last);
}

static void prepare_data(cnnblas_conv_plan *plan, int64_t elements)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  const least l = least_of(&plan->problem);
  const double wanted = tasks_for(&plan->problem, 1);
  const bool as_it_is = cb_geometry_is_pointwise(geo);
  const int64_t p_pieces = as_it_is ? cb_pieces(geo->p, l.data_pixels, wanted, geo->g) : 1;
  t->p_tile = cb_ceil_div(geo->p, p_pieces);
  t->c_tile = cb_ceil_div(geo->cg, cb_pieces(geo->cg, cb_max(1, l.data_rows / geo->taps), wanted, geo->g * p_pieces));
  t->q_tile = t->c_tile * geo->taps;
  const int64_t planes = geo->g * cb_ceil_div(geo->cg, t->c_tile);
  if (!as_it_is) {
    t->q_tile = rows_of(t->q_tile, geo->p, elements);
    t->p_tile = pixels_of(geo->p, t->q_tile, elements);
  }
  const int64_t rows = data_rows_of(&plan->problem, t->c_tile);
  t->tasks = geo->n * planes * (as_it_is ? cb_ceil_div(geo->p, t->p_tile) : cb_ceil_div(geo->axis[1].in, rows));
}

static void prepare_weights(cnnblas_conv_plan *plan, int64_t elements)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  const least l = least_of(&plan->problem);
  const double wanted = t->segments > 1 ? 1 : tasks_for(&plan->problem, geo->n);
  t->q_tile = cb_ceil_div(geo->q, cb_pieces(geo->q, l.weight_columns, wanted, geo->g));
  t->p_tile = cb_ceil_div(geo->p, cb_ceil_div(t->segments, cb_max(geo->n, 1))); /* so that each segment has pixels */
  if (!cb_geometry_is_pointwise(geo)) {
    t->q_tile = rows_of(t->q_tile, t->p_tile, elements);
    t->p_tile = pixels_of(t->p_tile, t->q_tile, elements);
  }
  int64_t blocks = geo->g * cb_ceil_div(geo->q, t->q_tile);
  t->k_tile = cb_ceil_div(geo->kg, cb_pieces(geo->kg, l.weight_filters, wanted, blocks));
  t->tasks = blocks * cb_ceil_div(geo->kg, t->k_tile) * t->segments;
}

static cnnblas_status prepare(cnnblas_conv_plan *plan)
{
  const cb_problem *problem = &plan->problem;
  const cb_geometry *geo = &problem->geo;
  cb_tiling *t = &plan->tiling;
  if (problem->direction == CNNBLAS_BACKWARD_WEIGHTS) {
    int64_t units = cb_max(geo->n, 1) * cb_ceil_div(geo->p, least_of(problem).weight_pixels);
    t->segments = cb_segments(problem, units, geo->g, tasks_for(problem, geo->n), PARTIAL_BYTES);
    t->leaves = t->segments;
    if (t->segments > 1) t->shared_bytes = cb_aligned_size((size_t)(t->segments * geo->k * geo->q) * geo->element);
  }
  bool lowers = !cb_geometry_is_pointwise(geo);
  t->thread_bytes = lowers ? cb_tile_bytes(problem, t->shared_bytes, WORKSPACE - 2 * CB_ALIGN - t->shared_bytes) : 0;
  int64_t elements = (int64_t)((t->thread_bytes ? t->thread_bytes : CB_STACK_TILE) / geo->element);
  if (problem->direction == CNNBLAS_FORWARD) prepare_forward(plan, elements);
  if (problem->direction == CNNBLAS_BACKWARD_DATA) prepare_data(plan, elements);
  if (problem->direction == CNNBLAS_BACKWARD_WEIGHTS) prepare_weights(plan, elements);
  if (t->thread_bytes) t->thread_bytes = cb_aligned_size((size_t)(t->q_tile * t->p_tile) * geo->element);
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
                                [CB_WORK_WEIGHTS] = share * images * weights, /* weights of each image's products */
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

/* Adds a block of products to planes of dX, channel by channel; `cleared` bytes of a channel are set to zero before its
   first row is added. */
static void scatter(const cb_view *view, const cb_block *block, char *tile, char *dx, int64_t cleared)
{
  for (int64_t q = block->q0; q < block->q1;) {
    const int64_t channel = q / view->taps;
    cb_block rows = *block;
    rows.q0 = q, rows.q1 = cb_min(block->q1, (channel + 1) * view->taps);
    if (q % view->taps == 0) memset(dx + (size_t)(channel * view->image) * view->element, 0, (size_t)cleared);
    cb_unlower_add(view, tile + (size_t)((q - block->q0) * block->ld) * view->element, &rows, dx);
    q = rows.q1;
  }
}

/* Computes some rows of c_tile planes of dX: products of a tile of W^T with dY, scattered back. Where dX is the product
   itself, computes p_tile pixels of these planes. */
static void data_planes(const cb_call *call, int64_t task, char *tile)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_tiling *t = &call->plan->tiling;
  cb_view view = cb_view_forward(geo);
  const bool as_it_is = cb_geometry_is_pointwise(geo);
  cb_axis *h = &view.axis[1];
  int64_t c_tiles = cb_ceil_div(geo->cg, t->c_tile),
          stretch = as_it_is ? t->p_tile : data_rows_of(&call->plan->problem, t->c_tile);
  int64_t stretches = cb_ceil_div(as_it_is ? geo->p : h->in, stretch), first = task % stretches * stretch;
  int64_t ct = task / stretches % c_tiles, image = task / stretches / c_tiles;
  int64_t in = image / geo->g, ig = image % geo->g, last = cb_min(first + stretch, as_it_is ? geo->p : h->in);
  int64_t c0 = ct * t->c_tile, c1 = cb_min(c0 + t->c_tile, geo->cg);
  char *dx = cb_at_mut(call->out, (in * geo->c + ig * geo->cg) * geo->image, geo->element);
  if (!as_it_is && stretches > 1) { /* the view then has these rows alone */
    const int64_t row0 = first, rows = last - first;
    rows_reaching(h, first, last, &first, &last);
    first *= geo->axis[2].out, last *= geo->axis[2].out;
    h->base -= row0, h->in = rows;
    dx += (size_t)(row0 * geo->axis[2].in) * geo->element;
  } else if (!as_it_is)
    first = 0, last = geo->p;
  const bool clears = !as_it_is && !call->accumulate;
  const int64_t part = clears ? view.axis[0].in * h->in * geo->axis[2].in * (int64_t)geo->element : 0;
  for (int64_t c = c0; c < c1 && clears && first == last; c++)
    memset(dx + (size_t)(c * geo->image) * geo->element, 0, (size_t)part);
  for (int64_t q0 = c0 * geo->taps; q0 < c1 * geo->taps; q0 += t->q_tile)
    for (int64_t p0 = first; p0 < last; p0 += t->p_tile) {
      int64_t p1 = cb_min(p0 + t->p_tile, last);
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
                              .add = as_it_is && call->accumulate,
                              .c = as_it_is ? cb_at_mut(dx, q0 * geo->p + p0, geo->element) : tile,
                              .ldc = as_it_is ? geo->p : block.ld});
      if (!as_it_is) scatter(&view, &block, tile, dx, p0 == first ? part : 0);
    }
}

/* Computes a tile of dW, or of a segment's partial dW, summed over the segment's images and pixel tiles in order. */
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
  bool add = !partial && call->accumulate, as_it_is = cb_geometry_is_pointwise(geo);
  for (int64_t k = k0; k < k1 && first == last && !add; k++)
    memset(cb_at_mut(out, k * geo->q + q0, geo->element), 0, (size_t)(q1 - q0) * geo->element);
  for (int64_t unit = first; unit < last; unit++, add = true) {
    int64_t in = unit / p_tiles, p0 = unit % p_tiles * t->p_tile, p1 = cb_min(p0 + t->p_tile, geo->p);
    cb_block block = {q0, q1, p0, p1, p1 - p0};
    const void *x = cb_at(call->x, (in * geo->c + ig * geo->cg) * geo->image, geo->element);
    if (!as_it_is) cb_lower(&view, x, &block, tile);
    cb_blas_gemm(&(cb_gemm){.dtype = geo->dtype,
                            .transb = true,
                            .m = k1 - k0,
                            .n = q1 - q0,
                            .k = p1 - p0,
                            .a = cb_at(call->dy, (in * geo->k + k0) * geo->p + p0, geo->element),
                            .lda = geo->p,
                            .b = as_it_is ? cb_at(x, q0 * geo->p + p0, geo->element) : tile,
                            .ldb = as_it_is ? geo->p : block.ld,
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

static void work(cb_call *call)
{
  const cb_problem *problem = &call->plan->problem;
  const cb_tiling *t = &call->plan->tiling;
  bool weights = problem->direction == CNNBLAS_BACKWARD_WEIGHTS;
  int64_t tasks = weights || problem->geo.n == 0 ? t->tasks : t->tasks / problem->geo.n * call->n;
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
