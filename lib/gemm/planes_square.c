/*
 * Depthwise convolution with 3 x 3 or 5 x 5 taps that follow each other, strides of 1 and 2 and their transposes, in the rows of
 * plain NCHW:
 *
 *     y[oh][ow] (+)= sum over taps of weights[th][tw] * x[ih][iw]       (engine.h: where they meet)
 *
 * A vector is a stretch of one output row. Nothing is copied: what a tap column meets is loaded where it lies, under a mask that leaves
 * out what is beside the row, so nothing beside x is read. At stride 2 two loads give the elements of two tap columns, every second
 * one each; the transpose of stride 2 makes two vectors, of even and of odd columns, which are interleaved when stored. Planes
 * of at most half a vector go in pairs, each on its half of the lanes.
 *
 *     for each plane, or pair of planes: its weights, each a vector
 *       for each block of rows, each vector of columns: masks
 *         for some output rows at once
 *           for each input row that they meet: its vectors, each multiply-added to every row whose tap meets it
 *           store
 *
 * An output is one chain of multiply-adds: some tap columns at a time, of those tap rows, then taps.
 */
#include "gemm/planes_square.h"

#if CB_REGISTERS == 32
enum { ROWS_OF_3 = 7, ROWS_OF_5 = 7, ROWS_INTERLEAVED = 7 };
#else
enum { ROWS_OF_3 = 4, ROWS_OF_5 = 7, ROWS_INTERLEAVED = 2 };
#endif

/* Phase of tap column c, and its vector among those of fetch(). */
INLINE int phase_of(const square s, int c)
{
  return s.phases == 2 ? (c + s.parity) & 1 : 0;
}
INLINE int vector_of(const square s, int c)
{
  return s.phases == 2 ? (c + 1 - s.parity) / 2 : c;
}

/* Adds tap columns [c0, c1) to the sums of R output rows from o on. */
INLINE void add_columns(const call *q, const square s, const int R, const int c0, const int c1, const real *x,
                        const place *v, int64_t i, const vector *w, vector *sum)
{
  const int64_t in = q->plane->w.in, rows = q->rows.in, x_pitch = q->plane->x_pitch;
  UNROLL for (int row = 0; row < (R - 1) * s.stride + s.rows; row++, i++, x += in)
  {
    if ((uint64_t)i >= (uint64_t)rows) continue;
    vector tap[MOST + 1];
    const int first = s.stride == 2 ? c0 / 2 : c0, end = s.stride == 2   ? (c1 + 1) / 2
                                                         : s.phases == 2 ? loads_of(s)
                                                                         : c1;
    UNROLL for (int d = first; d < end; d++) fetch(x, s, v, x_pitch, d, tap);
    UNROLL for (int c = c0; c < c1; c++) UNROLL for (int k = 0; k < R; k++)
    {
      const int t = row - k * s.stride;
      if (t >= 0 && t < s.rows) sum[k * s.phases + phase_of(s, c)] += w[t * s.columns + c] * tap[vector_of(s, c)];
    }
  }
}

/* The sums of R output rows from o on. */
INLINE void sum_rows(const call *q, const square s, const int R, const real *x, const place *v, int64_t o,
                     const vector *w, vector *sum)
{
  const int64_t i = o * s.stride + q->rows.at[0];
  const int G = columns_at_once(s);
  x += v->o * s.stride + q->low + i * q->plane->w.in;
  UNROLL for (int k = 0; k < R * s.phases; k++) sum[k] = (vector){0};
  UNROLL for (int c = 0; c < s.columns; c += G)
      add_columns(q, s, R, c, c + G < s.columns ? c + G : s.columns, x, v, i, w, sum);
}

/* Half of a vector's lanes to `to`: the first or the second. */
INLINE void put_half(real *to, vector v, const bool second, mask set)
{
#if defined __AVX512VL__ && CB_LANES == 16
  const __m512d all = (__m512d)v;
  const __m256 half = (__m256)(second ? _mm512_extractf64x4_pd(all, 1) : _mm512_castpd512_pd256(all));
  _mm256_mask_storeu_ps(to, (__mmask8)set, half);
#else
  vector moved = v;
  if (second) UNROLL for (int l = 0; l < HALF; l++) moved[l] = v[l + HALF];
  put_if(set, to, moved);
#endif
}

/* One row of sums to y + at, or pair of rows of two planes; `end` is the end of the plane. */
INLINE void store_sums(const call *q, const square s, const place *v, real *to, const real *end, bool both,
                       const vector *sum)
{
  const cb_plane *p = q->plane;
  vector out[2] = {sum[0], sum[0]};
  if (s.phases == 2) out[0] = weave_low(sum[0], sum[1]), out[1] = weave_high(sum[0], sum[1]);
  if (s.planes == 2) {
    if (p->add) {
      vector old = load_kept(v->out[0], to);
      if (s.phases == 2) {
        out[0] += old;
        if (both) out[1] += load_kept(v->out[0], to + p->y_pitch);
      } else {
        if (both) UNROLL for (int l = 0; l < HALF; l++) old[l + HALF] = load_kept(v->out[0], to + p->y_pitch)[l];
        out[0] += old;
      }
    }
    if (s.phases == 2) {
      put_if(v->out[0], to, out[0]);
      if (both) put_if(v->out[0], to + p->y_pitch, out[1]);
    } else {
      put_half(to, out[0], false, v->out[0]);
      if (both) put_half(to + p->y_pitch, out[0], true, v->out[0]);
    }
    return;
  }
  /* Without masks a whole vector is cheaper than a part: what it writes past a narrow row, the next rows write again. */
  const bool whole = v->whole || (CB_VECTOR_BYTES < 64 && s.phases == 1 && !p->add && p->w.out < LANES &&
                                  q->rows.out_step == 1 && to + LANES <= end);
  UNROLL for (int i = 0; i < s.phases; i++, to += LANES)
  {
    if (p->add) out[i] += load_kept(v->out[i], to);
    if (whole)
      *(vector *)to = out[i];
    else
      put_if(v->out[i], to, out[i]);
  }
}

/* Rows [o, end) of the phase of one vector of columns, R at a time; returns the first that is left. */
INLINE int64_t some_rows(const call *q, const square s, const int R, const place *v, const real *x, real *y,
                         const real *y_end, bool both, int64_t o, int64_t end, const vector *w)
{
  const pass_axis *h = &q->rows;
  const int64_t line = h->out_step * q->plane->w.out;
  for (; o + R <= end; o += R) {
    vector sum[14];
    sum_rows(q, s, R, x, v, o, w, sum);
    real *to = y + h->out0 * q->plane->w.out + o * line + s.phases * v->o;
    UNROLL for (int k = 0; k < R; k++, to += line) store_sums(q, s, v, to, y_end, both, sum + k * s.phases);
  }
  return o;
}

/* Output rows at once: as many as leave registers for the weights. */
INLINE int rows_at_once(const square s)
{
  return s.phases == 2 ? ROWS_INTERLEAVED : s.columns == 5 ? ROWS_OF_5 : ROWS_OF_3;
}

/* All rows [o, end) of one vector of columns. */
INLINE void run_rows(const call *q, const square s, const place *v, const real *x, real *y, bool both, int64_t o,
                     int64_t end, const vector *w)
{
  const int R = rows_at_once(s);
  const cb_plane *p = q->plane;
  const real *y_end = y + p->h.out * p->w.out;
  o = some_rows(q, s, R, v, x, y, y_end, both, o, end, w);
  if (o < end && end >= R && !p->add) /* the last rows, and some again */
    o = some_rows(q, s, R, v, x, y, y_end, both, end - R, end, w);
  some_rows(q, s, 1, v, x, y, y_end, both, o, end, w);
}

/* One plane, or a pair; `only` is the vector of columns, if there is one. */
INLINE void run_plane(const call *q, const square s, const place *only, const real *x, real *y, const vector *weights,
                      bool both)
{
  const cb_plane *p = q->plane;
  const int64_t rows = q->rows.outs, step = q->outs > NARROW ? rows_at_once(s) : BLOCK_ROWS;
  const bool again = !p->add && s.phases == 1;
  const int64_t last = load_at(s, loads_of(s) - 1) + s.stride * LANES;
  square plain = s;
  plain.masked = false;
  vector w[MOST * MOST];
  UNROLL for (int t = 0; t < s.rows * s.columns; t++) w[t] = weights[t];
  if (s.planes == 2 || q->outs <= LANES) {
    run_rows(q, s, only, x, y, both, 0, rows, w);
    return;
  }
  for (int64_t o = 0; o < rows; o += step) {
    const int64_t end = o + step < rows ? o + step : rows;
    for (int64_t c = 0; c < q->outs; c += LANES) {
      if (again && c > 0 && c + LANES > q->outs) c = q->outs - LANES;
      place v;
      place_open(&v, q, s, c, q->outs - c, both, false);
      const int64_t at = c * s.stride + q->low;
      if (!ALWAYS_MASKED && at >= 0 && at + last <= p->w.in)
        run_rows(q, plain, &v, x, y, both, o, end, w);
      else
        run_rows(q, s, &v, x, y, both, o, end, w);
    }
  }
}

INSTANCED void run(const call *q, const square s)
{
  const cb_plane *p = q->plane;
  const real *weights = p->weights;
  const mask second = lanes_between(HALF, LANES);
  vector w[MOST * MOST];
  place only;
  place_open(&only, q, s, 0, q->outs, true, false);
  for (int64_t n = 0; n < p->planes; n += s.planes, weights += s.planes * p->weight_pitch) {
    const bool both = s.planes == 2 && n + 1 < p->planes;
    const real *other = both ? weights + p->weight_pitch : weights;
    if (s.planes == 2 && !both) place_open(&only, q, s, 0, q->outs, false, false);
    UNROLL for (int t = 0; t < s.rows; t++) UNROLL for (int c = 0; c < s.columns; c++)
    {
      const int64_t column = q->flip_columns ? q->flip_columns - c : c, at = q->rows.tap[t] * p->w.taps + column;
      vector each = weights[at] - (vector){0};
      if (s.planes == 2) each = choose(second, other[at] - (vector){0}, each);
      w[t * s.columns + c] = each;
    }
    run_plane(q, s, &only, (const real *)p->x + n * p->x_pitch, (real *)p->y + n * p->y_pitch, w, both);
  }
}

typedef void (*square_function)(const call *q);

/* INSTANCE(name, rows, columns, stride, phases, parity): for one plane, and for pairs where vectors are long enough that planes of
   at most half of one are common. */
#define SINGLE(NAME, ROWS, COLUMNS, STRIDE, PHASES, PARITY)                                                            \
  static void NAME##_single(const call *q)                                                                             \
  {                                                                                                                    \
    run(q, (square){ROWS, COLUMNS, STRIDE, PHASES, PARITY, 1, true});                                                  \
  }
#if CB_VECTOR_BYTES >= 64
#define INSTANCE(NAME, ROWS, COLUMNS, STRIDE, PHASES, PARITY)                                                          \
  SINGLE(NAME, ROWS, COLUMNS, STRIDE, PHASES, PARITY)                                                                  \
  static void NAME##_pairs(const call *q)                                                                              \
  {                                                                                                                    \
    run(q, (square){ROWS, COLUMNS, STRIDE, PHASES, PARITY, 2, true});                                                  \
  }                                                                                                                    \
  static const square_function NAME[2] = {NAME##_single, NAME##_pairs};
#else
#define INSTANCE(NAME, ROWS, COLUMNS, STRIDE, PHASES, PARITY)                                                          \
  SINGLE(NAME, ROWS, COLUMNS, STRIDE, PHASES, PARITY)                                                                  \
  static const square_function NAME[2] = {NAME##_single, NAME##_single};
#endif

INSTANCE(by_1_of_3, 3, 3, 1, 1, 0)
INSTANCE(by_2_of_3, 3, 3, 2, 1, 0)
INSTANCE(by_1_of_5, 5, 5, 1, 1, 0)
INSTANCE(by_2_of_5, 5, 5, 2, 1, 0)
INSTANCE(up_1_of_3_even, 1, 3, 1, 2, 0)
INSTANCE(up_1_of_3_odd, 1, 3, 1, 2, 1)
INSTANCE(up_2_of_3_even, 2, 3, 1, 2, 0)
INSTANCE(up_2_of_3_odd, 2, 3, 1, 2, 1)
INSTANCE(up_2_of_5_even, 2, 5, 1, 2, 0)
INSTANCE(up_2_of_5_odd, 2, 5, 1, 2, 1)
INSTANCE(up_3_of_5_even, 3, 5, 1, 2, 0)
INSTANCE(up_3_of_5_odd, 3, 5, 1, 2, 1)

/* The instance for so many tap columns and, of a transposed stride of 2, tap rows of the phase. */
static const square_function *instance(int64_t columns, int64_t stride, bool up, int64_t rows, int64_t parity)
{
  static const square_function *const ups[4][2] = {{up_1_of_3_even, up_1_of_3_odd},
                                                   {up_2_of_3_even, up_2_of_3_odd},
                                                   {up_2_of_5_even, up_2_of_5_odd},
                                                   {up_3_of_5_even, up_3_of_5_odd}};
  if (up && stride == 2) return ups[(columns == 5 ? 1 : 0) + rows - 1][parity];
  if (columns == 3) return stride == 1 ? by_1_of_3 : by_2_of_3;
  return stride == 1 ? by_1_of_5 : by_2_of_5;
}

bool CB_NAME(cb_correlate_square)(const cb_plane *p)
{
  if (!is_square(p)) return false;
  const bool interleaved = p->up && p->w.stride == 2;
  const int64_t phases = interleaved ? 2 : 1;
  for (int64_t phase = 0; phase < phases && phase < p->h.out; phase++) {
    const call q = call_of(p, interleaved, phase);
    instance(p->w.taps, p->w.stride, p->up, q.rows.count, q.parity)[q.outs <= HALF](&q);
  }
  return true;
}
