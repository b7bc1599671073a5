/* The tables of implicit_gemm's forward and input gradient: walks, box by box, in the one allocation of a plan's
   state. */
#include "base/memory.h"
#include "base/status.h"
#include "conv/implicit_map_state.h"
#include <string.h>

/* Memory that is cut into pieces, or NULL if their bytes are only counted; the bytes taken so far. */
typedef struct {
  char *memory;
  size_t taken;
} pieces;

static void *piece(pieces *p, int64_t count, size_t element)
{
  char *at = p->memory ? p->memory + p->taken : NULL;
  p->taken += cb_aligned_size((size_t)count * element);
  return at;
}

/* Places a phase's tables. */
static void place_phase(const cb_map *st, const cb_gather *gather, cb_phase *phase, pieces *p)
{
  cb_box box[CB_MAX_BOXES];
  *phase = (cb_phase){.boxes = cb_boxes_cut(gather, st->axes, box)};
  phase->walks = piece(p, phase->boxes, sizeof(cb_walks));
  if (st->direct_weights) phase->weight = piece(p, gather->q, sizeof(int32_t));
  phase->tap = piece(p, gather->taps, sizeof(int64_t));
  for (int b = 0; b < phase->boxes; b++) {
    int64_t steps = gather->channels * cb_box_taps(&box[b]);
    cb_walks walks = {.box = box[b], .steps = steps, .chunks = cb_chain_count(&st->rule, gather)};
    walks.walk = piece(p, steps, sizeof(int32_t));
    for (int v = 1; v <= CB_PANEL_VECTORS; v++) walks.lane[v] = piece(p, steps, sizeof(int32_t));
    walks.cut = piece(p, walks.chunks + 1, sizeof(int32_t));
    if (p->memory) phase->walks[b] = walks;
  }
}

cb_map *cb_map_allocate(const cb_map *draft)
{
  cb_map *st = NULL;
  pieces p = {0};
  for (int pass = 0; pass < 2; pass++) { /* the first pass counts bytes */
    if (pass && !(p.memory = cb_alloc_zeroed(p.taken))) {
      cb_fail_memory(p.taken, "the plan's walk tables");
      return NULL;
    }
    p.taken = 0;
    st = piece(&p, 1, sizeof *draft);
    cb_gather *gathers = piece(&p, draft->phases, sizeof(cb_gather));
    cb_phase *phases = piece(&p, draft->phases, sizeof(cb_phase)), counted;
    for (int64_t i = 0; i < draft->phases; i++) place_phase(draft, &draft->gather[i], pass ? &phases[i] : &counted, &p);
    if (!pass) continue;
    memcpy(gathers, draft->gather, (size_t)draft->phases * sizeof(cb_gather));
    *st = *draft;
    st->gather = gathers;
    st->phase = phases;
  }
  return st;
}

/* The steps before the gather's step q in a panel; one that the caller packed has the taps that the gather leaves
   out. */
static int64_t step_of_panel(const cb_map *st, const cb_geometry *geo, const cb_gather *gather, const int64_t *tap,
                             int64_t q)
{
  return st->given_steps ? q / gather->taps * geo->taps + tap[q % gather->taps] : q;
}

/* Fills the walks of one box from the walk over all steps, all[q]. */
static void fill_walks(const cb_map *st, const cb_geometry *geo, int64_t i, const int32_t *all, cb_walks *walks)
{
  const cb_gather *gather = &st->gather[i];
  int32_t *at = walks->lane[1], lanes = st->engine->lanes;
  int64_t steps = cb_box_steps(gather, &walks->box, at), s = 0;
  for (int64_t j = 0; j <= walks->chunks; j++) {
    int64_t q = cb_chain_cut(&st->rule, gather, j);
    while (s < steps && at[s] < q) s++;
    walks->cut[j] = (int32_t)s;
  }
  for (s = 0; s < steps; s++) {
    walks->walk[s] = all[at[s]];
    const int32_t step = (int32_t)step_of_panel(st, geo, gather, st->phase[i].tap, at[s]);
    for (int v = CB_PANEL_VECTORS; v >= 1; v--) walks->lane[v][s] = step * v * lanes;
  }
}

/* Fills the elements where the weights of phase i's steps lie, from output 0's first weight on:
   w[filter][channel][tap], outputs being filters (forward) or channels. */
static void weight_walk(cb_map *st, const cb_geometry *geo, bool forward, int64_t i)
{
  const cb_gather *gather = &st->gather[i];
  int64_t pitch = forward ? geo->taps : geo->q;
  for (int64_t c = 0; c < gather->channels; c++)
    for (int64_t t = 0; t < gather->taps; t++)
      st->phase[i].weight[c * gather->taps + t] = (int32_t)(c * pitch + st->phase[i].tap[t]);
}

cnnblas_status cb_map_fill(cb_map *st, const cb_geometry *geo, bool forward, int64_t i)
{
  const cb_gather *gather = &st->gather[i];
  cb_phase *phase = &st->phase[i];
  int32_t *all = cb_alloc((size_t)gather->q * sizeof(int32_t));
  if (!all) return cb_fail_memory((size_t)gather->q * sizeof(int32_t), "the plan's walk tables");
  cb_band_walk(gather, &st->band, all);
  for (int64_t t = 0; t < gather->taps; t++) phase->tap[t] = cb_gather_tap(gather, geo, t);
  for (int b = 0; b < phase->boxes; b++) fill_walks(st, geo, i, all, &phase->walks[b]);
  cb_free(all);
  if (phase->weight) weight_walk(st, geo, forward, i);
  return CNNBLAS_OK;
}
