/*
 * cnnblas-bench --latency: not how fast a call can be, but how long a single one takes, and how long the slowest in a
 * hundred; with the layer's arrays in the caches, and with other data there.
 */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include "options.h"
#include "report.h"

/* Times and checks every problem, prints the table and writes options->json. Returns an exit status. */
int bench_latency_run(const bench_options *options, bench_context *context);

#endif
