/* im2col and col2im; see peer_lowering.h. */
#include "peer_lowering.h"
#include <string.h>

typedef struct pixel_range {
  int64_t begin, end;
} pixel_range;

/* The output columns whose tap kx falls inside the image, possibly none (begin == end). */
static pixel_range columns_inside(const bench_geometry *g, int64_t kx)
{
  int64_t offset = kx * g->dilation[2] - g->pad[2], stride = g->stride[2], width = g->in[2], out = g->out[2];
  int64_t begin = offset < 0 ? (-offset + stride - 1) / stride : 0;
  int64_t end = offset < width ? (width - offset + stride - 1) / stride : 0;
  if (begin > out) begin = out;
  if (end > out) end = out;
  if (end < begin) end = begin;
  return (pixel_range){begin, end};
}

#define REAL       float
#define NAME(name) name##_f32
#include "peer_lowering_loops.h"
#undef REAL
#undef NAME
#define REAL       double
#define NAME(name) name##_f64
#include "peer_lowering_loops.h"

void bench_lower_row(const bench_geometry *geometry, size_t element, const void *planes, int64_t q, void *row)
{
  if (element == sizeof(double))
    lower_row_f64(geometry, planes, q, row);
  else
    lower_row_f32(geometry, planes, q, row);
}

void bench_unlower_plane(const bench_geometry *geometry, size_t element, const void *col, int64_t c, void *plane)
{
  if (element == sizeof(double))
    unlower_plane_f64(geometry, col, c, plane);
  else
    unlower_plane_f32(geometry, col, c, plane);
}
