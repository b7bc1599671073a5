/* im2col and col2im by blocks; see lowering.h. A block is walked row by row: a row in runs along the innermost
 * axis, or in one copy where the view shifts. */
#include "conv/lowering.h"
#include <string.h>

/* A walk over the runs of row q of a block: columns that stay in one row of outputs. Outputs [lo, hi) of a run
   [first, last) meet the source, output lo at element at, the next ones a stride apart. */
typedef struct {
  const cb_view *view;
  int64_t left;          /* columns of the block that are left, this run included */
  int64_t od, oh;        /* the run's row of outputs */
  int64_t td, tr;        /* row q's tap on axes 0 and 1 */
  int64_t channel, base; /* element where the channel's plane begins; offset of the tap in a row, padding included */
  int64_t valid_lo, valid_hi; /* outputs of a row whose tap reads inside the source */
  int64_t first, last, lo, hi, at;
} run_walk;

static inline void walk_place(run_walk *walk)
{
  const cb_axis *a = walk->view->axis;
  int64_t id = walk->od * a[0].stride + a[0].base + walk->td * a[0].step;
  int64_t ih = walk->oh * a[1].stride + a[1].base + walk->tr * a[1].step;
  bool inside = id >= 0 && id < a[0].in && ih >= 0 && ih < a[1].in;
  walk->last = cb_min(a[2].out, walk->first + walk->left);
  walk->lo = inside ? cb_max(walk->first, cb_min(walk->valid_lo, walk->last)) : walk->last;
  walk->hi = inside ? cb_max(walk->lo, cb_min(walk->valid_hi, walk->last)) : walk->last;
  walk->at =
      walk->lo < walk->hi ? walk->channel + (id * a[1].in + ih) * a[2].in + walk->base + walk->lo * a[2].stride : 0;
}

static inline run_walk walk_begin(const cb_view *view, int64_t q, const cb_block *block)
{
  const cb_axis *a = view->axis;
  int64_t t = q % view->taps, ts = t % a[2].taps, row = block->p0 / a[2].out;
  run_walk walk = {.view = view,
                   .left = block->p1 - block->p0,
                   .od = row / a[1].out,
                   .oh = row % a[1].out,
                   .td = t / a[2].taps / a[1].taps,
                   .tr = t / a[2].taps % a[1].taps,
                   .channel = q / view->taps * view->image,
                   .base = a[2].base + ts * a[2].step,
                   .first = block->p0 % a[2].out};
  cb_axis_valid(&a[2], ts, &walk.valid_lo, &walk.valid_hi);
  walk_place(&walk);
  return walk;
}

static inline void walk_next(run_walk *walk)
{
  walk->left -= walk->last - walk->first;
  walk->first = 0;
  if (++walk->oh == walk->view->axis[1].out) walk->oh = 0, walk->od++;
  if (walk->left > 0) walk_place(walk);
}

enum { MOST_SHIFTS = 64 /* the most taps of views that shift: their places are found once a block */ };

/* True if a tap moves whole images: rows of outputs are as long as the source's, at stride 1, and there is one plane, so
   output p meets source element p + shift wherever it meets any. */
static bool shifts(const cb_view *view)
{
  const cb_axis *a = view->axis;
  return view->taps <= MOST_SHIFTS && a[0].in == 1 && a[0].out == 1 && a[0].taps == 1 && a[0].base == 0 &&
         a[1].stride == 1 && a[2].stride == 1 && a[2].in == a[2].out;
}

/* A tap's row of such a block, of the first channel: outputs [from, to) lie between the first and the last that meet the source. Among them are
   gaps of gap_width outputs that meet nothing, the first at `gap`, the next ones a row of outputs apart. */
typedef struct {
  int64_t from, to, shift, gap, gap_width;
} shifted_row;

static shifted_row shift_of(const cb_view *view, int64_t t, const cb_block *block)
{
  const cb_axis *h = &view->axis[1], *w = &view->axis[2];
  const int64_t tr = t / w->taps, ts = t % w->taps;
  int64_t row0, rows, column0, columns;
  cb_axis_valid(h, tr, &row0, &rows);
  cb_axis_valid(w, ts, &column0, &columns);
  shifted_row row = {.from = block->p1, .to = block->p1, .gap = block->p1};
  if (row0 == rows || column0 == columns || block->p0 == block->p1) return row;
  int64_t from = cb_max(block->p0, row0 * w->out + column0), to = cb_min(block->p1, (rows - 1) * w->out + columns);
  /* A block may begin or end anywhere in a row: gaps that it cuts are left outside. */
  const int64_t first = from % w->out, last = (to - 1) % w->out;
  if (first < column0) from += column0 - first;
  if (first >= columns) from += w->out - first + column0;
  if (last < column0) to -= last + 1 + w->out - columns;
  if (last >= columns) to -= last + 1 - columns;
  if (from >= to) return row;
  row = (shifted_row){.from = from, .to = to, .gap = to, .gap_width = w->out - columns + column0};
  row.shift = (h->base + tr * h->step) * w->in + w->base + ts * w->step;
  if (row.gap_width) row.gap = from / w->out * w->out + columns;
  return row;
}

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

/* A function that takes a row to the tile from the source, or back; by the places of its tap where the view shifts. */
typedef void (*row_function)(const cb_view *view, void *source, int64_t q, const cb_block *block, void *tile);
typedef void (*shifted_function)(const cb_view *view, void *source, const shifted_row *row, const cb_block *block,
                                 void *tile);

/* Calls one of the functions for each row; `cleared` bytes of a channel are set to zero before its first row. */
static void walk_block(const cb_view *view, char *source, const cb_block *block, char *tile, size_t cleared,
                       row_function each, shifted_function shifted)
{
  shifted_row taps[MOST_SHIFTS];
  const bool by_shifts = shifts(view);
  for (int64_t t = 0; t < view->taps && by_shifts; t++) taps[t] = shift_of(view, t, block);
  int64_t t = block->q0 % view->taps;
  char *plane = source + (size_t)(block->q0 / view->taps * view->image) * view->element;
  for (int64_t q = block->q0; q < block->q1; q++) {
    if (t == 0 && cleared) memset(plane, 0, cleared);
    if (by_shifts)
      shifted(view, plane, &taps[t], block, tile);
    else
      each(view, source, q, block, tile);
    tile += (size_t)block->ld * view->element;
    if (++t == view->taps) t = 0, plane += (size_t)view->image * view->element;
  }
}

void cb_lower(const cb_view *view, const void *source, const cb_block *block, void *tile)
{
  if (view->element == sizeof(double))
    walk_block(view, (char *)source, block, tile, 0, lower_row_f64, lower_shifted_f64);
  else
    walk_block(view, (char *)source, block, tile, 0, lower_row_f32, lower_shifted_f32);
}

void cb_unlower_add(const cb_view *view, void *tile, const cb_block *block, size_t cleared, void *source)
{
  if (view->element == sizeof(double))
    walk_block(view, source, block, tile, cleared, unlower_row_f64, unlower_shifted_f64);
  else
    walk_block(view, source, block, tile, cleared, unlower_row_f32, unlower_shifted_f32);
}
