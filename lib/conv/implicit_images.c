/*
 * implicit_gemm, forward and input gradient: what a plan fixes. Blocks, orientation, boxes, tables and scratch.
 *
 *     out[pixel][output] = sum over steps (channel, tap) of  band[row(pixel) + walk(step)] * panel[step][output]
 *
 * forward: the source is x, outputs are filters. Input gradient: the source is dy, outputs are input channels, and the taps
 * of each phase come in the order that rotates the filter. A job is a block of output pixels (of one image or several) and
 * a range of panels of outputs. It opens its band and runs the tiles of each panel (implicit_tiles.c). The phases of a
 * strided input gradient interleave in dx: a job runs all of them for its block, they meet in a stage of one panel, and
 * whole rows of the stage go to dx.
 *
 * Every element is one fixed sum whatever the cut, so jobs are cut by what is fast, threads included.
 */
#include "conv/implicit_images.h"
#include "base/memory.h"
#include "base/status.h"
#include "conv/costs.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
  BLOCK_PIXELS = 448, /* pixels of a job, about: they share each panel */
  LINE = 64,          /* bytes of a cache line: vectors of so many read channels where they lie as fast as from tiles */
  LANE_PIXELS = 3136, /* with pixels on the lanes, whose tiles share nothing but the weights */
  LEAST_PIXELS = 28,  /* a job has at least these, even if there are too few jobs */
  STAGED_PIXELS = 1024,       /* of all phases together, when they meet in a stage */
  DATA_CHUNK = 48,            /* least chunk of an input gradient: col2im sums kg terms, then taps; so must a rival */
  MAX_PHASES = 64,            /* of an input gradient */
  SHARED_PANELS = 2560 << 10, /* bytes of weights that are packed at once for all jobs, at most */
  DIRECT_PIXELS = 2048,       /* of all images: up to these, weights are read in place, pixels on the lanes */
  COST_THREADS = 2,           /* that an estimate supposes: it must not look at the real number */
  JOBS_A_THREAD = 4,          /* wanted: blocks are smaller and panels dealt out until there are so many */
  ALL_AXES = 7,
  PACK_CYCLES = 32,   /* that packing a panel takes, a step */
  SHARING_BLOCKS = 3, /* fewer do not share: what another core has just packed comes as slowly as it is packed */
  LEAST_CYCLES = 6,   /* a step takes, however few its rows */
  TILE_CYCLES = 200,  /* that a tile takes besides its steps */
  TRANSPOSE = 25,     /* steps that a transposed store costs, measured on AVX-512 */
  STRAIGHT = 15       /* steps that a straight store costs */
};

static int64_t phases_of(const cb_problem *problem)
{
  return problem->direction == CNNBLAS_FORWARD ? 1 : cb_gather_phases(&problem->geo);
}

static bool has_outputs(const cb_gather *gather)
{
  return gather->axis[0].outs && gather->axis[1].outs && gather->axis[2].outs;
}

/* Pixels side by side that vectors of lanes are cut from: whole planes for one tap, else rows. */
static int64_t row_of_lanes(const cb_images *st, const cb_gather *gather)
{
  const cb_gather_axis *a = gather->axis;
  return gather->taps == 1 && !st->staged ? a[0].outs * a[1].outs * a[2].outs : a[2].outs;
}

/* Steps that the boxes of a gather take of those without, pixel by pixel; 1 if it is not cut. */
static double share_of_steps(const cb_gather *gather, unsigned axes)
{
  const cb_gather_axis *a = gather->axis;
  cb_box box[CB_MAX_BOXES];
  double steps = 0;
  int boxes = cb_boxes_cut(gather, axes, box);
  for (int b = 0; b < boxes; b++)
    steps += (double)(box[b].count[0] * box[b].count[1] * box[b].count[2]) * (double)cb_box_taps(&box[b]);
  return boxes ? steps / ((double)(a[0].outs * a[1].outs * a[2].outs) * (double)gather->taps) : 1;
}

/* About the cycles that a block grid takes with boxes on those axes: tiles of few rows wait for their sums, and each
   tile has a call and a store. */
static double cycles_with_boxes(const cb_images *st, unsigned axes)
{
  double cycles = 0;
  for (int64_t i = 0; i < st->phases; i++) {
    const cb_gather *gather = &st->gather[i];
    cb_box box[CB_MAX_BOXES];
    if (gather->q == 0 || !has_outputs(gather)) continue;
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

/* The axes on which cutting the pixels into boxes takes least. Bits do not tell: products with zeros add nothing. */
static unsigned choose_axes(const cb_images *st)
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

/* Which operand goes on the lanes. Storing with channels on the lanes costs about as much as TRANSPOSE more steps; pixels
   on the lanes waste what does not fill a row's last vector and need pixels that lie side by side. */
static bool prefer_pixel_lanes(const cb_images *st)
{
  double rows = 0, lanes = 0;
  for (int64_t i = 0; i < st->phases; i++) {
    const cb_gather *gather = &st->gather[i];
    if (gather->q == 0 || !has_outputs(gather)) continue;
    if (gather->taps == 1 && gather->axis[2].stride != 1) return false; /* a band only for the sake of neighbours */
    int64_t width = row_of_lanes(st, gather);
    double vectors = (double)cb_round_up(width, st->engine->lanes), q = (double)gather->q;
    double filled = (double)st->outputs / (double)cb_round_up(st->outputs, st->engine->lanes);
    rows += q * filled / (q * share_of_steps(gather, ALL_AXES) + TRANSPOSE);
    lanes += q * (double)width / vectors / (q + (st->staged ? TRANSPOSE : STRAIGHT));
  }
  return lanes > rows;
}

/* Sizes of the scratch's parts, then their places, one behind the other. */
static void size_scratch(cb_images *st, size_t element)
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
  parts->spare = (size_t)(q * lanes) * element;
  parts->sums = (size_t)(CB_MAX_ROWS * CB_MAX_LANES) * element;
  parts->stage = (size_t)(st->stage_plane * CB_PANEL_VECTORS * lanes) * element;
  parts->bytes = 0;
  for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
    size_t size = cb_aligned_size(*part[i]);
    *part[i] = parts->bytes;
    parts->bytes += size;
  }
}

/* In how many parts the pixels of all images are wanted, so that the threads have equally much to do. A part packs the weights
   of its panels anew, unless they are shared: in cycles a step, a panel takes 2 a pixel, and PACK_CYCLES to pack. With pixels
   on the lanes parts cost nothing. */
static int64_t wanted_parts(const cb_images *st, int64_t panels, int64_t pixels)
{
  int64_t most = cb_parts(st->jobs, panels), best = 1;
  double least = HUGE_VAL;
  if (st->pixel_lanes || st->staged) return most;
  for (int64_t parts = 1; parts <= most; parts++) {
    int64_t jobs = panels * parts, turns = cb_ceil_div(jobs, st->threads);
    double imbalance = (double)(turns * st->threads) / (double)jobs * (1 + 0.04 / (double)turns);
    double cycles = imbalance * (2 * (double)pixels + PACK_CYCLES * (double)parts);
    if (cycles >= least) continue;
    least = cycles;
    best = parts;
  }
  return best;
}

/* Cuts the blocks for the orientation in st. */
static void cut(cb_images *st, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  const cb_gather_axis *a = st->gather[0].axis;
  int64_t panels = cb_panels(st->engine, st->outputs) * geo->g, pixels = a[0].outs * a[1].outs * a[2].outs * geo->n;
  int64_t most = st->staged ? cb_max(1, STAGED_PIXELS / st->phases) : st->pixel_lanes ? LANE_PIXELS : BLOCK_PIXELS;
  int64_t tile = st->pixel_lanes ? st->pixel_vectors * st->engine->lanes : st->engine->rows[CB_PANEL_VECTORS];
  int64_t share = cb_round_up(cb_ceil_div(pixels, wanted_parts(st, panels, pixels)), tile);
  cb_band_limits limits = {.n = geo->n,
                           .pixels = cb_min(most, cb_max(LEAST_PIXELS, share)),
                           .elements = CB_BAND_BYTES / (int64_t)geo->element,
                           .source_image = st->source_image,
                           .side_by_side = st->pixel_lanes,
                           .tiled = !st->pixel_lanes && (size_t)st->engine->lanes * geo->element < LINE,
                           .tile = tile};
  cb_band_cut(&st->band, st->gather, st->phases, &limits);
  st->stage_plane = 0;
  if (!st->staged) return;
  st->stage_plane = st->band.images;
  for (int i = 0; i < 3; i++) st->stage_plane *= cb_min(st->band.outs[i] * geo->axis[i].stride, geo->axis[i].in);
}

/* Elements of one group's packed panels of a phase. */
int64_t cb_images_group_elements(const cb_images *st, const cb_gather *gather)
{
  return cb_panel_elements(st->engine, st->outputs, gather->q);
}

/* Bytes of all packed weights. */
static int64_t packed_bytes(const cb_images *st, const cb_problem *problem)
{
  int64_t elements = 0;
  for (int64_t i = 0; i < st->phases; i++) elements += problem->geo.g * cb_images_group_elements(st, &st->gather[i]);
  return elements * (int64_t)problem->geo.element;
}

/* True if so many bytes of packed weights may be there before the jobs begin. */
static bool packs_fit(const cb_images *st, const cb_problem *problem, int64_t bytes)
{
  return bytes <= SHARED_PANELS && (size_t)bytes + st->parts.bytes + 2 * CB_ALIGN <= problem->budget;
}

/* How weights are packed, with pixels on the rows: all at once before the jobs; or, if they are too large, some panels of
   all blocks after others, where filling the bands again costs less than packing in each block. 0: in each block. */
static int64_t choose_round(const cb_images *st, const cb_problem *problem)
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

/* With pixels on the lanes, few pixels are not worth the packing of weights, and large weights not the memory. */
static bool read_weights_in_place(const cb_images *st, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  int64_t pixels = geo->n * (problem->direction == CNNBLAS_FORWARD ? geo->p : geo->image);
  return geo->kg * geo->q < INT32_MAX &&
         (pixels <= DIRECT_PIXELS || !packs_fit(st, problem, packed_bytes(st, problem)));
}

int64_t cb_images_chunk(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  if (problem->direction == CNNBLAS_FORWARD) return CB_CHUNK;
  return cb_min(CB_CHUNK, cb_max(DATA_CHUNK, 3 * (geo->kg + geo->taps)));
}

/* Gathers, orientation, band and scratch: everything that does not need the tables. st->gather has room for the phases. */
static void layout(cb_images *st, const cb_problem *problem, int threads)
{
  const cb_geometry *geo = &problem->geo;
  bool forward = problem->direction == CNNBLAS_FORWARD;
  st->engine = cb_engine_get(geo->dtype);
  st->pixel_vectors = st->engine->rows[4] ? 3 : 2;
  st->threads = threads;
  st->jobs = threads == 1 ? 1 : JOBS_A_THREAD * (int64_t)threads;
  st->outputs = forward ? geo->kg : geo->cg;
  st->staged = st->phases > 1;
  st->chunk = cb_images_chunk(problem);
  for (int i = 0; i < 3; i++) st->dest[i] = forward ? geo->axis[i].out : geo->axis[i].in;
  if (cb_geometry_is_pointwise(geo)) st->dest[0] = st->dest[1] = 1, st->dest[2] = geo->p;
  st->source_plane = forward ? geo->image : geo->p;
  st->dest_plane = forward ? geo->p : geo->image;
  st->source_image = (forward ? geo->c : geo->k) * st->source_plane;
  st->dest_image = (forward ? geo->k : geo->c) * st->dest_plane;
  st->past = (double)geo->n * (double)st->dest_image * (double)geo->element >= CB_PAST_CACHES;
  for (int64_t i = 0; i < st->phases; i++) {
    if (forward)
      cb_gather_forward(&st->gather[i], geo);
    else
      cb_gather_phase(&st->gather[i], geo, i);
    st->gaps |= st->gather[i].q == 0 && has_outputs(&st->gather[i]);
  }
  st->pixel_lanes = true;
  cut(st, problem);
  size_scratch(st, geo->element);
  st->pixel_lanes = prefer_pixel_lanes(st);
  if (!st->pixel_lanes) cut(st, problem);
  st->axes = st->pixel_lanes ? 0 : choose_axes(st);
  size_scratch(st, geo->element);
  st->panels = cb_panels(st->engine, st->outputs);
  st->direct_weights = st->pixel_lanes && !problem->packed && read_weights_in_place(st, problem);
}

bool cb_images_apply(const cb_problem *problem, char *why, size_t size)
{
  cb_gather gather[MAX_PHASES];
  cb_images st = {.phases = phases_of(problem), .gather = gather};
  if (st.phases > MAX_PHASES) {
    snprintf(why, size, "%lld phases; it does up to %d", (long long)st.phases, MAX_PHASES);
    return false;
  }
  layout(&st, problem, 1); /* the largest blocks: whether it applies may not depend on the threads */
  int64_t reach = st.band.elements ? st.band.elements : st.band.images * st.source_image;
  for (int64_t i = 0; i < st.phases; i++) reach = cb_max(reach, st.gather[i].q * CB_PANEL_VECTORS * st.engine->lanes);
  if (reach >= INT32_MAX || st.source_plane >= INT32_MAX || st.dest_plane >= INT32_MAX) {
    snprintf(why, size, "its offsets exceed 31 bits");
    return false;
  }
  if (st.parts.bytes + CB_ALIGN <= problem->budget) return true;
  snprintf(why, size, "it needs a workspace of %zu bytes a thread", st.parts.bytes + CB_ALIGN);
  return false;
}

double cb_images_cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  cb_gather gather[MAX_PHASES];
  cb_images st = {.phases = phases_of(problem), .gather = gather};
  layout(&st, problem, COST_THREADS);
  int64_t blocks = cb_max(1, cb_band_blocks(&st.band, geo->n)), lanes = st.engine->lanes;
  int64_t jobs = blocks * geo->g * cb_min(st.panels, cb_parts(st.jobs, blocks * geo->g));
  double images = (double)geo->n * (double)geo->g, balance = cb_cost_imbalance(jobs);
  double outputs = (double)(st.pixel_lanes ? st.outputs : cb_round_up(st.outputs, lanes)), work[CB_WORK_KINDS] = {0};
  for (int64_t i = 0; i < st.phases; i++) {
    const cb_gather_axis *a = gather[i].axis;
    double pixels = (double)(a[0].outs * a[1].outs * a[2].outs);
    if (st.pixel_lanes && has_outputs(&gather[i])) {
      int64_t width = row_of_lanes(&st, &gather[i]);
      pixels *= (double)cb_round_up(width, lanes) / (double)width;
    }
    double steps = (double)gather[i].q * share_of_steps(&gather[i], st.axes);
    work[CB_WORK_MAC] += images * pixels * outputs * steps * balance;
    work[CB_WORK_STORE] += images * pixels * outputs * balance;
  }
  bool again = !st.pixel_lanes && choose_round(&st, problem) == 0; /* each block packs the weights anew */
  work[CB_WORK_READ] =
      (double)geo->n * (double)(st.source_plane * (problem->direction == CNNBLAS_FORWARD ? geo->c : geo->k));
  work[CB_WORK_WEIGHTS] = (double)(geo->k * geo->q) * (again ? (double)blocks : 1);
  work[CB_WORK_CALLS] = images;
  work[CB_WORK_ONCE] = 1;
  cb_cost_row row = !st.pixel_lanes ? CB_COST_ROWS : st.direct_weights ? CB_COST_DIRECT : CB_COST_LANES;
  return cb_cost(row, problem, work);
}

int64_t cb_images_panel_place(const cb_images *st, int64_t i, int64_t ig, int64_t b)
{
  const cb_gather *gather = &st->gather[i];
  return st->phase[i].panels_at + ig * cb_images_group_elements(st, gather) + cb_panel_offset(st->engine, gather->q, b);
}

cnnblas_status cb_images_prepare(cnnblas_conv_plan *plan)
{
  const cb_problem *problem = &plan->problem;
  const cb_geometry *geo = &problem->geo;
  cb_gather gather[MAX_PHASES] = {0};
  cb_images draft = {.phases = phases_of(problem), .gather = gather};
  layout(&draft, problem, plan->threads);
  cb_images *st = cb_images_allocate(&draft);
  if (!st) return CNNBLAS_OUT_OF_MEMORY;
  st->head.run = cb_images_run;
  bool forward = problem->direction == CNNBLAS_FORWARD;
  int64_t elements = 0;
  for (int64_t i = 0; i < st->phases; i++) {
    if (st->gather[i].q == 0) continue;
    cnnblas_status status = cb_images_fill(st, geo, forward, i);
    if (status) {
      cb_free(st);
      return status;
    }
    st->phase[i].panels_at = elements;
    if (!st->direct_weights) elements += geo->g * cb_images_group_elements(st, &st->gather[i]);
  }
  for (int i = 0; st->direct_weights && i < CB_MAX_ROWS; i++)
    st->row[i] = (int32_t)(i * (forward ? geo->q : geo->taps));
  plan->state = st;
  cb_tiling *t = &plan->tiling;
  int64_t blocks = cb_band_blocks(&st->band, geo->n) * geo->g, bytes = elements * (int64_t)geo->element;
  bool packs = !st->direct_weights && !problem->packed;
  int64_t round = !packs ? 0 : st->pixel_lanes ? st->panels : choose_round(st, problem);
  st->shared_panels = round > 0;
  st->round_panels = round > 0 ? round : st->panels;
  st->panel_groups = cb_min(st->round_panels, cb_parts(st->jobs, cb_max(blocks, 1)));
  if (round < st->panels) bytes = cb_panel_offset(st->engine, st->gather[0].q, round) * (int64_t)geo->element;
  t->shared_bytes = st->shared_panels ? cb_aligned_size((size_t)bytes) : 0;
  t->thread_bytes = st->parts.bytes;
  t->lanes = st->pixel_lanes ? "pixels" : "channels";
  t->p_tile = st->pixel_lanes ? st->pixel_vectors * st->engine->lanes : st->engine->rows[CB_PANEL_VECTORS];
  t->k_tile = st->pixel_lanes ? st->engine->rows[st->pixel_vectors] : CB_PANEL_VECTORS * st->engine->lanes;
  t->q_tile = CB_CHUNK;
  t->tasks = blocks * st->panel_groups;
  t->packs = packs;
  return CNNBLAS_OK;
}
