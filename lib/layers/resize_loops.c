/* Rows of resized images: joined, spread, and gathered again. */
#include "layers/resize_loops.h"
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
    vector v = load(x + i, in - i);
    put_woven(y + 2 * i, v, v, in - i);
  }
}

static void nearest_twice_back(int64_t in, const real *dy, real *dx)
{
  for (int64_t i = 0; i < in; i += LANES) {
    vector even, odd;
    load_woven(dy + 2 * i, in - i, &even, &odd);
    put(dx + i, even + odd, in - i);
  }
}

static const real near = (real)0.75, far = (real)0.25;

/* Plain loops: they read what has just been joined, which vectors that lie across its stores would wait for. */
static void linear_twice(int64_t in, const real *restrict x, real *restrict y)
{
  y[0] = x[0];
  for (int64_t i = 0; i < in - 1; i++) {
    y[2 * i + 1] = near * x[i] + far * x[i + 1];
    y[2 * i + 2] = far * x[i] + near * x[i + 1];
  }
  y[2 * in - 1] = x[in - 1];
}

static void linear_twice_back(int64_t in, const real *restrict dy, real *restrict dx)
{
  const int64_t last = in - 1;
  if (in == 1) {
    dx[0] = dy[0] + dy[1];
    return;
  }
  dx[0] = dy[0] + near * dy[1] + far * dy[2];
  for (int64_t i = 1; i < last; i++) dx[i] = near * (dy[2 * i] + dy[2 * i + 1]) + far * (dy[2 * i - 1] + dy[2 * i + 2]);
  dx[last] = far * dy[2 * last - 1] + near * dy[2 * last] + dy[2 * last + 1];
}

/* ---- any sizes ---- */

static void forward(const cb_resize_row *row, const void *from, void *result)
{
  const real *restrict x = from, *restrict share = row->share;
  const int32_t *restrict low = row->low, *restrict high = row->high;
  real *restrict y = result;
  if (row->special == CB_RESIZE_NEAREST_TWICE)
    nearest_twice(row->in, x, y);
  else if (row->special == CB_RESIZE_LINEAR_TWICE)
    linear_twice(row->in, x, y);
  else if (share)
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
  if (row->special == CB_RESIZE_NEAREST_TWICE) {
    nearest_twice_back(row->in, dy, dx);
    return;
  }
  if (row->special == CB_RESIZE_LINEAR_TWICE) {
    linear_twice_back(row->in, dy, dx);
    return;
  }
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
const cb_resize_loops CB_NAME(cb_resize_loops) = {join, forward, backward};
