/*
 * winograd*: what a problem is to the transforms, and how its tiles are cut into blocks that the caches hold.
 *
 * Cuts move no bit of a sum: tiles do not depend on their neighbours, and chains of channels are cut at fixed places.
 * Units alone show, in which outputs are computed again where a sum is not finite: they follow shape, type, level and
 * the workspace limit.
 */
#include "base/memory.h"
#include "base/status.h"
#include "conv/cuts.h"
#include "conv/winograd_plan.h"
#include <stdio.h>

enum {
  BLOCK_TILES = 56,  /* about the tiles of a block, which share each panel of weights */
  LEAST_TILES = 1,   /* the least tiles of a block */
  NEAR_FILTERS = 64, /* the least outputs whose sums are held at once before tiles become fewer */
  LINE = 16          /* a point's weights are rounded up to a multiple of so many elements */
};

/* Describes axis i, h or w, of the source and of the direction's outputs. */
static void describe_axis(cb_winograd_plan *st, int i, const cb_axis *a)
{
  const int64_t reach = (a->taps - 1) * a->step; /* positions from the first tap to the last */
  st->source[i] = st->forward ? a->in : a->out;
  st->dest[i] = st->forward ? a->out : a->in;
  if (st->forward) {
    st->first[i] = a->base + cb_min(0, reach);
    st->turned[i] = reach < 0;
  } else {
    st->first[i] = -a->base - cb_max(0, reach);
    st->turned[i] = reach > 0;
  }
}

bool cb_winograd_describe(cb_winograd_plan *st, const cb_problem *problem, const cb_winograd_forms *forms)
{
  const cb_geometry *geo = &problem->geo;
  const cb_axis *a = geo->axis;
  const bool square = a[1].taps == 3;
  st->kernels = cb_winograd_get(geo->dtype);
  st->form = &st->kernels->form[square ? forms->square : forms->line];
  st->engine = cb_engine_get(geo->dtype);
  st->forward = problem->direction == CNNBLAS_FORWARD;
  st->channels = st->forward ? geo->cg : geo->kg;
  st->outputs = st->forward ? geo->kg : geo->cg;
  for (int i = 0; i < 2; i++) {
    describe_axis(st, i, &a[i + 1]);
    st->tiles[i] = cb_ceil_div(st->dest[i], st->form->outputs[i]);
  }
  st->panels = cb_panels(st->engine, st->outputs);
  st->points = (int64_t)st->form->points[0] * st->form->points[1];
  st->weights = cb_round_up(cb_panel_elements(st->engine, st->outputs, st->channels), LINE) + CB_WINOGRAD_MARGIN;
  int64_t bytes;
  if (!cb_mul(st->weights, st->points * geo->g * (int64_t)geo->element, &bytes)) return false;
  st->weights_bytes = cb_aligned_size((size_t)bytes);
  return true;
}

/* Finds the places of the scratch's parts, one behind the other. False if their bytes do not fit in 63 bits. */
static bool size_scratch(cb_winograd_plan *st, size_t element)
{
  const int64_t lanes = st->kernels->lanes, tiles = st->block_units * st->unit_tiles;
  const int64_t joined = st->segments == 1 ? cb_min(st->block_units, st->tiles[0]) : 1; /* the most units of a band */
  const int64_t rows = joined * st->form->outputs[0], wide = st->unit_tiles * st->form->outputs[1];
  const int64_t pitch = wide + st->form->points[1] - st->form->outputs[1];
  st->v_pitch = cb_ceil_div(st->block_channels, lanes) * tiles * lanes + CB_WINOGRAD_MARGIN;
  st->m_pitch = cb_panel_elements(st->engine, cb_min(st->group_panels * CB_PANEL_VECTORS * lanes, st->outputs), tiles) +
                CB_WINOGRAD_MARGIN;
  /* held: the most outputs held at once */
  const int64_t v = st->points * st->v_pitch, held = cb_min(st->group_panels * CB_PANEL_VECTORS * lanes, st->outputs);
  st->u_pitch = cb_round_up(cb_panel_elements(st->engine, held, st->u_channels), LINE) + CB_WINOGRAD_MARGIN;
  const int64_t parts[] = {st->shares_v ? 0 : v,
                           st->fused ? st->points * st->u_pitch : 0,
                           st->points * st->m_pitch,
                           (rows + st->form->points[0] - st->form->outputs[0]) * pitch * lanes,
                           st->form->points[0] * pitch * lanes,
                           rows * wide * lanes};
  size_t *const places[] = {&st->parts.v,    &st->parts.u,       &st->parts.m,
                            &st->parts.band, &st->parts.columns, &st->parts.stage};
  int64_t at = 0;
  for (int i = 0; i < 6; i++) {
    int64_t bytes;
    *places[i] = (size_t)at;
    if (!cb_mul(parts[i], (int64_t)element, &bytes) || !cb_add(at, bytes + CB_ALIGN, &at)) return false;
    at = (int64_t)cb_aligned_size((size_t)at);
  }
  st->parts.bytes = (size_t)at;
  st->v_bytes = cb_aligned_size((size_t)v * element);
  return true;
}

/* Cuts blocks of about `tiles` tiles, of whole rows of tiles or of parts of one row. */
static void cut_tiles(cb_winograd_plan *st, int64_t tiles)
{
  st->segments = cb_ceil_div(st->tiles[1], tiles);
  st->unit_tiles = cb_ceil_div(st->tiles[1], st->segments);
  st->units = st->tiles[0] * st->segments;
  st->block_units = st->segments == 1 ? tiles / st->tiles[1] : 1;
}

/* Chooses as many panels at once as fit `room` bytes. False if not even `least` panels fit. */
static bool fit_panels(cb_winograd_plan *st, size_t element, size_t room, int64_t least)
{
  for (st->group_panels = st->panels;; st->group_panels = cb_ceil_div(st->group_panels, 2)) {
    if (size_scratch(st, element) && st->parts.bytes <= room) return true;
    if (st->group_panels <= least) return false;
  }
}

/* The number of jobs a block that gives the most loaded thread the fewest panels; of several such numbers the least
   that gives every thread a job. */
static int64_t fewest_deals(const cb_winograd_plan *st, int64_t blocks, int threads)
{
  int64_t best = 1, least = INT64_MAX;
  for (int64_t deals = 1; deals <= cb_min(st->panels, 4 * (int64_t)threads); deals++) {
    const int64_t load = cb_ceil_div(blocks * deals, threads) * cb_ceil_div(st->panels, deals);
    if (load < least || (load == least && blocks * best < threads)) best = deals, least = load;
  }
  return best;
}

/* Makes few tiles one block; each panel's U is then made where it is used, of some channels at a time, and never leaves
   the near caches: of 512 channels in and out at 7 x 7, one image, making U took two thirds of a call. False if tiles
   are too many for that, or panels too few for the team. */
static bool fuse(cb_winograd_plan *st, const cb_problem *problem, int threads, size_t room)
{
  enum { NEAR_V = 5 << 20, NEAR = 640 << 10 }; /* the most bytes of V; of U and M together */
  const int64_t groups = problem->geo.g;
  const size_t element = problem->geo.element;
  const cb_winograd_plan before = *st;
  if (problem->packed || problem->limited || st->block_channels < st->channels || st->segments > 1 ||
      groups * st->panels < threads)
    return false;
  st->fused = st->shares_v = true;
  st->block_units = cb_max(1, problem->geo.n * st->units);
  st->u_channels = cb_min(st->channels, CB_WINOGRAD_GROUP);
  st->deals = fewest_deals(st, groups, threads);
  for (st->group_panels = cb_ceil_div(st->panels, st->deals); st->group_panels >= 1; st->group_panels /= 2) {
    if (!size_scratch(st, element)) break;
    const double v = (double)groups * (double)st->v_bytes;
    const int64_t near = st->points * (st->m_pitch + st->u_pitch) * (int64_t)element;
    if (v <= NEAR_V && near <= NEAR && st->parts.bytes <= room &&
        v <= (double)threads * (double)(room - st->parts.bytes))
      return true;
  }
  *st = before;
  return false;
}

/* Makes blocks as even as they can be, and so many that with all panels apart every thread gets a job. Where blocks are
   few, V is made once for several jobs that share its block, or there are as many blocks more as give every thread the
   same number. */
static void share_out(cb_winograd_plan *st, const cb_problem *problem, int threads, size_t room)
{
  enum { FEW = 4, EVEN = 8 }; /* numbers of blocks a thread: fewer share V; as many are even enough */
  const int64_t units = cb_max(1, problem->geo.n * st->units), groups = problem->geo.g;
  int64_t blocks = cb_ceil_div(units, st->block_units);
  st->block_units = cb_ceil_div(units, blocks);
  if (fuse(st, problem, threads, room) || threads == 1) return;
  if (blocks * groups * st->panels < threads) {
    st->block_units = cb_max(1, units * groups * st->panels / threads);
    blocks = cb_ceil_div(units, st->block_units);
  }
  const bool whole = st->block_channels == st->channels && st->group_panels == st->panels;
  st->shares_v = whole && !problem->limited && blocks * groups < FEW * (int64_t)threads;
  if (st->shares_v && size_scratch(st, problem->geo.element)) {
    const double bytes = (double)(blocks * groups) * (double)st->v_bytes;
    if (bytes <= (double)threads * (double)(room - st->parts.bytes)) {
      st->deals = fewest_deals(st, blocks * groups, threads);
      return;
    }
  }
  st->shares_v = false;
  if (blocks * groups >= EVEN * (int64_t)threads) return;
  blocks = cb_min(units, cb_round_up(blocks, threads));
  st->block_units = cb_ceil_div(units, blocks);
  st->deals = blocks * groups < threads ? fewest_deals(st, blocks * groups, threads) : 1;
}

bool cb_winograd_cut(cb_winograd_plan *st, const cb_problem *problem, int threads)
{
  const size_t element = problem->geo.element, needed = st->weights_bytes + CB_ALIGN;
  const size_t room = !problem->limited          ? (problem->budget ? problem->budget - CB_ALIGN : 0)
                      : problem->budget > needed ? problem->budget - needed
                                                 : 0;
  const int64_t least = cb_ceil_div(NEAR_FILTERS, CB_PANEL_VECTORS * st->kernels->lanes);
  bool fits = false;
  st->deals = 1;
  st->shares_v = st->fused = false;
  st->u_channels = st->channels;
  st->block_channels = st->channels;
  for (int64_t tiles = BLOCK_TILES; tiles >= 8 && !fits; tiles /= 2) {
    cut_tiles(st, tiles);
    fits = fit_panels(st, element, room, cb_min(least, st->panels));
  }
  while (!fits && st->block_channels > CB_WINOGRAD_CHAIN) {
    const int64_t whole = st->block_channels > CB_WINOGRAD_GROUP ? CB_WINOGRAD_GROUP : CB_WINOGRAD_CHAIN;
    st->block_channels = cb_round_up(cb_ceil_div(st->block_channels, 2), whole);
    cut_tiles(st, 8);
    fits = fit_panels(st, element, room, 1);
  }
  for (int64_t tiles = 4; tiles >= LEAST_TILES && !fits; tiles /= 2) {
    cut_tiles(st, tiles);
    fits = fit_panels(st, element, room, 1);
  }
  if (!fits) return false;
  share_out(st, problem, threads, room);
  return size_scratch(st, element);
}
