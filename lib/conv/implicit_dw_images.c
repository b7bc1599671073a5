/*
 * implicit_gemm, weight gradient, with images on the lanes: for small images in batches.
 *
 *     dw[filter][channel, tap] = sum over blocks of  sum over pixels, images of  dy[filter][pixel][image] *
 *                                                                        band[channel, tap, pixel][image]
 *
 * As in implicit_map_images.c a vector of lanes is one pixel of as many images, so tiny planes and few channels fill
 * it. Both operands are vectors, and a tile of 4 filters by 6 taps of them is added up over its lanes at the end
 * (gemm/dots.c).
 *
 *     for each job: a subtree of the blocks' leaves (sum_tree.h), some filters, some channels
 *       for each block of a leaf, that is a vector of images and some output rows, in order
 *         band = the rows of x that they read, padded and transposed: [channel][d][row][column][image]
 *         dy transposed: [filter][pixel][image]
 *         for each 6 taps, each 4 filters: kernel, added to the leaf's sums
 *
 * Blocks and leaves follow the shape and the workspace; which subtrees, filters and channels a job has follows the
 * team.
 */
#include "base/memory.h"
#include "base/status.h"
#include "conv/costs.h"
#include "conv/cuts.h"
#include "conv/implicit_dw.h"
#include "conv/sum_tree.h"
#include <math.h>
#include <string.h>

enum {
  BLOCK_BYTES = 704 << 10, /* the most bytes of a block's two operands, which share an L2 cache */
  BLOCK_STEPS = 200,       /* about the most pixels of a block, which is one chain of sums */
  LANE_STEPS = 16,         /* steps that take as long as adding up a tile's lanes */
  MOST_LEAVES = 256,
  LEAF_PIXELS = 256,      /* the least pixels of a leaf, in all its images */
  SHARED_BYTES = 8 << 20, /* the most bytes of the subtrees' partial results that a call joins at the end */
  SHARED_EACH = 2 << 20,  /* the most bytes of them a thread, so that its 4 MiB hold its scratch too */
  SLOT_BYTES = 1 << 20,   /* the most bytes of the partial results that a thread holds, unless one alone is larger */
  LEAST_FILTERS = 8       /* the least filters of a job, if filters are shared out */
};

/* The state of a plan. Names in _at are byte offsets in a thread's scratch, behind the band; pitches are in
   elements. */
typedef struct {
  const cb_engine *engine;
  cb_gather gather;            /* the forward's gather */
  int64_t low[3];              /* the first position that any output reads, on each axis; negative in the padding */
  int64_t reach[3];            /* source positions that an output reads on each axis, from the first to the last */
  int64_t rows, bands, blocks; /* output rows of a block; blocks of an image; blocks of the plan */
  int64_t leaves;              /* leaves of the tree in which the blocks are summed */
  int64_t filter_groups, channel_groups; /* parts of the filters and of the channels: jobs that share a subtree */
  int64_t row_pitch, plane_pitch, channel_pitch; /* elements from one row, plane, channel of a band to the next */
  int64_t dy_pitch;                              /* elements from one filter of the transposed dy to the next */
  size_t dy_at, walk_at, sums_at;                /* the transposed dy, the walk over pixels, the sums */
  size_t slot_bytes;                             /* bytes of a partial result, [filters][channels, taps] */
  size_t bytes;                                  /* bytes of a thread's scratch */
  int32_t col[];                                 /* [q] element of the band where tap (channel, d, r, s) lies */
} state;

/* Lays out blocks of `rows` output rows for jobs of a part of the filters and channels. Returns the bytes of a block's
   operands. */
static int64_t lay_out(state *st, const cb_geometry *geo, int64_t rows)
{
  const cb_gather_axis *a = st->gather.axis;
  int64_t lanes = st->engine->lanes, element = (int64_t)geo->element;
  int64_t filters = cb_ceil_div(geo->kg, st->filter_groups), channels = cb_ceil_div(geo->cg, st->channel_groups);
  st->rows = rows;
  st->row_pitch = ((a[2].outs - 1) * a[2].stride + st->reach[2]) * lanes;
  st->plane_pitch = ((rows - 1) * a[1].stride + st->reach[1]) * st->row_pitch;
  st->channel_pitch = ((a[0].outs - 1) * a[0].stride + st->reach[0]) * st->plane_pitch;
  st->dy_pitch = a[0].outs * rows * a[2].outs * lanes;
  st->dy_at = cb_aligned_size((size_t)(channels * st->channel_pitch * element));
  st->walk_at = st->dy_at + cb_aligned_size((size_t)(filters * st->dy_pitch * element));
  st->sums_at = st->walk_at + cb_aligned_size((size_t)(a[0].outs * rows * a[2].outs) * sizeof(int32_t));
  st->slot_bytes = cb_aligned_size((size_t)(filters * channels * geo->taps * element));
  return (int64_t)st->walk_at;
}

/* Cuts pixels into blocks and blocks into leaves: by the shape and the workspace alone, since these order the sums. */
static void cut_pixels(state *st, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  const cb_gather_axis *a = st->gather.axis;
  st->filter_groups = st->channel_groups = 1;
  int64_t rows = cb_min(a[1].outs, cb_max(1, BLOCK_STEPS / (a[0].outs * a[2].outs)));
  while (rows > 1 && lay_out(st, geo, rows) > BLOCK_BYTES) rows--;
  st->rows = cb_ceil_div(a[1].outs, cb_parts(a[1].outs, rows)); /* evens the blocks out */
  st->bands = cb_ceil_div(a[1].outs, st->rows);
  st->blocks = cb_ceil_div(geo->n, st->engine->lanes) * st->bands;
  int64_t bytes = geo->k * geo->q * (int64_t)geo->element;
  int64_t fit = (problem->limited ? (int64_t)problem->budget / 4 : SHARED_BYTES) / bytes;
  int64_t worth = geo->n * geo->p / LEAF_PIXELS;
  st->leaves = cb_power_of_two(cb_min(cb_min(st->blocks, worth), cb_min(fit, MOST_LEAVES)));
}

/* Shares the work out among a team, of all ways that fit the workspace the fastest by estimate. False if none fits. */
static bool share_out(state *st, cb_tiling *t, const cb_problem *problem, int threads)
{
  const cb_geometry *geo = &problem->geo;
  const int64_t bytes = geo->k * geo->q * (int64_t)geo->element, rows = st->rows;
  const double images = (double)cb_round_up(geo->n, st->engine->lanes), weights = (double)geo->kg * (double)geo->q;
  const int64_t shared = cb_min(SHARED_BYTES, (int64_t)SHARED_EACH * threads);
  double least = HUGE_VAL;
  int64_t best[3] = {0};
  for (int64_t s = 1; s <= st->leaves; s *= 2) {
    if (s > 1 && (threads == 1 || problem->limited || s * bytes > shared)) break;
    for (int64_t f = 1; f <= cb_parts(geo->kg, LEAST_FILTERS); f = cb_next_parts(geo->kg, f))
      for (int64_t c = 1; c <= geo->cg; c = cb_next_parts(geo->cg, c)) {
        st->filter_groups = f;
        st->channel_groups = c;
        int64_t operands = lay_out(st, geo, rows);
        size_t held = (size_t)cb_tree_slots(st->leaves / s) * st->slot_bytes;
        bool fits = operands <= 2 * BLOCK_BYTES && (held <= SLOT_BYTES || held == st->slot_bytes) &&
                    st->sums_at + held + CB_ALIGN <= (s > 1 ? problem->budget / 2 : problem->budget);
        double band = (double)(st->bands * geo->cg * st->channel_pitch) / (double)st->engine->lanes;
        double total = images * ((double)geo->p * weights / st->engine->lanes + (double)f * band +
                                 (double)(c * geo->kg * geo->p)) +
                       (s > 1 ? 2 * (double)s * weights : 0);
        double part = (double)cb_ceil_div(geo->kg, f) * (double)cb_ceil_div(geo->cg, c) / (double)(geo->kg * geo->cg);
        const cb_cut cut = {total * (double)geo->g, total * part / (double)s, f * c * s * geo->g};
        if (!fits || (best[0] && !cb_cut_worthwhile(&cut))) continue;
        double time = cb_cut_time(&cut, threads) + (s > 1 ? cb_barrier_cycles(threads) : 0);
        if (time >= least) continue;
        least = time;
        best[0] = f, best[1] = c, best[2] = s;
      }
  }
  if (!best[0]) return false;
  st->filter_groups = best[0];
  st->channel_groups = best[1];
  lay_out(st, geo, rows);
  t->segments = best[2];
  t->leaves = st->leaves;
  t->shared_bytes = t->segments > 1 ? cb_aligned_size((size_t)(t->segments * bytes)) : 0;
  st->bytes = st->sums_at + (size_t)cb_tree_slots(st->leaves / t->segments) * st->slot_bytes;
  return true;
}

/* Makes everything of the state but the table col. Returns why the algorithm does not apply, or NULL. */
static const char *plan_layout(state *st, cb_tiling *t, const cb_problem *problem, int threads)
{
  const cb_geometry *geo = &problem->geo;
  *st = (state){.engine = cb_engine_get(geo->dtype)};
  const char *why = cb_implicit_too_few(geo, st->engine);
  if (why) return why;
  cb_gather_forward(&st->gather, geo);
  const cb_gather_axis *a = st->gather.axis;
  double band = (double)geo->cg * 64;
  for (int i = 0; i < 3; i++) {
    int64_t end = a[i].off0 + (a[i].taps - 1) * a[i].off_step;
    st->low[i] = cb_min(a[i].off0, end);
    st->reach[i] = cb_max(a[i].off0, end) - st->low[i] + 1;
    band *= (double)((a[i].outs - 1) * a[i].stride + st->reach[i]);
  }
  if (band > 1e8 || (double)geo->k * (double)geo->p > 1e7 || (double)geo->k * (double)geo->q > 1e8)
    return "an image or the weights are too large";
  cut_pixels(st, problem);
  return share_out(st, t, problem, threads) ? NULL : CB_IMAGES_NO_ROOM;
}

const char *cb_dw_images_why_not(const cb_problem *problem)
{
  state st;
  cb_tiling t = {0};
  return plan_layout(&st, &t, problem, 1); /* whether it applies may not depend on the threads */
}

double cb_dw_images_cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  state st;
  cb_tiling t = {0};
  plan_layout(&st, &t, problem, 1);
  int64_t rows = st.engine->dots_rows, columns = st.engine->dots_columns, lanes = st.engine->lanes,
          filters = cb_ceil_div(geo->kg, st.filter_groups);
  double images = (double)(cb_round_up(geo->n, lanes) * geo->g), groups = (double)st.filter_groups;
  double calls = groups * (double)(cb_parts(filters, rows) * cb_parts(geo->q, columns));
  double sums = calls * (double)(cb_min(cb_ceil_div(filters, cb_parts(filters, rows)), rows) * columns);
  double steps = (double)geo->p + (double)(LANE_STEPS * st.bands);
  double work[CB_WORK_KINDS] = {[CB_WORK_MAC] = images * steps * sums,
                                [CB_WORK_READ] =
                                    images * ((double)(geo->kg * geo->p) +
                                              groups * (double)(st.bands * geo->cg * st.channel_pitch) / (double)lanes),
                                [CB_WORK_STORE] = (double)(geo->k * geo->q),
                                [CB_WORK_ONCE] = 1};
  return cb_cost(CB_COST_BATCH, problem, work);
}

cnnblas_status cb_dw_images_prepare(cnnblas_conv_plan *plan)
{
  const cb_geometry *geo = &plan->problem.geo;
  cb_tiling *t = &plan->tiling;
  size_t bytes = sizeof(state) + (size_t)geo->q * sizeof(int32_t);
  state *st = cb_alloc_zeroed(bytes);
  if (!st) return cb_fail_memory(bytes, "the plan's table of taps");
  plan->state = st;
  plan_layout(st, t, &plan->problem, plan->team);
  const cb_gather_axis *a = st->gather.axis;
  for (int64_t q = 0; q < geo->q; q++) {
    int64_t at[3];
    cb_tap_coords(geo, q % geo->taps, at);
    for (int i = 0; i < 3; i++) at[i] = a[i].off0 + at[i] * a[i].off_step - st->low[i];
    st->col[q] = (int32_t)(q / geo->taps * st->channel_pitch + at[0] * st->plane_pitch + at[1] * st->row_pitch +
                           at[2] * st->engine->lanes);
  }
  t->thread_bytes = st->bytes;
  t->p_tile = st->rows * a[2].outs;
  t->q_tile = st->engine->dots_columns;
  t->k_tile = st->engine->dots_rows;
  t->tasks = t->segments * geo->g * st->channel_groups * st->filter_groups;
  return CNNBLAS_OK;
}

typedef struct {
  const cb_call *call;
  const state *st;
  int64_t leaves;             /* leaves of the call's tree */
  int64_t ig, first, last;    /* the group, and its filters [first, last) */
  int64_t channel0, channel1; /* input channels [channel0, channel1) of the group */
  char *band, *dy, *sums;
  int32_t *walk;
} job;

/* One block: its first image, how many images; its first output row, how many rows. */
typedef struct {
  int64_t image, images, row0, rows;
} block;

/* Transposes the rows of x that the block reads, with zeros around them. */
static void open_band(const job *j, const block *b)
{
  const cb_geometry *geo = &j->call->plan->problem.geo;
  const state *st = j->st;
  const cb_gather_axis *a = st->gather.axis;
  const int64_t lanes = st->engine->lanes, image = geo->c * geo->image;
  const int64_t columns = st->row_pitch / lanes, depth = (a[0].outs - 1) * a[0].stride + st->reach[0];
  const int64_t height = (b->rows - 1) * a[1].stride + st->reach[1], low = b->row0 * a[1].stride + st->low[1];
  const int64_t before = cb_min(columns, cb_max(0, -st->low[2])), begin = cb_max(0, st->low[2]);
  const int64_t length = cb_max(0, cb_min(a[2].in - begin, columns - before)), after = columns - before - length;
  const char *x = cb_at(j->call->x, b->image * image + (j->ig * geo->cg + j->channel0) * geo->image, geo->element);
  for (int64_t c = 0; c < j->channel1 - j->channel0; c++)
    for (int64_t d = 0; d < depth; d++)
      for (int64_t h = 0; h < height; h++) {
        int64_t id = d + st->low[0], ih = h + low;
        char *to = j->band + (size_t)(c * st->channel_pitch + d * st->plane_pitch + h * st->row_pitch) * geo->element;
        bool inside = id >= 0 && id < a[0].in && ih >= 0 && ih < a[1].in && length > 0;
        if (!inside) {
          memset(to, 0, (size_t)st->row_pitch * geo->element);
          continue;
        }
        memset(to, 0, (size_t)(before * lanes) * geo->element);
        to += (size_t)(before * lanes) * geo->element;
        st->engine->pack_lanes(to, cb_at(x, ((c * a[0].in + id) * a[1].in + ih) * a[2].in + begin, geo->element), image,
                               length, b->images, lanes);
        memset(to + (size_t)(length * lanes) * geo->element, 0, (size_t)(after * lanes) * geo->element);
      }
}

/* Transposes dy of the job's filters, and makes the walk over the block's pixels. Returns the number of pixels. */
static int64_t open_pixels(const job *j, const block *b)
{
  const cb_geometry *geo = &j->call->plan->problem.geo;
  const state *st = j->st;
  const cb_gather_axis *a = st->gather.axis;
  const int64_t lanes = st->engine->lanes, image = geo->k * geo->p, plane = b->rows * a[2].outs;
  const char *dy = cb_at(j->call->dy, b->image * image + (j->ig * geo->kg + j->first) * geo->p, geo->element);
  for (int64_t k = 0; k < j->last - j->first; k++)
    for (int64_t d = 0; d < a[0].outs; d++)
      st->engine->pack_lanes(cb_at_mut(j->dy, k * st->dy_pitch + d * plane * lanes, geo->element),
                             cb_at(dy, k * geo->p + (d * a[1].outs + b->row0) * a[2].outs, geo->element), image, plane,
                             b->images, lanes);
  int64_t n = 0;
  for (int64_t d = 0; d < a[0].outs; d++)
    for (int64_t h = 0; h < b->rows; h++)
      for (int64_t w = 0; w < a[2].outs; w++)
        j->walk[n++] =
            (int32_t)(d * a[0].stride * st->plane_pitch + h * a[1].stride * st->row_pitch + w * a[2].stride * lanes);
  return n;
}

/* Adds the block's part to the sums in a slot. */
static void add_block(const job *j, const block *b, char *sums)
{
  const cb_geometry *geo = &j->call->plan->problem.geo;
  const state *st = j->st;
  const int64_t taps = (j->channel1 - j->channel0) * geo->taps;
  open_band(j, b);
  cb_dots_run(&(cb_dots_product){.engine = st->engine,
                                 .element = geo->element,
                                 .a = j->dy,
                                 .pitch = st->dy_pitch,
                                 .b = j->band,
                                 .col = st->col,
                                 .walk = j->walk,
                                 .steps = open_pixels(j, b),
                                 .rows = j->last - j->first,
                                 .columns = taps,
                                 .c = sums,
                                 .ldc = taps});
}

/* slot = the sum of the leaf's blocks, added in order. */
static void sum_leaf(void *context, int64_t leaf, int slot)
{
  const job *j = context;
  const state *st = j->st;
  char *sums = j->sums + (size_t)slot * st->slot_bytes;
  int64_t blocks = cb_ceil_div(j->call->n, st->engine->lanes) * st->bands;
  memset(sums, 0, st->slot_bytes);
  for (int64_t i = cb_split(blocks, j->leaves, leaf); i < cb_split(blocks, j->leaves, leaf + 1); i++) {
    block b = {.image = i / st->bands * st->engine->lanes, .row0 = i % st->bands * st->rows};
    b.images = cb_min(st->engine->lanes, j->call->n - b.image);
    b.rows = cb_min(st->rows, st->gather.axis[1].outs - b.row0);
    add_block(j, &b, sums);
  }
}

/* out = (or +=) the sums in a slot; pitch: elements from one filter to the next in out. */
static void store_slot(const job *j, int slot, void *out, int64_t pitch, bool add)
{
  const int64_t taps = (j->channel1 - j->channel0) * j->call->plan->problem.geo.taps;
  j->st->engine->store(&(cb_store){.c = j->sums + (size_t)slot * j->st->slot_bytes,
                                   .ldc = taps,
                                   .m = j->last - j->first,
                                   .count = taps,
                                   .out = out,
                                   .row_step = pitch,
                                   .lane_step = 1,
                                   .add = add});
}

static void join_slots(void *context, int slot)
{
  const job *j = context;
  const int64_t taps = (j->channel1 - j->channel0) * j->call->plan->problem.geo.taps;
  store_slot(j, slot + 1, j->sums + (size_t)slot * j->st->slot_bytes, taps, true);
}

/* Leaves of a call's tree: a call of fewer images than the plan's may have fewer blocks than the plan has leaves. */
static int64_t leaves_of(const cb_call *call)
{
  const state *st = call->plan->state;
  return cb_power_of_two(cb_min(st->leaves, cb_ceil_div(call->n, st->engine->lanes) * st->bands));
}

/* task = ((segment * groups + group) * channel groups + channel group) * filter groups + filter group. */
static void run_job(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_geometry *geo = &call->plan->problem.geo;
  const state *st = call->plan->state;
  int64_t part = task % st->filter_groups, channels = task / st->filter_groups % st->channel_groups;
  int64_t rest = task / st->filter_groups / st->channel_groups, ig = rest % geo->g, segment = rest / geo->g;
  int64_t leaves = leaves_of(call), segments = cb_min(leaves, call->plan->tiling.segments);
  char *scratch = cb_scratch(call, worker);
  job j = {.call = call,
           .st = st,
           .leaves = leaves,
           .ig = ig,
           .first = cb_split(geo->kg, st->filter_groups, part),
           .last = cb_split(geo->kg, st->filter_groups, part + 1),
           .channel0 = cb_split(geo->cg, st->channel_groups, channels),
           .channel1 = cb_split(geo->cg, st->channel_groups, channels + 1),
           .band = scratch,
           .dy = scratch + st->dy_at,
           .sums = scratch + st->sums_at,
           .walk = (int32_t *)(scratch + st->walk_at)};
  cb_tree_sum(&(cb_tree){&j, sum_leaf, join_slots}, segment * (leaves / segments), leaves / segments, 0);
  void *out = segments > 1 ? cb_at_mut(call->shared, segment * geo->k * geo->q, geo->element) : call->out;
  int64_t at = (ig * geo->kg + j.first) * geo->q + j.channel0 * geo->taps;
  store_slot(&j, 0, cb_at_mut(out, at, geo->element), geo->q, segments == 1 && call->accumulate);
}

void cb_dw_images_work(cb_call *call)
{
  const state *st = call->plan->state;
  int64_t segments = cb_min(leaves_of(call), call->plan->tiling.segments);
  cb_call_add(call, segments * call->plan->problem.geo.g * st->channel_groups * st->filter_groups, run_job);
  cb_tree_add_join(call, segments);
}
