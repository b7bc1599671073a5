/*
 * The weight gradient of depthwise convolutions with 3 x 3 or 5 x 5 taps that follow each other, at strides of 1 and 2:
 *
 *     sums[th][tw] += sum over images and outputs of x[ih][iw] * y[oh][ow]       (engine.h: where they meet)
 *
 * Loads go by the vectors of planes_square.c. A tap has a vector of sums; a block of rows of one vector of columns has
 * sums of its own, which are then added to the plane's, so that no chain grows long; an image of several vectors of
 * columns has sums of its own too. At a plane's end the lanes of all vectors are added up together: halves of the
 * vector first, then quarters, down to one.
 */
#include "gemm/lane_sums.h"
#include "gemm/planes_square.h"
#include <string.h>

#if CB_REGISTERS == 32
enum { ROWS = 7 };
#else
enum { ROWS = 2 };
#endif

/* How many tap columns go over the rows at once, so that their sums have registers. */
INLINE int columns_at_once(const square s)
{
  if (s.columns == 3) return 3;
  return s.stride == 2 || CB_REGISTERS == 16 ? 2 : COLUMNS_OF_5;
}

/* Adds R output rows from o on to the sums of tap columns [c0, c1). */
INLINE void weigh_rows(const call *q, const square s, const int R, const int c0, const int c1, const real *x,
                       const real *y, const place *v, int64_t o, bool both, vector *sum)
{
  const cb_plane *p = q->plane;
  const int64_t in = p->w.in, rows = q->rows.in, out = p->w.out;
  int64_t i = o * s.stride + q->rows.at[0];
  vector d[ROWS];
  place held;
  hold_masks(&held, s, v);
  x += v->o * s.stride + q->low + i * in;
  y += o * out + v->o;
  UNROLL for (int k = 0; k < R; k++, y += out)
  {
    d[k] = load_masked(y, v->out[0], s.masked);
    if (s.planes == 2 && both) d[k] = load_if(v->out[1], y + p->y_pitch - HALF, d[k]);
    if (s.stride == 2) d[k] = near(d[k]);
  }
  UNROLL for (int row = 0; row < (R - 1) * s.stride + s.rows; row++, i++, x += in)
  {
    if ((uint64_t)i >= (uint64_t)rows) continue;
    vector tap[MOST + 1];
    const int first = s.stride == 2 ? c0 / 2 : c0, end = s.stride == 2 ? (c1 + 1) / 2 : c1;
    UNROLL for (int l = first; l < end; l++) fetch(x, s, &held, p->x_pitch, l, tap);
    UNROLL for (int c = c0; c < c1; c++) UNROLL for (int k = 0; k < R; k++)
    {
      const int t = row - k * s.stride;
      if (t >= 0 && t < s.rows) sum[t * (c1 - c0) + c - c0] += d[k] * tap[c];
    }
  }
}

/* Adds rows [o, end) of one vector of columns to the sums of tap columns [c0, c1). */
INLINE void weigh_block(const call *q, const square s, const int c0, const int c1, const real *x, const real *y,
                        const place *v, int64_t o, int64_t end, bool both, vector *sum)
{
  vector part[MOST * MOST];
  UNROLL for (int t = 0; t < s.rows * (c1 - c0); t++) part[t] = (vector){0};
  for (; o + ROWS <= end; o += ROWS) weigh_rows(q, s, ROWS, c0, c1, x, y, v, o, both, part);
  for (; o < end; o++) weigh_rows(q, s, 1, c0, c1, x, y, v, o, both, part);
  UNROLL for (int t = 0; t < s.rows * (c1 - c0); t++) sum[t] += part[t];
}

/* Adds one image of a plane or a pair to the sums of tap columns [c0, c1). */
INLINE void weigh_image(const call *q, const square s, const int c0, const int c1, const real *x, const real *y,
                        const place *only, bool both, vector *sum)
{
  const cb_plane *p = q->plane;
  const int64_t rows = q->rows.outs, step = q->outs > NARROW ? ROWS : BLOCK_ROWS;
  const int64_t last = load_at(s, loads_of(s) - 1) + s.stride * LANES;
  square plain = s;
  plain.masked = false;
  for (int64_t o = 0; o < rows; o += step) {
    const int64_t end = o + step < rows ? o + step : rows;
    for (int64_t c = 0; c < q->outs; c += LANES) {
      const int64_t at = c * s.stride + q->low;
      const place *v = only;
      place own;
      if (s.planes == 1 && q->outs > LANES) {
        place_open(&own, q, s, c, q->outs - c, both, true);
        v = &own;
      }
      if (!ALWAYS_MASKED && c + LANES <= q->outs && at >= 0 && at + last <= p->w.in)
        weigh_block(q, plain, c0, c1, x, y, v, o, end, both, sum);
      else
        weigh_block(q, s, c0, c1, x, y, v, o, end, both, sum);
    }
  }
}

/* Sums with each plane's lanes in its half, where there are two planes. */
INLINE vector in_halves(const square s, vector sum)
{
  return s.planes == 2 && s.stride == 2 ? far(sum) : sum;
}

/* Adds the sums of tap columns [c0, c1), numbered by rows, to those of the plane, or of both planes of a pair; where[i]
   is the place of the i-th tap's sum in those of a plane. */
INLINE void add_sums(const call *q, const square s, const int c0, const int c1, const vector *sum, bool both,
                     const int32_t *where, real *to)
{
  const int64_t pitch = q->plane->h.taps * q->plane->w.taps;
  const int count = s.rows * (c1 - c0), each = s.planes == 2 ? HALF : LANES;
  UNROLL for (int first = 0; first < count; first += each)
  {
    vector v[LANES];
    real total[LANES];
    UNROLL for (int i = 0; i < LANES; i++) v[i] =
        i < each && first + i < count ? in_halves(s, sum[first + i]) : (vector){0};
    const vector folded = fold(v, each);
    memcpy(total, &folded, sizeof total);
    UNROLL for (int i = 0; i < each; i++)
    {
      if (first + i >= count) break;
      const int t = (first + i) / (c1 - c0), c = c0 + (first + i) % (c1 - c0);
      real *place_of = to + where[t * s.columns + c];
      place_of[0] += total[i];
      if (both) place_of[pitch] += total[HALF + i];
    }
  }
}

/* Lists where the sums of a plane's taps lie, by tap rows and columns in rising order of what they meet. */
INLINE void list_places(const call *q, const square s, int32_t where[MOST * MOST])
{
  for (int t = 0; t < s.rows; t++)
    for (int c = 0; c < s.columns; c++)
      where[t * s.columns + c] =
          (int32_t)(q->rows.tap[t] * q->plane->w.taps + (q->flip_columns ? q->flip_columns - c : c));
}

INSTANCED void weigh(const call *q, const square s, real *sums)
{
  const cb_plane *p = q->plane;
  place only;
  int32_t where[MOST * MOST];
  list_places(q, s, where);
  place_open(&only, q, s, 0, q->outs, true, true);
  for (int64_t n = 0; n < p->planes; n += s.planes) {
    const bool both = s.planes == 2 && n + 1 < p->planes;
    if (s.planes == 2 && !both) place_open(&only, q, s, 0, q->outs, false, true);
    if (s.planes == 2) only.out[1] = lanes_between(HALF, HALF + q->outs);
    const int G = columns_at_once(s);
    const bool apart = q->outs > LANES; /* each image has sums of its own */
    UNROLL for (int c = 0; c < s.columns; c += G)
    {
      const int c1 = c + G < s.columns ? c + G : s.columns;
      vector sum[MOST * MOST], own[MOST * MOST];
      UNROLL for (int t = 0; t < s.rows * (c1 - c); t++) sum[t] = own[t] = (vector){0};
      for (int64_t image = 0; image < p->images; image++) {
        const real *x = (const real *)p->x + n * p->x_pitch + image * p->x_image,
                   *y = (const real *)p->y + n * p->y_pitch + image * p->y_image;
        weigh_image(q, s, c, c1, x, y, &only, both, own);
        if (image + 1 < p->images && !apart) continue;
        UNROLL for (int t = 0; t < s.rows * (c1 - c); t++) sum[t] += own[t], own[t] = (vector){0};
      }
      add_sums(q, s, c, c1, sum, both, where, sums + n * p->h.taps * p->w.taps);
    }
  }
}

/* As in planes_square.c, there are instances for pairs where vectors are long. */
#define SINGLE(NAME, TAPS, STRIDE)                                                                                     \
  static void NAME##_single(const call *q, real *sums)                                                                 \
  {                                                                                                                    \
    weigh(q, (square){TAPS, TAPS, STRIDE, 1, 0, 1, true}, sums);                                                       \
  }
#if CB_VECTOR_BYTES >= 64
#define INSTANCE(NAME, TAPS, STRIDE)                                                                                   \
  SINGLE(NAME, TAPS, STRIDE)                                                                                           \
  static void NAME##_pairs(const call *q, real *sums)                                                                  \
  {                                                                                                                    \
    weigh(q, (square){TAPS, TAPS, STRIDE, 1, 0, 2, true}, sums);                                                       \
  }                                                                                                                    \
  static void (*const NAME[2])(const call *, real *) = {NAME##_single, NAME##_pairs};
#else
#define INSTANCE(NAME, TAPS, STRIDE)                                                                                   \
  SINGLE(NAME, TAPS, STRIDE)                                                                                           \
  static void (*const NAME[2])(const call *, real *) = {NAME##_single, NAME##_single};
#endif

INSTANCE(weigh_3, 3, 1)
INSTANCE(weigh_3_by_2, 3, 2)
INSTANCE(weigh_5, 5, 1)
INSTANCE(weigh_5_by_2, 5, 2)

bool CB_NAME(cb_correlate_weights_square)(const cb_plane *p, void *sums)
{
  if (!is_square(p)) return false;
  const call q = call_of(p, false, 0);
  const bool pairs = q.outs <= HALF;
  if (p->w.taps == 3)
    (p->w.stride == 1 ? weigh_3 : weigh_3_by_2)[pairs](&q, sums);
  else
    (p->w.stride == 1 ? weigh_5 : weigh_5_by_2)[pairs](&q, sums);
  return true;
}
