/*
 * implicit_gemm, forward and input gradient: which jobs there are, what each packs, and where its results go.
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
#include "base/parallel.h"
#include "base/status.h"
#include "conv/costs.h"
#include <stdio.h>
#include <string.h>

enum {
  BLOCK_PIXELS = 448,         /* pixels of a job, about: they share each panel */
  LEAST_PIXELS = 28,          /* a job has at least these, even if there are too few jobs */
  STAGED_PIXELS = 1024,       /* of all phases together, when they meet in a stage */
  DATA_CHUNK = 48,            /* least chunk of an input gradient: col2im sums kg terms, then taps; so must a rival */
  MAX_PHASES = 64,            /* of an input gradient */
  SHARED_PANELS = 1536 << 10, /* bytes of weights up to which they are packed once for all jobs */
  PACK_AHEAD = 4,             /* filters that packing asks for early */
  DIRECT_PIXELS = 2048,       /* of all images: up to these, weights are read in place, pixels on the lanes */
  COST_THREADS = 2,           /* that an estimate supposes: it must not look at the real number */
  JOBS_A_THREAD = 4,          /* wanted: blocks are smaller and panels dealt out until there are so many */
  TRANSPOSE = 35,             /* steps that a transposed store costs, measured on AVX-512 */
  STRAIGHT = 15               /* steps that a straight store costs */
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

/* Which operand goes on the lanes. Storing with channels on the lanes costs about as much as TRANSPOSE more steps; pixels
   on the lanes waste what does not fill a row's last vector and need pixels that lie side by side. */
static bool prefer_pixel_lanes(const cb_images *st)
{
  double rows = 0, lanes = 0;
  for (int64_t i = 0; i < st->phases; i++) {
    const cb_gather *gather = &st->gather[i];
    const cb_gather_axis *a = gather->axis;
    if (gather->q == 0 || !has_outputs(gather)) continue;
    if (a[2].stride != 1) return false;
    int64_t width = row_of_lanes(st, gather);
    double vectors = (double)cb_round_up(width, st->engine->lanes), q = (double)gather->q;
    double filled = (double)st->outputs / (double)cb_round_up(st->outputs, st->engine->lanes);
    rows += q * filled / (q + TRANSPOSE);
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

/* Cuts the blocks for the orientation in st. */
static void cut(cb_images *st, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  const cb_gather_axis *a = st->gather[0].axis;
  int64_t panels = cb_panels(st->engine, st->outputs) * geo->g, pixels = a[0].outs * a[1].outs * a[2].outs * geo->n;
  int64_t most = st->staged ? cb_max(1, STAGED_PIXELS / st->phases) : BLOCK_PIXELS;
  cb_band_limits limits = {.n = geo->n,
                           .pixels =
                               cb_min(most, cb_max(LEAST_PIXELS, cb_ceil_div(pixels, cb_parts(st->jobs, panels)))),
                           .elements = CB_BAND_BYTES / (int64_t)geo->element,
                           .source_image = st->source_image,
                           .side_by_side = st->pixel_lanes};
  cb_band_cut(&st->band, st->gather, st->phases, &limits);
  st->stage_plane = 0;
  if (!st->staged) return;
  st->stage_plane = st->band.images;
  for (int i = 0; i < 3; i++) st->stage_plane *= cb_min(st->band.outs[i] * geo->axis[i].stride, geo->axis[i].in);
}

/* Elements of one group's packed panels of a phase. */
static int64_t group_elements(const cb_images *st, const cb_gather *gather)
{
  return cb_panel_elements(st->engine, st->outputs, gather->q);
}

/* Bytes of all packed weights. */
static int64_t packed_bytes(const cb_images *st, const cb_problem *problem)
{
  int64_t elements = 0;
  for (int64_t i = 0; i < st->phases; i++) elements += problem->geo.g * group_elements(st, &st->gather[i]);
  return elements * (int64_t)problem->geo.element;
}

/* True if all weights may be packed before the jobs begin. */
static bool packs_fit(const cb_images *st, const cb_problem *problem)
{
  int64_t bytes = packed_bytes(st, problem);
  return bytes <= SHARED_PANELS && (size_t)bytes + st->parts.bytes + 2 * CB_ALIGN <= problem->budget;
}

/* With pixels on the lanes, few pixels are not worth the packing of weights, and large weights not the memory. */
static bool read_weights_in_place(const cb_images *st, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  int64_t pixels = geo->n * (problem->direction == CNNBLAS_FORWARD ? geo->p : geo->image);
  return geo->kg * geo->q < INT32_MAX && (pixels <= DIRECT_PIXELS || !packs_fit(st, problem));
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
    work[CB_WORK_MAC] += images * pixels * outputs * (double)gather[i].q * balance;
    work[CB_WORK_STORE] += images * pixels * outputs * balance;
  }
  bool again = !st.pixel_lanes && !packs_fit(&st, problem); /* each block packs the weights anew */
  work[CB_WORK_READ] =
      (double)geo->n * (double)(st.source_plane * (problem->direction == CNNBLAS_FORWARD ? geo->c : geo->k));
  work[CB_WORK_WEIGHTS] = (double)(geo->k * geo->q) * (again ? (double)blocks : 1);
  work[CB_WORK_CALLS] = images;
  work[CB_WORK_ONCE] = 1;
  cb_cost_row row = !st.pixel_lanes ? CB_COST_ROWS : st.direct_weights ? CB_COST_DIRECT : CB_COST_LANES;
  return cb_cost(row, problem, work);
}

/* The state with its gathers, phases and tables, in one allocation; laid out. */
static cb_images *allocate(const cb_problem *problem, int threads)
{
  cb_gather gather[MAX_PHASES] = {0};
  cb_images draft = {.phases = phases_of(problem), .gather = gather};
  layout(&draft, problem, threads);
  size_t phases = (size_t)draft.phases, head = cb_aligned_size(sizeof draft), bytes = head;
  bytes += cb_aligned_size(phases * sizeof(cb_gather)) + cb_aligned_size(phases * sizeof(cb_phase));
  for (size_t i = 0; i < phases; i++)
    bytes += (draft.direct_weights ? 2 : 1) * cb_aligned_size((size_t)gather[i].q * sizeof(int32_t)) +
             cb_aligned_size((size_t)gather[i].taps * sizeof(int64_t));
  char *memory = cb_alloc_zeroed(bytes);
  if (!memory) {
    cb_fail_memory(bytes, "the plan's walk tables");
    return NULL;
  }
  cb_images *st = (cb_images *)memory;
  *st = draft;
  st->gather = (cb_gather *)(memory + head);
  st->phase = (cb_phase *)((char *)st->gather + cb_aligned_size(phases * sizeof(cb_gather)));
  memcpy(st->gather, gather, phases * sizeof(cb_gather));
  memory = (char *)st->phase + cb_aligned_size(phases * sizeof(cb_phase));
  for (size_t i = 0; i < phases; i++) {
    st->phase[i].walk = (int32_t *)memory;
    memory += cb_aligned_size((size_t)gather[i].q * sizeof(int32_t));
    if (draft.direct_weights) {
      st->phase[i].weight = (int32_t *)memory;
      memory += cb_aligned_size((size_t)gather[i].q * sizeof(int32_t));
    }
    st->phase[i].tap = (int64_t *)memory;
    memory += cb_aligned_size((size_t)gather[i].taps * sizeof(int64_t));
  }
  return st;
}

/* Packed panel b of group ig and phase i among all. */
static int64_t panel_place(const cb_images *st, int64_t i, int64_t ig, int64_t b)
{
  const cb_gather *gather = &st->gather[i];
  return st->phase[i].panels_at + ig * group_elements(st, gather) + cb_panel_offset(st->engine, gather->q, b);
}

/* Where the weights of phase i's steps lie, from output 0's first on: w[filter][channel][tap], outputs being filters
   (forward) or channels. */
static void weight_walk(cb_images *st, const cb_geometry *geo, bool forward, int64_t i)
{
  const cb_gather *gather = &st->gather[i];
  int64_t pitch = forward ? geo->taps : geo->q;
  for (int64_t c = 0; c < gather->channels; c++)
    for (int64_t t = 0; t < gather->taps; t++)
      st->phase[i].weight[c * gather->taps + t] = (int32_t)(c * pitch + st->phase[i].tap[t]);
}

static void run(const cb_call *call);

cnnblas_status cb_images_prepare(cnnblas_conv_plan *plan)
{
  const cb_problem *problem = &plan->problem;
  const cb_geometry *geo = &problem->geo;
  cb_images *st = allocate(problem, plan->threads);
  if (!st) return CNNBLAS_OUT_OF_MEMORY;
  st->head.run = run;
  plan->state = st;
  bool forward = problem->direction == CNNBLAS_FORWARD;
  cb_hops_init(&st->hops, st->engine);
  int64_t elements = 0;
  for (int64_t i = 0; i < st->phases; i++) {
    if (st->gather[i].q == 0) continue;
    cb_band_walk(&st->gather[i], &st->band, st->phase[i].walk);
    for (int64_t t = 0; t < st->gather[i].taps; t++) st->phase[i].tap[t] = cb_gather_tap(&st->gather[i], geo, t);
    st->phase[i].panels_at = elements;
    if (!st->direct_weights)
      elements += geo->g * group_elements(st, &st->gather[i]);
    else
      weight_walk(st, geo, forward, i);
  }
  for (int i = 0; st->direct_weights && i < CB_MAX_ROWS; i++)
    st->row[i] = (int32_t)(i * (forward ? geo->q : geo->taps));
  cb_tiling *t = &plan->tiling;
  int64_t blocks = cb_band_blocks(&st->band, geo->n) * geo->g, bytes = elements * (int64_t)geo->element;
  st->panel_groups = cb_min(st->panels, cb_parts(st->jobs, cb_max(blocks, 1)));
  st->shared_panels =
      !st->direct_weights && !problem->packed && (st->pixel_lanes || (packs_fit(st, problem) && blocks > geo->g));
  t->shared_bytes = st->shared_panels ? cb_aligned_size((size_t)bytes) : 0;
  t->thread_bytes = st->parts.bytes;
  t->lanes = st->pixel_lanes ? "pixels" : "channels";
  t->p_tile = st->pixel_lanes ? CB_PIXEL_VECTORS * st->engine->lanes : st->engine->rows[CB_PANEL_VECTORS];
  t->k_tile = st->pixel_lanes ? st->engine->rows[CB_PIXEL_VECTORS] : CB_PANEL_VECTORS * st->engine->lanes;
  t->q_tile = CB_CHUNK;
  t->tasks = blocks * st->panel_groups;
  return CNNBLAS_OK;
}

/* Asks for the weights that pack_panel takes from the filter that comes PACK_AHEAD filters later: they lie far apart. */
static void prefetch_filter(const cb_geometry *geo, const char *filter, int64_t left, int64_t count)
{
  if (left <= PACK_AHEAD) return;
  const char *next = filter + (size_t)(PACK_AHEAD * geo->q) * geo->element;
  for (size_t at = 0; at < (size_t)(count * geo->taps) * geo->element; at += 64) __builtin_prefetch(next + at);
}

/* panel[step][output] of phase i, group ig: outputs are filters (forward) or input channels, steps (channel, tap). */
static void pack_panel(const cb_call *call, int64_t i, int64_t ig, const cb_panel *panel, void *to)
{
  const cb_images *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_gather *gather = &st->gather[i];
  const void *w = cb_at(call->w, ig * geo->kg * geo->q, geo->element);
  if (call->plan->problem.direction == CNNBLAS_FORWARD) {
    st->engine->pack_lanes(to, cb_at(w, panel->first * geo->q, geo->element), geo->q, geo->q, panel->count,
                           panel->width);
    return;
  }
  for (int64_t c = 0; c < gather->channels; c++) {
    const void *filter = cb_at(w, c * geo->q + panel->first * geo->taps, geo->element);
    void *steps = cb_at_mut(to, c * gather->taps * panel->width, geo->element);
    prefetch_filter(geo, filter, gather->channels - c, panel->count);
    if (geo->taps == 1) { /* lanes lie side by side already */
      memcpy(steps, filter, (size_t)panel->count * geo->element);
      memset(cb_at_mut(steps, panel->count, geo->element), 0, (size_t)(panel->width - panel->count) * geo->element);
      continue;
    }
    if (gather->taps == geo->taps) {
      st->engine->pack_lanes(steps, filter, geo->taps, geo->taps, panel->count, panel->width);
      continue;
    }
    for (int64_t t = 0; t < gather->taps; t++)
      st->engine->pack_lanes(cb_at_mut(steps, t * panel->width, geo->element),
                             cb_at(filter, st->phase[i].tap[t], geo->element), geo->taps, 1, panel->count,
                             panel->width);
  }
}

/* Task of the first pass: one shared panel; task = (phase, group, panel). */
static void pack_shared(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_images *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  int64_t i = task / (geo->g * st->panels), ig = task / st->panels % geo->g, b = task % st->panels;
  (void)worker;
  if (st->gather[i].q == 0) return;
  cb_panel panel = cb_panel_at(st->engine, st->outputs, b);
  pack_panel(call, i, ig, &panel, cb_at_mut(call->shared, panel_place(st, i, ig, b), geo->element));
}

/* A job's block: its pixels in phase 0, the part of the destination that it covers, and its memory. */
typedef struct {
  cb_images_job tiles; /* what does not depend on the phase */
  cb_block_range block;
  int64_t index;
  int64_t corner[3], size[3]; /* of the destination */
  char *scratch;
} job;

/* The tiles of panels [p0, p1) in phase i. */
static void run_phase(job *j, int64_t i, int64_t p0, int64_t p1)
{
  const cb_call *call = j->tiles.call;
  const cb_images *st = j->tiles.st;
  size_t element = call->plan->problem.geo.element;
  cb_images_job tiles = j->tiles;
  cb_block_range block = cb_band_block(&st->gather[i], &st->band, call->n, j->index);
  tiles.gather = &st->gather[i];
  tiles.phase = &st->phase[i];
  tiles.pixels = block.images * block.count[0] * block.count[1] * block.count[2];
  if (tiles.pixels == 0 || tiles.gather->q == 0) return;
  cb_band_rows(tiles.gather, &st->band, &block, tiles.rows);
  if (st->staged)
    cb_band_positions(tiles.gather, &block, j->size, j->corner, j->size[0] * j->size[1] * j->size[2], tiles.position);
  else
    cb_band_positions(tiles.gather, &block, st->dest, (int64_t[3]){0, 0, 0}, st->dest_image, tiles.position);
  const cb_geometry *geo = &call->plan->problem.geo;
  const char *packed = call->plan->problem.packed ? call->w : call->shared;
  if (st->pixel_lanes) {
    cb_tiles_run_lanes(&tiles, p0, p1,
                       st->direct_weights ? cb_at(call->w, tiles.ig * geo->kg * geo->q, element)
                                          : cb_at(packed, panel_place(st, i, tiles.ig, 0), element));
    return;
  }
  for (int64_t p = p0; p < p1; p++) {
    cb_panel panel = cb_panel_at(st->engine, st->outputs, p);
    const void *lanes = j->scratch + st->parts.panel;
    if (st->shared_panels || call->plan->problem.packed)
      lanes = cb_at(packed, panel_place(st, i, tiles.ig, p), element);
    else
      pack_panel(call, i, tiles.ig, &panel, j->scratch + st->parts.panel);
    cb_tiles_run_rows(&tiles, &panel, lanes);
  }
}

/* Rows of the stage to the destination, whole: one panel of outputs. */
static void store_stage(const job *j, const cb_panel *panel, const char *stage)
{
  const cb_call *call = j->tiles.call;
  const cb_images *st = j->tiles.st;
  size_t element = call->plan->problem.geo.element;
  bool wide = j->size[2] == st->dest[2]; /* rows follow each other in the destination too */
  int64_t rows = wide ? 1 : j->size[1], length = wide ? j->size[1] * j->size[2] : j->size[2];
  for (int64_t in = 0; in < j->block.images; in++)
    for (int64_t d = 0; d < j->size[0]; d++)
      for (int64_t h = 0; h < rows; h++) {
        int64_t from = ((in * j->size[0] + d) * j->size[1] + h) * j->size[2];
        int64_t row = (j->corner[0] + d) * st->dest[1] + j->corner[1] + h;
        int64_t at =
            (j->block.image + in) * st->dest_image + (j->tiles.ig * st->outputs + panel->first) * st->dest_plane;
        at += row * st->dest[2] + j->corner[2];
        st->engine->store(&(cb_store){.c = cb_at(stage, from, element),
                                      .ldc = st->stage_plane,
                                      .m = panel->count,
                                      .count = length,
                                      .out = cb_at_mut(call->out, at, element),
                                      .gate = call->gate ? cb_at(call->gate, at, element) : NULL,
                                      .row_step = st->dest_plane,
                                      .lane_step = 1,
                                      .bias_rows = true,
                                      .add = call->accumulate});
      }
}

/* All phases of panels [p0, p1), one panel at a time through the stage. */
static void run_staged(job *j, int64_t p0, int64_t p1)
{
  const cb_images *st = j->tiles.st;
  size_t element = j->tiles.call->plan->problem.geo.element;
  char *stage = j->scratch + st->parts.stage;
  for (int64_t p = p0; p < p1; p++) {
    cb_panel panel = cb_panel_at(st->engine, st->outputs, p);
    if (st->gaps) memset(stage, 0, (size_t)(st->stage_plane * panel.count) * element);
    j->tiles.out = stage;
    j->tiles.plane = st->stage_plane;
    j->tiles.first_output = panel.first;
    for (int64_t i = 0; i < st->phases; i++) run_phase(j, i, p, p + 1);
    store_stage(j, &panel, stage);
  }
}

/* Opens the job's band and points its tiles at the destination. */
static void open_job(job *j)
{
  const cb_call *call = j->tiles.call;
  const cb_images *st = j->tiles.st;
  const cb_geometry *geo = &call->plan->problem.geo;
  const void *source = call->plan->problem.direction == CNNBLAS_FORWARD ? call->x : call->dy;
  int64_t at = j->block.image * st->source_image + j->tiles.ig * st->gather[0].channels * st->source_plane;
  j->tiles.band = cb_band_open(&st->gather[0], &st->band, &j->block, cb_at(source, at, geo->element), st->source_image,
                               geo->element, j->scratch + st->parts.band);
  j->tiles.rows = (int32_t *)(j->scratch + st->parts.rows);
  j->tiles.position = (int64_t *)(j->scratch + st->parts.position);
  j->tiles.sums = j->scratch + st->parts.sums;
  j->tiles.spare = j->scratch + st->parts.spare;
  int64_t dest = j->block.image * st->dest_image + j->tiles.ig * st->outputs * st->dest_plane;
  j->tiles.out = cb_at_mut(call->out, dest, geo->element);
  j->tiles.plane = st->dest_plane;
  j->tiles.residual = call->residual ? cb_at(call->residual, dest, geo->element) : NULL;
  j->tiles.gate = call->gate ? cb_at(call->gate, dest, geo->element) : NULL;
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
  const cb_images *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  int64_t group = task % st->panel_groups;
  int64_t p0 = cb_split(st->panels, st->panel_groups, group), p1 = cb_split(st->panels, st->panel_groups, group + 1);
  job j = {.tiles = {.call = call, .st = st, .ig = task / st->panel_groups % geo->g},
           .index = task / st->panel_groups / geo->g,
           .scratch = cb_scratch(call, worker)};
  j.block = cb_band_block(&st->gather[0], &st->band, call->n, j.index);
  open_job(&j);
  if (st->staged)
    run_staged(&j, p0, p1);
  else
    run_phase(&j, 0, p0, p1);
}

static void run(const cb_call *call)
{
  const cb_images *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  if (call->n == 0) return;
  if (st->shared_panels) cb_parallel_for(call->threads, st->phases * geo->g * st->panels, pack_shared, (void *)call);
  cb_parallel_for(call->threads, cb_band_blocks(&st->band, call->n) * geo->g * st->panel_groups, run_job, (void *)call);
}
