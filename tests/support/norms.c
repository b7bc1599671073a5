/* Norms of patches and filters; see norms.h. */
#include "support/norms.h"
#include "support/oracle.h"
#include <math.h>
#include <stdlib.h>

double norms_factor(int32_t norm_factor, int64_t terms)
{
  const double l = (double)terms;
  return norm_factor * (16 + fmin(l / 2, 64) + l / 64);
}

static double *zeros(int64_t count)
{
  double *array = calloc((size_t)count + 1, sizeof *array);
  assert_non_null(array);
  return array;
}

static double square(cnnblas_dtype dtype, const void *array, int64_t i)
{
  const double value = array_get(dtype, array, i);
  return isfinite(value) ? value * value : 0;
}

/* to[i] of each block of `block` elements of an array: the sum of its squares. */
static double *block_squares(cnnblas_dtype dtype, const void *array, int64_t blocks, int64_t block)
{
  double *to = zeros(blocks);
  for (int64_t i = 0; i < blocks * block; i++) to[i / block] += square(dtype, array, i);
  return to;
}

/* maps[image of the batch and group][pixel]: squares summed over the `cg` channels of a group. */
static double *channel_squares(cnnblas_dtype dtype, const void *array, int64_t groups, int64_t cg, int64_t pixels)
{
  double *maps = zeros(groups * pixels);
  for (int64_t i = 0; i < groups * cg * pixels; i++)
    maps[i / pixels / cg * pixels + i % pixels] += square(dtype, array, i);
  return maps;
}

/* Where the patch of index `at` of an axis begins and ends, in the other array; clipped to its `extent`. */
static void window(const problem *p, cnnblas_conv_direction direction, int axis, int64_t at, int64_t reach,
                   int64_t *from, int64_t *to)
{
  const int64_t span = p->dilation[axis] * (p->taps[axis] - 1), begin = p->begin[axis], stride = p->stride[axis];
  const bool forward = direction == CNNBLAS_FORWARD;
  const int64_t extent = forward ? p->in[axis] : p->out[axis];
  *from = forward ? at * stride - begin : (at + begin - span) / stride;
  *to = forward ? *from + span : (at + begin) / stride;
  *from = *from - reach > 0 ? *from - reach : 0;
  *to = *to + reach < extent - 1 ? *to + reach : extent - 1;
}

/* Adds to `to` the sums of a map over the windows of one axis. `size`: the map's extents, of which that axis's becomes the patches'. */
static void sum_axis(const problem *p, cnnblas_conv_direction direction, int axis, int64_t reach, int64_t size[3],
                     const double *map, double *to)
{
  const int64_t patches = (direction == CNNBLAS_FORWARD ? p->out : p->in)[axis], extent = size[axis];
  int64_t outer = 1, inner = 1, first, last;
  for (int a = 0; a < axis; a++) outer *= size[a];
  for (int a = axis + 1; a < 3; a++) inner *= size[a];
  for (int64_t at = 0; at < patches; at++) {
    window(p, direction, axis, at, reach, &first, &last);
    for (int64_t o = 0; o < outer; o++)
      for (int64_t from = first; from <= last; from++)
        for (int64_t i = 0; i < inner; i++) to[(o * patches + at) * inner + i] += map[(o * extent + from) * inner + i];
  }
  size[axis] = patches;
}

/* The sums of a map over the boxes of all patches, axis after axis: what a box holds is summed in a few steps an axis. */
static double *box_sums(const problem *p, cnnblas_conv_direction direction, int64_t reach, const double *map)
{
  const int64_t *extent = direction == CNNBLAS_FORWARD ? p->in : p->out;
  int64_t size[3] = {extent[0], extent[1], extent[2]}, most = 1;
  for (int a = 0; a < 3; a++) most *= p->in[a] > p->out[a] ? p->in[a] : p->out[a];
  double *along = zeros(most), *across = zeros(most), *boxes = zeros(most);
  sum_axis(p, direction, 2, reach, size, map, along);
  sum_axis(p, direction, 1, reach, size, along, across);
  sum_axis(p, direction, 0, reach, size, across, boxes);
  free(along);
  free(across);
  return boxes;
}

/* Squares of the weights that meet each output channel (forward), or each input channel (backward_data). */
static double *filter_squares(const problem *p, cnnblas_conv_direction direction, const void *w)
{
  if (direction == CNNBLAS_FORWARD) return block_squares(p->desc.dtype, w, p->k, p->cg * p->filter);
  double *to = zeros(p->c);
  for (int64_t i = 0; i < p->w_elements; i++) {
    const int64_t k = i / p->filter / p->cg, cc = i / p->filter % p->cg;
    to[k / p->kg * p->cg + cc] += square(p->desc.dtype, w, i);
  }
  return to;
}

static void fill_images(const problem *p, cnnblas_conv_direction direction, int64_t n, const void *from, const void *w,
                        int64_t reach, double *norm)
{
  const bool forward = direction == CNNBLAS_FORWARD;
  const int64_t channels = forward ? p->k : p->c, of_group = forward ? p->kg : p->cg;
  const int64_t pixels = forward ? p->pixels : p->image, source = forward ? p->image : p->pixels;
  double *maps = channel_squares(p->desc.dtype, from, n * p->g, forward ? p->cg : p->kg, source);
  double *filters = filter_squares(p, direction, w);
  for (int64_t map = 0; map < n * p->g; map++) {
    double *boxes = box_sums(p, direction, reach, maps + map * source);
    for (int64_t i = 0; i < of_group; i++) {
      const int64_t channel = map % p->g * of_group + i;
      double *to = norm + (map / p->g * channels + channel) * pixels;
      for (int64_t pixel = 0; pixel < pixels; pixel++) to[pixel] = sqrt(boxes[pixel] * filters[channel]);
    }
    free(boxes);
  }
  free(maps);
  free(filters);
}

static void fill_weights(const problem *p, int64_t n, const void *x, const void *y, double *norm)
{
  double *of_x = block_squares(p->desc.dtype, x, n * p->c, p->image);
  double *of_y = block_squares(p->desc.dtype, y, n * p->k, p->pixels);
  for (int64_t in = 1; in < n; in++) {
    for (int64_t c = 0; c < p->c; c++) of_x[c] += of_x[in * p->c + c];
    for (int64_t k = 0; k < p->k; k++) of_y[k] += of_y[in * p->k + k];
  }
  for (int64_t i = 0; i < p->w_elements; i++) {
    const int64_t k = i / p->filter / p->cg, c = k / p->kg * p->cg + i / p->filter % p->cg;
    norm[i] = n ? sqrt(of_x[c] * of_y[k]) : 0;
  }
  free(of_x);
  free(of_y);
}

void norms_fill(const problem *p, cnnblas_conv_direction direction, int64_t n, const void *x, const void *w,
                const void *y, int64_t reach, double *norm)
{
  if (direction == CNNBLAS_BACKWARD_WEIGHTS)
    fill_weights(p, n, x, y, norm);
  else
    fill_images(p, direction, n, direction == CNNBLAS_FORWARD ? x : y, w, reach, norm);
}
