/*
 * Pooling of one channel by the commonest windows, width x stride 2/2, 3/2 and 3/1: chooses the lanes for
 * pool_windows.h, whose loops keep a window's elements in registers; and windows that are the whole channel.
 */
#include "layers/loops_build.h"
#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 4")

#if CB_REAL_BITS == 32
typedef int32_t place;
#else
typedef int64_t place;
#endif

/* Rows of one block of columns that are reduced once where windows overlap. */
enum { KEPT_ROWS = 128 };

#define JOIN_LANES(name, lanes) CB_JOIN2(name, lanes)
#define EVEN(lanes, a, b)       JOIN_LANES(EVEN, lanes)(a, b)
#define ODD(lanes, a, b)        JOIN_LANES(ODD, lanes)(a, b)
#define PICK                    __builtin_shufflevector
#define EVEN_2(a, b)            PICK(a, b, 0, 2)
#define ODD_2(a, b)             PICK(a, b, 1, 3)
#define EVEN_4(a, b)            PICK(a, b, 0, 2, 4, 6)
#define ODD_4(a, b)             PICK(a, b, 1, 3, 5, 7)
#define EVEN_8(a, b)            PICK(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define ODD_8(a, b)             PICK(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#define EVEN_16(a, b)           PICK(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define ODD_16(a, b)            PICK(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)

/* The window's extent on one axis inside the image; returns what an average counts. */
static inline int64_t pool_extent(const cb_pool_geometry *g, int axis, int64_t o, int64_t *from, int64_t *to)
{
  int64_t start = o * g->stride[axis] - g->pad_begin[axis], end = start + g->kernel[axis];
  int64_t padded = g->size[axis] + g->pad_end[axis], counted = (end < padded ? end : padded) - start;
  *from = start < 0 ? 0 : start;
  *to = end < g->size[axis] ? end : g->size[axis];
  return g->count_include_pad ? counted : *to - *from;
}

/* NARROW lanes serve rows that fill no more of WIDE. */
#if defined __AVX512F__
#define NARROW 4
#if CB_REAL_BITS == 32
#define LANES 16
#else
#define LANES 8
#endif
#include "layers/pool_windows.h"
#undef LANES
#define LANES 4
#include "layers/pool_windows.h"
#undef LANES
#if CB_REAL_BITS == 32
#define WITH_LANES(few, name) ((few) ? name##_4 : name##_16)
#else
#define WITH_LANES(few, name) ((few) ? name##_4 : name##_8)
#endif
#elif defined __AVX2__ && CB_REAL_BITS == 32
#define NARROW 4
#define LANES  8
#include "layers/pool_windows.h"
#undef LANES
#define LANES 4
#include "layers/pool_windows.h"
#undef LANES
#define WITH_LANES(few, name) ((few) ? name##_4 : name##_8)
#elif defined __AVX2__ || CB_REAL_BITS == 32
#define NARROW 0
#define LANES  4
#include "layers/pool_windows.h"
#undef LANES
#define WITH_LANES(few, name) ((void)(few), name##_4)
#else
#define NARROW 0
#define LANES  2
#include "layers/pool_windows.h"
#undef LANES
#define WITH_LANES(few, name) ((void)(few), name##_2)
#endif

static int has_loops(cnnblas_pool_kind kind, const cb_pool_geometry *g)
{
  int64_t k = g->kernel[2], s = g->stride[2];
  return kind != CNNBLAS_POOL_L2 && ((k == 2 && s == 2) || (k == 3 && (s == 1 || s == 2)));
}

/* One window, the whole channel: an average of all, as at the end of ResNet. */
static int is_whole(cnnblas_pool_kind kind, const cb_pool_geometry *g)
{
  if (kind != CNNBLAS_POOL_AVG || g->out_plane != 1) return 0;
  for (int axis = 0; axis < 3; axis++)
    if (g->kernel[axis] != g->size[axis] || g->pad_begin[axis]) return 0;
  return 1;
}

static void average_all(const cb_pool_plane *plane)
{
  enum { SUMS = 16 };
  const real *x = plane->x;
  int64_t count = plane->geo->plane, whole = count / SUMS * SUMS;
  real sums[SUMS] = {0}, sum = 0;
  for (int64_t i = 0; i < whole; i += SUMS)
    for (int j = 0; j < SUMS; j++) sums[j] += x[i + j];
  for (int64_t i = whole; i < count; i++) sum += x[i];
  for (int width = SUMS / 2; width > 0; width /= 2)
    for (int j = 0; j < width; j++) sums[j] += sums[j + width];
  *(real *)plane->y = (sum + sums[0]) / (real)count;
}

int CB_NAME(cb_pool_forward_windows)(cnnblas_pool_kind kind, const cb_pool_plane *plane)
{
  if (is_whole(kind, plane->geo)) {
    average_all(plane);
    return 1;
  }
  if (!has_loops(kind, plane->geo)) return 0;
  WITH_LANES(plane->geo->out[2] <= NARROW, forward_windows)(kind, plane);
  return 1;
}

int CB_NAME(cb_pool_backward_windows)(cnnblas_pool_kind kind, const cb_pool_plane *plane)
{
  if (!is_whole(kind, plane->geo)) return 0;
  real *dx = plane->dx, share = *(const real *)plane->dy / (real)plane->geo->plane;
  for (int64_t i = 0; i < plane->geo->plane; i++) dx[i] = share;
  return 1;
}
