/* The loops of depthwise.c for one type: included with REAL and NAME(x) defined. Rows are vectorised by the compiler. */

/* y[o] (+)= sum over taps of w[t] * x[o + offset(t)], one output row, already holding its start value. */
static void NAME(row_add)(REAL *restrict y, const REAL *restrict x, const REAL *w, const cb_axis *a)
{
  for (int64_t t = 0; t < a->taps; t++) {
    int64_t lo, hi, offset = a->base + t * a->step;
    REAL weight = w[t];
    cb_axis_valid(a, t, &lo, &hi);
    if (a->stride == 1)
      for (int64_t o = lo; o < hi; o++) y[o] += weight * x[o + offset];
    else
      for (int64_t o = lo; o < hi; o++) y[o] += weight * x[o * a->stride + offset];
  }
}

/* The transpose: x[o + offset(t)] += w[t] * y[o]. */
static void NAME(row_scatter)(REAL *restrict x, const REAL *restrict y, const REAL *w, const cb_axis *a)
{
  for (int64_t t = 0; t < a->taps; t++) {
    int64_t lo, hi, offset = a->base + t * a->step;
    REAL weight = w[t];
    cb_axis_valid(a, t, &lo, &hi);
    if (a->stride == 1)
      for (int64_t o = lo; o < hi; o++) x[o + offset] += weight * y[o];
    else
      for (int64_t o = lo; o < hi; o++) x[o * a->stride + offset] += weight * y[o];
  }
}

/* sum[t - t0] += x[o + offset(t)] * y[o] over one row and the taps [t0, t1), 16 running sums. */
static void NAME(row_correlate)(REAL *sum, const REAL *x, const REAL *y, const cb_axis *a, int64_t t0, int64_t t1)
{
  for (int64_t t = t0; t < t1; t++) {
    int64_t lo, hi, offset = a->base + t * a->step, o;
    REAL lane[16] = {0};
    cb_axis_valid(a, t, &lo, &hi);
    o = lo;
    if (a->stride == 1)
      for (; o + 16 <= hi; o += 16)
        for (int j = 0; j < 16; j++) lane[j] += x[o + offset + j] * y[o + j];
    for (; o < hi; o++) lane[o % 16] += x[o * a->stride + offset] * y[o];
    for (int step = 8; step; step /= 2)
      for (int j = 0; j < step; j++) lane[j] += lane[j + step];
    sum[t - t0] += lane[0];
  }
}

/* dw[i] += part[i], and part is zeros again. */
static void NAME(flush)(REAL *dw, REAL *part, int64_t count)
{
  for (int64_t i = 0; i < count; i++) {
    dw[i] += part[i];
    part[i] = 0;
  }
}

#undef REAL
#undef NAME
