/*
 * implicit_gemm, forward and input gradient, with pixels on the lanes: a tile is up to 9 outputs x 3 vectors of pixels
 * (6 x 2 where vectors are short), read straight from the band or from the source. The store is straight: for short
 * sums (small q), where storing costs.
 *
 *     for each tile of pixels                   the tile's part of the band stays in L1
 *       for each panel, up to 9 outputs         its weights packed, or read where they lie
 *         for each chunk: kernel                asks for the next tile's pixels and for this one's places in the output
 *         store, straight; without an epilogue the kernel stores into the output itself
 *
 * What was tried, and what it gave, stands in implicit_map_channels.c.
 */
#include "conv/implicit_map_state.h"

/* The products of a job's tiles: that of the whole panels, then that of the last; or one of all outputs, if weights are
   read where they lie. What does not change from tile to tile is filled in. */
typedef struct {
  const cb_map_tiles *job;
  const cb_walks *walks;
  cb_product product[2];
  cb_store store[2]; /* stores of results at position 0 */
  int products;
  bool bare, past; /* kernels may store whole tiles into the output; they do so past the caches */
} outputs;

/* A tile of `count` pixels side by side in the band, evenly spaced in the destination from `position` on. */
typedef struct {
  const void *pixels;
  bool packed; /* pixels are packed, one vector for each step */
  int vectors;
  int64_t skip, count; /* lanes before those that are wanted; lanes that are wanted */
  int64_t position;
} lane_tile;

/* Packs the spare vector of a stretch of less than a vector: lanes [0, count) of every step, where that lies in a panel of one
   vector, and zeros behind, so that nothing past the pixels is read. */
static void pack_spare(const cb_map_tiles *j, const cb_walks *walks, const void *pixels, int64_t count)
{
  const size_t element = j->call->plan->problem.geo.element;
  const int64_t lanes = j->st->engine->lanes;
  for (int64_t s = 0; s < walks->steps; s++)
    cb_panel_pack_step(cb_at_mut(j->spare, walks->lane[1][s], element), cb_at(pixels, walks->walk[s], element), count,
                       lanes, element);
}

/* Computes one tile of pixels with all outputs of the job; kernels store it themselves if all of its lanes are
   wanted. */
static inline void run_tile(outputs *o, const lane_tile *lane)
{
  const cb_engine *engine = o->product[0].engine;
  const size_t element = o->product[0].element, vector = (size_t)engine->lanes * element;
  const int64_t width = lane->vectors * engine->lanes, plane = o->job->plane;
  const bool plain = o->bare && lane->count == width;
  for (int i = 0; i < o->products; i++) {
    cb_product *p = &o->product[i];
    p->b = lane->pixels;
    p->walk.b = lane->packed ? o->walks->lane[1] : o->walks->walk;
    p->vectors = lane->vectors;
    p->ahead = lane->packed ? 0 : width;
    p->ask = plain && lane->vectors < 3; /* kernels of three vectors ask by themselves */
    if (plain) {
      p->c = cb_at_mut(o->store[i].out, lane->position, element);
      p->ldc = plane;
      p->store = NULL;
      p->past = o->past && (uintptr_t)p->c % vector == 0;
      cb_product_run(p);
      continue;
    }
    cb_store store = cb_store_at(&o->store[i], lane->position, 0, element);
    store.count = lane->count;
    p->c = o->job->sums;
    p->ldc = width;
    p->store = &store;
    p->skip = lane->skip;
    p->ask = true;
    p->past = false;
    cb_product_run(p);
  }
}

/* Number of vectors of the next tile of a stretch with `left` pixels: up to three, and two twice rather than three and
   one. */
static int64_t next_vectors(const cb_map *st, int64_t left)
{
  int64_t vectors = cb_ceil_div(left, st->engine->lanes);
  return vectors == st->pixel_vectors + 1 ? 2 : cb_min(vectors, st->pixel_vectors);
}

/* Asks early for the pixels of a tile. Kernels of three vectors ask for the next tile's by themselves. */
static void ask_lanes(const cb_walks *walks, const char *pixels, size_t element)
{
  for (int64_t s = 0; s < walks->steps; s++) __builtin_prefetch(pixels + (int64_t)walks->walk[s] * (int64_t)element);
}

/* Computes a stretch of pixels side by side, in tiles of up to three vectors. A band has room behind it. Where the
   source is read in place, the last tile of a stretch begins early enough to end with it, and stores what is new, or
   all of it again: the bits are the same. A stretch of less than a vector is copied. */
static inline void run_stretch(outputs *o, int64_t first, int64_t count)
{
  const cb_map_tiles *j = o->job;
  const cb_walks *walks = o->walks;
  const int64_t lanes = j->st->engine->lanes, end = first + count;
  size_t element = j->call->plan->problem.geo.element;
  bool in_place = j->st->band.elements == 0;
  for (int64_t at = first; at < end;) {
    int64_t vectors = next_vectors(j->st, end - at), taken = cb_min(end - at, vectors * lanes);
    if (in_place && taken > lanes && at - first + taken < vectors * lanes) {
      taken -= taken % lanes;
      vectors = taken / lanes;
    }
    int64_t skip = in_place ? vectors * lanes - taken : 0;
    bool copied = skip > at - first;
    if (copied) skip = 0;
    lane_tile lane = {cb_at(j->band, j->rows[at] - skip, element), copied, (int)vectors, skip, taken, j->position[at]};
    if (copied) {
      pack_spare(j, walks, lane.pixels, taken);
      lane.pixels = j->spare;
    } else if (skip && o->bare) {
      lane.count += skip;
      lane.position -= skip;
      lane.skip = 0;
    }
    at += taken;
    if (j->st->pixel_vectors < 3 && at < end) ask_lanes(walks, cb_at(j->band, j->rows[at], element), element);
    run_tile(o, &lane);
  }
}

/* Makes the products of panels [first, last) with the walks of a box. */
static void make_products(outputs *o, int64_t first, int64_t last, const void *weights)
{
  static const int32_t neighbours[CB_MAX_ROWS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  const cb_map *st = o->job->st;
  const cb_walks *walks = o->walks;
  const size_t element = o->job->call->plan->problem.geo.element;
  const int64_t full = (int64_t)CB_PANEL_VECTORS * st->engine->lanes, q = cb_map_panel_steps(st, o->job->gather);
  const cb_panel end = cb_panel_at(st->engine, st->outputs, last - 1);
  const int64_t whole = last - first - (end.count < full), from = first * full;
  const cb_product any = {.engine = st->engine,
                          .element = element,
                          .row = st->direct_weights ? st->row : neighbours,
                          .a_hop = st->direct_weights ? st->row[1] : 1,
                          .walk = {.cut = walks->cut, .chunks = walks->chunks}};
  o->products = 0;
  if (st->direct_weights) {
    cb_product *p = &o->product[o->products++];
    *p = any;
    p->a = cb_at(weights, from * st->row[1], element);
    p->walk.a = o->job->phase->weight;
    p->rows = end.first + end.count - from;
    o->store[0] = cb_map_store(o->job, from, 0);
  } else if (whole) {
    cb_product *p = &o->product[o->products++];
    *p = any;
    p->a = cb_at(weights, cb_panel_offset(st->engine, q, first), element);
    p->walk.a = walks->lane[CB_PANEL_VECTORS];
    p->rows = full;
    p->batch.count = whole;
    p->batch.a = cb_panel_offset(st->engine, q, 1);
    p->batch.c = full * o->job->plane;
    p->batch.bias = full;
    o->store[0] = cb_map_store(o->job, from, 0);
  }
  if (!st->direct_weights && end.count < full) {
    cb_product *p = &o->product[o->products];
    *p = any;
    p->a = cb_at(weights, cb_panel_offset(st->engine, q, last - 1), element);
    p->walk.a = walks->lane[end.vectors];
    p->rows = end.count;
    o->store[o->products++] = cb_map_store(o->job, end.first, 0);
  }
}

/* True if kernels may store whole tiles into the output: it overwrites, without an epilogue, pixels side by side. */
static bool stores_itself(const cb_map_tiles *j)
{
  const cb_call *call = j->call;
  bool bare = j->stage || (!call->bias && !call->residual && !call->accumulate && !call->bounds);
  return bare && j->gather->axis[2].out_step == 1;
}

void cb_map_pixels(const cb_map_tiles *j, int64_t first, int64_t last, const void *weights)
{
  const int64_t step = j->gather->axis[2].out_step;
  outputs o = {.job = j, .bare = stores_itself(j)};
  for (int i = 0; i < j->parts; i++) {
    int64_t p = j->part[i].first, end = p + j->part[i].count;
    o.walks = j->part[i].walks;
    o.past = j->st->past && o.bare && o.walks->chunks == 1 && j->plane % j->st->engine->lanes == 0;
    make_products(&o, first, last, weights);
    for (int b = 0; b < o.products; b++) {
      o.store[b].row_step = j->plane;
      o.store[b].lane_step = step;
      o.store[b].bias_rows = true;
    }
    while (p < end) {
      int64_t length = 1;
      while (p + length < end && j->rows[p + length] == j->rows[p] + length &&
             j->position[p + length] == j->position[p] + length * step)
        length++;
      run_stretch(&o, p, length);
      p += length;
    }
  }
}
