/*
 * The parts of Winograd's weight gradient (gemm/winograd_gradient.h).
 *
 *     for three vectors of filters, or two   even shares: one vector alone would leave half of the multiply-adds unused
 *       for some chains of tiles                D's fit half of L1
 *         for ROWS channels
 *           for each chain                      sums in registers, then added to memory
 *             for each tile: load the filters, broadcast the channels, multiply-add
 */
#include "gemm/winograd_gradient.h"
#include "gemm/vectors.h"
#include "gemm/winograd_forms.h"

/* Beside the filters and a broadcast, 16 vector registers hold 12 sums and 32 hold 24. */
enum {
  MOST_VECTORS = 3,
  ROWS = LANES < 4                          ? LANES
         : CB_REGISTERS == 32 && LANES >= 8 ? 8
                                            : 4,
  CHAIN = CB_WINOGRAD_TILE_CHAIN,
  NEAR = CHAIN * ((16 << 10) / (MOST_VECTORS * CB_VECTOR_BYTES) / CHAIN) /* tiles whose D's fit half of L1 */
};
_Static_assert(LANES % ROWS == 0 && NEAR >= CHAIN, "rows do not straddle vectors of channels");

/* The multiply-adds of tile T of those at v and d. */
#define STEP(T)                                                                                                        \
  {                                                                                                                    \
    vector filters[MOST_VECTORS];                                                                                      \
    UNROLL for (int j = 0; j < nv; j++)                                                                                \
    {                                                                                                                  \
      filters[j] = *(const vector *)(d + j * pitch + (T)*LANES);                                                       \
      OPAQUE_VECTOR(filters[j]);                                                                                       \
    }                                                                                                                  \
    UNROLL for (int i = 0; i < ROWS; i++)                                                                              \
    {                                                                                                                  \
      const real x = v[i + (T)*LANES];                                                                                 \
      UNROLL for (int j = 0; j < nv; j++) sum[i][j] += x * filters[j];                                                 \
    }                                                                                                                  \
  }

/* Adds up the products of ROWS channels with nv vectors of filters over some tiles. */
INLINE void multiply_rows(const real *v, const real *d, int64_t pitch, int64_t tiles, real *sums, int64_t sums_pitch,
                          bool add, const int nv)
{
  for (int64_t left = tiles; left > 0; left -= CHAIN) {
    vector sum[ROWS][MOST_VECTORS];
    UNROLL for (int i = 0; i < ROWS; i++) UNROLL for (int j = 0; j < nv; j++) sum[i][j] = (vector){0};
    int64_t s = left < CHAIN ? left : CHAIN;
    for (; s >= 4; s -= 4) {
      STEP(0) STEP(1) STEP(2) STEP(3) v += 4 * LANES;
      d += 4 * LANES;
    }
    for (; s > 0; s--) {
      STEP(0) v += LANES;
      d += LANES;
    }
    UNROLL for (int j = 0; j < nv; j++) UNROLL for (int i = 0; i < ROWS; i++)
    {
      real *to = sums + j * sums_pitch + i * LANES;
      if (add) sum[i][j] += *(const vector *)to;
      *(vector *)to = sum[i][j];
    }
    add = true;
  }
}

/* Adds up the products of all channels with nv vectors of filters, from vector0 on. */
INLINE void multiply_vectors(const cb_winograd_pairs *t, int64_t vector0, const int nv)
{
  for (int64_t at = 0; at < t->tiles; at += NEAR) {
    const int64_t tiles = t->tiles - at < NEAR ? t->tiles - at : NEAR;
    const real *v = (const real *)t->v + at * LANES, *d = (const real *)t->d + vector0 * t->pitch + at * LANES;
    real *sums = (real *)t->sums + vector0 * t->sums_pitch;
    for (int64_t c = 0; c < t->channels; c += ROWS)
      multiply_rows(v + c / LANES * t->pitch + c % LANES, d, t->pitch, tiles, sums + c * LANES, t->sums_pitch,
                    t->add || at > 0, nv);
  }
}

static void multiply(const cb_winograd_pairs *t)
{
  const int64_t parts = (t->vectors + MOST_VECTORS - 1) / MOST_VECTORS, least = t->vectors / parts;
  int64_t more = t->vectors % parts;
  for (int64_t at = 0; at < t->vectors; more--) {
    const int64_t count = least + (more > 0);
    if (count == 3)
      multiply_vectors(t, at, 3);
    else if (count == 2)
      multiply_vectors(t, at, 2);
    else
      multiply_vectors(t, at, 1);
    at += count;
  }
}

static void join(void *to, const void *from, int64_t elements)
{
  real *out = to;
  const real *in = from;
  int64_t i = 0;
  for (; i + LANES <= elements; i += LANES) *(vector *)(out + i) += *(const vector *)(in + i);
  for (; i < elements; i++) out[i] += in[i];
}

/* Turns a row of tiles of dy into points along the row: two elements become four points. */
INLINE void pieces_along(const real *from, int64_t tiles, real *to, int64_t pitch)
{
  for (int64_t t = 0; t < tiles; t++, from += 2 * LANES, to += LANES) {
    const vector g[2] = {*(const vector *)from, *(const vector *)(from + LANES)};
    vector u[4];
    weights_to_points(4, 2, g, u);
    UNROLL for (int z = 0; z < 4; z++) * (vector *)(to + z * pitch) = u[z];
  }
}

static void pieces_line(const cb_winograd_inputs *t)
{
  pieces_along(t->band, t->tiles, t->to, t->point_pitch);
}

static void pieces_square(const cb_winograd_inputs *t)
{
  const int64_t pitch = t->pitch * LANES;
  const real *band = t->band;
  real *columns = t->columns;
  for (int64_t q = 0; q < 2 * t->tiles * LANES; q += LANES) {
    const vector g[2] = {*(const vector *)(band + q), *(const vector *)(band + pitch + q)};
    vector u[4];
    weights_to_points(4, 2, g, u);
    UNROLL for (int i = 0; i < 4; i++) * (vector *)(columns + i * pitch + q) = u[i];
  }
  for (int i = 0; i < 4; i++)
    pieces_along(columns + i * pitch, t->tiles, (real *)t->to + 4 * i * t->point_pitch, t->point_pitch);
}

/* Where tap j of the three of an axis is stored. */
INLINE int tap_of(int j, bool turned)
{
  return turned ? 2 - j : j;
}

static bool gradients_line(const cb_winograd_taps *t)
{
  vector check = {0};
  for (int64_t c = 0; c < t->channels; c++) {
    vector m[4], y[3];
    UNROLL for (int z = 0; z < 4; z++) m[z] = *(const vector *)((const real *)t->from + z * t->point_pitch + c * LANES);
    from_points(4, 3, m, y);
    UNROLL for (int j = 0; j < 3; j++)
    {
      *(vector *)((real *)t->to + (c * 3 + tap_of(j, t->turned[1])) * LANES) = y[j];
      check += y[j] * (real)0;
    }
  }
  return !any(unordered(check, check));
}

static bool gradients_square(const cb_winograd_taps *t)
{
  vector check = {0};
  for (int64_t c = 0; c < t->channels; c++) {
    const real *from = (const real *)t->from + c * LANES;
    real *to = (real *)t->to + c * 9 * LANES;
    vector half[3][4], m[4], y[3];
    UNROLL for (int z = 0; z < 4; z++)
    {
      UNROLL for (int i = 0; i < 4; i++) m[i] = *(const vector *)(from + (i * 4 + z) * t->point_pitch);
      from_points(4, 3, m, y);
      UNROLL for (int i = 0; i < 3; i++) half[i][z] = y[i];
    }
    UNROLL for (int i = 0; i < 3; i++)
    {
      from_points(4, 3, half[i], y);
      UNROLL for (int j = 0; j < 3; j++)
      {
        *(vector *)(to + (tap_of(i, t->turned[0]) * 3 + tap_of(j, t->turned[1])) * LANES) = y[j];
        check += y[j] * (real)0;
      }
    }
  }
  return !any(unordered(check, check));
}

extern const cb_winograd_gradient CB_NAME(cb_winograd_gradient);
const cb_winograd_gradient CB_NAME(cb_winograd_gradient) = {.lanes = LANES,
                                                            .pieces_square = pieces_square,
                                                            .pieces_line = pieces_line,
                                                            .multiply = multiply,
                                                            .join = join,
                                                            .gradients_square = gradients_square,
                                                            .gradients_line = gradients_line};
