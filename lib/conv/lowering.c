/* im2col and col2im by blocks; see lowering.h. A block is walked row by row, a row in runs along the innermost axis. */
#include "conv/lowering.h"
#include <string.h>

#define REAL    float
#define NAME(x) x##_f32
#include "conv/lowering_rows.h"

#define REAL    double
#define NAME(x) x##_f64
#include "conv/lowering_rows.h"

cb_view cb_view_forward(const cb_geometry *geo)
{
  cb_view view = {.image = geo->image, .taps = geo->taps, .element = geo->element};
  memcpy(view.axis, geo->axis, sizeof view.axis);
  return view;
}

/* Forward joins i = o + base + t * step; so from i the other position is o = i - base - t * step. */
cb_view cb_view_rot180(const cb_geometry *geo)
{
  cb_view view = {.image = geo->p, .taps = geo->taps, .element = geo->element};
  for (int i = 0; i < 3; i++) {
    const cb_axis *a = &geo->axis[i];
    view.axis[i] =
        (cb_axis){.in = a->out, .out = a->in, .taps = a->taps, .stride = 1, .base = -a->base, .step = -a->step};
  }
  return view;
}

/* The source's row that output row (od, oh) meets at taps (td, tr), or NULL outside; channel: the source's plane. */
static const char *source_row(const cb_view *view, const char *channel, int64_t od, int64_t oh, int64_t td, int64_t tr)
{
  const cb_axis *a = view->axis;
  int64_t id = od * a[0].stride + a[0].base + td * a[0].step;
  int64_t ih = oh * a[1].stride + a[1].base + tr * a[1].step;
  if (id < 0 || id >= a[0].in || ih < 0 || ih >= a[1].in) return NULL;
  return channel + (size_t)((id * a[1].in + ih) * a[2].in) * view->element;
}

/* What happens to each run: to the tile from the row, or back. */
typedef void (*run_function)(const cb_axis *a, int64_t t, int64_t first, int64_t last, void *row, void *tile);

/* Row q of the block: every run of columns [p0, p1) that stays in one output row. */
static void walk_row(const cb_view *view, char *source, int64_t q, const cb_block *block, char *tile, run_function each)
{
  const cb_axis *a = view->axis;
  int64_t t = q % view->taps, ts = t % a[2].taps, tr = t / a[2].taps % a[1].taps, td = t / a[2].taps / a[1].taps;
  char *channel = source + (size_t)(q / view->taps * view->image) * view->element;
  for (int64_t p = block->p0; p < block->p1;) {
    int64_t ow = p % a[2].out, oh = p / a[2].out % a[1].out, od = p / a[2].out / a[1].out;
    int64_t run = cb_min(a[2].out - ow, block->p1 - p);
    each(&a[2], ts, ow, ow + run, (char *)source_row(view, channel, od, oh, td, tr),
         tile + (size_t)(p - block->p0) * view->element);
    p += run;
  }
}

static void walk_block(const cb_view *view, char *source, const cb_block *block, char *tile, run_function each)
{
  for (int64_t q = block->q0; q < block->q1; q++)
    walk_row(view, source, q, block, tile + (size_t)((q - block->q0) * block->ld) * view->element, each);
}

void cb_lower(const cb_view *view, const void *source, const cb_block *block, void *tile)
{
  walk_block(view, (char *)source, block, tile, view->element == sizeof(double) ? lower_run_f64 : lower_run_f32);
}

void cb_unlower_add(const cb_view *view, const void *tile, const cb_block *block, void *source)
{
  walk_block(view, source, block, (char *)tile, view->element == sizeof(double) ? unlower_run_f64 : unlower_run_f32);
}
