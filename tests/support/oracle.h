/*
 * What a convolution must be: the definition, summed in a wider type (double for f32, long double for f64), written
 * without a look at the library, together with the sum of the magnitudes that bounds the error.
 */
#ifndef TESTS_SUPPORT_ORACLE_H
#define TESTS_SUPPORT_ORACLE_H

#include "support/harness.h"
#include "support/problem.h"

/* The expected output of one call. For the error bound, terms is the number of summands of an element. */
typedef struct {
  cnnblas_dtype dtype;
  int64_t count, capacity;
  int64_t terms;
  long double *value;
  double *magnitude; /* sum of |a||b| and of what is added to it */
  bool *either;      /* an implicit zero meets an infinite or NaN element there: the result may be either */
} oracle;

/* Fills o (zeroed before its first use) for one call on n images. Of x, w, y (dy) the direction's inputs are read. */
void oracle_run(oracle *o, const problem *p, cnnblas_conv_direction direction, int64_t n, const void *x, const void *w,
                const void *y);

/* The bias gradient's. */
void oracle_bias_gradient(oracle *o, const problem *p, int64_t n, const void *dy);

/* value += what stood in the output before (array of o's type). */
void oracle_add(oracle *o, const void *array);

/* value[in][ik][p] += bias[ik]. */
void oracle_add_bias(oracle *o, const problem *p, const void *bias);

/* value = max(0, value). */
void oracle_relu(oracle *o);

/*
 * Compares an output with what was expected: exact, or within terms * u * magnitude, u = 2^-24 or 2^-53. NaN and Inf must
 * be where they were expected, but where `either` is set. Fails the test, naming `what` and the element.
 */
void oracle_check(const oracle *o, const void *got, bool exact, const char *what);

/* Root of the mean squared error, relative to the root of the mean square of the expected values. */
double oracle_rms(const oracle *o, const void *got);

void oracle_free(oracle *o);

/* Element i of an array of that type, and setting it. */
double array_get(cnnblas_dtype dtype, const void *array, int64_t i);
void array_set(cnnblas_dtype dtype, void *array, int64_t i, double value);

/* Fills: integers -3..3; reals in (-1, 1); NaN. */
void array_fill_integers(cnnblas_dtype dtype, void *array, int64_t count, rng *r);
void array_fill_reals(cnnblas_dtype dtype, void *array, int64_t count, rng *r);
void array_fill_nan(cnnblas_dtype dtype, void *array, int64_t count);

#endif
