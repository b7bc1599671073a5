/*
 * implicit_gemm, weight gradient: what a call does. A job opens its blocks one by one, packs their lanes, and their rows
 * where the plan says so, adds their tiles to the sums of their leaf and joins the leaves; implicit_dw.c says what a job is.
 */
#include "base/memory.h"
#include "conv/implicit_dw.h"
#include "conv/sum_tree.h"
#include <string.h>

enum { WEIGHT_CHUNK = 256 /* the most pixels of one chain of sums: its error stays within twice im2col's */ };

/* What a job owns of dw, or of a segment's partial result. */
typedef struct {
  const cb_call *call;
  int64_t ig;
  int64_t leaves;             /* leaves of the call's tree */
  int64_t segments;           /* subtrees of the call, which jobs own */
  int64_t segment;            /* this job's subtree */
  int64_t panel0, panel1;     /* this job's panels of lanes, [panel0, panel1) */
  int64_t channel0, channel1; /* this job's channels of the group, on the rows, [channel0, channel1) */
  cb_block_range opened;      /* the block whose tables of taps are in the scratch */
  char *scratch;
} job;

/* One block of pixels, its band filled. */
typedef struct {
  const job *job;
  const void *band;
  const int32_t *rows;
  const int64_t *position; /* element of the lanes' array, from its first image and channel, of each pixel */
  int64_t pixels, image;
  int64_t row;              /* pixels of a row of the block */
  const cb_tap_walk *walks; /* [taps] the pixels that each tap reaches, if by_taps; else NULL */
} block_view;

/* Number of packed lanes of a pixel: with tiles of one tap always a whole panel's, so that one walk fits all panels. */
static int64_t lane_width(const cb_dw *st, const cb_panel *panel)
{
  return st->by_taps ? CB_PANEL_VECTORS * st->engine->lanes : panel->width;
}

/* Where the sums of a panel are made: in a slot, or in dw. */
typedef struct {
  void *at;
  int64_t pitch;
  bool add; /* sums are added to what is there */
} sums_view;

/* sums[channel, tap][lane] (+)= the block's part: all pixels with all taps, or each tap with the pixels that it
   reaches. */
static void add_block(const block_view *view, const cb_panel *panel, const void *lanes, const sums_view *sums)
{
  const cb_geometry *geo = &view->job->call->plan->problem.geo;
  const cb_dw *st = view->job->call->plan->state;
  const int64_t channels = view->job->channel1 - view->job->channel0, walks = view->walks ? geo->taps : 1;
  const cb_tap_walk all = {view->pixels, view->rows, st->hops.hop[panel->vectors]};
  int32_t cut[CB_MAX_CHUNK_STEPS / WEIGHT_CHUNK + 1];
  cb_product product = {.engine = st->engine,
                        .element = geo->element,
                        .a = view->band,
                        .b = lanes,
                        .rows = channels * geo->taps / walks,
                        .vectors = panel->vectors,
                        .ldc = walks * sums->pitch,
                        .add = sums->add};
  for (int64_t t = 0; t < walks; t++) {
    const cb_tap_walk *walk = view->walks ? &view->walks[t] : &all;
    product.walk = (cb_walk){walk->band, walk->lanes, cut, cb_parts(walk->count, WEIGHT_CHUNK)};
    cb_chunks_cut(walk->count, product.walk.chunks, cut);
    product.row = st->tap + t * st->gather.channels;
    product.c = cb_at_mut(sums->at, t * sums->pitch, geo->element);
    cb_product_run(&product);
  }
}

/* True if each tap reaches the same pixels of both blocks. */
static bool same_reach(const cb_dw *st, const cb_block_range *a, const cb_block_range *b)
{
  if (a->images != b->images) return false;
  for (int i = 0; i < 3; i++) {
    if (a->count[i] != b->count[i]) return false;
    if (a->first[i] == b->first[i]) continue;
    if (cb_min(a->first[i], b->first[i]) < st->inner[i][0]) return false;
    if (cb_max(a->first[i], b->first[i]) + a->count[i] > st->inner[i][1]) return false;
  }
  return true;
}

/* Fills the walks of every tap over the block's pixels. */
static void open_taps(const job *j, const cb_gather *gather, const cb_block_range *block)
{
  const cb_dw *st = j->call->plan->state;
  const int32_t width = CB_PANEL_VECTORS * st->engine->lanes;
  cb_tap_walk *walks = (cb_tap_walk *)(j->scratch + st->walks_at);
  int32_t *room = (int32_t *)(walks + gather->taps);
  for (int64_t t = 0; t < gather->taps; t++) {
    const cb_box box = cb_dw_reach(gather, t);
    const cb_block_range part = cb_box_in_block(&box, block);
    int32_t *band = room, *lanes = room + st->band.pixels;
    walks[t] = (cb_tap_walk){part.images * part.count[0] * part.count[1] * part.count[2], band, lanes};
    room += 2 * st->band.pixels;
    cb_band_rows(gather, &st->band, block->first, &part, band);
    for (int64_t in = 0; in < part.images; in++)
      for (int64_t d = part.first[0] - block->first[0]; d < part.first[0] - block->first[0] + part.count[0]; d++)
        for (int64_t h = part.first[1] - block->first[1]; h < part.first[1] - block->first[1] + part.count[1]; h++) {
          int64_t row = ((in * block->count[0] + d) * block->count[1] + h) * block->count[2];
          int64_t at = row + part.first[2] - block->first[2];
          for (int64_t w = 0; w < part.count[2]; w++) *lanes++ = (int32_t)(at + w) * width;
        }
  }
}

/* Fills the band (or points into x) and the pixel tables of block b, for the job's channels. *last is the block whose
   tables of taps are in the scratch. */
static block_view open_block(const job *j, int64_t b, cb_block_range *last)
{
  const cb_geometry *geo = &j->call->plan->problem.geo;
  const cb_dw *st = j->call->plan->state;
  cb_gather part = st->gather;
  cb_block_range block = cb_band_block(&part, &st->band, j->call->n, b);
  int64_t channel = block.image * st->rows_all + j->ig * st->rows_each + j->channel0;
  const bool flat = cb_geometry_is_pointwise(geo);
  int64_t plane[3];
  for (int i = 0; i < 3; i++) plane[i] = st->swapped && !flat ? geo->axis[i].in : part.axis[i].outs;
  int32_t *rows = (int32_t *)(j->scratch + st->rows_at);
  int64_t *position = (int64_t *)(j->scratch + st->position_at);
  int64_t pixels = block.images * block.count[0] * block.count[1] * block.count[2];
  part.channels = j->channel1 - j->channel0;
  cb_band_rows(&part, &st->band, block.first, &block, rows);
  cb_band_positions(&part, &block, plane, (int64_t[3]){0, 0, 0}, st->lanes_all * st->lanes_plane, position);
  const void *source = st->swapped ? j->call->dy : j->call->x;
  const void *band = cb_band_open(&part, &st->band, &block, cb_at(source, channel * st->rows_plane, geo->element),
                                  st->rows_all * st->rows_plane, geo->element, j->scratch);
  if (st->by_taps && !same_reach(st, last, &block)) open_taps(j, &part, &block);
  *last = block;
  return (block_view){
      j,      band,        rows,           position,
      pixels, block.image, block.count[2], st->by_taps ? (const cb_tap_walk *)(j->scratch + st->walks_at) : NULL};
}

/* The place of the job's sums of one panel: in dw, or in its segment's partial result. The steps are those of a
   store. */
static void *destination(const job *j, const cb_panel *panel, int64_t *row_step, int64_t *lane_step)
{
  const cb_geometry *geo = &j->call->plan->problem.geo;
  const cb_dw *st = j->call->plan->state;
  void *out = j->segments > 1 ? cb_at_mut(j->call->shared, j->segment * geo->k * geo->q, geo->element) : j->call->out;
  *row_step = st->swapped ? geo->q : 1;
  *lane_step = st->swapped ? 1 : geo->q;
  int64_t at = panel->first * *lane_step + j->channel0 * geo->taps * *row_step;
  return cb_at_mut(out, j->ig * geo->kg * geo->q + at, geo->element);
}

/* True if the kernel stores a panel's sums at their destination itself: lanes lie side by side, nothing is added to,
   and the job has one block. */
static bool stores_in_place(const job *j, const cb_panel *panel)
{
  const cb_dw *st = j->call->plan->state;
  bool one_block = j->leaves == j->segments && cb_band_blocks(&st->band, j->call->n) <= j->leaves;
  return st->swapped && one_block && !st->packs_rows && panel->count == panel->width &&
         (j->segments > 1 || !j->call->accumulate);
}

/* Stores the job's sums of one panel at their destination. */
static void store_panel(const job *j, const cb_panel *panel, const void *sums)
{
  const cb_geometry *geo = &j->call->plan->problem.geo;
  cb_store store = {.c = sums,
                    .ldc = panel->width,
                    .m = (j->channel1 - j->channel0) * geo->taps,
                    .count = panel->count,
                    .add = j->segments == 1 && j->call->accumulate};
  store.out = destination(j, panel, &store.row_step, &store.lane_step);
  const cb_dw *st = j->call->plan->state;
  st->engine->store(&store);
}

/* Leaves of a call's tree: a call of fewer images than the plan's may have fewer blocks than the plan has leaves. */
static int64_t leaves_of(const cb_call *call)
{
  const cb_dw *st = call->plan->state;
  return cb_power_of_two(cb_min(st->leaves, cb_band_blocks(&st->band, call->n)));
}

/* task = ((segment * groups + group) * channel groups + channel group) * panel groups + panel group: jobs that follow
   each other read the same channels. With panel groups slowest a stride-2 layer of 49 pixels took a third longer. */
static job job_of(const cb_call *call, int64_t task, int worker)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_dw *st = call->plan->state;
  int64_t leaves = leaves_of(call);
  int64_t panels = task % st->panel_groups, channels = task / st->panel_groups % st->channel_groups;
  task /= st->panel_groups * st->channel_groups;
  return (job){.call = call,
               .ig = task % geo->g,
               .leaves = leaves,
               .segments = cb_min(leaves, call->plan->tiling.segments),
               .segment = task / geo->g,
               .panel0 = cb_split(st->panels, st->panel_groups, panels),
               .panel1 = cb_split(st->panels, st->panel_groups, panels + 1),
               .channel0 = cb_split(st->rows_each, st->channel_groups, channels),
               .channel1 = cb_split(st->rows_each, st->channel_groups, channels + 1),
               .opened = {.images = -1},
               .scratch = cb_scratch(call, worker)};
}

/* The sums of panel p in a slot of the job. */
static void *sums_of(const job *j, int64_t p, int slot)
{
  const cb_dw *st = j->call->plan->state;
  return j->scratch + st->sums_at + (size_t)slot * st->slot_bytes + (size_t)(p - j->panel0) * st->sums_bytes;
}

/* The packed lanes of panel p in the job's scratch. */
static void *lanes_of(const job *j, int64_t p)
{
  const cb_dw *st = j->call->plan->state;
  return j->scratch + st->lanes_at + (size_t)((p - j->panel0) % st->kept_panels) * st->lanes_bytes;
}

/* Gathers the block's pixels of `count` channels, which lie at a stride from `from` on, at the place of a thread's gathered pixels:
   [channel][pixel]. Returns the place. */
static const void *gather_lanes(const block_view *view, const void *from, int64_t count)
{
  const cb_dw *st = view->job->call->plan->state;
  const cb_geometry *geo = &view->job->call->plan->problem.geo;
  void *gathered = view->job->scratch + st->gathered_at;
  for (int64_t channel = 0; channel < count; channel++)
    for (int64_t pixel = 0; pixel < view->pixels; pixel += view->row)
      st->engine->take_every(cb_at_mut(gathered, channel * view->pixels + pixel, geo->element),
                             cb_at(from, channel * st->lanes_plane + view->position[pixel], geo->element),
                             geo->axis[2].stride, view->row);
  return gathered;
}

/* Packs the block's lanes of panel p. */
static void pack_lanes(const block_view *view, int64_t p)
{
  const job *j = view->job;
  const cb_geometry *geo = &j->call->plan->problem.geo;
  const cb_dw *st = j->call->plan->state;
  const cb_panel panel = cb_panel_at(st->engine, st->lanes_each, p);
  const void *from = st->swapped ? j->call->x : j->call->dy;
  const int64_t channel = view->image * st->lanes_all + j->ig * st->lanes_each + panel.first;
  const void *at = cb_at(from, channel * st->lanes_plane, geo->element);
  if (st->lanes_strided)
    st->engine->pack_lanes(lanes_of(j, p), gather_lanes(view, at, panel.count), view->pixels, view->pixels, panel.count,
                           lane_width(st, &panel));
  else
    cb_panel_pack_places(st->engine, lanes_of(j, p), at, view->position, view->pixels, st->lanes_plane, panel.count,
                         lane_width(st, &panel), geo->element);
}

/* Adds one block's part to the sums of panel p in a slot, rows read in place; `first`: the sums hold nothing yet. */
static void add_panel(const block_view *view, int64_t p, int slot, bool first)
{
  const job *j = view->job;
  const cb_dw *st = j->call->plan->state;
  const cb_panel panel = cb_panel_at(st->engine, st->lanes_each, p);
  sums_view sums = {sums_of(j, p, slot), panel.width, !first};
  int64_t lane_step;
  if (stores_in_place(j, &panel)) sums.at = destination(j, &panel, &sums.pitch, &lane_step);
  add_block(view, &panel, lanes_of(j, p), &sums);
}

/* Channels on the rows that are packed at a time, [first, first + count) of the job's. */
typedef struct {
  int64_t first, count;
} channel_part;

/* Fills ends[] with the ends of the block's stretches of pixels whose elements lie side by side; returns their number. */
static int64_t find_stretches(const block_view *view, int32_t *ends)
{
  int64_t n = 0;
  for (int64_t i = 1; i <= view->pixels; i++)
    if (i == view->pixels || view->rows[i] != view->rows[i - 1] + 1) ends[n++] = (int32_t)i;
  return n;
}

/* Packs the rows of some channels: [tile][pixels][rows of the tile]. */
static void pack_part(const block_view *view, channel_part part, const int32_t *ends, int64_t stretches)
{
  const job *j = view->job;
  const cb_dw *st = j->call->plan->state;
  const size_t element = j->call->plan->problem.geo.element;
  const int64_t tiles = cb_parts(part.count, st->engine->packed_rows),
                pitch = st->gather.q > 1 ? st->tap[1] - st->tap[0] : 0;
  for (int64_t t = 0; t < tiles; t++) {
    const int64_t first = cb_split(part.count, tiles, t), m = cb_split(part.count, tiles, t + 1) - first;
    char *to = cb_at_mut(j->scratch + st->packed_at, first * view->pixels, element);
    const void *from = cb_at(view->band, st->tap[part.first + first], element);
    for (int64_t i = 0, pixel = 0; i < stretches; pixel = ends[i++])
      st->engine->pack_rows(cb_at_mut(to, pixel * m, element), cb_at(from, view->rows[pixel], element), pitch,
                            ends[i] - pixel, m);
  }
}

/* Adds the packed part's products with the packed lanes of panel p to the sums in a slot. */
static void add_packed(const block_view *view, int64_t p, int slot, bool first, channel_part part)
{
  const job *j = view->job;
  const cb_dw *st = j->call->plan->state;
  const size_t element = j->call->plan->problem.geo.element;
  const cb_panel panel = cb_panel_at(st->engine, st->lanes_each, p);
  const int64_t tiles = cb_parts(part.count, st->engine->packed_rows), chunks = cb_parts(view->pixels, WEIGHT_CHUNK);
  for (int64_t t = 0; t < tiles; t++) {
    const int64_t row = cb_split(part.count, tiles, t), m = cb_split(part.count, tiles, t + 1) - row;
    const void *rows = cb_at(j->scratch + st->packed_at, row * view->pixels, element);
    cb_packed_tile tile = {.c = cb_at_mut(sums_of(j, p, slot), (part.first + row) * panel.width, element),
                           .ldc = panel.width};
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
      const int64_t from = cb_split(view->pixels, chunks, chunk);
      tile.weights = cb_at(rows, from * m, element);
      tile.sliver = cb_at_mut(lanes_of(j, p), from * panel.width, element);
      tile.steps = cb_split(view->pixels, chunks, chunk + 1) - from;
      tile.before = first && chunk == 0 ? NULL : tile.c;
      st->engine->packed[panel.vectors][m](&tile);
    }
  }
}

/* Adds one block's part to the sums of all panels in a slot, part by part of the rows. */
static void run_packed(const block_view *view, int slot, bool first)
{
  const job *j = view->job;
  const cb_dw *st = j->call->plan->state;
  const int64_t channels = j->channel1 - j->channel0;
  int32_t *ends = (int32_t *)(j->scratch + st->ends_at);
  const int64_t stretches = find_stretches(view, ends);
  for (int64_t p0 = j->panel0; p0 < j->panel1; p0 += st->kept_panels) {
    const int64_t p1 = cb_min(p0 + st->kept_panels, j->panel1);
    for (int64_t p = p0; p < p1; p++) pack_lanes(view, p);
    for (int64_t c = 0; c < channels; c += st->part_channels) {
      const channel_part part = {c, cb_min(st->part_channels, channels - c)};
      pack_part(view, part, ends, stretches);
      for (int64_t p = p0; p < p1; p++) add_packed(view, p, slot, first, part);
    }
  }
}

/* Adds one block's part to the sums of all panels in a slot, panel by panel. */
static void run_in_place(const block_view *view, int slot, bool first)
{
  const job *j = view->job;
  for (int64_t p = j->panel0; p < j->panel1; p++) {
    pack_lanes(view, p);
    add_panel(view, p, slot, first);
  }
}

/* slot = the sum of the leaf's blocks, added in order. */
static void sum_leaf(void *context, int64_t leaf, int slot)
{
  job *j = context;
  const cb_dw *st = j->call->plan->state;
  int64_t blocks = cb_band_blocks(&st->band, j->call->n);
  int64_t first = cb_split(blocks, j->leaves, leaf), last = cb_split(blocks, j->leaves, leaf + 1);
  if (first == last) memset(sums_of(j, j->panel0, slot), 0, st->slot_bytes);
  for (int64_t b = first; b < last; b++) {
    block_view view = open_block(j, b, &j->opened);
    (st->packs_rows ? run_packed : run_in_place)(&view, slot, b == first);
  }
}

/* slot += slot + 1. */
static void join_slots(void *context, int slot)
{
  const job *j = context;
  const cb_dw *st = j->call->plan->state;
  for (int64_t p = j->panel0; p < j->panel1; p++) {
    cb_panel panel = cb_panel_at(st->engine, st->lanes_each, p);
    st->engine->store(&(cb_store){.c = sums_of(j, p, slot + 1),
                                  .ldc = panel.width,
                                  .m = (j->channel1 - j->channel0) * st->gather.taps,
                                  .count = panel.width,
                                  .out = sums_of(j, p, slot),
                                  .row_step = panel.width,
                                  .lane_step = 1,
                                  .add = true});
  }
}

static void run_job(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_dw *st = call->plan->state;
  job j = job_of(call, task, worker);
  int64_t each = j.leaves / j.segments;
  cb_tree_sum(&(cb_tree){&j, sum_leaf, join_slots}, j.segment * each, each, 0);
  for (int64_t p = j.panel0; p < j.panel1; p++) {
    cb_panel panel = cb_panel_at(st->engine, st->lanes_each, p);
    if (call->n == 0 || !stores_in_place(&j, &panel)) store_panel(&j, &panel, sums_of(&j, p, 0));
  }
}

void cb_dw_work(cb_call *call)
{
  const cb_dw *st = call->plan->state;
  int64_t segments = cb_min(leaves_of(call), call->plan->tiling.segments);
  cb_call_add(call, segments * call->plan->problem.geo.g * st->channel_groups * st->panel_groups, run_job);
  cb_tree_add_join(call, segments);
}
