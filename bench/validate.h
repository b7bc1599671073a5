/*
 * Whether anything of the command line can run: known before anything is measured.
 */
#ifndef BENCH_VALIDATE_H
#define BENCH_VALIDATE_H

#include "options.h"

/*
 * Takes out the problems that no convolution has or that do not fit into memory, and says why. *status becomes BENCH_OK,
 * BENCH_BAD_INPUT or BENCH_NO_MEMORY. False, with the reason said, if nothing is left to run or if an algorithm that was
 * asked for by name applies to no problem and direction.
 */
bool bench_validate(bench_options *options, int *status);

#endif
