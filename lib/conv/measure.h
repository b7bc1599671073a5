/* Effort "measure": time the candidates instead of estimating them. */
#ifndef CB_CONV_MEASURE_H
#define CB_CONV_MEASURE_H

#include "conv/row.h"

/*
 * Times every row that applies, whose bound the problem's accuracy allows and that is not by_name_only, on arrays of its own, with
 * plan's problem, options and threads, in rounds in which they take turns (rounds.h). *best becomes the one that is the best by its times, or by its estimate (plan->seconds) where noise
 * hides which it is; plan->measured becomes the least times. If only one applies it is taken untimed.
 */
cnnblas_status cb_measure(cnnblas_conv_plan *plan, const cb_algorithm **best);

#endif
