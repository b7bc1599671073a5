/* The vector loops of resizing, a row of an image at a time: a table for each type and instruction-set level. */
#ifndef CB_LAYERS_RESIZE_LOOPS_H
#define CB_LAYERS_RESIZE_LOOPS_H

#include <cnnblas/conv.h>
#include <stdbool.h>
#include <stdint.h>

/* Layers of planes whose two axes both have twice as many outputs as inputs, which need no tables. */
typedef enum { CB_RESIZE_ANY, CB_RESIZE_NEAREST_TWICE, CB_RESIZE_LINEAR_TWICE } cb_resize_case;

/* The last axis: output o is made of input low[o], and of high[o], its neighbour, by the share[o]; without shares of low[o] alone. */
typedef struct {
  int64_t in, out;
  const int32_t *low, *high;
  const void *share; /* [out] each output's share of its second input, in the table's type; NULL for nearest */
} cb_resize_row;

enum { CB_RESIZE_ROWS = 4 }; /* the most rows that are joined at a time */

typedef struct {
  /* to[i] = sum over k < rows of weight[k] * from[k][i], plus the old to[i] if add */
  void (*join)(int64_t count, int rows, const void *const *from, const double *weight, bool add, void *to);
  /* a row of y from the row of x, or of several joined, that it lies on */
  void (*forward)(const cb_resize_row *row, const void *x, void *y);
  /* a row of dx from the sum of dy's rows that it went to */
  void (*backward)(const cb_resize_row *row, const void *dy, void *dx);
  /* rows [begin, end) of planes of twice h x w that lie after each other, from planes of h x w */
  void (*twice)(cb_resize_case kind, int64_t h, int64_t w, int64_t begin, int64_t end, const void *x, void *y);
  /* rows [begin, end) of dx's planes of h x w, from dy's */
  void (*twice_back)(cb_resize_case kind, int64_t h, int64_t w, int64_t begin, int64_t end, const void *dy, void *dx);
} cb_resize_loops;

#endif
