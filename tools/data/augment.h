/*
 * Training images changed at random: mirrored, shifted, with a square taken out.
 *
 * What happens to an image is a function of (seed, epoch, the image's number in the data) alone, by Philox (cnnblas_random_bits):
 * neither threads nor the batch that it comes in change it, and a run that is resumed goes on as it was.
 */
#ifndef TOOLS_DATA_AUGMENT_H
#define TOOLS_DATA_AUGMENT_H

#include "norm.h"
#include <cnnblas/conv.h>
#include <stdbool.h>
#include <stdint.h>

enum { AUGMENT_MOST = 1024, AUGMENT_TEXT = 48 };

/* Zeroed: images stay as they are. */
typedef struct {
  bool flip;      /* half of the images are mirrored, left to right */
  int64_t crop;   /* a window of the image's size out of the image with so many pixels of its mean around it */
  int64_t cutout; /* a square of so many pixels a side, its centre anywhere in the image, becomes the mean; 0: none */
} augment_settings;

/* "flip,crop:4,cutout:8" or "none"; false for a text that is wrong. */
bool augment_parse(const char *text, augment_settings *settings);

/* The same text again. Returns text. */
const char *augment_print(const augment_settings *settings, char text[AUGMENT_TEXT]);

/* What happens to one image of h x w. */
typedef struct {
  bool flip;
  int64_t down, right;         /* the window's place, from -crop to crop */
  int64_t top, bottom;         /* rows of the square, bottom not among them; none if equal */
  int64_t left, end_of_square; /* its columns likewise */
} augment_draw;

augment_draw augment_drawn(const augment_settings *settings, uint64_t seed, int64_t epoch, int64_t number, int64_t h,
                           int64_t w);

/*
 * One image as the network wants it: mirrored, then the window, then the square; normalised.
 *
 * draw   NULL: as it is
 * bytes  whether in holds bytes, otherwise floats
 * in     [c][h][w]
 * out    [c][h][w] of dtype
 */
typedef struct {
  int64_t c, h, w;
} augment_shape;
void augment_image(const augment_draw *draw, const augment_shape *shape, const input_norm *norm, bool bytes,
                   const void *in, cnnblas_dtype dtype, void *out);

#endif
