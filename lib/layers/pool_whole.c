/*
 * Averages of whole channels, as at the end of ResNet: channels of 7 x 7 are so short that what a channel costs beside
 * its elements is what counts. A channel's sums lie in SUMS lanes; SUMS channels are folded into one vector together.
 */
#include "base/size.h"
#include "gemm/vectors.h"
#include "layers/pool.h"

#define PICK __builtin_shufflevector

enum { SUMS = 16 };
/* SUMS running sums of a channel: as wide at every level, so that every level has the same bits. */
typedef real sums __attribute__((vector_size(SUMS * sizeof(real)), aligned(sizeof(real))));

static bool serves(const cb_pool_geometry *g, bool backward)
{
  (void)backward;
  if (g->kind != CNNBLAS_POOL_AVG || g->out_plane != 1 || g->adaptive) return false;
  for (int axis = 0; axis < 3; axis++)
    if (g->kernel[axis] != g->size[axis] || g->pad_begin[axis] || (g->dilation[axis] != 1 && g->size[axis] > 1))
      return false;
  return true;
}

/* Each group of lanes is folded in half, a's groups before b's. */
static inline sums fold_8(sums a, sums b)
{
  return PICK(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
         PICK(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
}

static inline sums fold_4(sums a, sums b)
{
  return PICK(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
         PICK(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}

static inline sums fold_2(sums a, sums b)
{
  return PICK(a, b, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29) +
         PICK(a, b, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31);
}

static inline sums fold_1(sums a, sums b)
{
  return PICK(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
         PICK(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

enum { LEAF = 64 * SUMS /* the most elements that are summed one after another; longer channels are cut in halves */ };

static inline sums leaf(int64_t whole, const real *x)
{
  sums sum = {0};
  for (int64_t i = 0; i < whole; i += SUMS) sum += *(const sums *)(x + i);
  return sum;
}

static __attribute__((noinline)) sums halves(int64_t whole, const real *x)
{
  if (whole <= LEAF) return leaf(whole, x);
  int64_t half = cb_max(LEAF, whole / 2 / LEAF * LEAF);
  return halves(half, x) + halves(whole - half, x + half);
}

/* The averages of SUMS channels; where fewer are left, of the last one again. */
static sums average_channels(int64_t count, int64_t channels, const real *x)
{
  int64_t whole = count / SUMS * SUMS;
  sums sum[SUMS], tail = {0};
  if (whole <= LEAF) /* told apart out here: inside, the test costs a short channel a twelfth of its time */
    for (int p = 0; p < SUMS; p++) sum[p] = leaf(whole, x + (p < channels ? p : channels - 1) * count);
  else
    for (int p = 0; p < SUMS; p++) sum[p] = halves(whole, x + (p < channels ? p : channels - 1) * count);
  for (int64_t i = whole; i < count; i++)
    for (int p = 0; p < SUMS; p++) tail[p] += x[(p < channels ? p : channels - 1) * count + i];
  UNROLL for (int p = 0; p < 8; p++) sum[p] = fold_8(sum[2 * p], sum[2 * p + 1]);
  UNROLL for (int p = 0; p < 4; p++) sum[p] = fold_4(sum[2 * p], sum[2 * p + 1]);
  UNROLL for (int p = 0; p < 2; p++) sum[p] = fold_2(sum[2 * p], sum[2 * p + 1]);
  return (tail + fold_1(sum[0], sum[1])) / (real)count;
}

static void forward(const cb_pool_run *run)
{
  int64_t count = run->geo->plane;
  for (int64_t i = 0; i < run->planes; i += SUMS) {
    int64_t channels = run->planes - i < SUMS ? run->planes - i : SUMS;
    sums averages = average_channels(count, channels, (const real *)run->x + i * count);
    real *y = (real *)run->y + i;
    if (channels == SUMS)
      *(sums *)y = averages;
    else
      for (int64_t p = 0; p < channels; p++) y[p] = averages[p];
  }
}

static void backward(const cb_pool_run *run)
{
  int64_t count = run->geo->plane;
  for (int64_t i = 0; i < run->planes; i++) {
    real *dx = (real *)run->dx + i * count, share = ((const real *)run->dy)[i] / (real)count;
    sums shares = share - (sums){0};
    for (int64_t j = 0; j + SUMS <= count; j += SUMS) *(sums *)(dx + j) = shares;
    if (count >= SUMS)
      *(sums *)(dx + count - SUMS) = shares;
    else
      for (int64_t j = 0; j < count; j++) dx[j] = share;
  }
}

const cb_pool_family CB_NAME(cb_pool_whole) = {serves, forward, backward};
