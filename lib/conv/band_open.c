/* Filling bands: copies of the source with zeros around, rows split or tiles, as gather.h lays them out. */
#include "conv/gather.h"
#include <string.h>

/* One band row from one source row (NULL: all zeros), position i of the band being first + i * step of the source. */
static void fill_row(void *to, const void *row, int64_t count, int64_t first, int64_t step, int64_t in, size_t element)
{
  int64_t lo = first < 0 ? cb_min(count, cb_ceil_div(-first, step)) : 0;
  int64_t hi = first < in ? cb_min(count, (in - 1 - first) / step + 1) : 0;
  char *out = to;
  if (!row || hi <= lo) lo = hi = count;
  if (lo) memset(out, 0, (size_t)lo * element);
  if (element == sizeof(float) && step == 2) /* a constant step is one that the compiler can vectorise */
    for (int64_t i = lo; i < hi; i++) ((float *)to)[i] = ((const float *)row)[first + i * 2];
  else if (element == sizeof(float))
    for (int64_t i = lo; i < hi; i++) ((float *)to)[i] = ((const float *)row)[first + i * step];
  else
    for (int64_t i = lo; i < hi; i++) ((double *)to)[i] = ((const double *)row)[first + i * step];
  if (hi < count) memset(out + (size_t)hi * element, 0, (size_t)(count - hi) * element);
}

/* n bytes, n small: what a call of memcpy costs would be felt. */
static inline void copy_row(char *to, const char *from, size_t n)
{
  enum { PIECE = 32 };
  if (n < PIECE) { /* two overlapping pieces of the largest size that fits */
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
  memcpy(to + n - PIECE, from + n - PIECE, PIECE); /* the rest, and some of it again */
}

/* A channel's part of a band, every position kept on the last axis: zeros, and the rows that lie in the source. */
static void fill_channel(const cb_gather *gather, const cb_band *band, const int64_t first[3], const int64_t count[3],
                         const char *plane, size_t element, char *to)
{
  const cb_gather_axis *a = gather->axis;
  const int64_t lo = cb_max(0, -first[2]), hi = cb_min(count[2], a[2].in - first[2]);
  const size_t bytes = hi > lo ? (size_t)(hi - lo) * element : 0;
  const size_t ahead =
      (size_t)(a[0].in * a[1].in * a[2].in) * element; /* the next channel's: rows are too short for it */
  bool bare = lo == 0 && hi == count[2];               /* no zeros within the rows */
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

/* The same with some positions left out of each row, or the row split. */
static void fill_channel_sparse(const cb_gather *gather, const cb_band *band, const int64_t first[3],
                                const int64_t count[3], const char *plane, size_t element, char *to)
{
  const cb_gather_axis *a = gather->axis;
  for (int64_t d = 0; d < count[0]; d++)
    for (int64_t h = 0; h < count[1]; h++) {
      int64_t id = first[0] + d * band->keep[0], ih = first[1] + h * band->keep[1];
      bool inside = id >= 0 && id < a[0].in && ih >= 0 && ih < a[1].in;
      const char *row = plane + (size_t)((id * a[1].in + ih) * a[2].in) * element;
      char *at = to + (size_t)(d * band->pitch[0] + h * band->pitch[1]) * element;
      if (!band->split) fill_row(at, inside ? row : NULL, count[2], first[2], band->keep[2], a[2].in, element);
      for (int64_t i = 0; i < a[2].stride && band->split; i++)
        fill_row(at + (size_t)(i * band->split) * element, inside ? row : NULL, band->split, first[2] + i, a[2].stride,
                 a[2].in, element);
    }
}

/* A tile of an image: m pixels of every channel, pixel i at plane[place[i]]. */
static void fill_tile(const cb_gather *gather, const int64_t *place, int64_t m, int64_t width, const char *plane,
                      int64_t plane_elements, size_t element, char *to)
{
  enum { FAR_CHANNELS = 12 }; /* asked for so early: each lies in lines of its own */
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

/* One image of a block into a band in tiles. */
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
