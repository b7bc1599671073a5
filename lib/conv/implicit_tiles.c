/*
 * The macro-loop of implicit_gemm's forward and input gradient: the tiles of one job, in either orientation.
 *
 * Pixels on the rows:   a tile is up to 14 pixels x 2 vectors of channels. Wastes nothing when images are small, needs no
 *                       contiguous pixels; the store transposes.
 * Pixels on the lanes:  a tile is up to 9 channels x 3 vectors of pixels, read straight from the band or from the source.
 *                       The store is straight: for short sums (small q), where storing is what costs.
 */
#include "conv/implicit_images.h"
#include <string.h>

/* Stores m pixels from `first` on, in runs that are evenly spaced in the destination. */
static void store_tile(const cb_images_job *j, const cb_panel *panel, int64_t first, int64_t m)
{
  const cb_call *call = j->call;
  const cb_images *st = call->plan->state;
  size_t element = call->plan->problem.geo.element;
  int64_t step = j->ph->gather.axis[2].out_step;
  for (int64_t i = 0; i < m;) {
    int64_t run = 1;
    while (i + run < m && j->position[first + i + run] - j->position[first + i + run - 1] == step) run++;
    int64_t at = j->dest + panel->first * st->dest_plane + j->position[first + i];
    cb_store store = {.c = cb_at(j->sums, i * panel->width, element),
                      .ldc = panel->width,
                      .m = run,
                      .count = panel->count,
                      .out = cb_at_mut(call->out, at, element),
                      .row_step = step,
                      .lane_step = st->dest_plane,
                      .bias = call->bias ? cb_at(call->bias, j->ig * st->outputs + panel->first, element) : NULL,
                      .residual = call->residual ? cb_at(call->residual, at, element) : NULL,
                      .add = call->accumulate,
                      .relu = call->activation == CNNBLAS_RELU};
    st->engine->store(&store);
    i += run;
  }
}

void cb_tiles_run_rows(const cb_images_job *j, const cb_panel *panel, const void *lanes)
{
  const cb_images *st = j->call->plan->state;
  const cb_engine *engine = st->engine;
  size_t element = j->call->plan->problem.geo.element;
  int64_t q = j->ph->gather.q, chunks = cb_parts(q, CB_CHUNK),
          tiles = cb_parts(j->pixels, engine->rows[panel->vectors]);
  for (int64_t t = 0; t < tiles; t++) {
    int64_t first = cb_split(j->pixels, tiles, t), m = cb_split(j->pixels, tiles, t + 1) - first;
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
      int64_t q0 = cb_split(q, chunks, chunk), q1 = cb_split(q, chunks, chunk + 1);
      cb_tile tile = {.a = j->band,
                      .row = j->rows + first,
                      .awalk = j->ph->walk + q0,
                      .b = cb_at(lanes, q0 * panel->width, element),
                      .bwalk = st->hops.hop[panel->vectors],
                      .steps = q1 - q0,
                      .c = j->sums,
                      .ldc = panel->width,
                      .add = chunk > 0};
      engine->kernel[panel->vectors][m](&tile);
    }
    store_tile(j, panel, first, m);
  }
}

/* count pixels from offset `at` of the band and `position` of the destination, with every panel. */
typedef struct {
  const void *pixels;
  const int32_t *walk; /* or NULL: the pixels are packed, one vector a step */
  int vectors;
  int64_t count, position;
} lane_tile;

/* Panels [first, last) of the packed ones. */
typedef struct {
  const void *packed;
  int64_t first, last;
} lane_weights;

/* The spare vector of a ragged end: lanes [0, count) of every step, zeros behind, so that nothing past them is read. */
static void pack_spare(const cb_images_job *j, const void *pixels, int64_t count)
{
  const cb_images *st = j->call->plan->state;
  size_t element = j->call->plan->problem.geo.element, width = (size_t)st->engine->lanes * element;
  char *to = j->spare;
  for (int64_t s = 0; s < j->ph->gather.q; s++, to += width) {
    memcpy(to, cb_at(pixels, j->ph->walk[s], element), (size_t)count * element);
    memset(to + (size_t)count * element, 0, width - (size_t)count * element);
  }
}

static void run_lane_tile(const cb_images_job *j, const lane_tile *lane, const lane_weights *weights)
{
  static const int32_t row[CB_MAX_ROWS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  const cb_call *call = j->call;
  const cb_images *st = call->plan->state;
  const cb_engine *engine = st->engine;
  size_t element = call->plan->problem.geo.element;
  int64_t q = j->ph->gather.q, chunks = cb_parts(q, CB_CHUNK), width = lane->vectors * engine->lanes;
  int64_t step = j->ph->gather.axis[2].out_step;
  bool plain = !call->bias && !call->residual && !call->accumulate && call->activation == CNNBLAS_IDENTITY;
  bool direct = plain && step == 1 && lane->count == width;
  for (int64_t b = weights->first; b < weights->last; b++) {
    cb_panel panel = cb_images_panel(st, b);
    int64_t at = j->dest + panel.first * st->dest_plane + lane->position;
    void *out = cb_at_mut(call->out, at, element), *sums = direct ? out : j->sums;
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
      int64_t q0 = cb_split(q, chunks, chunk), q1 = cb_split(q, chunks, chunk + 1);
      const void *packed = cb_at(lane->pixels, q0 * engine->lanes, element);
      cb_tile tile = {.a = cb_at(weights->packed, (b * q + q0) * st->panel_width, element),
                      .row = row,
                      .awalk = st->hops.row,
                      .b = lane->walk ? lane->pixels : packed,
                      .bwalk = lane->walk ? lane->walk + q0 : st->hops.hop[1],
                      .steps = q1 - q0,
                      .c = sums,
                      .ldc = direct ? st->dest_plane : width,
                      .add = chunk > 0};
      engine->kernel[lane->vectors][panel.count](&tile);
    }
    if (direct) continue;
    engine->store(&(cb_store){.c = sums,
                              .ldc = width,
                              .m = panel.count,
                              .count = lane->count,
                              .out = out,
                              .row_step = st->dest_plane,
                              .lane_step = step,
                              .bias = call->bias ? cb_at(call->bias, j->ig * st->outputs + panel.first, element) : NULL,
                              .bias_rows = true,
                              .residual = call->residual ? cb_at(call->residual, at, element) : NULL,
                              .add = call->accumulate,
                              .relu = call->activation == CNNBLAS_RELU});
  }
}

/* A run of pixels side by side, in tiles of up to three vectors; a ragged end of a source that is read in place goes
   through the spare vector (a band has room behind it). */
static void run_lane_row(const cb_images_job *j, int64_t first, int64_t count, const lane_weights *weights)
{
  const cb_images *st = j->call->plan->state;
  int64_t lanes = st->engine->lanes;
  size_t element = j->call->plan->problem.geo.element;
  while (count > 0) {
    int64_t vectors = cb_min(cb_ceil_div(count, lanes), CB_PIXEL_VECTORS), taken = cb_min(count, vectors * lanes);
    lane_tile lane = {cb_at(j->band, j->rows[first], element), j->ph->walk, (int)vectors, taken, j->position[first]};
    if (j->ph->in_place && taken % lanes) {
      if (taken > lanes) {
        lane.count = taken - taken % lanes;
        lane.vectors = (int)(lane.count / lanes);
      } else {
        pack_spare(j, lane.pixels, taken);
        lane.pixels = j->spare;
        lane.walk = NULL;
      }
    }
    run_lane_tile(j, &lane, weights);
    first += lane.count;
    count -= lane.count;
  }
}

void cb_tiles_run_lanes(const cb_images_job *j, int64_t first, int64_t last, const void *packed)
{
  lane_weights weights = {packed, first, last};
  int64_t step = j->ph->gather.axis[2].out_step;
  for (int64_t p = 0; p < j->pixels;) {
    int64_t run = 1;
    while (p + run < j->pixels && j->rows[p + run] == j->rows[p] + run &&
           j->position[p + run] == j->position[p] + run * step)
      run++;
    run_lane_row(j, p, run, &weights);
    p += run;
  }
}
