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

/* Sum over output rows [h0, h1) of one depth of x * y shifted by a tap: x and y at the rows' planes, shift the input
   row's and column's offset from the output's times the stride. 8 running sums. */
static REAL NAME(rows_correlate)(const REAL *x, const REAL *y, const cb_axis *h, const cb_axis *w, const rows_shift *r)
{
  REAL lane[8] = {0};
  for (int64_t oh = r->h0; oh < r->h1; oh++) {
    const REAL *in = x + (oh * h->stride + r->row) * w->in + r->column, *out = y + oh * w->out;
    int64_t o = r->w0;
    if (w->stride == 1)
      for (; o + 8 <= r->w1; o += 8)
        for (int j = 0; j < 8; j++) lane[j] += in[o + j] * out[o + j];
    for (; o + 4 <= r->w1; o += 4)
      for (int j = 0; j < 4; j++) lane[j] += in[(o + j) * w->stride] * out[o + j];
    for (; o < r->w1; o++) lane[4] += in[o * w->stride] * out[o];
  }
  for (int step = 4; step; step /= 2)
    for (int j = 0; j < step; j++) lane[j] += lane[j + step];
  return lane[0];
}

/* dw[t] += the sums over rows [h0, h1) of one image and output depth od, for every tap that meets the input. */
static void NAME(correlate)(const cb_geometry *geo, REAL *dw, const REAL *x, const REAL *y, int64_t od, int64_t h0,
                            int64_t h1)
{
  const cb_axis *a = geo->axis;
  y += od * a[1].out * a[2].out;
  for (int64_t t = 0; t < geo->taps; t++) {
    int64_t tap[3];
    cb_tap_coords(geo, t, tap);
    int64_t id = od * a[0].stride + a[0].base + tap[0] * a[0].step;
    if (id < 0 || id >= a[0].in) continue;
    rows_shift r = {.row = a[1].base + tap[1] * a[1].step, .column = a[2].base + tap[2] * a[2].step};
    cb_axis_valid(&a[1], tap[1], &r.h0, &r.h1);
    cb_axis_valid(&a[2], tap[2], &r.w0, &r.w1);
    r.h0 = cb_max(r.h0, h0);
    r.h1 = cb_min(r.h1, h1);
    dw[t] += NAME(rows_correlate)(x + id * a[1].in * a[2].in, y, &a[1], &a[2], &r);
  }
}

#undef REAL
#undef NAME
