/*
 * Weights of "implicit_gemm" packed once for many forwards: the panels that a call would pack for itself
 * (gemm/engine.h), group by group, each panel [q][lanes] of some filters. The panels are the same whatever lies on the
 * lanes of the call.
 */
#include "base/size.h"
#include "conv/implicit.h"

static bool panels_bytes(const cb_geometry *geo, int64_t *bytes)
{
  int64_t filters = cb_round_up(geo->kg, cb_engine_get(geo->dtype)->lanes);
  return cb_mul(filters, geo->q, bytes) && cb_mul(*bytes, geo->g * (int64_t)geo->element, bytes);
}

static int64_t panels_tasks(const cb_geometry *geo)
{
  return geo->g * cb_panels(cb_engine_get(geo->dtype), geo->kg);
}

/* task = (group, panel). */
static void pack_panel(const cb_geometry *geo, int64_t task, const void *w, void *packed)
{
  const cb_engine *engine = cb_engine_get(geo->dtype);
  int64_t panels = cb_panels(engine, geo->kg), ig = task / panels, b = task % panels;
  int64_t at = ig * cb_panel_elements(engine, geo->kg, geo->q) + cb_panel_offset(engine, geo->q, b);
  cb_panel panel = cb_panel_at(engine, geo->kg, b);
  engine->pack_lanes(cb_at_mut(packed, at, geo->element), cb_at(w, (ig * geo->kg + panel.first) * geo->q, geo->element),
                     geo->q, geo->q, panel.count, panel.width);
}

const cb_packing cb_implicit_packing = {
    .form = "panels", .bytes = panels_bytes, .tasks = panels_tasks, .pack = pack_panel};
