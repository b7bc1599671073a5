/* Pictures: PNG (where built with libpng) and PGM, recognised by their first bytes. */
#ifndef TOOLS_IO_PICTURE_H
#define TOOLS_IO_PICTURE_H

#include "io/pixels.h"
#include <stdbool.h>

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

#endif
