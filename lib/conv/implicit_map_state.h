/* Inside implicit_gemm's forward and input gradient: the plan's state, and what its files do with it; implicit.h says
   which file does what. */
#ifndef CB_CONV_IMPLICIT_MAP_STATE_H
#define CB_CONV_IMPLICIT_MAP_STATE_H

#include "conv/boxes.h"
#include "conv/implicit.h"

/* Outputs of a gather that share their taps, and the walks over those. */
typedef struct {
  cb_box box;
  int64_t steps, chunks;               /* steps of a sum, and chains that it is cut into */
  int32_t *walk;                       /* [steps] element of the band where each step lies, from the pixel's row */
  int32_t *lane[CB_PANEL_VECTORS + 1]; /* lane[v][steps], v > 0: element where each step lies in a panel of v vectors */
  int32_t *cut;                        /* [chunks + 1] the steps where chains of sums begin, and the number of steps */
} cb_walks;

/* One gather of the plan: all of a forward, one phase of an input gradient. */
typedef struct {
  cb_walks *walks; /* [boxes] the walks of each box of outputs */
  int boxes;
  int32_t *weight;   /* [q] element where each step's weight of output 0 lies; NULL if weights are packed */
  int64_t *tap;      /* [taps] the filter's tap of each of the gather's taps */
  int64_t panels_at; /* elements of packed panels before those of this phase */
} cb_phase;

/* Byte offsets of the parts of a thread's scratch, and the bytes of all. */
typedef struct {
  size_t band, panel, rows, position, spare, sums, stage, bytes;
} cb_scratch_parts;

/* The state of a plan. */
typedef struct {
  const cb_engine *engine;
  int64_t phases;
  cb_gather *gather; /* [phases] where in the source each phase's steps are read */
  cb_phase *phase;   /* [phases] the taps that each phase of outputs has, and where its outputs lie */
  cb_band band;
  int pixel_vectors;        /* the most vectors of a tile with pixels on the lanes */
  bool pixel_lanes;         /* the orientation: pixels are on the lanes instead of the rows */
  bool staged;              /* the destination is strided: phases meet in a stage, which is then stored in whole rows */
  bool past;                /* the output is so large that it is stored past the caches */
  bool gaps;                /* some outputs have no tap and are 0 */
  unsigned axes;            /* a bit for each axis on which the outputs are cut into boxes */
  bool shared_panels;       /* weights are packed once for all jobs */
  bool direct_weights;      /* weights are read where they lie; only with pixels on the lanes */
  int64_t outputs;          /* outputs of one group: filters, or input channels */
  int64_t panels;           /* panels of one group's outputs */
  int64_t given_steps;      /* steps of a panel that the caller packed, which has all taps; 0 if weights come plain */
  int64_t round_panels;     /* panels packed at a time if they are shared: all, or what the workspace holds */
  int64_t panel_groups;     /* jobs that share the panels of a block and round */
  int32_t row[CB_MAX_ROWS]; /* element where the weights of each output of a tile lie, if read in place */
  cb_chain_rule rule;       /* where sums are cut into chains */
  /* size of a destination plane; elements of an image and of a plane of source, destination and stage */
  int64_t dest[3], source_image, dest_image, source_plane, dest_plane, stage_plane;
  cb_scratch_parts parts;
} cb_map;

/* Steps of a packed panel of a phase. */
static inline int64_t cb_map_panel_steps(const cb_map *st, const cb_gather *gather)
{
  return st->given_steps ? st->given_steps : gather->q;
}

/* Elements of one group's packed panels of a phase; the element, among all packed panels, where panel b of group ig and
   phase i begins. */
int64_t cb_map_group_elements(const cb_map *st, const cb_gather *gather);
int64_t cb_map_panel_place(const cb_map *st, int64_t i, int64_t ig, int64_t b);

/* Cuts blocks of pixels and groups of panels for so many threads, says who packs, chooses boxes and lays out the
   scratch. The largest blocks that it may cut are those for one thread; other blocks are only taken if they fit the
   workspace. */
void cb_map_cut(cb_map *st, const cb_problem *problem, int threads);

/* About the multiply-adds, of whole vectors and with those whose place short tiles take, of a call with pixels on the
   rows. */
double cb_map_row_products(const cb_map *st, const cb_problem *problem);

/* True if a thread's scratch fits the workspace. */
bool cb_map_fit(const cb_map *st, const cb_problem *problem);

/* A state like the draft, in one allocation with its gathers, phases and tables, which are still empty; NULL if there
   is no memory for it. */
cb_map *cb_map_allocate(const cb_map *draft);

/* Fills the tables of phase i, whose sums have steps. */
cnnblas_status cb_map_fill(cb_map *st, const cb_geometry *geo, bool forward, int64_t i);

/* Pixels of a block that share their taps: entries [first, first + count) of the block's tables. */
typedef struct {
  const cb_walks *walks;
  int64_t first, count;
} cb_part;

/* What the tiles of one job and phase share. */
typedef struct {
  const cb_call *call;
  const cb_map *st;
  const cb_gather *gather;
  const cb_phase *phase;
  const void *band;    /* the block's band, or the source itself */
  int32_t *rows;       /* element of the band where each pixel lies */
  int64_t *position;   /* element of the destination, or of the stage, where each pixel goes */
  void *sums, *spare;  /* room for a tile's sums; room for a packed vector of pixels of q steps */
  const cb_part *part; /* [parts] the block's pixels in this phase, by their taps */
  int parts;
  int64_t ig;    /* the group of channels */
  int64_t dest;  /* the element of the call's output that is output 0 of the group at position 0 */
  int64_t plane; /* elements from one output to the next, in the call's output or in the stage */
  void *stage;   /* the stage of one panel, from output `staged` on; NULL if results go to the output */
  int64_t staged;
} cb_map_tiles;

/* A store of the results of outputs from `first` on, at `position` of the destination. */
static inline cb_store cb_map_store(const cb_map_tiles *j, int64_t first, int64_t position)
{
  if (!j->stage)
    return cb_implicit_store(j->call, j->dest + first * j->plane + position, j->ig * j->st->outputs + first);
  const int64_t at = (first - j->staged) * j->plane + position; /* the epilogue comes when the stage is stored */
  return (cb_store){.out = cb_at_mut(j->stage, at, j->call->plan->problem.geo.element)};
}

/* Computes all tiles of the job with one packed panel, pixels on the rows. */
void cb_map_channels(const cb_map_tiles *job, const cb_panel *panel, const void *lanes);

/* Computes all tiles of the job with panels [first, last), pixels on the lanes. `weights` points to panel 0 of panels
   packed one behind the other, or to the weights of output 0 where they lie. */
void cb_map_pixels(const cb_map_tiles *job, int64_t first, int64_t last, const void *weights);

#endif
