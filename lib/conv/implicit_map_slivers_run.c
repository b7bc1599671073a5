/*
 * implicit_gemm:slivers: what a call does.
 *
 *     job: a block of up to 1568 output pixels, images joined; some of the outputs
 *       for each chain (at most 288 steps, whole channels)       sums[tile][output][pixel] of the block, added in order
 *         band of those channels, zero padded                    in L2; or the source itself
 *         for each part of the outputs                           weights [tile][steps][6 outputs], in L2
 *           for each group of tiles of pixels                    slivers [steps][16 pixels], in L1
 *             for each tile of outputs, of pixels: kernel        the last chain stores straight to the output;
 *                                                                the first tile of outputs may pack the sliver
 *
 * The phases of a strided input gradient are run one after another, all with the outputs of the first, and woven
 * together when the block is done; what lies beyond the edge is dropped there.
 */
#include "base/memory.h"
#include "base/parallel.h"
#include "conv/implicit.h"
#include "conv/implicit_map_slivers_parts.h"
#include <string.h>

enum { STAGED_OUTPUTS = 16, LINE = 64, PACK_PARTS = 4, ASKED_BYTES = 6 << 20 /* bytes of source and output */ };

typedef struct {
  const cb_call *call;
  const cb_slivers *st;
  cb_block_range block;
  int64_t ig;             /* the group of channels */
  int64_t tile0, tile1;   /* the job's tiles of outputs, [tile0, tile1) */
  int64_t output0, count; /* the first output of those tiles, and how many they have */
  cb_sliver_tables tables;
  const char *source;  /* the source from the block's first image and the group's first channel on */
  int64_t behind;      /* elements from `source` to the source's end */
  int64_t opened, end; /* channels [opened, end) that the band holds */
  const void *band;
  char *scratch;
  int64_t dest; /* the element of the output where the group's output 0 of the block's first image lies */
  bool bare;    /* there is no epilogue: kernels may store to the output */
} job;

/* One group of slivers with one part of the outputs. */
typedef struct {
  int64_t phase, steps;
  bool first, last; /* whether this chain is the first, or the last, of a sum */
  const int32_t *walk;
  const char *weights; /* the weights, from output tile `from` on: [tile][pitch][outputs of the tile] */
  int64_t pitch, skip; /* steps of a tile's weights; those before the first of this chain */
  int64_t from, to;    /* tiles of outputs [from, to) */
  int64_t tile, tiles; /* the first tile of pixels, and how many */
} group;

/* Number of lanes that tile t of pixels fills, and of vectors that they take. */
static int64_t tile_pixels(const job *j, int64_t t)
{
  return cb_min(j->st->width, j->tables.pixels - t * j->st->width);
}
static int tile_vectors(const job *j, int64_t t)
{
  return (int)cb_ceil_div(tile_pixels(j, t), j->st->engine->lanes);
}

/* Where the sums of an output of tile t lie: among all of a job, or, where each sum is one chain, among a group's. */
static char *sums_at(const job *j, const group *g, int64_t t, int64_t output)
{
  const cb_slivers *st = j->st;
  const size_t element = j->call->plan->problem.geo.element;
  char *sums = j->scratch + st->parts.sums;
  const int64_t width = (int64_t)tile_vectors(j, t) * st->engine->lanes;
  if (g->first && g->last && !st->staged) {
    int64_t from = cb_sliver_output(st, g->from), outputs = cb_sliver_output(st, g->to) - from;
    return sums + (size_t)((t - g->tile) * outputs * st->width + (output - from) * width) * element;
  }
  int64_t tile = g->phase * j->tables.tiles + t;
  return sums + (size_t)(tile * j->count * st->width + (output - j->output0) * width) * element;
}

/* True if the kernels of a last chain may store tile t in the output: it is whole, and its pixels are side by side
   there. */
static bool is_direct(const job *j, int64_t t)
{
  return j->bare && tile_pixels(j, t) == j->st->width && j->tables.first_row[t + 1] - j->tables.first_row[t] == 1;
}

/* The run of tile t of pixels if a kernel may read it in place: it fills the tile's vectors. Else NULL. */
static const cb_run *whole_run(const job *j, int64_t t)
{
  const cb_run *run = j->tables.run + j->tables.first_run[t];
  const bool whole = j->tables.first_run[t + 1] - j->tables.first_run[t] == 1 &&
                     run->count == (int64_t)tile_vectors(j, t) * j->st->engine->lanes;
  return whole && j->st->engine->packing[1][1] ? run : NULL;
}

/* The first run of tile t of pixels, or of the last tile. */
static const cb_run *run_after(const job *j, int64_t t)
{
  return j->tables.run + j->tables.first_run[cb_min(t, j->tables.tiles - 1)];
}

/* True if kernels that pack ask for the pixels of the next group of tiles: planes that are not whole lines have tiles that straddle
   two, of which the second has not been read. */
static bool fetches_ahead(const cb_slivers *st, size_t element)
{
  return st->band.elements == 0 && st->engine->packing[1][1] && st->source_plane * (int64_t)element % LINE != 0;
}

/* Packs the group's slivers but those that the kernels of the first outputs pack. */
static void pack_slivers(const job *j, const group *g, char *slivers)
{
  const cb_slivers *st = j->st;
  const size_t element = j->call->plan->problem.geo.element;
  const bool in_place = st->band.elements == 0;
  for (int64_t t = 0; t < g->tiles; t++) {
    if (whole_run(j, g->tile + t)) continue;
    const int32_t first = j->tables.first_run[g->tile + t], end = j->tables.first_run[g->tile + t + 1];
    const cb_run *run = j->tables.run + first;
    int64_t reach = run[end - first - 1].at + g->walk[g->steps - 1] + 2 * st->engine->lanes;
    cb_sliver sliver = {.to = slivers + (size_t)(t * cb_sliver_pitch(st, g->steps)) * element,
                        .from = j->band,
                        .walk = g->walk,
                        .steps = g->steps,
                        .width = (int64_t)tile_vectors(j, g->tile + t) * st->engine->lanes,
                        .run = run,
                        .runs = end - first,
                        .exact = in_place && (const char *)j->band + (size_t)reach * element >
                                                 j->source + (size_t)j->behind * element};
    st->engine->pack_sliver(&sliver);
  }
}

/* Stores the sums of tile t, of the part of the outputs in g, in the output, through the epilogue. */
static void store_tile(const job *j, const group *g, int64_t t)
{
  const cb_slivers *st = j->st;
  const size_t element = j->call->plan->problem.geo.element;
  const int64_t from = cb_sliver_output(st, g->from);
  const char *sums = sums_at(j, g, t, from);
  for (int32_t r = j->tables.first_row[t]; r < j->tables.first_row[t + 1]; r++) {
    const cb_run *row = &j->tables.row[r];
    int64_t at = from * st->dest_plane + row->at;
    cb_store store = cb_implicit_store(j->call, j->dest + at, j->ig * st->outputs + from);
    store.c = cb_at(sums, row->lane, element);
    store.ldc = (int64_t)tile_vectors(j, t) * st->engine->lanes;
    store.m = cb_sliver_output(st, g->to) - from;
    store.count = row->count;
    store.row_step = st->dest_plane;
    store.lane_step = 1;
    store.bias_rows = true;
    st->engine->store(&store);
  }
}

/* Asks for where `rows` outputs of tile t are going to be stored through the epilogue, and for their residuals: lines of as
   many planes, which no processor foresees. */
static void ask_for_store(const job *j, int64_t t, int64_t output, int64_t rows)
{
  const cb_slivers *st = j->st;
  const cb_call *call = j->call;
  const size_t element = call->plan->problem.geo.element;
  const int64_t plane = st->dest_plane * (int64_t)element;
  for (int32_t r = j->tables.first_row[t]; r < j->tables.first_row[t + 1]; r++) {
    const int64_t at = j->dest + output * st->dest_plane + j->tables.row[r].at;
    const int64_t bytes = j->tables.row[r].count * (int64_t)element;
    st->engine->ask(cb_at(call->out, at, element), plane, rows, bytes);
    if (!call->residual || call->residual == call->out) continue;
    const char *residual = cb_at(call->residual, at, element);
    for (int64_t i = 0; i < rows; i++, residual += plane) {
      __builtin_prefetch(residual);
      __builtin_prefetch(residual + bytes - 1);
    }
  }
}

/* The pixels that the next group of tiles will read, while they lie in memory: lines of them are fetched ahead, a few in each step.
   Pixels that lie in a cache need no such help, since the packing reads at even distances, which the processor foresees: without it
   a layer of 192 to 16 channels at 28x28 took 246 us in place of 300. */
typedef struct {
  const char *from;
  const int32_t *walk;
  int64_t step, steps, tile, tiles, share;
  size_t element, hop; /* bytes of an element; bytes of a tile's pixels */
} asking;

static asking ask_for_next(const job *j, const group *g)
{
  const cb_slivers *st = j->st;
  const size_t element = j->call->plan->problem.geo.element;
  const int64_t next = g->tile + g->tiles;
  asking ask = {.steps = 0};
  const int64_t images = j->call->n * (st->source_image + st->dest_image) * (int64_t)element;
  if (st->band.elements || fetches_ahead(st, element) || next >= j->tables.tiles || images < ASKED_BYTES) return ask;
  const int64_t tiles = cb_min(g->tiles, j->tables.tiles - next), calls = (g->to - g->from) * g->tiles;
  return (asking){.from = cb_at(j->band, j->tables.run[j->tables.first_run[next]].at, element),
                  .walk = g->walk,
                  .steps = g->steps,
                  .tiles = tiles,
                  .share = cb_ceil_div(g->steps * tiles, calls),
                  .element = element,
                  .hop = (size_t)st->width * element};
}

static void ask_some(asking *ask)
{
  for (int64_t i = 0; i < ask->share && ask->step < ask->steps; i++) {
    const char *at = ask->from + (int64_t)ask->walk[ask->step] * (int64_t)ask->element + ask->tile * (int64_t)ask->hop;
    for (size_t byte = 0; byte < ask->hop; byte += LINE) __builtin_prefetch(at + byte);
    __builtin_prefetch(at + ask->hop - 1);
    if (++ask->tile == ask->tiles) {
      ask->tile = 0;
      ask->step++;
    }
  }
}

/* Where one tile of pixels stands among the outputs of its group. */
typedef struct {
  const cb_packed_kernel *kernel; /* [rows] the kernels for tiles of that many outputs */
  const void *run;  /* the tile's pixels of step 0, which the next kernel is to pack; NULL: they are packed */
  int64_t ahead;    /* elements from them to those of the next group's tile, which are fetched into L2 meanwhile */
  char *sums, *out; /* places of the next tile of outputs; out is NULL where kernels may not store */
  int64_t width;    /* lanes of the tile of pixels, whole vectors */
} place;

static void open_places(const job *j, const group *g, place *places)
{
  const cb_slivers *st = j->st;
  const size_t element = j->call->plan->problem.geo.element;
  const int64_t first = cb_sliver_output(st, g->from);
  const bool ahead = fetches_ahead(st, element);
  for (int64_t t = 0; t < g->tiles; t++) {
    const int vectors = tile_vectors(j, g->tile + t);
    const cb_run *run = whole_run(j, g->tile + t);
    places[t] = (place){.kernel = (run ? st->engine->packing : st->engine->packed)[vectors],
                        .run = run ? cb_at(j->band, run->at, element) : NULL,
                        .ahead = run && ahead ? run_after(j, g->tile + g->tiles + t)->at - run->at : 0,
                        .sums = sums_at(j, g, g->tile + t, first),
                        .width = (int64_t)vectors * st->engine->lanes};
    if (!g->last || !is_direct(j, g->tile + t)) continue;
    places[t].out = cb_at_mut(
        j->call->out, j->dest + first * st->dest_plane + j->tables.row[j->tables.first_row[g->tile + t]].at, element);
  }
}

static void run_group(const job *j, const group *g)
{
  const cb_slivers *st = j->st;
  const size_t element = j->call->plan->problem.geo.element;
  char *slivers = j->scratch + st->parts.slivers;
  const size_t pitch = (size_t)cb_sliver_pitch(st, g->steps) * element, plane = (size_t)st->dest_plane * element;
  const int64_t least = st->outputs / st->tiles, more = st->outputs % st->tiles; /* outputs of a tile, as of cb_split */
  const char *tile = g->weights;                                                 /* the weights of a tile of outputs */
  place places[CB_SLIVERS_MAX_GROUP];
  asking ask = ask_for_next(j, g);
  pack_slivers(j, g, slivers);
  open_places(j, g, places);
  const bool stores = g->last && !st->staged; /* tiles that kernels do not store themselves are stored at the end */
  for (int64_t o = g->from; o < g->to; o++) {
    const int64_t rows = least + (o < more);
    const char *weights = tile + (size_t)(rows * g->skip) * element;
    for (int64_t t = 0; t < g->tiles; t++) {
      place *at = &places[t];
      if (ask.steps) ask_some(&ask);
      if (stores && !at->out) ask_for_store(j, g->tile + t, cb_sliver_output(st, o), rows);
      at->kernel[rows](&(cb_packed_tile){.weights = weights,
                                         .sliver = slivers + (size_t)t * pitch,
                                         .run = at->run,
                                         .walk = g->walk,
                                         .ahead = at->ahead,
                                         .steps = g->steps,
                                         .before = g->first ? NULL : at->sums,
                                         .c = at->out ? at->out : at->sums,
                                         .ldc = at->out ? st->dest_plane : at->width,
                                         .last = g->last});
      if (at->run) {
        at->run = NULL;
        at->kernel = st->engine->packed[at->width / st->engine->lanes];
      }
      at->sums += (size_t)(rows * at->width) * element;
      if (at->out) at->out += (size_t)rows * plane;
    }
    tile += (size_t)(rows * g->pitch) * element;
  }
  for (int64_t t = 0; t < g->tiles && stores; t++)
    if (!places[t].out) store_tile(j, g, g->tile + t);
}

/* Opens the band of channels [from, to), unless it is open. */
static void open_band(job *j, int64_t i, int64_t from, int64_t to)
{
  const cb_slivers *st = j->st;
  const size_t element = j->call->plan->problem.geo.element;
  if (j->opened == from && j->end == to) return;
  cb_gather part = st->gather[i];
  part.channels = to - from;
  j->band = cb_band_open(&part, &st->band, &j->block, cb_at(j->source, from * st->source_plane, element),
                         st->source_image, element, j->scratch + st->parts.band);
  j->opened = from;
  j->end = to;
}

/* Computes one chain of a phase. */
static void run_chain(job *j, int64_t i, int64_t chain)
{
  const cb_slivers *st = j->st;
  const cb_call *call = j->call;
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_sliver_phase *phase = &st->phase[i];
  const int64_t taps = st->gather[i].taps, q0 = phase->cut[chain], q1 = phase->cut[chain + 1], from = q0 / taps;
  open_band(j, i, from, cb_ceil_div(q1, taps));
  group g = {.phase = i,
             .steps = q1 - q0,
             .first = chain == 0,
             .last = chain + 1 == phase->chains,
             .walk = phase->walk + (q0 - from * taps),
             .pitch = q1 - q0};
  const int64_t tiles = cb_sliver_group(st, geo->element, g.steps);
  for (g.from = j->tile0; g.from < j->tile1; g.from = g.to) {
    g.to = cb_min(g.from + st->near_tiles, j->tile1);
    if (call->plan->problem.packed) {
      g.pitch = st->gather[i].q;
      g.skip = q0;
      g.weights = cb_at(call->w, phase->weights_at + (j->ig * st->outputs + cb_sliver_output(st, g.from)) * g.pitch,
                        geo->element);
    } else if (st->shared_weights) {
      g.weights = cb_at(call->shared, cb_sliver_weights_place(st, geo, i, j->ig, chain, g.from), geo->element);
    } else {
      char *own = j->scratch + st->parts.weights;
      cb_sliver_pack_weights(st, geo, call->w, i, j->ig, chain, g.from, g.to, own);
      g.weights = own;
    }
    for (g.tile = 0; g.tile < j->tables.tiles; g.tile += g.tiles) {
      g.tiles = cb_min(tiles, j->tables.tiles - g.tile);
      run_group(j, &g);
    }
  }
}

/* Weaves the phases of one row of the destination, `shift` behind a run of pixels, for outputs [from, from + count). */
static void weave_rows(const job *j, int64_t t, const cb_run *row, int64_t phase, int64_t from, int64_t count,
                       int64_t shift)
{
  const cb_slivers *st = j->st;
  const size_t element = j->call->plan->problem.geo.element;
  const int64_t ways = st->gather[0].axis[2].out_step,
                most = cb_min(row->count * ways, st->dest[2] - row->at % st->dest[2]);
  const int64_t at = from * st->dest_plane + row->at + shift, ldc = st->width * ways;
  char *stage = j->scratch + st->parts.stage;
  const void *source[CB_SLIVERS_MAX_PHASES];
  for (int64_t way = 0; way < ways; way++) {
    const group g = {.phase = phase + way};
    source[way] = st->gather[phase + way].q ? cb_at(sums_at(j, &g, t, from), row->lane, element) : NULL;
  }
  cb_woven woven = {.to = stage,
                    .from = source,
                    .ldt = ldc,
                    .ldf = (int64_t)tile_vectors(j, t) * st->engine->lanes,
                    .rows = count,
                    .ways = ways,
                    .count = row->count,
                    .most = most};
  if (!j->call->accumulate) { /* adding is all that a gradient's epilogue can be */
    woven.to = cb_at_mut(j->call->out, j->dest + at, element);
    woven.ldt = st->dest_plane;
    st->engine->weave(&woven);
    return;
  }
  st->engine->weave(&woven);
  cb_store store = cb_implicit_store(j->call, j->dest + at, j->ig * st->outputs + from);
  store.c = stage;
  store.ldc = ldc;
  store.m = count;
  store.count = most;
  store.row_step = st->dest_plane;
  store.lane_step = 1;
  store.bias_rows = true;
  st->engine->store(&store);
}

/* Weaves all phases of the job into the destination. */
static void weave(const job *j)
{
  const cb_slivers *st = j->st;
  const int64_t steps[3] = {st->gather[0].axis[0].out_step, st->gather[0].axis[1].out_step,
                            st->gather[0].axis[2].out_step};
  const int64_t each = j->call->accumulate ? STAGED_OUTPUTS : j->count;
  for (int64_t t = 0; t < j->tables.tiles; t++)
    for (int32_t r = j->tables.first_row[t]; r < j->tables.first_row[t + 1]; r++) {
      const cb_run *row = &j->tables.row[r];
      const int64_t line = row->at % st->dest_plane / st->dest[2], d = line / st->dest[1], h = line % st->dest[1];
      for (int64_t rd = 0; rd < cb_min(steps[0], st->dest[0] - d); rd++)
        for (int64_t rh = 0; rh < cb_min(steps[1], st->dest[1] - h); rh++)
          for (int64_t k = 0; k < j->count; k += each)
            weave_rows(j, t, row, (rd * steps[1] + rh) * steps[2], j->output0 + k, cb_min(each, j->count - k),
                       (rd * st->dest[1] + rh) * st->dest[2]);
    }
}

/* Points the job at its arrays and scratch, and finds its pixels. */
static void open_job(job *j)
{
  const cb_call *call = j->call;
  const cb_slivers *st = j->st;
  const size_t element = call->plan->problem.geo.element;
  const int64_t source = j->block.image * st->source_image + j->ig * st->gather[0].channels * st->source_plane;
  const int64_t dest = j->block.image * st->dest_image + j->ig * st->outputs * st->dest_plane;
  const int64_t tiles = cb_sliver_block_tiles(st);
  j->source = cb_at(st->forward ? call->x : call->dy, source, element);
  j->behind = call->n * st->source_image - source;
  j->dest = dest;
  j->bare = !st->staged && !call->bias && !call->residual && !call->accumulate && !call->bounds;
  j->tables.run = (cb_run *)(j->scratch + st->parts.runs);
  j->tables.row = (cb_run *)(j->scratch + st->parts.rows);
  j->tables.first_run = (int32_t *)(j->scratch + st->parts.first);
  j->tables.first_row = j->tables.first_run + tiles + 1;
  cb_sliver_tables_fill(st, &j->block, &j->tables);
}

/* task = (block * groups + group) * deals + deal. */
static void run_job(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_slivers *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  const int64_t deal = task % st->deals;
  job j = {.call = call,
           .st = st,
           .ig = task / st->deals % geo->g,
           .tile0 = cb_split(st->tiles, st->deals, deal),
           .tile1 = cb_split(st->tiles, st->deals, deal + 1),
           .scratch = cb_scratch(call, worker)};
  j.output0 = cb_sliver_output(st, j.tile0);
  j.count = cb_sliver_output(st, j.tile1) - j.output0;
  j.block = cb_band_block(&st->gather[0], &st->band, call->n, task / st->deals / geo->g);
  if (j.count == 0 || j.block.images * j.block.count[0] * j.block.count[1] * j.block.count[2] == 0) return;
  open_job(&j);
  for (int64_t i = 0; i < st->phases; i++) {
    if (st->gather[i].q == 0) continue;
    j.opened = j.end = 0;
    for (int64_t chain = 0; chain < st->phase[i].chains; chain++) run_chain(&j, i, chain);
  }
  if (st->staged) weave(&j);
}

/* task = ((phase, group, chain), part of the tiles); `context` is the call. */
static void pack_shared(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_slivers *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  const int64_t part = task % PACK_PARTS;
  int64_t i = 0, chain = task / PACK_PARTS;
  (void)worker;
  while (chain >= geo->g * st->phase[i].chains) chain -= geo->g * st->phase[i++].chains;
  const int64_t ig = chain / st->phase[i].chains, first = cb_split(st->tiles, PACK_PARTS, part);
  const int64_t end = cb_split(st->tiles, PACK_PARTS, part + 1);
  chain %= st->phase[i].chains;
  if (st->gather[i].q == 0 || first == end) return;
  cb_sliver_pack_weights(st, geo, call->w, i, ig, chain, first, end,
                         cb_at_mut(call->shared, cb_sliver_weights_place(st, geo, i, ig, chain, first), geo->element));
}

void cb_slivers_work(cb_call *call)
{
  const cb_slivers *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  int64_t chains = 0;
  if (call->n == 0) return;
  for (int64_t i = 0; i < st->phases; i++) chains += st->phase[i].chains;
  if (st->shared_weights && !call->plan->problem.packed) cb_call_add(call, chains * geo->g * PACK_PARTS, pack_shared);
  cb_call_add(call, cb_band_blocks(&st->band, call->n) * geo->g * st->deals, run_job);
}
