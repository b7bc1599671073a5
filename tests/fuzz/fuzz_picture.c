/* PNG and PGM pictures: what is accepted has as many pixels as it says, all from 0 to 1. */
#include "fuzz.h"
#include "io/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  for (int64_t c = 1; c <= 3; c += 2) {
    picture p = {0};
    io_error error = {{0}};
    if (picture_parse("input", data, size, c, &p, &error) == IO_OK) {
      CHECK(p.c == c, "%lld channels", (long long)p.c);
      for (int64_t i = 0; i < p.c * p.h * p.w; i++)
        CHECK(p.pixels[i] >= 0 && p.pixels[i] <= 1, "pixel %lld", (long long)i);
    } else {
      CHECK(error.text[0], "an error without a message");
    }
    picture_free(&p);
  }
  return 0;
}
