/* Who the other ranks are, whether they live, and how a failure becomes known. */
#ifndef CB_MPI_OTHERS_H
#define CB_MPI_OTHERS_H

#include "mpi/ranks.h"

/* CNNBLAS_OK, or CNNBLAS_IO_ERROR with MPI's sentence for its code. */
cnnblas_status cb_mpi_check(int code, const char *what);

/* Seconds of a clock that only goes forward. */
double cb_mpi_now(void);

/* Fills in what this process is. */
void cb_mpi_describe(cb_mpi_peer *peer);

/* True for a rank whose process is stopped, or has ended, as far as can be seen: on this machine alone. */
bool cb_mpi_is_silent(const cnnblas_mpi *mpi, int rank);

/* Keeps a failure, unless there is one already, and sends it to all where it is this rank's to tell; waits two seconds at
   most. */
void cb_mpi_tell(cnnblas_mpi *mpi, int rank, int code, const char *text);

/* Looks whether news have come: CNNBLAS_IO_ERROR once a rank has failed. */
cnnblas_status cb_mpi_listen(cnnblas_mpi *mpi);

/* Whether this thread may call MPI, and no rank has failed. */
cnnblas_status cb_mpi_may_call(cnnblas_mpi *mpi);

/* Ends the connection after an error that no news have told of, which the others learn; returns the status. */
cnnblas_status cb_mpi_broken(cnnblas_mpi *mpi, cnnblas_status status);

/* Looks after the others, having waited for one since `begun`: fails if its process has ended, or patience has. */
cnnblas_status cb_mpi_look(cnnblas_mpi *mpi, int other, double begun);

/* Lets others have the processor, longer and longer. */
void cb_mpi_nap(double waited);

#endif
