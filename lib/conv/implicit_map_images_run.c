/*
 * implicit_gemm, forward and input gradient, with images on the lanes: what a call does. implicit_map_images.c says
 * what a job is.
 */
#include "base/memory.h"
#include "conv/implicit_map_images.h"
#include <string.h>

enum { WEIGHT_BYTES = 192 << 10 /* bytes of the weights, kept in L2, of outputs that go over a band at once */ };

/* A job and its memory: the group, the images, the ranges [first, last), [row0, row1) and [read0, read1). */
typedef struct {
  const cb_call *call;
  const cb_map_images *st;
  size_t element;
  int64_t ig, image, images;
  int64_t first, last;              /* the job's outputs */
  int64_t row0, row1, read0, read1; /* the job's output rows, and the source rows that they read */
  char *band, *stage;
  int32_t *awalk, *bwalk, *cut;
} job;

/* The steps of a tile, and the outputs that it is for. */
typedef struct {
  int64_t first, last; /* outputs [first, last) */
  cb_taps taps[3];
  int64_t steps; /* steps of one channel; -1 until the walk is made */
  int64_t base;  /* elements from the tile's own place to where the walk begins */
} tile_walk;

/* Transposes the source's rows [read0, read1) into the band, with zeros in the margins. */
static void open_band(const job *j)
{
  const cb_map_images *st = j->st;
  const cb_gather_axis *a = st->gather.axis;
  const int64_t lanes = st->engine->lanes, rows = j->read1 - j->read0;
  const void *all = j->call->plan->problem.direction == CNNBLAS_FORWARD ? j->call->x : j->call->dy;
  const char *source =
      cb_at(all, j->image * st->source_image + j->ig * st->gather.channels * st->source_plane, j->element);
  bool whole = !st->margin && rows == a[1].in && st->bands == 1;
  int64_t planes = whole ? 1 : st->gather.channels * a[0].in, lines = st->margin ? rows : 1;
  int64_t length = whole ? st->gather.channels * st->source_plane : st->margin ? a[2].in : rows * a[2].in;
  size_t zeros = (size_t)(st->margin * lanes) * j->element;
  for (int64_t i = 0; i < planes; i++)
    for (int64_t h = 0; h < lines; h++) {
      char *to = j->band + (size_t)(i * st->plane_pitch + h * st->row_pitch) * j->element;
      memset(to, 0, zeros);
      st->engine->pack_lanes(to + zeros, cb_at(source, (i * a[1].in + j->read0 + h) * a[2].in, j->element),
                             st->source_image, length, j->images, lanes);
      memset(to + zeros + (size_t)(length * lanes) * j->element, 0, zeros);
    }
}

/* Number of the walk's steps that come before step q of all taps. */
static int64_t steps_before(const cb_map_images *st, const tile_walk *w, int64_t q)
{
  const cb_gather_axis *a = st->gather.axis;
  int64_t channel = q / st->gather.taps, rest = q % st->gather.taps, steps = channel * w->steps;
  if (rest == 0 || w->steps == 0) return steps;
  for (int64_t d = w->taps[0].lo; d < w->taps[0].hi; d++)
    for (int64_t r = w->taps[1].lo; r < w->taps[1].hi; r++) {
      int64_t line = (d * a[1].taps + r) * a[2].taps;
      steps += cb_max(0, cb_min(w->taps[2].hi, rest - line) - w->taps[2].lo);
    }
  return steps;
}

/* Makes the walk over the steps of the taps in w, channels slowest. */
static void make_walk(const job *j, tile_walk *w)
{
  const cb_map_images *st = j->st;
  const cb_gather_axis *a = st->gather.axis;
  int32_t *awalk = j->awalk, *bwalk = j->bwalk;
  int64_t n = 0;
  for (int64_t d = w->taps[0].lo; d < w->taps[0].hi; d++)
    for (int64_t r = w->taps[1].lo; r < w->taps[1].hi; r++)
      for (int64_t s = w->taps[2].lo; s < w->taps[2].hi; s++) {
        awalk[n] = st->weight_tap[(d * a[1].taps + r) * a[2].taps + s];
        bwalk[n++] = (int32_t)((a[0].off0 + d * a[0].off_step) * st->plane_pitch +
                               (a[1].off0 + r * a[1].off_step) * st->row_pitch +
                               (a[2].off0 + s * a[2].off_step) * st->engine->lanes);
      }
  w->steps = n;
  w->base = n ? bwalk[0] : 0;
  for (int64_t s = n - 1; s >= 0; s--) bwalk[s] -= bwalk[0];
  for (int64_t s = n; s < st->gather.channels * n; s++) {
    awalk[s] = awalk[s - n] + (int32_t)st->weight_channel;
    bwalk[s] = bwalk[s - n] + (int32_t)st->channel_pitch;
  }
  for (int64_t i = 0; i <= st->chunks; i++)
    j->cut[i] = (int32_t)steps_before(st, w, cb_chain_cut(&st->rule, &st->gather, i));
}

/* Computes the sums of the walk's outputs with `count` columns: the walk begins at `pixels`, and the first output's
   sums go to `stage`. */
static void run_tiles(const job *j, const tile_walk *w, const void *pixels, void *stage, int count)
{
  const cb_map_images *st = j->st;
  const cb_geometry *geo = &j->call->plan->problem.geo;
  cb_product_run(
      &(cb_product){.engine = st->engine,
                    .element = j->element,
                    .a = cb_at(j->call->w, j->ig * geo->kg * geo->q + w->first * st->weight_output, j->element),
                    .row = st->row,
                    .a_hop = st->weight_output,
                    .b = pixels,
                    .walk = {j->awalk, j->bwalk, j->cut, st->chunks},
                    .rows = w->last - w->first,
                    .vectors = count,
                    .c = stage,
                    .ldc = st->stage_plane});
}

/* Computes the tiles of one output row with the outputs of w. The walk is made anew where the taps change. */
static void run_row(const job *j, tile_walk *w, int64_t d, int64_t h)
{
  const cb_map_images *st = j->st;
  const cb_gather_axis *a = st->gather.axis;
  const int64_t lanes = st->engine->lanes;
  int64_t from = d * st->plane_pitch + (h - j->read0) * st->row_pitch + st->margin * lanes;
  int64_t to = (w->first - j->first) * st->stage_plane + (d * st->rows + h - j->row0) * a[2].outs * lanes;
  cb_taps outer[2] = {cb_map_images_taps(&a[0], d, 1), cb_map_images_taps(&a[1], h, 1)};
  for (int64_t i = 0, o = 0; i < st->tiles; o += st->width[i++]) {
    cb_taps taps = cb_map_images_taps(&a[2], o, st->width[i]);
    const cb_taps all[3] = {outer[0], outer[1], taps};
    if (memcmp(all, w->taps, sizeof all) != 0 || w->steps < 0) {
      memcpy(w->taps, all, sizeof all);
      make_walk(j, w);
    }
    int64_t place = w->steps ? from + o * lanes + w->base : 0;
    run_tiles(j, w, cb_at(j->band, place, j->element), cb_at_mut(j->stage, to + o * lanes, j->element), st->width[i]);
  }
}

/* Stores the stage in the destination, an output's rows at a time. */
static void store_outputs(const job *j)
{
  const cb_call *call = j->call;
  const cb_map_images *st = j->st;
  const cb_gather_axis *a = st->gather.axis;
  int64_t planes = st->bands == 1 ? 1 : a[0].outs;
  int64_t pixels = st->bands == 1 ? st->dest_plane : (j->row1 - j->row0) * a[2].outs;
  double room[CB_MAX_LANES];
  for (int64_t o = j->first; o < j->last; o++) {
    const int64_t output = j->ig * st->outputs + o;
    for (int64_t i = 0; call->bias && i < st->engine->lanes; i++)
      memcpy((char *)room + (size_t)i * j->element, cb_at(call->bias, output, j->element), j->element);
    for (int64_t d = 0; d < planes; d++) {
      int64_t at = j->image * st->dest_image + output * st->dest_plane + (d * a[1].outs + j->row0) * a[2].outs;
      int64_t from = (o - j->first) * st->stage_plane + d * st->rows * a[2].outs * st->engine->lanes;
      cb_store store = cb_implicit_store(call, at, output);
      store.c = cb_at(j->stage, from, j->element);
      store.ldc = st->engine->lanes;
      store.m = pixels;
      store.count = j->images;
      store.row_step = 1;
      store.lane_step = st->dest_image;
      store.bias = call->bias ? room : NULL;
      st->engine->store(&store);
    }
  }
}

/* task = ((images * bands + band) * groups + group) * output groups + output group. */
static void run_job(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_map_images *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  const cb_gather_axis *a = st->gather.axis;
  int64_t part = task % st->output_groups, rest = task / st->output_groups;
  char *scratch = cb_scratch(call, worker);
  job j = {.call = call,
           .st = st,
           .element = geo->element,
           .ig = rest % geo->g,
           .image = rest / geo->g / st->bands * st->engine->lanes,
           .row0 = rest / geo->g % st->bands * st->rows,
           .first = cb_split(st->outputs, st->output_groups, part),
           .last = cb_split(st->outputs, st->output_groups, part + 1),
           .band = scratch,
           .stage = scratch + st->stage_at,
           .awalk = (int32_t *)(scratch + st->walk_at)};
  j.bwalk = j.awalk + st->gather.q;
  j.cut = j.bwalk + st->gather.q;
  j.images = cb_min(st->engine->lanes, call->n - j.image);
  j.row1 = cb_min(j.row0 + st->rows, a[1].outs);
  cb_map_images_rows(&a[1], j.row0, j.row1 - j.row0, &j.read0, &j.read1);
  open_band(&j);
  int64_t parts = cb_parts((j.last - j.first) * st->gather.q * (int64_t)j.element, WEIGHT_BYTES);
  parts = cb_min(parts, cb_parts(j.last - j.first, CB_MAP_LEAST_OUTPUTS));
  tile_walk w = {.steps = -1};
  for (int64_t i = 0; i < parts; i++) {
    w.first = j.first + cb_split(j.last - j.first, parts, i);
    w.last = j.first + cb_split(j.last - j.first, parts, i + 1);
    for (int64_t d = 0; d < a[0].outs; d++)
      for (int64_t h = j.row0; h < j.row1; h++) run_row(&j, &w, d, h);
  }
  store_outputs(&j);
}

void cb_map_images_work(cb_call *call)
{
  const cb_map_images *st = call->plan->state;
  int64_t blocks = cb_ceil_div(call->n, st->engine->lanes) * st->bands * call->plan->problem.geo.g;
  cb_call_add(call, blocks * st->output_groups, run_job);
}
