/* Numbers and gradient checks for the layers' tests. */
#ifndef TESTS_LAYERS_CHECK_H
#define TESTS_LAYERS_CHECK_H

#include "support/arrays.h"
#include "support/harness.h"

/* count elements, uniform in [-1, 1), of a stream that the line of the failure names; the caller frees them. */
double *check_reals(uint64_t stream, int64_t count);
float *check_floats(uint64_t stream, int64_t count);

/* The same numbers, in an array of the dtype that is there. */
void check_fill(cnnblas_dtype dtype, void *to, uint64_t stream, int64_t count);

/* Numbers of threads that must give the bits of one. */
enum { CHECK_TEAMS = 7 };
extern const int check_teams[CHECK_TEAMS];

/* A function of an array: runs the layer forward and returns sum of y * r for a fixed random r. */
typedef double check_function(void *context);

/*
 * Compares gradient[i] of function with central differences in x (changed and restored) for all i < count. The largest
 * difference, relative to the largest gradient, must be under 1e-6.
 */
void check_gradient(const char *what, check_function *function, void *context, double *x, const double *gradient,
                    int64_t count);

/* A loss of f64 logits as such a function: check_loss_of(&it) is its value. */
typedef struct {
  cnnblas_loss_desc d;
  double *z, *targets; /* targets NULL: softmax cross-entropy */
  const int32_t *labels;
} check_loss;
double check_loss_of(void *context);

/* sum of a[i] * b[i]. */
double check_dot(const double *a, const double *b, int64_t count);

#endif
