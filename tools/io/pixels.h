/* A decoded picture, whatever format it came in. */
#ifndef TOOLS_IO_PIXELS_H
#define TOOLS_IO_PIXELS_H

#include "io/error.h"
#include <stddef.h>
#include <stdint.h>

/* Pixels of a side, and of a picture; larger pictures are refused before memory is taken. */
enum { PICTURE_MOST_SIDE = 16384, PICTURE_MOST_PIXELS = 1 << 26 };

typedef struct {
  int64_t c, h, w; /* c: 1 grey, 3 red green blue */
  float *pixels;   /* [c][h][w], 0 (black) to 1 (white) */
} picture;

/* The largest file of a picture that is read at all. */
#define PICTURE_MOST_FILE ((size_t)256 << 20)

/* The luminance of ITU-R BT.709, in 32768ths. */
enum { PICTURE_RED = 6968, PICTURE_GREEN = 23434, PICTURE_BLUE = 2366 };

/* The grey of three bytes, a byte. */
static inline uint32_t picture_grey(uint32_t r, uint32_t g, uint32_t b)
{
  return r == g && g == b ? r : (PICTURE_RED * r + PICTURE_GREEN * g + PICTURE_BLUE * b) >> 15;
}

/* The grey of three finer values, to the nearest. */
static inline uint32_t picture_fine_grey(uint32_t r, uint32_t g, uint32_t b)
{
  return r == g && g == b ? r : (PICTURE_RED * r + PICTURE_GREEN * g + PICTURE_BLUE * b + 16384) >> 15;
}

/* Takes memory for the pixels after a look at the size: IO_BAD_INPUT for a side or a picture beyond the most. */
io_status picture_alloc(const char *name, int64_t c, int64_t h, int64_t w, picture *out, io_error *error);

/* Safe on a zeroed picture and twice. */
void picture_free(picture *p);

#endif
