/* Pooling by its definition, to compare with. */
#ifndef TESTS_LAYERS_POOL_ORACLE_H
#define TESTS_LAYERS_POOL_ORACLE_H

#include "check.h"

/*
 * Runs d forward and backward on random arrays between guard pages and compares with a naive loop: maxima and their
 * places exactly. coarse: on integers, for ties, with some NaN and -inf.
 */
void pool_compare_with_naive(const cnnblas_pool_desc *d, uint64_t stream, bool coarse);

#endif
