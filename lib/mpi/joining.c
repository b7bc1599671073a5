/* Joining the ranks and parting from them, and the options for it; what they compare and tell each other. */
#include "base/shared.h"
#include "mpi/others.h"
#include "mpi/sums.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double usual_patience = 20;

void cnnblas_mpi_options_init(cnnblas_mpi_options *options)
{
  if (options) memset(options, 0, sizeof *options);
}

/* ---- options ---- */

static cnnblas_status find_patience(const cnnblas_mpi_options *o, double *patience)
{
  const char *text = getenv("CNNBLAS_MPI_PATIENCE");
  char *end = NULL;
  *patience = o->patience > 0 ? o->patience : text ? strtod(text, &end) : usual_patience;
  if (!(o->patience >= 0 && o->patience < 1e9))
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "options.patience is %g", o->patience);
  if (!(*patience > 0 && *patience < 1e9) || (end && *end))
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                               "CNNBLAS_MPI_PATIENCE is \"%s\"; it must be a number of seconds above 0",
                               text ? text : "");
  for (int i = 0; i < 6; i++)
    if (o->reserved[i]) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "options.reserved[%d] is not 0", i);
  return CNNBLAS_OK;
}

/* The number of processes that an mpirun, of whatever flavour, says it has started; 0: it says nothing. */
static int started(void)
{
  const char *open = getenv("OMPI_COMM_WORLD_SIZE"), *other = getenv("PMI_SIZE");
  return open ? atoi(open) : other ? atoi(other) : 0;
}

static cnnblas_status check_ranks(const cnnblas_mpi_options *o, int ranks)
{
  int below = 1;
  while (below * 2 <= ranks) below *= 2;
  if (!o->communicator && ranks == 1 && started() > 1)
    return cnnblas_shared_fail(
        CNNBLAS_INVALID_ARGUMENT,
        "mpirun has started %d processes, but this MPI sees one: libcnnblas_mpi was built for %s, and "
        "another flavour's mpirun was used",
        started(), CB_MPI_FLAVOUR);
  if (ranks & (ranks - 1))
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "%d ranks: the number must be a power of two, as %d or %d",
                               ranks, below, 2 * below);
  return CNNBLAS_OK;
}

/* ---- joining ---- */

static cnnblas_status begin_mpi(cnnblas_mpi *m)
{
  int is = 0, was = 0, given;
  cnnblas_status status = cb_mpi_check(MPI_Initialized(&is), "MPI_Initialized");
  if (!status) status = cb_mpi_check(MPI_Finalized(&was), "MPI_Finalized");
  if (status) return status;
  if (was) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "MPI is finalised already");
  if (is) return CNNBLAS_OK;
  status = cb_mpi_check(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given), "MPI_Init_thread");
  m->initialised = !status;
  return status;
}

/* Learns who the others are; all must run one version. */
static cnnblas_status meet(cnnblas_mpi *m)
{
  const int32_t ranks = m->exchange.ranks;
  cb_mpi_peer own;
  cb_mpi_describe(&own);
  m->peers = cnnblas_shared_alloc((size_t)ranks * sizeof *m->peers, 1);
  if (!m->peers) {
    m->failed = m->apart = true; /* the others meet without this rank, and must not be waited for */
    return cnnblas_shared_fail(CNNBLAS_OUT_OF_MEMORY, "out of memory for %d ranks", (int)ranks);
  }
  cnnblas_status status = cb_mpi_check(
      MPI_Allgather(&own, (int)sizeof own, MPI_BYTE, m->peers, (int)sizeof own, MPI_BYTE, m->all), "MPI_Allgather");
  for (int32_t i = 1; i < ranks && !status; i++)
    if (strncmp(m->peers[i].version, m->peers[0].version, sizeof own.version) != 0)
      status = cnnblas_shared_fail(CNNBLAS_UNSUPPORTED, "rank %d: on %s libcnnblas is %s; rank 0 on %s has %s", (int)i,
                                   m->peers[i].host, m->peers[i].version, m->peers[0].host, m->peers[0].version);
  return status;
}

static cnnblas_status join_ranks(cnnblas_mpi *m, const cnnblas_mpi_options *o)
{
  MPI_Comm whole = MPI_COMM_WORLD;
  int ranks, rank;
  int between = 0, given = MPI_THREAD_SINGLE;
  if (o->communicator) memcpy(&whole, o->communicator, sizeof whole);
  if (whole == MPI_COMM_NULL || MPI_Comm_test_inter(whole, &between) != MPI_SUCCESS || between)
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                               "options.communicator is MPI_COMM_NULL, or one between two groups");
  m->thread = pthread_self();
  m->any_thread = MPI_Query_thread(&given) == MPI_SUCCESS && given >= MPI_THREAD_SERIALIZED;
  cnnblas_status status = cb_mpi_check(MPI_Comm_size(whole, &ranks), "MPI_Comm_size");
  if (!status) status = cb_mpi_check(MPI_Comm_rank(whole, &rank), "MPI_Comm_rank");
  if (!status) status = check_ranks(o, ranks);
  if (!status) status = cb_mpi_check(MPI_Comm_dup(whole, &m->all), "MPI_Comm_dup");
  if (!status) status = cb_mpi_check(MPI_Comm_dup(whole, &m->news), "MPI_Comm_dup");
  if (status) return status;
  MPI_Comm_set_errhandler(m->all, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(m->news, MPI_ERRORS_RETURN);
  m->exchange = (cnnblas_net_exchange){.ranks = ranks, .rank = rank, .context = m, .swap = cb_mpi_swap};
  m->exchange.begin = cb_mpi_begin;
  m->exchange.proceed = cb_mpi_proceed;
  m->exchange.finish = cb_mpi_finish;
  status = meet(m);
  if (status || ranks == 1) return status;
  return cb_mpi_check(
      MPI_Irecv(&m->received, (int)sizeof m->received, MPI_BYTE, MPI_ANY_SOURCE, 0, m->news, &m->coming), "receive");
}

cnnblas_status cnnblas_mpi_create(const cnnblas_mpi_options *options, cnnblas_mpi **mpi)
{
  static const cnnblas_mpi_options defaults;
  const cnnblas_mpi_options *o = options ? options : &defaults;
  double patience;
  if (!mpi) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "mpi is NULL");
  cnnblas_status status = find_patience(o, &patience);
  if (status) return status;
  cnnblas_mpi *m = cnnblas_shared_alloc(sizeof *m, 1);
  if (!m) return cnnblas_shared_fail(CNNBLAS_OUT_OF_MEMORY, "out of memory for a rank");
  m->all = m->news = MPI_COMM_NULL;
  m->coming = MPI_REQUEST_NULL;
  m->patience = patience;
  m->failure.rank = -1;
  status = begin_mpi(m);
  if (!status) status = join_ranks(m, o);
  if (status) {
    cnnblas_mpi_destroy(m);
    return status;
  }
  *mpi = m;
  return CNNBLAS_OK;
}

void cnnblas_mpi_destroy(cnnblas_mpi *m)
{
  if (!m) return;
  if (!m->apart) {
    if (m->coming != MPI_REQUEST_NULL) {
      MPI_Cancel(&m->coming);
      MPI_Wait(&m->coming, MPI_STATUS_IGNORE);
    }
    if (m->all != MPI_COMM_NULL && !m->failed) MPI_Comm_free(&m->all);
    if (m->news != MPI_COMM_NULL && !m->failed) MPI_Comm_free(&m->news);
    if (m->initialised) MPI_Finalize();
  }
  if (m->failed || m->done < m->bucket_count) return; /* messages may still be under way into its memory */
  cb_mpi_free_buckets(m);
  cnnblas_shared_free(m->sent);
  cnnblas_shared_free(m->swapped);
  cnnblas_shared_free(m->peers);
  cnnblas_shared_free(m);
}

cnnblas_net_exchange *cnnblas_mpi_exchange(cnnblas_mpi *m)
{
  return m ? &m->exchange : NULL;
}

void cnnblas_mpi_abort(cnnblas_mpi *m, int32_t code)
{
  MPI_Abort(m && m->all != MPI_COMM_NULL ? m->all : MPI_COMM_WORLD, (int)code);
}

/* ---- what ranks compare and tell ---- */

cnnblas_status cnnblas_mpi_sum(cnnblas_mpi *m, cnnblas_dtype dtype, int64_t count, void *values)
{
  if (!m || (count && !values) || count < 0 || (dtype != CNNBLAS_F32 && dtype != CNNBLAS_F64))
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                               "mpi or values is NULL, count is below 0, or dtype is neither f32 nor f64");
  cnnblas_status status = cb_mpi_begin(m, dtype, count, values);
  return status ? status : cb_mpi_finish(m);
}

enum { TEXT_BYTES = 96 /* of a text that ranks compare; its end counts */ };

typedef struct {
  uint64_t number;
  char text[TEXT_BYTES];
} compared;

cnnblas_status cnnblas_mpi_compare(cnnblas_mpi *m, const char *what, const char *text, uint64_t number)
{
  if (!m || !what) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "mpi or what is NULL");
  const int32_t ranks = m->exchange.ranks, rank = m->exchange.rank;
  compared *all = cnnblas_shared_alloc((size_t)(2 * ranks) * sizeof *all, 1);
  if (!all)
    return cb_mpi_broken(m,
                         cnnblas_shared_fail(CNNBLAS_OUT_OF_MEMORY, "out of memory for %d ranks' texts", (int)ranks));
  compared *theirs = all + ranks;
  all[rank].number = number;
  snprintf(all[rank].text, sizeof all[rank].text, "%s", text ? text : "");
  cnnblas_status status = CNNBLAS_OK;
  for (int32_t d = 1; d < ranks && !status; d *= 2) {
    int32_t own = rank & ~(d - 1), other = (rank ^ d) & ~(d - 1);
    status = cb_mpi_swap(m, rank ^ d, (size_t)d * sizeof *all, all + own, theirs);
    if (!status) memcpy(all + other, theirs, (size_t)d * sizeof *all);
  }
  for (int32_t i = 1; i < ranks && !status; i++) {
    if (strcmp(all[i].text, all[0].text) != 0)
      status = cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "rank %d: %s: \"%s\", but rank 0 has \"%s\"", (int)i, what,
                                   all[i].text, all[0].text);
    else if (all[i].number != all[0].number)
      status = cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "rank %d: %s: %016llx, but rank 0 has %016llx", (int)i,
                                   what, (unsigned long long)all[i].number, (unsigned long long)all[0].number);
  }
  cnnblas_shared_free(all);
  return status;
}

void cnnblas_mpi_fail(cnnblas_mpi *m, int32_t code, const char *text)
{
  if (m) cb_mpi_tell(m, m->exchange.rank, code ? (int)code : 1, text ? text : "");
}

/* True if this rank is the lowest of those that can speak: of other machines than the lost rank's, if there are any, since
   that machine may be lost whole; else of those whose processes neither ended nor stopped. */
static bool speaks(const cnnblas_mpi *m)
{
  const char *lost = m->peers[m->failure.rank].host;
  bool others = false;
  for (int32_t i = 0; i < m->exchange.ranks; i++) others |= strcmp(m->peers[i].host, lost) != 0;
  for (int32_t i = 0; i <= m->exchange.rank; i++)
    if (i != m->failure.rank && !(others && !strcmp(m->peers[i].host, lost)) && !cb_mpi_is_silent(m, i))
      return i == m->exchange.rank;
  return false;
}

cnnblas_status cnnblas_mpi_get_failure(const cnnblas_mpi *m, cnnblas_mpi_failure *failure)
{
  if (!m || !failure) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "mpi or failure is NULL");
  *failure = (cnnblas_mpi_failure){.rank = m->failure.rank, .code = m->failure.code};
  memcpy(failure->text, m->failure.text, sizeof failure->text);
  failure->speaks = m->apart && m->failure.rank >= 0 && speaks(m);
  return CNNBLAS_OK;
}

cnnblas_status cnnblas_mpi_get_figures(const cnnblas_mpi *m, cnnblas_mpi_figures *figures)
{
  if (!m || !figures) return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT, "mpi or figures is NULL");
  *figures = m->figures;
  return CNNBLAS_OK;
}
