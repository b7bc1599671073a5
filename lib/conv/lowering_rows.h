/*
 * Copying one run of a lowered row, for one element type: included by lowering.c with REAL and NAME(x) defined. A run is
 * a stretch of outputs [first, last) of the innermost axis; row points at the source's row, or is NULL for a row of zeros.
 */

static void NAME(lower_run)(const cb_axis *a, int64_t t, int64_t first, int64_t last, void *row, void *tile)
{
  REAL *out = tile;
  const REAL *in = row;
  int64_t lo, hi, offset = a->base + t * a->step;
  cb_axis_valid(a, t, &lo, &hi);
  if (!row || lo > last) lo = last;
  if (lo < first) lo = first;
  if (!row || hi < lo) hi = lo;
  if (hi > last) hi = last;
  memset(out, 0, (size_t)(lo - first) * sizeof(REAL));
  if (a->stride == 1 && hi > lo)
    memcpy(out + (lo - first), in + (lo + offset), (size_t)(hi - lo) * sizeof(REAL));
  else
    for (int64_t o = lo; o < hi; o++) out[o - first] = in[o * a->stride + offset];
  memset(out + (hi - first), 0, (size_t)(last - hi) * sizeof(REAL));
}

static void NAME(unlower_run)(const cb_axis *a, int64_t t, int64_t first, int64_t last, void *row, void *tile)
{
  const REAL *in = tile;
  REAL *restrict out = row;
  int64_t lo, hi, offset = a->base + t * a->step;
  if (!row) return;
  cb_axis_valid(a, t, &lo, &hi);
  if (lo < first) lo = first;
  if (hi > last) hi = last;
  if (a->stride == 1)
    for (int64_t o = lo; o < hi; o++) out[o + offset] += in[o - first];
  else
    for (int64_t o = lo; o < hi; o++) out[o * a->stride + offset] += in[o - first];
}

#undef REAL
#undef NAME
