/*
 * What the loops of 3 x 3 taps down columns share (planes_down.c, planes_down_weights.c): how a row of x is loaded by a
 * vector of columns of which some lanes reach beside it.
 */
#ifndef CB_GEMM_PLANES_DOWN_PARTS_H
#define CB_GEMM_PLANES_DOWN_PARTS_H

#include "gemm/planes_square.h"

enum { TAPS = 3 };

/* Which of a row's loads meet elements beside it that must count as zeros, a bit for each: load_bit(). EDGES: any may.
   EVERY: all loads are masked ones, which touch nothing beside the row and take longer. */
enum { NONE = 0, EDGES = 15, EVERY = 31 };

/* The bit of the first or second vector of load d, in the order of addresses. */
INLINE int load_bit(const square s, int d, int second)
{
  return 1 << (s.stride * d + second);
}

/* The lanes of a vector of columns that each load, and the second one of a pair, has within the row; those of outputs. */
typedef struct {
  mask in[TAPS][2], out;
} masks;

/* Loads a vector of x; elements outside the mask count as zeros. */
INLINE vector load_at_edge(const real *x, mask set, const int masked, const int bit)
{
  vector v;
  if (masked == EVERY)
    v = load_kept(set, x);
  else
    v = *(const vector *)x;
  if (masked != EVERY && (masked & bit)) v = keep(set, v);
  OPAQUE_VECTOR(v);
  return v;
}

/* Loads the elements of a row of x that its three taps meet, `step` elements apart at stride 1. */
INLINE void load_row(const square s, const int masked, const masks *m, int64_t step, const real *x,
                     vector tap[TAPS + 1])
{
  UNROLL for (int d = 0; d < loads_of(s); d++)
  {
    const real *from = x + (s.stride == 1 ? d * step : load_at(s, d));
    const vector a = load_at_edge(from, m->in[d][0], masked, load_bit(s, d, 0));
    if (s.stride == 1) {
      tap[d] = a;
      continue;
    }
    const vector b = load_at_edge(from + LANES, m->in[d][1], masked, load_bit(s, d, 1));
    tap[2 * d] = take_even_near(a, b);
    if (d == 0) tap[1] = take_odd_near(a, b);
  }
}

/* Makes the masks of `count` columns, whose first tap meets element `low` of a row of x. `strict`: lanes without an output
   count as beside the row too. Returns the loads that meet elements beside the row, which count for outputs. */
INLINE int masks_open(masks *m, const square s, int64_t low, int64_t step, int64_t count, int64_t in, const bool strict)
{
  int found = NONE;
  UNROLL for (int d = 0; d < loads_of(s); d++) UNROLL for (int second = 0; second < s.stride; second++)
  {
    const int64_t each = LANES / s.stride, before = second * each; /* outputs of a vector, and of the one before it */
    const int64_t from = low + (s.stride == 1 ? d * step : load_at(s, d)) + second * LANES, rest = count - before;
    const int64_t last = from + ((rest < each ? rest : each) - 1) * s.stride + (s.stride == 2 && d == 0 ? 1 : 0);
    const int64_t kept = rest > 0 ? rest * s.stride : 0, end = strict && kept < in - from ? kept : in - from;
    m->in[d][second] = lanes_between(-from, end);
    if (rest > 0 && (from < 0 || last >= in)) found |= load_bit(s, d, second);
  }
  m->out = lanes_between(0, count);
  return found;
}

/* True for 3 x 3 taps, at stride 1 or dense at stride 2, where registers are few. */
INLINE bool goes_down(const cb_plane *p)
{
  if (CB_REGISTERS != 16 || p->h.taps != TAPS || p->w.taps != TAPS) return false;
  if (p->h.stride == 1 && p->w.stride == 1) return true;
  return follows(&p->h) && follows(&p->w) && !p->up && p->h.stride == 2 && p->w.stride == 2;
}

#endif
