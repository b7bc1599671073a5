/*
 * Pictures of projections.
 */
#ifndef BENCH_PLOT_PROJECT_H
#define BENCH_PLOT_PROJECT_H

#include "plot_parts.h"

/* projected_SET: speed-up against threads, of a report of --project; three lines a direction and algorithm. */
void plot_projection(plots *p, const char *set);

#endif
