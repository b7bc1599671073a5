/* Gathers, their bands and walks; see gather.h. */
#include "conv/gather.h"
#include <string.h>

static void finish_gather(cb_gather *gather, int64_t channels)
{
  gather->channels = channels;
  gather->taps = gather->axis[0].taps * gather->axis[1].taps * gather->axis[2].taps;
  gather->q = channels * gather->taps;
}

/* A pointwise convolution sees an image as one row of pixels. */
static void flatten(cb_gather *gather, int64_t pixels)
{
  for (int i = 0; i < 3; i++)
    gather->axis[i] =
        (cb_gather_axis){.in = 1, .outs = 1, .stride = 1, .taps = 1, .tap_step = 1, .off_step = 1, .out_step = 1};
  gather->axis[2].in = gather->axis[2].outs = pixels;
}

void cb_gather_forward(cb_gather *gather, const cb_geometry *geo)
{
  for (int i = 0; i < 3; i++) {
    const cb_axis *a = &geo->axis[i];
    gather->axis[i] = (cb_gather_axis){.in = a->in,
                                       .outs = a->out,
                                       .stride = a->stride,
                                       .taps = a->taps,
                                       .tap_step = 1,
                                       .off0 = a->base,
                                       .off_step = a->step,
                                       .out_step = 1};
  }
  if (cb_geometry_is_pointwise(geo)) flatten(gather, geo->p);
  finish_gather(gather, geo->cg);
}

int64_t cb_gather_phases(const cb_geometry *geo)
{
  if (cb_geometry_is_pointwise(geo)) return 1;
  int64_t phases = 1;
  for (int i = 0; i < 3; i++)
    if (!cb_mul(phases, geo->axis[i].stride, &phases)) return INT64_MAX;
  return phases;
}

static int64_t greatest_common_divisor(int64_t a, int64_t b)
{
  while (b) {
    int64_t r = a % b;
    a = b;
    b = r;
  }
  return a < 0 ? -a : a;
}

/* Residue r of one axis: i = r + s * j meets tap t at o = (i - base - t * step) / s, if that is whole. The taps for which
   it is form an arithmetic sequence of period s / gcd(s, step). */
static cb_gather_axis phase_axis(const cb_axis *a, int64_t r)
{
  int64_t s = a->stride, period = s / greatest_common_divisor(s, a->step), t0 = 0;
  while (t0 < a->taps && t0 < period && (r - a->base - t0 * a->step) % s) t0++;
  bool any = t0 < a->taps && t0 < period;
  return (cb_gather_axis){.in = a->out,
                          .outs = r < a->in ? (a->in - 1 - r) / s + 1 : 0,
                          .stride = 1,
                          .taps = any ? (a->taps - 1 - t0) / period + 1 : 0,
                          .tap0 = t0,
                          .tap_step = period,
                          .off0 = any ? (r - a->base - t0 * a->step) / s : 0,
                          .off_step = -period * a->step / s,
                          .out0 = r,
                          .out_step = s};
}

void cb_gather_phase(cb_gather *gather, const cb_geometry *geo, int64_t i)
{
  for (int axis = 2; axis >= 0; axis--) {
    const cb_axis *a = &geo->axis[axis];
    gather->axis[axis] = phase_axis(a, i % a->stride);
    i /= a->stride;
  }
  if (cb_geometry_is_pointwise(geo)) flatten(gather, geo->p);
  finish_gather(gather, geo->kg);
}

int64_t cb_gather_tap(const cb_gather *gather, const cb_geometry *geo, int64_t t)
{
  const cb_gather_axis *a = gather->axis;
  int64_t ts = t % a[2].taps, tr = t / a[2].taps % a[1].taps, td = t / a[2].taps / a[1].taps;
  int64_t d = a[0].tap0 + td * a[0].tap_step, r = a[1].tap0 + tr * a[1].tap_step, s = a[2].tap0 + ts * a[2].tap_step;
  return (d * geo->axis[1].taps + r) * geo->axis[2].taps + s;
}

/* Positions that the band keeps: all, or with one tap only every stride-th. */
static int64_t band_step(const cb_gather_axis *a)
{
  return a->taps == 1 ? a->stride : 1;
}

static int64_t lowest_offset(const cb_gather_axis *a)
{
  return cb_min(a->off0, a->off0 + (a->taps - 1) * a->off_step);
}

/* Band positions of `outs` outputs. */
static int64_t extent(const cb_gather_axis *a, int64_t outs)
{
  int64_t step = a->off_step < 0 ? -a->off_step : a->off_step;
  return ((outs - 1) * a->stride + (a->taps - 1) * step) / band_step(a) + 1;
}

/* Channel pitches are odd multiples of 16 elements, so that neighbouring channels never fall on the same cache sets. */
static int64_t odd_pitch(int64_t elements)
{
  int64_t lines = cb_ceil_div(elements, 16);
  return 16 * (lines | 1);
}

static int64_t channel_elements(const cb_gather *gather, const int64_t outs[3])
{
  return odd_pitch(extent(&gather->axis[0], outs[0]) * extent(&gather->axis[1], outs[1]) *
                   extent(&gather->axis[2], outs[2]));
}

enum { ROW_PIXELS = 4096 }; /* a block takes whole output rows up to this width, if their band fits */

/* Grows a block on one axis while it stays under the limits, then evens the blocks out. */
static void grow(cb_band *band, const cb_gather *gather, int axis, int64_t pixels, int64_t elements)
{
  int64_t outs = gather->axis[axis].outs, others = band->outs[0] * band->outs[1] * band->outs[2];
  int64_t wanted = cb_min(outs, cb_max(1, pixels / others));
  for (; wanted > 1; wanted = (wanted + 1) / 2) {
    int64_t trial[3] = {band->outs[0], band->outs[1], band->outs[2]};
    trial[axis] = wanted;
    if (gather->channels * channel_elements(gather, trial) <= elements) break;
  }
  band->blocks[axis] = cb_ceil_div(outs, wanted);
  band->outs[axis] = cb_ceil_div(outs, band->blocks[axis]);
}

void cb_band_cut(cb_band *band, const cb_gather *gather, int64_t n, int64_t pixels, int64_t elements, bool in_place,
                 int64_t source_pitch)
{
  *band = (cb_band){.outs = {1, 1, 1}, .blocks = {1, 1, 1}, .images = 1};
  if (in_place) elements = INT64_MAX;
  for (int axis = 2; axis >= 0; axis--) {
    bool whole = axis == 2 || band->blocks[axis + 1] == 1;
    band->blocks[axis] = gather->axis[axis].outs;
    if (whole) grow(band, gather, axis, axis == 2 && !in_place ? ROW_PIXELS : pixels, elements);
  }
  int64_t plane = band->outs[0] * band->outs[1] * band->outs[2];
  band->channel_pitch = in_place ? source_pitch : channel_elements(gather, band->outs);
  band->image_pitch = gather->channels * band->channel_pitch;
  if (band->blocks[0] * band->blocks[1] * band->blocks[2] == 1)
    while (band->images < n && plane * (band->images + 1) <= pixels &&
           (in_place || band->image_pitch * (band->images + 1) <= elements))
      band->images++;
  band->images = cb_max(1, cb_ceil_div(n, cb_ceil_div(cb_max(n, 1), band->images)));
  band->pixels = plane * band->images;
  band->column_pitch[2] = 1;
  band->column_pitch[1] = extent(&gather->axis[2], band->outs[2]);
  band->column_pitch[0] = band->column_pitch[1] * extent(&gather->axis[1], band->outs[1]);
  band->elements = in_place ? 0 : band->image_pitch * band->images;
}

/* A tap's place relative to the first position of its block's band. */
static int64_t tap_place(const cb_gather_axis *a, int64_t j, int64_t pitch)
{
  return (a->off0 + j * a->off_step - lowest_offset(a)) / band_step(a) * pitch;
}

void cb_band_walk(const cb_gather *gather, const cb_band *band, int32_t *walk)
{
  const cb_gather_axis *a = gather->axis;
  for (int64_t c = 0; c < gather->channels; c++)
    for (int64_t td = 0; td < a[0].taps; td++)
      for (int64_t tr = 0; tr < a[1].taps; tr++)
        for (int64_t ts = 0; ts < a[2].taps; ts++)
          *walk++ = (int32_t)(c * band->channel_pitch + tap_place(&a[0], td, band->column_pitch[0]) +
                              tap_place(&a[1], tr, band->column_pitch[1]) + tap_place(&a[2], ts, 1));
}

int64_t cb_band_blocks(const cb_band *band, int64_t n)
{
  return cb_ceil_div(n, band->images) * band->blocks[0] * band->blocks[1] * band->blocks[2];
}

cb_block_range cb_band_block(const cb_gather *gather, const cb_band *band, int64_t n, int64_t b)
{
  cb_block_range block;
  for (int axis = 2; axis >= 0; axis--) {
    int64_t at = b % band->blocks[axis];
    b /= band->blocks[axis];
    block.first[axis] = at * band->outs[axis];
    block.count[axis] = cb_max(0, cb_min(band->outs[axis], gather->axis[axis].outs - block.first[axis]));
  }
  block.image = b * band->images;
  block.images = cb_min(band->images, n - block.image);
  return block;
}

void cb_band_pixels(const cb_gather *gather, const cb_band *band, const cb_block_range *block, const int64_t dest[3],
                    int64_t image_pitch, int32_t *rows, int64_t *position)
{
  const cb_gather_axis *a = gather->axis;
  int64_t hop[3], size = band->elements ? band->image_pitch : image_pitch;
  for (int i = 0; i < 3; i++) hop[i] = a[i].stride / band_step(&a[i]) * band->column_pitch[i];
  for (int64_t in = 0; in < block->images; in++)
    for (int64_t d = 0; d < block->count[0]; d++)
      for (int64_t h = 0; h < block->count[1]; h++) {
        int64_t row = in * size + d * hop[0] + h * hop[1];
        int64_t at = a[0].out0 + (block->first[0] + d) * a[0].out_step;
        at = at * dest[1] + a[1].out0 + (block->first[1] + h) * a[1].out_step;
        at = at * dest[2] + a[2].out0 + block->first[2] * a[2].out_step + in * image_pitch;
        for (int64_t w = 0; w < block->count[2]; w++) {
          *rows++ = (int32_t)(row + w * hop[2]);
          if (position) *position++ = at + w * a[2].out_step;
        }
      }
}

/* One band row from one source row (NULL: all zeros), position i of the band being first + i * step of the source. */
static void fill_row(void *to, const void *row, int64_t count, int64_t first, int64_t step, int64_t in, size_t element)
{
  int64_t lo = first < 0 ? cb_min(count, cb_ceil_div(-first, step)) : 0;
  int64_t hi = first < in ? cb_min(count, (in - 1 - first) / step + 1) : 0;
  char *out = to;
  if (!row || hi <= lo) lo = hi = count;
  if (lo) memset(out, 0, (size_t)lo * element);
  if (step == 1 && hi > lo)
    memcpy(out + (size_t)lo * element, (const char *)row + (size_t)(first + lo) * element, (size_t)(hi - lo) * element);
  else if (element == sizeof(float))
    for (int64_t i = lo; i < hi; i++) ((float *)to)[i] = ((const float *)row)[first + i * step];
  else
    for (int64_t i = lo; i < hi; i++) ((double *)to)[i] = ((const double *)row)[first + i * step];
  if (hi < count) memset(out + (size_t)hi * element, 0, (size_t)(count - hi) * element);
}

void cb_band_fill(const cb_gather *gather, const cb_band *band, const cb_block_range *block, const void *source,
                  int64_t image_pitch, size_t element, void *to)
{
  const cb_gather_axis *a = gather->axis;
  int64_t first[3], count[3], step[3], plane = a[0].in * a[1].in * a[2].in;
  for (int i = 0; i < 3; i++) {
    first[i] = block->first[i] * a[i].stride + lowest_offset(&a[i]);
    count[i] = extent(&a[i], block->count[i]);
    step[i] = band_step(&a[i]);
  }
  for (int64_t in = 0; in < block->images; in++)
    for (int64_t c = 0; c < gather->channels; c++)
      for (int64_t d = 0; d < count[0]; d++)
        for (int64_t h = 0; h < count[1]; h++) {
          int64_t id = first[0] + d * step[0], ih = first[1] + h * step[1];
          bool inside = id >= 0 && id < a[0].in && ih >= 0 && ih < a[1].in;
          int64_t from = in * image_pitch + c * plane + (id * a[1].in + ih) * a[2].in;
          int64_t at =
              in * band->image_pitch + c * band->channel_pitch + d * band->column_pitch[0] + h * band->column_pitch[1];
          fill_row((char *)to + (size_t)at * element, inside ? (const char *)source + (size_t)from * element : NULL,
                   count[2], first[2], step[2], a[2].in, element);
        }
}
