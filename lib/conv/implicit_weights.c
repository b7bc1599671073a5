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
 *           for each chunk of at most 256 pixels       fresh sums, added to the job's
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
#include "conv/implicit_weights.h"
#include "base/memory.h"
#include "base/status.h"
#include "conv/costs.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
  TARGET_JOBS = 8,
  LEAST_ROWS = 28,         /* channels on the rows of a job, if they are shared out */
  FAR_BYTES = 12 << 20,    /* of an operand: more is not in the caches when it is read again */
  PARTIAL_BYTES = 2 << 20, /* of all segments' partial results */
  FEW_PIXELS = 128,        /* of all images: so few that storing the sums is what costs */
  LEAST_CYCLES = 6,        /* a step takes, however few its rows */
  MOST_TAPS = 49,          /* of a filter's channel, for tiles of one tap */
};

cb_box cb_weights_reach(const cb_gather *gather, int64_t t)
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
static bool prefer_taps(const cb_weights *st, int64_t channels)
{
  const cb_gather *gather = &st->gather;
  const cb_gather_axis *a = gather->axis;
  if (st->swapped || gather->taps == 1 || gather->taps > MOST_TAPS) return false;
  int64_t most = st->engine->rows[CB_PANEL_VECTORS], each = cb_parts(channels, most),
          all = cb_parts(channels * gather->taps, most);
  double reached = 0, pixels = (double)(a[0].outs * a[1].outs * a[2].outs);
  for (int64_t t = 0; t < gather->taps; t++) {
    cb_box box = cb_weights_reach(gather, t);
    reached += (double)(box.count[0] * box.count[1] * box.count[2]) / pixels;
  }
  double rows_each = (double)channels / (double)each, rows_all = (double)(channels * gather->taps) / (double)all;
  double by_taps = reached * (double)each * fmax(CB_PANEL_VECTORS * rows_each, LEAST_CYCLES);
  return by_taps < 0.99 * (double)all * fmax(CB_PANEL_VECTORS * rows_all, LEAST_CYCLES);
}

/* About the cycles that an element of an operand of so many takes to come from where it is: memory, or a cache. */
static double reading(const cb_geometry *geo, double elements)
{
  return elements * (double)geo->g * (double)geo->element > FAR_BYTES ? 1.2 : 0.1;
}

/* Shares the work of one group of channels out among at least `wanted` jobs, in panels, channels and segments of the pixels,
   at most so many of those: what is done again costs least. About the cycles of one element: 0.35 in a band, which each
   part of the panels fills, or 0.6 if some are left out; 1 in lanes, which each part of the channels packs; 2 in a segment's
   partial result; and tiles of few rows lose a part of the multiplication's 1/16. */
static int64_t share_out(cb_weights *st, const cb_geometry *geo, int64_t wanted, int64_t segments)
{
  const double pixels = (double)geo->n * (double)geo->p, weights = (double)geo->kg * (double)geo->q;
  const double each = cb_geometry_is_pointwise(geo) ? 0 : geo->axis[2].stride > 1 ? 0.6 : 0.35;
  const double rows_all = (double)st->rows_each * pixels, lanes_all = (double)st->lanes_each * pixels;
  const double band = (each + reading(geo, rows_all)) * rows_all, lanes = (1 + reading(geo, lanes_all)) * lanes_all;
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
static size_t size_state(cb_weights *st, cb_tiling *t, const cb_problem *problem)
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
  size_t walks = (size_t)st->gather.taps * (sizeof(cb_tap_walk) + 2 * (size_t)st->band.pixels * sizeof(int32_t));
  st->sums_at = st->walks_at + (st->by_taps ? cb_aligned_size(walks) : 0);
  size_t room = problem->budget / 2;
  int64_t holds = room > st->sums_at ? (int64_t)((room - st->sums_at) / st->sums_bytes) : 0;
  st->group_panels = cb_max(1, cb_min(st->group_panels, holds));
  st->panel_groups = cb_max(st->panel_groups, cb_ceil_div(st->panels, st->group_panels));
  return st->sums_at + (size_t)st->group_panels * st->sums_bytes;
}

bool cb_weights_apply(const cb_problem *problem, char *why, size_t size)
{
  cb_weights st;
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
  cb_weights st;
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
static cnnblas_status order_by_taps(cb_weights *st)
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

cnnblas_status cb_weights_prepare(cnnblas_conv_plan *plan)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  size_t bytes = sizeof(cb_weights) + (size_t)cb_max(geo->q, geo->kg) * sizeof(int32_t);
  cb_weights *st = cb_alloc_zeroed(bytes);
  if (!st) return cb_fail_memory(bytes, "the plan's walk tables");
  plan->state = st;
  st->head.run = cb_weights_run;
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
