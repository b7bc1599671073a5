/* One rank's inside: the communicator, the other ranks, the sums under way, and what has failed. */
#ifndef CB_MPI_RANKS_H
#define CB_MPI_RANKS_H

#include <cnnblas/mpi.h>
#include <mpi.h>
#include <pthread.h>
#include <stdbool.h>

enum { CB_MPI_TEXT = 256 /* the most bytes of a failure's sentence, as in cnnblas_mpi_failure */ };

/* What every rank tells of itself in the beginning; the same bytes in all versions. */
typedef struct {
  char version[96], host[64]; /* version: of the library, with the level and the kernels that fix bits */
  int64_t pid, space;         /* the process, and the number of its space of process numbers */
} cb_mpi_peer;

/* What a rank that fails sends to all. */
typedef struct {
  int32_t rank, code; /* the rank that failed; code 0: it does not answer */
  char text[CB_MPI_TEXT];
} cb_mpi_news;

typedef struct cb_mpi_bucket cb_mpi_bucket;

struct cnnblas_mpi {
  cnnblas_net_exchange exchange;
  MPI_Comm all, news; /* for data, and for news alone */
  bool initialised;   /* by create: destroy finalises */
  double patience;
  double begun;       /* when the wait that `looked` and `waited` belong to began */
  double looked;      /* when the others' processes were last looked for */
  double waited;      /* seconds of that wait; this process's own stops are left out */
  cb_mpi_peer *peers; /* [ranks] */
  MPI_Request coming; /* of the news that may come */
  cb_mpi_news received, failure;
  bool failed;
  bool apart;                              /* a rank does not answer: nothing is waited for any more */
  cb_mpi_bucket **buckets;                 /* [bucket_count] that are under way or were, room for bucket_room */
  int64_t bucket_count, bucket_room, done; /* the first `done` are summed */
  char *sent, *swapped;                    /* [swap_room] bytes each: a swap's, both ways */
  size_t swap_room;
  pthread_t thread; /* the thread that called cnnblas_mpi_create */
  bool any_thread;  /* true: MPI allows calls from other threads too */
  cnnblas_mpi_figures figures;
};

#endif
