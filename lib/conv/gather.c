/* Gathers, their bands and walks; see gather.h. */
#include "conv/gather.h"
#include <string.h>

static void finish_gather(cb_gather *gather, int64_t channels)
{
  gather->channels = channels;
  gather->taps = gather->axis[0].taps * gather->axis[1].taps * gather->axis[2].taps;
  gather->q = channels * gather->taps;
}

/* Makes a pointwise convolution's image one row of pixels. */
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

void cb_gather_outputs(cb_gather *gather, const cb_geometry *geo)
{
  for (int i = 0; i < 3; i++)
    gather->axis[i] = (cb_gather_axis){.in = geo->axis[i].out,
                                       .outs = geo->axis[i].out,
                                       .stride = 1,
                                       .taps = 1,
                                       .tap_step = 1,
                                       .off_step = 1,
                                       .out_step = geo->axis[i].stride};
  if (cb_geometry_is_pointwise(geo)) flatten(gather, geo->p);
  finish_gather(gather, geo->kg);
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

/* Residue r of one axis: i = r + s * j meets tap t at o = (i - base - t * step) / s, if that is whole. The taps for
   which it is form an arithmetic sequence of period s / gcd(s, step). */
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

/* True if tap j of this axis reads a source position, and not only padding, for at least one output. */
static bool meets(const cb_gather_axis *a, int64_t j)
{
  const int64_t at = a->off0 + j * a->off_step, o = at < 0 ? cb_ceil_div(-at, a->stride) : 0;
  return o < a->outs && o * a->stride + at < a->in;
}

static void trim(cb_gather *gather)
{
  for (int i = 0; i < 3; i++) {
    cb_gather_axis *a = &gather->axis[i];
    while (a->taps > 1 && !meets(a, a->taps - 1)) a->taps--;
    while (a->taps > 1 && !meets(a, 0)) {
      a->taps--;
      a->tap0 += a->tap_step;
      a->off0 += a->off_step;
    }
  }
  finish_gather(gather, gather->channels);
}

void cb_gather_map(cb_gather *gather, const cb_geometry *geo, bool forward, int64_t i)
{
  if (forward)
    cb_gather_forward(gather, geo);
  else
    cb_gather_phase(gather, geo, i);
  trim(gather);
}

int64_t cb_gather_tap(const cb_gather *gather, const cb_geometry *geo, int64_t t)
{
  const cb_gather_axis *a = gather->axis;
  int64_t ts = t % a[2].taps, tr = t / a[2].taps % a[1].taps, td = t / a[2].taps / a[1].taps;
  int64_t d = a[0].tap0 + td * a[0].tap_step, r = a[1].tap0 + tr * a[1].tap_step, s = a[2].tap0 + ts * a[2].tap_step;
  return (d * geo->axis[1].taps + r) * geo->axis[2].taps + s;
}

static int64_t lowest_offset(const cb_gather_axis *a)
{
  return cb_min(a->off0, a->off0 + (a->taps - 1) * a->off_step);
}
static int64_t highest_offset(const cb_gather_axis *a)
{
  return cb_max(a->off0, a->off0 + (a->taps - 1) * a->off_step);
}

/* Finds the part of a source axis that all gathers read around an output's place, and which of its positions are
   kept. */
static void span(cb_band *band, const cb_gather *gathers, int64_t count, int axis)
{
  int64_t low = INT64_MAX, high = INT64_MIN;
  for (int64_t i = 0; i < count; i++) {
    const cb_gather_axis *a = &gathers[i].axis[axis];
    if (gathers[i].q == 0) continue;
    low = cb_min(low, lowest_offset(a));
    high = cb_max(high, highest_offset(a));
  }
  if (low > high) low = high = 0; /* no tap meets any output */
  band->lowest[axis] = low;
  band->reach[axis] = high - low;
  band->keep[axis] = high == low ? gathers[0].axis[axis].stride : 1;
}

int64_t cb_band_extent(const cb_gather *gather, const cb_band *band, int axis, int64_t outs)
{
  return ((outs - 1) * gather->axis[axis].stride + band->reach[axis]) / band->keep[axis] + 1;
}

/* Elements of a band's row for `outs` outputs. */
static int64_t row_elements(const cb_gather *gather, const cb_band *band, int64_t outs)
{
  int64_t positions = cb_band_extent(gather, band, 2, outs);
  return band->split ? cb_round_up(positions, gather->axis[2].stride) : positions;
}

/* Channel pitches are odd multiples of 16 elements, so that neighbouring channels never fall on the same cache sets. */
static int64_t odd_pitch(int64_t elements)
{
  return 16 * (cb_ceil_div(elements, 16) | 1);
}

static int64_t channel_elements(const cb_gather *gather, const cb_band *band, const int64_t outs[3])
{
  if (band->tiled) return cb_round_up(outs[0] * outs[1] * outs[2], band->tiled);
  return odd_pitch(cb_band_extent(gather, band, 0, outs[0]) * cb_band_extent(gather, band, 1, outs[1]) *
                   row_elements(gather, band, outs[2]));
}

/* True for a single gather of one tap that reads nothing outside the source. */
static bool can_be_tiled(const cb_band *band, const cb_gather *gathers, int64_t count)
{
  if (count != 1 || gathers[0].taps != 1) return false;
  for (int i = 0; i < 3; i++) {
    const cb_gather_axis *a = &gathers[0].axis[i];
    if (band->lowest[i] < 0 || band->lowest[i] + (a->outs - 1) * a->stride >= a->in) return false;
  }
  return true;
}

/* Channel pitches of a multiple of so many elements make channels share cache sets. */
enum { SAME_SETS = 512 };

/* True if no position outside the source is read and channels do not collide: then the source can serve as the band. */
static bool can_read_in_place(const cb_band *band, const cb_gather *gathers, int64_t count,
                              const cb_band_limits *limits)
{
  const cb_gather_axis *a = gathers[0].axis;
  int64_t plane = a[0].in * a[1].in * a[2].in;
  if ((limits->side_by_side || limits->dense) && a[2].stride != 1) return false;
  if (plane % SAME_SETS == 0 && gathers[0].channels > 16) return false;
  for (int i = 0; i < 3; i++) {
    if (band->lowest[i] != 0 || band->reach[i] != 0) return false;
    for (int64_t j = 0; j < count; j++)
      if (gathers[j].q && (gathers[j].axis[i].outs - 1) * a[i].stride >= a[i].in) return false;
  }
  return true;
}

/* Grows a block on one axis while it stays under the limits, then evens the blocks out. */
static void grow(cb_band *band, const cb_gather *gather, int axis, const cb_band_limits *limits, int64_t elements)
{
  int64_t outs = gather->axis[axis].outs, others = band->outs[0] * band->outs[1] * band->outs[2];
  int64_t wanted = cb_min(outs, cb_max(1, limits->pixels / others)), tile = cb_max(1, limits->tile);
  for (; wanted > 1; wanted = (wanted + 1) / 2) {
    int64_t trial[3] = {band->outs[0], band->outs[1], band->outs[2]};
    trial[axis] = wanted;
    if (gather->channels * channel_elements(gather, band, trial) <= elements) break;
  }
  band->blocks[axis] = cb_ceil_div(outs, wanted);
  band->outs[axis] = cb_ceil_div(outs, band->blocks[axis]);
  if (axis != 2 || band->blocks[axis] == 1 || wanted < tile) return;
  band->outs[axis] = cb_min(cb_round_up(band->outs[axis], tile), wanted / tile * tile);
  band->blocks[axis] = cb_ceil_div(outs, band->outs[axis]);
}

/* Images are grouped while whole images fit. */
static void group_images(cb_band *band, const cb_band_limits *limits, int64_t elements)
{
  int64_t plane = band->outs[0] * band->outs[1] * band->outs[2];
  if (band->blocks[0] * band->blocks[1] * band->blocks[2] == 1)
    while (band->images < limits->n && plane * (band->images + 1) <= limits->pixels &&
           band->image_pitch * (band->images + 1) <= elements)
      band->images++;
  band->images = cb_max(1, cb_ceil_div(limits->n, cb_ceil_div(cb_max(limits->n, 1), band->images)));
  band->pixels = plane * band->images;
}

void cb_band_cut(cb_band *band, const cb_gather *gathers, int64_t count, const cb_band_limits *limits)
{
  const cb_gather *gather = &gathers[0];
  const cb_gather_axis *a = gather->axis;
  *band = (cb_band){.outs = {1, 1, 1}, .images = 1};
  for (int axis = 0; axis < 3; axis++) span(band, gathers, count, axis);
  band->tiled = limits->tiled && can_be_tiled(band, gathers, count) ? limits->tile : 0;
  bool in_place = !band->tiled && can_read_in_place(band, gathers, count, limits);
  int64_t elements = in_place ? INT32_MAX : limits->elements;
  /* split is a flag until its size is known */
  band->split = !in_place && limits->side_by_side && a[2].stride > band->keep[2];
  for (int axis = 2; axis >= 0; axis--) {
    bool whole = axis == 2 || band->blocks[axis + 1] == 1;
    band->blocks[axis] = a[axis].outs;
    if (whole) grow(band, gather, axis, limits, in_place ? INT64_MAX : elements);
  }
  band->pitch[2] = 1;
  if (in_place) {
    band->keep[0] = band->keep[1] = band->keep[2] = 1;
    band->pitch[1] = a[2].in;
    band->pitch[0] = a[1].in * a[2].in;
    band->channel_pitch = a[0].in * band->pitch[0];
    band->image_pitch = limits->source_image;
    group_images(band, limits, elements);
    return;
  }
  band->pitch[1] = row_elements(gather, band, band->outs[2]);
  if (band->split) band->split = band->pitch[1] / a[2].stride;
  band->pitch[0] = band->pitch[1] * cb_band_extent(gather, band, 1, band->outs[1]);
  band->channel_pitch = channel_elements(gather, band, band->outs);
  band->image_pitch = gather->channels * band->channel_pitch;
  group_images(band, limits, elements);
  band->elements = band->image_pitch * band->images;
}

/* Elements from the first position of a block's band to where tap j of an axis reads. */
static int64_t tap_place(const cb_gather *gather, const cb_band *band, int axis, int64_t j)
{
  const cb_gather_axis *a = &gather->axis[axis];
  int64_t place = a->off0 + j * a->off_step - band->lowest[axis];
  if (axis == 2 && band->split) return place % a->stride * band->split + place / a->stride;
  return place / band->keep[axis] * band->pitch[axis];
}

void cb_band_walk(const cb_gather *gather, const cb_band *band, int32_t *walk)
{
  const cb_gather_axis *a = gather->axis;
  for (int64_t c = 0; c < gather->channels && band->tiled; c++) *walk++ = (int32_t)(c * band->tiled);
  if (band->tiled) return;
  for (int64_t c = 0; c < gather->channels; c++)
    for (int64_t td = 0; td < a[0].taps; td++)
      for (int64_t tr = 0; tr < a[1].taps; tr++)
        for (int64_t ts = 0; ts < a[2].taps; ts++)
          *walk++ = (int32_t)(c * band->channel_pitch + tap_place(gather, band, 0, td) +
                              tap_place(gather, band, 1, tr) + tap_place(gather, band, 2, ts));
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

void cb_band_rows(const cb_gather *gather, const cb_band *band, const int64_t origin[3], const cb_block_range *part,
                  int32_t *rows)
{
  int64_t hop[3], from = 0, pixels = part->count[0] * part->count[1] * part->count[2];
  for (int64_t in = 0; in < part->images && band->tiled; in++)
    for (int64_t p = 0, tile = in * band->image_pitch; p < pixels; p += band->tiled) {
      for (int64_t i = 0; i < cb_min(band->tiled, pixels - p); i++) *rows++ = (int32_t)(tile + i);
      tile += band->tiled * gather->channels;
    }
  if (band->tiled) return; /* a gather in tiles has one box: the part is the block */
  for (int i = 0; i < 3; i++) {
    hop[i] = i == 2 && band->split ? 1 : gather->axis[i].stride / band->keep[i] * band->pitch[i];
    from += (part->first[i] - origin[i]) * hop[i];
  }
  for (int64_t in = 0; in < part->images; in++)
    for (int64_t d = 0; d < part->count[0]; d++)
      for (int64_t h = 0; h < part->count[1]; h++)
        for (int64_t w = 0; w < part->count[2]; w++)
          *rows++ = (int32_t)(from + in * band->image_pitch + d * hop[0] + h * hop[1] + w * hop[2]);
}

void cb_band_positions(const cb_gather *gather, const cb_block_range *block, const int64_t dest[3],
                       const int64_t first[3], int64_t image_pitch, int64_t *position)
{
  const cb_gather_axis *a = gather->axis;
  int64_t corner[3];
  for (int i = 0; i < 3; i++) corner[i] = a[i].out0 + block->first[i] * a[i].out_step - first[i];
  for (int64_t in = 0; in < block->images; in++)
    for (int64_t d = 0; d < block->count[0]; d++)
      for (int64_t h = 0; h < block->count[1]; h++) {
        int64_t row = (corner[0] + d * a[0].out_step) * dest[1] + corner[1] + h * a[1].out_step;
        for (int64_t w = 0; w < block->count[2]; w++)
          *position++ = in * image_pitch + row * dest[2] + corner[2] + w * a[2].out_step;
      }
}
