/*
 * cnnblas-bench --calibrate FILE: what the estimates behind the automatic choice are fitted to.
 *
 * Every algorithm of the library is timed by name on every problem; beside the time stands the work that its estimate counts.
 * bench/calibrate.py fits the time of one of each kind of work to such files.
 */
#ifndef BENCH_CALIBRATE_H
#define BENCH_CALIBRATE_H

#include "options.h"
#include "report.h"

/*
 * Times, checks and counts; writes options->calibrate: "context" as in a report, "kinds" (the names of the kinds of work), and
 * "samples", each [problem, direction, algorithm, row of the table of costs, [count of each kind], seconds]. Returns an exit
 * status.
 */
int bench_calibrate_run(const bench_options *options, bench_context *context);

#endif
