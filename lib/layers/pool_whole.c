/*
 * Averages of whole channels, as at the end of ResNet: channels of 7 x 7 are so short that what a channel costs beside
 * its elements is what counts. A channel has SUMS running sums; those of SUMS channels are joined together, neighbours by
 * neighbours, until one vector has a sum of each channel.
 */
#include "base/size.h"
#include "gemm/vectors.h"
#include "layers/pool.h"

/* The running sums of a channel, as many at every level, so that every level has the same bits; and the vectors that hold them. */
enum { SUMS = 16, VECTORS = SUMS / LANES };
typedef struct {
  vector of[VECTORS];
} sums;

static bool serves(const cb_pool_geometry *g, bool backward)
{
  (void)backward;
  if (g->kind != CNNBLAS_POOL_AVG || g->out_plane != 1 || g->adaptive) return false;
  for (int axis = 0; axis < 3; axis++)
    if (g->kernel[axis] != g->size[axis] || g->pad_begin[axis] || (g->dilation[axis] != 1 && g->size[axis] > 1))
      return false;
  return true;
}

enum { LEAF = 64 * SUMS /* the most elements that are summed one after another; longer channels are cut in halves */ };

static inline sums leaf(int64_t whole, const real *x)
{
  sums sum = {{{0}}};
  for (int64_t i = 0; i < whole; i += SUMS)
    UNROLL for (int k = 0; k < VECTORS; k++) sum.of[k] += *(const vector *)(x + i + k * LANES);
  return sum;
}

static __attribute__((noinline)) sums halves(int64_t whole, const real *x)
{
  if (whole <= LEAF) return leaf(whole, x);
  int64_t half = cb_max(LEAF, whole / 2 / LEAF * LEAF);
  sums a = halves(half, x), b = halves(whole - half, x + half);
  UNROLL for (int k = 0; k < VECTORS; k++) a.of[k] += b.of[k];
  return a;
}

/* Adds neighbours of `count` vectors' lanes, which become half as many vectors. */
INLINE void join_neighbours(vector *v, int count)
{
  UNROLL for (int k = 0; k < count / 2; k++) v[k] =
      take_even(v[2 * k], v[2 * k + 1]) + take_odd(v[2 * k], v[2 * k + 1]);
}

/* Writes the averages of SUMS channels; where fewer are left, those. */
static void average_channels(int64_t count, int64_t channels, const real *x, real *y)
{
  int64_t whole = count / SUMS * SUMS;
  sums sum[SUMS];
  real tail[SUMS] = {0};
  vector v[SUMS * VECTORS];
  if (whole <= LEAF) /* told apart out here: inside, the test costs a short channel a twelfth of its time */
    for (int p = 0; p < SUMS; p++) sum[p] = leaf(whole, x + (p < channels ? p : channels - 1) * count);
  else
    for (int p = 0; p < SUMS; p++) sum[p] = halves(whole, x + (p < channels ? p : channels - 1) * count);
  for (int p = 0; p < SUMS; p++)
    for (int64_t i = whole; i < count; i++) tail[p] += x[(p < channels ? p : channels - 1) * count + i];
  memcpy(v, sum, sizeof v);
  join_neighbours(v, SUMS * VECTORS);
  join_neighbours(v, SUMS * VECTORS / 2);
  join_neighbours(v, SUMS * VECTORS / 4);
  join_neighbours(v, SUMS * VECTORS / 8);
  for (int k = 0; k < VECTORS && k * LANES < channels; k++)
    put(y + k * LANES, (*(const vector *)(tail + k * LANES) + v[k]) / (real)count, channels - k * LANES);
}

static void forward(const cb_pool_run *run)
{
  int64_t count = run->geo->plane;
  for (int64_t i = 0; i < run->planes; i += SUMS)
    average_channels(count, cb_min(SUMS, run->planes - i), (const real *)run->x + i * count, (real *)run->y + i);
}

static void backward(const cb_pool_run *run)
{
  int64_t count = run->geo->plane;
  for (int64_t i = 0; i < run->planes; i++) {
    real *dx = (real *)run->dx + i * count;
    vector shares = ((const real *)run->dy)[i] / (real)count - (vector){0};
    for (int64_t j = 0; j + LANES <= count; j += LANES) *(vector *)(dx + j) = shares;
    if (count >= LANES)
      *(vector *)(dx + count - LANES) = shares;
    else
      put(dx, shares, count);
  }
}

const cb_pool_family CB_NAME(cb_pool_whole) = {serves, forward, backward};
