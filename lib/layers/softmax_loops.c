/*
 * Softmax of contiguous lines and of lines beside each other, a vector at a time. Sums are kept in double. A NaN needs no care of its
 * own where the largest element is sought: it makes the sum NaN, and so the line.
 */
#include "layers/softmax_loops.h"
#include "gemm/exponential.h"

enum { WIDTH = CB_SOFTMAX_WIDTH, PARTS = 16, BLOCK = 256 /* a multiple of PARTS and of lanes */ };

/* ---- one contiguous line ---- */

static real largest_of(int64_t count, const real *z)
{
  vector most = (vector){0} + z[0];
  real largest = z[0];
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES) most = larger(*(const vector *)(z + i), most);
  for (int k = 0; k < LANES; k++) largest = most[k] > largest ? most[k] : largest;
  for (; i < count; i++) largest = z[i] > largest ? z[i] : largest;
  return largest;
}

/* A sum in double of what comes in pieces: 16 running sums, joined in a tree. */
typedef struct {
  double part[PARTS];
} running;

/* Adds v[j] * w[j], or without w v[j]. All pieces but the last have a multiple of PARTS elements. */
INLINE void add_piece(running *sum, int64_t count, const real *v, const real *w)
{
  int64_t j = 0;
  for (; j + PARTS <= count; j += PARTS)
    for (int k = 0; k < PARTS; k++) sum->part[k] += w ? (double)v[j + k] * (double)w[j + k] : (double)v[j + k];
  for (; j < count; j++) sum->part[j % PARTS] += w ? (double)v[j] * (double)w[j] : (double)v[j];
}

static double total(running *sum)
{
  for (int half = PARTS / 2; half; half /= 2)
    for (int k = 0; k < half; k++) sum->part[k] += sum->part[k + half];
  return sum->part[0];
}

/* p[j] = e^(z[j] - largest), unless p is NULL; returns their sum. */
static double exponentials(int64_t count, const real *z, real largest, real *p)
{
  running sum = {{0}};
  real room[BLOCK];
  for (int64_t from = 0; from < count; from += BLOCK) {
    int64_t some = count - from < BLOCK ? count - from : BLOCK;
    real *to = p ? p + from : room;
    for (int64_t i = 0; i < some; i += LANES)
      put(to + i, lifted_exp_negative(load(z + from + i, some - i) - largest) * lower, some - i);
    add_piece(&sum, some, to, NULL);
  }
  return total(&sum);
}

static double line(int64_t count, const void *logits, void *to)
{
  const real *z = logits;
  real *p = to, largest = largest_of(count, z);
  double sum = exponentials(count, z, largest, p);
  real scale = (real)(1 / sum);
  for (int64_t j = 0; p && j < count; j++) p[j] *= scale;
  return log(sum) + (double)largest;
}

static void log_line(int64_t count, const real *x, real *y)
{
  real largest = largest_of(count, x), sum = (real)log(exponentials(count, x, largest, NULL));
#pragma GCC ivdep
  for (int64_t j = 0; j < count; j++) y[j] = (x[j] - largest) - sum;
}

static void line_back(int64_t count, bool logarithm, const real *y, const real *dy, real *dx)
{
  running parts = {{0}};
  add_piece(&parts, count, dy, logarithm ? NULL : y);
  const real sum = (real)total(&parts);
  for (int64_t j = 0; j < count; j += LANES) {
    vector v = load(y + j, count - j), e = load(dy + j, count - j);
    put(dx + j, logarithm ? e - lifted_exp_negative(v) * lower * sum : v * (e - sum), count - j);
  }
}

/* ---- lines beside each other ---- */

/* Writes e^(x - largest) of LANES lines at `count` steps of the axis, a constant, and adds them to *sum: each sum in double gets one
   that is taken in the arrays' type. Without `to` the exponentials are not written. */
INLINE void line_steps(int count, int64_t pitch, int64_t lanes, const real *x, vector largest, real *to, double *sum)
{
  vector e[4], part;
  UNROLL for (int k = 0; k < count; k++)
  {
    e[k] = lifted_exp_negative(load(x + k * pitch, lanes) - largest) * lower;
    if (to) put(to + k * pitch, e[k], lanes);
  }
  part = e[0];
  if (count == 4) part = (e[0] + e[1]) + (e[2] + e[3]);
  for (int k = 0; k < LANES; k++) sum[k] += (double)part[k];
}

static void lines(const cb_softmax_block *b, const real *x, real *y)
{
  const int64_t n = b->lines, pitch = b->pitch;
  real largest[WIDTH + LANES], scale[WIDTH];
  double sum[WIDTH + LANES] = {0};
  int64_t j = 0;
  memset(largest + n, 0, LANES * sizeof *largest);
  memcpy(largest, x, (size_t)n * sizeof *x);
  for (int64_t k = 1; k < b->axis; k++)
    for (int64_t i = 0; i < n; i++) largest[i] = x[k * pitch + i] > largest[i] ? x[k * pitch + i] : largest[i];
  for (; j + 4 <= b->axis; j += 4)
    for (int64_t i = 0; i < n; i += LANES)
      line_steps(4, pitch, n - i, x + j * pitch + i, *(const vector *)(largest + i),
                 b->logarithm ? NULL : y + j * pitch + i, sum + i);
  for (; j < b->axis; j++)
    for (int64_t i = 0; i < n; i += LANES)
      line_steps(1, pitch, n - i, x + j * pitch + i, *(const vector *)(largest + i),
                 b->logarithm ? NULL : y + j * pitch + i, sum + i);
  for (int64_t i = 0; i < n; i++) scale[i] = (real)(b->logarithm ? log(sum[i]) : 1 / sum[i]);
  for (int64_t k = 0; k < b->axis; k++)
    for (int64_t i = 0; i < n; i++) {
      int64_t at = k * pitch + i;
      y[at] = b->logarithm ? (x[at] - largest[i]) - scale[i] : y[at] * scale[i];
    }
}

static void lines_back(const cb_softmax_block *b, const real *y, const real *dy, real *dx)
{
  const int64_t n = b->lines;
  double sums[WIDTH] = {0};
  real sum[WIDTH];
  for (int64_t j = 0; j < b->axis; j++)
    for (int64_t i = 0; i < n; i++) {
      int64_t at = j * b->pitch + i;
      sums[i] += b->logarithm ? (double)dy[at] : (double)dy[at] * (double)y[at];
    }
  for (int64_t i = 0; i < n; i++) sum[i] = (real)sums[i];
  for (int64_t j = 0; j < b->axis; j++)
    for (int64_t i = 0; i < n; i += LANES) {
      int64_t at = j * b->pitch + i;
      vector v = load(y + at, n - i), e = load(dy + at, n - i), s = load(sum + i, n - i);
      put(dx + at, b->logarithm ? e - lifted_exp_negative(v) * lower * s : v * (e - s), n - i);
    }
}

static void forward(const cb_softmax_block *block, const void *x, void *y)
{
  if (block->pitch > 1)
    lines(block, x, y);
  else if (block->logarithm)
    log_line(block->axis, x, y);
  else
    line(block->axis, x, y);
}

static void backward(const cb_softmax_block *block, const void *y, const void *dy, void *dx)
{
  if (block->pitch > 1)
    lines_back(block, y, dy, dx);
  else
    line_back(block->axis, block->logarithm, y, dy, dx);
}

extern const cb_softmax_loops CB_NAME(cb_softmax_loops);
const cb_softmax_loops CB_NAME(cb_softmax_loops) = {forward, backward, line};
