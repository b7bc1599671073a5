/* Boxes of outputs that the same taps reach; see boxes.h. */
#include "conv/boxes.h"

void cb_taps_of_output(const cb_gather_axis *a, int64_t o, int64_t *lo, int64_t *hi)
{
  int64_t at = o * a->stride + a->off0, step = a->off_step;
  if (step < 0) { /* counted from the last tap, the step is positive */
    at += (a->taps - 1) * step;
    step = -step;
  }
  int64_t first = at < 0 ? cb_ceil_div(-at, step) : 0, end = at < a->in ? (a->in - 1 - at) / step + 1 : 0;
  first = cb_min(first, a->taps);
  end = cb_max(first, cb_min(end, a->taps));
  *lo = a->off_step < 0 ? a->taps - end : first;
  *hi = a->off_step < 0 ? a->taps - first : end;
}

void cb_outputs_of_tap(const cb_gather_axis *a, int64_t j, int64_t *lo, int64_t *hi)
{
  int64_t at = a->off0 + j * a->off_step;
  int64_t first = at < 0 ? cb_ceil_div(-at, a->stride) : 0, end = at < a->in ? (a->in - 1 - at) / a->stride + 1 : 0;
  *lo = cb_min(first, a->outs);
  *hi = cb_max(*lo, cb_min(end, a->outs));
}

/* The first output after o whose taps differ from those of o, or the number of outputs. */
static int64_t next_change(const cb_gather_axis *a, int64_t o)
{
  int64_t next = a->outs;
  for (int64_t j = 0; j < a->taps; j++) {
    int64_t lo, hi;
    cb_outputs_of_tap(a, j, &lo, &hi);
    if (lo > o) next = cb_min(next, lo);
    if (hi > o) next = cb_min(next, hi);
  }
  return next;
}

/* Cuts one axis into ranges and returns their number, or 0 if there are more than CB_AXIS_RANGES. */
static int axis_ranges(const cb_gather_axis *a, bool cut, int64_t first[CB_AXIS_RANGES + 1],
                       int64_t taps[CB_AXIS_RANGES][2])
{
  int ranges = 0;
  first[0] = 0;
  if (!cut) {
    taps[0][0] = 0;
    taps[0][1] = a->taps;
    first[1] = a->outs;
    return 1;
  }
  for (int64_t o = 0; o < a->outs; o = next_change(a, o)) {
    if (ranges == CB_AXIS_RANGES) return 0;
    first[ranges] = o;
    cb_taps_of_output(a, o, &taps[ranges][0], &taps[ranges][1]);
    ranges++;
  }
  first[ranges] = a->outs;
  return ranges;
}

int cb_boxes_cut(const cb_gather *gather, unsigned axes, cb_box boxes[CB_MAX_BOXES])
{
  int64_t first[3][CB_AXIS_RANGES + 1], taps[3][CB_AXIS_RANGES][2];
  int ranges[3], total = 1;
  for (int i = 0; i < 3; i++) {
    ranges[i] = axis_ranges(&gather->axis[i], axes >> i & 1, first[i], taps[i]);
    total *= ranges[i];
  }
  if (total > CB_MAX_BOXES) return 0;
  for (int b = 0; b < total; b++) {
    int at[3] = {b / ranges[2] / ranges[1], b / ranges[2] % ranges[1], b % ranges[2]};
    for (int i = 0; i < 3; i++) {
      boxes[b].first[i] = first[i][at[i]];
      boxes[b].count[i] = first[i][at[i] + 1] - boxes[b].first[i];
      boxes[b].tap[i] = taps[i][at[i]][0];
      boxes[b].taps[i] = taps[i][at[i]][1] - boxes[b].tap[i];
    }
  }
  return total;
}

int64_t cb_box_steps(const cb_gather *gather, const cb_box *box, int32_t *steps)
{
  const cb_gather_axis *a = gather->axis;
  int64_t n = 0;
  for (int64_t c = 0; c < gather->channels; c++)
    for (int64_t d = 0; d < box->taps[0]; d++)
      for (int64_t r = 0; r < box->taps[1]; r++)
        for (int64_t s = 0; s < box->taps[2]; s++) {
          int64_t row = (c * a[0].taps + box->tap[0] + d) * a[1].taps + box->tap[1] + r;
          steps[n++] = (int32_t)(row * a[2].taps + box->tap[2] + s);
        }
  return n;
}

cb_block_range cb_box_in_block(const cb_box *box, const cb_block_range *block)
{
  cb_block_range part = *block;
  for (int i = 0; i < 3; i++) {
    part.first[i] = cb_max(box->first[i], block->first[i]);
    part.count[i] = cb_max(0, cb_min(box->first[i] + box->count[i], block->first[i] + block->count[i]) - part.first[i]);
  }
  return part;
}
