/*
 * How work is shared out among a team: the estimates by which plans choose their jobs, in cycles, of which a
 * multiply-add of a whole vector takes one. What is chosen by them moves no bit of a result.
 */
#ifndef CB_CONV_CUTS_H
#define CB_CONV_CUTS_H

#include "conv/row.h"

enum {
  CB_JOB_CYCLES = 60000,  /* the least cycles of a job, if there are more than two jobs: about 20 us at 3 GHz */
  CB_START_CYCLES = 3000, /* cycles of a job until its tables are made and its data is near */
  CB_CUT_STEPS = 24,      /* the most sizes of a part that a plan tries */
  CB_FEW_PARTS = 4096     /* the longest extent of which every number of parts that makes a difference is tried */
};

/* About the cycles that an element takes to be put into a band whose rows have ROW elements: measured where a cycle is
   two multiply-adds of a vector (Zen 5), which makes it dear; where a cycle is one, jobs may be larger than they had to
   be. */
#define CB_BAND_CYCLES(ROW, STRIDE) (((STRIDE) > 1 ? 1.2 : 0.7) + 12.0 / (double)(ROW))

/* One way to share the work out: cycles in all, cycles of the largest job, and the number of jobs. */
typedef struct {
  double total, largest;
  int64_t jobs;
} cb_cut;

/* About the cycles until a team has begun or met: 1 us for two threads that are awake (measured on Zen 5), 5 us for 64
   threads. */
static inline double cb_barrier_cycles(int threads)
{
  double cycles = 1000;
  for (int reached = 1; reached < threads; reached *= 2) cycles += 3000;
  return cycles;
}

/* About the cycles until a team of so many threads has done the cut's jobs. More turns of jobs even out what nobody
   foresees. */
static inline double cb_cut_time(const cb_cut *cut, int threads)
{
  if (threads == 1 || cut->jobs == 1) return cut->total;
  double turns = (double)cb_ceil_div(cut->jobs, threads), even = cut->total / (double)cut->jobs;
  return turns * even * (1 + 0.1 / turns) + (cut->largest - even) + cb_barrier_cycles(threads);
}

/* True if the jobs are worth their calls: not too many for the work. */
static inline bool cb_cut_worthwhile(const cb_cut *cut)
{
  return cut->jobs <= 2 || cut->total >= (double)CB_JOB_CYCLES * (double)cut->jobs;
}

/* The next larger number of parts of `extent` that makes the largest part smaller; for long extents, a number
   larger by a sixteenth. extent + 1 after the last number. */
static inline int64_t cb_next_parts(int64_t extent, int64_t parts)
{
  int64_t largest = cb_ceil_div(extent, parts);
  if (largest <= 1) return extent + 1;
  int64_t next = cb_ceil_div(extent, largest - 1);
  return extent > CB_FEW_PARTS ? cb_min(extent, cb_max(next, parts + parts / 16)) : next;
}

#endif
