/*
 * winograd*: what a call does.
 *
 *     once: the weights' transforms U                                          [group][point][panel][channel][width]
 *           where blocks are few, V of each, for all jobs that share it;
 *           where there is one block, no U: a job makes that of some panels itself
 *     job: a block of units (rows of tiles, of several images perhaps), some of the panels
 *       for each group of panels
 *         for each block of channels                                           one, unless there are very many
 *           for each L channels, each unit: band, V
 *           for each point, each panel: multiply                               U from the far caches once a block
 *         for each L outputs, each unit: outputs; again, if one is not finite; store with the epilogue
 */
#include "conv/implicit.h"
#include "conv/winograd_plan.h"

typedef struct {
  const cb_call *call;
  const cb_winograd_plan *st;
  int64_t ig;             /* the group of channels */
  int64_t unit0, unit1;   /* the job's units [unit0, unit1), of all images */
  int64_t panel0, panel1; /* the job's panels [panel0, panel1) */
  const void *u; /* U of u_channels channels from u_channel on, of panels from u_panel on, points u_pitch apart */
  int64_t u_channel, u_channels, u_panel, u_pitch;
  char *v, *scratch;
} job;

/* A unit, or several of one image that are whole rows of tiles. */
typedef struct {
  int64_t image, first, units; /* the image; the first unit, of all images; how many units */
  int64_t row, rows;           /* rows of outputs: the first, and how many */
  int64_t column, columns;     /* columns of outputs: the first, and how many */
  int64_t tile, tiles;         /* the first unit's first tile, of the block's; tiles of one unit */
} stretch;

/* The units of the block from `unit` on that share a band. */
static stretch stretch_at(const job *j, int64_t unit)
{
  const cb_winograd_plan *st = j->st;
  const int64_t at = unit % st->units, segment = at % st->segments, row = at / st->segments;
  const int64_t first = cb_split(st->tiles[1], st->segments, segment);
  const int64_t tiles = cb_split(st->tiles[1], st->segments, segment + 1) - first;
  stretch s = {.image = unit / st->units,
               .first = unit,
               .units = st->segments == 1 ? cb_min(j->unit1 - unit, st->units - at) : 1,
               .row = row * st->form->outputs[0],
               .column = first * st->form->outputs[1],
               .tile = (unit - j->unit0) * st->tiles[1],
               .tiles = tiles};
  if (st->segments > 1) s.tile = 0;
  s.rows = cb_min(s.units * st->form->outputs[0], st->dest[0] - s.row);
  s.columns = cb_min(tiles * st->form->outputs[1], st->dest[1] - s.column);
  return s;
}

/* Makes V of channels [c, c + L) of the units of a stretch; V holds channels from c0 on. */
static void open_stretch(const job *j, const stretch *s, int64_t c, int64_t c0)
{
  const cb_winograd_plan *st = j->st;
  const cb_winograd_form *form = st->form;
  const size_t element = j->call->plan->problem.geo.element;
  const int64_t lanes = st->kernels->lanes, plane = st->source[0] * st->source[1],
                groups = j->call->plan->problem.geo.g;
  const int64_t pitch = s->tiles * form->outputs[1] + form->points[1] - form->outputs[1];
  const int64_t at = ((s->image * groups + j->ig) * st->channels + c) * plane;
  const int64_t tiles = st->block_units * st->unit_tiles;
  char *band = j->scratch + st->parts.band;
  st->kernels->open_band(&(cb_winograd_band){.from = cb_at(st->forward ? j->call->x : j->call->dy, at, element),
                                             .plane = plane,
                                             .channels = cb_min(lanes, st->channels - c),
                                             .height = st->source[0],
                                             .width = st->source[1],
                                             .row = s->row + st->first[0],
                                             .column = s->column + st->first[1],
                                             .rows = s->units * form->outputs[0] + form->points[0] - form->outputs[0],
                                             .columns = pitch,
                                             .to = band});
  for (int64_t i = 0; i < s->units; i++)
    form->inputs(&(cb_winograd_inputs){
        .band = cb_at(band, i * form->outputs[0] * pitch * lanes, element),
        .pitch = pitch,
        .tiles = s->tiles,
        .columns = j->scratch + st->parts.columns,
        .to = cb_at_mut(j->v, ((c - c0) / lanes * tiles + s->tile + i * s->tiles) * lanes, element),
        .point_pitch = st->v_pitch});
}

static void open_inputs(const job *j, int64_t c0, int64_t c1)
{
  for (int64_t c = c0; c < c1; c += j->st->kernels->lanes)
    for (int64_t unit = j->unit0; unit < j->unit1;) {
      const stretch s = stretch_at(j, unit);
      open_stretch(j, &s, c, c0);
      unit += s.units;
    }
}

/* Number of tiles of the job's units. */
static int64_t job_tiles(const job *j)
{
  const stretch s = stretch_at(j, j->unit0);
  return (j->unit1 - j->unit0) * s.tiles;
}

/* M (+)= U V of panels [from, to) and channels [c0, c1), of which V has the first at v. */
static void multiply(const job *j, const void *v, int64_t from, int64_t to, int64_t c0, int64_t c1)
{
  enum { FAR_CHANNELS = 256 }; /* the least channels whose weights are worth asking for early */
  const cb_winograd_plan *st = j->st;
  const size_t element = j->call->plan->problem.geo.element;
  const int64_t lanes = st->kernels->lanes, pitch = st->block_units * st->unit_tiles, tiles = job_tiles(j);
  for (int64_t p = 0; p < st->points; p++)
    for (int64_t b = from; b < to; b++) {
      const cb_panel panel = cb_panel_at(st->engine, st->outputs, b);
      const int64_t u = p * j->u_pitch + cb_panel_offset(st->engine, j->u_channels, b - j->u_panel) +
                        (c0 - j->u_channel) * panel.width;
      const int64_t m = p * st->m_pitch + (b - from) * CB_PANEL_VECTORS * lanes * pitch;
      st->kernels->multiply(&(cb_winograd_product){.v = cb_at(v, p * st->v_pitch, element),
                                                   .group_pitch = pitch * lanes,
                                                   .u = cb_at(j->u, u, element),
                                                   .channels = c1 - c0,
                                                   .tiles = tiles,
                                                   .vectors = panel.vectors,
                                                   .m = cb_at_mut(j->scratch + st->parts.m, m, element),
                                                   .add = c0 > 0,
                                                   .ahead = !st->fused && st->channels >= FAR_CHANNELS});
    }
}

/* Stores the stage of `count` outputs from `output` on in the destination. */
static void store_stretch(const job *j, const stretch *s, int64_t output, int64_t count, const char *stage)
{
  const cb_winograd_plan *st = j->st;
  const cb_geometry *geo = &j->call->plan->problem.geo;
  const int64_t plane = st->dest[0] * st->dest[1], k = j->ig * st->outputs + output;
  const bool whole = s->columns == st->dest[1]; /* rows follow each other, in the stage and in the plane */
  for (int64_t r = 0; r < (whole ? 1 : s->rows); r++) {
    const int64_t at = (s->image * geo->g * st->outputs + k) * plane + (s->row + r) * st->dest[1] + s->column;
    cb_store store = cb_implicit_store(j->call, at, k);
    store.c = cb_at(stage, r * s->columns * st->kernels->lanes, geo->element);
    store.ldc = st->kernels->lanes;
    store.m = whole ? s->rows * s->columns : s->columns;
    store.count = count;
    store.row_step = 1;
    store.lane_step = plane;
    st->engine->store(&store);
  }
}

/* Computes and stores the outputs of one vector of panel b, of all the job's units; M of the panel has place b -
   from. */
static void close_outputs(const job *j, int64_t b, int64_t from, int vector)
{
  const cb_winograd_plan *st = j->st;
  const cb_winograd_form *form = st->form;
  const size_t element = j->call->plan->problem.geo.element;
  const int64_t lanes = st->kernels->lanes, pitch = st->block_units * st->unit_tiles;
  const cb_panel panel = cb_panel_at(st->engine, st->outputs, b);
  const int64_t output = panel.first + vector * lanes, count = cb_min(lanes, st->outputs - output);
  const int64_t m = (b - from) * CB_PANEL_VECTORS * lanes * pitch + vector * lanes;
  char *stage = j->scratch + st->parts.stage;
  for (int64_t unit = j->unit0; unit < j->unit1;) {
    const stretch s = stretch_at(j, unit);
    for (int64_t i = 0; i < s.units; i++) {
      void *to = cb_at_mut(stage, i * form->outputs[0] * s.columns * lanes, element);
      const bool finite = form->outputs_of(&(cb_winograd_outputs){
          .from = cb_at(j->scratch + st->parts.m, m + (s.tile + i * s.tiles) * panel.width, element),
          .point_pitch = st->m_pitch,
          .width = panel.width,
          .tiles = s.tiles,
          .columns = s.columns,
          .to = to,
          .pitch = s.columns});
      const int64_t done = i * form->outputs[0];
      if (!finite)
        cb_winograd_directly(&(cb_winograd_again){.call = j->call,
                                                  .st = st,
                                                  .image = s.image,
                                                  .group = j->ig,
                                                  .output = output,
                                                  .count = count,
                                                  .row = s.row + done,
                                                  .rows = cb_min(form->outputs[0], s.rows - done),
                                                  .column = s.column,
                                                  .columns = s.columns,
                                                  .to = to,
                                                  .pitch = s.columns});
    }
    store_stretch(j, &s, output, count, stage);
    unit += s.units;
  }
}

static void close_panels(const job *j, int64_t from, int64_t to)
{
  for (int64_t b = from; b < to; b++)
    for (int v = 0; v < cb_panel_at(j->st->engine, j->st->outputs, b).vectors; v++) close_outputs(j, b, from, v);
}

static void run_panels(const job *j, int64_t from, int64_t to)
{
  const cb_winograd_plan *st = j->st;
  const bool again = st->block_channels < st->channels; /* V does not hold all channels at once */
  for (int64_t c = 0; c < st->channels; c += st->block_channels) {
    const int64_t end = cb_min(st->channels, c + st->block_channels);
    if (again || (from == j->panel0 && !st->shares_v)) open_inputs(j, c, end);
    multiply(j, j->v, from, to, c, end);
  }
  close_panels(j, from, to);
}

/* Block `at` = block * groups + group of the call. */
static job job_at(const cb_call *call, int64_t at, int worker)
{
  const cb_winograd_plan *st = call->plan->state;
  const cb_problem *problem = &call->plan->problem;
  const int64_t ig = at % problem->geo.g, block = at / problem->geo.g;
  const int64_t blocks = cb_winograd_blocks(st, call->n), units = call->n * st->units;
  job j = {.call = call,
           .st = st,
           .ig = ig,
           .unit0 = cb_split(units, blocks, block),
           .unit1 = cb_split(units, blocks, block + 1),
           .scratch = cb_scratch(call, worker)};
  j.u = cb_at(problem->packed ? call->w : call->shared, ig * st->points * st->weights, problem->geo.element);
  j.u_channels = st->channels;
  j.u_pitch = st->weights;
  j.v = st->shares_v ? call->shared + cb_winograd_shared_weights(st, problem) + (size_t)at * st->v_bytes
                     : j.scratch + st->parts.v;
  return j;
}

/* task = (block * groups + group) * deals + deal. */
static void run_job(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_winograd_plan *st = call->plan->state;
  job j = job_at(call, task / st->deals, worker);
  j.panel0 = cb_split(st->panels, st->deals, task % st->deals);
  j.panel1 = cb_split(st->panels, st->deals, task % st->deals + 1);
  for (int64_t b = j.panel0; b < j.panel1; b += st->group_panels)
    run_panels(&j, b, cb_min(j.panel1, b + st->group_panels));
}

/* task = group * deals + deal; a deal is some of the panels, whose U is made a few channels at a time. */
static void run_fused(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_winograd_plan *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  const int64_t ig = task / st->deals, deal = task % st->deals, end = cb_split(st->panels, st->deals, deal + 1);
  job j = job_at(call, ig, worker);
  char *u = (char *)j.scratch + st->parts.u;
  j.u = u;
  j.u_channels = st->u_channels;
  j.u_pitch = st->u_pitch;
  for (int64_t from = cb_split(st->panels, st->deals, deal); from < end; from += st->group_panels) {
    const int64_t to = cb_min(end, from + st->group_panels);
    j.u_panel = from;
    for (int64_t c = 0; c < st->channels; c += st->u_channels) {
      const int64_t c1 = cb_min(st->channels, c + st->u_channels);
      j.u_channel = c;
      for (int64_t b = from; b < to; b++)
        cb_winograd_transform(st, geo, &(cb_winograd_piece){ig, b, c, c1}, call->w,
                              cb_at_mut(u, cb_panel_offset(st->engine, st->u_channels, b - from), geo->element),
                              st->u_pitch);
      multiply(&j, cb_at(j.v, c * st->block_units * st->unit_tiles, geo->element), from, to, c, c1);
    }
    close_panels(&j, from, to);
  }
}

static int64_t weight_tasks(const cb_call *call)
{
  const cb_winograd_plan *st = call->plan->state;
  return call->plan->problem.packed || st->fused ? 0 : cb_winograd_weight_tasks(st, &call->plan->problem.geo);
}

/* The first tasks are those of the weights; then come those of V, (block * groups + group) * vectors of channels +
   vector. */
static void transform(void *context, int64_t task, int worker)
{
  const cb_call *call = context;
  const cb_winograd_plan *st = call->plan->state;
  const int64_t of_weights = weight_tasks(call), lanes = st->kernels->lanes;
  if (task < of_weights) {
    cb_winograd_weight_task(st, &call->plan->problem.geo, task, call->w, call->shared);
    return;
  }
  const int64_t parts = cb_ceil_div(st->channels, lanes), c = (task - of_weights) % parts * lanes;
  const job j = job_at(call, (task - of_weights) / parts, worker);
  for (int64_t unit = j.unit0; unit < j.unit1;) {
    const stretch s = stretch_at(&j, unit);
    open_stretch(&j, &s, c, 0);
    unit += s.units;
  }
}

void cb_winograd_work(cb_call *call)
{
  const cb_winograd_plan *st = call->plan->state;
  const cb_geometry *geo = &call->plan->problem.geo;
  if (call->n == 0) return;
  const int64_t blocks = cb_winograd_blocks(st, call->n) * geo->g;
  const int64_t of_v = st->shares_v ? blocks * cb_ceil_div(st->channels, st->kernels->lanes) : 0;
  if (weight_tasks(call) + of_v > 0) cb_call_add(call, weight_tasks(call) + of_v, transform);
  cb_call_add(call, cb_winograd_jobs(st, call->n, geo->g), st->fused ? run_fused : run_job);
}
