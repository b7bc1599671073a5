/*
 * The micro-kernel: the one hot loop of the library.
 *
 *     c[i][j] (+)= sum over s < steps of  a[row[i] + awalk[s]] * b[bwalk[s] + j]
 *
 *            b: nv vectors of lanes           The m x nv sums live in registers from the first step to the last. A step
 *            +-------+-------+                loads nv vectors, broadcasts m elements and does m * nv fused
 *   a: row 0 |acc 0 0|acc 0 1|                multiply-adds. m and nv are constants of each instance, so every loop
 *      row 1 |acc 1 0|acc 1 1|                over them is unrolled and no sum leaves its register.
 *      ...   |       |       |
 *
 * Compiled with -ffp-contract=fast (multiply and add fuse) and -fno-predictive-commoning (gcc would carry overlapping
 * taps from step to step in registers that the sums need).
 *
 * The rows' offsets are as many as there are integer registers. Left alone, gcc keeps what is over in vector
 * registers and fetches it with moves that take the ports of the multiply-adds, and adds walk and row apart from the
 * load: 14x1 ran at 81% of the core's multiply-adds, 12x2 at 89%. With the first six offsets in registers, the others
 * read from memory (what volatile says) and the step's address out of the optimiser's sight, so that a row is one
 * load at [step + row], every instance of four sums or more reaches 97 to 100%. tools/kernel_stack.sh shows the loops
 * that came of it.
 */
#include "gemm/engine_build.h"
#include "gemm/vectors.h"

enum { ROWS_IN_REGISTERS = 6 }; /* rows whose offsets are kept in registers */

/* Kernels of so many vectors or more ask for what comes next: they are those that read the lanes and store the sums in
   arrays of the caller. The others have packed lanes, and no slot to spare: a prefetch a step made 14 x 2 a tenth
   slower. */
enum { PREFETCHING = 3 };

/* Makes the optimiser forget how the pointer came about. */
#define OPAQUE(pointer) __asm__("" : "+r"(pointer))

static inline __attribute__((always_inline)) void multiply(const cb_tile *tile, const int m, const int nv)
{
  const real *a = tile->a;
  const int32_t *awalk = tile->awalk, *bwalk = tile->bwalk;
  int64_t row[CB_MAX_ROWS];
  UNROLL for (int i = 0; i < m; i++) row[i] = tile->row[i];
  vector acc[CB_MAX_ROWS][CB_MAX_VECTORS];
  UNROLL for (int i = 0; i < m; i++) UNROLL for (int v = 0; v < nv; v++) acc[i][v] = (vector){0};
  const int64_t ahead = tile->ahead;
  if (nv >= PREFETCHING && !tile->past)
    UNROLL for (int i = 0; i < m; i++) UNROLL for (int v = 0; v < nv; v++)
        __builtin_prefetch((const real *)tile->c + i * tile->ldc + v * LANES, 1);

  for (int64_t s = 0; s < tile->steps; s++) {
    const real *as = a + awalk[s], *bs = (const real *)tile->b + bwalk[s];
    OPAQUE(as);
    vector lane[CB_MAX_VECTORS];
    UNROLL for (int v = 0; v < nv; v++) lane[v] = *(const vector *)(bs + v * LANES);
    if (nv >= PREFETCHING) UNROLL for (int v = 0; v < nv; v++) __builtin_prefetch(bs + ahead + v * LANES, 0, 2);
    UNROLL for (int i = 0; i < m; i++)
    {
      real x = as[i < ROWS_IN_REGISTERS ? row[i] : *(const volatile int64_t *)&row[i]];
      UNROLL for (int v = 0; v < nv; v++) acc[i][v] += x * lane[v];
    }
  }

  real *c = tile->c; /* c and ldc are copies: for all gcc knows, a vector stored changes the tile */
  const int64_t ldc = tile->ldc;
  if (tile->add) {
    UNROLL for (int i = 0; i < m; i++, c += ldc) UNROLL for (int v = 0; v < nv; v++)
    {
      vector *to = (vector *)(c + v * LANES);
      *to += acc[i][v];
    }
  } else if (nv >= PREFETCHING && tile->past) {
    UNROLL for (int i = 0; i < m; i++, c += ldc) UNROLL for (int v = 0; v < nv; v++) put_past(c + v * LANES, acc[i][v]);
  } else {
    UNROLL for (int i = 0; i < m; i++, c += ldc) UNROLL for (int v = 0; v < nv; v++)
    {
      vector *to = (vector *)(c + v * LANES);
      *to = acc[i][v];
    }
  }
}

#define DEFINE_KERNEL(M, NV)                                                                                           \
  static void multiply_##M##x##NV(const cb_tile *tile)                                                                 \
  {                                                                                                                    \
    multiply(tile, M, NV);                                                                                             \
  }
CB_KERNELS(DEFINE_KERNEL)

#define KERNEL_ENTRY(M, NV) [NV][M] = multiply_##M##x##NV,

#define DOTS_ENTRY(M, NV) [NV][M] = CB_NAME(cb_dots_##M##x##NV),

#define PACKING_ENTRY(M, NV) [NV][M] = CB_NAME(cb_packing_##M##x##NV),

#define PACKED_ENTRY(M, NV) [NV][M] = CB_NAME(cb_packed_##M##x##NV),

extern const cb_engine CB_NAME(cb_engine);
const cb_engine CB_NAME(cb_engine) = {
    .name = CB_TEXT(CB_SUFFIX),
    .lanes = LANES,
    .rows = {0, CB_ROWS_1, CB_ROWS_2, CB_ROWS_3, CB_ROWS_4},
    .kernel = {CB_KERNELS(KERNEL_ENTRY)},
    .packed_rows = CB_PACKED_ROWS,
    .packed = {CB_PACKED(PACKED_ENTRY)},
    .packing = {CB_PACKING(PACKING_ENTRY)},
    .pack_sliver = CB_NAME(cb_pack_sliver),
    .pack_rows = CB_NAME(cb_pack_rows),
    .pack_turned = CB_NAME(cb_pack_turned),
    .take_every = CB_NAME(cb_take_every),
    .weave = CB_NAME(cb_weave),
    .dots_rows = CB_DOTS_M,
    .dots_columns = CB_DOTS_NV,
    .dots = {CB_DOTS(DOTS_ENTRY)},
    .store = CB_NAME(cb_store),
    .ask = CB_NAME(cb_ask),
    .pack_lanes = CB_NAME(cb_pack_lanes),
    .correlate = CB_NAME(cb_correlate),
    .correlate_weights = CB_NAME(cb_correlate_weights),
};
