/*
 * Sums over ranks, in the tree: at distances 1, 2, 4, ... each pair of ranks halves what it has, a rank keeps one half and
 * adds the other's to it; then the sums go back the same way. 2 (P - 1) / P of the bytes are sent. Buckets of few bytes are
 * added whole at each distance: half as many messages follow each other.
 */
#ifndef CB_MPI_SUMS_H
#define CB_MPI_SUMS_H

#include "mpi/ranks.h"

/* The functions of the exchange; the context is the cnnblas_mpi. */
cnnblas_status cb_mpi_swap(void *context, int32_t other, size_t bytes, const void *mine, void *theirs);
cnnblas_status cb_mpi_begin(void *context, cnnblas_dtype dtype, int64_t count, void *sums);
cnnblas_status cb_mpi_proceed(void *context);
cnnblas_status cb_mpi_finish(void *context);

/* Frees the buckets; none is under way. */
void cb_mpi_free_buckets(cnnblas_mpi *mpi);

#endif
