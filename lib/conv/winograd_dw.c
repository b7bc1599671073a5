/* winograd*, weight gradient: what a problem is to the transforms, and what of it is held at once; see
   winograd_dw.h. */
#include "conv/winograd_dw.h"
#include "base/memory.h"
#include "base/size.h"
#include "base/status.h"
#include "conv/costs.h"
#include <math.h>
#include <stdio.h>

enum {
  NEAR_BYTES = 8 << 20, /* the most bytes of V and D together, if no limit makes them smaller */
  LEAST_BLOCK = CB_WINOGRAD_TILE_CHAIN
};

static void describe(cb_winograd_dw_plan *st, const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  const cb_axis *a = geo->axis;
  st->kernels = cb_winograd_get(geo->dtype);
  st->dw = cb_winograd_gradient_get(geo->dtype);
  st->engine = cb_engine_get(geo->dtype);
  st->square = a[1].taps == 3;
  for (int i = 0; i < 2; i++) {
    const cb_axis *axis = &a[i + 1];
    const int64_t reach = (axis->taps - 1) * axis->step;
    st->first[i] = axis->base + cb_min(0, reach);
    st->turned[i] = reach < 0;
    st->step[i] = axis->taps == 3 ? 2 : 1;
    st->tiles[i] = cb_ceil_div(axis->out, st->step[i]);
  }
  st->points = st->square ? 16 : 4;
  st->taps = st->square ? 9 : 3;
  st->c_vectors = cb_ceil_div(geo->cg, st->dw->lanes);
  st->k_vectors = cb_ceil_div(geo->kg, st->dw->lanes);
}

/* Finds the elements of a point (*pitch), those of a group, and the bytes of all groups, of V, D or the sums. False if
   they do not fit in 63 bits. */
static bool size_part(const cb_winograd_dw_plan *st, const cb_geometry *geo, int64_t vectors, int64_t of_vector,
                      int64_t *pitch, int64_t *group, int64_t *bytes)
{
  if (!cb_mul(vectors, of_vector, pitch) || !cb_add(*pitch, CB_WINOGRAD_MARGIN, pitch)) return false;
  if (!cb_mul(*pitch, st->points, group) || !cb_mul(*group, geo->g * (int64_t)geo->element, bytes)) return false;
  return cb_add(*bytes, CB_ALIGN, bytes);
}

/* Finds the places in the shared workspace for blocks of `block` tiles; *moved becomes the bytes of V and D, *all the
   bytes of everything. False if they do not fit in 63 bits. */
static bool size_shared(cb_winograd_dw_plan *st, const cb_geometry *geo, int64_t block, int64_t *moved, int64_t *all)
{
  const int64_t lanes = st->dw->lanes;
  int64_t v, d, sums, slots;
  st->block = block;
  st->pitch = block * lanes;
  if (!size_part(st, geo, st->c_vectors, st->pitch, &st->v_pitch, &st->v_group, &v)) return false;
  if (!size_part(st, geo, st->k_vectors, st->pitch, &st->d_pitch, &st->d_group, &d)) return false;
  if (!size_part(st, geo, st->k_vectors, st->c_vectors * lanes * lanes, &st->sums_pitch, &st->sums_group, &sums))
    return false;
  st->d_at = cb_aligned_size((size_t)v);
  if (!cb_add((int64_t)st->d_at, d, moved)) return false;
  st->sums_at = cb_aligned_size((size_t)*moved);
  st->slot_bytes = cb_aligned_size((size_t)sums);
  return cb_mul((int64_t)st->slot_bytes, st->slots, &slots) && cb_add((int64_t)st->sums_at, slots, all);
}

static size_t size_thread(cb_winograd_dw_plan *st, size_t element)
{
  const size_t vector = (size_t)st->dw->lanes * element;
  const size_t columns = (size_t)(2 * CB_WINOGRAD_PIECE + 2) * 4;
  st->columns_at = cb_aligned_size(CB_WINOGRAD_BAND * vector);
  st->stage_at = cb_aligned_size(st->columns_at + columns * vector);
  return cb_aligned_size(st->stage_at + (size_t)(CB_WINOGRAD_STAGE * st->taps) * vector);
}

/* Fixes blocks and workspace. False if they do not fit; *needed bytes a thread would do. */
static bool cut(cb_winograd_dw_plan *st, const cb_problem *problem, size_t *thread, int64_t *shared, size_t *needed)
{
  const cb_geometry *geo = &problem->geo;
  const int64_t leaves = cb_max(1, cb_ceil_div(cb_winograd_dw_tiles(st, geo->n), CB_WINOGRAD_LEAF));
  int64_t moved;
  st->slots = 1;
  for (int64_t reached = 2; reached <= leaves; reached *= 2) st->slots++;
  *thread = size_thread(st, geo->element);
  if (!size_shared(st, geo, LEAST_BLOCK, &moved, shared)) return false;
  *needed = *thread + (problem->limited ? (size_t)*shared : 0) + CB_ALIGN;
  if (problem->budget < *needed) return false;
  for (int64_t block = 2 * LEAST_BLOCK; block <= CB_WINOGRAD_LEAF; block *= 2) {
    cb_winograd_dw_plan larger = *st;
    int64_t bytes;
    if (!size_shared(&larger, geo, block, &moved, &bytes) || moved > NEAR_BYTES) break;
    if (problem->limited && *thread + (size_t)bytes + CB_ALIGN > problem->budget) break;
    if (block / 2 >= cb_winograd_dw_tiles(st, geo->n)) break;
    *st = larger;
    *shared = bytes;
  }
  return true;
}

/* Where a leaf's sums are small, lets a thread make them alone, in its own caches: else V and D of 1024 tiles go
   through the far caches from one thread to another. There must be leaves enough for the team. */
static void stay_near(cb_winograd_dw_plan *st, const cb_problem *problem, int team, size_t *thread, int64_t *shared)
{
  /* the most bytes of a leaf's sums, V and D; of the sums of a round's leaves */
  enum { NEAR = 704 << 10, ROUND_BYTES = 4 << 20 };
  const cb_geometry *geo = &problem->geo;
  const int64_t leaves = cb_ceil_div(cb_winograd_dw_tiles(st, geo->n), CB_WINOGRAD_LEAF), lanes = st->dw->lanes;
  const int64_t element = (int64_t)geo->element, sums = st->points * st->sums_pitch * element;
  if (problem->limited || leaves * geo->g < 2 * (int64_t)team || sums > NEAR) return;
  for (int64_t block = 4 * LEAST_BLOCK; block >= LEAST_BLOCK; block /= 2) {
    const int64_t pitch = block * lanes, v = st->c_vectors * pitch + CB_WINOGRAD_MARGIN,
                  d = st->k_vectors * pitch + CB_WINOGRAD_MARGIN, bytes = st->points * (v + d) * element;
    const size_t all = cb_aligned_size(*thread + (size_t)bytes);
    if (sums + bytes > NEAR || all + CB_ALIGN > problem->budget) continue;
    st->near = true;
    st->block = block;
    st->pitch = pitch;
    st->v_pitch = v;
    st->d_pitch = d;
    st->near_at = *thread;
    *thread = all;
    st->round_leaves = cb_max(1, cb_min(leaves, ROUND_BYTES / (int64_t)st->slot_bytes));
    st->sums_at = 0;
    *shared = (st->slots + st->round_leaves) * (int64_t)st->slot_bytes;
    return;
  }
}

bool cb_winograd_dw_apply(const cb_problem *problem, char *why, size_t size)
{
  cb_winograd_dw_plan st = {.kernels = NULL};
  size_t thread, needed = SIZE_MAX;
  int64_t shared;
  describe(&st, problem);
  if (cut(&st, problem, &thread, &shared, &needed)) return true;
  if (needed == SIZE_MAX)
    snprintf(why, size, "its sums exceed 63 bits");
  else
    snprintf(why, size, "it needs a workspace of %zu bytes a thread", needed);
  return false;
}

/* Counts products at the points, elements of the sums that each block of tiles adds to, elements of transformed tiles,
   and blocks. */
double cb_winograd_dw_cost(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  cb_winograd_dw_plan st = {.kernels = NULL};
  size_t thread, needed;
  int64_t shared;
  describe(&st, problem);
  if (!cut(&st, problem, &thread, &shared, &needed)) return INFINITY;
  const double tiles = (double)cb_winograd_dw_tiles(&st, geo->n), points = (double)(st.points * geo->g);
  const double channels = (double)(st.c_vectors * st.dw->lanes), filters = (double)(st.k_vectors * st.dw->lanes);
  const double blocks = ceil(tiles / (double)st.block);
  return cb_cost(CB_COST_WINOGRAD_WEIGHTS, problem,
                 (double[CB_WORK_KINDS]){[CB_WORK_MAC] = tiles * points * channels * filters,
                                         [CB_WORK_STORE] = blocks * points * channels * filters,
                                         [CB_WORK_READ] = tiles * points * (channels + filters),
                                         [CB_WORK_CALLS] = blocks,
                                         [CB_WORK_ONCE] = 1});
}

cnnblas_status cb_winograd_dw_prepare(cnnblas_conv_plan *plan)
{
  const cb_problem *problem = &plan->problem;
  size_t thread, needed;
  int64_t shared;
  cb_winograd_dw_plan *st = cb_alloc_zeroed(sizeof *st);
  if (!st) return cb_fail_memory(sizeof *st, "a plan's cuts");
  describe(st, problem);
  if (!cut(st, problem, &thread, &shared, &needed)) {
    cb_free(st);
    return cb_fail(CNNBLAS_UNSUPPORTED, "%s does not fit the workspace", plan->algorithm->name);
  }
  stay_near(st, problem, plan->team, &thread, &shared);
  const int64_t tiles = cb_winograd_dw_tiles(st, problem->geo.n),
                leaves = cb_max(1, cb_ceil_div(tiles, CB_WINOGRAD_LEAF));
  const int64_t each = st->near ? leaves : cb_max(1, cb_ceil_div(tiles, st->block)) * st->points;
  plan->state = st;
  plan->tiling = (cb_tiling){.shared_bytes = cb_aligned_size((size_t)shared),
                             .thread_bytes = thread,
                             .p_tile = st->step[0] * st->step[1],
                             .q_tile = CB_WINOGRAD_TILE_CHAIN,
                             .leaves = leaves,
                             .segments = 1,
                             .tasks = each * problem->geo.g};
  return CNNBLAS_OK;
}
