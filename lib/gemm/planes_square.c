/*
 * Depthwise convolution with 3 x 3 or 5 x 5 taps that follow each other, strides of 1 and 2 and their transposes, in
 * the rows of plain NCHW:
 *
 *     y[oh][ow] (+)= sum over taps of weights[th][tw] * x[ih][iw]       (engine.h: where they meet)
 *
 * A vector is a stretch of one output row. Nothing is copied: what a tap column meets is loaded where it lies, under a
 * mask that leaves out what is beside the row, so nothing beside x is read. At stride 2 two loads give the elements of
 * two tap columns, every second one each; the transpose of stride 2 makes two vectors, of even and of odd columns,
 * which are interleaved when stored. Planes of at most half a vector go in pairs, each on its half of the lanes.
 *
 *     for each plane, or pair of planes: its weights, one by one (of a pair, each a vector)
 *       for each block of rows, each vector of columns: masks
 *         for some output rows at once
 *           for each input row that they meet: its vectors, each multiply-added to every row whose tap meets it
 *           store
 *
 * An output is one chain of multiply-adds: some tap columns at a time (where registers are few and the stride is 2,
 * first of even tap rows, then of odd ones), of those tap rows, then taps.
 */
#include "gemm/planes_square.h"

#if CB_REGISTERS == 32
enum { ROWS_AT_ONCE = 7, ROWS_INTERLEAVED = 7, PAIR_OF_3 = 3 };
#else
enum { ROWS_AT_ONCE = 7, ROWS_INTERLEAVED = 2, PAIR_OF_3 = 2 };
#endif

/* The phase of tap column c, and the number of its vector among those of fetch(). */
INLINE int phase_of(const square s, int c)
{
  return s.phases == 2 ? (c + s.parity) & 1 : 0;
}
INLINE int vector_of(const square s, int c)
{
  return s.phases == 2 ? (c + 1 - s.parity) / 2 : c;
}

/* A plane's weights: spread over vectors for a pair of planes, else one by one. */
typedef struct {
  const vector *wide;
  const real *each;
} taps;

INLINE vector weight_of(const square s, const taps *w, int i)
{
  vector v;
  if (s.planes == 2)
    v = w->wide[i];
  else
    v = w->each[i] - (vector){0};
  OPAQUE_HERE(v);
  return v;
}

/* How many tap columns go over the rows at once, so that their weights have registers. */
INLINE int columns_at_once(const square s)
{
  if (s.phases == 2) return s.columns;
  if (s.columns == 3) return s.stride == 2 ? PAIR_OF_3 : COLUMNS_OF_3;
  return s.stride == 2 ? 2 : COLUMNS_OF_5;
}

/* What a pass over the rows adds: tap columns [c0, c1) of tap rows t0, t0 + hop, ... */
typedef struct {
  int c0, c1, t0, hop;
} part;

/* Adds a part of the taps to the sums of R output rows. Row i of x, at x, is the first that the rows meet. */
INLINE void add_part(const call *q, const square s, const int R, const part a, const real *x, const place *v, int64_t i,
                     const taps *w, vector *sum)
{
  const int64_t in = q->plane->w.in, rows = q->rows.in, x_pitch = q->plane->x_pitch;
  const int first = s.stride == 2 ? a.c0 / 2 : vector_of(s, a.c0),
            end = s.stride == 2 ? (a.c1 + 1) / 2 : vector_of(s, a.c1 - 1) + 1;
  vector weight[MOST * MOST];
  place held;
  hold_masks(&held, s, v);
  UNROLL for (int t = a.t0; t < s.rows; t += a.hop) UNROLL for (int c = a.c0; c < a.c1; c++) weight[t * s.columns + c] =
      weight_of(s, w, t * s.columns + c);
  x += a.t0 * in;
  i += a.t0;
  OPAQUE(x);
  OPAQUE(i);
  UNROLL for (int row = a.t0; row < (R - 1) * s.stride + s.rows; row += a.hop, i += a.hop, x += a.hop * in)
  {
    if ((uint64_t)i >= (uint64_t)rows) continue;
    vector tap[MOST + 1];
    UNROLL for (int d = first; d < end; d++) fetch(x, s, &held, x_pitch, d, tap);
    UNROLL for (int c = a.c0; c < a.c1; c++) UNROLL for (int k = 0; k < R; k++)
    {
      const int t = row - k * s.stride;
      if (t >= 0 && t < s.rows) sum[k * s.phases + phase_of(s, c)] += weight[t * s.columns + c] * tap[vector_of(s, c)];
    }
  }
}

/* Computes the sums of R output rows from o on. */
INLINE void sum_rows(const call *q, const square s, const int R, const real *x, const place *v, int64_t o,
                     const taps *w, vector *sum)
{
  const int64_t i = o * s.stride + q->rows.at[0];
  const int hop = CB_REGISTERS == 32 ? 1 : s.stride, G = columns_at_once(s);
  x += v->o * s.stride + q->low + i * q->plane->w.in;
  UNROLL for (int k = 0; k < R * s.phases; k++) sum[k] = (vector){0};
  UNROLL for (int c = 0; c < s.columns; c += G) UNROLL for (int t = 0; t < hop; t++)
      add_part(q, s, R, (part){c, c + G < s.columns ? c + G : s.columns, t, hop}, x, v, i, w, sum);
  if (s.stride == 2) UNROLL for (int k = 0; k < R; k++) sum[k] = far(sum[k]);
}

/* Stores one half of a vector's lanes, the first or the second, at `to`. */
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

/* The vector of elements from `by` on of a and b side by side. */
INLINE vector slide(vector a, vector b, int64_t by)
{
#if CB_VECTOR_BYTES == 32 && CB_LANES == 8
  const ivector at = counting() + (integer)by;
  const vector c = (vector)_mm256_permutevar8x32_ps((__m256)a, (__m256i)at),
               d = (vector)_mm256_permutevar8x32_ps((__m256)b, (__m256i)at);
  return choose((mask)(at < LANES), c, d);
#else
  _Alignas(CB_VECTOR_BYTES) real room[2 * LANES];
  *(vector *)room = a;
  *(vector *)(room + LANES) = b;
  return *(const vector *)(room + by);
#endif
}

/* Stores one row of sums at `to`, or a pair of rows of two planes, under masks. */
INLINE void store_sums(const call *q, const square s, const place *v, real *to, bool both, const vector *sum)
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
  UNROLL for (int i = 0; i < s.phases; i++, to += LANES)
  {
    if (p->add) out[i] += load_kept(v->out[i], to);
    if (v->whole)
      *(vector *)to = out[i];
    else
      put_if(v->out[i], to, out[i]);
  }
}

/* How rows are stored by whole vectors: not at all, or the second of two begins where the row's last elements lie. */
typedef struct {
  bool whole;
  int64_t second;  /* elements from the first vector of a pair to the second */
  const real *end; /* no vector may reach beyond it */
} stores;

/* Finds how rows are stored. Where masked stores are slow, a whole vector is cheaper than a part: what it writes past a
   narrow row, the next rows or planes write again; of two vectors, the second may begin in the first. Elements before
   `end` are written by this call, and later. */
INLINE stores stores_of(const call *q, const square s, const place *v, const real *end)
{
  const cb_plane *p = q->plane;
  const bool slow = CB_VECTOR_BYTES < 64;
  stores t = {v->whole, LANES, end};
  if (s.phases == 2 && slow && v->count > LANES && v->count < 2 * LANES) t.whole = true, t.second = v->count - LANES;
  if (s.phases == 1 && slow && p->w.out < LANES && q->rows.out_step == 1)
    t.whole = true;
  else
    t.end += LANES; /* these stores end with the row */
  if (p->add || s.planes == 2) t.whole = false;
  return t;
}

/* Stores R rows of sums, the first at `to` and each `line` elements behind the one before. */
INLINE void store_rows(const call *q, const square s, const int R, const place *v, const stores *t, real *to,
                       int64_t line, bool both, const vector *sum)
{
  if (!t->whole || to + (R - 1) * line + LANES > t->end) {
    UNROLL for (int k = 0; k < R; k++, to += line) store_sums(q, s, v, to, both, sum + k * s.phases);
    return;
  }
  const int64_t second = t->second;
  UNROLL for (int k = 0; k < R; k++, to += line)
  {
    if (s.phases == 1) {
      *(vector *)to = sum[k];
      continue;
    }
    const vector a = weave_low(sum[2 * k], sum[2 * k + 1]), b = weave_high(sum[2 * k], sum[2 * k + 1]);
    *(vector *)to = a;
    *(vector *)(to + second) = second == LANES ? b : slide(a, b, second);
  }
}

/* Computes rows [o, end) of the phase of one vector of columns, R at a time; returns the first row that is left. If there
   are rows enough before it, some of those are computed again with the last ones. */
INLINE int64_t some_rows(const call *q, const square s, const int R, const place *v, const real *x, real *y,
                         const stores *t, bool both, int64_t o, int64_t end, const taps *w)
{
  const pass_axis *h = &q->rows;
  const int64_t line = h->out_step * q->plane->w.out, first = h->out0 * q->plane->w.out + s.phases * v->o;
  for (; o < end; o += R) {
    vector sum[14];
    if (o + R > end) {
      if (end < R || q->plane->add) break;
      o = end - R;
    }
    sum_rows(q, s, R, x, v, o, w, sum);
    store_rows(q, s, R, v, t, y + first + o * line, line, both, sum);
  }
  return o;
}

/* How many output rows are computed at once: as many as leave registers for the weights. */
INLINE int rows_at_once(const square s)
{
  return s.phases == 2 ? ROWS_INTERLEAVED : ROWS_AT_ONCE;
}

/* Computes all rows [o, end) of one vector of columns; elements before y_end are written by this call, and later. */
INLINE void run_rows(const call *q, const square s, const place *v, const real *x, real *y, const real *y_end,
                     bool both, int64_t o, int64_t end, const taps *w)
{
  const int R = rows_at_once(s);
  const stores t = stores_of(q, s, v, y_end);
  o = some_rows(q, s, R, v, x, y, &t, both, o, end, w);
  some_rows(q, s, 1, v, x, y, &t, both, o, end, w);
}

/* The first and the last vector of columns: the others rarely reach beside the row. */
typedef struct {
  place first, last;
} places;

/* Opens the first and the last vector of columns; where the last vector would be a part, it begins earlier if outputs
   may be computed twice. */
INLINE void places_open(places *v, const call *q, const square s, bool both)
{
  place_open(&v->first, q, s, 0, q->outs, both, false);
  if (q->outs <= LANES) return;
  const int64_t last = q->plane->add ? (q->outs - 1) / LANES * LANES : q->outs - LANES;
  place_open(&v->last, q, s, last, q->outs - last, both, false);
}

/* The vector of columns from c on; `middle` has room for one that is neither the first nor the last. */
INLINE const place *place_at(const places *v, place *middle, const call *q, const square s, int64_t c)
{
  if (c == 0) return &v->first;
  if (c + LANES >= q->outs) return &v->last;
  place_open(middle, q, s, c, q->outs - c, true, false);
  return middle;
}

/* True if the row has every element that the vector of columns from o on loads. */
INLINE bool in_row(const call *q, const square s, int64_t o)
{
  const int64_t at = o * s.stride + q->low;
  return !ALWAYS_MASKED && at >= 0 && at + load_at(s, loads_of(s) - 1) + s.stride * LANES <= q->plane->w.in;
}

/* Computes one plane, or a pair. */
INLINE void run_plane(const call *q, const square s, const places *v, const real *x, real *y, const real *y_end,
                      const taps *w, bool both)
{
  const int64_t rows = q->rows.outs, step = q->outs > NARROW ? rows_at_once(s) : BLOCK_ROWS;
  square plain = s;
  plain.masked = false;
  for (int64_t o = 0; o < rows; o += step) {
    const int64_t end = o + step < rows ? o + step : rows;
    for (int64_t c = 0; c < q->outs; c += LANES) {
      place middle;
      const place *at = place_at(v, &middle, q, s, c);
      if (s.planes == 1 && in_row(q, s, at->o))
        run_rows(q, plain, at, x, y, y_end, both, o, end, w);
      else
        run_rows(q, s, at, x, y, y_end, both, o, end, w);
    }
  }
}

/* The lanes of the second plane of a pair, where sums are before far(). */
INLINE mask second_lanes(const square s)
{
  const vector ones = (vector){0} + 1, marks = choose(lanes_between(HALF, LANES), ones, (vector){0});
  return greater(s.stride == 2 ? near(marks) : marks, (vector){0});
}

INSTANCED void run(const call *q, const square s)
{
  const cb_plane *p = q->plane;
  const real *weights = p->weights;
  const int64_t plane = p->h.out * p->w.out;
  const mask second = second_lanes(s);
  vector wide[MOST * MOST];
  real each[MOST * MOST];
  const taps w = {wide, each};
  places v;
  places_open(&v, q, s, true);
  for (int64_t n = 0; n < p->planes; n += s.planes, weights += s.planes * p->weight_pitch) {
    const bool both = s.planes == 2 && n + 1 < p->planes;
    const real *other = both ? weights + p->weight_pitch : weights;
    if (s.planes == 2 && !both) places_open(&v, q, s, false);
    UNROLL for (int t = 0; t < s.rows; t++) UNROLL for (int c = 0; c < s.columns; c++)
    {
      const int64_t column = q->flip_columns ? q->flip_columns - c : c, at = q->rows.tap[t] * p->w.taps + column;
      each[t * s.columns + c] = weights[at];
      if (s.planes == 2) wide[t * s.columns + c] = choose(second, other[at] - (vector){0}, weights[at] - (vector){0});
    }
    real *y = (real *)p->y + n * p->y_pitch;
    const real *y_end = y + plane * (p->y_pitch == plane ? p->planes - n : 1);
    run_plane(q, s, &v, (const real *)p->x + n * p->x_pitch, y, y_end, &w, both);
  }
}

typedef void (*square_function)(const call *q);

/* INSTANCE(name, rows, columns, stride, phases, parity) makes an instance for one plane, and one for pairs where
   vectors are long enough that planes of at most half of one are common. */
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

/* The instance for a number of tap columns and, of a transposed stride of 2, a number of tap rows of the phase. */
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
