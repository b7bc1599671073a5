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

#include "conv/row.h"
#include "conv/work.h"

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

/* How many times as long OpenBLAS takes for a multiply-add of a product of so many pixels: with one, a matrix by a vector, it
   reads every weight for a single one. */
static inline double cb_cost_thin(int64_t pixels)
{
  return pixels == 1 ? 8 : 1;
}

#endif
