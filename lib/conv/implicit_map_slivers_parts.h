/*
 * What the parts of implicit_gemm:slivers share: implicit_map_slivers.c plans, implicit_map_slivers_cut.c shares the
 * work out, implicit_map_slivers_pack.c packs a call's weights and finds the runs of pixels,
 * implicit_map_slivers_packing.c packs weights once for many calls, and implicit_map_slivers_run.c computes the results.
 */
#ifndef CB_CONV_IMPLICIT_MAP_SLIVERS_PARTS_H
#define CB_CONV_IMPLICIT_MAP_SLIVERS_PARTS_H

#include "conv/chains.h"
#include "conv/row.h"
#include "gemm/engine.h"

enum { CB_SLIVERS_MAX_PHASES = 64, CB_SLIVERS_MAX_GROUP = 8 /* the most tiles whose slivers lie in L1 together */ };

/* One gather of the plan: all of a forward, one phase of an input gradient. */
typedef struct {
  int64_t chains;     /* chains of a sum */
  int64_t *cut;       /* [chains + 1] the steps where chains begin, and the number of all steps */
  int32_t *walk;      /* [st->channels * taps] where each step lies in the band, from its first channel on */
  int64_t *tap;       /* [taps] the filter's tap of each of the gather's taps */
  int64_t weights_at; /* elements of packed weights before those of this phase */
} cb_sliver_phase;

/* Byte offsets of the parts of a thread's scratch, and the bytes of all. */
typedef struct {
  size_t band, sums, slivers, weights, runs, rows, first, stage, bytes;
} cb_sliver_parts;

/* The state of a plan. */
typedef struct {
  const cb_engine *engine;
  bool forward;
  bool staged; /* true if there are several phases, which are woven into whole rows when a block is done */
  bool
      shared_weights; /* weights are packed once for all jobs, or by the caller; else each job packs its part of a chain
                          before use */
  int64_t phases;
  cb_gather *gather;      /* [phases] the gathers; those of a strided gradient all have the outputs of the first */
  cb_sliver_phase *phase; /* [phases] the tables of each phase */
  cb_band band;           /* the band of a chain, of `channels` channels */
  int64_t channels;       /* the most channels that a chain reads */
  int64_t steps;          /* the most steps of a chain */
  int64_t width;          /* lanes of a tile, which are pixels */
  int64_t outputs, tiles; /* outputs of one group (filters or input channels), and tiles of outputs */
  int64_t deals;          /* jobs that share a block, each with some of the tiles of outputs */
  int64_t near_tiles;     /* the most tiles of outputs whose weights of a chain stay in near caches */
  cb_chain_rule rule;     /* where sums are cut into chains */
  /* size of a destination plane; elements of an image and of a plane of the source and the destination */
  int64_t dest[3], source_image, dest_image, source_plane, dest_plane;
  cb_sliver_parts parts;
} cb_slivers;

/* The first output of tile t of outputs; where t is st->tiles, the number of outputs. */
static inline int64_t cb_sliver_output(const cb_slivers *st, int64_t t)
{
  return t == st->tiles ? st->outputs : cb_split(st->outputs, st->tiles, t);
}

/* The most tiles of outputs of a job, and the number of tiles of pixels of a full block. */
static inline int64_t cb_sliver_job_tiles(const cb_slivers *st)
{
  return cb_ceil_div(st->tiles, st->deals);
}
static inline int64_t cb_sliver_block_tiles(const cb_slivers *st)
{
  return cb_ceil_div(st->band.pixels, st->width);
}

/* Elements in the scratch of a sliver of `steps` steps, with the room that packing needs behind it. */
static inline int64_t cb_sliver_pitch(const cb_slivers *st, int64_t steps)
{
  return (steps + 2) * st->width;
}

/* Number of tiles of pixels whose slivers of a chain of `steps` steps are packed together. */
int64_t cb_sliver_group(const cb_slivers *st, size_t element, int64_t steps);

/* Cuts blocks and deals outputs for so many threads. False if not even the smallest block fits the workspace; *needed
   is then the bytes a thread that it takes. */
bool cb_slivers_cut(cb_slivers *st, const cb_problem *problem, int threads, size_t *needed);

/* Elements of one group's packed weights of phase i. */
static inline int64_t cb_sliver_weights(const cb_slivers *st, int64_t i)
{
  return st->outputs * st->gather[i].q;
}

/* Packs the weights of chain j of phase i and group ig for tiles [first, end) of outputs, from `w` to `to`. */
void cb_sliver_pack_weights(const cb_slivers *st, const cb_geometry *geo, const void *w, int64_t i, int64_t ig,
                            int64_t j, int64_t first, int64_t end, void *to);

/* The element, among all packed weights, where those of chain j of phase i and group ig for a tile of outputs begin. */
int64_t cb_sliver_weights_place(const cb_slivers *st, const cb_geometry *geo, int64_t i, int64_t ig, int64_t j,
                                int64_t tile);

/* The pixels of a block, tile by tile: runs side by side in the band, and rows side by side in the destination. Tile t
   has run[first_run[t]] up to run[first_run[t + 1]] (exclusive), and likewise the rows from first_row[t] on. */
typedef struct {
  cb_run *run, *row;
  int32_t *first_run, *first_row; /* [tiles + 1] */
  int64_t pixels, tiles;
} cb_sliver_tables;

void cb_sliver_tables_fill(const cb_slivers *st, const cb_block_range *block, cb_sliver_tables *tables);

/* The packing, once for many calls, of the weights of a forward and of an input gradient
   (implicit_map_slivers_packing.c). */
extern const cb_packing cb_sliver_packing, cb_sliver_data_packing;

/* Adds the loops of a call. */
void cb_slivers_work(cb_call *call);

#endif
