/*
 * What the parts of implicit_gemm:slivers share: implicit_map_slivers.c plans, implicit_map_slivers_cut.c shares the work out,
 * implicit_map_slivers_pack.c packs weights and finds the runs of pixels, implicit_map_slivers_run.c runs the jobs.
 */
#ifndef CB_CONV_IMPLICIT_MAP_SLIVERS_PARTS_H
#define CB_CONV_IMPLICIT_MAP_SLIVERS_PARTS_H

#include "conv/chains.h"
#include "conv/row.h"
#include "gemm/engine.h"

enum { CB_SLIVERS_MAX_PHASES = 64, CB_SLIVERS_MAX_GROUP = 8 /* tiles whose slivers lie in L1 together */ };

/* One gather of the plan: all of a forward, one phase of an input gradient. */
typedef struct {
  int64_t chains;
  int64_t *cut;       /* [chains + 1] steps where chains begin, and the end */
  int32_t *walk;      /* [st->channels * taps] from a band's first channel on */
  int64_t *tap;       /* [taps] the filter's tap of each of the gather's */
  int64_t weights_at; /* elements before this phase's packed weights */
} cb_sliver_phase;

/* Byte offsets of the parts of a thread's scratch, and their end. */
typedef struct {
  size_t band, sums, slivers, weights, runs, rows, first, stage, bytes;
} cb_sliver_parts;

/* The state of a plan. */
typedef struct {
  const cb_engine *engine;
  bool forward;
  bool staged;         /* several phases: they meet when a block is done, and are woven into whole rows */
  bool shared_weights; /* packed once for all jobs; else each job packs its part of a chain before it is used */
  int64_t phases;
  cb_gather *gather;      /* [phases]; the phases of a strided gradient all have the outputs of the first */
  cb_sliver_phase *phase; /* [phases] */
  cb_band band;           /* of `channels` channels */
  int64_t channels;       /* most that a chain reads */
  int64_t steps;          /* most of a chain */
  int64_t width;          /* lanes of a tile: pixels */
  int64_t outputs, tiles; /* of one group: filters or input channels, and tiles of them */
  int64_t deals;          /* jobs that share a block, each with some of the tiles of outputs */
  int64_t near_tiles;     /* tiles of outputs whose weights of a chain stay near */
  cb_chain_rule rule;
  int64_t dest[3], source_image, dest_image, source_plane, dest_plane; /* elements */
  cb_sliver_parts parts;
} cb_slivers;

/* The first output of tile t, of st->tiles. */
static inline int64_t cb_sliver_output(const cb_slivers *st, int64_t t)
{
  return t == st->tiles ? st->outputs : cb_split(st->outputs, st->tiles, t);
}

/* Tiles of outputs of each job that shares a block, at most; pixels of a full block in whole tiles. */
static inline int64_t cb_sliver_job_tiles(const cb_slivers *st)
{
  return cb_ceil_div(st->tiles, st->deals);
}
static inline int64_t cb_sliver_block_tiles(const cb_slivers *st)
{
  return cb_ceil_div(st->band.pixels, st->width);
}

/* Elements of one sliver of `steps` steps in the scratch, with the room that packing needs behind it. */
static inline int64_t cb_sliver_pitch(const cb_slivers *st, int64_t steps)
{
  return (steps + 2) * st->width;
}

/* Tiles whose slivers of a chain of so many steps are packed together. */
int64_t cb_sliver_group(const cb_slivers *st, size_t element, int64_t steps);

/* Cuts blocks and deals outputs for so many threads. False: not even the smallest fits; needed becomes what it takes. */
bool cb_slivers_cut(cb_slivers *st, const cb_problem *problem, int threads, size_t *needed);

/* Elements of all packed weights of a phase, one group. */
static inline int64_t cb_sliver_weights(const cb_slivers *st, int64_t i)
{
  return st->outputs * st->gather[i].q;
}

/* Weights of chain j of phase i and group ig for tiles [first, end) of outputs, from `w` to `to`. */
void cb_sliver_pack_weights(const cb_slivers *st, const cb_geometry *geo, const void *w, int64_t i, int64_t ig,
                            int64_t j, int64_t first, int64_t end, void *to);

/* Where they lie among all that are packed, in elements. */
int64_t cb_sliver_weights_place(const cb_slivers *st, const cb_geometry *geo, int64_t i, int64_t ig, int64_t j,
                                int64_t tile);

/* The pixels of a block, tile by tile: runs side by side in the band, and rows side by side in the destination. Tile t has
   run[first_run[t]] up to run[first_run[t + 1]], and the same of rows. */
typedef struct {
  cb_run *run, *row;
  int32_t *first_run, *first_row; /* [tiles + 1] */
  int64_t pixels, tiles;
} cb_sliver_tables;

void cb_sliver_tables_fill(const cb_slivers *st, const cb_block_range *block, cb_sliver_tables *tables);

/* Adds the loops of a call. */
void cb_slivers_work(cb_call *call);

#endif
