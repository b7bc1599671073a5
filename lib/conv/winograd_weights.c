/* winograd*: weights become U, one for each point, once a call or once for many calls. */
#include "base/memory.h"
#include "conv/winograd_plan.h"
#include <string.h>

enum {
  TASK_CHANNELS = 32, /* the most channels of a task */
  TURN_CHANNELS = 16, /* channels whose taps are turned onto the lanes at once, in whole transpositions at any lanes */
  MOST_TAPS = 9,      /* the most taps of a filter's plane */
  MOST_VECTOR = 64    /* the most bytes of a vector */
};

static int64_t chunks(const cb_winograd_plan *st)
{
  return cb_ceil_div(st->channels, TASK_CHANNELS);
}

int64_t cb_winograd_weight_tasks(const cb_winograd_plan *st, const cb_geometry *geo)
{
  return geo->g * st->panels * chunks(st);
}

/* Turns the taps of `count` channels from c on, of the piece's panel: to[channel][tap][lane]. */
static void turn_taps(const cb_winograd_plan *st, const cb_geometry *geo, const cb_winograd_piece *piece, int64_t c,
                      int64_t count, const void *w, void *to)
{
  const cb_engine *engine = st->engine;
  const cb_panel panel = cb_panel_at(engine, st->outputs, piece->b);
  if (st->forward) {
    const int64_t at = ((piece->ig * geo->kg + panel.first) * geo->cg + c) * geo->taps;
    engine->pack_lanes(to, cb_at(w, at, geo->element), geo->q, count * geo->taps, panel.count, panel.width);
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    const int64_t at = ((piece->ig * geo->kg + c + i) * geo->cg + panel.first) * geo->taps;
    engine->pack_lanes(cb_at_mut(to, i * geo->taps * panel.width, geo->element), cb_at(w, at, geo->element), geo->taps,
                       geo->taps, panel.count, panel.width);
  }
}

void cb_winograd_transform(const cb_winograd_plan *st, const cb_geometry *geo, const cb_winograd_piece *piece,
                           const void *w, void *to, int64_t pitch)
{
  _Alignas(CB_ALIGN) char taps[TURN_CHANNELS * MOST_TAPS * CB_PANEL_VECTORS * MOST_VECTOR];
  const cb_panel panel = cb_panel_at(st->engine, st->outputs, piece->b);
  for (int64_t c = piece->from; c < piece->to; c += TURN_CHANNELS) {
    const int64_t count = cb_min(TURN_CHANNELS, piece->to - c);
    turn_taps(st, geo, piece, c, count, w, taps);
    st->form->weights(&(cb_winograd_weights){.taps = taps,
                                             .turned = {st->turned[0], st->turned[1]},
                                             .channels = count,
                                             .vectors = panel.vectors,
                                             .to = cb_at_mut(to, (c - piece->from) * panel.width, geo->element),
                                             .point_pitch = pitch});
  }
}

/* task = ((group, panel), chunk of TASK_CHANNELS channels). */
void cb_winograd_weight_task(const cb_winograd_plan *st, const cb_geometry *geo, int64_t task, const void *w, void *u)
{
  const int64_t chunk = task % chunks(st), panel = task / chunks(st);
  const cb_winograd_piece piece = {.ig = panel / st->panels,
                                   .b = panel % st->panels,
                                   .from = chunk * TASK_CHANNELS,
                                   .to = cb_min(st->channels, (chunk + 1) * TASK_CHANNELS)};
  const int64_t at = piece.ig * st->points * st->weights + cb_panel_offset(st->engine, st->channels, piece.b) +
                     piece.from * cb_panel_at(st->engine, st->outputs, piece.b).width;
  cb_winograd_transform(st, geo, &piece, w, cb_at_mut(u, at, geo->element), st->weights);
}

const cb_winograd_forms cb_winograd_forms_2 = {CB_WINOGRAD_2X2, CB_WINOGRAD_2};
const cb_winograd_forms cb_winograd_forms_3 = {CB_WINOGRAD_3X3, CB_WINOGRAD_3};
const cb_winograd_forms cb_winograd_forms_4 = {CB_WINOGRAD_4X4, CB_WINOGRAD_4};

/* The plan of a forward with these weights, as far as packing looks at it. The row applies, so its sizes fit. */
static cb_winograd_plan forward_of(const cb_geometry *geo, const cb_winograd_forms *forms)
{
  cb_winograd_plan st = {.kernels = NULL};
  cb_winograd_describe(&st, &(cb_problem){.geo = *geo, .direction = CNNBLAS_FORWARD, .packed = true}, forms);
  return st;
}

static bool bytes_of(const cb_geometry *geo, const cb_winograd_forms *forms, int64_t *bytes)
{
  const cb_winograd_plan st = forward_of(geo, forms);
  return cb_mul(geo->k * geo->q, (int64_t)geo->element, bytes) && cb_add(*bytes, (int64_t)st.weights_bytes, bytes);
}

static int64_t tasks_of(const cb_geometry *geo, const cb_winograd_forms *forms)
{
  const cb_winograd_plan st = forward_of(geo, forms);
  return cb_winograd_weight_tasks(&st, geo);
}

/* Runs a task of packing. That of the first chunk of a panel's channels copies the panel's filters too. */
static void pack_with(const cb_geometry *geo, const cb_winograd_forms *forms, int64_t task, const void *w, void *packed)
{
  const cb_winograd_plan st = forward_of(geo, forms);
  cb_winograd_weight_task(&st, geo, task, w, packed);
  if (task % chunks(&st)) return;
  const int64_t b = task / chunks(&st) % st.panels, ig = task / chunks(&st) / st.panels;
  const cb_panel panel = cb_panel_at(st.engine, st.outputs, b);
  const int64_t at = (ig * geo->kg + panel.first) * geo->q;
  memcpy(cb_at_mut((char *)packed + st.weights_bytes, at, geo->element), cb_at(w, at, geo->element),
         (size_t)(panel.count * geo->q) * geo->element);
}

#define DEFINE_PACKING(M)                                                                                              \
  static bool bytes_##M(const cb_geometry *geo, int64_t *bytes)                                                        \
  {                                                                                                                    \
    return bytes_of(geo, &cb_winograd_forms_##M, bytes);                                                               \
  }                                                                                                                    \
  static int64_t tasks_##M(const cb_geometry *geo)                                                                     \
  {                                                                                                                    \
    return tasks_of(geo, &cb_winograd_forms_##M);                                                                      \
  }                                                                                                                    \
  static void pack_##M(const cb_geometry *geo, int64_t task, const void *w, void *packed)                              \
  {                                                                                                                    \
    pack_with(geo, &cb_winograd_forms_##M, task, w, packed);                                                           \
  }                                                                                                                    \
  const cb_packing cb_winograd_packing_##M = {                                                                         \
      .form = "transformed", .rotated = "rotated", .bytes = bytes_##M, .tasks = tasks_##M, .pack = pack_##M};
DEFINE_PACKING(2)
DEFINE_PACKING(3)
DEFINE_PACKING(4)
