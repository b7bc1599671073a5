/*
 * Weights of "implicit_gemm:slivers" packed once for many calls: [tile of outputs][q][outputs of the tile], group by
 * group; those of a strided input gradient phase by phase, each with the taps of its own. A chain of sums takes its steps
 * out of each tile's, so that the packed weights do not depend on where chains are cut.
 */
#include "base/size.h"
#include "conv/implicit_map_slivers_parts.h"

static int64_t tiles_of(const cb_geometry *geo, int64_t outputs)
{
  return cb_ceil_div(outputs, cb_engine_get(geo->dtype)->packed_rows);
}

static bool weights_bytes(const cb_geometry *geo, int64_t *bytes)
{
  return cb_mul(geo->k, geo->q, bytes) && cb_mul(*bytes, (int64_t)geo->element, bytes);
}

static int64_t forward_tasks(const cb_geometry *geo)
{
  return geo->g * tiles_of(geo, geo->kg);
}

/* task = (group, tile). */
static void pack_forward(const cb_geometry *geo, int64_t task, const void *w, void *packed)
{
  const int64_t tiles = tiles_of(geo, geo->kg), ig = task / tiles, t = task % tiles;
  const int64_t first = cb_split(geo->kg, tiles, t), rows = cb_split(geo->kg, tiles, t + 1) - first;
  const int64_t at = (ig * geo->kg + first) * geo->q;
  cb_engine_get(geo->dtype)
      ->pack_rows(cb_at_mut(packed, at, geo->element), cb_at(w, at, geo->element), geo->q, geo->q, rows);
}

const cb_packing cb_sliver_packing = {
    .form = "tiles", .bytes = weights_bytes, .tasks = forward_tasks, .pack = pack_forward};

/* ---- of an input gradient ---- */

static int64_t data_tasks(const cb_geometry *geo)
{
  return cb_gather_phases(geo) * geo->g * tiles_of(geo, geo->cg);
}

/* Packs a tile's weights, some taps of a channel at a time. */
static void pack_phase(const cb_geometry *geo, const cb_gather *gather, cb_turned turned)
{
  enum { TAPS = 64 };
  int64_t tap[TAPS];
  const int64_t first = cb_split(turned.outputs, turned.tiles, turned.first);
  const int64_t rows = cb_split(turned.outputs, turned.tiles, turned.end) - first;
  const bool together = gather->taps <= TAPS; /* all taps, and so all channels */
  turned.tap = tap;
  turned.channels = together ? gather->channels : 1;
  for (int64_t c = 0; c < gather->channels; c += turned.channels)
    for (int64_t t = 0; t < gather->taps; t += TAPS) {
      cb_turned part = turned;
      part.taps = cb_min(TAPS, gather->taps - t);
      for (int64_t i = 0; i < part.taps; i++) tap[i] = cb_gather_tap(gather, geo, t + i);
      part.from = cb_at(turned.from, c * turned.channel_pitch, geo->element);
      part.to = cb_at_mut(turned.to, (c * gather->taps + t) * rows, geo->element);
      cb_engine_get(geo->dtype)->pack_turned(&part);
    }
}

/* task = (phase, group, tile). */
static void pack_data(const cb_geometry *geo, int64_t task, const void *w, void *packed)
{
  const int64_t tiles = tiles_of(geo, geo->cg), t = task % tiles, ig = task / tiles % geo->g, i = task / tiles / geo->g;
  int64_t before = 0; /* steps of an output in the phases before */
  cb_gather gather;
  for (int64_t j = 0; j < i; j++) {
    cb_gather_map(&gather, geo, false, j);
    before += gather.q;
  }
  cb_gather_map(&gather, geo, false, i);
  if (gather.q == 0) return;
  const int64_t first = cb_split(geo->cg, tiles, t);
  pack_phase(geo, &gather,
             (cb_turned){.to = cb_at_mut(packed, before * geo->c + (ig * geo->cg + first) * gather.q, geo->element),
                         .from = cb_at(w, ig * geo->kg * geo->q, geo->element),
                         .channel_pitch = geo->q,
                         .output_pitch = geo->taps,
                         .outputs = geo->cg,
                         .tiles = tiles,
                         .first = t,
                         .end = t + 1});
}

const cb_packing cb_sliver_data_packing = {
    .form = "tiles of taps", .bytes = weights_bytes, .tasks = data_tasks, .pack = pack_data};
