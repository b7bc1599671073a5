/* Pictures: PNG and JPEG (where built with libpng and libjpeg-turbo), PGM and PPM, recognised by their first bytes. */
#ifndef TOOLS_IO_PICTURE_H
#define TOOLS_IO_PICTURE_H

#include "io/pixels.h"
#include <stdbool.h>

/* True if the bytes begin like one of these. */
bool picture_recognise(const uint8_t *bytes, size_t count);

/*
 * Decodes a picture into c = 1 or 3 channels: colours become grey by their luminance, grey is repeated; what is
 * transparent lies on white. All of this happens to the values as they are stored: what a file says of gamma, primaries or
 * profiles is not looked at. A size that the head states is judged before memory is taken for it (pixels.h). name is for
 * messages; picture_free gives the memory back.
 */
io_status picture_parse(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out, io_error *error);

#endif
