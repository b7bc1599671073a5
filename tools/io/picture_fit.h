/* Pictures brought to another size. */
#ifndef TOOLS_IO_PICTURE_FIT_H
#define TOOLS_IO_PICTURE_FIT_H

#include "io/pixels.h"

/*
 * The picture scaled to cover h x w, its middle cut out: no side is stretched. A pixel is a weighted mean of those around its
 * place (a triangle as wide as the step, so that what becomes smaller is smoothed first), rounded to 255ths as a file would
 * hold it. A picture of that size stays as it is.
 *
 * name is for messages; out is the caller's to free. in and out may be the same picture, whose pixels are then replaced.
 */
io_status picture_fit(const char *name, const picture *in, int64_t h, int64_t w, picture *out, io_error *error);

#endif
