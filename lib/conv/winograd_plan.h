/*
 * What the parts of the rows "winograd*" share: minimal filtering of 3 x 3 taps, or of 3 along rows, at stride 1
 * (gemm/winograd.h). winograd_rows.c has the table's rows, winograd_cut.c sizes blocks and scratch, winograd_weights.c
 * transforms and packs weights, winograd_run.c runs the jobs, winograd_direct.c computes again what is not finite.
 *
 * Forward and input gradient are one: the source is x or dy, the outputs are filters or input channels, and an input
 * gradient reads the filter's taps backwards.
 */
#ifndef CB_CONV_WINOGRAD_PLAN_H
#define CB_CONV_WINOGRAD_PLAN_H

#include "conv/row.h"
#include "gemm/engine.h"
#include "gemm/panel.h"
#include "gemm/winograd.h"

/* The forms of a row of the table: for filters of two axes, and of one. */
typedef struct {
  cb_winograd_form_id square, line;
} cb_winograd_forms;

/* Byte offsets of the parts of a thread's scratch, and the bytes of all. */
typedef struct {
  size_t v, u, m, band, columns, stage, bytes; /* v has no bytes if V is shared */
} cb_winograd_parts;

/* A problem as the transforms see it, and how its tiles are cut. A unit is a row of tiles, or, where rows are long, a
   part of one: what is transformed, and computed again, at once. */
typedef struct {
  const cb_winograd *kernels;
  const cb_winograd_form *form;
  const cb_engine *engine;
  bool forward;
  int64_t channels, outputs;  /* channels of a group that are summed over; outputs of a group */
  int64_t source[2], dest[2]; /* rows and columns of a plane of the source; of the destination */
  int64_t first[2];           /* where the first tap of output 0 reads, perhaps outside the source */
  bool turned[2];             /* on each axis, whether the filter's taps are met backwards */
  int64_t panels;             /* panels of a group's outputs */
  int64_t points;             /* points of a tile */
  int64_t weights;            /* elements of one point's U of a group */
  size_t weights_bytes;       /* bytes of the U of all groups */
  int64_t tiles[2];           /* rows of tiles; tiles of a row */
  int64_t segments;           /* units that a row of tiles is cut into */
  int64_t unit_tiles;         /* the most tiles of a unit */
  int64_t units;              /* units of an image */
  int64_t block_units;        /* the most units of a block: more than one only where a unit is a whole row of tiles */
  int64_t block_channels;     /* channels whose V a job holds at once */
  int64_t group_panels;       /* panels whose M a job holds at once */
  int64_t deals;              /* jobs that share a block, each with some of the panels */
  int64_t v_pitch, m_pitch;   /* elements from one point of V, and of M, to the next */
  bool shares_v;              /* V of all blocks is made before any is multiplied, in the shared workspace */
  size_t v_bytes;             /* bytes of V of a block of one group */
  bool fused;                 /* V is shared, and each job makes U of some of its panels, u_channels at a time */
  int64_t u_channels;         /* the most channels of U that a job holds at once */
  int64_t u_pitch;            /* elements from one point of that U to the next */
  cb_winograd_parts parts;
} cb_winograd_plan;

/* Fills everything of the plan that does not depend on how tiles are cut, for a problem that the row takes. False if
   the bytes of the transformed weights do not fit in 63 bits. */
bool cb_winograd_describe(cb_winograd_plan *st, const cb_problem *problem, const cb_winograd_forms *forms);

/* Cuts tiles, channels and panels for the workspace and the team. False if not even the smallest cut fits; the parts
   are then those of that cut. */
bool cb_winograd_cut(cb_winograd_plan *st, const cb_problem *problem, int threads);

/* Number of blocks of a call on n images. */
static inline int64_t cb_winograd_blocks(const cb_winograd_plan *st, int64_t n)
{
  return cb_ceil_div(n * st->units, st->block_units);
}

/* Number of jobs of a call on n images. */
static inline int64_t cb_winograd_jobs(const cb_winograd_plan *st, int64_t n, int64_t groups)
{
  return (st->fused ? 1 : cb_winograd_blocks(st, n)) * groups * st->deals;
}

/* Channels [from, to) of panel b of group ig. */
typedef struct {
  int64_t ig, b, from, to;
} cb_winograd_piece;

/* Makes the piece's U from w as it is: its first point goes to `to`, and points are `pitch` elements apart. */
void cb_winograd_transform(const cb_winograd_plan *st, const cb_geometry *geo, const cb_winograd_piece *piece,
                           const void *w, void *to, int64_t pitch);

/* The number of independent tasks of transforming all weights; and one of them, from w as it is to u. */
int64_t cb_winograd_weight_tasks(const cb_winograd_plan *st, const cb_geometry *geo);
void cb_winograd_weight_task(const cb_winograd_plan *st, const cb_geometry *geo, int64_t task, const void *w, void *u);

/* The forms of each row, and how it packs weights once for many forwards: U, and behind it the weights as they were. */
extern const cb_winograd_forms cb_winograd_forms_2, cb_winograd_forms_3, cb_winograd_forms_4;
extern const cb_packing cb_winograd_packing_2, cb_winograd_packing_3, cb_winograd_packing_4;

/* Some outputs of one image that are computed by the definition, summed in double: to[((r * pitch) + q) * L + l]
   becomes output `output` + l at row `row` + r, column `column` + q. */
typedef struct {
  const cb_call *call;
  const cb_winograd_plan *st;
  int64_t image, group, output, count;
  int64_t row, rows, column, columns;
  void *to;
  int64_t pitch;
} cb_winograd_again;

void cb_winograd_directly(const cb_winograd_again *again);

/* Bytes of all weights' U in the shared workspace: none where weights come packed, or where jobs make their own U. */
static inline size_t cb_winograd_shared_weights(const cb_winograd_plan *st, const cb_problem *problem)
{
  return problem->packed || st->fused ? 0 : st->weights_bytes;
}

/* Bytes of the shared workspace: all weights' U, and V if it is shared. */
static inline size_t cb_winograd_shared(const cb_winograd_plan *st, const cb_problem *problem)
{
  const int64_t blocks = st->shares_v ? cb_winograd_blocks(st, problem->geo.n) * problem->geo.g : 0;
  return cb_winograd_shared_weights(st, problem) + (size_t)blocks * st->v_bytes;
}

/* Adds the loops of a call. */
void cb_winograd_work(cb_call *call);

#endif
