/*
 * The macro-loop of implicit_gemm's forward and input gradient: the tiles of one job, in either orientation.
 *
 * Pixels on the rows:   a tile is up to 14 pixels x 2 vectors of outputs. Wastes nothing when images are small and needs
 *                       no neighbouring pixels; the store transposes.
 *
 *     for each panel (two vectors of outputs)
 *       for each box of pixels that reach the same taps (conv/boxes.h)
 *         for each tile of pixels                 the panel stays in L2, the tile's part of the band in L1
 *           ask for the next tile's places in the output
 *           for each chunk of at most 512 steps   fresh sums, added in order: the error stays that of blocked summation
 *             kernel
 *           store, transposed to NCHW, with the epilogue
 *
 * Pixels on the lanes:  a tile is up to 9 outputs x 3 vectors of pixels (6 x 2 where vectors are short), read straight from
 *                       the band or from the source. The store is straight: for short sums (small q), where storing costs.
 *
 *     for each tile of pixels                   the tile's part of the band stays in L1
 *       for each panel, up to 9 outputs         its weights packed, or read where they lie
 *         for each chunk: kernel                asks for the next tile's pixels and for this one's places in the output
 *         store, straight; without an epilogue the kernel stores into the output itself
 */
/*
 * Why so. The plain path writes the lowered matrix and OpenBLAS packs it again: every pixel is written r*s times, twice.
 * Here a pixel is copied once, into the band, and the addresses do the rest. One core of a Zen 4 EPYC (multiply-adds on
 * registers 118 GFLOP/s, SGEMM 2048^3 102, the kernels with both operands streaming from L2 114 to 117), batch 8: 3x3 layers
 * of ResNet-50 104-116 with the padding counted, 1x1 layers 97-112, where tiles of im2col and GEMM give 35-65.
 *
 * Rejected, with what was seen:
 *   - rows at even distances only (an address mode for each row instead of row[i]): 113 against 112 for the general
 *     kernel, which alone does rows that cross lines, images and strides
 *   - bands of at most half an L2 cache: 28x28x512 took 167 on two cores where 768 KiB took 192; the panel needs the L2, a
 *     tile touches only its own part of the band
 *   - pixels on the lanes without asking early for pixels and places: 56x56x64 in eight images, 60-66 on one core; with
 *     it 86-96. The same in the 14 x 2 kernel, which has no slot to spare: a tenth slower; asking between the tiles instead,
 *     a tile early and with prefetchw: 1x1 256->1024 at 14x14 95 -> 100
 *   - all taps everywhere: 3x3 at 7x7 multiplies 18% zeros, 5x5 31%; boxes took 96 -> 110 and 109 -> 137
 *   - blocks of 448 pixels with pixels on the lanes: 784 pixels became two times eight tiles and a remainder, 99; blocks of
 *     whole tiles, 110
 *   - channels on the lanes everywhere: 1x1 layers with 64 channels 108-119 on two cores, pixels on the lanes 166-187
 *   - packed pixels (a copy of a tile in the kernel's order) at AVX-512: 3 to 24% slower than reading in place; at AVX2,
 *     whose tiles use a third of each cache line, 3 to 31% faster, so there they are (gather.h, "in tiles")
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

/* Asks for the places of m pixels in the outputs of a panel: the store would wait for each of them. */
static void ask_rows(const cb_images_job *j, const cb_panel *panel, const int64_t *position, int64_t m)
{
  enum { FAR = 256 }; /* pixels further apart than this lie in several rows: only the first is asked for */
  int64_t element = (int64_t)j->call->plan->problem.geo.element, span = (position[m - 1] - position[0] + 1) * element;
  j->st->engine->ask(cb_at(j->out, (panel->first - j->first_output) * j->plane + position[0], (size_t)element),
                     j->plane * element, panel->count, span < FAR ? span : 1);
}

/* The chains of sums of a tile: all of tile but awalk, bwalk, steps and add is set. */
static inline void run_chains(const cb_walks *walks, cb_kernel kernel, cb_tile *tile, const int32_t *awalk,
                              const int32_t *bwalk)
{
  for (int64_t chunk = 0; chunk < walks->chunks; chunk++) {
    int32_t from = walks->cut[chunk];
    tile->awalk = awalk + from;
    tile->bwalk = bwalk + from;
    tile->steps = walks->cut[chunk + 1] - from;
    tile->add = chunk > 0;
    kernel(tile);
  }
}

/* One tile: pixels [first, first + m) of the job's tables, with one panel. */
static void run_rows_tile(const cb_images_job *j, const cb_walks *walks, const cb_panel *panel, const void *lanes,
                          int64_t first, int64_t m)
{
  const cb_engine *engine = j->st->engine;
  cb_tile tile = {.a = j->band, .row = j->rows + first, .b = lanes, .c = j->sums, .ldc = panel->width};
  run_chains(walks, engine->kernel[panel->vectors][m], &tile, walks->walk, walks->lane[panel->vectors]);
  cb_store store = store_to(j, panel->first, 0);
  store.c = j->sums;
  store.ldc = panel->width;
  store.m = m;
  store.count = panel->count;
  store.place = j->position + first;
  store.lane_step = j->plane;
  engine->store(&store);
}

void cb_tiles_run_rows(const cb_images_job *j, const cb_panel *panel, const void *lanes)
{
  for (int i = 0; i < j->parts; i++) {
    const cb_part *part = &j->part[i];
    int64_t tiles = cb_parts(part->count, j->st->engine->rows[panel->vectors]);
    int64_t least = part->count / tiles, more = part->count % tiles, first = part->first;
    ask_rows(j, panel, j->position + first, least + (more > 0));
    for (int64_t t = 0; t < tiles; t++) {
      int64_t m = least + (t < more);
      if (t + 1 < tiles) ask_rows(j, panel, j->position + first + m, least + (t + 1 < more));
      run_rows_tile(j, part->walks, panel, lanes, first, m);
      first += m;
    }
  }
}

/* count pixels side by side in the band, evenly spaced in the destination from `position` on. */
typedef struct {
  const cb_walks *walks;
  const void *pixels;
  bool packed; /* one vector a step */
  int vectors;
  int64_t skip, count; /* lanes before those that are wanted, and those */
  int64_t position;
} lane_tile;

/* The weights of panels [first, last), from panel 0 on; see cb_tiles_run_lanes. */
typedef struct {
  const void *weights;
  int64_t first, last;
} lane_weights;

/* Weights of outputs side by side: output i of step s at at[row[i] + walk[s]]. */
typedef struct {
  const void *at;
  const int32_t *walk, *row; /* row[i] = i * row[1] */
  int64_t first, count;      /* outputs */
} lane_outputs;

/* The spare vector of a run of less than a vector: lanes [0, count) of every step, zeros behind, so that nothing past them
   is read. */
static void pack_spare(const cb_images_job *j, const cb_walks *walks, const void *pixels, int64_t count)
{
  size_t element = j->call->plan->problem.geo.element, width = (size_t)j->st->engine->lanes * element;
  char *to = j->spare;
  for (int64_t s = 0; s < walks->steps; s++, to += width) {
    memcpy(to, cb_at(pixels, walks->walk[s], element), (size_t)count * element);
    memset(to + (size_t)count * element, 0, width - (size_t)count * element);
  }
}

/* Stores the sums of outputs [first, first + count) of a tile. */
static void store_lanes(const cb_images_job *j, const lane_tile *lane, int64_t first, int64_t count)
{
  cb_store store = store_to(j, first, lane->position);
  store.c = cb_at(j->sums, lane->skip, j->call->plan->problem.geo.element);
  store.ldc = lane->vectors * j->st->engine->lanes;
  store.m = count;
  store.count = lane->count;
  store.row_step = j->plane;
  store.lane_step = j->gather->axis[2].out_step;
  store.bias_rows = true;
  j->st->engine->store(&store);
}

/* One tile of pixels with some outputs; plain: without an epilogue, and all lanes are wanted. What a tile needs is kept in
   variables: the caches are full of pixels and weights, and each look into a structure waits for L2. */
static void run_lane_outputs(const cb_images_job *j, const lane_tile *lane, const lane_outputs *outputs, bool plain)
{
  const cb_engine *engine = j->st->engine;
  const cb_kernel *kernel = engine->kernel[lane->vectors];
  const cb_walks *walks = lane->walks;
  const int32_t *awalk = outputs->walk, *bwalk = lane->packed ? walks->lane[1] : walks->walk;
  const size_t element = j->call->plan->problem.geo.element, pitch = (size_t)j->plane * element;
  const size_t hop = (size_t)outputs->row[1] * element, width = (size_t)(lane->vectors * engine->lanes);
  const int64_t parts = cb_parts(outputs->count, engine->rows[lane->vectors]);
  const int64_t least = outputs->count / parts, more = outputs->count % parts;
  const bool single = walks->chunks == 1;
  const char *weights = outputs->at;
  char *to = cb_at_mut(j->out, (outputs->first - j->first_output) * j->plane + lane->position, element);
  const size_t vector = (size_t)engine->lanes * element;
  const bool past = j->st->past && plain && single && (uintptr_t)to % vector == 0 && pitch % vector == 0;
  const bool ask = plain && lane->vectors < 3;
  int64_t first = outputs->first;
  cb_tile tile = {.row = outputs->row,
                  .awalk = awalk,
                  .b = lane->pixels,
                  .bwalk = bwalk,
                  .steps = walks->steps,
                  .c = j->sums,
                  .ldc = plain ? j->plane : (int64_t)width,
                  .ahead = lane->packed ? 0 : (int64_t)width,
                  .past = past};
  for (int64_t i = 0; i < parts; i++) {
    const int64_t count = least + (i < more);
    tile.a = weights;
    if (plain) tile.c = to;
    if (ask) engine->ask(to, (int64_t)pitch, count, (int64_t)(width * element)); /* other kernels do it themselves */
    if (single)
      kernel[count](&tile);
    else
      run_chains(walks, kernel[count], &tile, awalk, bwalk);
    if (!plain) store_lanes(j, lane, first, count);
    weights += (size_t)count * hop;
    to += (size_t)count * pitch;
    first += count;
  }
}

/* True if kernels may store whole tiles into the output: it overwrites, without an epilogue, pixels side by side. */
static bool stores_itself(const cb_images_job *j)
{
  const cb_call *call = j->call;
  bool bare = j->st->staged || (!call->bias && !j->residual && !call->accumulate && !call->activation && !j->gate);
  return bare && j->gather->axis[2].out_step == 1;
}

/* One tile of pixels with all outputs of the job. */
static void run_lane_tile(const cb_images_job *j, const lane_tile *lane, const lane_weights *weights)
{
  static const int32_t neighbours[CB_MAX_ROWS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  const cb_images *st = j->st;
  size_t element = j->call->plan->problem.geo.element;
  bool plain = stores_itself(j) && lane->count == lane->vectors * st->engine->lanes;
  if (st->direct_weights) {
    int64_t start = cb_panel_at(st->engine, st->outputs, weights->first).first;
    cb_panel end = cb_panel_at(st->engine, st->outputs, weights->last - 1);
    lane_outputs all = {cb_at(weights->weights, start * st->row[1], element), j->phase->weight, st->row, start,
                        end.first + end.count - start};
    run_lane_outputs(j, lane, &all, plain);
    return;
  }
  for (int64_t b = weights->first; b < weights->last; b++) {
    cb_panel panel = cb_panel_at(st->engine, st->outputs, b);
    lane_outputs part = {cb_at(weights->weights, cb_panel_offset(st->engine, j->gather->q, b), element),
                         lane->walks->lane[panel.vectors], neighbours, panel.first, panel.count};
    run_lane_outputs(j, lane, &part, plain);
  }
}

/* Vectors of the next tile of a run with `left` pixels: up to three, and two twice rather than three and one. */
static int64_t next_vectors(const cb_images *st, int64_t left)
{
  int64_t vectors = cb_ceil_div(left, st->engine->lanes);
  return vectors == st->pixel_vectors + 1 ? 2 : cb_min(vectors, st->pixel_vectors);
}

/* Asks for the pixels of a tile. Kernels of three vectors ask for the next one themselves. */
static void ask_lanes(const cb_walks *walks, const char *pixels, size_t element)
{
  for (int64_t s = 0; s < walks->steps; s++) __builtin_prefetch(pixels + (int64_t)walks->walk[s] * (int64_t)element);
}

/* A run of pixels side by side, in tiles of up to three vectors. A band has room behind it. Where the source is read in
   place, the last tile of a run begins early enough to end with it, and stores what is new, or all of it again: the
   bits are the same. A run of less than a vector is copied. */
static void run_lane_run(const cb_images_job *j, const cb_walks *walks, int64_t first, int64_t count,
                         const lane_weights *weights)
{
  const int64_t lanes = j->st->engine->lanes, end = first + count;
  size_t element = j->call->plan->problem.geo.element;
  bool in_place = j->st->band.elements == 0;
  for (int64_t at = first; at < end;) {
    int64_t vectors = next_vectors(j->st, end - at), taken = cb_min(end - at, vectors * lanes);
    if (in_place && taken > lanes && at - first + taken < vectors * lanes) {
      taken -= taken % lanes;
      vectors = taken / lanes;
    }
    int64_t skip = in_place ? vectors * lanes - taken : 0;
    bool copied = skip > at - first;
    if (copied) skip = 0;
    lane_tile lane = {walks,          cb_at(j->band, j->rows[at] - skip, element), copied, (int)vectors, skip, taken,
                      j->position[at]};
    if (copied) {
      pack_spare(j, walks, lane.pixels, taken);
      lane.pixels = j->spare;
    } else if (skip && stores_itself(j)) {
      lane.count += skip;
      lane.position -= skip;
      lane.skip = 0;
    }
    at += taken;
    if (j->st->pixel_vectors < 3 && at < end) ask_lanes(walks, cb_at(j->band, j->rows[at], element), element);
    run_lane_tile(j, &lane, weights);
  }
}

void cb_tiles_run_lanes(const cb_images_job *j, int64_t first, int64_t last, const void *weights)
{
  lane_weights span = {weights, first, last};
  int64_t step = j->gather->axis[2].out_step;
  for (int i = 0; i < j->parts; i++) {
    int64_t p = j->part[i].first, end = p + j->part[i].count;
    while (p < end) {
      int64_t run = 1;
      while (p + run < end && j->rows[p + run] == j->rows[p] + run &&
             j->position[p + run] == j->position[p] + run * step)
        run++;
      run_lane_run(j, j->part[i].walks, p, run, &span);
      p += run;
    }
  }
}
