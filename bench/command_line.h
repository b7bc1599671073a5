/*
 * The command line of cnnblas-bench.
 */
#ifndef BENCH_COMMAND_LINE_H
#define BENCH_COMMAND_LINE_H

#include "options.h"

/*
 * Reads the command line. Returns true to go on; false if the program is to end with *status (after --help, --list,
 * --version, or an error, which has been printed). Release with bench_options_free.
 */
bool bench_options_read(int argc, char **argv, bench_options *options, int *status);
void bench_options_free(bench_options *options);

#endif
