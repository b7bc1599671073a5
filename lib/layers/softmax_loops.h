/* The vector loops of softmax: a table for each type and instruction-set level. */
#ifndef CB_LAYERS_SOFTMAX_LOOPS_H
#define CB_LAYERS_SOFTMAX_LOOPS_H

#include <cnnblas/conv.h>
#include <stdbool.h>
#include <stdint.h>

/* The fewest and the most lines beside each other that are done at a time: a block of lines should lie in the second cache, and
   the pieces of memory that it consists of should be long. */
enum { CB_SOFTMAX_LEAST = 64, CB_SOFTMAX_WIDTH = 512 };

/* Lines of `axis` elements beside each other: element j of line i lies at j * pitch + i. At most CB_SOFTMAX_WIDTH lines; a line that is
   contiguous (pitch 1) is alone. */
typedef struct {
  int64_t axis, lines, pitch;
  bool logarithm;
} cb_softmax_block;

typedef struct {
  void (*forward)(const cb_softmax_block *block, const void *x, void *y);
  void (*backward)(const cb_softmax_block *block, const void *y, const void *dy, void *dx);
  /* p[j] = exp(z[j] - max z) / sum, unless p is NULL; returns log(sum exp(z - max)) + max; p may be z */
  double (*line)(int64_t count, const void *z, void *p);
} cb_softmax_loops;

/* The table for a type on this machine. Thread safe. */
const cb_softmax_loops *cb_softmax_loops_for(cnnblas_dtype dtype);

#endif
