/*
 * Pooling by the commonest windows, size/stride 2/2, 3/2 and 3/1: chooses the lanes for pool_windows.h, whose loops keep
 * a window's elements in registers.
 */
#include "layers/loops_build.h"
#include <math.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

/* Constants of an instance reach its loops by inlining; under AddressSanitizer that takes the compiler minutes. */
#ifdef __SANITIZE_ADDRESS__
#define INLINE static inline
#else
#define INLINE static inline __attribute__((always_inline))
#endif
#define UNROLL _Pragma("GCC unroll 4")

#if CB_REAL_BITS == 32
typedef int32_t place;
#else
typedef int64_t place;
#endif

/* Vectors of outputs in the longest rows that are served. */
enum { MOST_BLOCKS = 64 };

typedef enum { LARGEST, PLACED, AVERAGE, NORM } pool_result;

/* Elements of a plane that lies in the first cache: its blocks are done one after the other. In larger ones rows are, as
   they lie in memory, unless windows share them. */
enum { WALKED = 8192 };

/* Sums of squares, and quotients dy / y, between these have lost nothing that counts. */
#if CB_REAL_BITS == 32
static const real LEAST_SUM = 0x1p-90f, MOST_SUM = 0x1p127f, LEAST_SHARE = 0x1p-90f, MOST_SHARE = 0x1p90f;
#else
static const real LEAST_SUM = 0x1p-900, MOST_SUM = 0x1p1023, LEAST_SHARE = 0x1p-900, MOST_SHARE = 0x1p900;
#endif

#define JOIN_LANES(name, lanes) CB_JOIN(name##_, lanes)
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

#define NEXT(lanes, a, b) JOIN_LANES(NEXT, lanes)(a, b)
#define NEXT_2(a, b)      PICK(a, b, 1, 2)
#define NEXT_4(a, b)      PICK(a, b, 1, 2, 3, 4)
#define NEXT_8(a, b)      PICK(a, b, 1, 2, 3, 4, 5, 6, 7, 8)
#define NEXT_16(a, b)     PICK(a, b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)

#define FIRST_PAIRS(lanes, a, b) JOIN_LANES(FIRST_PAIRS, lanes)(a, b)
#define LAST_PAIRS(lanes, a, b)  JOIN_LANES(LAST_PAIRS, lanes)(a, b)
#define FIRST_PAIRS_2(a, b)      PICK(a, b, 0, 2)
#define LAST_PAIRS_2(a, b)       PICK(a, b, 1, 3)
#define FIRST_PAIRS_4(a, b)      PICK(a, b, 0, 4, 1, 5)
#define LAST_PAIRS_4(a, b)       PICK(a, b, 2, 6, 3, 7)
#define FIRST_PAIRS_8(a, b)      PICK(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define LAST_PAIRS_8(a, b)       PICK(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define FIRST_PAIRS_16(a, b)     PICK(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define LAST_PAIRS_16(a, b)      PICK(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

/* A channel that the loops here do not do right, again. */
static __attribute__((noinline)) void pool_redo(cnnblas_pool_kind kind, const cb_pool_run *run, int64_t i)
{
  cb_pool_run plane = CB_NAME(cb_pool_channel)(run, i);
  CB_NAME(cb_pool_forward_any)(kind, &plane);
}

static __attribute__((noinline)) void pool_redo_back(cnnblas_pool_kind kind, const cb_pool_run *run, int64_t i)
{
  cb_pool_run plane = CB_NAME(cb_pool_channel)(run, i);
  CB_NAME(cb_pool_backward_any)(kind, &plane);
}

/* Where vectors of half the width take half the time, they serve the rows that fill no more. */
#if defined __AVX512F__ && CB_REAL_BITS == 32
#define LANES 8
#include "layers/pool_windows.h"
#undef LANES
#define LANES 16
#include "layers/pool_windows.h"
#define LEAST_LANES             8
#define WITH_LANES(width, name) ((width) <= 8 ? name##_8 : name##_16)
#else
#if defined __AVX512F__ || (defined __AVX2__ && CB_REAL_BITS == 32)
#define LANES 8
#include "layers/pool_windows.h"
#define LEAST_LANES             8
#define WITH_LANES(width, name) ((void)(width), name##_8)
#elif defined __AVX2__ || CB_REAL_BITS == 32
#define LANES 4
#include "layers/pool_windows.h"
#define LEAST_LANES             4
#define WITH_LANES(width, name) ((void)(width), name##_4)
#else
#define LANES 2
#include "layers/pool_windows.h"
#define LEAST_LANES             2
#define WITH_LANES(width, name) ((void)(width), name##_2)
#endif
#endif

/* The longest rows that are served. */
enum { MOST_OUT = MOST_BLOCKS * LEAST_LANES };

/* Square windows over two axes; places of lanes beside the plane fit in 32 bits as well. */
static int has_loops(const cb_pool_geometry *g)
{
  int64_t k = g->kernel[2], s = g->stride[2];
  return ((k == 2 && s == 2) || (k == 3 && (s == 1 || s == 2))) && g->kernel[1] == k && g->stride[1] == s &&
         g->size[0] == 1 && g->kernel[0] == 1 && g->out[2] <= MOST_OUT && g->plane < INT32_MAX / 2;
}

int CB_NAME(cb_pool_forward_windows)(cnnblas_pool_kind kind, const cb_pool_run *run)
{
  if (!has_loops(run->geo)) return 0;
  WITH_LANES(run->geo->out[2], forward_windows)(kind, run);
  return 1;
}

/* All of the maximum; of the others windows of 2 x 2 inside the image, and of the norm only if they cover it: the share
   that an element without a window gets is 0, and 0 times an infinite x is no 0. */
int CB_NAME(cb_pool_backward_windows)(cnnblas_pool_kind kind, const cb_pool_run *run)
{
  const cb_pool_geometry *g = run->geo;
  if (!has_loops(g)) return 0;
  if (kind != CNNBLAS_POOL_MAX && (g->kernel[2] != 2 || g->pad_begin[1] || g->pad_begin[2] ||
                                   2 * g->out[1] > g->size[1] || 2 * g->out[2] > g->size[2]))
    return 0;
  if (kind == CNNBLAS_POOL_L2 && (2 * g->out[1] != g->size[1] || 2 * g->out[2] != g->size[2])) return 0;
  WITH_LANES(g->out[2], backward_windows)(kind, run);
  return 1;
}
