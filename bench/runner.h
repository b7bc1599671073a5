/*
 * Runs problems: arrays, expected results, candidates, timing, and the rows that come of it.
 */
#ifndef BENCH_RUNNER_H
#define BENCH_RUNNER_H

#include "options.h"
#include "results.h"

/* Called with the rows of each direction of a problem, in order, once the peak that follows them has been measured: at the
   latest some seconds and a problem later. */
typedef void (*bench_on_rows)(void *context, const bench_result *rows, size_t count);

/*
 * Measures every problem and adds its rows to results. Returns BENCH_OK, BENCH_CHECK_FAILED if a result was wrong, or
 * BENCH_NO_MEMORY if a problem did not fit (the others are measured all the same).
 */
int bench_run(const bench_options *options, const bench_peaks *peaks, bench_results *results, bench_on_rows on_rows,
              void *context);

/* What the library is asked for where one of its algorithms is run; BENCH_PREPACKED (algorithm_names.h) among them. */
/* The name of the library's row that a state of bench_ours or bench_other_build runs; "" for other peers. */
const char *bench_row_of(const bench_peer *peer, const void *state);

cnnblas_conv_options bench_library_options(const bench_options *options, const char *algorithm, int threads);

#endif
