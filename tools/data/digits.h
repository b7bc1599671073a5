/*
 * Drawn digits: a data set that needs no download. Ten glyphs, some in several forms, drawn with a pen of varying width,
 * shaken, scaled, sheared, rotated, shifted, and overlaid with Gaussian noise. Image i of a seed is a function of
 * (seed, i) alone, so any part of the set can be made at any time, on any thread.
 */
#ifndef DIGITS_H
#define DIGITS_H

#include <stdint.h>

enum { DIGITS_SIDE = 28, DIGITS_PIXELS = DIGITS_SIDE * DIGITS_SIDE, DIGITS_CLASSES = 10 };

/**
 * Image `index` under a seed. Returns its digit, index % 10: neighbouring indices hold all digits equally often.
 * pixels  [28][28], written: 0 paper to 1 ink
 */
int32_t digits_draw(uint64_t seed, uint64_t index, float *pixels);

/**
 * Images first to first + count - 1. Training and test sets are distinct ranges of indices under one seed.
 * pixels  [count][1][28][28], written
 * labels  [count], written
 */
void digits_fill(uint64_t seed, uint64_t first, int64_t count, float *pixels, int32_t *labels);

#endif
