/*
 * What the unrolled loops for common depthwise convolutions share (planes_square.c, planes_square_weights.c): 3 x 3 or
 * 5 x 5 taps that follow each other, and what each vector of columns loads.
 */
#ifndef CB_GEMM_PLANES_SQUARE_H
#define CB_GEMM_PLANES_SQUARE_H

#include "gemm/opaque.h"
#include "gemm/plane_band.h"

/* Functions that an instance is made of are inlined, so that its constants are followed through them. Under
   AddressSanitizer that takes minutes a file, so there each is compiled once, for all instances. */
#ifdef __SANITIZE_ADDRESS__
#define INSTANCED static __attribute__((noinline))
#else
#define INSTANCED INLINE
#endif

#if CB_REGISTERS == 32
enum { COLUMNS_OF_3 = 3, COLUMNS_OF_5 = 3, ALWAYS_MASKED = true };
#else
enum { COLUMNS_OF_3 = 1, COLUMNS_OF_5 = 1, ALWAYS_MASKED = false };
#endif

enum {
  HALF = LANES / 2,
  MOST = 5,           /* the most tap rows, and the most tap columns */
  BLOCK_ROWS = 28,    /* rows of a narrow plane over which a vector of columns goes at once */
  NARROW = 16 * LANES /* the most columns of a narrow plane */
};

/* What an instance knows at compile time. */
typedef struct {
  int rows, columns; /* tap rows and tap columns */
  int stride;        /* the stride in x along both axes */
  int phases;        /* phases of columns: 2 if a transposed stride interleaves them, else 1 */
  int parity;        /* the phase of tap column 0, if there are two */
  int planes;        /* planes side by side in a vector: 1 or 2 */
  bool masked;       /* loads are masked; false: every element that a vector loads is in its row */
} square;

/* A call: the taps in rising order of what they meet. */
typedef struct {
  const cb_plane *plane;
  pass_axis rows;
  int64_t low;          /* column of x that the first tap column meets, from an output's place */
  int64_t outs;         /* output columns of a phase */
  int64_t flip_columns; /* one less than the tap columns, if they are counted backwards; else 0 */
  int64_t parity;       /* the phase of tap column 0, if columns are interleaved */
} call;

/* A vector of columns of the phases, and its lanes. */
typedef struct {
  int64_t o;        /* the vector's first column */
  mask in[MOST][2]; /* the lanes of each load, and those of its second vector or its second plane */
  mask out[2];      /* the lanes of each store */
  int64_t count;    /* outputs of a row from o on */
  bool whole;       /* every lane of every store is to be written */
} place;

/* The column of load d, from the first that a vector meets. At stride 2 a pair of loads has tap columns 2d, 2d + 1. */
INLINE int64_t load_at(const square s, int d)
{
  return s.stride == 2 ? 2 * d : d;
}

INLINE int loads_of(const square s)
{
  if (s.stride == 2) return (s.columns + 1) / 2;
  return s.phases == 2 ? (s.columns - s.parity) / 2 + 1 : s.columns;
}

/* Makes the masks of `count` columns from o on. `strict`: loads leave out the lanes without an output too, so that what
   they hold cannot show. `both`: the second plane of a pair is there. */
INLINE void place_open(place *v, const call *q, const square s, int64_t o, int64_t count, bool both, const bool strict)
{
  const cb_plane *p = q->plane;
  const int64_t lanes = s.planes == 2 ? HALF : LANES,
                width = strict && count < lanes ? count * s.stride : lanes * s.stride;
  v->o = o;
  UNROLL for (int d = 0; d < loads_of(s); d++)
  {
    const int64_t at = o * s.stride + q->low + load_at(s, d), lo = at < 0 ? -at : 0;
    const int64_t rest = p->w.in - at, hi = rest < width ? rest : width; /* elements from `at` on that are wanted */
    v->in[d][0] = lanes_between(lo, hi);
    if (s.planes == 2)
      v->in[d][1] = !both           ? lanes_between(0, 0)
                    : s.stride == 2 ? v->in[d][0]
                                    : lanes_between(HALF + lo, hi > lo ? HALF + hi : 0);
    else if (s.stride == 2)
      v->in[d][1] = lanes_between(lo - LANES, hi - LANES);
  }
  const int64_t first = s.phases == 2 ? p->w.out - 2 * o : count, rest = first - LANES;
  v->count = first;
  v->out[0] = lanes_between(0, first);
  v->out[1] = lanes_between(0, rest);
  v->whole = s.phases == 2 ? rest >= LANES : count >= LANES;
  if (s.planes == 2) v->whole = false;
}

/* take_even and take_odd with the lanes in an order that costs one shuffle inside each 16 bytes; far() puts these lanes,
   or those of sums of such vectors, in their own order, and near() the other way round. */
#if CB_VECTOR_BYTES >= 32
#if CB_LANES == 16
#define EVEN_NEAR 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30
#define ODD_NEAR  1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31
#define FAR       0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15
#define NEAR      0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15
#elif CB_VECTOR_BYTES == 64
#define EVEN_NEAR 0, 8, 2, 10, 4, 12, 6, 14
#define ODD_NEAR  1, 9, 3, 11, 5, 13, 7, 15
#define FAR       0, 2, 4, 6, 1, 3, 5, 7
#define NEAR      0, 4, 1, 5, 2, 6, 3, 7
#elif CB_LANES == 8
#define EVEN_NEAR 0, 2, 8, 10, 4, 6, 12, 14
#define ODD_NEAR  1, 3, 9, 11, 5, 7, 13, 15
#define FAR       0, 1, 4, 5, 2, 3, 6, 7
#define NEAR      FAR
#else
#define EVEN_NEAR 0, 4, 2, 6
#define ODD_NEAR  1, 5, 3, 7
#define FAR       0, 2, 1, 3
#define NEAR      FAR
#endif
INLINE vector take_even_near(vector a, vector b)
{
  return __builtin_shufflevector(a, b, EVEN_NEAR);
}
INLINE vector take_odd_near(vector a, vector b)
{
  return __builtin_shufflevector(a, b, ODD_NEAR);
}
INLINE vector far(vector v)
{
  return __builtin_shufflevector(v, v, FAR);
}
INLINE vector near(vector v)
{
  return __builtin_shufflevector(v, v, NEAR);
}
#undef EVEN_NEAR
#undef ODD_NEAR
#undef FAR
#undef NEAR
#else
INLINE vector take_even_near(vector a, vector b)
{
  return take_even(a, b);
}
INLINE vector take_odd_near(vector a, vector b)
{
  return take_odd(a, b);
}
INLINE vector far(vector v)
{
  return v;
}
INLINE vector near(vector v)
{
  return v;
}
#endif

/* The vector of x at an address, whose elements outside the mask are zeros. */
INLINE vector load_masked(const real *x, mask set, const bool masked)
{
  vector v = masked ? load_kept(set, x) : *(const vector *)x;
  OPAQUE_VECTOR(v);
  return v;
}

/* A mask in a register of masks: gcc would fetch it from memory for every load. */
INLINE mask held_mask(mask m)
{
#ifdef __AVX512F__
  __asm__("" : "+Yk"(m));
#endif
  return m;
}

/* The masks of a place's loads, held. */
INLINE void hold_masks(place *held, const square s, const place *v)
{
  const bool second = s.stride == 2 || s.planes == 2;
  UNROLL for (int d = 0; d < loads_of(s); d++)
  {
    held->in[d][0] = held_mask(v->in[d][0]);
    if (second) held->in[d][1] = held_mask(v->in[d][1]);
  }
}

/* Does load d of the row of x whose column under the first tap is at x: it gives tap column d, or two at stride 2. */
INLINE void fetch(const real *x, const square s, const place *v, int64_t x_pitch, const int d, vector *tap)
{
  const real *from = x + load_at(s, d);
  if (s.stride == 2) {
    const vector a = load_masked(from, v->in[d][0], s.masked);
    const vector b = load_masked(from + (s.planes == 2 ? x_pitch : LANES), v->in[d][1], s.masked);
    tap[2 * d] = take_even_near(a, b);
    if (2 * d + 1 < s.columns) tap[2 * d + 1] = take_odd_near(a, b);
  } else if (s.planes == 2)
    tap[d] = load_if(v->in[d][1], from + x_pitch - HALF, load_kept(v->in[d][0], from));
  else
    tap[d] = load_masked(from, v->in[d][0], s.masked);
}

INLINE bool follows(const cb_plane_axis *a)
{
  return (a->taps == 3 || a->taps == 5) && a->stride <= 2 && (a->step == 1 || a->step == -1);
}

/* True if these files have a loop for the plane's taps and strides. */
INLINE bool is_square(const cb_plane *p)
{
  const bool alone = p->channels * p->depths == 1 && p->outs == 1;
  return alone && follows(&p->h) && follows(&p->w) && p->h.taps == p->w.taps && p->h.stride == p->w.stride;
}

/* The call for one phase of rows. */
INLINE call call_of(const cb_plane *p, bool interleaved, int64_t phase)
{
  const int64_t base = p->w.base + (p->w.step < 0 ? (p->w.taps - 1) * p->w.step : 0);
  call q = {.plane = p, .outs = p->w.out, .low = base, .flip_columns = p->w.step < 0 ? p->w.taps - 1 : 0};
  pass_axis_open(&q.rows, &p->h, interleaved, 0, p->h.taps, phase);
  if (interleaved) {
    q.parity = (base % 2 + 2) % 2;
    q.outs = (p->w.out + 1) / 2;
    q.low = (base + q.parity) / 2;
  }
  return q;
}

#endif
