/*
 * implicit_gemm:slivers, forward and input gradient: the third orientation, for cores whose vectors are short or whose
 * multiply-adds outrun the walk over a band.
 *
 *     out[output][pixel] = sum over steps (channel, tap) of  weights[output][step] * band[pixel + walk(step)]
 *
 * Both operands are packed, in pieces that fit the caches: a chain's lanes of 16 pixels (32 at AVX-512) in L1, its
 * weights in L2, the sums of a block of pixels in L2 or L3. Pixels of several images join in a block, so that small
 * images waste nothing. This file plans; implicit_map_slivers_run.c shows the loops.
 *
 * Two AVX2 vectors by six outputs, f32, one core of a Zen 3 (104 GFLOP/s at most), eight images: 79 forward layers 78
 * GFLOP/s where channels or pixels took 57 and im2col with OpenBLAS about 62; the walk over a 3x3 band uses a third of
 * each cache line.
 */
#include "base/memory.h"
#include "base/status.h"
#include "conv/costs.h"
#include "conv/implicit.h"
#include "conv/implicit_map_slivers_parts.h"
#include <stdio.h>
#include <string.h>

/* The time that packing a step of a pixel into a sliver takes, from a band and from a source in place, as a share of that
   of putting an element into a band. */
static const double LOWERED = 0.06, FETCHED = 0.13;

/* The time that weights which the caller packed take to be fetched, as a share of that of packing them; measured at AVX2
   alone, the level that cuts chains at whole channels. */
static const double GIVEN = 0.2;

static int64_t phases_of(const cb_problem *problem)
{
  return problem->direction == CNNBLAS_FORWARD ? 1 : cb_gather_phases(&problem->geo);
}

/* Raises st->channels and st->steps to the most of a chain of the phase. */
static void measure_chains(cb_slivers *st, const cb_gather *gather)
{
  const int64_t chains = cb_chain_count(&st->rule, gather);
  for (int64_t i = 0; i < chains && gather->q > 0; i++) {
    int64_t from = cb_chain_cut(&st->rule, gather, i), end = cb_chain_cut(&st->rule, gather, i + 1);
    st->channels = cb_max(st->channels, cb_ceil_div(end, gather->taps) - from / gather->taps);
    st->steps = cb_max(st->steps, end - from);
  }
}

/* Makes everything of the state that does not need tables. st->gather has room for the phases. False if the scratch
   does not fit the workspace; *needed is then the bytes a thread that it takes. */
static bool layout(cb_slivers *st, const cb_problem *problem, int threads, size_t *needed)
{
  const cb_geometry *geo = &problem->geo;
  st->forward = problem->direction == CNNBLAS_FORWARD;
  st->engine = cb_engine_get(geo->dtype);
  st->width = (int64_t)CB_PACKED_VECTORS * st->engine->lanes;
  st->outputs = st->forward ? geo->kg : geo->cg;
  st->tiles = cb_ceil_div(st->outputs, st->engine->packed_rows);
  st->staged = st->phases > 1;
  st->rule = cb_implicit_chains(problem);
  for (int i = 0; i < 3; i++) st->dest[i] = st->forward ? geo->axis[i].out : geo->axis[i].in;
  if (cb_geometry_is_pointwise(geo)) st->dest[0] = st->dest[1] = 1, st->dest[2] = geo->p;
  st->source_plane = st->forward ? geo->image : geo->p;
  st->dest_plane = st->forward ? geo->p : geo->image;
  st->source_image = (st->forward ? geo->c : geo->k) * st->source_plane;
  st->dest_image = (st->forward ? geo->k : geo->c) * st->dest_plane;
  st->channels = st->steps = 1;
  for (int64_t i = 0; i < st->phases; i++) {
    cb_gather_map(&st->gather[i], geo, st->forward, i);
    for (int axis = 0; axis < 3; axis++) st->gather[i].axis[axis].outs = st->gather[0].axis[axis].outs;
    measure_chains(st, &st->gather[i]);
  }
  return cb_slivers_cut(st, problem, threads, needed);
}

static bool applies(const cb_problem *problem, char *why, size_t size)
{
  cb_gather gather[CB_SLIVERS_MAX_PHASES];
  cb_slivers st = {.phases = phases_of(problem), .gather = gather};
  size_t needed;
  if (st.phases > CB_SLIVERS_MAX_PHASES) {
    snprintf(why, size, "%lld phases; it does up to %d", (long long)st.phases, CB_SLIVERS_MAX_PHASES);
    return false;
  }
  if (!cb_geometry_in_reach(&problem->geo)) {
    snprintf(why, size, "its offsets exceed 31 bits");
    return false;
  }
  bool fits = layout(&st, problem, 1, &needed); /* whether it applies may not depend on the threads */
  if (problem->packed && st.forward && st.gather[0].taps != problem->geo.taps) {
    snprintf(why, size, "packed weights hold taps that no output reaches");
    return false;
  }
  int64_t reach = cb_max(st.band.elements, st.channels * st.source_plane);
  if (reach >= INT32_MAX || st.source_plane >= INT32_MAX || st.dest_plane >= INT32_MAX) {
    snprintf(why, size, "its offsets exceed 31 bits");
    return false;
  }
  if (!fits) snprintf(why, size, "it needs a workspace of %zu bytes a thread", needed);
  return fits;
}

static double cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  cb_gather gather[CB_SLIVERS_MAX_PHASES];
  cb_slivers st = {.phases = phases_of(problem), .gather = gather};
  size_t needed;
  layout(&st, problem, 1, &needed); /* an estimate may not look at the threads */
  const double blocks = (double)cb_max(1, cb_band_blocks(&st.band, geo->n)), groups = (double)geo->g;
  const double tiles = blocks * (double)cb_sliver_block_tiles(&st);
  const double parts = (double)(cb_ceil_div(cb_sliver_job_tiles(&st), st.near_tiles) * st.deals);
  double work[CB_WORK_KINDS] = {[CB_WORK_ONCE] = 1};
  double pixels = tiles * (double)st.width;
  for (int64_t i = 0; i < st.phases; i++) {
    double q = (double)gather[i].q;
    work[CB_WORK_MAC] += groups * pixels * (double)st.outputs * q;
    work[CB_WORK_READ] += groups * pixels * q * parts * (st.band.elements ? LOWERED : FETCHED);
    work[CB_WORK_STORE] += groups * pixels * (double)(st.outputs * cb_chain_count(&st.rule, &gather[i]));
    if (q > 0)
      work[CB_WORK_READ] += groups * blocks * (double)st.deals * (double)st.band.elements * (double)gather[i].channels /
                            (double)st.channels;
    work[CB_WORK_WEIGHTS] += groups * (double)st.outputs * q * (st.shared_weights ? 1 : blocks);
    if (st.phases > 1) work[CB_WORK_READ] += groups * pixels * (double)st.outputs; /* phases are woven together */
  }
  if (problem->packed && st.rule.whole) work[CB_WORK_WEIGHTS] *= GIVEN;
  work[CB_WORK_CALLS] = (double)geo->n * groups;
  return cb_cost(CB_COST_SLIVERS, problem, work);
}

/* Places a plan's tables behind the state at `memory`, unless that is NULL. Returns the bytes of state and tables. */
static size_t place_tables(const cb_slivers *draft, char *memory)
{
  size_t taken = cb_aligned_size(sizeof *draft);
  const size_t gathers = taken;
  taken += cb_aligned_size((size_t)draft->phases * sizeof(cb_gather));
  const size_t phases = taken;
  taken += cb_aligned_size((size_t)draft->phases * sizeof(cb_sliver_phase));
  cb_slivers *st = (cb_slivers *)memory;
  if (memory) {
    *st = *draft;
    st->gather = (cb_gather *)(memory + gathers);
    st->phase = (cb_sliver_phase *)(memory + phases);
    memcpy(st->gather, draft->gather, (size_t)draft->phases * sizeof(cb_gather));
  }
  int64_t weights = 0;
  for (int64_t i = 0; i < draft->phases; i++) {
    const cb_gather *gather = &draft->gather[i];
    const int64_t chains = cb_chain_count(&draft->rule, gather);
    const size_t cut = taken, walk = cut + cb_aligned_size((size_t)(chains + 1) * sizeof(int64_t));
    const size_t tap = walk + cb_aligned_size((size_t)(draft->channels * gather->taps) * sizeof(int32_t));
    taken = tap + cb_aligned_size((size_t)gather->taps * sizeof(int64_t));
    if (memory)
      st->phase[i] = (cb_sliver_phase){.chains = chains,
                                       .cut = (int64_t *)(memory + cut),
                                       .walk = (int32_t *)(memory + walk),
                                       .tap = (int64_t *)(memory + tap),
                                       .weights_at = weights};
    weights += draft->outputs * gather->q;
  }
  return taken;
}

/* Fills the tables of phase i. */
static void fill_tables(cb_slivers *st, const cb_geometry *geo, int64_t i)
{
  cb_sliver_phase *phase = &st->phase[i];
  cb_gather part = st->gather[i];
  for (int64_t j = 0; j <= phase->chains; j++) phase->cut[j] = cb_chain_cut(&st->rule, &part, j);
  for (int64_t t = 0; t < part.taps; t++) phase->tap[t] = cb_gather_tap(&part, geo, t);
  part.channels = st->channels;
  if (part.q) cb_band_walk(&part, &st->band, phase->walk);
}

static cnnblas_status prepare(cnnblas_conv_plan *plan)
{
  const cb_problem *problem = &plan->problem;
  const cb_geometry *geo = &problem->geo;
  cb_gather gather[CB_SLIVERS_MAX_PHASES];
  cb_slivers draft = {.phases = phases_of(problem), .gather = gather};
  size_t needed;
  layout(&draft, problem, plan->team, &needed);
  const size_t bytes = place_tables(&draft, NULL);
  char *memory = cb_alloc_zeroed(bytes);
  if (!memory) return cb_fail_memory(bytes, "the plan's walk tables");
  place_tables(&draft, memory);
  cb_slivers *st = (cb_slivers *)memory;
  double weights = 0;
  for (int64_t i = 0; i < st->phases; i++) {
    st->phase[i].weights_at *= geo->g;
    weights += (double)(st->outputs * st->gather[i].q * geo->g);
    fill_tables(st, geo, i);
  }
  plan->state = st;
  plan->tiling = (cb_tiling){
      .shared_bytes = st->shared_weights && !problem->packed ? cb_aligned_size((size_t)weights * geo->element) : 0,
      .thread_bytes = st->parts.bytes,
      .p_tile = st->width,
      .k_tile = st->engine->packed_rows,
      .q_tile = st->steps,
      .tasks = cb_band_blocks(&st->band, geo->n) * geo->g * st->deals,
      .packs = !problem->packed};
  return CNNBLAS_OK;
}

static void release(cnnblas_conv_plan *plan)
{
  cb_free(plan->state);
}

const cb_algorithm cb_implicit_slivers = {CB_ORIENTED("implicit_gemm", "slivers"),
                                          .directions = CB_FORWARD | CB_BACKWARD_DATA,
                                          .scope = CNNBLAS_SCOPE_ROOM,
                                          .applies = applies,
                                          .cost = cost,
                                          .prepare = prepare,
                                          .release = release,
                                          .work = cb_slivers_work,
                                          .packing = &cb_sliver_packing,
                                          .data_packing = &cb_sliver_data_packing};
