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
    vector v = load(x + i, in - i);
    put_woven(y + 2 * i, v, v, in - i);
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

/* A row of dx from the four rows of dy that it went to; at the image's edge two are one. */
static void linear_twice_back(int64_t in, const real *const row[4], real *dx)
{
#define UP(o) (near * (row[1][o] + row[2][o]) + far * (row[0][o] + row[3][o]))
  if (in == 1) {
    dx[0] = UP(0) + UP(1);
    return;
  }
  dx[0] = UP(0) + (near * UP(1) + far * UP(2));
  dx[in - 1] = UP(2 * in - 1) + (near * UP(2 * in - 2) + far * UP(2 * in - 3));
  for (int64_t i = 1; i < in - 1; i += LANES) { /* input i went to outputs 2 i - 1 to 2 i + 2 */
    int64_t from = i > 1 && i + LANES > in - 1 ? cb_max(1, in - 1 - LANES) : i, left = in - 1 - from;
    vector v[4]; /* columns 2 from - 1 and on, two vectors of them, and 2 from + 1 and on */
    UNROLL for (int k = 0; k < 4; k++)
    {
      const int64_t at = 2 * from + k / 2 * 2 - 1 + k % 2 * LANES, m = 2 * left - k % 2 * LANES;
      v[k] = (vector){0};
      if (m > 0)
        v[k] =
            near * (load(row[1] + at, m) + load(row[2] + at, m)) + far * (load(row[0] + at, m) + load(row[3] + at, m));
    }
    vector outer = take_even(v[0], v[1]) + take_odd(v[2], v[3]), inner = take_odd(v[0], v[1]) + take_even(v[2], v[3]);
    put(dx + from, far * outer + near * inner, left);
  }
#undef UP
}

static void twice(cb_resize_case kind, int64_t h, int64_t w, int64_t begin, int64_t end, const void *from, void *to)
{
  for (int64_t r = begin; r < end; r++) {
    const int64_t oh = r % (2 * h), own = oh / 2, wanted = oh % 2 ? own + 1 : own - 1;
    const int64_t other = wanted < 0 || wanted >= h ? own : wanted;
    const real *x = (const real *)from + (r / (2 * h) * h + own) * w;
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
  for (int64_t r = begin; r < end; r++) {
    const int64_t ih = r % h;
    const real *dy = (const real *)from + (r / h * 2 * h + 2 * ih) * 2 * w;
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
