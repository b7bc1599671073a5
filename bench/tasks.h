/*
 * The problems of a run, one direction after the other, with arrays and expected results.
 */
#ifndef BENCH_TASKS_H
#define BENCH_TASKS_H

#include "check.h"
#include "options.h"

/* Called for each problem and direction. Returns an exit status; it says itself what went wrong, but for
   BENCH_NO_MEMORY. */
typedef int (*bench_on_task)(void *context, const bench_problem *problem, const bench_task *task,
                             const bench_expected *expected);

/*
 * Calls on_task for each; sets the threads before, and shows the progress on a terminal. What cannot be run is said and
 * skipped. Returns the first status that was not BENCH_OK, but BENCH_CHECK_FAILED before any other.
 */
int bench_tasks_run(const bench_options *options, bench_on_task on_task, void *context);

/* The problem as it is run: the run's dtype, and its batch if one was given. */
cnnblas_conv_desc bench_run_desc(const bench_options *options, const bench_problem *problem);

/* The status of two parts of a run. */
int bench_status_of_both(int status, int now);

#endif
