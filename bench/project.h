/*
 * cnnblas-bench --project 1,2,4,...: what each problem would gain from more cores than there are.
 *
 * For each number of threads the plan is made, and its call runs on the calling thread alone, each task of each loop
 * timed by itself; how long a team of that size would take is arithmetic (makespan.h). Nothing of it is measured on
 * several cores, so every figure is marked projected.
 */
#ifndef BENCH_PROJECT_H
#define BENCH_PROJECT_H

#include "options.h"
#include "report.h"

/* Measures and prints every problem, then the means; writes options->json. The library is bench_ours (tests bring faulty
   ones). Returns an exit status: BENCH_CHECK_FAILED too if a number of threads gave other bits than one thread. */
int bench_project_run(const bench_options *options, const bench_peer *library, bench_context *context);

#endif
