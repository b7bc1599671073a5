/*
 * implicit_gemm, weight gradient: taps on the rows, filters on the lanes, and the walk goes over the output pixels.
 *
 *     dw[lane][tap] = sum over blocks, pixels of  band[tap place + pixel place] * panel[pixel][lane]
 *
 * The band is that of the forward, its two tables change places; the panel is dy transposed, two vectors of filters at
 * a time. A job owns some panels and channels of one group, and a subtree of the pixels. It runs over the blocks of
 * those, of at most 512 pixels, in order, adding to sums of its own [tap][lane], which it stores transposed at the end:
 *
 *     for each block of the job's pixels
 *       fill the band
 *       for each panel of the job
 *         pack dy onto the lanes                       stays in L1 and L2
 *         for each tile of up to 14 taps
 *           for each chunk of at most 256 pixels       fresh sums, added to the job's
 *             kernel
 *
 * Where the level has it so, jobs of several panels pack the rows of a 1x1 filter's channels too, as many as stay in L2, and
 * multiply them with one packed panel after the other.
 *
 * Near the edge of an image a tap meets padding. Where that is worth it, a tile has one tap of up to 14 channels, and
 * its walk leaves the pixels out that the tap does not reach (conv/boxes.h).
 *
 * A kernel of 1x1 may have it the other way round: filters on the rows, from dy, which is read in place or copied as an
 * input would be, and input channels on the lanes, packed from x, out of what a stride leaves. Then
 * sums[filter][channel] lies as dw does, and nothing is transposed.
 *
 * The pixels fall into the leaves of a binary tree (conv/sum_tree.h), each of whole blocks. A job owns a subtree; it
 * adds the blocks of a leaf in order and joins the leaves. If several jobs share the pixels, the partial results of
 * their subtrees are joined at the end. Blocks and leaves follow the shape and the workspace, so that bits do; which
 * subtrees are jobs, and which panels and channels each has, follow the team.
 */
#include "conv/implicit_dw.h"
#include "base/memory.h"
#include "base/parameters.h"
#include "base/status.h"
#include "conv/costs.h"
#include "conv/cuts.h"
#include "conv/sum_tree.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
  LEAST_ROWS = 28,        /* rows of a job, if channels are shared out: jobs of fewer are slower */
  SHARED_BYTES = 8 << 20, /* the most bytes of the subtrees' partial results that a call joins at the end */
  SHARED_EACH = 2 << 20,  /* the most bytes of them a thread, so that its 4 MiB hold its scratch too */
  SLOT_BYTES = 1 << 20,   /* the most bytes of the partial results that a thread holds besides the one it adds to */
  LEAF_PIXELS = 256,      /* the least pixels of a leaf: joining two leaves takes as long as adding a few pixels */
  LEAF_MACS = 1 << 17,    /* the least multiply-adds of a leaf: no job is worth less */
  MOST_LEAVES = 256,
  PACKED_PANELS = 3, /* the least panels of a job that packs rows; above 1, so that one panel always fits as before */
  KEPT_BYTES = 1 << 20, /* the most bytes of packed lanes that a thread keeps */
  BAND_CHANNELS = 512,  /* the most channels whose band decides where blocks are cut */
  LEAST_CYCLES = 6,     /* the least cycles of a step, however few its rows */
  LINE = 16,            /* elements of a cache line, about */
  MOST_TAPS = 49,       /* the most taps of a filter's channel for tiles of one tap */
};

cb_box cb_dw_reach(const cb_gather *gather, int64_t t)
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

/* True if tiles of one tap take less time than tiles of all taps, with `channels` channels on the rows. */
static bool prefer_taps(const cb_dw *st, int64_t channels)
{
  const cb_gather *gather = &st->gather;
  const cb_gather_axis *a = gather->axis;
  if (st->swapped || gather->taps == 1 || gather->taps > MOST_TAPS) return false;
  int64_t most = st->engine->rows[CB_PANEL_VECTORS], each = cb_parts(channels, most),
          all = cb_parts(channels * gather->taps, most);
  double reached = 0, pixels = (double)(a[0].outs * a[1].outs * a[2].outs);
  for (int64_t t = 0; t < gather->taps; t++) {
    cb_box box = cb_dw_reach(gather, t);
    reached += (double)(box.count[0] * box.count[1] * box.count[2]) / pixels;
  }
  double rows_each = (double)channels / (double)each, rows_all = (double)(channels * gather->taps) / (double)all;
  double by_taps = reached * (double)each * fmax(CB_PANEL_VECTORS * rows_each, LEAST_CYCLES);
  return by_taps < 0.99 * (double)all * fmax(CB_PANEL_VECTORS * rows_all, LEAST_CYCLES);
}

/* About the cycles that an element of an operand of `elements` takes to come from where it lies: memory, or a cache. */
static double reading(const cb_geometry *geo, double elements)
{
  return elements * (double)geo->g * (double)geo->element > (double)cb_parameters_get()->pace.far_bytes ? 1.2 : 0.1;
}

/* True if so many panels walk what a stride leaves of a source in memory that it is gathered first. Zen 5, 1x1 at stride 2,
   old/new: 16 panels 1.20, 32 panels 1.09; 4 panels .88 to 1.04; a source in the caches, .85 to .91. */
static bool worth_gathering(const cb_dw *st, const cb_geometry *geo)
{
  enum { LEAST_PANELS = 8 };
  const double bytes = (double)(geo->n * st->rows_all * st->rows_plane) * (double)geo->element;
  return !st->swapped && st->panels >= LEAST_PANELS && bytes > (double)cb_parameters_get()->order.gathered_bytes;
}

/* True if jobs of enough panels are to pack the rows that the channels of a 1x1 filter make. Read in place from afar, the six
   rows of a tile wait for caches and pages: 42 to 65 of 98 GFLOP/s (Zen 3, one core). What a stride leaves is
   gathered for it: with 2 to 8 panels that lost .4 to .9, with 16 and more it won 1.3 to 1.5. */
static bool can_pack_rows(const cb_dw *st, const cb_geometry *geo)
{
  enum { LEAST_GATHERED = 16 };
  const double bytes = (double)(geo->n * st->rows_all * st->rows_plane) * (double)geo->element;
  const bool strided = !st->swapped && (geo->axis[0].stride > 1 || geo->axis[1].stride > 1 || geo->axis[2].stride > 1);
  return st->gather.taps == 1 && st->panels >= (strided ? LEAST_GATHERED : PACKED_PANELS) &&
         bytes > (double)cb_parameters_get()->order.far_rows_bytes;
}

/* Cuts pixels into blocks and blocks into leaves: by the shape and the workspace alone, since these order the sums. */
static void cut_pixels(cb_dw *st, const cb_problem *problem)
{
  const cb_order *order = &cb_parameters_get()->order;
  const cb_geometry *geo = &problem->geo;
  int64_t element = (int64_t)geo->element;
  st->gather.channels = cb_min(st->rows_each, BAND_CHANNELS);
  cb_band_limits limits = {.n = geo->n,
                           .pixels = order->chunk_steps,
                           .elements = order->gradient_band / element,
                           .source_image = st->rows_all * st->rows_plane,
                           .dense = can_pack_rows(st, geo) || worth_gathering(st, geo)};
  cb_band_cut(&st->band, &st->gather, 1, &limits);
  st->by_taps = prefer_taps(st, st->rows_each);
  double pixels = (double)geo->n * (double)geo->p, weights = (double)geo->k * (double)geo->q;
  double room = problem->limited ? (double)problem->budget / 4 : SHARED_BYTES;
  double most = fmin(fmin(pixels / LEAF_PIXELS, pixels * weights / LEAF_MACS), room / (weights * (double)element));
  int64_t blocks = cb_band_blocks(&st->band, cb_max(geo->n, 1));
  st->leaves = cb_power_of_two(cb_min(blocks, (int64_t)fmin(most, MOST_LEAVES)));
}

/* Decides whether jobs pack their rows, and how many channels and panels they keep. */
static void keep_packed(cb_dw *st, const cb_geometry *geo)
{
  const int64_t tile = st->engine->packed_rows, row_bytes = cb_max(st->band.pixels, 1) * (int64_t)geo->element;
  const int64_t most = 2 * cb_parameters_get()->pace.l2_bytes / 5, fit = cb_max(most / row_bytes, tile);
  st->packs_rows = can_pack_rows(st, geo) && st->group_panels >= PACKED_PANELS;
  st->kept_panels = st->packs_rows ? cb_min(st->group_panels, cb_max(KEPT_BYTES / (int64_t)st->lanes_bytes, 1)) : 1;
  st->part_channels = cb_round_up(cb_ceil_div(st->gather.channels, cb_ceil_div(st->gather.channels, fit)), tile);
}

/* Lays out the scratch of a thread for jobs of so many channels and panels that own one of `segments` subtrees.
   Returns its bytes. */
static size_t lay_out(cb_dw *st, const cb_geometry *geo, int64_t channel_groups, int64_t group_panels, int64_t segments)
{
  int64_t element = (int64_t)geo->element, width = CB_PANEL_VECTORS * st->engine->lanes;
  st->gather.channels = cb_ceil_div(st->rows_each, channel_groups);
  st->gather.q = st->gather.channels * st->gather.taps;
  if (st->band.elements) {
    st->band.image_pitch = st->gather.channels * st->band.channel_pitch;
    st->band.elements = st->band.image_pitch * st->band.images;
  }
  st->channel_groups = channel_groups;
  st->group_panels = group_panels;
  st->panel_groups = cb_ceil_div(st->panels, group_panels);
  st->sums_bytes = cb_aligned_size((size_t)(st->gather.q * width * element));
  st->slot_bytes = (size_t)group_panels * st->sums_bytes;
  st->lanes_at = cb_aligned_size((size_t)(st->band.elements * element));
  st->lanes_bytes = cb_aligned_size((size_t)(cb_parameters_get()->order.chunk_steps * width * element));
  keep_packed(st, geo);
  st->rows_at = st->lanes_at + (size_t)st->kept_panels * st->lanes_bytes;
  st->position_at = st->rows_at + cb_aligned_size((size_t)st->band.pixels * sizeof(int32_t));
  st->walks_at = st->position_at + cb_aligned_size((size_t)st->band.pixels * sizeof(int64_t));
  size_t walks = (size_t)st->gather.taps * (sizeof(cb_tap_walk) + 2 * (size_t)st->band.pixels * sizeof(int32_t));
  st->packed_at = st->walks_at + (st->by_taps ? cb_aligned_size(walks) : 0);
  st->ends_at = st->packed_at;
  if (st->packs_rows) st->ends_at += cb_aligned_size((size_t)(st->part_channels * st->band.pixels * element));
  st->gathered_at = st->ends_at + (st->packs_rows ? cb_aligned_size((size_t)st->band.pixels * sizeof(int32_t)) : 0);
  st->sums_at = st->gathered_at;
  if (st->lanes_strided) st->sums_at += cb_aligned_size((size_t)(st->band.pixels * width * element));
  return st->sums_at + (size_t)cb_tree_slots(st->leaves / segments) * st->slot_bytes;
}

/* Cycles of work that do not depend on how it is shared out, and of work that jobs may have to do again. */
typedef struct {
  double multiply, band, lanes, packed, partial, weights;
} work_cycles;

/* About the cycles of all work. An element takes CB_BAND_CYCLES in a band, which each part of the panels fills; 2 in
   lanes, which each part of the channels packs; 2 in a subtree's partial result. A multiply-add of a vector takes 1. */
static work_cycles count_cycles(const cb_dw *st, const cb_geometry *geo)
{
  const double pixels = (double)geo->n * (double)geo->p, weights = (double)geo->kg * (double)geo->q;
  const double each =
      st->swapped || cb_geometry_is_pointwise(geo) ? 0 : CB_BAND_CYCLES(geo->axis[2].out, geo->axis[2].stride);
  const double rows = (double)st->rows_each * pixels, lanes = (double)st->lanes_each * pixels;
  return (work_cycles){.multiply = pixels * weights / st->engine->lanes,
                       .band = (each + reading(geo, rows)) * rows,
                       .lanes = (2 + reading(geo, lanes)) * lanes,
                       .packed = 1.2 * rows,
                       .partial = 2 * weights,
                       .weights = weights};
}

/* The cycles of one way to share the work out: the parts of panels and channels in st, and `segments` parts of the
   leaves. */
static cb_cut try_cut(const cb_dw *st, const cb_geometry *geo, const work_cycles *work, int64_t segments)
{
  double p = (double)st->panel_groups, c = (double)st->channel_groups, s = (double)segments, g = (double)geo->g;
  double rows = (double)(st->gather.channels * geo->taps), few = rows < LEAST_ROWS ? 0.2 * (LEAST_ROWS / rows - 1) : 0;
  double group = work->multiply * (1 + few) + p * work->band + c * work->lanes + (segments > 1 ? s * work->partial : 0);
  if (st->packs_rows)
    group += p * (double)cb_ceil_div(st->group_panels, st->kept_panels) * work->packed;
  else if (can_pack_rows(st, geo))
    group += 0.4 * work->multiply;
  group += p * c * s * CB_START_CYCLES;
  /* Sums that leave the near caches between two blocks come back from far. */
  if ((int64_t)st->slot_bytes > cb_parameters_get()->pace.near_bytes)
    group += (double)cb_band_blocks(&st->band, geo->n) * work->weights;
  int64_t lanes = cb_round_up(st->lanes_each, st->engine->lanes);
  double panels = (double)cb_min(st->group_panels * CB_PANEL_VECTORS * st->engine->lanes, lanes) * p / (double)lanes;
  double channels = (double)st->gather.channels * c / (double)st->rows_each;
  return (cb_cut){
      .total = g * group, .largest = group / (p * c * s) * panels * channels, .jobs = (int64_t)(p * c * s * g)};
}

/* Chooses the parts of the jobs for a team, of all that fit the workspace the fastest by estimate, and lays out the
   scratch. Returns the scratch's bytes. */
static size_t share_out(cb_dw *st, cb_tiling *t, const cb_problem *problem, int threads)
{
  const cb_geometry *geo = &problem->geo;
  const work_cycles work = count_cycles(st, geo);
  const size_t room = problem->budget / 2;
  const int64_t bytes = geo->k * geo->q * (int64_t)geo->element;
  const int64_t shared = cb_min(SHARED_BYTES, (int64_t)SHARED_EACH * threads);
  double least = HUGE_VAL;
  int64_t best[3] = {st->rows_each, 1, 1}; /* the cut that needs least, if none fits */
  for (int64_t s = 1; s <= st->leaves; s *= 2) {
    if (s > 1 && (threads == 1 || problem->limited || s * bytes > shared)) break;
    for (int64_t c = st->band.elements ? cb_parts(st->rows_each, BAND_CHANNELS) : 1; c <= st->rows_each;
         c = cb_next_parts(st->rows_each, c))
      for (int64_t p = 1; p <= st->panels; p = cb_next_parts(st->panels, p)) {
        size_t needed = lay_out(st, geo, c, cb_ceil_div(st->panels, p), s);
        size_t held = needed - st->sums_at - st->slot_bytes;
        const cb_cut cut = try_cut(st, geo, &work, s);
        if (needed > room || held > SLOT_BYTES || (least < HUGE_VAL && !cb_cut_worthwhile(&cut))) continue;
        double time = cb_cut_time(&cut, threads) + (s > 1 ? cb_barrier_cycles(threads) : 0);
        if (time >= least) continue;
        least = time;
        best[0] = c, best[1] = st->group_panels, best[2] = s;
      }
  }
  t->segments = best[2];
  t->leaves = st->leaves;
  t->shared_bytes = t->segments > 1 ? cb_aligned_size((size_t)(t->segments * bytes)) : 0;
  return lay_out(st, geo, best[0], best[1], best[2]);
}

/* Makes everything of the state but the tap table, for so many threads. Returns the scratch's bytes, or SIZE_MAX if
   offsets are out of reach. */
static size_t size_state(cb_dw *st, cb_tiling *t, const cb_problem *problem, int threads)
{
  const cb_geometry *geo = &problem->geo;
  st->engine = cb_engine_get(geo->dtype);
  st->rows_all = st->swapped ? geo->k : geo->c;
  st->lanes_all = st->swapped ? geo->c : geo->k;
  st->rows_each = st->rows_all / geo->g;
  st->lanes_each = st->lanes_all / geo->g;
  st->rows_plane = st->swapped ? geo->p : geo->image;
  st->lanes_plane = st->swapped ? geo->image : geo->p;
  st->lanes_strided = st->swapped && !cb_geometry_is_pointwise(geo);
  st->panels = cb_panels(st->engine, st->lanes_each);
  (st->swapped ? cb_gather_outputs : cb_gather_forward)(&st->gather, geo);
  cut_pixels(st, problem);
  int64_t reach = st->band.elements ? st->band.elements : st->band.images * st->rows_all * st->rows_plane;
  if (reach >= INT32_MAX || geo->p >= INT32_MAX) return SIZE_MAX;
  return share_out(st, t, problem, threads);
}

bool cb_dw_apply(const cb_problem *problem, bool inputs, char *why, size_t size)
{
  cb_dw st = {.swapped = inputs};
  cb_tiling tiling = {0};
  size_t bytes = size_state(&st, &tiling, problem, 1); /* whether it applies may not depend on the threads */
  if (bytes == SIZE_MAX) {
    snprintf(why, size, "its offsets exceed 31 bits");
    return false;
  }
  bytes += tiling.shared_bytes + CB_ALIGN;
  if (bytes <= problem->budget) return true;
  snprintf(why, size, "it needs a workspace of %zu bytes a thread", bytes);
  return false;
}

double cb_dw_cost(const cb_problem *problem, bool inputs)
{
  const cb_geometry *geo = &problem->geo;
  cb_dw st = {.swapped = inputs};
  cb_tiling tiling = {0};
  size_state(&st, &tiling, problem, 1);
  double pixels = (double)geo->n * (double)geo->p, weights = (double)(geo->k * geo->q);
  double filled = (double)cb_round_up(st.lanes_each, st.engine->lanes) / (double)st.lanes_each;
  /* What lies on the lanes is packed, and gathered before if it lies at a stride, from whole cache lines; rows are copied into bands, packed too where they lie far, or read in place. */
  double read = (double)geo->n * (double)(st.lanes_all * geo->p);
  if (st.band.elements)
    read += (double)cb_band_blocks(&st.band, geo->n) * (double)st.band.images *
            (double)(st.rows_all * st.band.channel_pitch);
  if (can_pack_rows(&st, geo)) read += (double)geo->n * (double)(st.rows_all * geo->p);
  if (st.lanes_strided) read += (double)geo->n * (double)(st.lanes_all * geo->p * cb_min(geo->axis[2].stride, LINE));
  double work[CB_WORK_KINDS] = {[CB_WORK_MAC] = pixels * weights * filled,
                                [CB_WORK_STORE] = weights * filled,
                                [CB_WORK_READ] = read,
                                [CB_WORK_CALLS] = (double)geo->n * (double)geo->g,
                                [CB_WORK_ONCE] = 1};
  return cb_cost(inputs ? CB_COST_INPUTS : CB_COST_WEIGHTS, problem, work);
}

/* Brings the places of the taps into the order (tap, channel), and finds the outputs that all taps reach. */
static cnnblas_status order_by_taps(cb_dw *st)
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

cnnblas_status cb_dw_prepare(cnnblas_conv_plan *plan, bool inputs)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  size_t bytes = sizeof(cb_dw) + (size_t)cb_max(geo->q, geo->kg) * sizeof(int32_t);
  cb_dw *st = cb_alloc_zeroed(bytes);
  if (!st) return cb_fail_memory(bytes, "the plan's walk tables");
  plan->state = st;
  st->swapped = inputs;
  t->thread_bytes = size_state(st, t, &plan->problem, plan->team);
  t->p_tile = st->band.pixels;
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
