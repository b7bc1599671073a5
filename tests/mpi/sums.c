/*
 * libcnnblas_mpi without a network: sums of many buckets at once, long arrays, and calls that are refused. Run by run.py on
 * two ranks; the exit code says whether this rank found what it should.
 */
#include <cnnblas/mpi.h>
#include <mpi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static cnnblas_mpi *mpi;
static cnnblas_net_exchange *all;
static long faults;

static void expect(int right, const char *what)
{
  if (right) return;
  faults++;
  fprintf(stderr, "rank %d: %s (%s)\n", (int)all->rank, what, cnnblas_last_error());
}

static float value(int rank, int64_t i)
{
  return (float)(i % 1000 + 1000 * rank);
}

/* More buckets than may be under way; rank 1 is ahead with the first, so that messages of early and late ones could meet. */
static void many_buckets(void)
{
  enum { BUCKETS = 1100, EACH = 8192 };
  float *sums = malloc(sizeof *sums * BUCKETS * EACH);
  cnnblas_status status = sums ? CNNBLAS_OK : CNNBLAS_OUT_OF_MEMORY;
  for (int64_t i = 0; i < BUCKETS * EACH && sums; i++) sums[i] = value(all->rank, i);
  for (int b = 0; b < BUCKETS && !status; b++) {
    status = all->begin(all->context, CNNBLAS_F32, EACH, sums + (int64_t)b * EACH);
    for (int i = 0; b == 0 && all->rank == 1 && i < 20 && !status; i++) {
      nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
      status = all->proceed(all->context);
    }
  }
  if (!status) status = all->finish(all->context);
  expect(!status, "many buckets fail");
  for (int64_t i = 0; i < BUCKETS * EACH && !status && faults < 5; i++)
    expect(sums[i] == value(0, i) + value(1, i), "a bucket has another's sums");
  free(sums);
}

static void long_array(void)
{
  enum { LONG = 20000001 };
  float *sums = malloc(sizeof *sums * LONG);
  for (int64_t i = 0; i < LONG && sums; i++) sums[i] = value(all->rank, i);
  expect(sums && !cnnblas_mpi_sum(mpi, CNNBLAS_F32, LONG, sums), "a long sum fails");
  for (int64_t i = 0; i < LONG && sums && faults < 5; i++)
    expect(sums[i] == value(0, i) + value(1, i), "a long sum is wrong");
  free(sums);
}

static void *from_elsewhere(void *out)
{
  double mine = 1, theirs = 0;
  *(cnnblas_status *)out = all->swap(all->context, all->rank ^ 1, sizeof mine, &mine, &theirs);
  return NULL;
}

static void refusals(void)
{
  const MPI_Comm nobody = MPI_COMM_NULL;
  cnnblas_mpi *none = NULL;
  expect(cnnblas_mpi_create(&(cnnblas_mpi_options){.communicator = &nobody}, &none) == CNNBLAS_INVALID_ARGUMENT &&
             !none,
         "MPI_COMM_NULL is accepted");
  int given;
  MPI_Query_thread(&given);
  pthread_t thread;
  cnnblas_status status = CNNBLAS_OK;
  if (given >= MPI_THREAD_SERIALIZED || pthread_create(&thread, NULL, from_elsewhere, &status)) return;
  pthread_join(thread, NULL);
  expect(status == CNNBLAS_INVALID_ARGUMENT, "a swap from another thread is accepted");
}

/* Networks whose steps have other numbers of images are told apart before any gradient is summed. */
static void unequal_steps(void)
{
  static float images[4 * 9];
  static const int32_t labels[4];
  cnnblas_net *net = NULL;
  cnnblas_net_result result;
  const cnnblas_net_options options = {.batch = 4, .segments = 2, .seed = 1};
  expect(!cnnblas_net_create("INPUT 1x3x3 -> FC 2", &options, &net), "no network");
  cnnblas_net_step step = {.n = 4 - all->rank, .images = images, .labels = labels, .exchange = all};
  expect(cnnblas_net_train_step(net, &step, &result) == CNNBLAS_INVALID_ARGUMENT, "steps of 4 and 3 images are joined");
  step.n = 4;
  expect(!cnnblas_net_train_step(net, &step, &result) && result.images == 4, "an equal step fails");
  cnnblas_net_destroy(net);
}

int main(void)
{
  if (cnnblas_mpi_create(NULL, &mpi)) {
    fprintf(stderr, "%s\n", cnnblas_last_error());
    return 1;
  }
  all = cnnblas_mpi_exchange(mpi);
  expect(all->ranks == 2, "not two ranks");
  if (!faults) many_buckets();
  if (!faults) long_array();
  if (!faults) refusals();
  if (!faults) unequal_steps();
  cnnblas_mpi_destroy(mpi);
  return faults != 0;
}
