/*
 * The cost model: what an algorithm does for a problem, counted, times what each count takes, from one table.
 *
 *     seconds = sum over the kinds of work of  count * seconds of one
 *
 * An algorithm's cost() counts. The table is costs_table.h, written by bench/calibrate.py from the timing files in
 * bench/calibration.
 */
#ifndef CB_CONV_COSTS_H
#define CB_CONV_COSTS_H

#include "conv/plan.h"

/* The kinds of work. */
#define CB_WORK_LIST(X)                                                                                                \
  X(MAC)     /* multiply-adds, those on lanes that hold nothing included */                                            \
  X(STORE)   /* elements of the output, lanes that hold nothing included */                                            \
  X(READ)    /* elements of the input that are copied or lowered */                                                    \
  X(WEIGHTS) /* weights that are packed or fetched */                                                                  \
  X(CALLS)   /* images times groups */                                                                                 \
  X(ONCE)    /* 1 */

/* The rows of the table. */
#define CB_COST_LIST(X)                                                                                                \
  X(ROWS)    /* implicit_gemm, channels on the lanes */                                                                \
  X(LANES)   /* pixels on the lanes, weights packed */                                                                 \
  X(DIRECT)  /* pixels on the lanes, weights where they lie */                                                         \
  X(BATCH)   /* images on the lanes */                                                                                 \
  X(WEIGHTS) /* implicit_gemm's weight gradient, output channels on the lanes */                                       \
  X(INPUTS)  /* the same, input channels on the lanes */                                                               \
  X(GEMM_1X1)                                                                                                          \
  X(IM2COL)                                                                                                            \
  X(ROT180)                                                                                                            \
  X(DEPTHWISE)     /* any number of taps */                                                                            \
  X(DEPTHWISE_3X3) /* nine, which the compiler knows */

#define CB_ENUMERATOR(NAME) CB_WORK_##NAME,
typedef enum { CB_WORK_LIST(CB_ENUMERATOR) CB_WORK_KINDS } cb_work;
#undef CB_ENUMERATOR
#define CB_ENUMERATOR(NAME) CB_COST_##NAME,
typedef enum { CB_COST_LIST(CB_ENUMERATOR) CB_COST_ROWS_OF_TABLE } cb_cost_row;
#undef CB_ENUMERATOR

/* What an estimate counted. */
typedef struct cb_count {
  cb_cost_row row;
  double work[CB_WORK_KINDS];
} cb_count;

/* "MAC", "LANES": the names above. */
const char *cb_work_name(cb_work kind);
const char *cb_cost_row_name(cb_cost_row row);

/* The sum above, for the problem's dtype and direction at the machine's instruction-set level; infinite if the table has no
   figures for it. Leaves row and work in problem->count, if that is there. */
double cb_cost(cb_cost_row row, const cb_problem *problem, const double work[CB_WORK_KINDS]);

#endif
