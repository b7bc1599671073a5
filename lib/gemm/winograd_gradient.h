/*
 * The parts of Winograd's weight gradient F(3x3, 2x2), beside those of winograd.h: dw = sum over tiles of 2 x 2
 * elements of dy, each with the 4 x 4 elements of x that its taps meet.
 *
 *     dw = A^T [ sum over tiles of  (G dy G^T) * (B^T x B) ] A
 *
 *     V         tiles of x       [point][channel / L][tile][L]       winograd.h: open_band, form.inputs
 *     D         tiles of dy      [point][filter / L][tile][L]        pieces
 *     sums      over tiles       [point][filter / L][channel][L]     multiply
 *     dw        lanes = L filters  [channel][tap][L]                 gradients
 *
 * One table for each type and instruction-set level. Bits: sums over tiles are chains of CB_WINOGRAD_TILE_CHAIN
 * multiply-adds in the order of tiles, added in order.
 */
#ifndef CB_GEMM_WINOGRAD_GRADIENT_H
#define CB_GEMM_WINOGRAD_GRADIENT_H

#include "gemm/winograd.h"

enum { CB_WINOGRAD_TILE_CHAIN = 32 /* tiles of one chain of multiply-adds */ };

/* One point's sums of `vectors` times L filters with all channels, which are a multiple of L:
       sums[j * sums_pitch + c * L + l] = (sums[...] if add) + sum over t < tiles of
                                          v[c / L * pitch + t * L + c % L] * d[j * pitch + t * L + l] */
typedef struct {
  const void *v, *d;
  int64_t pitch;
  int64_t channels, tiles, vectors;
  void *sums;
  int64_t sums_pitch;
  bool add;
} cb_winograd_pairs;

/* A^T s A of L filters: to[(c * taps + tap) * L + l] for c < channels; taps rise, or fall along a turned axis. */
typedef struct {
  const void *from; /* point p of channel c at from[p * point_pitch + c * L] */
  int64_t point_pitch, channels;
  bool turned[2];
  void *to;
} cb_winograd_taps;

typedef struct {
  int lanes; /* the L of the layouts */
  /* G dy G^T of a row of tiles, as form.inputs makes B^T x B: along two axes, and along rows alone. */
  void (*pieces_square)(const cb_winograd_inputs *pieces);
  void (*pieces_line)(const cb_winograd_inputs *pieces);
  void (*multiply)(const cb_winograd_pairs *pairs);
  /* Adds an array to another: to[i] += from[i] for i < elements. */
  void (*join)(void *to, const void *from, int64_t elements);
  /* Store the gradients of two axes, and of rows alone; false if an element is not finite. */
  bool (*gradients_square)(const cb_winograd_taps *gradients);
  bool (*gradients_line)(const cb_winograd_taps *gradients);
} cb_winograd_gradient;

/* The table of a type at the machine's level. Never NULL. */
const cb_winograd_gradient *cb_winograd_gradient_get(cnnblas_dtype dtype);

/* The table of a type compiled for a level, whether or not this machine has the level: for tests. */
const cb_winograd_gradient *cb_winograd_gradient_at(cnnblas_dtype dtype, cb_isa isa);

#endif
