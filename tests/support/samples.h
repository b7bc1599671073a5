/* A short list of small problems, each with a feature of its own, for tests that must look at every algorithm closely. */
#ifndef TESTS_SUPPORT_SAMPLES_H
#define TESTS_SUPPORT_SAMPLES_H

#include "support/problem.h"

/* Sample i of the given type; false past the end. */
bool sample_at(int i, cnnblas_dtype dtype, problem *p);

/* What a test does with one sample in one direction by one algorithm (NULL: the automatic choice). Returns false if the
   algorithm does not apply. */
typedef bool (*sample_test)(const problem *p, cnnblas_conv_direction direction, const char *algorithm);

/* Runs test for every sample of both types, every algorithm and the directions in the mask (bit d: direction d), after
   noting it with harness_doing. Prints and returns how many returned true. */
enum { ONLY_FORWARD = 1 << CNNBLAS_FORWARD, EVERY_DIRECTION = 7 };
long samples_run(const char *what, int directions, sample_test test);

#endif
