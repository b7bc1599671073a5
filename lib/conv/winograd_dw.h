/*
 * Inside the rows "winograd*": the weight gradient. winograd_dw.c plans, winograd_dw_run.c runs, winograd_dw_direct.c
 * computes again what is not finite.
 *
 * All tiles of all images are one row of numbers. Chains of CB_WINOGRAD_TILE_CHAIN tiles are added up in a leaf of so
 * many chains, and the leaves are joined in a binary tree: none of this depends on how many tiles are transformed at
 * once.
 */
#ifndef CB_CONV_WINOGRAD_DW_H
#define CB_CONV_WINOGRAD_DW_H

#include "conv/row.h"
#include "gemm/engine.h"
#include "gemm/winograd_gradient.h"

enum {
  CB_WINOGRAD_LEAF = 32 * CB_WINOGRAD_TILE_CHAIN, /* tiles of a leaf: 32 chains of as many tiles each */
  CB_WINOGRAD_PIECE = 64,                         /* the most tiles of a band */
  CB_WINOGRAD_BAND = 528,                         /* the most columns of a band, those of all its rows together */
  CB_WINOGRAD_STAGE = 32                          /* the most channels that are transformed back at once */
};

/* The state of a plan. V is the transformed x, D the transformed dy; pitches and groups are in elements. */
typedef struct {
  const cb_winograd *kernels;     /* the transforms of x */
  const cb_winograd_gradient *dw; /* the transforms of dy and back, and the products */
  const cb_engine *engine;
  bool square;                  /* 3 x 3 taps; else 3 taps along rows */
  bool turned[2];               /* the taps of h, and of w, are met backwards */
  int64_t first[2];             /* where the first tap of output 0 reads, perhaps outside x */
  int64_t tiles[2];             /* rows of tiles; tiles of a row */
  int64_t step[2];              /* elements of dy from one tile to the next */
  int64_t points, taps;         /* points of a tile; taps of a filter's plane */
  int64_t c_vectors, k_vectors; /* vectors of channels and of filters of a group */
  int64_t block;                /* the most tiles transformed at once, a part of a leaf; if near, those of a thread */
  int64_t pitch;                /* elements from one vector to the next in V and D: block * L */
  int64_t v_pitch, d_pitch, sums_pitch; /* elements from one point to the next in V, D and sums */
  int64_t v_group, d_group, sums_group; /* elements from one group to the next in V, D and sums */
  int64_t slots;                        /* partial sums that are held at once */
  bool near;                            /* a task has a whole leaf, whose V, D and sums stay in its thread's caches */
  int64_t round_leaves;                 /* the most leaves of a round, whose sums lie behind the slots; only if near */
  size_t near_at;                       /* bytes of a thread's scratch before V and D; only if near */
  size_t d_at, sums_at, slot_bytes;     /* bytes of the shared workspace before D, before the slots; bytes of a slot */
  size_t columns_at, stage_at;          /* bytes of a thread's scratch, behind the band, before columns and stage */
} cb_winograd_dw_plan;

/* Number of tiles of a call on n images. */
static inline int64_t cb_winograd_dw_tiles(const cb_winograd_dw_plan *st, int64_t n)
{
  return n * st->tiles[0] * st->tiles[1];
}

/* The weight gradient's functions of the table's rows: whether it can do the problem within its budget, the estimated
   seconds if it can, the plan's state and tiling, the loops of a call. */
bool cb_winograd_dw_apply(const cb_problem *problem, char *why, size_t size);
double cb_winograd_dw_cost(const cb_problem *problem);
cnnblas_status cb_winograd_dw_prepare(cnnblas_conv_plan *plan);
void cb_winograd_dw_work(cb_call *call);

/* Computes, by the definition and summed in double, the weight gradient of the group's filter k and channel c: tap t
   goes to to[t * pitch]. */
void cb_winograd_dw_directly(const cb_call *call, int64_t group, int64_t k, int64_t c, void *to, int64_t pitch);

#endif
