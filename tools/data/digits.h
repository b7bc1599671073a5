/*
 * Drawn digits: a stand-in for handwritten ones that needs no download.
 *
 * Each image shows a digit as strokes of a pen: corners wobble, the whole is scaled, rotated and shifted, the pen's
 * width varies, and noise lies over all. Image i is a function of (seed, i), so that any part of a set can be drawn
 * alone and two seeds give two sets. Used by `cnnblas train` without --data and by the tests.
 */
#ifndef TOOLS_DATA_DIGITS_H
#define TOOLS_DATA_DIGITS_H

#include <stdint.h>

enum { DIGITS_CLASSES = 10, DIGITS_SIZE = 28 };

/* How far the images stray; digits_default is what the tools use. */
typedef struct {
  double shift;    /* at most so many parts of the image's side, either way */
  double scale;    /* the digit is 1 - scale to 1 + scale times its usual height, two thirds of the image */
  double rotation; /* radians, either way */
  double slant;    /* horizontal shear, either way */
  double wobble;   /* of each corner, parts of the digit's height */
  double noise;    /* standard deviation of the grey values' noise, of 1 */
} digits_style;

extern const digits_style digits_default;

/*
 * Draws images first..first+count-1 of the set `seed`.
 *
 * style   NULL for the default
 * size    pixels a side, at least 8
 * images  [count][1][size][size], 0 (paper) to 1 (ink)
 * labels  [count], 0 to 9
 */
void digits_draw(uint64_t seed, int64_t first, int64_t count, const digits_style *style, int64_t size, float *images,
                 int32_t *labels);

#endif
