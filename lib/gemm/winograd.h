/*
 * The parts of Winograd's minimal filtering: transforms with channels on the lanes, and the products between them. One
 * table for each type and instruction-set level.
 *
 *     y = A^T [ (G g G^T) * (B^T d B) ] A       Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016
 *
 * A tile of outputs is made from a tile d of inputs, two more each way for three taps. A point is an element of a
 * transformed tile: F(2x2, 3x3) has 4 x 4. At each point the sum over channels is a matrix product of its own:
 *
 *     band      lanes = L channels    [row][column][L]             of a plane, zeros where it is outside      open_band
 *     V         inputs                [point][channel / L][tile][L]                                           inputs
 *     U         weights               [point][panel][channel][width of the panel]                             weights
 *     M         sums over channels    [point][panel][tile][width of the panel]                                multiply
 *     outputs   lanes = L filters     [row][column][L]                                                        outputs
 *
 * A panel is two vectors of filters, or one (gemm/panel.h). V is the left operand of the product as it lies. What a
 * tile becomes depends on nothing beside it: blocks of tiles may be cut anywhere, and panels too, and no bit shows it.
 *
 * Bits: sums over channels are chains of CB_WINOGRAD_CHAIN multiply-adds (half as many where multiply-adds are not
 * fused) in the order of channels, added in order within groups of CB_WINOGRAD_GROUP channels, and these in order.
 */
#ifndef CB_GEMM_WINOGRAD_H
#define CB_GEMM_WINOGRAD_H

#include "base/cpu.h"
#include <cnnblas/conv.h>
#include <stdbool.h>

/* The forms, named by the outputs of a tile; each is for three taps along an axis. */
typedef enum {
  CB_WINOGRAD_2X2, /* points 0, 1, -1, inf each way: small integers stay exact */
  CB_WINOGRAD_3X3, /* points of small amplification (winograd_forms.h) */
  CB_WINOGRAD_4X4,
  CB_WINOGRAD_2, /* this and the following: along rows alone, for filters of 1 x 3 */
  CB_WINOGRAD_3,
  CB_WINOGRAD_4,
  CB_WINOGRAD_FORMS
} cb_winograd_form_id;

enum {
  CB_WINOGRAD_CHAIN = 32,  /* multiply-adds of a chain */
  CB_WINOGRAD_GROUP = 128, /* channels whose chains are added before they are added to others */
  CB_WINOGRAD_MARGIN =
      80 /* elements between one point's V or M and the next: powers of two would meet in the caches' sets */
};

/* A band of lanes: to[(r * columns + q) * L + l] = from[l * plane + (row + r) * width + column + q] for l < channels <=
   L, zeros for other lanes and outside rows [0, height) and columns [0, width), which alone are read. */
typedef struct {
  const void *from;
  int64_t plane, channels;
  int64_t height, width;
  int64_t row, column;
  int64_t rows, columns;
  void *to;
} cb_winograd_band;

/* B^T d B of a row of tiles whose first begins at `band`: point p of tile t at to[p * point_pitch + t * L]. */
typedef struct {
  const void *band;
  int64_t pitch; /* columns of a row of the band */
  int64_t tiles;
  void *columns; /* scratch of [points of h][pitch][L]; forms of one axis need none */
  void *to;
  int64_t point_pitch;
} cb_winograd_inputs;

/* G g G^T of some channels of a panel: channel c of point p at to[p * point_pitch + c * width], width = vectors * L. */
typedef struct {
  const void *taps; /* [channels][taps of h][taps of w][width] */
  bool turned[2];   /* the taps of h, of w are taken backwards */
  int64_t channels;
  int vectors;
  void *to;
  int64_t point_pitch;
} cb_winograd_weights;

/* One point's product with one panel:
       m[t * width + j] = (m[...] if add) + sum over c < channels of
                          v[c / L * group_pitch + t * L + c % L] * u[c * width + j] */
typedef struct {
  const void *v;
  int64_t group_pitch;
  const void *u; /* [channels][width] */
  int64_t channels, tiles;
  int vectors;
  void *m;
  bool add;
  bool ahead; /* the panel behind u is the next to be read: it is asked for early */
} cb_winograd_product;

/* A^T m A of L filters of a row of tiles: to[(r * pitch + q) * L + l], r < outputs of h, q < columns. */
typedef struct {
  const void *from; /* point p of tile t at from[p * point_pitch + t * width] */
  int64_t point_pitch, width;
  int64_t tiles, columns; /* columns: at most tiles * outputs of w; the last tile's columns beyond are not written */
  void *to;
  int64_t pitch;
} cb_winograd_outputs;

typedef struct {
  int taps[2], outputs[2], points[2]; /* a tile's taps, outputs and points along h and along w */
  void (*inputs)(const cb_winograd_inputs *inputs);
  void (*weights)(const cb_winograd_weights *weights);
  /* Stores outputs; false if one of the sums behind them, those not written included, is not finite. */
  bool (*outputs_of)(const cb_winograd_outputs *outputs);
} cb_winograd_form;

typedef struct {
  int lanes; /* the L of the layouts */
  cb_winograd_form form[CB_WINOGRAD_FORMS];
  void (*open_band)(const cb_winograd_band *band);
  void (*multiply)(const cb_winograd_product *product);
} cb_winograd;

/* The table of a type at the machine's level (CNNBLAS_ISA respected). Never NULL. */
const cb_winograd *cb_winograd_get(cnnblas_dtype dtype);

/* The table of a type compiled for a level, whether or not this machine has the level: for tests. */
const cb_winograd *cb_winograd_at(cnnblas_dtype dtype, cb_isa isa);

#endif
