/*
 * implicit_gemm, forward and input gradient: how the work is shared out. Chooses blocks of pixels, groups of panels,
 * and who packs the weights: of what fits the workspace, the fastest by estimate for the team (conv/cuts.h).
 *
 *     one thread        blocks as large as L2 allows, every panel in each
 *     few images        panels are dealt out first, so that each weight is packed once, by its user; then pixels
 *     many images       blocks alone; the weights are packed for all of them before
 *
 * No sum depends on any of it.
 */
#include "base/memory.h"
#include "base/parameters.h"
#include "conv/cuts.h"
#include "conv/implicit_map_state.h"
#include <math.h>

enum {
  LEAST_PIXELS = 28, /* the least pixels of a job, even if there are too few jobs */
  LINE = 64,         /* bytes of a cache line: vectors of as many read channels where they lie as fast as from tiles */
  /* the least blocks that share packed weights: what another core has packed comes as slowly as it is packed */
  SHARING_BLOCKS = 3,
  LEAST_CYCLES = 6,  /* the least cycles of a step, however few its rows */
  TILE_CYCLES = 200, /* cycles of a tile besides its steps */
  STRAIGHT = 15      /* steps that take as long as a straight store */
};

int64_t cb_map_group_elements(const cb_map *st, const cb_gather *gather)
{
  return cb_panel_elements(st->engine, st->outputs, cb_map_panel_steps(st, gather));
}

int64_t cb_map_panel_place(const cb_map *st, int64_t i, int64_t ig, int64_t b)
{
  const cb_gather *gather = &st->gather[i];
  return st->phase[i].panels_at + ig * cb_map_group_elements(st, gather) +
         cb_panel_offset(st->engine, cb_map_panel_steps(st, gather), b);
}

/* Finds the sizes of the scratch's parts, then their places, one behind the other. */
static void size_scratch(cb_map *st, size_t element)
{
  cb_scratch_parts *parts = &st->parts;
  size_t *part[] = {&parts->band,  &parts->panel, &parts->rows, &parts->position,
                    &parts->spare, &parts->sums,  &parts->stage};
  int64_t q = 0, lanes = st->engine->lanes;
  for (int64_t i = 0; i < st->phases; i++) q = cb_max(q, st->gather[i].q);
  parts->band =
      (size_t)(st->band.elements ? st->band.elements + CB_MAX_LANES : 0) * element; /* tiles may read past rows */
  parts->panel = (size_t)(q * CB_PANEL_VECTORS * lanes) * element;
  parts->rows = (size_t)st->band.pixels * sizeof(int32_t);
  parts->position = (size_t)st->band.pixels * sizeof(int64_t);
  parts->spare = (size_t)(cb_max(q, st->given_steps) * lanes) * element;
  parts->sums = (size_t)(CB_MAX_ROWS * CB_MAX_LANES) * element;
  parts->stage = (size_t)(st->stage_plane * CB_PANEL_VECTORS * lanes) * element;
  parts->bytes = 0;
  for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
    size_t size = cb_aligned_size(*part[i]);
    *part[i] = parts->bytes;
    parts->bytes += size;
  }
}

/* About the cycles that the grid of blocks takes with boxes on these axes: tiles of few rows wait for their sums, and
   each tile has a call and a store. */
static double cycles_with_boxes(const cb_map *st, unsigned axes)
{
  double cycles = 0;
  for (int64_t i = 0; i < st->phases; i++) {
    const cb_gather *gather = &st->gather[i];
    cb_box box[CB_MAX_BOXES];
    if (gather->q == 0 || !cb_gather_has_outputs(gather)) continue;
    int boxes = cb_boxes_cut(gather, axes, box);
    if (boxes == 0) return HUGE_VAL;
    for (int b = 0; b < boxes; b++) {
      int64_t blocks = 1, pixels = st->band.images;
      for (int axis = 0; axis < 3; axis++) {
        int64_t last = box[b].first[axis] + box[b].count[axis] - 1;
        blocks *= last / st->band.outs[axis] - box[b].first[axis] / st->band.outs[axis] + 1;
        pixels *= box[b].count[axis];
      }
      double tiles = (double)(blocks * cb_parts(cb_ceil_div(pixels, blocks), st->engine->rows[CB_PANEL_VECTORS]));
      double steps = (double)(gather->channels * cb_box_taps(&box[b])), rows = (double)pixels / tiles;
      cycles += tiles * (steps * fmax(CB_PANEL_VECTORS * rows, LEAST_CYCLES) + TILE_CYCLES);
    }
  }
  return cycles;
}

/* The axes on which to cut the pixels into boxes so that all takes least time. No bit depends on it: products with
   zeros add nothing. */
static unsigned choose_axes(const cb_map *st)
{
  unsigned best = 0;
  double least = cycles_with_boxes(st, 0);
  for (unsigned axes = 1; axes < 8; axes++) {
    double cycles = cycles_with_boxes(st, axes);
    if (cycles >= least) continue;
    best = axes;
    least = cycles;
  }
  return best;
}

/* Cuts blocks of about so many pixels for the orientation in st. */
static void cut_blocks(cb_map *st, const cb_problem *problem, int64_t share)
{
  const cb_order *order = &cb_parameters_get()->order;
  const cb_geometry *geo = &problem->geo;
  int64_t most = st->staged        ? cb_max(1, order->staged_pixels / st->phases)
                 : st->pixel_lanes ? order->lane_pixels
                                   : order->block_pixels;
  int64_t tile = st->pixel_lanes ? st->pixel_vectors * st->engine->lanes : st->engine->rows[CB_PANEL_VECTORS];
  cb_band_limits limits = {.n = geo->n,
                           .pixels = cb_min(most, cb_max(LEAST_PIXELS, cb_round_up(share, tile))),
                           .elements = order->band_bytes / (int64_t)geo->element,
                           .source_image = st->source_image,
                           .side_by_side = st->pixel_lanes,
                           .tiled = !st->pixel_lanes && (size_t)st->engine->lanes * geo->element < LINE,
                           .tile = tile};
  cb_band_cut(&st->band, st->gather, st->phases, &limits);
  st->stage_plane = 0;
  size_scratch(st, geo->element);
  if (!st->staged) return;
  st->stage_plane = st->band.images;
  for (int i = 0; i < 3; i++) st->stage_plane *= cb_min(st->band.outs[i] * geo->axis[i].stride, geo->axis[i].in);
  size_scratch(st, geo->element);
}

/* Bytes of all packed weights. */
static int64_t packed_bytes(const cb_map *st, const cb_problem *problem)
{
  int64_t elements = 0;
  for (int64_t i = 0; i < st->phases; i++) elements += problem->geo.g * cb_map_group_elements(st, &st->gather[i]);
  return elements * (int64_t)problem->geo.element;
}

/* True if the workspace holds `bytes` of weights that are packed before the jobs begin. */
static bool packs_fit(const cb_map *st, const cb_problem *problem, int64_t bytes)
{
  return bytes <= cb_parameters_get()->order.shared_panels &&
         (size_t)bytes + st->parts.bytes + 2 * CB_ALIGN <= problem->budget;
}

/* Number of panels that are packed at a time for all blocks, with pixels on the rows: all panels, before the jobs; or,
   if they are too large, some in each round, where filling the bands again costs less than packing in each block; or 0,
   if each block packs its own. */
static int64_t choose_round(const cb_map *st, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  int64_t blocks = cb_band_blocks(&st->band, geo->n), panels = st->panels;
  if (blocks < SHARING_BLOCKS) return 0;
  if (packs_fit(st, problem, packed_bytes(st, problem))) return panels;
  if (st->phases > 1 || geo->g > 1) return 0;
  int64_t panel_bytes = cb_panel_offset(st->engine, st->gather[0].q, 1) * (int64_t)geo->element;
  while (panels > 0 && !packs_fit(st, problem, panels * panel_bytes)) panels--;
  if (panels == 0) return 0;
  int64_t rounds = cb_ceil_div(st->panels, panels);
  double weights = (double)geo->k * (double)geo->q, band = (double)blocks * (double)st->band.elements;
  return (double)(rounds - 1) * band < 2 * (double)(blocks - 1) * weights ? cb_ceil_div(st->panels, rounds) : 0;
}

/* True if, with pixels on the lanes, pixels are so few that they are not worth packing weights for, or weights too
   large for the workspace. */
static bool read_weights_in_place(const cb_map *st, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  int64_t pixels = geo->n * (problem->direction == CNNBLAS_FORWARD ? geo->p : geo->image);
  return pixels <= cb_parameters_get()->order.direct_pixels || !packs_fit(st, problem, packed_bytes(st, problem));
}

/* Chooses who packs the weights for the blocks that are cut: sets direct_weights, shared_panels and round_panels. */
static void choose_packing(cb_map *st, const cb_problem *problem)
{
  st->direct_weights = st->pixel_lanes && !problem->packed && read_weights_in_place(st, problem);
  bool packs = !st->direct_weights && !problem->packed;
  int64_t round = !packs ? 0 : st->pixel_lanes ? st->panels : choose_round(st, problem);
  st->shared_panels = round > 0;
  st->round_panels = round > 0 ? round : st->panels;
}

/* Number of vectors of pixels of an image, with pixels on the lanes; vectors of narrow tiles count by the time that
   they take. */
static double lane_vectors(const cb_map *st, const cb_gather *gather)
{
  static const double narrow[] = {0, 1.6, 2.3, 3};
  const cb_gather_axis *a = gather->axis;
  double vectors = 0;
  for (int64_t first = 0; first < a[2].outs; first += st->band.outs[2]) {
    int64_t run = cb_ceil_div(cb_min(st->band.outs[2], a[2].outs - first), st->engine->lanes);
    int64_t rest = run % st->pixel_vectors;
    vectors += (double)(run - rest) + narrow[rest];
  }
  return vectors * (double)(a[0].outs * a[1].outs);
}

/* Cycles of all blocks of all groups, which do not depend on how the panels are dealt out. */
typedef struct {
  double multiply, band, pack;
} block_cycles;

/* About the cycles that an element of the source takes to come to where it is multiplied: from memory, or from a cache;
   and to be put into a band, or to be found where every second one is left out. */
static double read_cycles(const cb_map *st, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  const cb_gather_axis *row = &st->gather[0].axis[2];
  double bytes = (double)geo->n * (double)st->source_image * (double)geo->element;
  double from = bytes > (double)cb_parameters_get()->pace.far_bytes ? 1.2 : 0.2;
  return from + (st->band.elements || row->stride > 1 ? CB_BAND_CYCLES(row->outs, row->stride) : 0);
}

/* About the cycles of all blocks. An element takes read_cycles in a band or where it lies; 1 in a packed panel, and 0.7
   to be fetched if another core may have packed it. */
static block_cycles count_cycles(const cb_map *st, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  const double blocks = (double)cb_band_blocks(&st->band, geo->n), groups = (double)geo->g;
  const double weights = (double)geo->k * (double)geo->q;
  const double read = st->band.elements ? blocks * (double)st->band.elements
                                        : blocks * (double)st->band.pixels * (double)st->gather[0].channels;
  block_cycles cycles = {.band = groups * read * read_cycles(st, problem)};
  if (st->pixel_lanes) {
    for (int64_t i = 0; i < st->phases; i++)
      cycles.multiply += groups * (double)geo->n * lane_vectors(st, &st->gather[i]) * (double)st->outputs *
                         (double)(st->gather[i].q + STRAIGHT);
  } else {
    double images = (double)cb_ceil_div(geo->n, st->band.images);
    cycles.multiply = groups * images * (double)st->panels * cycles_with_boxes(st, 0);
  }
  if (st->direct_weights || problem->packed) return cycles;
  cycles.pack = st->shared_panels ? weights * (1 + 0.7 * blocks) : weights * blocks;
  return cycles;
}

/* Deals the panels of the blocks out. Returns the best time for the team; *groups becomes the number of groups. */
static double deal_panels(const cb_map *st, const cb_problem *problem, int threads, int64_t *groups)
{
  const int64_t blocks = cb_band_blocks(&st->band, problem->geo.n) * problem->geo.g;
  const block_cycles cycles = count_cycles(st, problem);
  const double images = (double)cb_max(problem->geo.n, 1), outs = (double)st->gather[0].axis[0].outs *
                                                                  (double)st->gather[0].axis[1].outs *
                                                                  (double)st->gather[0].axis[2].outs;
  const double uneven = (double)st->band.pixels * (double)blocks / (double)problem->geo.g / (images * outs);
  double least = HUGE_VAL;
  *groups = 1;
  for (int64_t g = 1; g <= st->round_panels; g = cb_next_parts(st->round_panels, g)) {
    double panels = (double)cb_ceil_div(st->round_panels, g) * (double)g / (double)st->round_panels;
    cb_cut cut = {.total = cycles.multiply + (double)g * cycles.band + cycles.pack, .jobs = blocks * g};
    cut.total += (double)cut.jobs * CB_START_CYCLES;
    cut.largest = cut.total / (double)cut.jobs * panels * fmax(uneven, 1);
    if (least < HUGE_VAL && !cb_cut_worthwhile(&cut)) break;
    double time = cb_cut_time(&cut, threads) + (st->shared_panels ? cb_barrier_cycles(threads) : 0);
    if (time >= least) continue;
    least = time;
    *groups = g;
  }
  return least;
}

double cb_map_row_products(const cb_map *st, const cb_problem *problem)
{
  const double images = (double)cb_ceil_div(cb_max(problem->geo.n, 1), st->band.images);
  return (double)problem->geo.g * images * (double)st->panels * cycles_with_boxes(st, st->axes) *
         (double)st->engine->lanes;
}

bool cb_map_fit(const cb_map *st, const cb_problem *problem)
{
  return st->parts.bytes + CB_ALIGN <= problem->budget;
}

void cb_map_cut(cb_map *st, const cb_problem *problem, int threads)
{
  const cb_gather_axis *a = st->gather[0].axis;
  const int64_t pixels = a[0].outs * a[1].outs * a[2].outs * problem->geo.n;
  int64_t share = cb_max(pixels, 1), best = share;
  double least = HUGE_VAL;
  cut_blocks(st, problem, share);
  choose_packing(st, problem);
  st->panel_groups = 1;
  for (int step = 0; threads > 1 && step < CB_CUT_STEPS; step++) {
    int64_t groups;
    double time = deal_panels(st, problem, threads, &groups);
    if (time < least && cb_map_fit(st, problem)) {
      least = time;
      best = share;
      st->panel_groups = groups;
    }
    if (st->band.pixels <= LEAST_PIXELS) break;
    share = cb_min(share, st->band.pixels) * 4 / 5; /* pixels of the next smaller blocks */
    cut_blocks(st, problem, share);
    choose_packing(st, problem);
  }
  cut_blocks(st, problem, best);
  choose_packing(st, problem);
  st->axes = st->pixel_lanes ? 0 : choose_axes(st);
}
