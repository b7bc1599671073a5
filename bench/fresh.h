/*
 * --fresh: the same run once more, in a new process.
 */
#ifndef BENCH_FRESH_H
#define BENCH_FRESH_H

#include "report.h"

/* Runs this program again with the same arguments but for --fresh, --json and --csv, then prints the comparison of the
   results with the new run's. Returns an exit status. */
int bench_fresh_run(int argc, char **argv, const bench_results *results, const bench_context *context);

#endif
