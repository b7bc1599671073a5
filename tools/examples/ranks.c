/*
 * Training over MPI with the program's own loop: each rank draws its share of each batch of digits.
 *
 *   cc ranks.c data/digits.c -o ranks $(pkg-config --cflags --libs cnnblas_mpi) && mpirun -n 4 ./ranks
 */
#include <cnnblas/mpi.h>
#include <data/digits.h>
#include <stdio.h>

enum { BATCH = 64, STEPS = 60, PIXELS = 28 * 28 };
static float images[BATCH * PIXELS];
static int32_t labels[BATCH];

int main(void)
{
  cnnblas_mpi *mpi = NULL;
  cnnblas_net *net = NULL;
  cnnblas_net_options options = {.batch = BATCH, .segments = 16, .seed = 1};
  cnnblas_net_result result = {0};
  int64_t first, count;
  cnnblas_status status = cnnblas_mpi_create(NULL, &mpi);
  if (!status) status = cnnblas_net_create("INPUT 1x28x28 -> CONV 8@5x5 -> RELU -> POOL -> FC 10", &options, &net);
  cnnblas_net_exchange *all = cnnblas_mpi_exchange(mpi);
  if (!status) status = cnnblas_net_share(BATCH, all->ranks, all->rank, &first, &count);
  for (int64_t i = 0; i < STEPS && !status; i++) {
    /* Any loop of yours that fills this rank's share: */
    digits_draw(1, i * BATCH + first, count, NULL, 28, images, labels);
    cnnblas_net_step step = {.n = BATCH, .images = images, .labels = labels, .exchange = all};
    step.optimiser = (cnnblas_net_optimiser){.lr = 0.05, .momentum = 0.9};
    status = cnnblas_net_train_step(net, &step, &result);
    if (!status && all->rank == 0 && i % 20 == 19)
      printf("step %lld: loss %.6f, %lld of %d right\n", (long long)i + 1, result.loss, (long long)result.correct,
             BATCH);
  }
  if (status) fprintf(stderr, "%s\n", cnnblas_last_error());
  if (status) cnnblas_mpi_fail(mpi, 1, cnnblas_last_error()); /* the others need not wait */
  cnnblas_mpi_destroy(mpi);
  cnnblas_net_destroy(net); /* of a step that failed gradients may be under way until then */
  return status != CNNBLAS_OK;
}
