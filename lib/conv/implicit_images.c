/*
 * implicit_gemm, forward and input gradient: pixels on the rows, channels on the lanes.
 *
 *     out[pixel][lane] = sum over steps (channel, tap) of  band[row(pixel) + walk(step)] * panel[step][lane]
 *
 * forward: the source is x, lanes are filters. Input gradient: the source is dy, lanes are input channels, and the taps of
 * each phase come in the order that rotates the filter. A job is a block of output pixels (of one image or several) and a
 * range of panels; it fills its band, and for each panel walks its tiles of up to 14 pixels:
 *
 *     for each panel (two vectors of lanes; packed by the job, or once for all jobs if the weights are small)
 *       for each tile of pixels                 the panel stays in L2, the tile's part of the band in L1
 *         for each chunk of at most 512 steps   fresh sums, added in order: the error stays that of blocked summation
 *           kernel
 *         store, transposed to NCHW, with the epilogue
 *
 * Every element is one fixed sum whatever the cut, so jobs may be cut by what is fast.
 */
#include "conv/implicit_images.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/status.h"
#include <stdio.h>
#include <string.h>

enum {
  BLOCK_PIXELS = 448,         /* pixels of a job, about: they share each panel */
  MAX_PHASES = 64,            /* of an input gradient */
  SHARED_PANELS = 1536 << 10, /* bytes of weights up to which they are packed once for all jobs */
  TARGET_JOBS = 16,           /* panels are dealt to several jobs until there are that many */
  TRANSPOSE = 60,             /* steps that a transposed store costs, measured on AVX-512 */
  STRAIGHT = 15               /* steps that a straight store costs */
};

/* One phase's gather and band; false if its band or walk is out of reach of 32-bit offsets. */
static bool size_phase(cb_phase *ph, const cb_problem *problem, int64_t i)
{
  const cb_geometry *geo = &problem->geo;
  if (problem->direction == CNNBLAS_FORWARD)
    cb_gather_forward(&ph->gather, geo);
  else
    cb_gather_phase(&ph->gather, geo, i);
  const cb_gather_axis *a = ph->gather.axis;
  if (ph->gather.q == 0 || a[0].outs == 0 || a[1].outs == 0 || a[2].outs == 0) return true;
  ph->in_place = cb_geometry_is_pointwise(geo);
  int64_t source_plane = problem->direction == CNNBLAS_FORWARD ? geo->image : geo->p,
          channels = ph->gather.channels * geo->g;
  cb_band_cut(&ph->band, &ph->gather, geo->n, BLOCK_PIXELS, CB_BAND_BYTES / (int64_t)geo->element, ph->in_place,
              source_plane);
  int64_t reach = ph->in_place ? channels * source_plane * ph->band.images : ph->band.elements;
  return reach < INT32_MAX;
}

static int64_t phases_of(const cb_problem *problem)
{
  return problem->direction == CNNBLAS_FORWARD ? 1 : cb_gather_phases(&problem->geo);
}

static int64_t outputs_of(const cb_problem *problem)
{
  return problem->direction == CNNBLAS_FORWARD ? problem->geo.kg : problem->geo.cg;
}

static void size_scratch(cb_scratch_parts *parts, const cb_engine *engine, const cb_phase *ph, size_t element)
{
  size_t band = cb_aligned_size((size_t)(ph->band.elements ? ph->band.elements + CB_MAX_LANES : 0) * element);
  size_t panel = cb_aligned_size((size_t)(ph->gather.q * CB_PANEL_VECTORS * engine->lanes) * element);
  size_t rows = cb_aligned_size((size_t)ph->band.pixels * sizeof(int32_t));
  size_t position = cb_aligned_size((size_t)ph->band.pixels * sizeof(int64_t));
  size_t spare = cb_aligned_size((size_t)(ph->gather.q * engine->lanes) * element);
  size_t sums = (size_t)(CB_MAX_ROWS * CB_MAX_LANES) * element;
  if (band > parts->band) parts->band = band;
  if (panel > parts->panel) parts->panel = panel;
  if (rows > parts->rows) parts->rows = rows;
  if (position > parts->position) parts->position = position;
  if (spare > parts->spare) parts->spare = spare;
  parts->sums = cb_aligned_size(sums);
}

/* Sizes so far become offsets, one part behind the other. */
static void place_scratch(cb_scratch_parts *parts)
{
  size_t *part[] = {&parts->band, &parts->panel, &parts->rows, &parts->position, &parts->spare, &parts->sums};
  parts->bytes = 0;
  for (int i = 0; i < 6; i++) {
    size_t size = *part[i];
    *part[i] = parts->bytes;
    parts->bytes += size;
  }
}

bool cb_images_apply(const cb_problem *problem, char *why, size_t size)
{
  const cb_engine *engine = cb_engine_get(problem->geo.dtype);
  cb_scratch_parts parts = {0};
  int64_t phases = phases_of(problem);
  if (phases > MAX_PHASES) {
    snprintf(why, size, "%lld phases; it does up to %d", (long long)phases, MAX_PHASES);
    return false;
  }
  for (int64_t i = 0; i < phases; i++) {
    cb_phase ph = {0};
    if (!size_phase(&ph, problem, i)) {
      snprintf(why, size, "its offsets exceed 31 bits");
      return false;
    }
    size_scratch(&parts, engine, &ph, problem->geo.element);
  }
  place_scratch(&parts);
  if (parts.bytes + CB_ALIGN <= problem->budget) return true;
  snprintf(why, size, "it needs a workspace of %zu bytes a thread", parts.bytes + CB_ALIGN);
  return false;
}

/* State, walks and tap lists in one allocation. */
static cb_images *allocate(const cb_problem *problem, int64_t phases)
{
  size_t bytes = cb_aligned_size(sizeof(cb_images) + (size_t)phases * sizeof(cb_phase)), head = bytes;
  for (int64_t i = 0; i < phases; i++) {
    cb_phase ph = {0};
    size_phase(&ph, problem, i);
    bytes += cb_aligned_size((size_t)ph.gather.q * sizeof(int32_t)) +
             cb_aligned_size((size_t)ph.gather.taps * sizeof(int64_t));
  }
  char *memory = cb_alloc_zeroed(bytes);
  cb_images *st = (cb_images *)memory;
  if (!st) {
    cb_fail_memory(bytes, "the plan's walk tables");
    return NULL;
  }
  memory += head;
  for (int64_t i = 0; i < phases; i++) {
    cb_phase *ph = &st->phase[i];
    size_phase(ph, problem, i);
    ph->walk = (int32_t *)memory;
    memory += cb_aligned_size((size_t)ph->gather.q * sizeof(int32_t));
    ph->tap = (int64_t *)memory;
    memory += cb_aligned_size((size_t)ph->gather.taps * sizeof(int64_t));
  }
  return st;
}

static bool is_empty(const cb_phase *ph)
{
  return ph->band.pixels == 0;
}

/* Blocks of pixels of all phases for n images. */
static int64_t count_blocks(const cb_images *st, int64_t n)
{
  int64_t blocks = 0;
  for (int64_t i = 0; i < st->phases; i++)
    if (!is_empty(&st->phase[i])) blocks += cb_band_blocks(&st->phase[i].band, n);
  return blocks;
}

static void size_images(cb_images *st, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  bool forward = problem->direction == CNNBLAS_FORWARD;
  for (int i = 0; i < 3; i++) st->dest[i] = forward ? geo->axis[i].out : geo->axis[i].in;
  if (cb_geometry_is_pointwise(geo)) st->dest[0] = st->dest[1] = 1, st->dest[2] = geo->p;
  st->source_plane = forward ? geo->image : geo->p;
  st->dest_plane = forward ? geo->p : geo->image;
  st->source_image = (forward ? geo->c : geo->k) * st->source_plane;
  st->dest_image = (forward ? geo->k : geo->c) * st->dest_plane;
}

/* Elements of one group's packed panels. */
static int64_t group_elements(const cb_images *st, const cb_phase *ph)
{
  if (st->pixel_lanes) return st->panels * st->panel_width * ph->gather.q;
  return cb_panel_elements(st->engine, st->outputs, ph->gather.q);
}

cb_panel cb_images_panel(const cb_images *st, int64_t b)
{
  if (!st->pixel_lanes) return cb_panel_at(st->engine, st->outputs, b);
  int64_t first = cb_split(st->outputs, st->panels, b);
  return (cb_panel){
      .first = first, .count = cb_split(st->outputs, st->panels, b + 1) - first, .width = st->panel_width};
}

/* Packed panel b of group ig, behind the start of the phase's. */
static int64_t panel_place(const cb_images *st, const cb_phase *ph, int64_t ig, int64_t b)
{
  int64_t width = st->pixel_lanes ? st->panel_width : (int64_t)CB_PANEL_VECTORS * st->engine->lanes;
  return ph->panels_at + ig * group_elements(st, ph) + b * width * ph->gather.q;
}

/* Bytes of all packed panels, about. */
static int64_t group_bytes(const cb_images *st, const cb_problem *problem)
{
  int64_t elements = 0, outputs = cb_round_up(st->outputs, CB_MAX_ROWS);
  for (int64_t i = 0; i < st->phases; i++) elements += problem->geo.g * outputs * st->phase[i].gather.q;
  return elements * (int64_t)problem->geo.element;
}

/* Which operand goes on the lanes. Storing with channels on the lanes costs about as much as TRANSPOSE more steps; pixels
   on the lanes waste what does not fill a row's last vector, and need pixels that lie side by side. */
static bool prefer_pixel_lanes(const cb_images *st, const cb_problem *problem)
{
  double rows = 0, lanes = 0;
  int64_t bytes = group_bytes(st, problem);
  if (bytes > SHARED_PANELS || (size_t)bytes + st->parts.bytes + 2 * CB_ALIGN > problem->budget) return false;
  for (int64_t i = 0; i < st->phases; i++) {
    const cb_phase *ph = &st->phase[i];
    const cb_gather_axis *a = &ph->gather.axis[2];
    if (ph->band.pixels == 0) continue;
    int64_t plane = ph->band.outs[0] * ph->band.outs[1] * ph->band.outs[2];
    if (a->stride != 1 && a->taps != 1) return false;
    double q = (double)ph->gather.q, width = (double)(ph->gather.taps == 1 ? plane : ph->band.outs[2]);
    double vectors = (double)cb_round_up((int64_t)width, st->engine->lanes);
    double filled = (double)st->outputs / (double)cb_round_up(st->outputs, st->engine->lanes);
    rows += q * filled / (q + TRANSPOSE);
    lanes += q * width / vectors / (q + STRAIGHT);
  }
  return lanes > rows;
}

static void orient(cb_images *st, const cb_problem *problem)
{
  int rows = st->engine->rows[CB_PIXEL_VECTORS];
  st->pixel_lanes = prefer_pixel_lanes(st, problem);
  st->panels = st->pixel_lanes ? cb_ceil_div(st->outputs, rows) : cb_panels(st->engine, st->outputs);
  st->panel_width = cb_ceil_div(st->outputs, st->panels);
  cb_hops_init(&st->hops, st->engine, st->panel_width);
}

/* Deals the panels to jobs, and decides whether the jobs share them. */
static void cut_panels(cnnblas_conv_plan *plan, int64_t bytes)
{
  cb_images *st = plan->state;
  const cb_problem *problem = &plan->problem;
  cb_tiling *t = &plan->tiling;
  int64_t groups = problem->geo.g, blocks = count_blocks(st, problem->geo.n) * groups;
  bool fits = bytes <= SHARED_PANELS && (size_t)bytes + st->parts.bytes + CB_ALIGN <= problem->budget;
  st->panel_groups = cb_min(st->panels, cb_parts(TARGET_JOBS, cb_max(blocks, 1)));
  st->shared_panels = st->pixel_lanes || (fits && blocks > groups);
  t->shared_bytes = st->shared_panels ? cb_aligned_size((size_t)bytes) : 0;
  t->thread_bytes = st->parts.bytes;
  t->p_tile = st->pixel_lanes ? CB_PIXEL_VECTORS * st->engine->lanes : st->engine->rows[CB_PANEL_VECTORS];
  t->k_tile = st->pixel_lanes ? st->panel_width : CB_PANEL_VECTORS * st->engine->lanes;
  t->q_tile = CB_CHUNK;
  t->tasks = blocks * st->panel_groups;
}

cnnblas_status cb_images_prepare(cnnblas_conv_plan *plan)
{
  const cb_problem *problem = &plan->problem;
  const cb_geometry *geo = &problem->geo;
  int64_t phases = phases_of(problem), panel_elements = 0;
  cb_images *st = allocate(problem, phases);
  if (!st) return CNNBLAS_OUT_OF_MEMORY;
  plan->state = st;
  st->engine = cb_engine_get(geo->dtype);
  st->phases = phases;
  st->outputs = outputs_of(problem);
  size_images(st, problem);
  for (int64_t i = 0; i < phases; i++) size_scratch(&st->parts, st->engine, &st->phase[i], geo->element);
  place_scratch(&st->parts);
  orient(st, problem);
  for (int64_t i = 0; i < phases; i++) {
    cb_phase *ph = &st->phase[i];
    const cb_gather_axis *a = ph->gather.axis;
    st->empty_phases |= is_empty(ph) && a[0].outs && a[1].outs && a[2].outs;
    if (is_empty(ph)) continue;
    cb_band_walk(&ph->gather, &ph->band, ph->walk);
    for (int64_t t = 0; t < ph->gather.taps; t++) ph->tap[t] = cb_gather_tap(&ph->gather, geo, t);
    ph->panels_at = panel_elements;
    panel_elements += geo->g * group_elements(st, ph);
  }

  cut_panels(plan, panel_elements * (int64_t)geo->element);
  return CNNBLAS_OK;
}

/* panel[step][lane] of cb_phase ph, group ig: lanes are filters (forward) or input channels, steps (channel, tap). */
static void pack_panel(const cb_call *call, const cb_phase *ph, int64_t ig, const cb_panel *panel, void *to)
{
  const cb_images *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_gather *gather = &ph->gather;
  const void *w = cb_at(call->w, ig * geo->kg * geo->q, geo->element);
  if (call->plan->problem.direction == CNNBLAS_FORWARD) {
    st->engine->pack_lanes(to, cb_at(w, panel->first * geo->q, geo->element), geo->q, geo->q, panel->count,
                           panel->width);
    return;
  }
  for (int64_t c = 0; c < gather->channels; c++) {
    const void *filter = cb_at(w, c * geo->q + panel->first * geo->taps, geo->element);
    void *rows = cb_at_mut(to, c * gather->taps * panel->width, geo->element);
    if (gather->taps == geo->taps && (geo->taps == 1 || ph->tap[1] == 1)) {
      st->engine->pack_lanes(rows, filter, geo->taps, geo->taps, panel->count, panel->width);
      continue;
    }
    for (int64_t t = 0; t < gather->taps; t++)
      st->engine->pack_lanes(cb_at_mut(rows, t * panel->width, geo->element), cb_at(filter, ph->tap[t], geo->element),
                             geo->taps, 1, panel->count, panel->width);
  }
}

/* Task of the first pass: one shared panel; task = (phase, group, panel). */
static void pack_shared(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_images *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_phase *ph = &st->phase[task / (geo->g * st->panels)];
  int64_t ig = task / st->panels % geo->g, b = task % st->panels;
  (void)worker;
  if (is_empty(ph)) return;
  cb_panel panel = cb_images_panel(st, b);
  pack_panel(call, ph, ig, &panel, cb_at_mut(call->shared, panel_place(st, ph, ig, b), geo->element));
}

/* Fills the job's band and pixel tables. */
static void open_job(cb_images_job *j, const cb_block_range *block, char *scratch)
{
  const cb_call *call = j->call;
  const cb_images *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_phase *ph = j->ph;
  const void *source = call->plan->problem.direction == CNNBLAS_FORWARD ? call->x : call->dy;
  source =
      cb_at(source, block->image * st->source_image + j->ig * ph->gather.channels * st->source_plane, geo->element);
  j->rows = (int32_t *)(scratch + st->parts.rows);
  j->position = (int64_t *)(scratch + st->parts.position);
  j->sums = scratch + st->parts.sums;
  j->spare = scratch + st->parts.spare;
  j->pixels = block->images * block->count[0] * block->count[1] * block->count[2];
  j->dest = block->image * st->dest_image + j->ig * st->outputs * st->dest_plane;
  if (ph->in_place) {
    j->band = cb_at(source, block->first[2], geo->element);
    cb_band_pixels(&ph->gather, &ph->band, block, st->dest, st->dest_image, j->rows, j->position);
    for (int64_t i = 0, p = 0; i < block->images; i++)
      for (int64_t w = 0; w < block->count[2]; w++) j->rows[p++] = (int32_t)(i * st->source_image + w);
  } else {
    j->band = scratch + st->parts.band;
    cb_band_pixels(&ph->gather, &ph->band, block, st->dest, st->dest_image, j->rows, j->position);
    cb_band_fill(&ph->gather, &ph->band, block, source, st->source_image, geo->element, scratch + st->parts.band);
  }
}

/* task = ((block of any phase) * groups + group) * panel groups + panel group. */
static void run_job(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_images *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  char *scratch = cb_scratch(call, worker);
  int64_t group = task % st->panel_groups, b = task / st->panel_groups / geo->g, i = 0;
  while (is_empty(&st->phase[i]) || b >= cb_band_blocks(&st->phase[i].band, call->n)) {
    if (!is_empty(&st->phase[i])) b -= cb_band_blocks(&st->phase[i].band, call->n);
    i++;
  }
  const cb_phase *ph = &st->phase[i];
  cb_images_job j = {.call = call, .ph = ph, .ig = task / st->panel_groups % geo->g};
  cb_block_range block = cb_band_block(&ph->gather, &ph->band, call->n, b);
  open_job(&j, &block, scratch);
  if (j.pixels == 0) return;
  int64_t first = cb_split(st->panels, st->panel_groups, group),
          last = cb_split(st->panels, st->panel_groups, group + 1);
  if (st->pixel_lanes) {
    cb_tiles_run_lanes(&j, first, last, cb_at(call->shared, panel_place(st, ph, j.ig, 0), geo->element));
    return;
  }
  for (int64_t p = first; p < last; p++) {
    cb_panel panel = cb_images_panel(st, p);
    void *lanes = st->shared_panels ? cb_at_mut(call->shared, panel_place(st, ph, j.ig, p), geo->element)
                                    : scratch + st->parts.panel;
    if (!st->shared_panels) pack_panel(call, ph, j.ig, &panel, lanes);
    cb_tiles_run_rows(&j, &panel, lanes);
  }
}

/* Zeroes one plane of dx: task = image * c + channel. */
static void clear_plane(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_geometry *geo = &call->plan->problem.geo;
  (void)worker;
  memset(cb_at_mut(call->out, task * geo->image, geo->element), 0, (size_t)geo->image * geo->element);
}

void cb_images_run(const cb_call *call)
{
  const cb_images *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  if (st->empty_phases && !call->accumulate)
    cb_parallel_for(call->threads, call->n * geo->c, clear_plane, (void *)call);
  if (call->n == 0) return;
  if (st->shared_panels) cb_parallel_for(call->threads, st->phases * geo->g * st->panels, pack_shared, (void *)call);
  cb_parallel_for(call->threads, count_blocks(st, call->n) * geo->g * st->panel_groups, run_job, (void *)call);
}
