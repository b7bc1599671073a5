/*
 * What depends on the machine, in one table: a row for each level of instructions, and what makers and caches change.
 *
 *     order   orders sums, or decides which algorithm runs: depends on the level alone, so that two machines of a
 *             level, of whatever maker and caches, give the same bits
 *     pace    moves only what leaves every chain of additions and every choice of an algorithm as it is: maker and
 *             caches may change it
 *
 * A figure is changed only by measurement at its level.
 */
#ifndef CB_BASE_PARAMETERS_H
#define CB_BASE_PARAMETERS_H

#include "base/cpu.h"
#include <stdbool.h>
#include <stdint.h>

enum { CB_MAX_CHUNK_STEPS = 512 /* the largest order.chunk_steps of any level: tables of steps have this size */ };

/* Figures that order sums, or decide which algorithm runs: by its cost, or by whether it fits the workspace. */
typedef struct {
  int64_t chunk_steps;    /* the most steps of one chain of sums: the next chunk starts a fresh one, for accuracy */
  bool whole_channels;    /* chains of y and dx are cut between channels; see conv/chains.h */
  int64_t lowered_bytes;  /* the most bytes of a lowered tile: about an L2 cache; OpenBLAS may order sums by its size */
  int64_t segment_bytes;  /* the most bytes of all partial weight gradients of a lowering algorithm together */
  double task_macs;       /* multiply-adds that make a task of the lowering algorithms worth having: about 2 us */
  double lowered_macs;    /* multiply-adds that do so where each task lowers its pixels anew */
  int64_t gradient_band;  /* bytes of a weight gradient's band, which decides where its blocks are cut */
  int64_t far_rows_bytes; /* rows of a 1x1 weight gradient of more bytes, all images together, are packed */
  int64_t gathered_bytes; /* a strided weight gradient's source of more bytes is gathered for jobs of many panels */
  int64_t band_bytes;   /* the most bytes of a band of y or dx: a tile touches a fraction, the panel has the L2 cache */
  int64_t block_pixels; /* about the pixels of a block with pixels on the rows: they share each panel */
  int64_t lane_pixels;  /* about the pixels of a block with pixels on the lanes: tiles share nothing but the weights */
  int64_t staged_pixels; /* about the pixels of a block of all phases together, when they meet in a stage */
  int64_t shared_panels; /* the most bytes of weights that are packed at once for all jobs */
  int64_t direct_pixels; /* pixels of all images up to which lanes of pixels read weights in place; a cost uses it */
} cb_order;

/* Figures that move no bit of a result. */
typedef struct {
  int64_t l2_bytes;    /* bytes of a core's L2 cache, read at run time */
  int64_t last_bytes;  /* bytes of the last cache, which cores share, that count for each of them: at most 4 MiB */
  int64_t far_bytes;   /* an operand of more bytes is not in the caches when it is read again */
  int64_t near_bytes;  /* a job's sums of more bytes are not in the near caches when the next block is added */
  int64_t past_bytes;  /* an output of so many bytes or more is stored past the caches, which would not keep it */
  int64_t asked_bytes; /* a fully connected layer's dw of so many bytes or more is asked for before it is written */
} cb_pace;

typedef struct {
  cb_order order;
  cb_pace pace;
} cb_parameters;

/* The parameters of this machine at its level. Thread safe; the result never changes. */
const cb_parameters *cb_parameters_get(void);

/* The parameters of any machine: a pure function of its description. */
cb_parameters cb_parameters_of(const cb_cpu *cpu);

#endif
