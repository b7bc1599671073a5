/*
 * Training with several networks that share a batch: processes on several machines, for example. Library: libcnnblas_net.
 * Each rank has the same network and goes through the same steps; of a step's images it has a branch of the tree by which
 * options.segments joins gradients, and it joins its sums with the other ranks' in that tree. So a step leaves the same
 * bits for 1, 2, 4, ... ranks as one network with the same segments does alone.
 *
 *   cnnblas_net_exchange exchange = {.ranks = 4, .rank = 2, .context = &mine, .swap = my_swap};
 *   int64_t first, count;
 *   cnnblas_net_share(n, 4, 2, &first, &count);                      // which of the step's n images are this rank's
 *   cnnblas_net_step step = {.n = n, .images = own, .labels = own_labels, .exchange = &exchange};
 *   cnnblas_net_train_step(net, &step, &result);
 *
 * libcnnblas_mpi makes such an exchange for MPI (mpi.h). For another transport write the function swap; the others may be NULL.
 */
#ifndef CNNBLAS_NET_EXCHANGE_H
#define CNNBLAS_NET_EXCHANGE_H

#include <cnnblas/net.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A function that fails leaves a sentence in cnnblas_last_error, by cnnblas_net_exchange_fail for example; the step returns
 * its status, and no rank can go on with the exchange.
 */

/** Sends `bytes` to rank `other` and receives as many from it, which calls likewise. */
typedef cnnblas_status (*cnnblas_net_swap)(void *context, int32_t other, size_t bytes, const void *mine, void *theirs);

/** Begins to replace sums[0, count) on every rank by the sums over all ranks, joined at distances 1, 2, 4, ...; all ranks
    begin the same ranges in the same order. */
typedef cnnblas_status (*cnnblas_net_begin_sums)(void *context, cnnblas_dtype dtype, int64_t count, void *sums);

/** Goes on with what was begun: without waiting, or until all is summed. */
typedef cnnblas_status (*cnnblas_net_go_on)(void *context);

/** The other ranks of a step, and how they are reached. */
typedef struct cnnblas_net_exchange {
  int32_t ranks;                /* number of ranks, a power of two up to options.segments */
  int32_t rank;                 /* this rank, from 0 */
  void *context;                /* the functions' first argument */
  cnnblas_net_swap swap;        /* must be there */
  cnnblas_net_begin_sums begin; /* NULL: gradients are summed with swap, while nothing else is done */
  cnnblas_net_go_on proceed;    /* goes on without waiting, called between layers; NULL: there is nothing to do */
  cnnblas_net_go_on finish;     /* waits for all that was begun; NULL if, and only if, begin is */
  int64_t bucket_bytes;         /* gradients wait for each other until they have so many bytes; 0 means 256 KiB */
  int32_t word;                 /* what this rank wants the others to know: at least 0 */
  int32_t words;                /* the largest of the ranks' words in the last step, written */
  int64_t reserved[8];          /* for later fields: its elements must be 0 */
} cnnblas_net_exchange;

/** Sets every field to zero. NULL is ignored. */
CNNBLAS_API void cnnblas_net_exchange_init(cnnblas_net_exchange *exchange);

/**
 * Which of a step's n images a rank has: [first, first + count), a branch of the tree; of fewer images than ranks some have
 * none. The ranks have equally many where n is a power of two, or its part beyond one is small: 256, not 192.
 * Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (null pointer, n below 0, ranks not a power of two, no such rank).
 */
CNNBLAS_API cnnblas_status cnnblas_net_share(int64_t n, int32_t ranks, int32_t rank, int64_t *first, int64_t *count);

/** Makes text the calling thread's cnnblas_last_error; returns status. */
CNNBLAS_API cnnblas_status cnnblas_net_exchange_fail(cnnblas_status status, const char *text);

#ifdef __cplusplus
}
#endif
#endif
