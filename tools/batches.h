/*
 * A pass over images in batches, as a network takes them. Where images have to be read from files a thread of its own makes the
 * next batch while the caller uses this one; what a batch holds does not depend on it. Ranks may share a pass (batches_share).
 */
#ifndef TOOLS_BATCHES_H
#define TOOLS_BATCHES_H

#include "dataset.h"
#include <cnnblas/net_exchange.h>
#include <pthread.h>

/* Some images of a set. */
typedef struct {
  const dataset *data;
  const int64_t *numbers; /* [count]; NULL: all of them */
  int64_t count;
} image_set;

enum { BATCHES_AHEAD = 2 /* the one in use and the next */ };

typedef struct {
  void *images;           /* [count][c][h][w] of the network's dtype */
  int32_t *labels;        /* [count] */
  int64_t count, all;     /* images, and with those of the other ranks */
  const int64_t *numbers; /* [count] of the images in the data; NULL if the set has none */
  io_status status;
  io_error error;
} batch;

/* What ranks share of a pass: nothing, each batch (split as cnnblas_net_share does), or batches, dealt round. */
typedef enum { BATCHES_WHOLE, BATCHES_SPLIT, BATCHES_DEALT } batches_sharing;

typedef struct {
  cnnblas_dtype dtype;
  int64_t most; /* images of a batch */
  batches_sharing sharing;
  int32_t ranks, rank;
  const input_norm *norm;
  batch made[BATCHES_AHEAD];
  image_set set; /* of the pass; count behind the last image */
  dataset_part part;
  int64_t at;                /* the first image of the next batch to be made; its maker's alone */
  int64_t given, ready, all; /* batches that the caller has had, that were made, and of the pass */
  bool stop, threaded;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
} batches;

/* Room for batches of the network's size; false without memory. batches_free: once after it, whatever it returned. */
bool batches_make(batches *b, const cnnblas_net *net, const input_norm *norm);
void batches_free(batches *b);

/* From the next pass on the batches are shared by ranks. */
void batches_share(batches *b, batches_sharing sharing, int32_t ranks, int32_t rank);

/* Begins a pass over set from its image `from` on; how: its augmentation, seed and epoch (NULL: none). What a pass before left
   is dropped. */
void batches_begin(batches *b, const image_set *set, int64_t from, const dataset_part *how);

/* The next batch, valid until the next call; NULL behind the last. A batch whose status is not IO_OK could not be read. */
const batch *batches_next(batches *b);

/* Ends a pass early, or after its last batch. */
void batches_end(batches *b);

#endif
