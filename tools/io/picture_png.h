/* Pictures in PNG, where built with libpng. */
#ifndef TOOLS_IO_PICTURE_PNG_H
#define TOOLS_IO_PICTURE_PNG_H

#include "io/pixels.h"

/* As picture_parse, for bytes that begin like this format. */
io_status picture_parse_png(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out,
                            io_error *error);

#endif
