/* Sums over ranks; see sums.h. */
#include "mpi/sums.h"
#include "base/shared.h"
#include "mpi/others.h"
#include <cnnblas/arrays.h>
#include <string.h>

enum {
  MOST_BYTES = 4 << 20,   /* the most of a bucket: a message is never far behind another */
  WHOLE_BYTES = 16 << 10, /* buckets of at most so many bytes are not halved */
  MOST_DOUBLINGS = 30,    /* of the number of ranks */
  TAGS = 1024,            /* the most buckets under way: each has a tag of its own, from 1 on */
  SWAP_TAG = 0
};

struct cb_mpi_bucket {
  char *sums, *theirs; /* what is summed, and what another rank sends */
  size_t room;         /* bytes of theirs */
  cnnblas_dtype dtype;
  size_t element;
  bool whole;
  int stage, tag;
  int64_t from[MOST_DOUBLINGS + 1], to[MOST_DOUBLINGS + 1]; /* the elements that are kept after so many halvings */
  MPI_Request requests[2];
};

static int doublings(const cnnblas_mpi *m)
{
  int count = 0;
  while (1 << count < m->exchange.ranks) count++;
  return count;
}

static int stages(const cnnblas_mpi *m, const cb_mpi_bucket *b)
{
  return b->whole ? doublings(m) : 2 * doublings(m);
}

/* The level of the tree that a stage is at: up, then down. */
static int level_of(const cnnblas_mpi *m, const cb_mpi_bucket *b)
{
  return b->stage < doublings(m) ? b->stage : 2 * doublings(m) - 1 - b->stage;
}

/* ---- a bucket's stages ---- */

typedef struct {
  int64_t from, to;
} range;

/* The halves of what is kept at a level: own is what this rank keeps. */
static void halve(const cnnblas_mpi *m, const cb_mpi_bucket *b, int level, range *own, range *other)
{
  const int64_t from = b->from[level], to = b->to[level], middle = from + (to - from) / 2;
  range left = {from, middle}, right = {middle, to};
  bool upper = m->exchange.rank >> level & 1;
  *own = upper ? right : left;
  *other = upper ? left : right;
}

static cnnblas_status start_stage(cnnblas_mpi *m, cb_mpi_bucket *b)
{
  const int level = level_of(m, b), other = m->exchange.rank ^ 1 << level;
  range own, others;
  halve(m, b, level, &own, &others);
  range send = others, receive = own;
  if (b->whole) {
    send = receive = (range){b->from[0], b->to[0]};
  } else if (b->stage >= doublings(m)) {
    send = own;
    receive = others;
  }
  const int out = (int)((size_t)(send.to - send.from) * b->element);
  const int in = (int)((size_t)(receive.to - receive.from) * b->element);
  cnnblas_status status =
      cb_mpi_check(MPI_Irecv(b->theirs, in, MPI_BYTE, other, b->tag, m->all, &b->requests[0]), "receive");
  if (!status)
    status = cb_mpi_check(
        MPI_Isend(b->sums + (size_t)send.from * b->element, out, MPI_BYTE, other, b->tag, m->all, &b->requests[1]),
        "send");
  m->figures.bytes += out;
  m->figures.messages++;
  return status;
}

/* The lower rank's addend stands on the left; the sum is the same on both. */
static cnnblas_status add(const cnnblas_mpi *m, const cb_mpi_bucket *b, range r, int level)
{
  char *mine = b->sums + (size_t)r.from * b->element;
  const int64_t count = r.to - r.from;
  bool upper = m->exchange.rank >> level & 1;
  return cnnblas_add_forward(b->dtype, 1, count, upper ? b->theirs : mine, upper ? mine : b->theirs, mine);
}

static cnnblas_status end_stage(cnnblas_mpi *m, cb_mpi_bucket *b)
{
  const int level = level_of(m, b);
  range own, others;
  cnnblas_status status = CNNBLAS_OK;
  halve(m, b, level, &own, &others);
  if (b->whole) {
    own = (range){b->from[0], b->to[0]};
    status = add(m, b, own, level);
  } else if (b->stage < doublings(m)) {
    status = add(m, b, own, level);
  } else {
    memcpy(b->sums + (size_t)others.from * b->element, b->theirs, (size_t)(others.to - others.from) * b->element);
  }
  if (b->stage < doublings(m)) {
    b->from[level + 1] = own.from;
    b->to[level + 1] = own.to;
  }
  b->stage++;
  return !status && b->stage < stages(m, b) ? start_stage(m, b) : status;
}

/* ---- buckets ---- */

/* Goes on with all buckets without waiting. */
static cnnblas_status proceed(cnnblas_mpi *m)
{
  cnnblas_status status = CNNBLAS_OK;
  for (int64_t i = m->done; i < m->bucket_count && !status; i++) {
    cb_mpi_bucket *b = m->buckets[i];
    for (int arrived = 1; arrived && !status && b->stage < stages(m, b);) {
      status = cb_mpi_check(MPI_Testall(2, b->requests, &arrived, MPI_STATUSES_IGNORE), "sums");
      if (!status && arrived) status = end_stage(m, b);
    }
  }
  while (!status && m->done < m->bucket_count && m->buckets[m->done]->stage == stages(m, m->buckets[m->done]))
    m->done++;
  return status;
}

/* Goes on until at most `most` buckets are under way. */
static cnnblas_status wait_for_buckets(cnnblas_mpi *m, int64_t most)
{
  double since = cb_mpi_now();
  cnnblas_status status = proceed(m);
  while (!status && m->bucket_count - m->done > most) {
    const cb_mpi_bucket *b = m->buckets[m->done];
    const int stage = b->stage;
    status = cb_mpi_look(m, m->exchange.rank ^ 1 << level_of(m, b), since);
    if (status) break;
    cb_mpi_nap(cb_mpi_now() - since);
    status = proceed(m);
    if (m->done == m->bucket_count || m->buckets[m->done] != b || b->stage != stage) since = cb_mpi_now();
  }
  return status;
}

/* The next bucket that is not in use, with room for what another rank sends; NULL without memory. */
static cb_mpi_bucket *take_bucket(cnnblas_mpi *m, size_t bytes)
{
  if (m->bucket_count == m->bucket_room) {
    int64_t room = m->bucket_room ? 2 * m->bucket_room : 64;
    cb_mpi_bucket **more = cnnblas_shared_alloc((size_t)room * sizeof *more, 1);
    if (!more) return NULL;
    if (m->bucket_room) memcpy(more, m->buckets, (size_t)m->bucket_room * sizeof *more);
    cnnblas_shared_free(m->buckets);
    m->buckets = more;
    m->bucket_room = room;
  }
  cb_mpi_bucket **place = &m->buckets[m->bucket_count];
  if (!*place) *place = cnnblas_shared_alloc(sizeof **place, 1);
  cb_mpi_bucket *b = *place;
  if (!b) return NULL;
  if (b->room < bytes) {
    cnnblas_shared_free(b->theirs);
    b->theirs = cnnblas_shared_alloc(bytes, 0);
    b->room = b->theirs ? bytes : 0;
  }
  return b->theirs ? b : NULL;
}

static cnnblas_status begin_bucket(cnnblas_mpi *m, cnnblas_dtype dtype, int64_t count, char *sums)
{
  const size_t element = dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float), bytes = (size_t)count * element;
  const bool whole = bytes <= WHOLE_BYTES;
  cb_mpi_bucket *b = take_bucket(m, whole ? bytes : (bytes / element + 1) / 2 * element);
  if (!b)
    return cnnblas_shared_fail(CNNBLAS_OUT_OF_MEMORY, "out of memory for %lld elements of another rank",
                               (long long)count);
  b->sums = sums;
  b->dtype = dtype;
  b->element = element;
  b->whole = whole;
  b->stage = 0;
  b->tag = 1 + (int)(m->bucket_count % TAGS);
  b->from[0] = 0;
  b->to[0] = count;
  m->bucket_count++;
  return start_stage(m, b);
}

cnnblas_status cb_mpi_begin(void *context, cnnblas_dtype dtype, int64_t count, void *sums)
{
  cnnblas_mpi *m = context;
  const int64_t element = dtype == CNNBLAS_F64 ? 8 : 4, most = MOST_BYTES / element;
  cnnblas_status status = cb_mpi_may_call(m);
  for (int64_t at = 0; at < count && !status && m->exchange.ranks > 1; at += most) {
    if (m->bucket_count - m->done >= TAGS) status = wait_for_buckets(m, TAGS - 1);
    if (!status) status = begin_bucket(m, dtype, count - at < most ? count - at : most, (char *)sums + at * element);
  }
  return cb_mpi_broken(m, status);
}

cnnblas_status cb_mpi_proceed(void *context)
{
  cnnblas_mpi *m = context;
  if (m->done == m->bucket_count) return CNNBLAS_OK;
  cnnblas_status status = cb_mpi_may_call(m);
  return cb_mpi_broken(m, status ? status : proceed(m));
}

cnnblas_status cb_mpi_finish(void *context)
{
  cnnblas_mpi *m = context;
  const double begun = cb_mpi_now();
  cnnblas_status status = cb_mpi_may_call(m);
  if (!status) status = wait_for_buckets(m, 0);
  if (!status) m->done = m->bucket_count = 0;
  m->figures.sum_seconds += cb_mpi_now() - begun;
  return cb_mpi_broken(m, status);
}

void cb_mpi_free_buckets(cnnblas_mpi *m)
{
  for (int64_t i = 0; i < m->bucket_room && m->buckets[i]; i++) {
    cnnblas_shared_free(m->buckets[i]->theirs);
    cnnblas_shared_free(m->buckets[i]);
  }
  cnnblas_shared_free(m->buckets);
}

/* ---- swaps ---- */

/* Sends a part that lies in m->sent and receives one into m->swapped: memory of the connection's, into which a message may
   still come when the call has failed and its caller's arrays are gone. */
static cnnblas_status swap_part(cnnblas_mpi *m, int32_t other, int bytes)
{
  const double begun = cb_mpi_now();
  MPI_Request requests[2];
  int arrived = 0;
  cnnblas_status status =
      cb_mpi_check(MPI_Irecv(m->swapped, bytes, MPI_BYTE, other, SWAP_TAG, m->all, &requests[0]), "receive");
  if (!status)
    status = cb_mpi_check(MPI_Isend(m->sent, bytes, MPI_BYTE, other, SWAP_TAG, m->all, &requests[1]), "send");
  while (!status) {
    status = cb_mpi_check(MPI_Testall(2, requests, &arrived, MPI_STATUSES_IGNORE), "swap");
    if (status || arrived) break;
    if (m->done < m->bucket_count) status = proceed(m);
    if (!status) status = cb_mpi_look(m, other, begun);
    if (!status) cb_mpi_nap(cb_mpi_now() - begun);
  }
  m->figures.bytes += bytes;
  m->figures.messages++;
  return status;
}

/* Room for parts of a swap. */
static cnnblas_status make_swap_room(cnnblas_mpi *m, size_t bytes)
{
  if (bytes > MOST_BYTES) bytes = MOST_BYTES;
  if (bytes <= m->swap_room) return CNNBLAS_OK;
  cnnblas_shared_free(m->sent);
  cnnblas_shared_free(m->swapped);
  m->sent = cnnblas_shared_alloc(bytes, 0);
  m->swapped = cnnblas_shared_alloc(bytes, 0);
  m->swap_room = m->sent && m->swapped ? bytes : 0;
  return m->swap_room ? CNNBLAS_OK
                      : cnnblas_shared_fail(CNNBLAS_OUT_OF_MEMORY, "out of memory: 2 x %zu bytes for a swap", bytes);
}

cnnblas_status cb_mpi_swap(void *context, int32_t other, size_t bytes, const void *mine, void *theirs)
{
  cnnblas_mpi *m = context;
  const double begun = cb_mpi_now();
  cnnblas_status status = cb_mpi_may_call(m);
  if (!status) status = make_swap_room(m, bytes);
  for (size_t at = 0, part; at < bytes && !status; at += part) {
    part = bytes - at < MOST_BYTES ? bytes - at : MOST_BYTES;
    memcpy(m->sent, (const char *)mine + at, part);
    status = swap_part(m, other, (int)part);
    if (!status) memcpy((char *)theirs + at, m->swapped, part);
  }
  m->figures.swap_seconds += cb_mpi_now() - begun;
  return cb_mpi_broken(m, status);
}
