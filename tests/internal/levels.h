/* The engines of the list of levels (base/levels.h) that this machine can run, for tests that look at each alone. */
#ifndef TESTS_INTERNAL_LEVELS_H
#define TESTS_INTERNAL_LEVELS_H

#include "gemm/engine.h"
#include "support/harness.h"

/* Runs test for each type and level, whatever CNNBLAS_ISA says; prints "skipped" for levels that the machine lacks. */
typedef void (*level_test)(const cb_engine *engine, cnnblas_dtype dtype);
void levels_run(level_test test);

/* What the level makes of x * y + z, told from a case where fusing shows: (1 + e)^2 - (1 + 2 e) is e^2 or 0. */
bool level_fuses(const cb_engine *engine, cnnblas_dtype dtype);

#endif
