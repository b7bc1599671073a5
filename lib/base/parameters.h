/*
 * What depends on the machine, in one table: a row for each level of instructions, and what makers and caches change in it.
 *
 *     order   orders sums, or decides which algorithm runs: depends on the level alone, so that two machines of a level, of
 *             whatever maker and caches, give the same bits
 *     pace    moves only what leaves every chain of additions and every choice of an algorithm as it is: maker and caches may
 *             change it
 *
 * A figure is changed only by measurement at its level.
 */
#ifndef CB_BASE_PARAMETERS_H
#define CB_BASE_PARAMETERS_H

#include "base/cpu.h"
#include <stdbool.h>
#include <stdint.h>

enum { CB_MAX_CHUNK_STEPS = 512 /* order.chunk_steps of any level: tables of steps have this size */ };

/* What orders sums, or decides which algorithm runs: by its cost, or by whether it fits the workspace. */
typedef struct {
  int64_t chunk_steps;   /* most steps of one chain of sums: the next chunk starts a fresh one, for accuracy */
  bool whole_channels;   /* chains of y and dx are cut between channels; see conv/chains.h */
  int64_t lowered_bytes; /* of a lowered tile at most: about an L2 cache; OpenBLAS may order sums by its size */
  int64_t segment_bytes; /* of all partial weight gradients of a lowering algorithm together, at most */
  double task_macs;      /* multiply-adds that make a task of the lowering algorithms worth having: about 2 us, */
  double lowered_macs;   /* and where each task lowers its pixels anew */
  int64_t gradient_band; /* bytes of a weight gradient's band, which decides where its blocks are cut */
  int64_t band_bytes;    /* of a band of y or dx: a tile touches a fraction of it, the panel has the L2 cache */
  int64_t block_pixels;  /* of a job with pixels on the rows, about: they share each panel */
  int64_t lane_pixels;   /* with pixels on the lanes, whose tiles share nothing but the weights */
  int64_t staged_pixels; /* of all phases together, when they meet in a stage */
  int64_t shared_panels; /* bytes of weights that are packed at once for all jobs, at most */
  int64_t direct_pixels; /* of all images: up to these, pixels on the lanes read weights in place; a cost looks at it */
} cb_order;

/* What moves no bit. */
typedef struct {
  int64_t l2_bytes;    /* of a core, read at run time */
  int64_t last_bytes;  /* of the last cache, which cores share, what counts for each of them: at most 4 MiB */
  int64_t far_bytes;   /* of an operand: more is not in the caches when it is read again */
  int64_t near_bytes;  /* of a job's sums: more are not in the near caches when the next block is added */
  int64_t past_bytes;  /* of an output: so many and more are stored past the caches, which would not keep them */
  int64_t asked_bytes; /* of a fully connected layer's weight gradient: so many are asked for before they are written */
} cb_pace;

typedef struct {
  cb_order order;
  cb_pace pace;
} cb_parameters;

/* The machine's, at its level. Thread safe; the result never changes. */
const cb_parameters *cb_parameters_get(void);

/* Those of any machine: a pure function of its description. */
cb_parameters cb_parameters_of(const cb_cpu *cpu);

#endif
