/*
 * Rows of a lowered block for one element type: included by lowering.c with REAL and NAME(x) defined. A row is walked
 * in runs, each within one row of outputs (struct run_walk).
 */

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
