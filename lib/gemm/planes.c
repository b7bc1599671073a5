/*
 * Depthwise convolution, one channel at a time, in the rows of plain NCHW:
 *
 *     correlate           y[oh][ow] (+)= sum over taps of weights[th][tw] * x[ih][iw]       (engine.h: where they meet)
 *
 * A vector is a stretch of one output row. Its elements of x are one load (stride 1), every second element of two loads
 * (stride 2), or one load spread to every second lane (the transpose of stride 2); lanes outside the row are masked to
 * zero, rows outside are left out, so nothing is copied and nothing is padded. What each tap column has to load and to keep
 * is worked out once a stretch and then goes down all the rows:
 *
 *     for each plane, and each block of its rows
 *       for each stretch of columns                3 tap columns: 3 places, 3 masks
 *         for each output row, four at a time where the stride is 1
 *           for each input row that their taps meet
 *             for each tap column: load, mask, fused multiply-add
 *           store
 *
 * A load may take in what lies beside the plane, never beside the array: rows where that threatens, and other strides than
 * 1 and 2, go element by element. An output sums its tap rows one by one, and each its taps.
 */
#include "gemm/plane_stretch.h"

/* Stores one output row of a stretch. What a whole vector writes past a narrow row, the next rows write again. */
INLINE void store_row(const stretch *r, real *y, int64_t o, vector sum, const bool add)
{
  const int64_t out = r->plane->w.out, size = r->plane->h.out * out - r->o;
  real *to = y + o * out + r->o;
  if (add) sum += load(to, r->count);
  put(to, sum, !add && out < LANES && o * out + LANES <= size ? LANES : r->count);
}

/* QUAD output rows from o on. Each input row is loaded once for all the outputs that it meets, in an order in which each of them
   meets its tap rows in turn: its sum is the one that a row alone would have. */
INLINE void correlate_quad(const stretch *r, const shape s, const tap_column column[3], const vector weight[9],
                           const source *from, int64_t o, const bool down, vector sum[QUAD])
{
  const cb_plane_axis *h = &r->plane->h;
  int64_t i = (down ? o : o + QUAD - 1) + h->base;
  UNROLL for (int k = 0; k < QUAD; k++) sum[k] = (vector){0};
  UNROLL for (int row = 0; row < QUAD + 2; row++, i += down ? 1 : -1)
  {
    if (i < 0 || i >= h->in) continue;
    const real *x = from->x + i * r->plane->w.in;
    vector v[3];
    UNROLL for (int c = 0; c < 3; c++) v[c] = fetch(x, &column[c], s);
    UNROLL for (int k = 0; k < QUAD; k++)
    {
      const int t = row - k;
      if (t < 0 || t >= 3) continue;
      vector part = {0};
      UNROLL for (int c = 0; c < 3; c++) part += weight[t * 3 + c] * v[c];
      sum[down ? k : QUAD - 1 - k] += part;
    }
  }
}

/* Output rows [o0, o1) of one stretch of one plane. */
INLINE void correlate_rows(const stretch *r, const shape s, const source *from, const real *w, real *y, int64_t o0,
                           int64_t o1, const bool add)
{
  const cb_plane_axis h = r->plane->h;
  const int64_t in = r->plane->w.in, taps = r->plane->w.taps;
  int64_t o = o0;
  tap_column local[3];
  vector weight[9];
  if (s.known) {
    UNROLL for (int c = 0; c < 3; c++) local[c] = r->column[c];
    UNROLL for (int t = 0; t < 9; t++) weight[t] = w[t] - (vector){0};
  }
  while (goes_by_quads(s, &h) && o + QUAD <= o1) {
    vector sum[QUAD];
    if (h.step == 1)
      correlate_quad(r, s, local, weight, from, o, true, sum);
    else
      correlate_quad(r, s, local, weight, from, o, false, sum);
    UNROLL for (int k = 0; k < QUAD; k++) store_row(r, y, o + k, sum[k], add);
    o += QUAD;
    if (!add && o < o1 && o > o1 - QUAD) o = o1 - QUAD; /* the last rows, and some again */
  }
  for (; o < o1; o++) {
    vector sum = {0};
    if (s.known) { /* three short chains wait less than a long one */
      UNROLL for (int t = 0; t < 3; t++)
      {
        int64_t i = input_row(&h, s, o, t);
        if (i < 0) continue;
        vector part = {0};
        UNROLL for (int c = 0; c < 3; c++) part += weight[t * 3 + c] * fetch(from->x + i * in, &local[c], s);
        sum += part;
      }
    } else {
      for (int64_t t = 0; t < s.rows; t++) {
        int64_t i = input_row(&h, s, o, t);
        vector part = {0};
        for (int64_t c = 0; i >= 0 && c < s.columns; c++)
          part += w[t * taps + c] * fetch(from->x + i * in, &r->column[c], s);
        sum += part;
      }
    }
    store_row(r, y, o, sum, add);
  }
}

/* The same, element by element: where vectors would leave the array, and for strides that they do not have. A function of
   its own, so that no call stands in the other's loop. */
static void correlate_each(const stretch *r, const shape s, const source *from, const real *w, real *y, int64_t o0,
                           int64_t o1, bool add)
{
  const cb_plane *p = r->plane;
  for (int64_t o = o0; o < o1; o++) {
    vector sum = {0};
    for (int64_t t = 0; t < s.rows; t++) {
      vector part = {0};
      int64_t i = input_row(&p->h, s, o, t);
      for (int64_t c = 0; i >= 0 && c < s.columns; c++)
        part += w[t * p->w.taps + c] * fetch_each(from->x + i * p->w.in, &r->column[c], s.stride, s.up);
      sum += part;
    }
    real *to = y + o * p->w.out + r->o;
    if (add) sum += load(to, r->count);
    put(to, sum, r->count);
  }
}

/* One plane, with tap columns from t0 on. */
INLINE void correlate_plane(const stretch *r, int stretches, const shape s, int64_t n, const bool add)
{
  const cb_plane *p = r->plane;
  const source from = {(const real *)p->x + n * p->x_pitch, p->before + n * p->x_pitch, p->after - n * p->x_pitch};
  const real *w = (const real *)p->weights + n * p->h.taps * p->w.taps + r->t0;
  real *y = (real *)p->y + n * p->y_pitch;
  const int64_t rows = p->h.out, step = block_rows(stretches, rows);
  for (int64_t o = 0; o < rows; o += step)
    for (int i = 0; i < stretches; i++) {
      const int64_t end = o + step < rows ? o + step : rows;
      if (all_within(&r[i], s, &from, o, end))
        correlate_rows(&r[i], s, &from, w, y, o, end, add);
      else
        correlate_each(&r[i], s, &from, w, y, o, end, add);
    }
}

INLINE void correlate(const cb_plane *p, const shape s)
{
  stretch r[STRETCHES];
  for (int64_t t0 = 0; t0 < p->w.taps; t0 += MOST_COLUMNS) {
    const shape pass = pass_of(s, p, t0);
    const bool add = p->add || t0 > 0;
    for (int64_t o = 0; o < p->w.out; o += STRETCHES * LANES) {
      int stretches = open_stretches(r, p, pass, o, t0, !add);
      for (int64_t n = 0; n < p->planes; n++)
        if (add)
          correlate_plane(r, stretches, pass, n, true);
        else
          correlate_plane(r, stretches, pass, n, false);
    }
  }
}

static void correlate_3x3(const cb_plane *p)
{
  correlate(p, SHAPE_3X3(1, false, false));
}
static void correlate_3x3_by_2(const cb_plane *p)
{
  correlate(p, SHAPE_3X3(2, false, false));
}
static void correlate_3x3_by_2_narrow(const cb_plane *p)
{
  correlate(p, SHAPE_3X3(2, true, false));
}
static void correlate_3x3_up_2(const cb_plane *p)
{
  correlate(p, SHAPE_3X3(2, false, true));
}
static void correlate_any(const cb_plane *p)
{
  correlate(p, (shape){.rows = p->h.taps, .stride = p->w.stride, .row_stride = p->h.stride, .up = p->up});
}
void CB_NAME(cb_correlate)(const cb_plane *p)
{
  int64_t stride = known_stride(p);
  if (stride == 0)
    correlate_any(p);
  else if (stride == 1)
    correlate_3x3(p);
  else if (p->up)
    correlate_3x3_up_2(p);
  else if (p->w.out <= LANES / 2)
    correlate_3x3_by_2_narrow(p);
  else
    correlate_3x3_by_2(p);
}
