/*
 * Data-parallel training over MPI. Library: libcnnblas_mpi (pkg-config cnnblas_mpi), built for one flavour of MPI.
 *
 *   cnnblas_mpi *mpi;
 *   cnnblas_mpi_create(NULL, &mpi);                                  // under mpirun -n P, P a power of two
 *   cnnblas_net_exchange *all = cnnblas_mpi_exchange(mpi);
 *   cnnblas_net_share(256, all->ranks, all->rank, &first, &count);   // this rank's images of a batch of 256
 *   cnnblas_net_step step = {.n = 256, .images = own, .labels = own_labels, .exchange = all};
 *   cnnblas_net_train_step(net, &step, &result);                     // net made with options.segments of at least P
 *   cnnblas_mpi_destroy(mpi);                                        // before the network
 *
 * net_exchange.h says what ranks do and why bits do not depend on their number. Calls come from one thread, the one that
 * initialised MPI: MPI_THREAD_FUNNELED suffices. A rank that waits for another longer than options.patience, or finds that
 * its process has ended, fails with CNNBLAS_IO_ERROR, and tells the others; cnnblas_mpi_get_failure says who failed. A rank
 * that cannot go on for a reason of its own, a label out of range for example, calls cnnblas_mpi_fail, or the others wait for
 * it as long as they have patience. After a failure gradients may still be under way: a network is destroyed after its
 * connection, which then keeps its memory and communicators until the process ends.
 */
#ifndef CNNBLAS_MPI_H
#define CNNBLAS_MPI_H

#include <cnnblas/net_exchange.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One rank's connection to the others: opaque; one thread uses it. */
typedef struct cnnblas_mpi cnnblas_mpi;

/** How ranks are joined. Zero, or a NULL pointer to the whole, means the defaults. */
typedef struct cnnblas_mpi_options {
  const void *communicator; /* the caller's MPI_Comm, a pointer to it; it is duplicated. NULL: MPI_COMM_WORLD */
  double patience; /* seconds that a rank waits for another; 0 means CNNBLAS_MPI_PATIENCE of the environment, or 20 */
  int64_t reserved[6]; /* for later fields: its elements must be 0 */
} cnnblas_mpi_options;

/** Sets every field to zero, the defaults. NULL is ignored. */
CNNBLAS_API void cnnblas_mpi_options_init(cnnblas_mpi_options *options);

/**
 * Joins the ranks, which call it together; it waits for all of them, without patience. Initialises MPI where nobody has.
 * Returns CNNBLAS_OK; CNNBLAS_INVALID_ARGUMENT (null pointer, bad option, a number of ranks that is no power of two, or not
 * that of the environment: the mpirun of another flavour); CNNBLAS_UNSUPPORTED if ranks run different versions of the
 * library, or its levels or OpenBLAS's kernels differ, which would have other bits: the message names the rank;
 * CNNBLAS_IO_ERROR for what MPI reports; CNNBLAS_OUT_OF_MEMORY. On an error *mpi is untouched.
 */
CNNBLAS_API cnnblas_status cnnblas_mpi_create(const cnnblas_mpi_options *options, cnnblas_mpi **mpi);

/** Parts from the other ranks, which call it too, and finalises MPI where create initialised it; of ranks that do not
    answer neither is waited for. NULL is ignored. */
CNNBLAS_API void cnnblas_mpi_destroy(cnnblas_mpi *mpi);

/** The ranks, for steps; its word and bucket_bytes are the caller's to set. It lives as long as mpi; NULL for NULL. */
CNNBLAS_API cnnblas_net_exchange *cnnblas_mpi_exchange(cnnblas_mpi *mpi);

/** values[0, count) become their sums over all ranks, joined in the tree; dtype is f32 or f64;
    all ranks call it. Errors as of a step. */
CNNBLAS_API cnnblas_status cnnblas_mpi_sum(cnnblas_mpi *mpi, cnnblas_dtype dtype, int64_t count, void *values);

/**
 * Compares a text, of which 95 bytes count, and a number with rank 0's; all ranks call it.
 * Returns CNNBLAS_OK on every rank, or CNNBLAS_INVALID_ARGUMENT on every rank: the message names the first rank that has
 * another and what both have.
 */
CNNBLAS_API cnnblas_status cnnblas_mpi_compare(cnnblas_mpi *mpi, const char *what, const char *text, uint64_t number);

/** Tells all ranks that this one fails: their calls end with CNNBLAS_IO_ERROR, and cnnblas_mpi_get_failure has the code and
    the text. It waits two seconds at most. */
CNNBLAS_API void cnnblas_mpi_fail(cnnblas_mpi *mpi, int32_t code, const char *text);

/** Why ranks cannot go on. */
typedef struct cnnblas_mpi_failure {
  int32_t rank;   /* the rank that failed; -1: none has */
  int32_t code;   /* what it gave cnnblas_mpi_fail; 5 if MPI or memory failed it; 0 for a rank that does not answer */
  int32_t speaks; /* 1: this rank is the one to report a rank that does not answer: the lowest that lives, on another
                          machine than that rank's if there is one */
  char text[256]; /* the cause */
  int64_t reserved[4]; /* written as 0 */
} cnnblas_mpi_failure;

/** Fills failure. Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (null pointer). */
CNNBLAS_API cnnblas_status cnnblas_mpi_get_failure(const cnnblas_mpi *mpi, cnnblas_mpi_failure *failure);

/** Ends all ranks' processes by MPI_Abort, those too that do not answer; mpirun's exit code is `code`. Does not return. */
CNNBLAS_API void cnnblas_mpi_abort(cnnblas_mpi *mpi, int32_t code);

/** What this rank has sent and waited for so far. */
typedef struct cnnblas_mpi_figures {
  int64_t bytes;       /* bytes sent */
  int64_t messages;    /* messages sent */
  double sum_seconds;  /* seconds in which the backward pass was done and sums were waited for */
  double swap_seconds; /* seconds in small exchanges: losses, batch normalisation */
  int64_t reserved[4]; /* written as 0 */
} cnnblas_mpi_figures;

/** Fills figures. Returns CNNBLAS_OK or CNNBLAS_INVALID_ARGUMENT (null pointer). */
CNNBLAS_API cnnblas_status cnnblas_mpi_get_figures(const cnnblas_mpi *mpi, cnnblas_mpi_figures *figures);

#ifdef __cplusplus
}
#endif
#endif
