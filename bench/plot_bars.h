/*
 * Pictures of a set as bars.
 */
#ifndef BENCH_PLOT_BARS_H
#define BENCH_PLOT_BARS_H

#include "plot_parts.h"

/* bars_SET_DIRECTION: a block a layer, a bar an algorithm or peer. */
void plot_bars(plots *p, const char *set, const char *direction);

/* means_SET: a block a direction, a bar the geometric mean over the layers. */
void plot_means(plots *p, const char *set);

#endif
