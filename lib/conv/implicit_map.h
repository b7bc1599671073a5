/* implicit_gemm's forward and input gradient, channels or pixels on the lanes, as the table's rows call it. */
#ifndef CB_CONV_IMPLICIT_MAP_H
#define CB_CONV_IMPLICIT_MAP_H

#include "conv/row.h"

/* The functions of the table's rows: whether the row can do the problem within its budget, the estimated seconds if it
   can, the plan's state and tiling, the loops of a call (implicit_map_run.c). pixel_lanes: pixels are on the lanes
   instead of channels. */
bool cb_map_apply(const cb_problem *problem, bool pixel_lanes, char *why, size_t size);
double cb_map_cost(const cb_problem *problem, bool pixel_lanes);
cnnblas_status cb_map_prepare(cnnblas_conv_plan *plan, bool pixel_lanes);
void cb_map_work(cb_call *call);

#endif
