/* A command under mpirun: MPI is begun and ended, ranks agree on results, and one of them reports a failure; see ranks.h. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "ranks.h"
#include "command.h"
#include "io/system.h"
#include <cnnblas/cnnblas.h>
#include <cnnblas/mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static cnnblas_mpi *mpi;
static bool wanted;
static int32_t speaker = -1; /* the rank that reports what all know of; -1: a failure is this rank's own */
static bool bare;            /* the message needs no rank in front */

/* An integer of the environment under either flavour's name, or `otherwise`. */
static int of_environment(const char *open, const char *other, int otherwise)
{
  const char *text = getenv(open);
  if (!text) text = getenv(other);
  return text ? atoi(text) : otherwise;
}

void ranks_all_know(void)
{
  speaker = 0;
  bare = true;
}

void ranks_prepare(int *argc, char **argv)
{
  wanted = getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMI_SIZE");
  for (int i = 1; i < *argc; i++)
    if (!strcmp(argv[i], "--mpi")) {
      wanted = true;
      memmove(argv + i, argv + i + 1, (size_t)(*argc - i) * sizeof *argv);
      (*argc)--;
      break;
    }
  if (!wanted) return;
  command_hold(true);
  opterr = false; /* command_other says it */
  if (!ranks_first() && !freopen("/dev/null", "w", stdout)) command_fail(0, "/dev/null cannot be opened");
}

bool ranks_started(void)
{
  return wanted;
}

int ranks_begin(void)
{
  if (!wanted) return COMMAND_FINE;
  cnnblas_status why = cnnblas_mpi_create(NULL, &mpi);
  if (!why) return COMMAND_FINE;
  ranks_all_know();
  return command_fail_library(why,
                              why == CNNBLAS_INVALID_ARGUMENT ? COMMAND_USAGE
                              : why == CNNBLAS_UNSUPPORTED    ? COMMAND_BAD_INPUT
                                                              : COMMAND_RANK,
                              "mpirun");
}

cnnblas_net_exchange *ranks_exchange(void)
{
  return cnnblas_mpi_exchange(mpi);
}

int32_t ranks_count(void)
{
  return mpi ? ranks_exchange()->ranks : 1;
}

int32_t ranks_own(void)
{
  return mpi ? ranks_exchange()->rank : wanted ? of_environment("OMPI_COMM_WORLD_RANK", "PMI_RANK", 0) : 0;
}

bool ranks_first(void)
{
  return ranks_own() == 0;
}

int64_t ranks_threads(int64_t asked)
{
  cpu_set_t mine;
  cnnblas_system_info info;
  int here = of_environment("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", 1);
  if (asked || !wanted || here < 2 || cnnblas_system_get_info(&info)) return asked;
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  bool bound = !sched_getaffinity(0, sizeof mine, &mine) && CPU_COUNT(&mine) < cores;
  int64_t share = (bound ? cores : info.threads) / here;
  if (bound && info.threads < share) share = info.threads; /* or else several are bound to one socket */
  return share > 1 ? share : 1;
}

/* ---- together ---- */

static int status_of(cnnblas_status why)
{
  return why ? command_fail_library(why, COMMAND_RANK, NULL) : COMMAND_FINE;
}

int ranks_sum(int64_t count, double *values)
{
  return mpi ? status_of(cnnblas_mpi_sum(mpi, CNNBLAS_F64, count, values)) : COMMAND_FINE;
}

/* *all [ranks] = the ranks' values; freed by io_free. */
static int gather(double value, double **all)
{
  *all = io_alloc_zeroed((size_t)ranks_count(), sizeof **all);
  if (!*all) return command_fail(COMMAND_NO_ROOM, "out of memory for %d ranks", (int)ranks_count());
  (*all)[ranks_own()] = value;
  return ranks_sum(ranks_count(), *all);
}

int ranks_agree(int status)
{
  double *all;
  if (!mpi || speaker >= 0) return status;
  int failed = gather(status, &all);
  for (int32_t i = 0; i < ranks_count() && !failed; i++)
    if (all[i] != 0) {
      failed = (int)all[i];
      speaker = i;
    }
  io_free(all);
  return failed;
}

/* A failure of before the ranks were joined, as of an option: those who have none join next and agree with prepare's end. If all
   have one it is the command line's. */
static int agree_late(int status)
{
  double *all;
  if (ranks_begin()) return status;
  int failed = gather(status, &all);
  int32_t well = 0;
  for (int32_t i = ranks_count() - 1; i >= 0 && !failed; i--) {
    if (all[i] != 0) speaker = i;
    well += all[i] == 0;
  }
  if (!failed) failed = (int)all[speaker];
  bare = !well;
  io_free(all);
  return failed;
}

int ranks_most(int *value)
{
  double *all;
  if (!mpi) return COMMAND_FINE;
  int status = gather(*value, &all);
  for (int32_t i = 0; i < ranks_count() && !status; i++)
    if (all[i] > *value) *value = (int)all[i];
  io_free(all);
  return status;
}

int ranks_compare(const char *what, const char *text)
{
  cnnblas_status why = mpi ? cnnblas_mpi_compare(mpi, what, text, 0) : CNNBLAS_OK;
  if (why == CNNBLAS_INVALID_ARGUMENT) ranks_all_know(); /* it names the rank */
  return why ? command_fail_library(why, why == CNNBLAS_INVALID_ARGUMENT ? COMMAND_BAD_INPUT : COMMAND_RANK, NULL)
             : COMMAND_FINE;
}

/* Pieces overlap, so that what differs is shown with some of what is before it. */
int ranks_compare_text(const char *what, const char *text)
{
  enum { PIECE = 90, STEP = 60 };
  int status = COMMAND_FINE;
  for (bool more = mpi; more && !status;) {
    char piece[PIECE + 1];
    more = snprintf(piece, sizeof piece, "%s", text) >= PIECE;
    status = ranks_compare(what, piece);
    if (more) text += STEP;
  }
  return status;
}

int ranks_compare_hash(const char *what, uint64_t hash)
{
  const int32_t ranks = ranks_count();
  double *all = io_alloc_zeroed((size_t)ranks, 2 * sizeof *all);
  if (!all) return command_fail(COMMAND_NO_ROOM, "out of memory for %d ranks", (int)ranks);
  all[2 * ranks_own()] = (double)(hash >> 32);
  all[2 * ranks_own() + 1] = (double)(hash & UINT32_MAX);
  int status = ranks_sum(2 * (int64_t)ranks, all);
  for (int32_t i = 1; i < ranks && !status; i++)
    if (all[2 * i] != all[0] || all[2 * i + 1] != all[1]) {
      ranks_all_know();
      status = command_fail(COMMAND_BAD_INPUT, "rank %d: %s than rank 0's", (int)i, what);
    }
  io_free(all);
  return status;
}

/* ---- the end ---- */

/* Reports a failure: what all know by the speaker, a rank's own by itself, a rank that is gone by the lowest that lives. */
static int report(int status)
{
  /* Once a rank has ended mpirun ends the others, which MPI no longer holds together. */
  static const struct timespec while_another_speaks = {.tv_nsec = 500000000};
  cnnblas_mpi_failure failure = {.rank = -1};
  if (mpi) cnnblas_mpi_get_failure(mpi, &failure);
  if (failure.rank >= 0) {
    command_drop_held();
    if (failure.code) return failure.code; /* the rank has said it */
    command_hold(true);                    /* a line in one piece: mpirun joins what ranks say */
    if (failure.speaks) command_fail(0, "rank %d is gone: %s", (int)failure.rank, failure.text);
    command_hold(false);
    command_say_held(-1);
    return COMMAND_RANK;
  }
  const int own = ranks_own();
  if (speaker < 0 || speaker == own) {
    command_say_held(bare ? -1 : own);
  } else {
    command_drop_held();
    if (!mpi) nanosleep(&while_another_speaks, NULL);
  }
  if (mpi && speaker < 0) cnnblas_mpi_fail(mpi, status, "has failed");
  return status;
}

int ranks_end(int status)
{
  if (!wanted) return status;
  if (status && !mpi && speaker < 0) status = agree_late(status);
  command_hold(false);
  if (status)
    status = report(status);
  else if (ranks_first())
    command_say_held(-1);              /* hints */
  if (mpi && status == COMMAND_RANK) { /* MPI may not be able to finalise */
    fflush(NULL);
    cnnblas_mpi_abort(mpi, status);
  }
  cnnblas_mpi_destroy(mpi);
  mpi = NULL;
  return status;
}

ranks_figures ranks_get_figures(void)
{
  cnnblas_mpi_figures f = {0};
  if (mpi) cnnblas_mpi_get_figures(mpi, &f);
  return (ranks_figures){(double)f.bytes, f.sum_seconds, f.swap_seconds};
}
