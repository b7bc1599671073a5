/* A pass over images in batches; see batches.h. */
#include "batches.h"
#include "io/system.h"
#include <signal.h>
#include <string.h>

bool batches_make(batches *b, const cnnblas_net *net, const input_norm *norm)
{
  cnnblas_net_info info;
  cnnblas_net_get_info(net, &info);
  const size_t element = info.dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float), count = (size_t)info.batch;
  *b = (batches){.dtype = info.dtype, .most = info.batch, .norm = norm};
  pthread_mutex_init(&b->lock, NULL);
  pthread_cond_init(&b->changed, NULL);
  bool room = true;
  for (int i = 0; i < BATCHES_AHEAD && room; i++) {
    b->made[i].images = io_alloc_zeroed(count, (size_t)info.input_elements * element);
    b->made[i].labels = io_alloc_zeroed(count, sizeof *b->made[i].labels);
    room = b->made[i].images && b->made[i].labels;
  }
  return room;
}

void batches_share(batches *b, batches_sharing sharing, int32_t ranks, int32_t rank)
{
  b->sharing = sharing;
  b->ranks = ranks;
  b->rank = rank;
}

void batches_free(batches *b)
{
  if (!b->most) return;
  batches_end(b);
  for (int i = 0; i < BATCHES_AHEAD; i++) {
    io_free(b->made[i].images);
    io_free(b->made[i].labels);
  }
  pthread_mutex_destroy(&b->lock);
  pthread_cond_destroy(&b->changed);
  *b = (batches){0};
}

/* Makes batch number `ready` from image at on. */
static void make_next(batches *b)
{
  batch *made = &b->made[b->ready % BATCHES_AHEAD];
  int64_t left = b->set.count - b->at, before = 0;
  dataset_part part = b->part;
  made->all = made->count = left < b->most ? left : b->most;
  if (b->sharing == BATCHES_SPLIT) cnnblas_net_share(made->all, b->ranks, b->rank, &before, &made->count);
  part.first = b->at + before;
  part.count = made->count;
  part.numbers = made->numbers = b->set.numbers ? b->set.numbers + part.first : NULL;
  made->status = dataset_gather(b->set.data, &part, b->norm, b->dtype, made->images, made->labels, &made->error);
  b->at += b->sharing == BATCHES_DEALT ? b->ranks * b->most : made->all;
}

/* Keeps one batch ahead of the caller. */
static void *work(void *context)
{
  batches *b = context;
  pthread_mutex_lock(&b->lock);
  while (!b->stop && b->ready < b->all) {
    if (b->ready - b->given >= BATCHES_AHEAD - 1) {
      pthread_cond_wait(&b->changed, &b->lock);
      continue;
    }
    pthread_mutex_unlock(&b->lock);
    make_next(b); /* nobody else touches the batch that is not ready yet, nor at */
    pthread_mutex_lock(&b->lock);
    b->ready++;
    pthread_cond_broadcast(&b->changed);
  }
  pthread_mutex_unlock(&b->lock);
  return NULL;
}

/* Signals stay with the thread that runs the training. */
static bool start_thread(batches *b)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = !pthread_create(&b->thread, NULL, work, b);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return started;
}

void batches_begin(batches *b, const image_set *set, int64_t from, const dataset_part *how)
{
  batches_end(b);
  b->set = *set;
  b->part = how ? *how : (dataset_part){0};
  b->at = from;
  b->given = b->ready = 0;
  b->all = from < set->count ? (set->count - from + b->most - 1) / b->most : 0;
  if (b->sharing == BATCHES_DEALT) {
    b->at = from + b->rank * b->most;
    b->all = (b->all - b->rank + b->ranks - 1) / b->ranks;
  }
  b->stop = false;
  b->threaded = dataset_reads_files(set->data) && start_thread(b);
}

const batch *batches_next(batches *b)
{
  const batch *next = NULL;
  if (!b->threaded) {
    if (b->ready == b->all) return NULL;
    make_next(b);
    return &b->made[b->ready++ % BATCHES_AHEAD];
  }
  pthread_mutex_lock(&b->lock);
  while (b->ready == b->given && b->given < b->all) pthread_cond_wait(&b->changed, &b->lock);
  if (b->ready > b->given) next = &b->made[b->given++ % BATCHES_AHEAD];
  pthread_cond_broadcast(&b->changed);
  pthread_mutex_unlock(&b->lock);
  return next;
}

void batches_end(batches *b)
{
  if (!b->threaded) return;
  pthread_mutex_lock(&b->lock);
  b->stop = true;
  pthread_cond_broadcast(&b->changed);
  pthread_mutex_unlock(&b->lock);
  pthread_join(b->thread, NULL);
  b->threaded = false;
}
