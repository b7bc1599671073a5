/*
 * |patch| * |filter| of every output: what the norm-wise bound of include/cnnblas/conv.h multiplies, by the definition.
 */
#ifndef TESTS_SUPPORT_NORMS_H
#define TESTS_SUPPORT_NORMS_H

#include "support/problem.h"

/*
 * norm[i] of each of a direction's outputs on n images, from the two of x, w, y (dy) that are its inputs. Elements up to `reach`
 * further out on each axis count to the patch. Squares of NaN and Inf are left out.
 */
void norms_fill(const problem *p, cnnblas_conv_direction direction, int64_t n, const void *x, const void *w,
                const void *y, int64_t reach, double *norm);

/* c of the norm-wise bound of `terms` products, for a row's norm_factor. */
double norms_factor(int32_t norm_factor, int64_t terms);

#endif
