/*
 * Packing the rows of packed products: weights in the order in which gemm/slivers.c reads them, [steps][m].
 *
 * Rows of m elements are stored as whole vectors in rising order; what reaches beyond a row is overwritten by the next,
 * and the last ones are stored exactly, since what follows may be another task's.
 */
#include "base/size.h"
#include "gemm/engine_build.h"
#include "gemm/vectors.h"

/* The rows of the next tile are asked for where that was measured, at AVX2: packing takes half as long on a Zen 3. */
enum { ASKS = sizeof(vector) == 32 };

/* to[s * m + i] = from[i * ld + s]: a block of as many steps as a vector has lanes at a time, its rows turned in registers, as long
   as their stores end within `to`. */
INLINE void pack_as_steps(real *to, const real *from, const int64_t ld, const int64_t steps, const int64_t m,
                          const bool asks)
{
  int64_t s = 0;
  const int parts = (int)((m + LANES - 1) / LANES);
  if (parts <= 2)
    for (; s + LANES <= steps && (s + LANES - 1) * m + parts * LANES <= steps * m; s += LANES) {
      vector low[LANES], high[LANES];
      if (asks)
        for (int64_t i = m; i < 2 * m; i++) __builtin_prefetch(from + i * ld + s);
      UNROLL for (int i = 0; i < LANES; i++) low[i] = i < m ? *(const vector *)(from + i * ld + s) : (vector){0};
      transpose(low);
      if (parts == 1) {
        UNROLL for (int i = 0; i < LANES; i++) * (vector *)(to + (s + i) * m) = low[i];
        continue;
      }
      UNROLL for (int i = 0; i < LANES; i++) high[i] =
          i + LANES < m ? *(const vector *)(from + (i + LANES) * ld + s) : (vector){0};
      transpose(high);
      UNROLL for (int i = 0; i < LANES; i++)
      {
        *(vector *)(to + (s + i) * m) = low[i];
        *(vector *)(to + (s + i) * m + LANES) = high[i];
      }
    }
  for (; s < steps; s++)
    for (int64_t i = 0; i < m; i++) to[s * m + i] = from[i * ld + s];
}

void CB_NAME(cb_pack_rows)(void *to, const void *from, int64_t ld, int64_t steps, int64_t m)
{
  pack_as_steps(to, from, ld, steps, m, ASKS);
}

/* Packs one channel of a tile of m outputs, which lie `pitch` elements apart, and whose taps lie next to each other if they are
   `together`. */
INLINE void turn_tile(real *to, const real *from, const cb_turned *t, const bool together, const int64_t m)
{
  if (together) {
    pack_as_steps(to, from + t->tap[0], t->output_pitch, t->taps, m, false);
    return;
  }
  const int64_t *tap = t->tap, taps = t->taps, pitch = t->output_pitch;
  for (int64_t s = 0; s < taps; s++)
    for (int64_t i = 0; i < m; i++) to[s * m + i] = from[i * pitch + tap[s]];
}

static bool lie_together(const cb_turned *t)
{
  for (int64_t i = 1; i < t->taps; i++)
    if (t->tap[i] != t->tap[0] + i) return false;
  return true;
}

/* Copies m elements that lie side by side; the compiler knows the lengths of the usual tiles. */
INLINE void copy_tile(real *to, const real *from, const int64_t m)
{
  if (m == CB_PACKED_ROWS)
    memcpy(to, from, CB_PACKED_ROWS * sizeof(real));
  else if (m == CB_PACKED_ROWS - 1)
    memcpy(to, from, (CB_PACKED_ROWS - 1) * sizeof(real));
  else
    for (int64_t i = 0; i < m; i++) to[i] = from[i];
}

void CB_NAME(cb_pack_turned)(const cb_turned *t)
{
  const bool together = lie_together(t), side_by_side = t->taps == 1 && t->output_pitch == 1;
  const int64_t steps = t->channels * t->taps, first = cb_split(t->outputs, t->tiles, t->first);
  const int64_t least = t->outputs / t->tiles, more = t->outputs % t->tiles; /* as cb_split cuts */
  for (int64_t c = 0; c < t->channels; c++) {
    const real *from = (const real *)t->from + c * t->channel_pitch + first * t->output_pitch;
    real *to = t->to;
    for (int64_t tile = t->first; tile < t->end; tile++) {
      const int64_t m = least + (tile < more);
      real *at = to + c * t->taps * m;
      if (side_by_side)
        copy_tile(at, from + t->tap[0], m);
      else if (m == CB_PACKED_ROWS)
        turn_tile(at, from, t, together, CB_PACKED_ROWS);
      else if (m == CB_PACKED_ROWS - 1)
        turn_tile(at, from, t, together, CB_PACKED_ROWS - 1);
      else
        turn_tile(at, from, t, together, m);
      from += m * t->output_pitch;
      to += m * steps;
    }
  }
}
