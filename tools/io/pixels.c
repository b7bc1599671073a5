/* The pixels of a picture; see pixels.h. */
#include "io/pixels.h"
#include "io/system.h"

void picture_free(picture *p)
{
  io_free(p->pixels);
  *p = (picture){0};
}

io_status picture_alloc(const char *name, int64_t c, int64_t h, int64_t w, picture *out, io_error *error)
{
  if (h < 1 || w < 1 || h > PICTURE_MOST_SIDE || w > PICTURE_MOST_SIDE)
    return io_fail(error, IO_BAD_INPUT, "%s: %lld x %lld pixels; sides are 1 to %d", name, (long long)w, (long long)h,
                   PICTURE_MOST_SIDE);
  if (h * w > PICTURE_MOST_PIXELS)
    return io_fail(error, IO_BAD_INPUT, "%s: %lld x %lld pixels; a picture has at most %d", name, (long long)w,
                   (long long)h, PICTURE_MOST_PIXELS);
  *out = (picture){.c = c, .h = h, .w = w};
  size_t bytes = (size_t)(c * h * w) * sizeof *out->pixels;
  if (!(out->pixels = io_alloc(bytes))) return io_fail_memory(error, name, bytes, "its pixels");
  return IO_OK;
}
