/*
 * cnnblas-bench --set kernels: the library's micro-kernels alone, against the multiply-adds that the core can do.
 */
#ifndef BENCH_KERNELS_H
#define BENCH_KERNELS_H

#include "options.h"
#include "report.h"

/* Times and checks every kernel of the options' type at every level of this machine, prints the table and writes
   options->json. One thread, pinned to the core it starts on if the system lets it. Returns an exit status. */
int bench_kernels_run(const bench_options *options, bench_context *context);

#endif
