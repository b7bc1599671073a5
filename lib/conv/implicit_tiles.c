/*
 * The macro-loop of implicit_gemm's forward and input gradient: the tiles of one job, in either orientation.
 *
 * Pixels on the rows:   a tile is up to 14 pixels x 2 vectors of outputs. Wastes nothing when images are small and needs
 *                       no neighbouring pixels; the store transposes.
 *
 *     for each panel (two vectors of outputs)
 *       for each tile of pixels                 the panel stays in L2, the tile's part of the band in L1
 *         for each chunk of at most 512 steps   fresh sums, added in order: the error stays that of blocked summation
 *           kernel
 *         store, transposed to NCHW, with the epilogue
 *
 * Pixels on the lanes:  a tile is up to 9 outputs x 3 vectors of pixels, read straight from the band or from the source.
 *                       The store is straight: for short sums (small q), where storing is what costs.
 *
 *     for each tile of pixels                   the tile's part of the band stays in L1
 *       for each panel, up to 9 outputs       its weights packed, or read where they lie
 *         for each chunk: kernel              asks for the next tile's pixels and for this one's places in the output
 *         store, straight; without an epilogue the kernel stores into the output itself
 */
/*
 * Why so. The plain path writes the lowered matrix and OpenBLAS packs it again: every pixel is written r*s times, twice.
 * Here a pixel is copied once, into the band, and the addresses do the rest. One core of a Zen 4 EPYC (SGEMM 2048^3: 102
 * GFLOP/s; the 14 x 2 kernel on L1-resident panels: 112), batch 1, GFLOP/s: 3x3 layers of ResNet-50 90-100, where tiles of
 * im2col and GEMM give 35-65.
 *
 * Rejected, with what was seen:
 *   - rows at even distances only (an address mode for each row instead of row[i]): 113 against 112 for the general
 *     kernel, which alone does rows that cross lines, images and strides
 *   - bands of at most half an L2 cache: 28x28x512 took 167 on two cores where 768 KiB took 192; the panel needs the L2, a
 *     tile touches only its own part of the band
 *   - pixels on the lanes without asking early for pixels and places: 56x56x64 in eight images, 60-66 on one core; with
 *     it 86-96. The same in the 14 x 2 kernel, which has no slot to spare: a tenth slower
 *   - channels on the lanes everywhere: 1x1 layers with 64 channels 108-119 on two cores, pixels on the lanes 166-187
 *   - one pass over dx a phase: stride-2 stores into lines that three other passes touch again; the stage instead
 *   - sums over all of q in one chain: an RMS error 2.5 times that of im2col in input gradients
 */
#include "conv/implicit_images.h"
#include <string.h>

/* A store of a tile's sums from output `first` on at `position`, without the tile's own shape. */
static cb_store store_to(const cb_images_job *j, int64_t first, int64_t position)
{
  const cb_call *call = j->call;
  size_t element = call->plan->problem.geo.element;
  int64_t at = (first - j->first_output) * j->plane + position;
  cb_store store = {.out = cb_at_mut(j->out, at, element)};
  if (j->st->staged) return store; /* the epilogue comes when the stage is stored */
  store.bias = call->bias ? cb_at(call->bias, j->ig * j->st->outputs + first, element) : NULL;
  store.residual = j->residual ? cb_at(j->residual, at, element) : NULL;
  store.add = call->accumulate;
  store.relu = call->activation == CNNBLAS_RELU;
  store.gate = j->gate ? cb_at(j->gate, at, element) : NULL;
  return store;
}

/* Stores m pixels from `first` on, in runs that are evenly spaced in the destination. */
static void store_rows(const cb_images_job *j, const cb_panel *panel, int64_t first, int64_t m)
{
  size_t element = j->call->plan->problem.geo.element;
  int64_t step = j->gather->axis[2].out_step;
  for (int64_t i = 0; i < m;) {
    int64_t run = 1;
    while (i + run < m && j->position[first + i + run] - j->position[first + i + run - 1] == step) run++;
    cb_store store = store_to(j, panel->first, j->position[first + i]);
    store.c = cb_at(j->sums, i * panel->width, element);
    store.ldc = panel->width;
    store.m = run;
    store.count = panel->count;
    store.row_step = step;
    store.lane_step = j->plane;
    j->st->engine->store(&store);
    i += run;
  }
}

void cb_tiles_run_rows(const cb_images_job *j, const cb_panel *panel, const void *lanes)
{
  const cb_engine *engine = j->st->engine;
  size_t element = j->call->plan->problem.geo.element;
  int64_t q = j->gather->q, chunks = cb_parts(q, j->st->chunk),
          tiles = cb_parts(j->pixels, engine->rows[panel->vectors]);
  for (int64_t t = 0; t < tiles; t++) {
    int64_t first = cb_split(j->pixels, tiles, t), m = cb_split(j->pixels, tiles, t + 1) - first;
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
      int64_t q0 = cb_split(q, chunks, chunk), q1 = cb_split(q, chunks, chunk + 1);
      cb_tile tile = {.a = j->band,
                      .row = j->rows + first,
                      .awalk = j->phase->walk + q0,
                      .b = cb_at(lanes, q0 * panel->width, element),
                      .bwalk = j->st->hops.hop[panel->vectors],
                      .steps = q1 - q0,
                      .c = j->sums,
                      .ldc = panel->width,
                      .add = chunk > 0};
      engine->kernel[panel->vectors][m](&tile);
    }
    store_rows(j, panel, first, m);
  }
}

/* count pixels side by side in the band, evenly spaced in the destination from `position` on. */
typedef struct {
  const void *pixels;
  const int32_t *walk; /* or NULL: the pixels are packed, one vector a step */
  int vectors;
  int64_t skip, count; /* lanes before those that are wanted, and those */
  int64_t position;
} lane_tile;

/* The weights of panels [first, last), from panel 0 on; see cb_tiles_run_lanes. */
typedef struct {
  const void *weights;
  int64_t first, last;
} lane_weights;

/* Weights of the outputs of one tile: output i of step s at at[row[i] + walk[s]], or, packed, at[i + s * pitch]. */
typedef struct {
  const void *at;
  const int32_t *walk; /* of all steps, or, packed, of a chunk's */
  int64_t pitch;       /* 0: not packed */
} weights_view;

/* The spare vector of a run of less than a vector: lanes [0, count) of every step, zeros behind, so that nothing past them
   is read. */
static void pack_spare(const cb_images_job *j, const void *pixels, int64_t count)
{
  size_t element = j->call->plan->problem.geo.element, width = (size_t)j->st->engine->lanes * element;
  char *to = j->spare;
  for (int64_t s = 0; s < j->gather->q; s++, to += width) {
    memcpy(to, cb_at(pixels, j->phase->walk[s], element), (size_t)count * element);
    memset(to + (size_t)count * element, 0, width - (size_t)count * element);
  }
}

/* The sums of `count` outputs with a tile of pixels, at sums with pitch ldc. */
static void multiply_lanes(const cb_images_job *j, const lane_tile *lane, int64_t count, const weights_view *weights,
                           void *sums, int64_t ldc)
{
  static const int32_t neighbours[CB_MAX_ROWS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  const cb_images *st = j->st;
  const bool packed = weights->pitch > 0;
  size_t element = j->call->plan->problem.geo.element;
  int64_t q = j->gather->q, chunks = cb_parts(q, st->chunk);
  for (int64_t chunk = 0; chunk < chunks; chunk++) {
    int64_t q0 = cb_split(q, chunks, chunk), q1 = cb_split(q, chunks, chunk + 1);
    cb_tile tile = {.a = cb_at(weights->at, q0 * weights->pitch, element),
                    .row = packed ? neighbours : st->row,
                    .awalk = packed ? weights->walk : weights->walk + q0,
                    .b = lane->walk ? lane->pixels : cb_at(lane->pixels, q0 * st->engine->lanes, element),
                    .bwalk = lane->walk ? lane->walk + q0 : st->hops.hop[1],
                    .steps = q1 - q0,
                    .c = sums,
                    .ldc = ldc,
                    .ahead = lane->walk ? lane->vectors * st->engine->lanes : 0,
                    .add = chunk > 0};
    st->engine->kernel[lane->vectors][count](&tile);
  }
}

/* One tile of pixels with outputs [first, first + count). */
static void run_lane_outputs(const cb_images_job *j, const lane_tile *lane, int64_t first, int64_t count,
                             const weights_view *weights)
{
  const cb_images *st = j->st;
  size_t element = j->call->plan->problem.geo.element;
  int64_t width = lane->vectors * st->engine->lanes, step = j->gather->axis[2].out_step;
  cb_store store = store_to(j, first, lane->position);
  bool plain =
      !store.bias && !store.residual && !store.add && !store.relu && !store.gate && step == 1 && lane->count == width;
  if (plain) {
    multiply_lanes(j, lane, count, weights, store.out, j->plane);
    return;
  }
  multiply_lanes(j, lane, count, weights, j->sums, width);
  store.c = cb_at(j->sums, lane->skip, element);
  store.ldc = width;
  store.m = count;
  store.count = lane->count;
  store.row_step = j->plane;
  store.lane_step = step;
  store.bias_rows = true;
  st->engine->store(&store);
}

/* One tile of pixels with the outputs of one panel, or of several if weights lie side by side anyway. */
static void run_lane_panel(const cb_images_job *j, const lane_tile *lane, int64_t start, int64_t outputs,
                           const weights_view *weights)
{
  size_t element = j->call->plan->problem.geo.element;
  int64_t parts = cb_parts(outputs, j->st->engine->rows[lane->vectors]);
  for (int64_t i = 0; i < parts; i++) {
    int64_t first = cb_split(outputs, parts, i), count = cb_split(outputs, parts, i + 1) - first;
    weights_view view = *weights;
    view.at = cb_at(weights->at, first * (weights->pitch ? 1 : j->st->row[1]), element);
    run_lane_outputs(j, lane, start + first, count, &view);
  }
}

/* One tile of pixels with all outputs of the job. */
static void run_lane_tile(const cb_images_job *j, const lane_tile *lane, const lane_weights *weights)
{
  const cb_images *st = j->st;
  size_t element = j->call->plan->problem.geo.element;
  if (st->direct_weights) {
    int64_t start = cb_panel_at(st->engine, st->outputs, weights->first).first;
    cb_panel end = cb_panel_at(st->engine, st->outputs, weights->last - 1);
    weights_view view = {cb_at(weights->weights, start * st->row[1], element), j->phase->weight, 0};
    run_lane_panel(j, lane, start, end.first + end.count - start, &view);
    return;
  }
  for (int64_t b = weights->first; b < weights->last; b++) {
    cb_panel panel = cb_panel_at(st->engine, st->outputs, b);
    weights_view view = {cb_at(weights->weights, cb_panel_offset(st->engine, j->gather->q, b), element),
                         st->hops.hop[panel.vectors], panel.width};
    run_lane_panel(j, lane, panel.first, panel.count, &view);
  }
}

/* A run of pixels side by side, in tiles of up to three vectors. A band has room behind it. Where the source is read in
   place, the last tile of a run begins early enough to end with it, and stores only what is new; a run of less than a
   vector is copied. */
static void run_lane_run(const cb_images_job *j, int64_t first, int64_t count, const lane_weights *weights)
{
  const int64_t lanes = j->st->engine->lanes, end = first + count;
  size_t element = j->call->plan->problem.geo.element;
  bool in_place = j->st->band.elements == 0;
  for (int64_t at = first; at < end;) {
    int64_t vectors = cb_min(cb_ceil_div(end - at, lanes), CB_PIXEL_VECTORS), taken = cb_min(end - at, vectors * lanes);
    if (in_place && taken > lanes && at - first + taken < vectors * lanes) {
      taken -= taken % lanes;
      vectors = taken / lanes;
    }
    int64_t skip = in_place ? vectors * lanes - taken : 0;
    bool copied = skip > at - first;
    if (copied) skip = 0;
    lane_tile lane = {
        cb_at(j->band, j->rows[at] - skip, element), j->phase->walk, (int)vectors, skip, taken, j->position[at]};
    if (copied) {
      pack_spare(j, lane.pixels, taken);
      lane.pixels = j->spare;
      lane.walk = NULL;
    }
    run_lane_tile(j, &lane, weights);
    at += taken;
  }
}

void cb_tiles_run_lanes(const cb_images_job *j, int64_t first, int64_t last, const void *weights)
{
  lane_weights part = {weights, first, last};
  int64_t step = j->gather->axis[2].out_step;
  for (int64_t p = 0; p < j->pixels;) {
    int64_t run = 1;
    while (p + run < j->pixels && j->rows[p + run] == j->rows[p] + run &&
           j->position[p + run] == j->position[p] + run * step)
      run++;
    run_lane_run(j, p, run, &part);
    p += run;
  }
}
