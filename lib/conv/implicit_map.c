/*
 * implicit_gemm, forward and input gradient: what a plan fixes. Blocks, orientation, boxes, tables and scratch.
 *
 *     out[pixel][output] = sum over steps (channel, tap) of  band[row(pixel) + walk(step)] * panel[step][output]
 *
 * forward: the source is x, outputs are filters. Input gradient: the source is dy, outputs are input channels, and the
 * taps of each phase come in the order that rotates the filter. A job is a block of output pixels (of one image or
 * several) and a range of panels of outputs. It opens its band and runs the tiles of each panel
 * (implicit_map_channels.c, implicit_map_pixels.c). The phases of a strided input gradient interleave in dx: a job runs
 * all of them for its block, they meet in a stage of one panel, and whole rows of the stage go to dx.
 *
 * Every element is one fixed sum whatever the cut, so jobs are cut by what is fast, threads included
 * (implicit_map_cut.c).
 */
#include "conv/implicit_map.h"
#include "base/memory.h"
#include "base/parameters.h"
#include "base/status.h"
#include "conv/costs.h"
#include "conv/implicit_map_state.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The time that reading an element of a source in place takes, as a share of that of putting it into a band. */
static const double IN_PLACE = 0.05;

enum {
  MAX_PHASES = 64, /* the most phases of an input gradient */
  ALL_AXES = 7
};

static int64_t phases_of(const cb_problem *problem)
{
  return problem->direction == CNNBLAS_FORWARD ? 1 : cb_gather_phases(&problem->geo);
}

/* Number of neighbouring pixels that vectors of lanes are cut from: whole planes for one tap, else rows. */
static int64_t row_of_lanes(const cb_map *st, const cb_gather *gather)
{
  const cb_gather_axis *a = gather->axis;
  return gather->taps == 1 && !st->staged ? a[0].outs * a[1].outs * a[2].outs : a[2].outs;
}

/* The share of a gather's steps, over all pixels, that its boxes take; 1 if it is not cut into boxes. */
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

/* True if, with pixels on the lanes, weights are so many that they can neither be packed at once nor be read in
   place. */
static bool too_many_weights(const cb_problem *problem)
{
  return !problem->packed && problem->geo.kg * problem->geo.q >= INT32_MAX;
}

/* Fills what the problem says of the source and the destination. st->gather has room for the phases. */
static void describe_arrays(cb_map *st, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  bool forward = problem->direction == CNNBLAS_FORWARD;
  st->engine = cb_engine_get(geo->dtype);
  st->pixel_vectors = st->engine->rows[4] ? 3 : 2;
  st->outputs = forward ? geo->kg : geo->cg;
  st->staged = st->phases > 1;
  st->rule = cb_implicit_chains(problem);
  for (int i = 0; i < 3; i++) st->dest[i] = forward ? geo->axis[i].out : geo->axis[i].in;
  if (cb_geometry_is_pointwise(geo)) st->dest[0] = st->dest[1] = 1, st->dest[2] = geo->p;
  st->source_plane = forward ? geo->image : geo->p;
  st->dest_plane = forward ? geo->p : geo->image;
  st->source_image = (forward ? geo->c : geo->k) * st->source_plane;
  st->dest_image = (forward ? geo->k : geo->c) * st->dest_plane;
  st->past =
      (double)geo->n * (double)st->dest_image * (double)geo->element >= (double)cb_parameters_get()->pace.past_bytes;
  for (int64_t i = 0; i < st->phases; i++) {
    cb_gather_map(&st->gather[i], geo, forward, i);
    st->gaps |= st->gather[i].q == 0 && cb_gather_has_outputs(&st->gather[i]);
  }
  st->panels = cb_panels(st->engine, st->outputs);
  st->given_steps = problem->packed ? geo->q : 0;
}

/* Lays out band and scratch for the orientation in st: with describe_arrays, all of the state that does not need the
   tables. */
static void lay_out(cb_map *st, const cb_problem *problem, int threads)
{
  cb_map_cut(st, problem, threads);
  if (cb_map_fit(st, problem) || problem->direction != CNNBLAS_FORWARD) return;
  /* Blocks of this batch need more workspace than those by which the algorithm was judged to apply: takes the
     latter. */
  cb_problem fixed = *problem;
  fixed.geo.n = CB_FORWARD_IMAGES;
  cb_map_cut(st, &fixed, threads);
}

bool cb_map_apply(const cb_problem *problem, bool pixel_lanes, char *why, size_t size)
{
  cb_gather gather[MAX_PHASES];
  cb_map st = {.phases = phases_of(problem), .gather = gather, .pixel_lanes = pixel_lanes};
  if (st.phases > MAX_PHASES) {
    snprintf(why, size, "%lld phases; it does up to %d", (long long)st.phases, MAX_PHASES);
    return false;
  }
  if (pixel_lanes && too_many_weights(problem)) {
    snprintf(why, size, "the offsets of its weights exceed 31 bits");
    return false;
  }
  describe_arrays(&st, problem);
  lay_out(&st, problem, 1); /* the largest blocks: whether it applies may not depend on the threads */
  int64_t reach = st.band.elements ? st.band.elements : st.band.images * st.source_image;
  for (int64_t i = 0; i < st.phases; i++) reach = cb_max(reach, st.gather[i].q * CB_PANEL_VECTORS * st.engine->lanes);
  if (reach >= INT32_MAX || st.source_plane >= INT32_MAX || st.dest_plane >= INT32_MAX) {
    snprintf(why, size, "its offsets exceed 31 bits");
    return false;
  }
  if (cb_map_fit(&st, problem)) return true;
  snprintf(why, size, "it needs a workspace of %zu bytes a thread", st.parts.bytes + CB_ALIGN);
  return false;
}

double cb_map_cost(const cb_problem *problem, bool pixel_lanes)
{
  const cb_geometry *geo = &problem->geo;
  cb_gather gather[MAX_PHASES];
  cb_map st = {.phases = phases_of(problem), .gather = gather, .pixel_lanes = pixel_lanes};
  describe_arrays(&st, problem);
  lay_out(&st, problem, 1); /* an estimate may not look at the threads */
  int64_t blocks = cb_max(1, cb_band_blocks(&st.band, geo->n)), lanes = st.engine->lanes;
  double images = (double)geo->n * (double)geo->g;
  double outputs = (double)(st.pixel_lanes ? st.outputs : cb_round_up(st.outputs, lanes)), work[CB_WORK_KINDS] = {0};
  for (int64_t i = 0; i < st.phases; i++) {
    const cb_gather_axis *a = gather[i].axis;
    double pixels = (double)(a[0].outs * a[1].outs * a[2].outs);
    if (st.pixel_lanes && cb_gather_has_outputs(&gather[i])) {
      int64_t width = row_of_lanes(&st, &gather[i]);
      pixels *= (double)cb_round_up(width, lanes) / (double)width;
    }
    double steps = gather[i].q ? (double)gather[i].q * share_of_steps(&gather[i], st.axes) : 0; /* a phase of gaps */
    work[CB_WORK_MAC] += images * pixels * outputs * steps;
    work[CB_WORK_STORE] += images * pixels * outputs;
    work[CB_WORK_WEIGHTS] += (double)(geo->g * st.outputs) * (double)gather[i].q;
  }
  if (!st.pixel_lanes) work[CB_WORK_MAC] = cb_map_row_products(&st, problem);
  bool again = !st.pixel_lanes && !st.shared_panels; /* each block packs the weights anew */
  work[CB_WORK_READ] = (double)geo->n * (double)st.source_image * (st.band.elements ? 1 : IN_PLACE);
  if (again) work[CB_WORK_WEIGHTS] *= (double)blocks;
  work[CB_WORK_CALLS] = images;
  work[CB_WORK_ONCE] = 1;
  /* Packed panels are walked no faster than weights where they lie, if pixels are as few as those are read for. */
  bool few = st.direct_weights || (problem->packed && geo->n * geo->p <= cb_parameters_get()->order.direct_pixels);
  cb_cost_row row = !st.pixel_lanes ? CB_COST_ROWS : few ? CB_COST_DIRECT : CB_COST_LANES;
  return cb_cost(row, problem, work);
}

cnnblas_status cb_map_prepare(cnnblas_conv_plan *plan, bool pixel_lanes)
{
  const cb_problem *problem = &plan->problem;
  const cb_geometry *geo = &problem->geo;
  cb_gather gather[MAX_PHASES] = {0};
  cb_map draft = {.phases = phases_of(problem), .gather = gather, .pixel_lanes = pixel_lanes};
  describe_arrays(&draft, problem);
  lay_out(&draft, problem, plan->team);
  cb_map *st = cb_map_allocate(&draft);
  if (!st) return CNNBLAS_OUT_OF_MEMORY;
  bool forward = problem->direction == CNNBLAS_FORWARD;
  int64_t elements = 0;
  for (int64_t i = 0; i < st->phases; i++) {
    if (st->gather[i].q == 0) continue;
    cnnblas_status status = cb_map_fill(st, geo, forward, i);
    if (status) {
      cb_free(st);
      return status;
    }
    st->phase[i].panels_at = elements;
    if (!st->direct_weights) elements += geo->g * cb_map_group_elements(st, &st->gather[i]);
  }
  for (int i = 0; st->direct_weights && i < CB_MAX_ROWS; i++)
    st->row[i] = (int32_t)(i * (forward ? geo->q : geo->taps));
  plan->state = st;
  cb_tiling *t = &plan->tiling;
  int64_t blocks = cb_band_blocks(&st->band, geo->n) * geo->g, bytes = elements * (int64_t)geo->element;
  if (st->round_panels < st->panels)
    bytes = cb_panel_offset(st->engine, st->gather[0].q, st->round_panels) * (int64_t)geo->element;
  t->shared_bytes = st->shared_panels ? cb_aligned_size((size_t)bytes) : 0;
  t->thread_bytes = st->parts.bytes;
  t->p_tile = st->pixel_lanes ? st->pixel_vectors * st->engine->lanes : st->engine->rows[CB_PANEL_VECTORS];
  t->k_tile = st->pixel_lanes ? st->engine->rows[st->pixel_vectors] : CB_PANEL_VECTORS * st->engine->lanes;
  t->q_tile = st->rule.most;
  t->tasks = blocks * st->panel_groups;
  t->packs = !st->direct_weights && !problem->packed;
  return CNNBLAS_OK;
}
