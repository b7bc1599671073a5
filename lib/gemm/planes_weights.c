/*
 * The weight gradient of a depthwise convolution, one channel at a time, in the rows of plain NCHW:
 *
 *     correlate_weights   sums[th][tw] += sum over images and outputs of x[ih][iw] * y[oh][ow]
 *
 * By the stretches of planes.c; a vector of sums a tap, whose lanes are added up at the end of a plane.
 */
#include "gemm/plane_stretch.h"

/* The output row o of a stretch, zeros in lanes that are not its own. */
INLINE vector output_row(const stretch *r, const real *y, int64_t o)
{
  const int64_t out = r->plane->w.out, size = r->plane->h.out * out - r->o;
  vector d = load(y + o * out + r->o, o * out + LANES <= size ? LANES : r->count);
  return keep(r->counted, d);
}

/* QUAD output rows from o on, added to the sums of 3 x 3 taps; as in correlate_quad, an input row is loaded once. */
INLINE void weigh_quad(const stretch *r, const shape s, const tap_column column[3], const source *from, const real *y,
                       int64_t o, vector part[9])
{
  const cb_plane_axis *h = &r->plane->h;
  vector d[QUAD];
  UNROLL for (int k = 0; k < QUAD; k++) d[k] = output_row(r, y, o + k);
  UNROLL for (int row = 0; row < QUAD + 2; row++)
  {
    const int64_t i = o + h->base + row;
    if (i < 0 || i >= h->in) continue;
    const real *x = from->x + i * r->plane->w.in;
    vector v[3];
    UNROLL for (int c = 0; c < 3; c++) v[c] = fetch(x, &column[c], s);
    UNROLL for (int k = 0; k < QUAD; k++)
    {
      const int t = row - k;
      if (t >= 0 && t < 3) UNROLL for (int c = 0; c < 3; c++) part[t * 3 + c] += v[c] * d[k];
    }
  }
}

/* Adds output rows [o0, o1) of one stretch to the sums of tap rows [t, t + s.rows): three, or one. */
INLINE void weigh_rows(const stretch *r, const shape s, const source *from, const real *y, int64_t t, int64_t o0,
                       int64_t o1, vector *sum)
{
  const cb_plane_axis h = r->plane->h;
  const int64_t in = r->plane->w.in;
  int64_t o = o0;
  tap_column local[3];
  vector part[9] = {0}; /* short sums, added to the others at the end */
  if (s.known) UNROLL for (int c = 0; c < 3; c++) local[c] = r->column[c];
  if (goes_by_quads(s, &h) && h.step == 1)
    for (; o + QUAD <= o1; o += QUAD) weigh_quad(r, s, local, from, y, o, part);
  for (; o < o1; o++) {
    const vector d = output_row(r, y, o);
    if (s.known) {
      UNROLL for (int k = 0; k < 3; k++)
      {
        int64_t i = input_row(&h, s, o, t + k);
        if (i < 0) continue;
        UNROLL for (int c = 0; c < 3; c++) part[k * 3 + c] += fetch(from->x + i * in, &local[c], s) * d;
      }
    } else {
      int64_t i = input_row(&h, s, o, t);
      for (int64_t c = 0; i >= 0 && c < s.columns; c++) part[c] += fetch(from->x + i * in, &r->column[c], s) * d;
    }
  }
  for (int64_t k = 0; k < s.rows * s.columns; k++) sum[k] += part[k];
}

/* The same, element by element. */
static void weigh_each(const stretch *r, const shape s, const source *from, const real *y, int64_t t, int64_t o0,
                       int64_t o1, vector *sum)
{
  const cb_plane *p = r->plane;
  for (int64_t o = o0; o < o1; o++) {
    vector d = load(y + o * p->w.out + r->o, r->count);
    for (int64_t k = 0; k < s.rows; k++) {
      int64_t i = input_row(&p->h, s, o, t + k);
      for (int64_t c = 0; i >= 0 && c < s.columns; c++)
        sum[k * s.columns + c] += fetch_each(from->x + i * p->w.in, &r->column[c], s.stride, false) * d;
    }
  }
}

/* The sums of plane n over all its images: tap rows [t, t + s.rows), tap columns from t0 on. */
INLINE void weigh_plane(const stretch *r, int stretches, const shape s, int64_t n, int64_t t, vector *sum)
{
  const cb_plane *p = r->plane;
  const int64_t rows = p->h.out, step = block_rows(stretches, rows);
  for (int64_t image = 0; image < p->images; image++) {
    const int64_t at = n * p->x_pitch + image * p->x_image;
    const source from = {(const real *)p->x + at, p->before + at, p->after - at};
    const real *y = (const real *)p->y + n * p->y_pitch + image * p->y_image;
    for (int64_t o = 0; o < rows; o += step)
      for (int i = 0; i < stretches; i++) {
        const int64_t end = o + step < rows ? o + step : rows;
        if (all_within(&r[i], s, &from, o, end))
          weigh_rows(&r[i], s, &from, y, t, o, end, sum);
        else
          weigh_each(&r[i], s, &from, y, t, o, end, sum);
      }
  }
}

/* The sum of a vector's elements, in pairs. */
INLINE real total(vector v)
{
  real part[LANES] = {0};
  *(vector *)part = v;
  UNROLL for (int half = LANES / 2; half > 0; half /= 2) UNROLL for (int l = 0; l < half; l++) part[l] +=
      part[l + half];
  return part[0];
}

INLINE void weigh(const cb_plane *p, const shape s, real *sums)
{
  stretch r[STRETCHES];
  for (int64_t t0 = 0; t0 < p->w.taps; t0 += MOST_COLUMNS) {
    const shape pass = pass_of(s, p, t0);
    for (int64_t o = 0; o < p->w.out; o += STRETCHES * LANES) {
      int stretches = open_stretches(r, p, pass, o, t0, false);
      for (int64_t n = 0; n < p->planes; n++)
        for (int64_t t = 0; t < p->h.taps; t += s.rows) {
          vector sum[3 * MOST_COLUMNS] = {0};
          weigh_plane(r, stretches, pass, n, t, sum);
          for (int64_t k = 0; k < pass.rows * pass.columns; k++)
            sums[(n * p->h.taps + t + k / pass.columns) * p->w.taps + t0 + k % pass.columns] += total(sum[k]);
        }
    }
  }
}

static void weigh_3x3(const cb_plane *p, real *sums)
{
  weigh(p, SHAPE_3X3(1, false, false), sums);
}
static void weigh_3x3_by_2(const cb_plane *p, real *sums)
{
  weigh(p, SHAPE_3X3(2, false, false), sums);
}
static void weigh_3x3_by_2_narrow(const cb_plane *p, real *sums)
{
  weigh(p, SHAPE_3X3(2, true, false), sums);
}
static void weigh_any(const cb_plane *p, real *sums)
{
  weigh(p, (shape){.rows = 1, .stride = p->w.stride, .row_stride = p->h.stride}, sums);
}

void CB_NAME(cb_correlate_weights)(const cb_plane *p, void *sums)
{
  if (CB_NAME(cb_correlate_weights_square)(p, sums)) return;
  int64_t stride = known_stride(p);
  if (stride == 0)
    weigh_any(p, sums);
  else if (stride == 1)
    weigh_3x3(p, sums);
  else if (p->w.out <= LANES / 2)
    weigh_3x3_by_2_narrow(p, sums);
  else
    weigh_3x3_by_2(p, sums);
}
