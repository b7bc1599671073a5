/* Pictures in PGM and PPM. */
#ifndef TOOLS_IO_PICTURE_PGM_H
#define TOOLS_IO_PICTURE_PGM_H

#include "io/pixels.h"

/* As picture_parse, for bytes that begin like this format. */
io_status picture_parse_pgm(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out,
                            io_error *error);

#endif
