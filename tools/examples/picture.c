/*
 * A picture through a filter: PNG in, PNG out, any size.
 *
 *   cc picture.c $(pkg-config --cflags --libs cnnblas libpng) -lm && ./a.out sobel in.png edges.png
 *
 * blur   each of red, green and blue with the 5 x 5 binomial filter [1 4 6 4 1]^T [1 4 6 4 1] / 256: a convolution with
 *        groups = 3, one filter a channel
 * sobel  edges of the grey picture: two filters, and sqrt(gx^2 + gy^2) of their results, cut at white
 *
 * The border repeats the outermost pixels. Values are those of the file (sRGB), as most programs filter them.
 * Exit status 2: usage, 3: a file that cannot be read or written, 4: out of memory.
 */
#include <cnnblas/cnnblas.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An image of `channels` planes with `border` repeated pixels around it. */
typedef struct {
  int64_t channels, height, width, border;
  float *values; /* [channels][height + 2 border][width + 2 border] */
} planes;

static int fail(const char *what, const char *why, int status)
{
  fprintf(stderr, "picture: %s: %s\n", what, why);
  return status;
}

static int64_t clamp(int64_t i, int64_t size)
{
  return i < 0 ? 0 : i < size ? i : size - 1;
}

/* values[c][i + border][j + border] = pixels[i][j][c], outside the picture that of the nearest pixel. */
static int spread(planes *p, const png_byte *pixels)
{
  const int64_t rows = p->height + 2 * p->border, columns = p->width + 2 * p->border;
  p->values = malloc((size_t)(p->channels * rows * columns) * sizeof *p->values);
  if (!p->values) return 1;
  float *to = p->values;
  for (int64_t c = 0; c < p->channels; c++)
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < columns; j++)
        *to++ = pixels[(clamp(i - p->border, p->height) * p->width + clamp(j - p->border, p->width)) * p->channels + c];
  return 0;
}

static png_byte to_byte(float value)
{
  return (png_byte)(value < 0 ? 0 : value > 255 ? 255 : lroundf(value));
}

/* Filters pixels [height][width][channels] in place. groups == channels filters each plane alone. */
static int filter(planes *p, int64_t k, int64_t size, const float *w, png_byte *pixels)
{
  const int64_t area = p->height * p->width;
  const cnnblas_conv_desc desc = {.n = 1,
                                  .c = p->channels,
                                  .k = k,
                                  .groups = p->channels,
                                  .size = {p->height + size - 1, p->width + size - 1},
                                  .kernel = {size, size}};
  p->border = size / 2;
  float *y = malloc((size_t)(k * area) * sizeof *y);
  int result = 0;
  if (!y || spread(p, pixels)) result = fail("memory", "there is not enough", 4);
  if (!result && cnnblas_conv_forward_once(&desc, p->values, w, NULL, y) != CNNBLAS_OK)
    result = fail("cnnblas_conv_forward_once", cnnblas_last_error(), 4);
  for (int64_t i = 0; i < area && !result; i++) {
    if (k == p->channels)
      for (int64_t c = 0; c < k; c++) pixels[i * k + c] = to_byte(y[c * area + i]);
    else
      pixels[i] = to_byte(hypotf(y[i], y[area + i]));
  }
  free(p->values);
  free(y);
  return result;
}

static int blur(planes *p, png_byte *pixels)
{
  static const float row[5] = {1, 4, 6, 4, 1};
  float w[3][5][5];
  for (int c = 0; c < 3; c++)
    for (int r = 0; r < 5; r++)
      for (int s = 0; s < 5; s++) w[c][r][s] = row[r] * row[s] / 256;
  return filter(p, 3, 5, &w[0][0][0], pixels);
}

static int sobel(planes *p, png_byte *pixels)
{
  static const float w[2][3][3] = {{{-1, 0, 1}, {-2, 0, 2}, {-1, 0, 1}}, {{-1, -2, -1}, {0, 0, 0}, {1, 2, 1}}};
  return filter(p, 2, 3, &w[0][0][0], pixels);
}

int main(int argc, char **argv)
{
  if (argc != 4 || (strcmp(argv[1], "blur") != 0 && strcmp(argv[1], "sobel") != 0)) {
    fprintf(stderr, "usage: %s blur|sobel IN.png OUT.png\n", argc ? argv[0] : "picture");
    return 2;
  }
  const int edges = strcmp(argv[1], "sobel") == 0;
  png_image image = {.version = PNG_IMAGE_VERSION};
  if (!png_image_begin_read_from_file(&image, argv[2])) return fail(argv[2], image.message, 3);
  image.format = edges ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  planes p = {.channels = edges ? 1 : 3, .height = image.height, .width = image.width};
  /* the library of PNG promises sizes below 2^31 a side; their product may still be too much for this machine */
  png_byte *pixels = malloc((size_t)p.height * (size_t)p.width * (size_t)p.channels);
  const png_color white = {255, 255, 255}; /* what shines through where the picture is transparent */
  int result = 0;
  if (!pixels)
    result = fail(argv[2], "too large for the memory", 4);
  else if (!png_image_finish_read(&image, &white, pixels, 0, NULL))
    result = fail(argv[2], image.message, 3);
  else
    result = edges ? sobel(&p, pixels) : blur(&p, pixels);
  if (!result && !png_image_write_to_file(&image, argv[3], 0, pixels, 0, NULL))
    result = fail(argv[3], image.message, 3);
  png_image_free(&image);
  free(pixels);
  return result;
}
