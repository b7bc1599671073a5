/*
 * The macro-loops: a product of any number of rows, tile by tile and chunk by chunk.
 *
 *     c[i][j] (+)= sum over steps s of  a[row(i) + walk.a[s]] * b[walk.b[s] + j]       i < rows, j < vectors of lanes
 *
 *     for each item of the batch              the same walk, from other places of a, b and c
 *       for each tile of rows                 of even heights, at most the kernel's: their sums live in registers
 *         ask for the places of the next tile
 *         for each chunk of steps: kernel     a chain of sums of its own, added to those before
 *         store                               if the sums do not stay where the kernel puts them
 *
 * Whose rows, steps and lanes these are is the caller's business: see gemm/engine.h. How rows fall into tiles does not
 * show in the bits, how steps fall into chunks does.
 */
#ifndef CB_GEMM_PRODUCT_H
#define CB_GEMM_PRODUCT_H

#include "gemm/engine.h"

/* The steps of a product. */
typedef struct {
  const int32_t *a, *b; /* [steps] where each step lies, from its row's place and from b */
  const int32_t *cut;   /* [chunks + 1] the step at which each chunk begins, and the end */
  int64_t chunks;
} cb_walk;

/* Pitches and hops count elements, as walks do. */
typedef struct {
  const cb_engine *engine;
  size_t element; /* bytes of an element */
  const void *a;
  const int32_t *row; /* [rows] where the rows lie; if a_hop is not 0, [CB_MAX_ROWS] of i * a_hop */
  int64_t a_hop;      /* elements from one row of a to the next, if they lie evenly; else 0 */
  const void *b;
  cb_walk walk;
  int64_t rows;
  int vectors; /* vectors of lanes */
  void *c;     /* the sums, row i at c + i * ldc; with a store, room for those of a tile */
  int64_t ldc;
  /* Row i of the sums goes where row i of this block goes; its c, ldc and m are not looked at. NULL: the sums stay. */
  const cb_store *store;
  int64_t skip;  /* with a store: lanes of a tile before the first that is stored */
  bool add;      /* c += the sums, else c = the sums; false with a store */
  bool ask;      /* the places in the output are asked for early */
  bool past;     /* cb_tile's `past`; only with one chunk */
  int64_t ahead; /* cb_tile's `ahead` */
  struct {
    int64_t count;   /* items of the batch; 0 means 1 */
    int64_t a, b, c; /* elements from one item to the next; c: in the store's output too */
    int64_t bias;    /* elements of the store's bias from one item to the next */
  } batch;
} cb_product;

/* The store of a block that lies elsewhere: `out` elements further in the output and in what is indexed as it is, and
   `bias` in the bias. */
static inline cb_store cb_store_at(const cb_store *block, int64_t out, int64_t bias, size_t element)
{
  const int64_t bytes = out * (int64_t)element;
  cb_store store = *block;
  store.out = (char *)store.out + bytes;
  if (store.residual) store.residual = (const char *)store.residual + bytes;
  if (store.bias) store.bias = (const char *)store.bias + bias * (int64_t)element;
  return store;
}

void cb_product_run(const cb_product *product);

/*
 * The loop of products of vectors (cb_dots), added to c:
 *
 *     c[i * ldc + j] += sum over s < steps, l < lanes of  a[i * pitch + s * lanes + l] * b[col(j) + walk[s] + l]
 *
 *     for each tile of columns        of even widths
 *       for each tile of rows         of even heights: kernel
 */
typedef struct {
  const cb_engine *engine;
  size_t element; /* bytes of an element */
  const void *a;
  int64_t pitch; /* elements from one row of a to the next */
  const void *b;
  const int32_t *col; /* [columns] where the columns lie; if b_hop is not 0, [CB_DOTS_COLUMNS] of j * b_hop */
  int64_t b_hop;      /* elements from one column of b to the next, if they lie evenly; else 0 */
  const int32_t *walk;
  int64_t steps, rows, columns;
  void *c;
  int64_t ldc;
} cb_dots_product;

void cb_dots_run(const cb_dots_product *product);

/* Fills cut[chunks + 1] for chunks of as even a size as possible. */
void cb_chunks_cut(int64_t steps, int64_t chunks, int32_t *cut);

#endif
