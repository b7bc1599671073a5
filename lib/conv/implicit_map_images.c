/*
 * implicit_gemm, forward and input gradient, with images on the lanes: for small images in batches.
 *
 *     sums[output][pixel][image] = sum over steps (channel, tap) of  weight[output][step] *
 *                                                                           band[pixel + walk(step)][image]
 *
 * A vector of lanes is one pixel of as many images. So every vector is full whatever the sizes of planes and channels,
 * every load is a whole vector, and a tap that would read padding is not multiplied at all: the input gradient of a 5x5
 * kernel over 8x8 outputs makes 44% of the products that padding would. Both sides are transposed, which costs little
 * where a pixel meets many weights.
 *
 *     for each job: a vector of images, some output rows, some outputs
 *       band = the rows of the source that they read, transposed: [channel][d][row][column][image]
 *       for each output row, each tile of up to three neighbouring columns
 *         walk = its steps, of all taps that one of them meets inside the image
 *         for each group of up to 9 outputs, each chunk: kernel, into the stage [output][d][row][column][image]
 *       stage -> destination, transposed, with the epilogue
 *
 * The steps and chunks are those of the other orientations (implicit_map.c) but for the products with padding, which
 * are zeros. So an element is the same sum, and its bits do not tell how many images went with it.
 */
#include "conv/implicit_map_images.h"
#include "base/memory.h"
#include "base/status.h"
#include "conv/costs.h"
#include "conv/cuts.h"
#include <math.h>
#include <string.h>

enum {
  TILE_COLUMNS = 4,      /* the most columns of a tile; the margin of zeros has one less */
  LEAST_SUMS = 4,        /* the least sums that keep the multiply-adders busy */
  JOB_BYTES = 704 << 10, /* bytes of a job's band and stage, which share an L2 cache with the weights */
  READ_CYCLES = 9,       /* cycles that transposing a vector of the source takes */
  KERNEL_STEPS = 64      /* multiply-adds that take as long as a call of a kernel */
};

cb_taps cb_map_images_taps(const cb_gather_axis *a, int64_t first, int64_t count)
{
  cb_taps all = {0, 0};
  for (int64_t o = first; o < first + count; o++) {
    cb_taps own;
    cb_taps_of_output(a, o, &own.lo, &own.hi);
    if (own.lo == own.hi) continue;
    all = all.lo == all.hi ? own : (cb_taps){cb_min(all.lo, own.lo), cb_max(all.hi, own.hi)};
  }
  return all;
}

/* The time, in multiply-adds, of a step of all outputs with `count` columns: kernels of few sums wait for these. *calls
   becomes the number of kernel calls. */
static double step_of(const cb_map_images *st, int64_t count, int64_t *calls)
{
  *calls = cb_parts(st->outputs, st->engine->rows[count]);
  return (double)*calls * (double)cb_max(cb_ceil_div(st->outputs, *calls) * count, LEAST_SUMS);
}

/* Cuts a row into tiles: width[i] columns of tile i. Of all cuts it takes the one with least work: wide tiles
   multiply with zeros at the edges, narrow tiles are many. Returns that work for one image of a vector, in
   multiply-adds. */
static double cut_row(cb_map_images *st)
{
  const cb_gather_axis *a = st->gather.axis;
  const int64_t steps = st->gather.channels * a[0].taps * a[1].taps;
  double best[CB_MAP_COLUMNS + 1] = {0};
  uint8_t last[CB_MAP_COLUMNS + 1] = {0};
  for (int64_t end = 1; end <= a[2].outs; end++)
    for (int64_t count = 1; count <= cb_min(end, TILE_COLUMNS); count++) {
      if (!st->engine->rows[count]) continue;
      cb_taps taps = cb_map_images_taps(&a[2], end - count, count);
      int64_t calls;
      double work = step_of(st, count, &calls) * (double)((taps.hi - taps.lo) * steps);
      double cost = best[end - count] + work + (double)(KERNEL_STEPS * calls);
      if (last[end] && cost >= best[end]) continue;
      best[end] = cost;
      last[end] = (uint8_t)count;
    }
  for (int64_t end = a[2].outs; end > 0; end -= last[end]) st->tiles++;
  for (int64_t end = a[2].outs, i = st->tiles; end > 0; end -= last[end]) st->width[--i] = last[end];
  return best[a[2].outs];
}

void cb_map_images_rows(const cb_gather_axis *a, int64_t first, int64_t count, int64_t *lo, int64_t *hi)
{
  int64_t end = a->off0 + (a->taps - 1) * a->off_step, least = cb_min(a->off0, end), most = cb_max(a->off0, end);
  *lo = cb_max(0, first + least);
  *hi = cb_max(*lo, cb_min(a->in, first + count + most));
}

/* Lays out bands and stages of `rows` output rows. Returns the bytes of a band and a stage. */
static int64_t lay_out(cb_map_images *st, int64_t rows, int64_t outputs, size_t element)
{
  const cb_gather_axis *a = st->gather.axis;
  int64_t lanes = st->engine->lanes, read = 0;
  for (int64_t first = 0; first < a[1].outs; first += rows) {
    int64_t lo, hi;
    cb_map_images_rows(&a[1], first, cb_min(rows, a[1].outs - first), &lo, &hi);
    read = cb_max(read, hi - lo);
  }
  st->rows = rows;
  st->row_pitch = (a[2].in + 2 * st->margin) * lanes;
  st->plane_pitch = read * st->row_pitch;
  st->channel_pitch = a[0].in * st->plane_pitch;
  st->stage_plane = a[0].outs * rows * a[2].outs * lanes;
  st->stage_at = cb_aligned_size((size_t)(st->gather.channels * st->channel_pitch) * element);
  return (int64_t)st->stage_at + outputs * st->stage_plane * (int64_t)element;
}

/* Why images on the lanes cannot do the problem or never pay, or NULL: there must be images enough for the lanes, and
   taps that meet a pixel often enough to pay for transposing it. */
static const char *why_unsuited(const cb_problem *problem, const cb_engine *engine)
{
  const cb_geometry *geo = &problem->geo;
  bool forward = problem->direction == CNNBLAS_FORWARD;
  for (int i = 0; i < 3; i++)
    if (geo->axis[i].stride != 1) return "it is for stride 1";
  double source = (double)(forward ? geo->cg : geo->kg) * (double)(forward ? geo->image : geo->p) * 64;
  double weights = (double)geo->kg * (double)geo->q;
  if (source >= 1e8 || weights >= 1e8)
    return "an image or the weights are too large"; /* so that the sizes below are small numbers */
  return cb_implicit_too_few(geo, engine);
}

/* Shares the work out among a team, in bands of at most `rows` output rows and groups of outputs, in the fastest way by
   estimate. Each group transposes its rows anew, in READ_CYCLES a vector. */
static void share_out(cb_map_images *st, const cb_geometry *geo, int64_t rows, int threads)
{
  const cb_gather_axis *a = st->gather.axis;
  const int64_t images = cb_ceil_div(geo->n, st->engine->lanes) * geo->g, reach = a[1].taps - 1;
  const double multiply = (double)images * st->work * (double)(a[0].outs * a[1].outs);
  const double plane = (double)(images * st->gather.channels * a[0].in * a[2].in) * READ_CYCLES;
  double least = HUGE_VAL;
  int64_t best[2] = {cb_parts(a[1].outs, rows), 1};
  for (int64_t bands = best[0]; bands <= a[1].outs; bands = cb_next_parts(a[1].outs, bands))
    for (int64_t groups = 1; groups <= cb_parts(st->outputs, CB_MAP_LEAST_OUTPUTS); groups++) {
      int64_t each = cb_ceil_div(a[1].outs, bands), outputs = cb_ceil_div(st->outputs, groups);
      double read = plane * (double)(groups * bands * cb_min(each + reach, a[1].in));
      cb_cut cut = {.total = multiply + read, .jobs = images * bands * groups};
      cut.largest = multiply / (double)images * (double)(each * outputs) / (double)(a[1].outs * st->outputs) +
                    read / (double)cut.jobs;
      if (least < HUGE_VAL && !cb_cut_worthwhile(&cut)) break;
      double time = cb_cut_time(&cut, threads);
      if (time >= least) continue;
      least = time;
      best[0] = bands, best[1] = groups;
    }
  st->rows = cb_ceil_div(a[1].outs, best[0]);
  st->bands = cb_ceil_div(a[1].outs, st->rows);
  st->output_groups = best[1];
}

/* Makes everything of the state that does not need the tables. Returns why the algorithm does not apply, or NULL. */
static const char *plan_layout(cb_map_images *st, const cb_problem *problem, int threads)
{
  const cb_geometry *geo = &problem->geo;
  bool forward = problem->direction == CNNBLAS_FORWARD;
  *st = (cb_map_images){.engine = cb_engine_get(geo->dtype)};
  const char *why = why_unsuited(problem, st->engine);
  if (why) return why;
  cb_gather_map(&st->gather, geo, forward, 0);
  const cb_gather_axis *a = st->gather.axis;
  if (a[2].outs > CB_MAP_COLUMNS || st->gather.q == 0) return "a row is too wide";
  st->outputs = forward ? geo->kg : geo->cg;
  st->rule = cb_implicit_chains(problem);
  st->chunks = cb_chain_count(&st->rule, &st->gather);
  st->source_plane = a[0].in * a[1].in * a[2].in;
  st->dest_plane = a[0].outs * a[1].outs * a[2].outs;
  st->source_image = (forward ? geo->c : geo->k) * st->source_plane;
  st->dest_image = (forward ? geo->k : geo->c) * st->dest_plane;
  for (int64_t o = 0; o < a[2].outs; o++) {
    cb_taps inside = cb_map_images_taps(&a[2], o, 1);
    if (inside.hi - inside.lo < a[2].taps) st->margin = TILE_COLUMNS - 1;
  }
  st->work = cut_row(st);
  int64_t rows = a[1].outs;
  while (rows > 1 && lay_out(st, rows, st->outputs, geo->element) > JOB_BYTES) rows--;
  share_out(st, geo, rows, threads);
  int64_t bytes = lay_out(st, st->rows, cb_ceil_div(st->outputs, st->output_groups), geo->element);
  st->walk_at = cb_aligned_size((size_t)bytes);
  st->bytes = cb_aligned_size(st->walk_at + (size_t)(2 * st->gather.q + st->chunks + 1) * sizeof(int32_t)) + CB_ALIGN;
  return bytes <= 2 * JOB_BYTES && st->bytes + CB_ALIGN <= problem->budget ? NULL : CB_IMAGES_NO_ROOM;
}

/* The share of the taps of an axis, from 0 to 1, that its outputs meet inside the source on average. */
static double taps_met(const cb_gather_axis *a)
{
  double sum = 0;
  for (int64_t o = 0; o < a->outs; o++) {
    cb_taps inside = cb_map_images_taps(a, o, 1);
    sum += (double)(inside.hi - inside.lo);
  }
  return sum / (double)(a->taps * a->outs);
}

const char *cb_map_images_why_not(const cb_problem *problem)
{
  cb_map_images st;
  return plan_layout(&st, problem, 1); /* the largest jobs: whether it applies may not follow the threads */
}

double cb_map_images_cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  cb_map_images st;
  plan_layout(&st, problem, 1);
  const cb_gather_axis *a = st.gather.axis;
  double images = (double)(cb_round_up(geo->n, st.engine->lanes) * geo->g);
  double work[CB_WORK_KINDS] = {[CB_WORK_MAC] = images * st.work * (double)(a[0].outs * a[1].outs) * taps_met(&a[0]) *
                                                taps_met(&a[1]),
                                [CB_WORK_STORE] = images * (double)(st.dest_plane * st.outputs),
                                [CB_WORK_READ] = images * (double)(st.source_plane * st.gather.channels),
                                [CB_WORK_ONCE] = 1};
  return cb_cost(CB_COST_BATCH, problem, work);
}

cnnblas_status cb_map_images_prepare(cnnblas_conv_plan *plan)
{
  const cb_problem *problem = &plan->problem;
  const cb_geometry *geo = &problem->geo;
  bool forward = problem->direction == CNNBLAS_FORWARD;
  cb_map_images draft;
  plan_layout(&draft, problem, plan->team);
  size_t bytes = sizeof draft + (size_t)draft.gather.taps * sizeof(int32_t);
  cb_map_images *st = cb_alloc_zeroed(bytes);
  if (!st) return cb_fail_memory(bytes, "the plan's weight offsets");
  *st = draft;
  plan->state = st;
  st->weight_output = forward ? geo->q : geo->taps;
  st->weight_channel = forward ? geo->taps : geo->q;
  for (int64_t t = 0; t < st->gather.taps; t++) st->weight_tap[t] = (int32_t)cb_gather_tap(&st->gather, geo, t);
  for (int i = 0; i < CB_MAX_ROWS; i++) st->row[i] = (int32_t)(i * st->weight_output);
  cb_tiling *t = &plan->tiling;
  t->thread_bytes = st->bytes;
  t->p_tile = st->width[0];
  t->k_tile = cb_min(st->outputs, st->engine->rows[st->width[0]]);
  t->q_tile = st->rule.most;
  t->tasks = cb_ceil_div(geo->n, st->engine->lanes) * st->bands * geo->g * st->output_groups;
  return CNNBLAS_OK;
}
