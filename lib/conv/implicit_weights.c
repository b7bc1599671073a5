/*
 * implicit_gemm, weight gradient: taps on the rows, filters on the lanes, and the walk goes over the output pixels.
 *
 *     dw[lane][tap] = sum over blocks, pixels of  band[tap place + pixel place] * panel[pixel][lane]
 *
 * The band is that of the forward, its two tables change places; the panel is dy transposed, two vectors of filters at a
 * time. A job owns some panels of one group and runs over every block of at most 512 pixels in order, adding to sums of
 * its own [tap][lane], which it stores transposed at the end:
 *
 *     for each block of pixels (all images, in order)
 *       fill the band
 *       for each panel of the job
 *         pack dy onto the lanes                       stays in L1 and L2
 *         for each tile of up to 14 taps
 *           for each chunk of at most 128 pixels       fresh sums, added to the job's
 *             kernel
 *
 * Near the edge of an image a tap meets padding. Where that is worth it, a tile has one tap of up to 14 channels, and its
 * walk leaves the pixels out that the tap does not reach (conv/boxes.h).
 *
 * A kernel of 1x1 may have it the other way round: filters on the rows, read in place from dy, and input channels on the
 * lanes, packed from x. Then sums[filter][channel] lies as dw does, and nothing is transposed.
 *
 * Nothing is added across jobs unless there are too few panels and channels to share out: then the blocks are cut into segments
 * whose partial results are added in order. The cut looks at the shape and the budget, never at the threads.
 */
#include "base/memory.h"
#include "base/parallel.h"
#include "base/status.h"
#include "conv/boxes.h"
#include "conv/costs.h"
#include "conv/implicit.h"
#include "conv/tiles.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
  TARGET_JOBS = 8,
  LEAST_ROWS = 28,         /* channels on the rows of a job, if they are shared out */
  PARTIAL_BYTES = 2 << 20, /* of all segments' partial results */
  FEW_PIXELS = 128,        /* of all images: so few that storing the sums is what costs */
  LEAST_CYCLES = 6,        /* a step takes, however few its rows */
  MOST_TAPS = 49,          /* of a filter's channel, for tiles of one tap */
  WEIGHT_CHUNK = 256       /* most pixels of one chain of sums: OpenBLAS sums short rows in as many lanes */
};

typedef struct {
  cb_implicit_head head;
  const cb_engine *engine;
  bool swapped;                  /* filters on the rows, input channels on the lanes */
  int64_t rows_all, lanes_all;   /* channels of an image on either side */
  int64_t rows_each, lanes_each; /* of one group */
  cb_gather gather;              /* its channels are those on a job's rows */
  cb_band band;
  int64_t panels, panel_groups, group_panels;     /* of one group of channels; group_panels: most of one job */
  int64_t channel_groups;                         /* parts of the channels on the rows */
  size_t lanes_at, rows_at, position_at, sums_at; /* in a thread's scratch, behind the band */
  size_t sums_bytes;                              /* of one panel */
  bool by_taps;                                   /* tiles of one tap each */
  int64_t inner[3][2];                            /* the outputs [from, to) on each axis that all taps reach */
  size_t walks_at;                                /* in a thread's scratch: the pixels that each tap reaches */
  cb_hops hops;
  int32_t tap[]; /* [gather.q] where tap (channel, r, s) lies in the band; by taps: tap (r, s, channel) */
} state;

/* The pixels of a block that one tap reaches: places in the band, and in the packed lanes. */
typedef struct {
  int64_t count;
  int32_t *band, *lanes;
} tap_walk;

/* The outputs that the gather's tap t reaches. */
static cb_box reach_of_tap(const cb_gather *gather, int64_t t)
{
  const cb_gather_axis *a = gather->axis;
  int64_t at[3] = {t / a[2].taps / a[1].taps, t / a[2].taps % a[1].taps, t % a[2].taps};
  cb_box box = {0};
  for (int i = 0; i < 3; i++) {
    int64_t end;
    cb_outputs_of_tap(&a[i], at[i], &box.first[i], &end);
    box.count[i] = end - box.first[i];
  }
  return box;
}

/* True if tiles of one tap take less time, with `channels` of them on the rows. */
static bool prefer_taps(const state *st, int64_t channels)
{
  const cb_gather *gather = &st->gather;
  const cb_gather_axis *a = gather->axis;
  if (st->swapped || gather->taps == 1 || gather->taps > MOST_TAPS) return false;
  int64_t most = st->engine->rows[CB_PANEL_VECTORS], each = cb_parts(channels, most),
          all = cb_parts(channels * gather->taps, most);
  double reached = 0, pixels = (double)(a[0].outs * a[1].outs * a[2].outs);
  for (int64_t t = 0; t < gather->taps; t++) {
    cb_box box = reach_of_tap(gather, t);
    reached += (double)(box.count[0] * box.count[1] * box.count[2]) / pixels;
  }
  double rows_each = (double)channels / (double)each, rows_all = (double)(channels * gather->taps) / (double)all;
  double by_taps = reached * (double)each * fmax(CB_PANEL_VECTORS * rows_each, LEAST_CYCLES);
  return by_taps < 0.99 * (double)all * fmax(CB_PANEL_VECTORS * rows_all, LEAST_CYCLES);
}

/* Shares the work of one group of channels out among at least `wanted` jobs, in panels, channels and segments of the pixels,
   at most so many of those: what is done again costs least. About the cycles of one element: 0.35 in a band, which each
   part of the panels fills, or 0.6 if some are left out; 1 in lanes, which each part of the channels packs; 2 in a segment's
   partial result; and tiles of few rows lose a part of the multiplication's 1/16. */
static int64_t share_out(state *st, const cb_geometry *geo, int64_t wanted, int64_t segments)
{
  const double pixels = (double)geo->n * (double)geo->p, weights = (double)geo->kg * (double)geo->q;
  const double each = cb_geometry_is_pointwise(geo) ? 0 : geo->axis[2].stride > 1 ? 0.6 : 0.35;
  const double band = each * (double)st->rows_each * pixels, lanes = (double)st->lanes_each * pixels;
  double least = HUGE_VAL;
  int64_t best = 1;
  for (int64_t p = 1; p <= cb_min(wanted, st->panels); p++)
    for (int64_t c = 1; c <= cb_min(cb_parts(wanted, p), st->rows_each); c++) {
      int64_t s = cb_min(cb_parts(wanted, p * c), segments), lacking = wanted - p * c * s;
      double rows = (double)(st->rows_each / c * geo->taps),
             few = rows < LEAST_ROWS ? 0.2 * (LEAST_ROWS / rows - 1) : 0;
      double again = (double)p * band + (double)c * lanes + (s > 1 ? 2 * (double)s * weights : 0);
      again += pixels * weights * (few / 16 + (lacking > 0 ? (double)lacking : 0));
      if (again >= least) continue;
      least = again;
      best = s;
      st->panel_groups = p;
      st->channel_groups = c;
    }
  return best;
}

/* Everything but the tap table; the scratch's size, or SIZE_MAX if offsets are out of reach. */
static size_t size_state(state *st, cb_tiling *t, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  int64_t element = (int64_t)geo->element;
  st->engine = cb_engine_get(geo->dtype);
  st->swapped = cb_geometry_is_pointwise(geo) && (geo->cg <= geo->kg || geo->n * geo->p <= FEW_PIXELS);
  st->rows_all = st->swapped ? geo->k : geo->c;
  st->lanes_all = st->swapped ? geo->c : geo->k;
  st->rows_each = st->rows_all / geo->g;
  st->lanes_each = st->lanes_all / geo->g;
  st->panels = cb_panels(st->engine, st->lanes_each);
  int64_t bytes = geo->k * geo->q * element, width = CB_PANEL_VECTORS * st->engine->lanes;
  int64_t fit = cb_max(1, cb_min(PARTIAL_BYTES, (int64_t)(problem->budget / 4)) / bytes);
  double chunks = (double)geo->n * (double)geo->p / CB_CHUNK; /* there are at least so many blocks */
  int64_t segments =
      share_out(st, geo, cb_parts(TARGET_JOBS, geo->g), chunks < (double)fit ? (int64_t)ceil(fmax(chunks, 1)) : fit);

  cb_gather_forward(&st->gather, geo);
  st->gather.channels = cb_ceil_div(st->rows_each, st->channel_groups);
  st->gather.q = st->gather.channels * st->gather.taps;
  cb_band_limits limits = {
      .n = geo->n, .pixels = CB_CHUNK, .elements = CB_BAND_BYTES / element, .source_image = st->rows_all * geo->image};
  cb_band_cut(&st->band, &st->gather, 1, &limits);
  int64_t reach = st->band.elements ? st->band.elements : st->band.images * limits.source_image;
  if (reach >= INT32_MAX || geo->p >= INT32_MAX) return SIZE_MAX;
  t->segments = cb_min(segments, cb_band_blocks(&st->band, cb_max(geo->n, 1)));
  t->shared_bytes = t->segments > 1 ? cb_aligned_size((size_t)(t->segments * bytes)) : 0;
  st->group_panels = cb_ceil_div(st->panels, st->panel_groups);
  st->sums_bytes = cb_aligned_size((size_t)(st->gather.q * width * element));
  st->lanes_at = cb_aligned_size((size_t)(st->band.elements * element));
  st->rows_at = st->lanes_at + cb_aligned_size((size_t)(CB_CHUNK * width * element));
  st->by_taps = prefer_taps(st, st->gather.channels);
  st->position_at = st->rows_at + cb_aligned_size((size_t)st->band.pixels * sizeof(int32_t));
  st->walks_at = st->position_at + cb_aligned_size((size_t)st->band.pixels * sizeof(int64_t));
  size_t walks = (size_t)st->gather.taps * (sizeof(tap_walk) + 2 * (size_t)st->band.pixels * sizeof(int32_t));
  st->sums_at = st->walks_at + (st->by_taps ? cb_aligned_size(walks) : 0);
  size_t room = problem->budget / 2;
  int64_t holds = room > st->sums_at ? (int64_t)((room - st->sums_at) / st->sums_bytes) : 0;
  st->group_panels = cb_max(1, cb_min(st->group_panels, holds));
  st->panel_groups = cb_max(st->panel_groups, cb_ceil_div(st->panels, st->group_panels));
  return st->sums_at + (size_t)st->group_panels * st->sums_bytes;
}

bool cb_weights_apply(const cb_problem *problem, char *why, size_t size)
{
  state st;
  cb_tiling tiling = {0};
  size_t bytes = size_state(&st, &tiling, problem);
  if (bytes == SIZE_MAX) {
    snprintf(why, size, "its offsets exceed 31 bits");
    return false;
  }
  bytes += tiling.shared_bytes + CB_ALIGN;
  if (bytes <= problem->budget) return true;
  snprintf(why, size, "it needs a workspace of %zu bytes a thread", bytes);
  return false;
}

double cb_weights_cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  state st;
  cb_tiling tiling = {0};
  size_state(&st, &tiling, problem);
  double pixels = (double)geo->n * (double)geo->p, weights = (double)(geo->k * geo->q);
  double filled = (double)cb_round_up(st.lanes_each, st.engine->lanes) / (double)st.lanes_each;
  double work[CB_WORK_KINDS] = {[CB_WORK_MAC] = pixels * weights * filled,
                                [CB_WORK_STORE] = weights * filled * (double)tiling.segments,
                                [CB_WORK_READ] = (double)geo->n * (double)(geo->c * geo->image + geo->k * geo->p),
                                [CB_WORK_CALLS] = (double)geo->n * (double)geo->g,
                                [CB_WORK_ONCE] = 1};
  return cb_cost(CB_COST_WEIGHTS, problem, work);
}

/* Brings the places of the taps into the order (tap, channel), and finds the outputs that all taps reach. */
static cnnblas_status order_by_taps(state *st)
{
  const cb_gather *gather = &st->gather;
  size_t bytes = (size_t)gather->q * sizeof(int32_t);
  int32_t *old = cb_alloc(bytes);
  if (!old) return cb_fail_memory(bytes, "the plan's walk tables");
  memcpy(old, st->tap, bytes);
  for (int64_t c = 0; c < gather->channels; c++)
    for (int64_t t = 0; t < gather->taps; t++) st->tap[t * gather->channels + c] = old[c * gather->taps + t];
  cb_free(old);
  for (int i = 0; i < 3; i++) {
    st->inner[i][0] = 0;
    st->inner[i][1] = gather->axis[i].outs;
    for (int64_t j = 0; j < gather->axis[i].taps; j++) {
      int64_t lo, hi;
      cb_outputs_of_tap(&gather->axis[i], j, &lo, &hi);
      st->inner[i][0] = cb_max(st->inner[i][0], lo);
      st->inner[i][1] = cb_min(st->inner[i][1], hi);
    }
  }
  return CNNBLAS_OK;
}

static void run(const cb_call *call);

cnnblas_status cb_weights_prepare(cnnblas_conv_plan *plan)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  size_t bytes = sizeof(state) + (size_t)cb_max(geo->q, geo->kg) * sizeof(int32_t);
  state *st = cb_alloc_zeroed(bytes);
  if (!st) return cb_fail_memory(bytes, "the plan's walk tables");
  plan->state = st;
  st->head.run = run;
  t->thread_bytes = size_state(st, t, &plan->problem);
  t->p_tile = st->band.pixels;
  t->lanes = "channels";
  t->q_tile = st->engine->rows[CB_PANEL_VECTORS];
  t->k_tile = CB_PANEL_VECTORS * st->engine->lanes;
  t->tasks = t->segments * geo->g * st->panel_groups * st->channel_groups;
  cb_band_walk(&st->gather, &st->band, st->tap);
  cnnblas_status status = st->by_taps ? order_by_taps(st) : CNNBLAS_OK;
  if (status) {
    cb_free(st);
    plan->state = NULL;
    return status;
  }
  cb_hops_init(&st->hops, st->engine);
  return CNNBLAS_OK;
}

/* What a job owns of dw, or of a segment's partial result. */
typedef struct {
  const cb_call *call;
  int64_t ig, segment;
  int64_t panel0, panel1;     /* panels of lanes */
  int64_t channel0, channel1; /* channels of the group, on the rows */
  char *scratch;
} job;

/* One block of pixels, its band filled. */
typedef struct {
  const job *job;
  const void *band;
  const int32_t *rows;
  const int64_t *position; /* in the lanes' array, from the block's first image and the panel's first channel */
  int64_t pixels, image;
  const tap_walk *walks; /* [taps], by taps; else NULL */
} block_view;

/* Packed lanes of a pixel: with tiles of one tap always those of a whole panel, so that one walk fits all. */
static int64_t lane_width(const state *st, const cb_panel *panel)
{
  return st->by_taps ? CB_PANEL_VECTORS * st->engine->lanes : panel->width;
}

/* lanes[pixel][channel] = from[channel][pixel], by runs of pixels side by side; from: at the panel's first channel. */
static void pack_block(const block_view *view, const cb_panel *panel, const void *from, char *lanes)
{
  const cb_geometry *geo = &view->job->call->plan->problem.geo;
  const state *st = view->job->call->plan->state;
  const int64_t width = lane_width(st, panel);
  if (geo->p == 1) { /* lanes lie side by side already */
    for (int64_t p = 0; p < view->pixels; p++) {
      char *to = lanes + (size_t)(p * width) * geo->element;
      memcpy(to, cb_at(from, view->position[p], geo->element), (size_t)panel->count * geo->element);
      memset(to + (size_t)panel->count * geo->element, 0, (size_t)(width - panel->count) * geo->element);
    }
    return;
  }
  for (int64_t p = 0; p < view->pixels;) {
    int64_t run = 1;
    while (p + run < view->pixels && view->position[p + run] == view->position[p] + run) run++;
    st->engine->pack_lanes(lanes + (size_t)(p * width) * geo->element, cb_at(from, view->position[p], geo->element),
                           geo->p, run, panel->count, width);
    p += run;
  }
}

/* Where the sums of a panel are made: their own place, or dw. */
typedef struct {
  void *at;
  int64_t pitch;
  bool add; /* to what is there */
} sums_view;

/* sums[channel, tap][lane] (+)= the block's part, a tap at a time. */
static void add_block_by_taps(const block_view *view, const cb_panel *panel, const void *lanes, const sums_view *sums)
{
  const cb_geometry *geo = &view->job->call->plan->problem.geo;
  const state *st = view->job->call->plan->state;
  const int64_t channels = view->job->channel1 - view->job->channel0;
  const int64_t tiles = cb_parts(channels, st->engine->rows[panel->vectors]);
  cb_tile tile = {.a = view->band, .b = lanes, .ldc = geo->taps * sums->pitch};
  for (int64_t t = 0; t < geo->taps; t++) {
    const tap_walk *walk = &view->walks[t];
    const int64_t chunks = cb_parts(walk->count, WEIGHT_CHUNK);
    for (int64_t i = 0; i < tiles; i++) {
      const int64_t first = cb_split(channels, tiles, i), m = cb_split(channels, tiles, i + 1) - first;
      tile.row = st->tap + t * st->gather.channels + first;
      tile.c = cb_at_mut(sums->at, (first * geo->taps + t) * sums->pitch, geo->element);
      for (int64_t chunk = 0; chunk < chunks; chunk++) {
        const int64_t s0 = cb_split(walk->count, chunks, chunk);
        tile.awalk = walk->band + s0;
        tile.bwalk = walk->lanes + s0;
        tile.steps = cb_split(walk->count, chunks, chunk + 1) - s0;
        tile.add = sums->add || chunk > 0;
        st->engine->kernel[panel->vectors][m](&tile);
      }
    }
  }
}

/* sums[tap][lane] (+)= the block's part. */
static void add_block(const block_view *view, const cb_panel *panel, const void *lanes, const sums_view *sums)
{
  const cb_geometry *geo = &view->job->call->plan->problem.geo;
  const state *st = view->job->call->plan->state;
  int64_t taps = (view->job->channel1 - view->job->channel0) * geo->taps;
  int64_t tiles = cb_parts(taps, st->engine->rows[panel->vectors]), chunks = cb_parts(view->pixels, WEIGHT_CHUNK);
  for (int64_t i = 0; i < tiles; i++) {
    int64_t first = cb_split(taps, tiles, i), m = cb_split(taps, tiles, i + 1) - first;
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
      int64_t s0 = cb_split(view->pixels, chunks, chunk), s1 = cb_split(view->pixels, chunks, chunk + 1);
      cb_tile tile = {.a = view->band,
                      .row = st->tap + first,
                      .awalk = view->rows + s0,
                      .b = cb_at(lanes, s0 * panel->width, geo->element),
                      .bwalk = st->hops.hop[panel->vectors],
                      .steps = s1 - s0,
                      .c = cb_at_mut(sums->at, first * sums->pitch, geo->element),
                      .ldc = sums->pitch,
                      .add = sums->add || chunk > 0};
      st->engine->kernel[panel->vectors][m](&tile);
    }
  }
}

/* True if each tap reaches the same pixels of both blocks. */
static bool same_reach(const state *st, const cb_block_range *a, const cb_block_range *b)
{
  if (a->images != b->images) return false;
  for (int i = 0; i < 3; i++) {
    if (a->count[i] != b->count[i]) return false;
    if (a->first[i] == b->first[i]) continue;
    if (cb_min(a->first[i], b->first[i]) < st->inner[i][0]) return false;
    if (cb_max(a->first[i], b->first[i]) + a->count[i] > st->inner[i][1]) return false;
  }
  return true;
}

/* Fills the walks of every tap over the block's pixels. */
static void open_taps(const job *j, const cb_gather *gather, const cb_block_range *block)
{
  const state *st = j->call->plan->state;
  const int32_t width = CB_PANEL_VECTORS * st->engine->lanes;
  tap_walk *walks = (tap_walk *)(j->scratch + st->walks_at);
  int32_t *room = (int32_t *)(walks + gather->taps);
  for (int64_t t = 0; t < gather->taps; t++) {
    const cb_box box = reach_of_tap(gather, t);
    const cb_block_range part = cb_box_in_block(&box, block);
    tap_walk *walk = &walks[t];
    *walk = (tap_walk){part.images * part.count[0] * part.count[1] * part.count[2], room, room + st->band.pixels};
    room += 2 * st->band.pixels;
    cb_band_rows(gather, &st->band, block->first, &part, walk->band);
    int32_t *lanes = walk->lanes;
    for (int64_t in = 0; in < part.images; in++)
      for (int64_t d = part.first[0] - block->first[0]; d < part.first[0] - block->first[0] + part.count[0]; d++)
        for (int64_t h = part.first[1] - block->first[1]; h < part.first[1] - block->first[1] + part.count[1]; h++) {
          int64_t row = ((in * block->count[0] + d) * block->count[1] + h) * block->count[2];
          int64_t at = row + part.first[2] - block->first[2];
          for (int64_t w = 0; w < part.count[2]; w++) *lanes++ = (int32_t)(at + w) * width;
        }
  }
}

/* Fills the band (or points into x) and the pixel tables of block b, for the job's channels; *last: the block whose tables
   are there. */
static block_view open_block(const job *j, int64_t b, cb_block_range *last)
{
  const cb_geometry *geo = &j->call->plan->problem.geo;
  const state *st = j->call->plan->state;
  cb_gather part = st->gather;
  cb_block_range block = cb_band_block(&part, &st->band, j->call->n, b);
  int64_t channel = block.image * st->rows_all + j->ig * st->rows_each + j->channel0;
  const int64_t whole[3] = {part.axis[0].outs, part.axis[1].outs, part.axis[2].outs};
  int32_t *rows = (int32_t *)(j->scratch + st->rows_at);
  int64_t *position = (int64_t *)(j->scratch + st->position_at);
  int64_t pixels = block.images * block.count[0] * block.count[1] * block.count[2];
  part.channels = j->channel1 - j->channel0;
  cb_band_rows(&part, &st->band, block.first, &block, rows);
  cb_band_positions(&part, &block, whole, (int64_t[3]){0, 0, 0}, st->lanes_all * geo->p, position);
  const void *source = st->swapped ? j->call->dy : j->call->x;
  const void *band = cb_band_open(&part, &st->band, &block, cb_at(source, channel * geo->image, geo->element),
                                  st->rows_all * geo->image, geo->element, j->scratch);
  if (st->by_taps && !same_reach(st, last, &block)) open_taps(j, &part, &block);
  *last = block;
  return (block_view){
      j, band, rows, position, pixels, block.image, st->by_taps ? (const tap_walk *)(j->scratch + st->walks_at) : NULL};
}

/* Where the job's sums of one panel belong: in dw, or in its segment's partial result. The steps are those of a store. */
static void *destination(const job *j, const cb_panel *panel, int64_t *row_step, int64_t *lane_step)
{
  const cb_geometry *geo = &j->call->plan->problem.geo;
  const cb_tiling *t = &j->call->plan->tiling;
  const state *st = j->call->plan->state;
  void *out = t->segments > 1 ? cb_at_mut(j->call->shared, j->segment * geo->k * geo->q, geo->element) : j->call->out;
  *row_step = st->swapped ? geo->q : 1;
  *lane_step = st->swapped ? 1 : geo->q;
  int64_t at = panel->first * *lane_step + j->channel0 * geo->taps * *row_step;
  return cb_at_mut(out, j->ig * geo->kg * geo->q + at, geo->element);
}

/* True if the kernel stores there itself: lanes lie side by side, nothing else is to be kept, and one block is all. */
static bool stores_in_place(const job *j, const cb_panel *panel)
{
  const state *st = j->call->plan->state;
  int64_t segments = j->call->plan->tiling.segments;
  bool one_block = cb_band_blocks(&st->band, j->call->n) <= segments;
  return st->swapped && one_block && panel->count == panel->width && (segments > 1 || !j->call->accumulate);
}

/* The job's sums of one panel to where they belong. */
static void store_panel(const job *j, const cb_panel *panel, const void *sums)
{
  const cb_geometry *geo = &j->call->plan->problem.geo;
  cb_store store = {.c = sums,
                    .ldc = panel->width,
                    .m = (j->channel1 - j->channel0) * geo->taps,
                    .count = panel->count,
                    .add = j->call->plan->tiling.segments == 1 && j->call->accumulate};
  store.out = destination(j, panel, &store.row_step, &store.lane_step);
  const state *st = j->call->plan->state;
  st->engine->store(&store);
}

/* task = ((segment * groups + group) * channel groups + channel group) * panel groups + panel group. */
static job job_of(const cb_call *call, int64_t task, int worker)
{
  const cb_geometry *geo = &call->plan->problem.geo;
  const state *st = call->plan->state;
  int64_t panels = task % st->panel_groups, channels = task / st->panel_groups % st->channel_groups;
  task /= st->panel_groups * st->channel_groups;
  return (job){.call = call,
               .ig = task % geo->g,
               .segment = task / geo->g,
               .panel0 = cb_split(st->panels, st->panel_groups, panels),
               .panel1 = cb_split(st->panels, st->panel_groups, panels + 1),
               .channel0 = cb_split(st->rows_each, st->channel_groups, channels),
               .channel1 = cb_split(st->rows_each, st->channel_groups, channels + 1),
               .scratch = cb_scratch(call, worker)};
}

/* The part of one block in the sums of panel p; `first`: nothing has been added to them yet. */
static void run_panel(const block_view *view, int64_t p, bool first)
{
  const job *j = view->job;
  const cb_geometry *geo = &j->call->plan->problem.geo;
  const state *st = j->call->plan->state;
  cb_panel panel = cb_panel_at(st->engine, st->lanes_each, p);
  char *lanes = j->scratch + st->lanes_at;
  const void *from = st->swapped ? j->call->x : j->call->dy;
  int64_t channel = view->image * st->lanes_all + j->ig * st->lanes_each + panel.first, lane_step;
  pack_block(view, &panel, cb_at(from, channel * geo->p, geo->element), lanes);
  sums_view sums = {j->scratch + st->sums_at + (size_t)(p - j->panel0) * st->sums_bytes, panel.width, !first};
  if (stores_in_place(j, &panel)) sums.at = destination(j, &panel, &sums.pitch, &lane_step);
  (st->by_taps ? add_block_by_taps : add_block)(view, &panel, lanes, &sums);
}

static void run_job(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const state *st = call->plan->state;
  job j = job_of(call, task, worker);
  char *sums = j.scratch + st->sums_at;
  int64_t blocks = cb_band_blocks(&st->band, call->n), segments = call->plan->tiling.segments;
  int64_t first = cb_split(blocks, segments, j.segment), last = cb_split(blocks, segments, j.segment + 1);
  if (first == last) memset(sums, 0, (size_t)(j.panel1 - j.panel0) * st->sums_bytes);
  cb_block_range opened = {.images = -1};
  for (int64_t b = first; b < last; b++) {
    block_view view = open_block(&j, b, &opened);
    for (int64_t p = j.panel0; p < j.panel1; p++) run_panel(&view, p, b == first);
  }
  for (int64_t p = j.panel0; p < j.panel1; p++) {
    cb_panel panel = cb_panel_at(st->engine, st->lanes_each, p);
    if (first == last || !stores_in_place(&j, &panel))
      store_panel(&j, &panel, sums + (size_t)(p - j.panel0) * st->sums_bytes);
  }
}

static void run(const cb_call *call)
{
  const cb_tiling *t = &call->plan->tiling;
  cb_parallel_for(call->threads, t->tasks, run_job, (void *)call);
  if (t->segments > 1) cb_reduce_segments(call, call->shared, t->segments);
}
