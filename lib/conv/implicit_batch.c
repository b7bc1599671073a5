/*
 * implicit_gemm, forward and input gradient, with images on the lanes: for small images in batches.
 *
 *     sums[output][pixel][image] = sum over steps (channel, tap) of  weight[output][step] * band[pixel + walk(step)][image]
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
 * The steps and chunks are those of the other orientations (implicit_images.c) but for the products with padding, which
 * are zeros. So an element is the same sum, and its bits do not tell how many images went with it.
 */
#include "conv/implicit_batch.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/status.h"
#include "conv/costs.h"
#include "conv/cuts.h"
#include <math.h>
#include <string.h>

enum {
  TILE_COLUMNS = 4,         /* most columns of a tile; their margin of zeros is one less */
  LEAST_SUMS = 4,           /* that keep the multiply-adders busy */
  WEIGHT_BYTES = 192 << 10, /* of the outputs that go over the band at once: their weights stay in L2 */
  JOB_BYTES = 704 << 10,    /* of a job's band and stage: they share an L2 cache with the weights */
  LEAST_OUTPUTS = 8,        /* a job has at least these, if outputs are shared out */
  READ_CYCLES = 9,          /* that transposing a vector of the source takes */
  KERNEL_STEPS = 64         /* multiply-adds that a call of a kernel costs in time */
};

/* Taps [lo, hi) of the axis that output o meets inside the source. */
typedef struct {
  int64_t lo, hi;
} tap_range;

static tap_range taps_inside(const cb_gather_axis *a, int64_t o)
{
  tap_range range = {a->taps, 0};
  for (int64_t t = 0; t < a->taps; t++) {
    int64_t i = o + a->off0 + t * a->off_step;
    if (i < 0 || i >= a->in) continue;
    range.lo = cb_min(range.lo, t);
    range.hi = t + 1;
  }
  if (range.hi <= range.lo) range = (tap_range){0, 0};
  return range;
}

static tap_range unite(tap_range a, tap_range b)
{
  if (a.lo == a.hi) return b;
  if (b.lo == b.hi) return a;
  return (tap_range){cb_min(a.lo, b.lo), cb_max(a.hi, b.hi)};
}

/* Taps that any of columns [first, first + count) meets. */
static tap_range taps_of_tile(const cb_gather *gather, int64_t first, int64_t count)
{
  tap_range range = {0, 0};
  for (int64_t i = 0; i < count; i++) range = unite(range, taps_inside(&gather->axis[2], first + i));
  return range;
}

/* Multiply-adds, in time, of a step of all outputs with `count` columns: kernels of few sums wait for their own. */
static double step_of(const cb_batch *st, int64_t count, int64_t *calls)
{
  *calls = cb_parts(st->outputs, st->engine->rows[count]);
  return (double)*calls * (double)cb_max(cb_ceil_div(st->outputs, *calls) * count, LEAST_SUMS);
}

/* Cuts a row into tiles: width[i] columns of tile i. Of all cuts the one with least work, where tiles that are wide
   multiply with zeros at the edges and tiles that are narrow are many. Returns that work for one image of a vector, in
   multiply-adds. */
static double cut_row(cb_batch *st)
{
  const cb_gather_axis *a = st->gather.axis;
  const int64_t steps = st->gather.channels * a[0].taps * a[1].taps;
  double best[CB_BATCH_COLUMNS + 1] = {0};
  uint8_t last[CB_BATCH_COLUMNS + 1] = {0};
  for (int64_t end = 1; end <= a[2].outs; end++)
    for (int64_t count = 1; count <= cb_min(end, TILE_COLUMNS); count++) {
      if (!st->engine->rows[count]) continue;
      tap_range taps = taps_of_tile(&st->gather, end - count, count);
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

/* The band's rows for output rows [first, first + count): source positions on axis 1. */
static void rows_read(const cb_gather_axis *a, int64_t first, int64_t count, int64_t *lo, int64_t *hi)
{
  int64_t end = a->off0 + (a->taps - 1) * a->off_step, least = cb_min(a->off0, end), most = cb_max(a->off0, end);
  *lo = cb_max(0, first + least);
  *hi = cb_max(*lo, cb_min(a->in, first + count + most));
}

/* Chunks of all steps. */
static int64_t chunks_of(const cb_batch *st)
{
  return cb_parts(st->gather.q, st->chunk);
}

/* Lays out bands and stages of `rows` output rows; their bytes. */
static int64_t lay_out(cb_batch *st, int64_t rows, int64_t outputs, size_t element)
{
  const cb_gather_axis *a = st->gather.axis;
  int64_t lanes = st->engine->lanes, read = 0;
  for (int64_t first = 0; first < a[1].outs; first += rows) {
    int64_t lo, hi;
    rows_read(&a[1], first, cb_min(rows, a[1].outs - first), &lo, &hi);
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

const char *cb_batch_too_few(const cb_geometry *geo, const cb_engine *engine)
{
  if (geo->taps == 1) return "a tap meets each pixel only once, which does not pay for transposing it";
  return geo->n * 4 < 3 * (int64_t)engine->lanes ? "the images do not fill three quarters of a vector's lanes" : NULL;
}

/* Why it cannot be or never pays, or NULL: there must be images enough for the lanes, and taps that meet a pixel often enough to
   pay for transposing it. */
static const char *why_unsuited(const cb_problem *problem, const cb_engine *engine)
{
  const cb_geometry *geo = &problem->geo;
  bool forward = problem->direction == CNNBLAS_FORWARD;
  for (int i = 0; i < 3; i++)
    if (geo->axis[i].stride != 1) return "it is for stride 1";
  double source = (double)(forward ? geo->cg : geo->kg) * (double)(forward ? geo->image : geo->p) * 64;
  double weights = (double)geo->kg * (double)geo->q;
  if (source >= 1e8 || weights >= 1e8)
    return "an image or the weights are too large"; /* sizes below are small numbers */
  return cb_batch_too_few(geo, engine);
}

/* Shares the work out among a team, in bands of at most so many output rows and groups of outputs: the fastest way by
   estimate. Each group transposes its rows anew, in READ_CYCLES a vector. */
static void share_out(cb_batch *st, const cb_geometry *geo, int64_t rows, int threads)
{
  const cb_gather_axis *a = st->gather.axis;
  const int64_t images = cb_ceil_div(geo->n, st->engine->lanes) * geo->g, reach = a[1].taps - 1;
  const double multiply = (double)images * st->work * (double)(a[0].outs * a[1].outs);
  const double plane = (double)(images * st->gather.channels * a[0].in * a[2].in) * READ_CYCLES;
  double least = HUGE_VAL;
  int64_t best[2] = {cb_parts(a[1].outs, rows), 1};
  for (int64_t bands = best[0]; bands <= a[1].outs; bands = cb_next_parts(a[1].outs, bands))
    for (int64_t groups = 1; groups <= cb_parts(st->outputs, LEAST_OUTPUTS); groups++) {
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

/* Everything that does not need the tables; why it does not apply, or NULL. */
static const char *plan_layout(cb_batch *st, const cb_problem *problem, int threads)
{
  const cb_geometry *geo = &problem->geo;
  bool forward = problem->direction == CNNBLAS_FORWARD;
  *st = (cb_batch){.engine = cb_engine_get(geo->dtype)};
  const char *why = why_unsuited(problem, st->engine);
  if (why) return why;
  if (forward)
    cb_gather_forward(&st->gather, geo);
  else
    cb_gather_phase(&st->gather, geo, 0);
  const cb_gather_axis *a = st->gather.axis;
  if (a[2].outs > CB_BATCH_COLUMNS || st->gather.q == 0) return "a row is too wide";
  st->outputs = forward ? geo->kg : geo->cg;
  st->chunk = cb_images_chunk(problem);
  st->source_plane = a[0].in * a[1].in * a[2].in;
  st->dest_plane = a[0].outs * a[1].outs * a[2].outs;
  st->source_image = (forward ? geo->c : geo->k) * st->source_plane;
  st->dest_image = (forward ? geo->k : geo->c) * st->dest_plane;
  for (int64_t o = 0; o < a[2].outs; o++) {
    tap_range inside = taps_inside(&a[2], o);
    if (inside.hi - inside.lo < a[2].taps) st->margin = TILE_COLUMNS - 1;
  }
  st->work = cut_row(st);
  int64_t rows = a[1].outs;
  while (rows > 1 && lay_out(st, rows, st->outputs, geo->element) > JOB_BYTES) rows--;
  share_out(st, geo, rows, threads);
  int64_t bytes = lay_out(st, st->rows, cb_ceil_div(st->outputs, st->output_groups), geo->element);
  st->walk_at = cb_aligned_size((size_t)bytes);
  st->bytes = st->walk_at + (size_t)(2 * st->gather.q + chunks_of(st) + 1) * sizeof(int32_t) + CB_ALIGN;
  return bytes <= 2 * JOB_BYTES && st->bytes + CB_ALIGN <= problem->budget ? NULL : CB_BATCH_NO_ROOM;
}

/* The part of the taps of an axis that its outputs meet. */
static double taps_met(const cb_gather_axis *a)
{
  double sum = 0;
  for (int64_t o = 0; o < a->outs; o++) {
    tap_range inside = taps_inside(a, o);
    sum += (double)(inside.hi - inside.lo);
  }
  return sum / (double)(a->taps * a->outs);
}

const char *cb_batch_why_not(const cb_problem *problem)
{
  cb_batch st;
  return plan_layout(&st, problem, 1); /* the largest jobs: whether it can may not depend on the threads */
}

double cb_batch_cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  cb_batch st;
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

cnnblas_status cb_batch_prepare(cnnblas_conv_plan *plan)
{
  const cb_problem *problem = &plan->problem;
  const cb_geometry *geo = &problem->geo;
  bool forward = problem->direction == CNNBLAS_FORWARD;
  cb_batch draft;
  plan_layout(&draft, problem, plan->team);
  size_t bytes = sizeof draft + (size_t)draft.gather.taps * sizeof(int32_t);
  cb_batch *st = cb_alloc_zeroed(bytes);
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
  t->q_tile = st->chunk;
  t->tasks = cb_ceil_div(geo->n, st->engine->lanes) * st->bands * geo->g * st->output_groups;
  return CNNBLAS_OK;
}

/* A job and its memory. */
typedef struct {
  const cb_call *call;
  const cb_batch *st;
  size_t element;
  int64_t ig, image, images;
  int64_t first, last;              /* outputs */
  int64_t row0, row1, read0, read1; /* output rows, source rows */
  char *band, *stage;
  int32_t *awalk, *bwalk, *cut;
} job;

/* The steps of a tile. */
typedef struct {
  int64_t first, last; /* outputs */
  tap_range taps[3];
  int64_t steps; /* of one channel; -1: not made yet */
  int64_t base;  /* from the tile's own place to where the walk begins */
} tile_walk;

/* Transposes the source's rows [read0, read1) into the band, with zeros in the margins. */
static void open_band(const job *j)
{
  const cb_batch *st = j->st;
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

/* How many of the walk's steps come before step q of all taps. */
static int64_t steps_before(const cb_batch *st, const tile_walk *w, int64_t q)
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

/* The steps of the taps in w, channels slowest. */
static void make_walk(const job *j, tile_walk *w)
{
  const cb_batch *st = j->st;
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
  const int64_t q = st->gather.q, chunks = chunks_of(st);
  for (int64_t i = 0; i <= chunks; i++) j->cut[i] = (int32_t)steps_before(st, w, cb_split(q, chunks, i));
}

/* The sums of the walk's outputs with `count` columns: pixels is where the walk begins, stage where the first output's go. */
static void run_tiles(const job *j, const tile_walk *w, const void *pixels, void *stage, int count)
{
  const cb_batch *st = j->st;
  const cb_geometry *geo = &j->call->plan->problem.geo;
  cb_product_run(
      &(cb_product){.engine = st->engine,
                    .element = j->element,
                    .a = cb_at(j->call->w, j->ig * geo->kg * geo->q + w->first * st->weight_output, j->element),
                    .row = st->row,
                    .a_hop = st->weight_output,
                    .b = pixels,
                    .walk = {j->awalk, j->bwalk, j->cut, chunks_of(st)},
                    .rows = w->last - w->first,
                    .vectors = count,
                    .c = stage,
                    .ldc = st->stage_plane});
}

/* The tiles of one output row with the outputs of w. The walk is made anew where the taps change. */
static void run_row(const job *j, tile_walk *w, int64_t d, int64_t h)
{
  const cb_batch *st = j->st;
  const cb_gather_axis *a = st->gather.axis;
  const int64_t lanes = st->engine->lanes;
  int64_t from = d * st->plane_pitch + (h - j->read0) * st->row_pitch + st->margin * lanes;
  int64_t to = (w->first - j->first) * st->stage_plane + (d * st->rows + h - j->row0) * a[2].outs * lanes;
  tap_range outer[2] = {taps_inside(&a[0], d), taps_inside(&a[1], h)};
  for (int64_t i = 0, o = 0; i < st->tiles; o += st->width[i++]) {
    tap_range taps = taps_of_tile(&st->gather, o, st->width[i]);
    const tap_range all[3] = {outer[0], outer[1], taps};
    if (memcmp(all, w->taps, sizeof all) != 0 || w->steps < 0) {
      memcpy(w->taps, all, sizeof all);
      make_walk(j, w);
    }
    int64_t place = w->steps ? from + o * lanes + w->base : 0;
    run_tiles(j, w, cb_at(j->band, place, j->element), cb_at_mut(j->stage, to + o * lanes, j->element), st->width[i]);
  }
}

/* The stage to the destination, an output's rows at a time. */
static void store_outputs(const job *j)
{
  const cb_call *call = j->call;
  const cb_batch *st = j->st;
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
  const cb_batch *st = call->plan->state;
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
  rows_read(&a[1], j.row0, j.row1 - j.row0, &j.read0, &j.read1);
  open_band(&j);
  int64_t parts = cb_parts((j.last - j.first) * st->gather.q * (int64_t)j.element, WEIGHT_BYTES);
  parts = cb_min(parts, cb_parts(j.last - j.first, LEAST_OUTPUTS));
  tile_walk w = {.steps = -1};
  for (int64_t i = 0; i < parts; i++) {
    w.first = j.first + cb_split(j.last - j.first, parts, i);
    w.last = j.first + cb_split(j.last - j.first, parts, i + 1);
    for (int64_t d = 0; d < a[0].outs; d++)
      for (int64_t h = j.row0; h < j.row1; h++) run_row(&j, &w, d, h);
  }
  store_outputs(&j);
}

void cb_batch_work(cb_call *call)
{
  const cb_batch *st = call->plan->state;
  int64_t blocks = cb_ceil_div(call->n, st->engine->lanes) * st->bands * call->plan->problem.geo.g;
  cb_call_add(call, blocks * st->output_groups, run_job);
}
