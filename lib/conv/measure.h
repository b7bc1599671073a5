/* Effort "measure": time the candidates instead of estimating them. */
#ifndef CB_CONV_MEASURE_H
#define CB_CONV_MEASURE_H

#include "conv/plan.h"

/* Times every row that applies and is not by_name_only on arrays of its own, with plan's problem, options and threads;
   *best becomes the fastest, plan->seconds the measured times. If only one applies it is taken untimed. */
cnnblas_status cb_measure(cnnblas_conv_plan *plan, const cb_algorithm **best);

#endif
