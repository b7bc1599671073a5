/*
 * implicit_gemm:slivers: how the work is shared out. Chooses blocks of pixels, jobs that share a block by dealing its
 * outputs out, and who packs the weights: of what fits the workspace, the fastest by estimate for the team
 * (conv/cuts.h). No sum depends on any of it.
 */
#include "base/memory.h"
#include "conv/cuts.h"
#include "conv/implicit_map_slivers_parts.h"
#include <math.h>

enum {
  BLOCK_PIXELS = 1568,    /* the most pixels of a block, images joined: they share each weight that is packed */
  BAND_BYTES = 512 << 10, /* bytes of a band: a group's slivers are packed from it, once for each part of the outputs */
  GROUP_BYTES = 20 << 10, /* bytes of slivers that lie in L1 together, beside a tile's weights */
  NEAR_BYTES = 448 << 10, /* bytes of a chain's weights that stay in L2 while a block's slivers pass */
  SHARED_BYTES = 2560 << 10, /* the most bytes of weights that are packed at once for all jobs */
  SHARING_BLOCKS = 3,        /* the least blocks that share weights: from another core they come as slowly as packed */
  STAGED_OUTPUTS = 16,       /* the most outputs that are woven together */
  KERNEL_CYCLES = 30,        /* cycles of a tile's kernel besides its steps */
  LOWER_CYCLES = 3,          /* cycles that a step of a sliver takes to be packed */
  FAR_BYTES = 12 << 20       /* bytes of a source: a larger one is not in the caches when it is read */
};

int64_t cb_sliver_group(const cb_slivers *st, size_t element, int64_t steps)
{
  int64_t bytes = steps * st->width * (int64_t)element;
  return cb_max(1, cb_min(CB_SLIVERS_MAX_GROUP, GROUP_BYTES / cb_max(bytes, 1)));
}

/* True if sums outlive a group: several chains are added, or phases meet. */
static bool keeps_sums(const cb_slivers *st)
{
  return st->staged || cb_chain_count(&st->rule, &st->gather[0]) > 1;
}

/* Finds the sizes of the scratch's parts, then their places, one behind the other. */
static void size_scratch(cb_slivers *st, size_t element)
{
  cb_sliver_parts *parts = &st->parts;
  size_t *part[] = {&parts->band, &parts->sums, &parts->slivers, &parts->weights,
                    &parts->runs, &parts->rows, &parts->first,   &parts->stage};
  const int64_t tiles = cb_sliver_block_tiles(st), rows = st->band.images * st->band.outs[0] * st->band.outs[1];
  const int64_t high = cb_ceil_div(st->outputs, st->tiles),
                near = cb_min(st->near_tiles, cb_sliver_job_tiles(st)) * high;
  const int64_t group = GROUP_BYTES / (int64_t)element + 2 * CB_SLIVERS_MAX_GROUP * st->width;
  int64_t sums = cb_sliver_job_tiles(st) * high * tiles * (st->staged ? st->phases : 1);
  if (!keeps_sums(st)) sums = near * cb_min(tiles, CB_SLIVERS_MAX_GROUP);
  parts->band =
      (size_t)(st->band.elements ? st->band.elements + CB_MAX_LANES : 0) * element; /* slivers read past rows */
  parts->sums = (size_t)(sums * st->width) * element;
  parts->slivers = (size_t)cb_max(group, cb_sliver_pitch(st, st->steps)) * element;
  parts->weights = st->shared_weights ? 0 : (size_t)(near * st->steps) * element;
  parts->runs = parts->rows = (size_t)(rows + tiles) * sizeof(cb_run);
  parts->first = (size_t)(tiles + 1) * 2 * sizeof(int32_t);
  parts->stage = st->staged ? (size_t)(STAGED_OUTPUTS * st->width * st->gather[0].axis[2].out_step) * element : 0;
  parts->bytes = 0;
  for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
    size_t size = cb_aligned_size(*part[i]);
    *part[i] = parts->bytes;
    parts->bytes += size;
  }
}

/* Bytes of all packed weights. */
static double packed_bytes(const cb_slivers *st, const cb_geometry *geo)
{
  double elements = 0;
  for (int64_t i = 0; i < st->phases; i++) elements += (double)geo->g * (double)cb_sliver_weights(st, i);
  return elements * (double)geo->element;
}

/* Cuts blocks of about `pixels` pixels, of all phases together, and deals each out to `deals` jobs. True if the scratch
   fits. */
static bool try_cut(cb_slivers *st, const cb_problem *problem, int64_t pixels, int64_t deals)
{
  const cb_geometry *geo = &problem->geo;
  cb_gather part[CB_SLIVERS_MAX_PHASES];
  for (int64_t i = 0; i < st->phases; i++) {
    part[i] = st->gather[i];
    part[i].channels = cb_min(st->channels, part[i].channels);
  }
  cb_band_limits limits = {.n = geo->n,
                           .pixels = cb_max(1, pixels / st->phases),
                           .elements = BAND_BYTES / (int64_t)geo->element,
                           .source_image = st->source_image,
                           .side_by_side = true,
                           .tile = st->width};
  cb_band_cut(&st->band, part, st->phases, &limits);
  st->deals = deals;
  double bytes = problem->packed ? 0 : packed_bytes(st, geo);
  st->shared_weights =
      problem->packed || (cb_band_blocks(&st->band, geo->n) >= SHARING_BLOCKS && bytes <= SHARED_BYTES);
  size_scratch(st, geo->element);
  if (st->parts.bytes + (size_t)bytes * st->shared_weights + 2 * CB_ALIGN <= problem->budget) return true;
  if (problem->packed || !st->shared_weights) return false;
  st->shared_weights = false;
  size_scratch(st, geo->element);
  return st->parts.bytes + 2 * CB_ALIGN <= problem->budget;
}

/* About the cycles of the whole call, and of its jobs, with the blocks that are cut; cuts.h says what a cycle is. */
static cb_cut count_cycles(const cb_slivers *st, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  const double blocks = (double)cb_band_blocks(&st->band, geo->n), groups = (double)geo->g, deals = (double)st->deals;
  const double tiles = blocks * (double)cb_sliver_block_tiles(st), vectors = (double)(st->width / st->engine->lanes);
  const double parts = ceil((double)cb_sliver_job_tiles(st) / (double)st->near_tiles) * deals;
  const double bytes = (double)geo->n * (double)st->source_image * (double)geo->element;
  const double from = bytes > FAR_BYTES ? 1.2 : 0.2;
  double cycles = 0, weights = 0;
  for (int64_t i = 0; i < st->phases; i++) {
    double q = (double)st->gather[i].q, chains = (double)cb_chain_count(&st->rule, &st->gather[i]);
    cycles +=
        tiles * (double)st->tiles * (q * vectors * (double)st->outputs / (double)st->tiles + KERNEL_CYCLES * chains);
    cycles += tiles * parts * q * LOWER_CYCLES;
    double read = st->band.elements ? CB_BAND_CYCLES(st->band.outs[2], st->band.split ? 2 : 1) + from : from;
    double channels = (double)st->gather[i].channels / (double)st->channels;
    double elements = st->band.elements ? (double)st->band.elements : (double)(st->band.pixels * st->channels);
    if (q > 0) cycles += blocks * deals * elements * channels * read;
    weights += (double)st->outputs * q;
  }
  cycles += weights * (problem->packed ? 0.1 * blocks : st->shared_weights ? 1 + 0.1 * blocks : blocks);
  cb_cut cut = {.jobs = cb_band_blocks(&st->band, geo->n) * geo->g * st->deals};
  cut.total = cycles * groups + (double)cut.jobs * CB_START_CYCLES;
  const cb_gather_axis *a = st->gather[0].axis;
  double outs = (double)a[0].outs * (double)a[1].outs * (double)a[2].outs * (double)cb_max(geo->n, 1);
  double uneven =
      (double)(cb_sliver_job_tiles(st) * st->deals) / (double)st->tiles * blocks * (double)st->band.pixels / outs;
  cut.largest = cut.total / (double)cut.jobs * fmax(uneven, 1);
  return cut;
}

bool cb_slivers_cut(cb_slivers *st, const cb_problem *problem, int threads, size_t *needed)
{
  const cb_gather_axis *a = st->gather[0].axis;
  const double all =
      (double)(a[0].outs * a[1].outs * a[2].outs) * (double)st->phases * (double)cb_max(problem->geo.n, 1);
  const int64_t most = cb_max(st->phases * BLOCK_PIXELS / (st->phases > 1 ? st->phases : 1), 1);
  int64_t pixels = all < (double)most ? (int64_t)all : most, best_pixels = 0, best_deals = 0;
  double least = HUGE_VAL;
  st->near_tiles =
      cb_max(1, NEAR_BYTES / (st->steps * cb_ceil_div(st->outputs, st->tiles) * (int64_t)problem->geo.element));
  *needed = 0;
  for (int step = 0; step < CB_CUT_STEPS; step++) {
    int64_t cut_pixels = 0;
    for (int64_t deals = 1; deals <= st->tiles; deals = cb_next_parts(st->tiles, deals)) {
      bool fits = try_cut(st, problem, pixels, deals);
      cut_pixels = st->band.pixels * st->phases;
      if (!fits) continue;
      cb_cut cut = count_cycles(st, problem);
      if (least < HUGE_VAL && !cb_cut_worthwhile(&cut)) break;
      const bool waits = st->shared_weights && !problem->packed; /* jobs wait until all weights are packed */
      double time = cb_cut_time(&cut, threads) + (waits ? cb_barrier_cycles(threads) : 0);
      if (time >= least) continue;
      least = time;
      best_pixels = pixels;
      best_deals = deals;
    }
    if (pixels <= st->width * st->phases) break;
    pixels = cb_max(st->width * st->phases, cb_min(pixels, cut_pixels) * 3 / 4);
  }
  if (best_pixels) return try_cut(st, problem, best_pixels, best_deals);
  /* Tries the smallest of all cuts, which is the same for any batch: whether it fits may not depend on the images. */
  bool fits = try_cut(st, problem, st->phases, st->tiles);
  *needed = st->parts.bytes + 2 * CB_ALIGN;
  return fits;
}
