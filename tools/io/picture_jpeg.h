/* Pictures in JPEG, where built with libjpeg-turbo. */
#ifndef TOOLS_IO_PICTURE_JPEG_H
#define TOOLS_IO_PICTURE_JPEG_H

#include "io/pixels.h"

/* As picture_parse, for bytes that begin like this format. How a camera was held (Exif) is not looked at. */
io_status picture_parse_jpeg(const char *name, const uint8_t *bytes, size_t count, int64_t c, picture *out,
                             io_error *error);

#endif
