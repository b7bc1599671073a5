/* How pixels become a network's input, channel by channel: (pixel - mean) * scale. */
#ifndef TOOLS_NORM_H
#define TOOLS_NORM_H

#include <stdbool.h>
#include <stdint.h>

enum { NORM_MOST_CHANNELS = 16, NORM_TEXT = NORM_MOST_CHANNELS * 26 };

/* A picture's white is a pixel of `white`. */
typedef struct {
  int64_t channels; /* 1: mean[0] and scale[0] are those of every channel */
  double mean[NORM_MOST_CHANNELS], scale[NORM_MOST_CHANNELS];
  double white;
} input_norm;

/* Where a channel's numbers stand. */
int64_t norm_place(const input_norm *norm, int64_t channel);

/* Pixels that are added up, image by image. */
typedef struct {
  int64_t channels; /* of an image, one after the other; 1: all that it has */
  double sum[NORM_MOST_CHANNELS], squares[NORM_MOST_CHANNELS], largest;
  int64_t count; /* pixels of a channel so far */
} norm_sums;

/* For images of c channels: those of more than NORM_MOST_CHANNELS are taken together. */
void norm_begin(norm_sums *sums, int64_t c);

/* Adds an image's pixels, bytes or floats. */
void norm_add(norm_sums *sums, bool bytes, const void *values, int64_t pixels);

/*
 * Each channel gets mean 0 and standard deviation 0.16. With 1, or with 0 to 1 not centred, the first layer's steps are so
 * large at a rate of 0.05 and momentum 0.9 that the accuracy jumps from epoch to epoch.
 */
input_norm norm_end(const norm_sums *sums);

/* The same input for images whose white is another pixel. */
input_norm norm_for_white(const input_norm *norm, double white);

/* "0.5,0.25,..." of as many numbers as the norm has channels, so that they come back as they were. Returns text. */
const char *norm_print(const double *numbers, int64_t channels, char text[NORM_TEXT]);

/* The other way: false unless the text is 1 to NORM_MOST_CHANNELS finite numbers between commas. */
bool norm_parse(const char *text, double *numbers, int64_t *channels);

#endif
