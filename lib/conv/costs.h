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

/* What an estimate counted: the row of the table of costs, and the amount of each kind of work. */
typedef struct cb_count {
  cb_cost_row row;
  double work[CB_WORK_KINDS];
} cb_count;

/* The names in work.h of a kind of work ("MAC") and of a row of the table of costs ("LANES"). */
const char *cb_work_name(cb_work kind);
const char *cb_cost_row_name(cb_cost_row row);

/* The estimated seconds, by the sum above, for the problem's dtype and direction at the machine's instruction-set
   level; infinite if the table has no figures for them. problem->count, unless it is NULL, gets row and work. */
double cb_cost(cb_cost_row row, const cb_problem *problem, const double work[CB_WORK_KINDS]);

/* How many times as long OpenBLAS takes for a multiply-add of a product of so many pixels. One pixel is a matrix by a
   vector: it reads every weight for a single multiply-add. */
static inline double cb_cost_thin(int64_t pixels)
{
  return pixels == 1 ? 8 : 1;
}

#endif
