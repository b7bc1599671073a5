/*
 * The matrix engine's kernels: one table for each type and instruction-set level.
 *
 * A tile is the product of a few rows, broadcast element by element, with a few vectors of lanes:
 *
 *     c[i][j] (+)= sum over s < steps of  a[row[i] + awalk[s]] * b[bwalk[s] + j]    i < m rows, j < nv vectors of lanes
 *
 * Both operands are found by addresses, so nothing needs to be lowered. A convolution chooses what the letters mean:
 *
 *                      rows i            steps s             lanes j            row[i]           awalk[s]
 *     forward          output pixels     taps (c, r, s)      output channels    pixel in band    tap in band
 *     input gradient   input pixels      taps (k, r, s)      input channels     pixel in band    tap in band
 *     weight gradient  taps (c, r, s)    output pixels       output channels    tap in band      pixel in band
 *     1x1, large P     output channels   input channels      output pixels      packed weights   packed weights
 *
 * Every element is one chain of fused multiply-adds in the order of s, whatever m and nv are, so the cut into tiles
 * does not show in the bits. No instruction-set test stands inside a kernel: the sources are compiled once a level.
 */
#ifndef CB_GEMM_ENGINE_H
#define CB_GEMM_ENGINE_H

#include "base/cpu.h"
#include <cnnblas/conv.h>
#include <stdbool.h>

enum {
  CB_MAX_ROWS = 14,      /* the most rows of any kernel */
  CB_MAX_VECTORS = 4,    /* the most vectors of lanes of any kernel */
  CB_MAX_LANES = 64,     /* the most lanes of any tile: the row pitch that always suffices for c */
  CB_PACKED_VECTORS = 2, /* the most vectors of a tile of packed operands */
  CB_DOTS_ROWS = 4,      /* the most rows of any tile of dots */
  CB_DOTS_COLUMNS = 6    /* the most columns of any tile of dots */
};

/* Indices count elements. a, b and c need element alignment only; c has m rows of nv whole vectors, pitch ldc. */
typedef struct {
  const void *a;
  const int32_t *row;   /* [m] where each row lies in a */
  const int32_t *awalk; /* [steps] where each step lies, from its row's place */
  const void *b;
  const int32_t *bwalk; /* [steps] where each step's lanes lie in b */
  int64_t steps;
  void *c;
  int64_t ldc;
  int64_t ahead; /* elements from b to what the next tile reads; kernels of many vectors fetch that early */
  bool add;      /* c += the sums, else c = the sums */
  /* c and ldc are whole vectors, so kernels of many vectors may store past the caches, without fetching a line only to
     write it. A fence must follow before another thread may look. This is worth it for outputs that the caches would
     not keep: pace.past_bytes of base/parameters.h. */
  bool past;
} cb_tile;

typedef void (*cb_kernel)(const cb_tile *tile);

/* A tile of packed operands, of nv vectors and m rows; width is the lanes of nv vectors:
       c[i * ldc + j] = before[i * width + j] + sum over s < steps of  weights[s * m + i] * sliver[s * width + j]
   Each sum is one chain in the order of s. The last of several sums turns -0 into +0, as transposed stores do. Kernels that
   pack as they multiply read run[walk[s] + j] in place of the sliver, and leave it there. */
typedef struct {
  const void *weights; /* [steps][m] */
  void *sliver;        /* [steps][width] */
  const void *run;     /* for kernels that pack: width pixels side by side, where they lie in a step whose walk is 0 */
  const int32_t *walk; /* for kernels that pack: [steps] where each step lies, from the run */
  int64_t ahead;       /* for kernels that pack: elements to the run that they ask for meanwhile, into L2; 0: none */
  int64_t steps;
  const void *before; /* the sums so far, [m][width]; NULL: zeros */
  void *c;
  int64_t ldc;
  bool last; /* nothing will be added to these sums: c is asked for early */
} cb_packed_tile;

typedef void (*cb_packed_kernel)(const cb_packed_tile *tile);

/* A run of pixels side by side: lanes [lane, lane + count) of a tile are at from[at], from[at + 1], ... */
typedef struct {
  int32_t lane, count;
  int64_t at;
} cb_run;

/* What a sliver is packed from:
       to[s * width + run.lane + j] = from[walk[s] + run.at + j]      s < steps, for each run, j < run.count
   Runs follow each other from lane 0 on and hold at most two vectors together. Unless exact, whole vectors are read and
   written: up to two vectors from a run's beginning on, and as many past the end of `to`. */
typedef struct {
  void *to;
  const void *from;
  const int32_t *walk;  /* [steps] where each step lies, from a pixel's place */
  int64_t steps, width; /* width: the lanes of one vector or of two */
  const cb_run *run;
  int runs;
  bool exact;
} cb_sliver;

/* Weights whose steps do not lie next to each other are packed for tiles [first, end) of the `tiles` into which outputs
   are split (cb_split); a tile has m outputs, of which k is the first:
       to[(k - k of tile `first`) * channels * taps + (c * taps + t) * m + i] =
           from[c * channel_pitch + tap[t] + (k + i) * output_pitch] */
typedef struct {
  void *to;
  const void *from;
  int64_t channel_pitch, output_pitch;
  const int64_t *tap; /* [taps] where each tap lies, from its output's and channel's place */
  int64_t taps, channels;
  int64_t outputs, tiles, first, end;
} cb_turned;

/* Rows are woven from as many others as there are `ways`, whose elements they take in turn:
       to[row * ldt + i * ways + j] = from[j][row * ldf + i]      row < rows, i < count, j < ways
   Only the first `most` elements of each row are written. */
typedef struct {
  void *to;
  const void *const *from; /* [ways] the arrays whose rows are woven; NULL: zeros */
  int64_t ldt, ldf, rows, ways, count, most;
} cb_woven;

/* A tile of sums over whole vectors, for weight gradients with images on the lanes:
       c[i * ldc + j] += sum over s < steps, l < lanes of  a[i * pitch + s * lanes + l] * b[col[j] + walk[s] + l]
   A lane is one chain in the order of s; the lanes are then added in pairs, halves of the vector first. */
typedef struct {
  const void *a;
  int64_t pitch; /* elements from one row of a to the next */
  const void *b;
  const int32_t *col;  /* [nv] where each column lies in b */
  const int32_t *walk; /* [steps] where each step lies, from its column's place */
  int64_t steps;
  void *c;
  int64_t ldc;
} cb_dots;

typedef void (*cb_dots_kernel)(const cb_dots *dots);

/* Where a finished tile goes: element (i, j) of the m x count block at c belongs to out[i * row_step + j * lane_step],
   or out[place[i] + j * lane_step]. Transposed stores have row_step 1 or places, straight ones lane_step 1. In
   transposed ones a sum of -0 becomes +0, so that leaving out products with zeros does not change a sum's bits. */
typedef struct {
  const void *c;
  int64_t ldc;
  int64_t m, count;
  void *out;
  int64_t row_step, lane_step;
  const int64_t *place; /* [m], rising, for transposed stores: where row i lies in out; NULL: at i * row_step */
  const void *bias;     /* an element for each lane (bias_rows false) or for each row (true); NULL: no bias */
  bool bias_rows;
  const void *residual; /* indexed as out; NULL: no residual */
  bool add;             /* what out holds is added */
  const void *bounds;   /* two elements, between which results are brought last; NaN stays; NULL: there are none */
  bool past;            /* straight stores without an epilogue may go past the caches, as those of a cb_tile */
} cb_store;

/* One axis of a plane: its input positions, outputs and taps. Output o and tap t meet at input position i, where
       up false:  i = o * stride + base + t * step
       up true:   i * stride = o + base + t * step   if that is whole: the transpose, for input gradients */
typedef struct {
  int64_t in, out, taps, stride, base, step;
} cb_plane_axis;

/* Planes of a convolution of few channels a group, dense rows h of columns w: for each of `planes` groups `outs`
   outputs, which are sums over `depths` times `channels` planes of x. Depthwise is one of each. x may be read from
   x[-before] up to, not including, x[after]. */
typedef struct {
  cb_plane_axis h, w;
  bool up;
  int64_t planes, x_pitch, y_pitch, weight_pitch; /* groups, and elements of each array from one group to the next */
  int64_t channels, x_channel, weight_channel;    /* channels of a group, and elements from one to the next */
  int64_t depths, x_depth, weight_depth;          /* taps of a third axis, and elements from one to the next */
  int64_t outs, y_out, weight_out;                /* outputs of a group, and elements from one to the next */
  int64_t images, x_image, y_image; /* images that correlate_weights sums over, and elements from one to the next */
  const void *x;
  int64_t before, after;
  void *y;             /* the result of correlate; dy, read only, for correlate_weights */
  const void *weights; /* for correlate: [h.taps][w.taps] of the first group, output, channel and depth */
  bool add;            /* y += the sums, else y = the sums */
} cb_plane;

typedef struct {
  const char *name;             /* the type and the level: "f32_avx512" */
  int lanes;                    /* elements of a vector */
  int rows[CB_MAX_VECTORS + 1]; /* the most rows of a kernel, by its vectors; 0: there is no kernel */
  cb_kernel kernel[CB_MAX_VECTORS + 1][CB_MAX_ROWS + 1]; /* kernels by their vectors and rows, [nv][m] */

  int packed_rows;                                                  /* the most rows of a packed kernel */
  cb_packed_kernel packed[CB_PACKED_VECTORS + 1][CB_MAX_ROWS + 1];  /* packed kernels by vectors and rows, [nv][m] */
  cb_packed_kernel packing[CB_PACKED_VECTORS + 1][CB_MAX_ROWS + 1]; /* those that pack the sliver too; NULL: none */
  void (*pack_sliver)(const cb_sliver *sliver);

  /* Packs m rows: dst[s * m + i] = src[i * ld + s] for i < m, s < steps. */
  void (*pack_rows)(void *dst, const void *src, int64_t ld, int64_t steps, int64_t m);
  void (*pack_turned)(const cb_turned *turned);

  /* Takes one element in `stride`: dst[i] = src[stride * i], i < count. */
  void (*take_every)(void *dst, const void *src, int64_t stride, int64_t count);

  void (*weave)(const cb_woven *woven);

  int dots_rows, dots_columns;                                /* the most rows and columns of a tile of dots */
  cb_dots_kernel dots[CB_DOTS_COLUMNS + 1][CB_DOTS_ROWS + 1]; /* kernels of dots, [columns][rows] */

  /* out = epilogue(c + out if add), element by element in the order: old value, bias, residual, activation. */
  void (*store)(const cb_store *store);

  /* Asks the caches for `count` rows of `bytes` bytes, `pitch` bytes apart, that are going to be written. */
  void (*ask)(const void *rows, int64_t pitch, int64_t count, int64_t bytes);

  /* Makes lanes of rows: dst[s * width + j] = src[j * ld + s] for j < count, 0 for count <= j < width; s < steps. */
  void (*pack_lanes)(void *dst, const void *src, int64_t ld, int64_t steps, int64_t count, int64_t width);

  /* y[oh][ow] (+)= sum over channels, depths and taps of weights[th][tw] * x[ih][iw], which is 0 outside the input. */
  void (*correlate)(const cb_plane *plane);

  /* sums[plane][th][tw] += sum over images and outputs of x[ih][iw] * y[oh][ow]; up must be false. */
  void (*correlate_weights)(const cb_plane *plane, void *sums);
} cb_engine;

/* The engine of a type at the machine's level (CNNBLAS_ISA respected). Never NULL. */
const cb_engine *cb_engine_get(cnnblas_dtype dtype);

/* The engine of a type compiled for a level, whether or not this machine has the level: for tests and benchmarks. */
const cb_engine *cb_engine_at(cnnblas_dtype dtype, cb_isa isa);

#endif
