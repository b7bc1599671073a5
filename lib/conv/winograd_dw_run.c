/*
 * winograd*, weight gradient: what a call does.
 *
 *     for each block of tiles                               a round
 *       V and D                                             tasks: vectors of channels, of filters; stretches of tiles
 *       for each point: sums (+)= D V, leaves joined        tasks: points, some of the filters
 *     or, where a leaf's sums are small                     a round: some leaves
 *       each leaf, some tiles at a time: V, D, sums += D V  tasks: leaves
 *       leaves joined                                       tasks: points, some of the filters
 *     once: sums to taps, again if not finite, to dw        tasks: vectors of filters, some of the channels
 */
#include "base/memory.h"
#include "base/size.h"
#include "conv/winograd_dw.h"
#include <math.h>
#include <string.h>

enum { TURNS = 4 /* the least tasks a thread, where there is so much to share out */ };

/* The block of a round. */
typedef struct {
  int64_t first, tiles; /* the block's first tile, of all tiles; how many tiles it has */
} block_view;

static block_view block_of(const cb_call *call)
{
  const cb_winograd_dw_plan *st = call->plan->state;
  const int64_t all = cb_winograd_dw_tiles(st, call->n), first = call->round * st->block;
  return (block_view){first, cb_min(st->block, all - first)};
}

/* The number of parts that each of `tasks` tasks is cut into, so that the team has enough of them; at most `most`. */
static int64_t parts_for(const cb_call *call, int64_t tasks, int64_t most)
{
  return cb_max(1, cb_min(most, cb_ceil_div(TURNS * call->plan->team, tasks)));
}

/* Neighbouring tiles of one image: whole rows of them, or a part of one row. */
typedef struct {
  int64_t image, row, rows, column, tiles; /* tiles: how many in each row */
} stretch;

/* The stretch that begins at tile `at` and ends before `end`. */
static stretch stretch_at(const cb_winograd_dw_plan *st, int64_t at, int64_t end)
{
  const int64_t wide = st->tiles[1], row = at / wide % st->tiles[0], column = at % wide;
  stretch s = {.image = at / wide / st->tiles[0], .row = row, .rows = 1, .column = column};
  s.tiles = cb_min(cb_min(wide - column, end - at), CB_WINOGRAD_PIECE);
  if (s.tiles == wide) {
    s.rows = cb_min((end - at) / wide, st->tiles[0] - row);
    s.rows = cb_min(s.rows, cb_max(1, CB_WINOGRAD_PIECE / wide));
  }
  return s;
}

/* A side of the product: x, whose tiles overlap, or dy. */
typedef struct {
  const void *from;
  int64_t channels, plane, size[2], first[2]; /* channels of a group; plane, size and first position of a channel */
  int64_t margin[2];                          /* elements of a tile beyond the step to the next */
  void (*transform)(const cb_winograd_inputs *inputs);
  int64_t point_pitch;
  char *to;
} side;

static side side_x(const cb_call *call)
{
  const cb_winograd_dw_plan *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  return (side){.from = call->x,
                .channels = geo->cg,
                .plane = geo->image,
                .size = {geo->axis[1].in, geo->axis[2].in},
                .first = {st->first[0], st->first[1]},
                .margin = {st->square ? 2 : 0, 2},
                .transform = st->kernels->form[st->square ? CB_WINOGRAD_2X2 : CB_WINOGRAD_2].inputs,
                .point_pitch = st->v_pitch,
                .to = call->shared};
}

static side side_dy(const cb_call *call)
{
  const cb_winograd_dw_plan *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  return (side){.from = call->dy,
                .channels = geo->kg,
                .plane = geo->p,
                .size = {geo->axis[1].out, geo->axis[2].out},
                .transform = st->square ? st->dw->pieces_square : st->dw->pieces_line,
                .point_pitch = st->d_pitch,
                .to = call->shared + st->d_at};
}

/* Transforms a stretch's tiles of channels [c, c + L) of group ig, to places of the block from `place` on. */
static void transform_stretch(const cb_call *call, const side *of, const stretch *s, int64_t ig, int64_t c,
                              int64_t place, char *scratch)
{
  const cb_winograd_dw_plan *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  const int64_t lanes = st->dw->lanes, columns = s->tiles * st->step[1] + of->margin[1];
  const int64_t channel = (s->image * geo->g + ig) * of->channels + c;
  st->kernels->open_band(&(cb_winograd_band){.from = cb_at(of->from, channel * of->plane, geo->element),
                                             .plane = of->plane,
                                             .channels = cb_min(lanes, of->channels - c),
                                             .height = of->size[0],
                                             .width = of->size[1],
                                             .row = s->row * st->step[0] + of->first[0],
                                             .column = s->column * st->step[1] + of->first[1],
                                             .rows = s->rows * st->step[0] + of->margin[0],
                                             .columns = columns,
                                             .to = scratch});
  const int64_t group = st->near ? 0 : ig * of->point_pitch * st->points, vector = c / lanes * st->pitch;
  for (int64_t r = 0; r < s->rows; r++)
    of->transform(
        &(cb_winograd_inputs){.band = cb_at(scratch, r * st->step[0] * columns * lanes, geo->element),
                              .pitch = columns,
                              .tiles = s->tiles,
                              .columns = scratch + st->columns_at,
                              .to = cb_at_mut(of->to, group + vector + (place + r * s->tiles) * lanes, geo->element),
                              .point_pitch = of->point_pitch});
}

static int64_t transform_parts(const cb_call *call)
{
  const cb_winograd_dw_plan *st = call->plan->state;
  return parts_for(call, call->plan->problem.geo.g * (st->c_vectors + st->k_vectors),
                   st->block / CB_WINOGRAD_TILE_CHAIN);
}

/* task = (part * groups + group) * vectors + vector; vectors of channels come first, then those of filters. */
static void transform(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_winograd_dw_plan *st = call->plan->state;
  const int64_t vectors = st->c_vectors + st->k_vectors, vector = task % vectors, parts = transform_parts(call);
  const int64_t groups = call->plan->problem.geo.g, ig = task / vectors % groups, part = task / vectors / groups;
  const block_view b = block_of(call);
  const bool of_x = vector < st->c_vectors;
  const side of = of_x ? side_x(call) : side_dy(call);
  const int64_t c = (of_x ? vector : vector - st->c_vectors) * st->dw->lanes;
  const int64_t end = b.first + cb_split(b.tiles, parts, part + 1);
  for (int64_t at = b.first + cb_split(b.tiles, parts, part); at < end;) {
    const stretch s = stretch_at(st, at, end);
    transform_stretch(call, &of, &s, ig, c, at - b.first, cb_scratch(call, worker));
    at += s.rows * s.tiles;
  }
}

static void *sums_at(const cb_call *call, int64_t slot, int64_t ig, int64_t point)
{
  const cb_winograd_dw_plan *st = call->plan->state;
  char *sums = call->shared + st->sums_at + (size_t)slot * st->slot_bytes;
  return cb_at_mut(sums, ig * st->sums_group + point * st->sums_pitch, call->plan->problem.geo.element);
}

/* Number of partial sums that wait when a leaf begins: the ones among the bits of its number. */
static int64_t waiting(int64_t leaf)
{
  int64_t ones = 0;
  for (; leaf; leaf &= leaf - 1) ones++;
  return ones;
}

/* Joins leaf `leaf`, whose sums of some filters are in its slot, with those that wait for it. */
static void join_leaf(const cb_call *call, int64_t leaf, bool last, int64_t ig, int64_t p, int64_t at, int64_t elements)
{
  const cb_winograd_dw_plan *st = call->plan->state;
  const size_t element = call->plan->problem.geo.element;
  int64_t slot = waiting(leaf);
  for (int64_t left = leaf; slot > 0 && (last || left % 2); left /= 2, slot--)
    st->dw->join(cb_at_mut(sums_at(call, slot - 1, ig, p), at, element), cb_at(sums_at(call, slot, ig, p), at, element),
                 elements);
}

static int64_t multiply_parts(const cb_call *call)
{
  const cb_winograd_dw_plan *st = call->plan->state;
  return parts_for(call, call->plan->problem.geo.g * st->points, cb_ceil_div(st->k_vectors, 3));
}

/* task = (group * points + point) * parts + part, a part being some of the filters. */
static void multiply(void *context, int64_t task, int worker)
{
  (void)worker;
  const cb_call *call = context;
  const cb_winograd_dw_plan *st = call->plan->state;
  const size_t element = call->plan->problem.geo.element;
  const int64_t parts = multiply_parts(call), part = task % parts, p = task / parts % st->points;
  const int64_t ig = task / parts / st->points, lanes = st->dw->lanes;
  const int64_t from = cb_split(st->k_vectors, parts, part), to = cb_split(st->k_vectors, parts, part + 1);
  const int64_t filter = st->c_vectors * lanes * lanes; /* elements of the sums of a vector of filters */
  const block_view b = block_of(call);
  const int64_t leaf = b.first / CB_WINOGRAD_LEAF, end = b.first + b.tiles;
  st->dw->multiply(&(cb_winograd_pairs){
      .v = cb_at(call->shared, ig * st->v_group + p * st->v_pitch, element),
      .d = cb_at(call->shared + st->d_at, ig * st->d_group + p * st->d_pitch + from * st->pitch, element),
      .pitch = st->pitch,
      .channels = st->c_vectors * lanes,
      .tiles = b.tiles,
      .vectors = to - from,
      .sums = cb_at_mut(sums_at(call, waiting(leaf), ig, p), from * filter, element),
      .sums_pitch = filter,
      .add = b.first % CB_WINOGRAD_LEAF != 0});
  const bool last = end == cb_winograd_dw_tiles(st, call->n);
  if (last || end % CB_WINOGRAD_LEAF == 0) join_leaf(call, leaf, last, ig, p, from * filter, (to - from) * filter);
}

/* Transforms tiles [from, end) of a side into the thread's scratch. */
static void open_near(const cb_call *call, const side *of, int64_t ig, int64_t from, int64_t end, char *scratch)
{
  const cb_winograd_dw_plan *st = call->plan->state;
  for (int64_t c = 0; c < of->channels; c += st->dw->lanes)
    for (int64_t at = from; at < end;) {
      const stretch s = stretch_at(st, at, end);
      transform_stretch(call, of, &s, ig, c, at - from, scratch);
      at += s.rows * s.tiles;
    }
}

/* task = leaf of the round * groups + group. */
static void sum_near(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_winograd_dw_plan *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  const int64_t ig = task % geo->g, place = task / geo->g, lanes = st->dw->lanes;
  const int64_t first = (call->round * st->round_leaves + place) * CB_WINOGRAD_LEAF;
  const int64_t last = cb_min(first + CB_WINOGRAD_LEAF, cb_winograd_dw_tiles(st, call->n));
  char *scratch = cb_scratch(call, worker);
  side x = side_x(call), dy = side_dy(call);
  x.to = scratch + st->near_at;
  dy.to = cb_at_mut(x.to, st->points * st->v_pitch, geo->element);
  for (int64_t from = first; from < last; from += st->block) {
    const int64_t end = cb_min(last, from + st->block);
    open_near(call, &x, ig, from, end, scratch);
    open_near(call, &dy, ig, from, end, scratch);
    for (int64_t p = 0; p < st->points; p++)
      st->dw->multiply(&(cb_winograd_pairs){.v = cb_at(x.to, p * st->v_pitch, geo->element),
                                            .d = cb_at(dy.to, p * st->d_pitch, geo->element),
                                            .pitch = st->pitch,
                                            .channels = st->c_vectors * lanes,
                                            .tiles = end - from,
                                            .vectors = st->k_vectors,
                                            .sums = sums_at(call, st->slots + place, ig, p),
                                            .sums_pitch = st->c_vectors * lanes * lanes,
                                            .add = from > first});
  }
}

/* Number of leaves of the call. */
static int64_t leaves_of(const cb_call *call)
{
  const cb_winograd_dw_plan *st = call->plan->state;
  return cb_ceil_div(cb_winograd_dw_tiles(st, call->n), CB_WINOGRAD_LEAF);
}

/* task = (group * points + point) * parts + part, a part being some of the filters. */
static void join_near(void *context, int64_t task, int worker)
{
  (void)worker;
  const cb_call *call = context;
  const cb_winograd_dw_plan *st = call->plan->state;
  const size_t element = call->plan->problem.geo.element;
  const int64_t parts = multiply_parts(call), part = task % parts, p = task / parts % st->points;
  const int64_t ig = task / parts / st->points, filter = st->c_vectors * st->dw->lanes * st->dw->lanes;
  const int64_t at = cb_split(st->k_vectors, parts, part) * filter;
  const int64_t elements = cb_split(st->k_vectors, parts, part + 1) * filter - at;
  const int64_t first = call->round * st->round_leaves, end = cb_min(leaves_of(call), first + st->round_leaves);
  for (int64_t leaf = first; leaf < end; leaf++) {
    memcpy(cb_at_mut(sums_at(call, waiting(leaf), ig, p), at, element),
           cb_at(sums_at(call, st->slots + leaf - first, ig, p), at, element), (size_t)elements * element);
    join_leaf(call, leaf, leaf + 1 == leaves_of(call), ig, p, at, elements);
  }
}

static bool all_finite(const cb_call *call, const void *stage, int64_t c, int64_t lane)
{
  const cb_winograd_dw_plan *st = call->plan->state;
  for (int64_t t = 0; t < st->taps; t++) {
    const int64_t at = (c * st->taps + t) * st->dw->lanes + lane;
    if (!isfinite(call->plan->problem.geo.element == 8 ? ((const double *)stage)[at]
                                                       : (double)((const float *)stage)[at]))
      return false;
  }
  return true;
}

/* Computes again, by the definition, what is not finite in the stage of filters [k, k + count) of the group and
   channels [c0, c1). */
static void repair(const cb_call *call, int64_t ig, int64_t k, int64_t count, int64_t c0, int64_t c1, void *stage)
{
  const cb_winograd_dw_plan *st = call->plan->state;
  for (int64_t c = 0; c < c1 - c0; c++)
    for (int64_t l = 0; l < count; l++)
      if (!all_finite(call, stage, c, l))
        cb_winograd_dw_directly(call, ig, k + l, c0 + c,
                                cb_at_mut(stage, c * st->taps * st->dw->lanes + l, call->plan->problem.geo.element),
                                st->dw->lanes);
}

/* task = (group * vectors + vector) * parts + part, a part being some of the channels. The last round alone does it. */
static void finish(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_winograd_dw_plan *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  if (call->round + 1 < call->rounds) return;
  const int64_t lanes = st->dw->lanes, parts = cb_ceil_div(geo->cg, CB_WINOGRAD_STAGE);
  const int64_t c0 = task % parts * CB_WINOGRAD_STAGE, c1 = cb_min(geo->cg, c0 + CB_WINOGRAD_STAGE);
  const int64_t vector = task / parts % st->k_vectors, ig = task / parts / st->k_vectors;
  const int64_t k = vector * lanes, count = cb_min(lanes, geo->kg - k);
  char *stage = (char *)cb_scratch(call, worker) + st->stage_at;
  const cb_winograd_taps back = {
      .from = cb_at(sums_at(call, 0, ig, 0), (vector * st->c_vectors * lanes + c0) * lanes, geo->element),
      .point_pitch = st->sums_pitch,
      .channels = c1 - c0,
      .turned = {st->turned[0], st->turned[1]},
      .to = stage};
  if (call->n == 0)
    memset(stage, 0, (size_t)((c1 - c0) * st->taps * lanes) * geo->element);
  else if (!(st->square ? st->dw->gradients_square : st->dw->gradients_line)(&back))
    repair(call, ig, k, count, c0, c1, stage);
  st->engine->store(&(cb_store){.c = stage,
                                .ldc = lanes,
                                .m = (c1 - c0) * st->taps,
                                .count = count,
                                .out = cb_at_mut(call->out, (ig * geo->kg + k) * geo->q + c0 * st->taps, geo->element),
                                .row_step = 1,
                                .lane_step = geo->q,
                                .add = call->accumulate});
}

void cb_winograd_dw_work(cb_call *call)
{
  const cb_winograd_dw_plan *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  const int64_t points = geo->g * st->points * multiply_parts(call);
  call->rounds = cb_max(1, st->near ? cb_ceil_div(leaves_of(call), st->round_leaves)
                                    : cb_ceil_div(cb_winograd_dw_tiles(st, call->n), st->block));
  if (call->n && st->near) {
    cb_call_add(call, geo->g * cb_min(leaves_of(call), st->round_leaves), sum_near);
    cb_call_add(call, points, join_near);
  } else if (call->n) {
    cb_call_add(call, geo->g * (st->c_vectors + st->k_vectors) * transform_parts(call), transform);
    cb_call_add(call, points, multiply);
  }
  cb_call_add(call, geo->g * st->k_vectors * cb_ceil_div(geo->cg, CB_WINOGRAD_STAGE), finish);
}
