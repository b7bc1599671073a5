/*
 * implicit_gemm, forward and input gradient: what a call does. Packing weights, sharing the jobs out, opening a job's
 * band, and putting its results where they belong; implicit_map.c says what a job is.
 */
#include "base/memory.h"
#include "conv/implicit_map.h"
#include "conv/implicit_map_state.h"
#include <string.h>

enum {
  AHEAD_BYTES = 4096,    /* bytes of weights that packing asks for early */
  FAR_PANEL = 256 << 10, /* the least bytes of a caller's panel that is copied */
  FAR_TILES = 3          /* the least tiles that walk a panel that is copied */
};

/* Number of filters that packing asks for early, so that about AHEAD_BYTES are under way: filters lie far apart. */
static int64_t filters_ahead(const cb_geometry *geo, int64_t count)
{
  return cb_max(1, AHEAD_BYTES / (count * geo->taps * (int64_t)geo->element));
}

/* Asks for the weights that pack_panel takes from a filter. */
static void prefetch_filter(const cb_geometry *geo, const char *filter, int64_t count)
{
  size_t bytes = (size_t)(count * geo->taps) * geo->element;
  for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(filter + at);
  __builtin_prefetch(filter + bytes - 1);
}

/* Packs a forward's panel of filters `from` on where some taps reach no output: brings the steps together, some filters
   at a time, before they are turned. */
static void pack_some_taps(const cb_map *st, const cb_geometry *geo, const char *from, const cb_panel *panel, void *to)
{
  enum { STEPS = 32 };
  const cb_gather *gather = &st->gather[0];
  double room[STEPS * CB_MAX_LANES];
  int64_t place[STEPS];
  for (int64_t q = 0; q < gather->q; q += STEPS) {
    const int64_t steps = cb_min(STEPS, gather->q - q);
    for (int64_t s = 0; s < steps; s++)
      place[s] = (q + s) / gather->taps * geo->taps + st->phase[0].tap[(q + s) % gather->taps];
    for (int64_t j = 0; j < panel->count; j++) {
      const char *filter = cb_at(from, j * geo->q, geo->element);
      char *row = cb_at_mut(room, j * steps, geo->element);
      for (int64_t s = 0; s < steps && geo->element == 4; s++) memcpy(row + s * 4, filter + place[s] * 4, 4);
      for (int64_t s = 0; s < steps && geo->element == 8; s++) memcpy(row + s * 8, filter + place[s] * 8, 8);
    }
    st->engine->pack_lanes(cb_at_mut(to, q * panel->width, geo->element), room, steps, steps, panel->count,
                           panel->width);
  }
}

/* Packs one step whose lanes lie `pitch` elements apart. */
static void pick_lanes(void *to, const void *from, int64_t pitch, const cb_panel *panel, size_t element)
{
  if (element == sizeof(float))
    for (int64_t j = 0; j < panel->count; j++) ((float *)to)[j] = ((const float *)from)[j * pitch];
  else
    for (int64_t j = 0; j < panel->count; j++) ((double *)to)[j] = ((const double *)from)[j * pitch];
  memset(cb_at_mut(to, panel->count, element), 0, (size_t)(panel->width - panel->count) * element);
}

/* panel[step][output] of phase i, group ig: outputs are filters (forward) or input channels, steps (channel, tap). */
static void pack_panel(const cb_call *call, int64_t i, int64_t ig, const cb_panel *panel, void *to)
{
  const cb_map *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_gather *gather = &st->gather[i];
  const void *w = cb_at(call->w, ig * geo->kg * geo->q, geo->element);
  if (call->plan->problem.direction == CNNBLAS_FORWARD && gather->taps != geo->taps) {
    pack_some_taps(st, geo, cb_at(w, panel->first * geo->q, geo->element), panel, to);
    return;
  }
  if (call->plan->problem.direction == CNNBLAS_FORWARD) {
    st->engine->pack_lanes(to, cb_at(w, panel->first * geo->q, geo->element), geo->q, geo->q, panel->count,
                           panel->width);
    return;
  }
  const int64_t ahead = filters_ahead(geo, panel->count);
  for (int64_t c = 0; c < gather->channels; c++) {
    const void *filter = cb_at(w, c * geo->q + panel->first * geo->taps, geo->element);
    void *steps = cb_at_mut(to, c * gather->taps * panel->width, geo->element);
    if (c + ahead < gather->channels) prefetch_filter(geo, cb_at(filter, ahead * geo->q, geo->element), panel->count);
    if (geo->taps == 1) { /* lanes lie side by side already */
      cb_panel_pack_step(steps, filter, panel->count, panel->width, geo->element);
      continue;
    }
    if (gather->taps == geo->taps) {
      st->engine->pack_lanes(steps, filter, geo->taps, geo->taps, panel->count, panel->width);
      continue;
    }
    for (int64_t t = 0; t < gather->taps; t++)
      pick_lanes(cb_at_mut(steps, t * panel->width, geo->element), cb_at(filter, st->phase[i].tap[t], geo->element),
                 geo->taps, panel, geo->element);
  }
}

/* A round of a call: panels [first, last) of every group. Only a call of one group and phase has several rounds. */
typedef struct {
  const cb_call *call;
  int64_t first, last;
} panel_round;

static panel_round round_of(const cb_call *call)
{
  const cb_map *st = call->plan->state;
  int64_t first = call->round * st->round_panels;
  return (panel_round){call, first, cb_min(first + st->round_panels, st->panels)};
}

/* The element where panel b of group ig and phase i begins among the packed panels: those of the round, or all, if the
   caller packed them. */
static int64_t place_in_round(const panel_round *r, int64_t i, int64_t ig, int64_t b)
{
  const cb_map *st = r->call->plan->state;
  int64_t before = r->call->plan->problem.packed ? 0 : cb_panel_offset(st->engine, st->gather[0].q, r->first);
  return cb_map_panel_place(st, i, ig, b) - before;
}

/* A task of the first pass packs one shared panel; task = (phase, group, panel). */
static void pack_shared(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const panel_round r = round_of(call);
  const cb_map *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  const int64_t panels = r.last - r.first;
  int64_t i = task / (geo->g * panels), ig = task / panels % geo->g, b = r.first + task % panels;
  (void)worker;
  if (i >= st->phases || st->gather[i].q == 0) return; /* the last round may have fewer panels than tasks */
  cb_panel panel = cb_panel_at(st->engine, st->outputs, b);
  pack_panel(call, i, ig, &panel, cb_at_mut(call->shared, place_in_round(&r, i, ig, b), geo->element));
}

/* A job's block: its pixels in phase 0, the part of the destination that it covers, and its memory. */
typedef struct {
  const panel_round *round;
  cb_map_tiles tiles; /* what the tiles share; run_phase fills in what depends on the phase */
  cb_block_range block;
  int64_t index;
  int64_t corner[3], size[3]; /* the part of the destination that the block covers: its corner and size on each axis */
  char *scratch;
} job;

/* Fills the pixels' tables of phase i, box by box, and returns the number of parts. */
static int open_parts(job *j, int64_t i, cb_part *parts)
{
  const cb_map *st = j->tiles.st;
  const cb_gather *gather = &st->gather[i];
  const cb_phase *phase = &st->phase[i];
  cb_block_range block = cb_band_block(gather, &st->band, j->tiles.call->n, j->index);
  const int64_t none[3] = {0}, *dest = st->staged ? j->size : st->dest, *corner = st->staged ? j->corner : none;
  int64_t image = st->staged ? j->size[0] * j->size[1] * j->size[2] : st->dest_image, at = 0;
  int n = 0;
  for (int b = 0; b < phase->boxes; b++) {
    cb_block_range part = cb_box_in_block(&phase->walks[b].box, &block);
    int64_t pixels = part.images * part.count[0] * part.count[1] * part.count[2];
    if (pixels == 0) continue;
    cb_band_rows(gather, &st->band, block.first, &part, j->tiles.rows + at);
    cb_band_positions(gather, &part, dest, corner, image, j->tiles.position + at);
    parts[n++] = (cb_part){&phase->walks[b], at, pixels};
    at += pixels;
  }
  return n;
}

/*
 * True if a panel of the caller's is copied to where all of a job's panels come to lie, as packing would do. A panel
 * that several tiles walk where it is, each panel at addresses of its own, costs more than packing in each call: the 13
 * convolutions of VGG-16 for 32x32 images, 4 at a time, one thread, took 25.2 ms with packing, 27.9 ms with panels
 * walked where they are and 23.6 ms with copies. One or two tiles walk a panel sooner than it is copied: 1 image at a
 * time took 10.5, 8.2 and, with copies all the same, 9.2 ms.
 */
static bool worth_a_copy(const cb_map_tiles *tiles, const cb_panel *panel)
{
  size_t element = tiles->call->plan->problem.geo.element;
  int64_t walks = 0, rows = tiles->st->engine->rows[panel->vectors];
  for (int b = 0; b < tiles->parts; b++) walks += cb_ceil_div(tiles->part[b].count, rows);
  return walks >= FAR_TILES && (size_t)(tiles->gather->q * panel->width) * element >= FAR_PANEL;
}

/* Panel p for the tiles, packed here, before for all jobs, or by the caller. */
static const void *open_panel(const job *j, const cb_map_tiles *tiles, int64_t i, int64_t p)
{
  const cb_call *call = tiles->call;
  const cb_map *st = tiles->st;
  size_t element = call->plan->problem.geo.element;
  cb_panel panel = cb_panel_at(st->engine, st->outputs, p);
  char *own = j->scratch + st->parts.panel;
  if (call->plan->problem.packed) {
    const void *given = cb_at(call->w, place_in_round(j->round, i, tiles->ig, p), element);
    const bool all_taps = tiles->gather->q == st->given_steps;
    return all_taps && worth_a_copy(tiles, &panel)
               ? memcpy(own, given, (size_t)(tiles->gather->q * panel.width) * element)
               : given;
  }
  if (st->shared_panels) return cb_at(call->shared, place_in_round(j->round, i, tiles->ig, p), element);
  pack_panel(call, i, tiles->ig, &panel, own);
  return own;
}

/* Runs the tiles of panels [p0, p1) in phase i. */
static void run_phase(job *j, int64_t i, int64_t p0, int64_t p1)
{
  const cb_call *call = j->tiles.call;
  const cb_map *st = j->tiles.st;
  size_t element = call->plan->problem.geo.element;
  cb_part parts[CB_MAX_BOXES];
  cb_map_tiles tiles = j->tiles;
  tiles.gather = &st->gather[i];
  tiles.phase = &st->phase[i];
  tiles.part = parts;
  if (tiles.gather->q == 0) return;
  tiles.parts = open_parts(j, i, parts);
  const cb_geometry *geo = &call->plan->problem.geo;
  const char *packed = call->plan->problem.packed ? call->w : call->shared;
  if (st->pixel_lanes) {
    cb_map_pixels(&tiles, p0, p1,
                  st->direct_weights ? cb_at(call->w, tiles.ig * geo->kg * geo->q, element)
                                     : cb_at(packed, place_in_round(j->round, i, tiles.ig, 0), element));
    return;
  }
  for (int64_t p = p0; p < p1; p++) {
    cb_panel panel = cb_panel_at(st->engine, st->outputs, p);
    cb_map_channels(&tiles, &panel, open_panel(j, &tiles, i, p));
  }
}

/* Stores whole rows of the stage, of one panel of outputs, in the destination. */
static void store_stage(const job *j, const cb_panel *panel, const char *stage)
{
  const cb_call *call = j->tiles.call;
  const cb_map *st = j->tiles.st;
  size_t element = call->plan->problem.geo.element;
  bool wide = j->size[2] == st->dest[2]; /* rows follow each other in the destination as in the stage */
  int64_t rows = wide ? 1 : j->size[1], length = wide ? j->size[1] * j->size[2] : j->size[2];
  for (int64_t in = 0; in < j->block.images; in++)
    for (int64_t d = 0; d < j->size[0]; d++)
      for (int64_t h = 0; h < rows; h++) {
        int64_t from = ((in * j->size[0] + d) * j->size[1] + h) * j->size[2];
        int64_t row = (j->corner[0] + d) * st->dest[1] + j->corner[1] + h;
        int64_t at =
            (j->block.image + in) * st->dest_image + (j->tiles.ig * st->outputs + panel->first) * st->dest_plane;
        at += row * st->dest[2] + j->corner[2];
        cb_store store = cb_implicit_store(call, at, j->tiles.ig * st->outputs + panel->first);
        store.c = cb_at(stage, from, element);
        store.ldc = st->stage_plane;
        store.m = panel->count;
        store.count = length;
        store.row_step = st->dest_plane;
        store.lane_step = 1;
        store.bias_rows = true;
        store.past = st->past;
        st->engine->store(&store);
      }
}

/* Runs all phases of panels [p0, p1), one panel at a time through the stage. */
static void run_staged(job *j, int64_t p0, int64_t p1)
{
  const cb_map *st = j->tiles.st;
  size_t element = j->tiles.call->plan->problem.geo.element;
  char *stage = j->scratch + st->parts.stage;
  for (int64_t p = p0; p < p1; p++) {
    cb_panel panel = cb_panel_at(st->engine, st->outputs, p);
    if (st->gaps) memset(stage, 0, (size_t)(st->stage_plane * panel.count) * element);
    j->tiles.stage = stage;
    j->tiles.plane = st->stage_plane;
    j->tiles.staged = panel.first;
    for (int64_t i = 0; i < st->phases; i++) run_phase(j, i, p, p + 1);
    store_stage(j, &panel, stage);
  }
}

/* Opens the job's band and points its tiles at the destination. */
static void open_job(job *j)
{
  const cb_call *call = j->tiles.call;
  const cb_map *st = j->tiles.st;
  const cb_geometry *geo = &call->plan->problem.geo;
  const void *source = call->plan->problem.direction == CNNBLAS_FORWARD ? call->x : call->dy;
  int64_t at = j->block.image * st->source_image + j->tiles.ig * st->gather[0].channels * st->source_plane;
  j->tiles.band = cb_band_open(&st->gather[0], &st->band, &j->block, cb_at(source, at, geo->element), st->source_image,
                               geo->element, j->scratch + st->parts.band);
  j->tiles.rows = (int32_t *)(j->scratch + st->parts.rows);
  j->tiles.position = (int64_t *)(j->scratch + st->parts.position);
  j->tiles.sums = j->scratch + st->parts.sums;
  j->tiles.spare = j->scratch + st->parts.spare;
  j->tiles.dest = j->block.image * st->dest_image + j->tiles.ig * st->outputs * st->dest_plane;
  j->tiles.plane = st->dest_plane;
  for (int i = 0; i < 3 && st->staged; i++) {
    int64_t stride = geo->axis[i].stride;
    j->corner[i] = j->block.first[i] * stride;
    j->size[i] = cb_min(j->block.count[i] * stride, geo->axis[i].in - j->corner[i]);
  }
}

/* task = (block * groups + group) * panel groups + panel group. */
static void run_job(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const panel_round r = round_of(call);
  const cb_map *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  int64_t group = task % st->panel_groups, panels = r.last - r.first;
  int64_t p0 = r.first + cb_split(panels, st->panel_groups, group);
  int64_t p1 = r.first + cb_split(panels, st->panel_groups, group + 1);
  job j = {.round = &r,
           .tiles = {.call = call, .st = st, .ig = task / st->panel_groups % geo->g},
           .index = task / st->panel_groups / geo->g,
           .scratch = cb_scratch(call, worker)};
  if (p0 == p1) return;
  j.block = cb_band_block(&st->gather[0], &st->band, call->n, j.index);
  open_job(&j);
  if (st->staged)
    run_staged(&j, p0, p1);
  else
    run_phase(&j, 0, p0, p1);
  if (st->past) __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void cb_map_work(cb_call *call)
{
  const cb_map *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  if (call->n == 0) return;
  call->rounds = cb_ceil_div(st->panels, st->round_panels);
  if (st->shared_panels) cb_call_add(call, st->phases * geo->g * st->round_panels, pack_shared);
  cb_call_add(call, cb_band_blocks(&st->band, call->n) * geo->g * st->panel_groups, run_job);
}
