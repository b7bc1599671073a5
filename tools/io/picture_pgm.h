/* Pictures in PGM. */
#ifndef TOOLS_IO_PICTURE_PGM_H
#define TOOLS_IO_PICTURE_PGM_H

#include "io/pixels.h"
#include <stdbool.h>

/* As picture_parse, for bytes that begin like this format. */
io_status picture_parse_pgm(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out,
                            io_error *error);

/* The size that the head states; false if it cannot be read. */
bool picture_pgm_size(const uint8_t *bytes, size_t count, int64_t *h, int64_t *w);

#endif
