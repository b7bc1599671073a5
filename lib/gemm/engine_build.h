/* One compilation of the engine: the list of its kernels, and the functions that its files call of each other. */
#ifndef CB_GEMM_ENGINE_BUILD_H
#define CB_GEMM_ENGINE_BUILD_H

#include "gemm/engine.h"
#include "gemm/level_build.h"

/* The kernels of this compilation: X(m, nv). 32 vector registers hold 28 sums, two vectors of lanes and a broadcast;
   16 registers hold 12 sums and three others. */
#if CB_REGISTERS == 32
#define CB_ROWS_1 14
#define CB_ROWS_2 14
#define CB_ROWS_3 9
#define CB_ROWS_4 6
/* clang-format off */
#define CB_KERNELS(X) \
  X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1) X(12, 1) X(13, 1) X(14, 1) \
  X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2) X(9, 2) X(10, 2) X(11, 2) X(12, 2) X(13, 2) X(14, 2) \
  X(1, 3) X(2, 3) X(3, 3) X(4, 3) X(5, 3) X(6, 3) X(7, 3) X(8, 3) X(9, 3) \
  X(1, 4) X(2, 4) X(3, 4) X(4, 4) X(5, 4) X(6, 4)
#define CB_DOTS(X) \
  X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(1, 3) X(2, 3) X(3, 3) X(4, 3) \
  X(1, 4) X(2, 4) X(3, 4) X(4, 4) X(1, 5) X(2, 5) X(3, 5) X(4, 5) X(1, 6) X(2, 6) X(3, 6) X(4, 6)
/* clang-format on */
/* clang-format off */
#define CB_PACKED_ROWS 14
#define CB_PACKED(X) \
  X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1) X(12, 1) X(13, 1) X(14, 1) \
  X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2) X(9, 2) X(10, 2) X(11, 2) X(12, 2) X(13, 2) X(14, 2)
/* clang-format on */
#define CB_PACKING(X)
#define CB_DOTS_M  4
#define CB_DOTS_NV 6
#elif CB_REGISTERS == 16
#define CB_ROWS_1     12
#define CB_ROWS_2     6
#define CB_ROWS_3     4
#define CB_ROWS_4     0
/* clang-format off */
#define CB_KERNELS(X) \
  X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1) X(12, 1) \
  X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2) \
  X(1, 3) X(2, 3) X(3, 3) X(4, 3)
#define CB_DOTS(X) \
  X(1, 1) X(2, 1) X(3, 1) X(1, 2) X(2, 2) X(3, 2) X(1, 3) X(2, 3) X(3, 3) X(1, 4) X(2, 4) X(3, 4)
/* clang-format on */
/* clang-format off */
#define CB_PACKED_ROWS 6
#define CB_PACKED(X) \
  X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2)
/* clang-format on */
#define CB_PACKING(X) CB_PACKED(X)
#define CB_DOTS_M     3
#define CB_DOTS_NV    4
#else
#error "no list of kernels for so many vector registers"
#endif

/* The kernels of dots, X(rows, columns), are in dots.c. */
#define CB_DECLARE_DOTS(M, NV) void CB_NAME(cb_dots_##M##x##NV)(const cb_dots *dots);
CB_DOTS(CB_DECLARE_DOTS)

/* The kernels of packed operands, X(rows, vectors), and the packing are in slivers.c and packed_rows.c. */
#define CB_DECLARE_PACKED(M, NV) void CB_NAME(cb_packed_##M##x##NV)(const cb_packed_tile *tile);
CB_PACKED(CB_DECLARE_PACKED)

/* Those that pack the sliver while they multiply, where a level has them. */
#define CB_DECLARE_PACKING(M, NV) void CB_NAME(cb_packing_##M##x##NV)(const cb_packed_tile *tile);
CB_PACKING(CB_DECLARE_PACKING)

void CB_NAME(cb_pack_sliver)(const cb_sliver *sliver);
void CB_NAME(cb_pack_rows)(void *dst, const void *src, int64_t ld, int64_t steps, int64_t m);
void CB_NAME(cb_pack_turned)(const cb_turned *turned);
void CB_NAME(cb_take_every)(void *dst, const void *src, int64_t stride, int64_t count);
void CB_NAME(cb_weave)(const cb_woven *woven);

void CB_NAME(cb_store)(const cb_store *store);
void CB_NAME(cb_ask)(const void *rows, int64_t pitch, int64_t count, int64_t bytes);
void CB_NAME(cb_pack_lanes)(void *dst, const void *src, int64_t ld, int64_t steps, int64_t count, int64_t width);
void CB_NAME(cb_correlate)(const cb_plane *plane);
void CB_NAME(cb_correlate_weights)(const cb_plane *plane, void *sums);

/* cb_correlate and cb_correlate_weights by the loops of planes_square.c, planes_strips.c and planes_square_weights.c;
   false, and nothing is done, if these have none for the plane. */
bool CB_NAME(cb_correlate_square)(const cb_plane *plane);
bool CB_NAME(cb_correlate_strips)(const cb_plane *plane);
bool CB_NAME(cb_correlate_weights_square)(const cb_plane *plane, void *sums);

#endif
