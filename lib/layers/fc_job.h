/* What the products of a fully connected layer (fc_forward.c, fc_backward.c) have in common: their job, their tasks, and where
   long sums are cut. */
#ifndef CB_LAYERS_FC_JOB_H
#define CB_LAYERS_FC_JOB_H

#include "base/arguments.h"
#include "base/parallel.h"
#include "base/size.h"
#include "gemm/product.h"
#include "layers/fc_products.h"
#include "layers/loops.h"
#include <string.h>

enum {
  IMAGES = 64, /* the most images of a task */
  CHAIN = 64,  /* chunks that are added to the result one after the other: longer sums are cut, see cb_fc_part() */
  TILES = 16,  /* the most tiles across a task */
  LEAST_WORK = 32768, /* the least multiplications of a task */
};

typedef struct {
  const cb_fc *fc;
  const cb_engine *engine;
  const cb_layer_loops *loops;
  size_t element;
  const char *bias;
  int relu;
  char *result;
  int64_t width, height; /* a task's block of the result: outputs or inputs across, images or outputs down */
  int64_t across;        /* tasks side by side */
  int vectors;           /* vectors of lanes in a tile */
  bool past;             /* the result may be stored past the caches */
} cb_fc_job;

static inline void *cb_fc_at(const void *array, int64_t element, size_t size)
{
  return (char *)array + element * (int64_t)size;
}

static inline cb_fc_job cb_fc_make_job(const cb_fc *fc, void *result)
{
  return (cb_fc_job){.fc = fc,
                     .engine = cb_engine_get(fc->dtype),
                     .loops = cb_layer_loops_for(fc->dtype),
                     .element = cb_element_size(fc->dtype),
                     .result = result};
}

/* A task's share of `length`: tiles of `size`, each of so much work; about `tasks` shares, unless a task had too little to
   do or too many tiles. */
static inline int64_t cb_fc_task_length(int64_t length, int64_t size, double work, int64_t tasks)
{
  double least = LEAST_WORK / work;
  int64_t tiles = cb_max(cb_ceil_div(length, size) / tasks, least < TILES ? (int64_t)least : TILES);
  return size * cb_max(1, cb_min(TILES, tiles));
}

/*
 * A sum of more than `chain` terms is the sum of at most CHAIN parts, each of which is summed apart in the same way: the error
 * grows with the logarithm of the terms, not with their number. The length of a part depends on the terms alone.
 */
static inline int64_t cb_fc_part(int64_t terms, int64_t chain)
{
  int64_t part = chain;
  while (part < cb_ceil_div(terms, CHAIN)) part *= CHAIN;
  return part;
}

/* to[r][l] += from[r][l] */
static inline void cb_fc_add_block(const cb_fc_job *j, int64_t rows, int64_t columns, const void *from,
                                   int64_t from_pitch, void *to, int64_t to_pitch)
{
  for (int64_t r = 0; r < rows; r++)
    j->loops->bias_relu(1, columns, cb_fc_at(from, r * from_pitch, j->element), 0,
                        cb_fc_at(to, r * to_pitch, j->element));
}

#endif
