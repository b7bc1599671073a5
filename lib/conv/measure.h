/* Effort "measure": candidates are timed, not estimated. */
#ifndef CB_CONV_MEASURE_H
#define CB_CONV_MEASURE_H

#include "conv/row.h"

/*
 * Times every row that applies, whose bound the problem's accuracy allows and that is not by_name_only, with the plan's
 * problem, options and threads, on arrays made for it, in rounds in which the rows take turns (rounds.h). *best becomes
 * the row that is the best by its times, or by its estimate (plan->seconds) where noise hides which row is;
 * plan->measured becomes the least times. If only one row applies it is taken untimed.
 */
cnnblas_status cb_measure(cnnblas_conv_plan *plan, const cb_algorithm **best);

#endif
