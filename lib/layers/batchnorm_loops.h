/* The vector loops of batch normalisation, over one channel of one image: a table for each type and level. */
#ifndef CB_LAYERS_BATCHNORM_LOOPS_H
#define CB_LAYERS_BATCHNORM_LOOPS_H

#include <stdint.h>

/* The mean of some elements and the sum of (element - mean)^2. */
typedef struct {
  double mean, squares;
} cb_moments;

/* The sums of dy and of dy * (x - mean). */
typedef struct {
  double dy, product;
} cb_batchnorm_sums;

/* dx = of_dy * dy + of_x * (x - mean) + constant */
typedef struct {
  double mean, of_dy, of_x, constant;
} cb_batchnorm_slope;

typedef struct {
  cb_moments (*moments)(int64_t count, const void *x);
  /* y = (x - mean) * scale + shift; y may be x */
  void (*normalise)(int64_t count, const void *x, double mean, double scale, double shift, void *y);
  cb_batchnorm_sums (*sums)(int64_t count, const void *x, double mean, const void *dy);
  /* dx may be dy */
  void (*backward)(int64_t count, const void *x, const void *dy, const cb_batchnorm_slope *slope, void *dx);
} cb_batchnorm_loops;

#endif
