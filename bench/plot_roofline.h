/*
 * The roofline of a set.
 */
#ifndef BENCH_PLOT_ROOFLINE_H
#define BENCH_PLOT_ROOFLINE_H

#include "plot_parts.h"

/* roofline_SET: the rows of the automatic choice under the measured peaks, a mark a layer and direction. */
void plot_roofline(plots *p, const char *set);

#endif
