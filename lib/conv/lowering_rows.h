/*
 * Rows of a lowered block for one element type: included by lowering.c with REAL and NAME(x) defined. A row is walked
 * in runs, each within one row of outputs (struct run_walk).
 */

/* lower_row of a view that shifts: one copy, zeros around it, and zeros where it ran from one row of outputs into the
   next. */
static void NAME(lower_shifted)(const cb_view *view, void *source, const shifted_row *row, const cb_block *block,
                                void *tile)
{
  const int64_t before = row->from - block->p0, count = row->to - row->from, gap_width = row->gap_width;
  REAL *out = tile;
  memset(out, 0, (size_t)before * sizeof *out);
  if (count == 0) return;
  memcpy(out + before, (const REAL *)source + row->from + row->shift, (size_t)count * sizeof *out);
  memset(out + before + count, 0, (size_t)(block->p1 - row->to) * sizeof *out);
  for (int64_t gap = row->gap - block->p0; gap < before + count; gap += view->axis[2].out)
    for (int64_t i = 0; i < gap_width; i++) out[gap + i] = 0;
}

/* Its transpose: what lies outside the source is overwritten by zeros first, so that one run of neighbours is added. */
static void NAME(unlower_shifted)(const cb_view *view, void *source, const shifted_row *row, const cb_block *block,
                                  void *tile)
{
  const int64_t before = row->from - block->p0, count = row->to - row->from, gap_width = row->gap_width;
  if (count == 0) return;
  REAL *from = (REAL *)tile + before, *restrict out = (REAL *)source + row->from + row->shift;
  for (int64_t gap = row->gap - row->from; gap < count; gap += view->axis[2].out)
    for (int64_t i = 0; i < gap_width; i++) from[gap + i] = 0;
  for (int64_t i = 0; i < count; i++) out[i] += from[i];
}

/* tile[p - p0] = the source where row q meets pixel p, 0 outside the source. */
static void NAME(lower_row)(const cb_view *view, void *source, int64_t q, const cb_block *block, void *tile)
{
  const int64_t stride = view->axis[2].stride;
  REAL *out = tile;
  run_walk walk = walk_begin(view, q, block);
  for (; walk.left > 0; walk_next(&walk)) {
    const REAL *in = (const REAL *)source + walk.at;
    const int64_t count = walk.hi - walk.lo;
    for (int64_t o = walk.first; o < walk.lo; o++) *out++ = 0;
    if (stride == 1)
      for (int64_t i = 0; i < count; i++) *out++ = in[i];
    else if (stride == 2)
      for (int64_t i = 0; i < count; i++) *out++ = in[2 * i];
    else
      for (int64_t i = 0; i < count; i++) *out++ = in[i * stride];
    for (int64_t o = walk.hi; o < walk.last; o++) *out++ = 0;
  }
}

/* The transpose of lower_row: the source where row q meets pixel p += tile[p - p0]. */
static void NAME(unlower_row)(const cb_view *view, void *source, int64_t q, const cb_block *block, void *tile)
{
  const int64_t stride = view->axis[2].stride;
  const REAL *in = tile;
  run_walk walk = walk_begin(view, q, block);
  for (; walk.left > 0; walk_next(&walk)) {
    REAL *restrict out = (REAL *)source + walk.at;
    const REAL *from = in + (walk.lo - walk.first);
    const int64_t count = walk.hi - walk.lo;
    if (stride == 1)
      for (int64_t i = 0; i < count; i++) out[i] += from[i];
    else
      for (int64_t i = 0; i < count; i++) out[i * stride] += from[i];
    in += walk.last - walk.first;
  }
}

#undef REAL
#undef NAME
