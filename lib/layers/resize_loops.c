/* Rows of resized images: joined, spread, and gathered again. */
#include "layers/resize_loops.h"
#include "base/size.h"
#include "gemm/vectors.h"
#include <string.h>

static void join(int64_t count, int rows, const void *const *from, const double *weight, bool add, void *result)
{
  const real *a = from[0], *b = from[rows > 1], *c = from[rows > 2 ? 2 : 0], *d = from[rows > 3 ? 3 : 0];
  const real u = (real)weight[0], v = (real)weight[rows > 1], w = (real)weight[rows > 2 ? 2 : 0];
  const real z = (real)weight[rows > 3 ? 3 : 0];
  real *restrict to = result;
  if (rows == 1 && add)
    for (int64_t i = 0; i < count; i++) to[i] += u * a[i];
  else if (rows == 1)
    for (int64_t i = 0; i < count; i++) to[i] = u * a[i];
  else if (rows == 2 && add)
    for (int64_t i = 0; i < count; i++) to[i] += u * a[i] + v * b[i];
  else if (rows == 2)
    for (int64_t i = 0; i < count; i++) to[i] = u * a[i] + v * b[i];
  else if (rows == 3 && add)
    for (int64_t i = 0; i < count; i++) to[i] += u * a[i] + v * b[i] + w * c[i];
  else if (rows == 3)
    for (int64_t i = 0; i < count; i++) to[i] = u * a[i] + v * b[i] + w * c[i];
  else if (add)
    for (int64_t i = 0; i < count; i++) to[i] += u * a[i] + v * b[i] + w * c[i] + z * d[i];
  else
    for (int64_t i = 0; i < count; i++) to[i] = u * a[i] + v * b[i] + w * c[i] + z * d[i];
}

/* ---- twice as many outputs as inputs ---- */

/* Stores twice as many elements as `count`, those of `even` and `odd` in turns. */
INLINE void put_woven(real *to, vector even, vector odd, int64_t count)
{
  put(to, weave_low(even, odd), 2 * count);
  if (2 * count > LANES) put(to + LANES, weave_high(even, odd), 2 * count - LANES);
}

/* Takes `count` pairs of elements apart. */
INLINE void load_woven(const real *from, int64_t count, vector *even, vector *odd)
{
  vector low = load(from, 2 * count), high = 2 * count > LANES ? load(from + LANES, 2 * count - LANES) : (vector){0};
  *even = take_even(low, high);
  *odd = take_odd(low, high);
}

static void nearest_twice(int64_t in, const real *x, real *y)
{
  for (int64_t i = 0; i < in; i += LANES) {
    const int64_t at = i + LANES > in && in >= LANES ? in - LANES : i;
    vector v = load(x + at, in - at);
    put_woven(y + 2 * at, v, v, in - at);
  }
}

static void nearest_twice_back(int64_t in, const real *dy, real *dx)
{
  for (int64_t i = 0; i < in; i += LANES) {
    vector even, odd, even_below, odd_below;
    load_woven(dy + 2 * i, in - i, &even, &odd);
    load_woven(dy + 2 * in + 2 * i, in - i, &even_below, &odd_below);
    put(dx + i, (even + odd) + (even_below + odd_below), in - i);
  }
}

static const real near = (real)0.75, far = (real)0.25;

/* A row of y from the two rows of x that it lies between, of which it is nearer to a; at the image's edge both are one. */
static void linear_twice(int64_t in, const real *a, const real *b, real *y)
{
#define DOWN(i)           (near * a[i] + far * b[i])
#define DOWN_VECTOR(i, m) (near * load(a + (i), m) + far * load(b + (i), m))
  y[0] = DOWN(0);
  y[2 * in - 1] = DOWN(in - 1);
  for (int64_t i = 0; i < in - 1; i += LANES) { /* outputs 2 i + 1 and 2 i + 2 lie between inputs i and i + 1 */
    int64_t from = i && i + LANES > in - 1 ? cb_max(0, in - 1 - LANES) : i, left = in - 1 - from;
    vector v = DOWN_VECTOR(from, left), w = DOWN_VECTOR(from + 1, left);
    put_woven(y + 1 + 2 * from, near * v + far * w, far * v + near * w, left);
  }
#undef DOWN
#undef DOWN_VECTOR
}

/* Writes columns [begin, end) of the four rows of dy that a row of dx went to, joined, to sum[0] and on. */
INLINE void join_four(const real *const row[4], int64_t begin, int64_t end, real *sum)
{
#define UP(type, o)                                                                                                    \
  (near * (*(const type *)(row[1] + (o)) + *(const type *)(row[2] + (o))) +                                            \
   far * (*(const type *)(row[0] + (o)) + *(const type *)(row[3] + (o))))
  int64_t o = begin;
  for (; o + LANES <= end; o += LANES) *(vector *)(sum + o - begin) = UP(vector, o);
  if (o < end && end - begin >= LANES) *(vector *)(sum + end - LANES - begin) = UP(vector, end - LANES);
  for (; o < end && end - begin < LANES; o++) sum[o - begin] = UP(real, o);
#undef UP
}

/* A row of dx from the four rows of dy that it went to; at the image's edge two are one. Input i went to columns 2 i - 1 to
   2 i + 2, of which the first and last repeat their neighbours at the row's ends. */
static void linear_twice_back(int64_t in, const real *const row[4], real *dx)
{
  enum { PIECE = 256 };
  real room[2 * PIECE + 2 + 2 * LANES];
  for (int64_t begin = 0; begin < in; begin += PIECE) {
    const int64_t count = cb_min(PIECE, in - begin), first = 2 * begin - 1, end = 2 * (begin + count) + 1;
    memset(room + 2 * count + 2, 0, 2 * LANES * sizeof *room);
    join_four(row, cb_max(first, 0), cb_min(end, 2 * in), room + cb_max(0, -first));
    if (first < 0) room[0] = room[1];
    if (end > 2 * in) room[2 * count + 1] = room[2 * count];
    for (int64_t i = 0; i < count; i += LANES) {
      const int64_t at = i + LANES > count && count >= LANES ? count - LANES : i;
      const vector *low = (const vector *)(room + 2 * at), *high = (const vector *)(room + 2 * at + 2);
      vector outer = take_even(low[0], low[1]) + take_odd(high[0], high[1]);
      vector inner = take_odd(low[0], low[1]) + take_even(high[0], high[1]);
      put(dx + begin + at, far * outer + near * inner, count - at);
    }
  }
}

static void twice(cb_resize_case kind, int64_t h, int64_t w, int64_t begin, int64_t end, const void *from, void *to)
{
  int64_t plane = begin / (2 * h), oh = begin % (2 * h);
  for (int64_t r = begin; r < end; r++, oh++) {
    if (oh == 2 * h) oh = 0, plane++;
    const int64_t own = oh / 2, wanted = oh % 2 ? own + 1 : own - 1;
    const int64_t other = wanted < 0 || wanted >= h ? own : wanted;
    const real *x = (const real *)from + (plane * h + own) * w;
    real *y = (real *)to + r * 2 * w;
    if (kind == CB_RESIZE_NEAREST_TWICE)
      nearest_twice(w, x, y);
    else
      linear_twice(w, x, x + (other - own) * w, y);
  }
}

static void twice_back(cb_resize_case kind, int64_t h, int64_t w, int64_t begin, int64_t end, const void *from,
                       void *to)
{
  int64_t ih = begin % h;
  for (int64_t r = begin; r < end; r++, ih = ih + 1 < h ? ih + 1 : 0) {
    const real *dy = (const real *)from + 4 * r * w; /* its rows are twice as many and twice as long */
    real *dx = (real *)to + r * w;
    if (kind == CB_RESIZE_NEAREST_TWICE) {
      nearest_twice_back(w, dy, dx);
      continue;
    }
    const real *const row[4] = {ih == 0 ? dy : dy - 2 * w, dy, dy + 2 * w, dy + (ih == h - 1 ? 2 : 4) * w};
    linear_twice_back(w, row, dx);
  }
}

/* ---- any sizes ---- */

static void forward(const cb_resize_row *row, const void *from, void *result)
{
  const real *restrict x = from, *restrict share = row->share;
  const int32_t *restrict low = row->low, *restrict high = row->high;
  real *restrict y = result;
  if (share)
    for (int64_t o = 0; o < row->out; o++) {
      real a = x[low[o]], between = (1 - share[o]) * a + share[o] * x[high[o]];
      y[o] = share[o] == 0 ? a : between;
    }
  else
    for (int64_t o = 0; o < row->out; o++) y[o] = x[low[o]];
}

static void backward(const cb_resize_row *row, const void *error, void *result)
{
  const real *restrict dy = error, *restrict share = row->share;
  real *restrict dx = result;
  memset(dx, 0, (size_t)row->in * sizeof *dx);
  if (!share)
    for (int64_t o = 0; o < row->out; o++) dx[row->low[o]] += dy[o];
  else
    for (int64_t o = 0; o < row->out; o++) {
      dx[row->low[o]] += (1 - share[o]) * dy[o];
      if (share[o] != 0) dx[row->high[o]] += share[o] * dy[o];
    }
}

extern const cb_resize_loops CB_NAME(cb_resize_loops);
const cb_resize_loops CB_NAME(cb_resize_loops) = {join, forward, backward, twice, twice_back};
