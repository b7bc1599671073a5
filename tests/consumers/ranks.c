/* A program of a user of libcnnblas_mpi, as far as it goes without an mpirun: see consume.py. */
#include <cnnblas/mpi.h>

int main(void)
{
  cnnblas_mpi_options options;
  cnnblas_mpi_options_init(&options);
  return options.patience != 0 || cnnblas_mpi_exchange(NULL) != NULL;
}
