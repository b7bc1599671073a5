/* The vector loops of batch normalisation, over one channel of one image: a table for each type and level. */
#ifndef CB_LAYERS_BATCHNORM_LOOPS_H
#define CB_LAYERS_BATCHNORM_LOOPS_H

#include <stdbool.h>
#include <stdint.h>

/* The mean of some elements and the sum of (element - mean)^2. */
typedef struct {
  double mean, squares;
} cb_moments;

/* The sums of dy and of dy * (x - mean). */
typedef struct {
  double dy, product;
} cb_batchnorm_sums;

/* The line that a channel's elements go through: (x - mean) * scale + shift, then max(0, ...) with `relu`. */
typedef struct {
  double mean, scale, shift;
  bool relu;
} cb_batchnorm_line;

/* dx = of_dy * dy + of_x * (x - mean) + constant, with the line's mean */
typedef struct {
  double of_dy, of_x, constant;
} cb_batchnorm_slope;

typedef struct {
  cb_moments (*moments)(int64_t count, const void *x);
  /* y = the line through x, with `add`, unless it is NULL, added before the ReLU; y may be x or add */
  void (*normalise)(int64_t count, const void *x, const cb_batchnorm_line *line, const void *add, void *y);
  /* The sums of dy and of dy * (x - mean). Where the line's ReLU gave 0, dy counts as 0, here and in `backward`. */
  cb_batchnorm_sums (*sums)(int64_t count, const void *x, const cb_batchnorm_line *line, const void *dy);
  /* dx = the slope's sum, from x and dy; dx may be dy */
  void (*backward)(int64_t count, const void *x, const void *dy, const cb_batchnorm_line *line,
                   const cb_batchnorm_slope *slope, void *dx);
} cb_batchnorm_loops;

#endif
