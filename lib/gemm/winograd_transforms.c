/*
 * Winograd's transforms, channels on the lanes (gemm/winograd.h): the band, and what becomes of a row of tiles.
 *
 * Channels on the lanes make every transform whole vectors, whatever the tile's size: no shuffles but the
 * transpositions by which rows of a plane become lanes and back. Along a row neighbouring tiles share inputs, so the
 * pass over columns is done once a column.
 */
#include "gemm/turn.h"
#include "gemm/winograd_build.h"
#include "gemm/winograd_forms.h"

/* Loads columns [q, q + LANES) of a row of the plane, or only `some` unless `whole`, of all channels onto the lanes. */
INLINE void turn(const cb_winograd_band *t, const real *row, int64_t q, const bool whole, mask some, vector v[LANES])
{
  if (whole && t->channels == LANES) {
    turn_rows(row + q, t->plane, v);
    return;
  }
  UNROLL for (int i = 0; i < LANES; i++)
  {
    const real *at = row + i * t->plane + q;
    if (i >= t->channels)
      v[i] = (vector){0};
    else
      v[i] = whole ? *(const vector *)at : load_kept(some, at);
  }
  transpose(v);
}

/* Puts columns [from, end) of a row of the plane in their places in the band. */
static void open_row(const cb_winograd_band *t, const real *row, int64_t from, int64_t end, real *to)
{
  const int64_t count = end - from;
  vector v[LANES];
  if (count < LANES) {
    turn(t, row, from, false, lanes_between(0, count), v);
    UNROLL for (int i = 0; i < LANES; i++) if (i < count) * (vector *)(to + i * LANES) = v[i];
    return;
  }
  for (int64_t q = 0;; q += LANES) {
    if (q + LANES > count) {
      if (q == count) return;
      q = count - LANES; /* the last vector overlaps the one before */
    }
    turn(t, row, from + q, true, lanes_between(0, LANES), v);
    UNROLL for (int i = 0; i < LANES; i++) * (vector *)(to + (q + i) * LANES) = v[i];
  }
}

static void clear(real *to, int64_t columns)
{
  if (columns > 0) memset(to, 0, (size_t)columns * LANES * sizeof(real));
}

static void open_band(const cb_winograd_band *t)
{
  int64_t from = t->column < 0 ? 0 : t->column, end = t->column + t->columns;
  if (end > t->width) end = t->width;
  real *to = t->to;
  for (int64_t r = t->row; r < t->row + t->rows; r++, to += t->columns * LANES) {
    if (r < 0 || r >= t->height || from >= end) {
      clear(to, t->columns);
      continue;
    }
    clear(to, from - t->column);
    open_row(t, (const real *)t->from + r * t->width, from, end, to + (from - t->column) * LANES);
    clear(to + (end - t->column) * LANES, t->column + t->columns - end);
  }
}

/* Transforms, along the row, a row of columns that are points of h already; tiles begin `step` columns apart. */
INLINE void inputs_along(const real *from, int64_t tiles, const int wide, const int step, real *to, int64_t pitch)
{
  vector d[WINOGRAD_POINTS], v[WINOGRAD_POINTS];
  UNROLL for (int z = 0; z < wide - step; z++) d[step + z] = *(const vector *)(from + z * LANES);
  for (int64_t t = 0; t < tiles; t++, from += step * LANES, to += LANES) {
    UNROLL for (int z = 0; z < wide - step; z++) d[z] = d[step + z];
    UNROLL for (int z = wide - step; z < wide; z++) d[z] = *(const vector *)(from + z * LANES);
    to_points(wide, d, v);
    UNROLL for (int z = 0; z < wide; z++) * (vector *)(to + z * pitch) = v[z];
  }
}

INLINE void inputs_of(const cb_winograd_inputs *t, const int tall, const int wide, const int step)
{
  const real *band = t->band;
  real *to = t->to, *columns = t->columns;
  if (tall == 1) {
    inputs_along(band, t->tiles, wide, step, to, t->point_pitch);
    return;
  }
  const int64_t count = (t->tiles - 1) * step + wide, pitch = t->pitch * LANES;
  for (int64_t q = 0; q < count * LANES; q += LANES) {
    vector d[WINOGRAD_POINTS], v[WINOGRAD_POINTS];
    UNROLL for (int i = 0; i < tall; i++) d[i] = *(const vector *)(band + i * pitch + q);
    to_points(tall, d, v);
    UNROLL for (int i = 0; i < tall; i++) * (vector *)(columns + i * pitch + q) = v[i];
  }
  UNROLL for (int i = 0; i < tall; i++)
      inputs_along(columns + i * pitch, t->tiles, wide, step, to + i * wide * t->point_pitch, t->point_pitch);
}

INLINE void weights_of(const cb_winograd_weights *t, const int tall, const int wide, const int h, const int w)
{
  const int64_t width = (int64_t)t->vectors * LANES;
  const real *taps = t->taps;
  real *to = t->to;
  for (int64_t at = 0; at < t->channels * t->vectors; at++) {
    const int64_t c = at / t->vectors, lane = at % t->vectors * LANES;
    const real *from = taps + c * h * w * width + lane;
    vector half[WINOGRAD_POINTS][3], g[3], u[WINOGRAD_POINTS];
    UNROLL for (int s = 0; s < w; s++)
    {
      UNROLL for (int r = 0; r < h; r++)
      {
        const int64_t tr = t->turned[0] ? h - 1 - r : r, ts = t->turned[1] ? w - 1 - s : s;
        g[r] = *(const vector *)(from + (tr * w + ts) * width);
      }
      weights_to_points(tall, h, g, u);
      UNROLL for (int i = 0; i < tall; i++) half[i][s] = u[i];
    }
    UNROLL for (int i = 0; i < tall; i++)
    {
      weights_to_points(wide, w, half[i], u);
      UNROLL for (int j = 0; j < wide; j++) * (vector *)(to + (i * wide + j) * t->point_pitch + c * width + lane) =
          u[j];
    }
  }
}

/* Puts one tile's outputs in their place; *check becomes NaN if a sum is not finite. */
INLINE void put_tile(const cb_winograd_outputs *t, const int tall, const int wide, const int h, const int w,
                     int64_t tile, const bool whole, vector *check)
{
  const real *from = (const real *)t->from + tile * t->width;
  real *to = (real *)t->to + tile * w * LANES;
  const int64_t columns = t->columns - tile * w;
  vector half[WINOGRAD_POINTS][WINOGRAD_POINTS], m[WINOGRAD_POINTS], y[WINOGRAD_POINTS];
  UNROLL for (int j = 0; j < wide; j++)
  {
    UNROLL for (int i = 0; i < tall; i++) m[i] = *(const vector *)(from + (i * wide + j) * t->point_pitch);
    from_points(tall, h, m, y);
    UNROLL for (int i = 0; i < h; i++) half[i][j] = y[i];
  }
  UNROLL for (int i = 0; i < h; i++)
  {
    from_points(wide, w, half[i], y);
    UNROLL for (int j = 0; j < w; j++)
    {
      if (whole || j < columns) *(vector *)(to + (i * t->pitch + j) * LANES) = y[j];
      *check += y[j] * (real)0;
    }
  }
}

INLINE bool put_tiles(const cb_winograd_outputs *t, const int tall, const int wide, const int h, const int w)
{
  vector check = {0};
  for (int64_t tile = 0; tile + 1 < t->tiles; tile++) put_tile(t, tall, wide, h, w, tile, true, &check);
  put_tile(t, tall, wide, h, w, t->tiles - 1, false, &check);
  return !any(unordered(check, check));
}

/* The forms: X(ID, name, outputs along h, along w, taps along h, along w) */
#define FORMS(X)                                                                                                       \
  X(CB_WINOGRAD_2X2, 2x2, 2, 2, 3, 3)                                                                                  \
  X(CB_WINOGRAD_3X3, 3x3, 3, 3, 3, 3)                                                                                  \
  X(CB_WINOGRAD_4X4, 4x4, 4, 4, 3, 3)                                                                                  \
  X(CB_WINOGRAD_2, 2, 1, 2, 1, 3) X(CB_WINOGRAD_3, 3, 1, 3, 1, 3) X(CB_WINOGRAD_4, 4, 1, 4, 1, 3)

#define DEFINE_FORM(ID, NAME, H, W, R, S)                                                                              \
  static void inputs_##NAME(const cb_winograd_inputs *t)                                                               \
  {                                                                                                                    \
    inputs_of(t, H + R - 1, W + S - 1, W);                                                                             \
  }                                                                                                                    \
  static void weights_##NAME(const cb_winograd_weights *t)                                                             \
  {                                                                                                                    \
    weights_of(t, H + R - 1, W + S - 1, R, S);                                                                         \
  }                                                                                                                    \
  static bool outputs_##NAME(const cb_winograd_outputs *t)                                                             \
  {                                                                                                                    \
    return put_tiles(t, H + R - 1, W + S - 1, H, W);                                                                   \
  }
FORMS(DEFINE_FORM)

#define FORM_ENTRY(ID, NAME, H, W, R, S)                                                                               \
  [ID] = {.taps = {R, S},                                                                                              \
          .outputs = {H, W},                                                                                           \
          .points = {H + R - 1, W + S - 1},                                                                            \
          .inputs = inputs_##NAME,                                                                                     \
          .weights = weights_##NAME,                                                                                   \
          .outputs_of = outputs_##NAME},

extern const cb_winograd CB_NAME(cb_winograd);
const cb_winograd CB_NAME(cb_winograd) = {
    .lanes = LANES, .form = {FORMS(FORM_ENTRY)}, .open_band = open_band, .multiply = CB_NAME(cb_winograd_multiply)};
