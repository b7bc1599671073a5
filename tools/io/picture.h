/* Pictures: PNG (where built with libpng) and PGM, recognised by their first bytes. */
#ifndef TOOLS_IO_PICTURE_H
#define TOOLS_IO_PICTURE_H

#include "io/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pixels of a side, and of a picture; larger pictures are refused before memory is taken. */
enum { PICTURE_MOST_SIDE = 16384, PICTURE_MOST_PIXELS = 1 << 26 };

typedef struct {
  int64_t c, h, w; /* c: 1 grey, 3 red green blue */
  float *pixels;   /* [c][h][w], 0 (black) to 1 (white) */
} picture;

/* True if the bytes begin like a PNG or a PGM. */
bool picture_recognise(const uint8_t *bytes, size_t count);

/* The size that the picture's head states, before anything is decoded; false if the head cannot be read. */
bool picture_size(const uint8_t *bytes, size_t count, int64_t *h, int64_t *w);

/*
 * Decodes a picture into c = 1 or 3 channels: colours become grey by their luminance, grey is repeated; what is
 * transparent lies on white. All of this happens to the values as they are stored: what a PNG says of gamma, primaries or
 * profiles is not looked at. name is for messages; picture_free gives the memory back.
 */
io_status picture_parse(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out, io_error *error);

/* Safe on a zeroed picture and twice. */
void picture_free(picture *p);

/* The formats behind picture_parse. */
io_status picture_parse_pgm(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out,
                            io_error *error);
io_status picture_parse_png(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out,
                            io_error *error);

/* Takes memory for the pixels after a look at the size: IO_BAD_INPUT for a side or a picture beyond the most. */
io_status picture_alloc(const char *name, int64_t c, int64_t h, int64_t w, picture *out, io_error *error);

#endif
