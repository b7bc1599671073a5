/* The library's algorithms as the bench asks for them: by name, packed beforehand, or by what they are. */
#ifndef BENCH_ALGORITHM_NAMES_H
#define BENCH_ALGORITHM_NAMES_H

#include <cnnblas/conv.h>
#include <stdbool.h>

/* The automatic choice, and the same with weights packed beforehand, outside the timing. */
#define BENCH_AUTO      "auto"
#define BENCH_SUFFIX    "_prepacked"
#define BENCH_PREPACKED BENCH_AUTO BENCH_SUFFIX

/* True for auto, a row's name, a family's; and for auto or one that takes packed weights with "_prepacked" behind it. */
bool bench_is_algorithm(const char *name);

/* The options' algorithm for a name of the above, and whether weights come packed; static storage, or name itself. */
const char *bench_algorithm_asked(const char *name, bool *packed);

/* What the library's table says of the row of that full name; false, and zeros, for a peer's. */
bool bench_row_named(const char *name, cnnblas_algorithm_info *row);

/* The loops in the arrays' own type, one thread: the baseline. And the sums in the next wider type: what is right. */
const char *bench_naive_name(void);
const char *bench_reference_name(void);

#endif
