/* Filling bands: copies of the source with zeros around, rows split or tiles, as gather.h lays them out. */
#include "conv/gather.h"
#include <string.h>

/* Fills `count` positions of a band's row from one source row (NULL for zeros): position i is the source's first + i *
   step. */
static void fill_row(void *to, const void *row, int64_t count, int64_t first, int64_t step, int64_t in, size_t element)
{
  int64_t lo = first < 0 ? cb_min(count, cb_ceil_div(-first, step)) : 0;
  int64_t hi = first < in ? cb_min(count, (in - 1 - first) / step + 1) : 0;
  char *out = to;
  if (!row || hi <= lo) lo = hi = count;
  if (lo) memset(out, 0, (size_t)lo * element);
  if (element == sizeof(float) && step == 2) /* the compiler vectorises a constant step */
    for (int64_t i = lo; i < hi; i++) ((float *)to)[i] = ((const float *)row)[first + i * 2];
  else if (element == sizeof(float))
    for (int64_t i = lo; i < hi; i++) ((float *)to)[i] = ((const float *)row)[first + i * step];
  else
    for (int64_t i = lo; i < hi; i++) ((double *)to)[i] = ((const double *)row)[first + i * step];
  if (hi < count) memset(out + (size_t)hi * element, 0, (size_t)(count - hi) * element);
}

/* Copies n bytes, so few that a call of memcpy would cost more than the copy. */
static inline void copy_row(char *to, const char *from, size_t n)
{
  enum { PIECE = 32 };
  if (n < PIECE) { /* n bytes are two overlapping pieces of the largest size that fits */
    if (n >= 16) {
      memcpy(to, from, 16);
      memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
      memcpy(to, from, 8);
      memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
      memcpy(to, from, 4);
      memcpy(to + n - 4, from + n - 4, 4);
    }
    return;
  }
  for (size_t i = 0; i + PIECE <= n; i += PIECE) memcpy(to + i, from + i, PIECE);
  memcpy(to + n - PIECE, from + n - PIECE, PIECE); /* copies the rest, and some bytes again */
}

/* Fills a channel's part of a band that keeps every position on the last axis: zeros, and the rows that lie in the
   source. */
static void fill_channel(const cb_gather *gather, const cb_band *band, const int64_t first[3], const int64_t count[3],
                         const char *plane, size_t element, char *to)
{
  const cb_gather_axis *a = gather->axis;
  const int64_t lo = cb_max(0, -first[2]), hi = cb_min(count[2], a[2].in - first[2]);
  const size_t bytes = hi > lo ? (size_t)(hi - lo) * element : 0;
  /* bytes to the next channel's row, asked for early: this row is too short for it */
  const size_t ahead = (size_t)(a[0].in * a[1].in * a[2].in) * element;
  bool bare = lo == 0 && hi == count[2]; /* the rows have no zeros within */
  for (int i = 0; i < 2; i++) bare &= first[i] >= 0 && first[i] + (count[i] - 1) * band->keep[i] < a[i].in;
  if (!bare) memset(to, 0, (size_t)((count[0] - 1) * band->pitch[0] + count[1] * band->pitch[1]) * element);
  for (int64_t d = 0; d < count[0] && bytes; d++)
    for (int64_t h = 0; h < count[1]; h++) {
      int64_t id = first[0] + d * band->keep[0], ih = first[1] + h * band->keep[1];
      if (id < 0 || id >= a[0].in || ih < 0 || ih >= a[1].in) continue;
      const char *from = plane + (size_t)((id * a[1].in + ih) * a[2].in + first[2] + lo) * element;
      for (size_t at = 0; at < bytes && bytes >= 64; at += 64) __builtin_prefetch(from + ahead + at);
      copy_row(to + (size_t)(d * band->pitch[0] + h * band->pitch[1] + lo) * element, from, bytes);
    }
}

/* Fills a channel's part of a band that leaves out some positions of each row, or splits rows. */
static void fill_channel_sparse(const cb_gather *gather, const cb_band *band, const int64_t first[3],
                                const int64_t count[3], const char *plane, size_t element, char *to)
{
  const cb_gather_axis *a = gather->axis;
  /* the bytes of a source row; and how far behind a row the next channel's same row lies, which is fetched ahead */
  const size_t bytes = (size_t)a[2].in * element, ahead = (size_t)(a[0].in * a[1].in) * bytes;
  for (int64_t d = 0; d < count[0]; d++)
    for (int64_t h = 0; h < count[1]; h++) {
      int64_t id = first[0] + d * band->keep[0], ih = first[1] + h * band->keep[1];
      bool inside = id >= 0 && id < a[0].in && ih >= 0 && ih < a[1].in;
      const char *row = plane + (size_t)((id * a[1].in + ih) * a[2].in) * element;
      char *at = to + (size_t)(d * band->pitch[0] + h * band->pitch[1]) * element;
      for (size_t b = 0; b < bytes && inside; b += 64) __builtin_prefetch(row + ahead + b);
      if (!band->split) fill_row(at, inside ? row : NULL, count[2], first[2], band->keep[2], a[2].in, element);
      for (int64_t i = 0; i < a[2].stride && band->split; i++)
        fill_row(at + (size_t)(i * band->split) * element, inside ? row : NULL, band->split, first[2] + i, a[2].stride,
                 a[2].in, element);
    }
}

/* Fills a tile of an image: m pixels of every channel, pixel i from plane[place[i]]. */
static void fill_tile(const cb_gather *gather, const int64_t *place, int64_t m, int64_t width, const char *plane,
                      int64_t plane_elements, size_t element, char *to)
{
  enum { FAR_CHANNELS = 12 }; /* channels that are asked for ahead: each lies in cache lines of its own */
  const bool run = place[m - 1] == place[0] + m - 1;
  for (int64_t c = 0; c < gather->channels; c++) {
    __builtin_prefetch(plane + (size_t)(place[0] + FAR_CHANNELS * plane_elements) * element);
    if (run)
      copy_row(to, plane + (size_t)place[0] * element, (size_t)m * element);
    else if (element == sizeof(float))
      for (int64_t i = 0; i < m; i++) ((float *)to)[i] = ((const float *)plane)[place[i]];
    else
      for (int64_t i = 0; i < m; i++) ((double *)to)[i] = ((const double *)plane)[place[i]];
    to += (size_t)width * element;
    plane += (size_t)plane_elements * element;
  }
}

/* Fills one image of a block into a band in tiles. */
static void fill_tiles(const cb_gather *gather, const cb_band *band, const cb_block_range *block,
                       const int64_t first[3], const char *source, size_t element, char *to)
{
  enum { MOST = 64 };
  const cb_gather_axis *a = gather->axis;
  const int64_t plane = a[0].in * a[1].in * a[2].in, pixels = block->count[0] * block->count[1] * block->count[2];
  int64_t place[MOST], filled = 0, p = 0;
  for (int64_t d = 0; d < block->count[0]; d++)
    for (int64_t h = 0; h < block->count[1]; h++)
      for (int64_t w = 0; w < block->count[2]; w++) {
        int64_t row = (first[0] + d * a[0].stride) * a[1].in + first[1] + h * a[1].stride;
        place[filled++] = row * a[2].in + first[2] + w * a[2].stride;
        p++;
        if (filled < cb_min(band->tiled, MOST) && p < pixels) continue;
        fill_tile(gather, place, filled, band->tiled, source, plane, element, to);
        to += (size_t)(band->tiled * gather->channels) * element;
        filled = 0;
      }
}

const void *cb_band_open(const cb_gather *gather, const cb_band *band, const cb_block_range *block, const void *source,
                         int64_t image_pitch, size_t element, void *to)
{
  const cb_gather_axis *a = gather->axis;
  int64_t first[3], count[3], plane = a[0].in * a[1].in * a[2].in;
  for (int i = 0; i < 3; i++) {
    first[i] = block->first[i] * a[i].stride + band->lowest[i];
    count[i] = cb_band_extent(gather, band, i, block->count[i]);
  }
  if (!band->elements)
    return (const char *)source + (size_t)((first[0] * a[1].in + first[1]) * a[2].in + first[2]) * element;
  for (int64_t in = 0; in < block->images && band->tiled; in++)
    fill_tiles(gather, band, block, first, (const char *)source + (size_t)(in * image_pitch) * element, element,
               (char *)to + (size_t)(in * band->image_pitch) * element);
  if (band->tiled) return to;
  for (int64_t in = 0; in < block->images; in++)
    for (int64_t c = 0; c < gather->channels; c++) {
      const char *from = (const char *)source + (size_t)(in * image_pitch + c * plane) * element;
      char *at = (char *)to + (size_t)(in * band->image_pitch + c * band->channel_pitch) * element;
      (band->keep[2] == 1 && !band->split ? fill_channel : fill_channel_sparse)(gather, band, first, count, from,
                                                                                element, at);
    }
  return to;
}
