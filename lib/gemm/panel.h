/*
 * Panels: an operand packed for the lanes, two vectors of them at a time.
 *
 *     panel 0                panel 1              the last: one vector, if no more are needed
 *     [step][2 * lanes]      [step][2 * lanes]    [step][lanes or 2 * lanes]
 *
 * Lanes past the last output hold zeros. Whatever the operand is (weights, or a gradient's pixels), a kernel walks a
 * panel by hops of its width.
 */
#ifndef CB_GEMM_PANEL_H
#define CB_GEMM_PANEL_H

#include "base/parameters.h"
#include "base/size.h"
#include "gemm/product.h"

enum { CB_PANEL_VECTORS = 2 /* the most vectors of lanes of a panel */ };

/* A panel: the outputs on its lanes, and how many lanes it has. */
typedef struct {
  int64_t first, count; /* the first output, and how many outputs */
  int vectors;
  int64_t width; /* the lanes that are stored: vectors * engine lanes */
} cb_panel;

/* Panel b of `total` outputs. */
static inline cb_panel cb_panel_at(const cb_engine *engine, int64_t total, int64_t b)
{
  cb_panel panel = {.first = b * CB_PANEL_VECTORS * engine->lanes};
  panel.count = cb_min(total - panel.first, (int64_t)CB_PANEL_VECTORS * engine->lanes);
  panel.vectors = (int)cb_ceil_div(panel.count, engine->lanes);
  panel.width = (int64_t)panel.vectors * engine->lanes;
  return panel;
}

/* How many panels `total` outputs have. */
static inline int64_t cb_panels(const cb_engine *engine, int64_t total)
{
  return cb_ceil_div(total, (int64_t)CB_PANEL_VECTORS * engine->lanes);
}

/* The elements before panel b, and those of all panels of `total` outputs, where a panel has `steps` steps. */
static inline int64_t cb_panel_offset(const cb_engine *engine, int64_t steps, int64_t b)
{
  return b * CB_PANEL_VECTORS * engine->lanes * steps;
}
static inline int64_t cb_panel_elements(const cb_engine *engine, int64_t total, int64_t steps)
{
  return cb_round_up(total, engine->lanes) * steps;
}

/* hop[v][s] = s * v * lanes for s < CB_MAX_CHUNK_STEPS: the walks over panels of v vectors. */
typedef struct {
  int32_t hop[CB_PANEL_VECTORS + 1][CB_MAX_CHUNK_STEPS];
} cb_hops;

void cb_hops_init(cb_hops *hops, const cb_engine *engine);

/* Packs a step whose lanes lie side by side: to[j] = from[j] for j < count, 0 for count <= j < width. */
void cb_panel_pack_step(void *to, const void *from, int64_t count, int64_t width, size_t element);

/* Packs steps s < `steps` by their places: to[s * width + j] = from[place[s] + j * ld] for j < count, 0 for
   count <= j < width. */
void cb_panel_pack_places(const cb_engine *engine, void *to, const void *from, const int64_t *place, int64_t steps,
                          int64_t ld, int64_t count, int64_t width, size_t element);

#endif
