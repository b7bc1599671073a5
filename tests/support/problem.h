/*
 * A convolution problem as the tests see it: the descriptor, and the sizes that follow from it by the tests' own
 * arithmetic, never by the library's.
 */
#ifndef TESTS_SUPPORT_PROBLEM_H
#define TESTS_SUPPORT_PROBLEM_H

#include "support/rng.h"
#include <cnnblas/conv.h>

typedef struct {
  cnnblas_conv_desc desc;
  int rank;
  size_t element;                                                   /* bytes of one */
  int64_t n, c, k, g, cg, kg;                                       /* cg, kg: channels of a group, in and out */
  int64_t in[3], taps[3], out[3], stride[3], dilation[3], begin[3]; /* {d, h, w}, missing leading axes 1 (begin 0) */
  int64_t image, filter, pixels;                                    /* products of in, taps, out */
  int64_t x_elements, w_elements, y_elements;
} problem;

/* Fills everything else from p->desc. The descriptor must be valid. */
void problem_finish(problem *p);

/* Elements of a direction's output on n images, and terms of the sum behind one of them. */
int64_t problem_outputs(const problem *p, cnnblas_conv_direction direction, int64_t n);
int64_t problem_terms(const problem *p, cnnblas_conv_direction direction, int64_t n);

/* Multiply-adds, padding counted. */
double problem_macs(const problem *p);

/* One line for people: type, mode, n c k groups, and per axis in, kernel, stride, dilation, padding. */
enum { PROBLEM_TEXT = 256 };
void problem_text(const problem *p, char text[PROBLEM_TEXT]);

/*
 * A random valid problem of at most max_macs multiply-adds, from one of several families: sizes 1 to 17 all over; the
 * channels, widths, kernels and strides of real layers and their neighbours; pointwise; grouped and depthwise; wide
 * paddings and dilations; ranks 1 and 3; long rows; an empty batch now and then.
 */
void problem_random(problem *p, rng *r, double max_macs);

#endif
