/* The other ranks; see others.h. */
#include "mpi/others.h"
#include "base/shared.h"
#include <cnnblas/system.h>
#include <cnnblas/version.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const double look_seconds = 0.25; /* how often the others' processes are looked for */
static const double most_between = 1;    /* a longer break was this process's own, which was stopped */
static const double tell_seconds = 2;

cnnblas_status cb_mpi_check(int code, const char *what)
{
  char text[MPI_MAX_ERROR_STRING + 1] = "";
  int length = 0;
  if (code == MPI_SUCCESS) return CNNBLAS_OK;
  MPI_Error_string(code, text, &length);
  return cnnblas_shared_fail(CNNBLAS_IO_ERROR, "MPI: %s: %s", what, text);
}

double cb_mpi_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void cb_mpi_describe(cb_mpi_peer *p)
{
  struct stat space;
  memset(p, 0, sizeof *p);
  cnnblas_system_info info = {0};
  cnnblas_system_get_info(&info);
  snprintf(p->version, sizeof p->version, "%s at %s, OpenBLAS %s %s", cnnblas_version_string(), info.isa,
           info.openblas_version, info.openblas_core);
  gethostname(p->host, sizeof p->host - 1);
  p->pid = (int64_t)getpid();
  p->space = stat("/proc/self/ns/pid", &space) ? -1 : (int64_t)space.st_ino;
}

/* ---- life ---- */

/* A process's state as Linux has it: 'Z' for one that has ended, 'T' for one that is stopped; 0: it is not known. */
static char state_of(int64_t pid)
{
  char path[64], text[512];
  if (kill((pid_t)pid, 0) && errno == ESRCH) return 'Z';
  snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  const char *behind = strrchr(text, ')'); /* the name, which may hold anything, ends there */
  return behind && behind[1] ? behind[2] : 0;
}

/* The state of a rank's process on this machine; 0 for another machine's. */
static char state_of_rank(const cnnblas_mpi *m, int rank)
{
  const cb_mpi_peer *own = &m->peers[m->exchange.rank], *p = &m->peers[rank];
  return p->space == own->space && p->space != -1 && !strcmp(p->host, own->host) ? state_of(p->pid) : 0;
}

static bool is_dead(const cnnblas_mpi *m, int rank)
{
  char state = state_of_rank(m, rank);
  return state == 'Z' || state == 'X';
}

bool cb_mpi_is_silent(const cnnblas_mpi *m, int rank)
{
  const char state = state_of_rank(m, rank);
  return state == 'Z' || state == 'X' || state == 'T';
}

/* The first rank whose process has ended; -1: none. */
static int dead_rank(const cnnblas_mpi *m)
{
  for (int i = 0; i < m->exchange.ranks; i++)
    if (i != m->exchange.rank && is_dead(m, i)) return i;
  return -1;
}

/* The first rank whose process is stopped, for which `other` may wait too; or else that one. */
static int silent_rank(const cnnblas_mpi *m, int other)
{
  for (int i = 0; i < m->exchange.ranks; i++)
    if (i != m->exchange.rank && state_of_rank(m, i) == 'T') return i;
  return other;
}

/* ---- news ---- */

void cb_mpi_tell(cnnblas_mpi *m, int rank, int code, const char *text)
{
  enum { AT_ONCE = 64 };
  MPI_Request sent[AT_ONCE];
  if (m->failed) return;
  m->failed = true;
  m->apart = code == 0;
  m->failure = (cb_mpi_news){.rank = rank, .code = code};
  snprintf(m->failure.text, sizeof m->failure.text, "%s", text);
  const double begun = cb_mpi_now();
  for (int at = 0; at < m->exchange.ranks; at += AT_ONCE) {
    int count = 0, all = 0;
    for (int i = at; i < m->exchange.ranks && i < at + AT_ONCE; i++)
      if (i != m->exchange.rank && i != (code ? -1 : rank) &&
          MPI_Isend(&m->failure, (int)sizeof m->failure, MPI_BYTE, i, 0, m->news, &sent[count]) == MPI_SUCCESS)
        count++;
    while (count && !all && cb_mpi_now() - begun < tell_seconds) {
      if (MPI_Testall(count, sent, &all, MPI_STATUSES_IGNORE)) break;
      cb_mpi_nap(cb_mpi_now() - begun);
    }
  }
}

static cnnblas_status has_failed(const cnnblas_mpi *m)
{
  return cnnblas_shared_fail(CNNBLAS_IO_ERROR, "rank %d: %s", (int)m->failure.rank, m->failure.text);
}

cnnblas_status cb_mpi_listen(cnnblas_mpi *m)
{
  int came = 0;
  if (!m->failed && m->coming != MPI_REQUEST_NULL && !MPI_Test(&m->coming, &came, MPI_STATUS_IGNORE) && came) {
    m->failed = true;
    m->failure = m->received;
    m->failure.text[CB_MPI_TEXT - 1] = 0;
    m->apart = m->failure.code == 0;
  }
  return m->failed ? has_failed(m) : CNNBLAS_OK;
}

cnnblas_status cb_mpi_may_call(cnnblas_mpi *m)
{
  if (!m->any_thread && !pthread_equal(m->thread, pthread_self()))
    return cnnblas_shared_fail(CNNBLAS_INVALID_ARGUMENT,
                               "called from another thread than cnnblas_mpi_create, which MPI was not initialised for");
  return cb_mpi_listen(m);
}

cnnblas_status cb_mpi_broken(cnnblas_mpi *m, cnnblas_status status)
{
  enum { CODE = 5 }; /* of a rank that failed by itself: see cnnblas_mpi_failure */
  char text[CB_MPI_TEXT];
  if (!status || m->failed || status == CNNBLAS_INVALID_ARGUMENT) return status;
  snprintf(text, sizeof text, "%s", cnnblas_last_error());
  cb_mpi_tell(m, m->exchange.rank, CODE, text);
  return cnnblas_shared_fail(status, "%s", text);
}

cnnblas_status cb_mpi_look(cnnblas_mpi *m, int other, double begun)
{
  const double now = cb_mpi_now();
  char text[CB_MPI_TEXT];
  cnnblas_status status = cb_mpi_listen(m);
  if (begun != m->begun) {
    m->begun = m->looked = begun;
    m->waited = 0;
  }
  if (status || now - m->looked < look_seconds) return status;
  const bool slept = now - m->looked > most_between; /* then news may have to be heard first */
  m->waited += slept ? most_between : now - m->looked;
  m->looked = now;
  if (slept) return CNNBLAS_OK;
  int dead = dead_rank(m);
  if (dead >= 0) {
    snprintf(text, sizeof text, "its process %lld on %s has ended", (long long)m->peers[dead].pid, m->peers[dead].host);
    cb_mpi_tell(m, dead, 0, text);
  } else if (m->waited > m->patience) {
    other = silent_rank(m, other);
    snprintf(text, sizeof text, "no answer for %g s from process %lld on %s", m->patience,
             (long long)m->peers[other].pid, m->peers[other].host);
    cb_mpi_tell(m, other, 0, text);
  }
  return m->failed ? has_failed(m) : CNNBLAS_OK;
}

void cb_mpi_nap(double waited)
{
  if (waited < 2e-3)
    sched_yield();
  else
    nanosleep(&(struct timespec){.tv_nsec = waited < 0.1 ? 50000 : 1000000}, NULL);
}
