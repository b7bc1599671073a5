/*
 * The cost model: what an algorithm does for a problem, counted, times what each count takes, from one table.
 *
 *     seconds = sum over the kinds of work of  count * seconds of one
 *
 * An algorithm's cost() counts; costs.c has the table and says where its figures come from.
 */
#ifndef CB_CONV_COSTS_H
#define CB_CONV_COSTS_H

#include "conv/plan.h"

typedef enum {
  CB_WORK_MAC,     /* multiply-adds, those on lanes that hold nothing included */
  CB_WORK_STORE,   /* elements of the output, lanes that hold nothing included */
  CB_WORK_READ,    /* elements of the input that are copied or lowered */
  CB_WORK_WEIGHTS, /* weights that are packed or fetched */
  CB_WORK_CALLS,   /* images times groups */
  CB_WORK_ONCE,    /* 1 */
  CB_WORK_KINDS
} cb_work;

typedef enum {
  CB_COST_ROWS,    /* implicit_gemm's images, pixels on the rows */
  CB_COST_LANES,   /* pixels on the lanes, weights packed */
  CB_COST_DIRECT,  /* pixels on the lanes, weights where they lie */
  CB_COST_BATCH,   /* images on the lanes */
  CB_COST_WEIGHTS, /* implicit_gemm's weight gradient */
  CB_COST_GEMM_1X1,
  CB_COST_IM2COL,
  CB_COST_ROT180,
  CB_COST_DEPTHWISE,     /* any number of taps */
  CB_COST_DEPTHWISE_3X3, /* nine, which the compiler knows */
  CB_COST_ROWS_OF_TABLE
} cb_cost_row;

/* The sum above, for the problem's dtype and direction at the machine's instruction-set level. */
double cb_cost(cb_cost_row row, const cb_problem *problem, const double work[CB_WORK_KINDS]);

/* Pixels of an image as OpenBLAS's products cost them: a single one makes each product that of a matrix and a vector, which
   takes as long as about 64. */
double cb_cost_pixels(int64_t pixels);

#endif
