/*
 * Pictures of sweeps.
 */
#ifndef BENCH_PLOT_SWEEP_H
#define BENCH_PLOT_SWEEP_H

#include "plot_parts.h"

/* scaling_VARIABLE_LAYER_DIRECTION: GFLOP/s against the swept value, a line an algorithm; row: any row of the sweep. Draws
   nothing for a row of no sweep, and for a sweep that an earlier row belongs to. */
void plot_sweep(plots *p, size_t row);

#endif
