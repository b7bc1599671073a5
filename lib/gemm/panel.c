/* Packing panels from where an operand lies; see panel.h. */
#include "gemm/panel.h"
#include <string.h>

void cb_hops_init(cb_hops *hops, const cb_engine *engine)
{
  for (int v = 0; v <= CB_PANEL_VECTORS; v++)
    for (int s = 0; s < CB_MAX_CHUNK_STEPS; s++) hops->hop[v][s] = s * v * engine->lanes;
}

void cb_panel_pack_step(void *to, const void *from, int64_t count, int64_t width, size_t element)
{
  memcpy(to, from, (size_t)count * element);
  memset((char *)to + (size_t)count * element, 0, (size_t)(width - count) * element);
}

void cb_panel_pack_places(const cb_engine *engine, void *to, const void *from, const int64_t *place, int64_t steps,
                          int64_t ld, int64_t count, int64_t width, size_t element)
{
  const char *base = from;
  char *step = to;
  for (int64_t s = 0, taken; s < steps; s += taken) {
    taken = 1;
    while (ld != 1 && s + taken < steps && place[s + taken] == place[s] + taken) taken++;
    const char *at = base + (size_t)place[s] * element;
    if (ld == 1)
      cb_panel_pack_step(step, at, count, width, element);
    else
      engine->pack_lanes(step, at, ld, taken, count, width);
    step += (size_t)(taken * width) * element;
  }
}
