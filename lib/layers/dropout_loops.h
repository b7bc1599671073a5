/* The vector loops of dropout: a table for each type and instruction-set level. */
#ifndef CB_LAYERS_DROPOUT_LOOPS_H
#define CB_LAYERS_DROPOUT_LOOPS_H

#include <cnnblas/conv.h>
#include <stdint.h>

/* Elements from, ..., from + count of an image under a key: `from` is a multiple of 8, and bits below the limit drop an element. */
typedef struct {
  uint64_t key, image; /* Philox's key, and its stream: the image's number */
  int64_t from, count;
  uint32_t limit;
  double gain; /* elements that stay are multiplied with it */
} cb_dropout_piece;

typedef struct {
  /* y = x where the element stays, times the gain, else 0; y may be x; both begin at the piece's first element */
  void (*drop)(const cb_dropout_piece *piece, const void *x, void *y);
} cb_dropout_loops;

/* The table for a type on this machine. Thread safe. */
const cb_dropout_loops *cb_dropout_loops_for(cnnblas_dtype dtype);

#endif
