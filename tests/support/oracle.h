/*
 * What a convolution must be: the definition, summed in a wider type (double for f32, long double for f64), written
 * without a look at the library, together with the sum of the magnitudes that bounds the error.
 */
#ifndef TESTS_SUPPORT_ORACLE_H
#define TESTS_SUPPORT_ORACLE_H

#include "support/arrays.h"
#include "support/harness.h"
#include "support/problem.h"

/* The expected output of one call. For the error bound, terms is the number of summands of an element. */
typedef struct {
  cnnblas_dtype dtype;
  int64_t count, capacity;
  int64_t terms;
  long double *value;
  double *magnitude; /* sum of |a||b| and of what is added to it */
  double *norm;      /* |patch| * |filter|, and the magnitude of what is added */
  double *far_norm;  /* the same with the larger patch of CNNBLAS_ACCURACY_NORM_RELAXED */
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

/* How near an output must be. */
typedef enum { ORACLE_EXACT, ORACLE_ELEMENT, ORACLE_NORM, ORACLE_FAR_NORM } oracle_bound;

/* The bound that the row holds, as the public header says. On small integers no product or sum is rounded, but by rows of
   CNNBLAS_ACCURACY_NORM_RELAXED, whose transforms have fractions. */
oracle_bound oracle_bound_of(const cnnblas_algorithm_info *row, bool integers);

/* The most that an element may be off. */
double oracle_allowed(const oracle *o, int64_t i, const cnnblas_algorithm_info *row, bool integers);

/*
 * Compares an output of the row with what was expected, on small integers or on reals. NaN and Inf must be where they were
 * expected, but where `either` is set. Fails the test, naming `what` and the element.
 */
void oracle_check(const oracle *o, const void *got, const cnnblas_algorithm_info *row, bool integers, const char *what);

/* The same for a sum that every row makes alike, the bias gradient. */
void oracle_check_sum(const oracle *o, const void *got, bool integers, const char *what);

/* Root of the mean squared error, relative to the root of the mean square of the expected values. */
double oracle_rms(const oracle *o, const void *got);

void oracle_free(oracle *o);

#endif
