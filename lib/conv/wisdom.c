/* Measured choices by problem, in a sorted list under a lock; see wisdom.h. */
#include "conv/wisdom.h"
#include "base/memory.h"
#include "base/status.h"
#include "conv/algorithms.h"
#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void cb_wisdom_lock(void)
{
  pthread_mutex_lock(&lock);
}

void cb_wisdom_unlock(void)
{
  pthread_mutex_unlock(&lock);
}

static void __attribute__((constructor)) watch_forks(void)
{
  pthread_atfork(cb_wisdom_lock, cb_wisdom_unlock, cb_wisdom_unlock);
}

static cb_wisdom_key key_of(const cb_problem *problem)
{
  const cb_geometry *geo = &problem->geo;
  cb_wisdom_key key = {.dtype = (int32_t)geo->dtype, .direction = (int32_t)problem->direction};
  key.accuracy = (int32_t)problem->accuracy;
  const int64_t head[] = {problem->accumulate, (int64_t)problem->budget, geo->n, geo->c, geo->k};
  size_t at = sizeof head / sizeof *head;
  memcpy(key.number, head, sizeof head);
  key.number[at++] = geo->g;
  for (int i = 0; i < 3; i++) {
    const cb_axis *a = &geo->axis[i];
    const int64_t axis[] = {a->in, a->out, a->taps, a->stride, a->base, a->step};
    memcpy(key.number + at, axis, sizeof axis);
    at += sizeof axis / sizeof *axis;
  }
  return key;
}

static int compare(const cb_wisdom_key *a, const cb_wisdom_key *b)
{
  if (a->dtype != b->dtype) return a->dtype < b->dtype ? -1 : 1;
  if (a->direction != b->direction) return a->direction < b->direction ? -1 : 1;
  if (a->accuracy != b->accuracy) return a->accuracy < b->accuracy ? -1 : 1;
  for (int i = 0; i < CB_WISDOM_NUMBERS; i++)
    if (a->number[i] != b->number[i]) return a->number[i] < b->number[i] ? -1 : 1;
  return 0;
}

size_t cb_wisdom_place(const cb_wisdom_list *list, const cb_wisdom_key *key, bool *found)
{
  size_t low = 0, high = list->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (compare(&list->items[middle].key, key) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  *found = low < list->count && compare(&list->items[low].key, key) == 0;
  return low;
}

cnnblas_status cb_wisdom_insert(cb_wisdom_list *list, size_t place, const cb_wisdom_entry *entry)
{
  if (list->count == list->capacity) {
    size_t capacity = list->capacity ? 2 * list->capacity : 64, bytes = capacity * sizeof *list->items;
    cb_wisdom_entry *items = cb_alloc(bytes);
    if (!items) return cb_fail_memory(bytes, "measured choices");
    if (list->count) memcpy(items, list->items, list->count * sizeof *items);
    cb_free(list->items);
    list->items = items;
    list->capacity = capacity;
  }
  memmove(list->items + place + 1, list->items + place, (list->count - place) * sizeof *list->items);
  list->items[place] = *entry;
  list->count++;
  return CNNBLAS_OK;
}

/* The row that an entry means, or NULL if it does not apply or if a file names a row that the accuracy does not
   allow. */
static const cb_algorithm *row_of(const cb_wisdom_entry *entry, const cb_problem *problem)
{
  char why[128];
  double seconds[CB_MAX_ALGORITHMS];
  if (!cb_algorithm_allowed(entry->algorithm, problem)) return NULL;
  if (entry->any_orientation) return cb_algorithm_choose(problem, entry->algorithm->name, seconds, why, sizeof why);
  return cb_algorithm_applies(entry->algorithm, problem, why, sizeof why) ? entry->algorithm : NULL;
}

const cb_algorithm *cb_wisdom_find(cnnblas_wisdom *wisdom, const cb_problem *problem)
{
  cb_wisdom_key key = key_of(problem);
  bool found;
  cb_wisdom_lock();
  size_t place = cb_wisdom_place(&wisdom->list, &key, &found);
  const cb_wisdom_entry entry = found ? wisdom->list.items[place] : (cb_wisdom_entry){0};
  cb_wisdom_unlock();
  return found ? row_of(&entry, problem) : NULL;
}

cnnblas_status cb_wisdom_keep(cnnblas_wisdom *wisdom, const cb_problem *problem, const cb_algorithm **algorithm)
{
  const cb_algorithm *other = NULL;
  cb_wisdom_entry entry = {.key = key_of(problem), .algorithm = *algorithm};
  bool found;
  cnnblas_status status = CNNBLAS_OK;
  cb_wisdom_lock();
  size_t place = cb_wisdom_place(&wisdom->list, &entry.key, &found);
  if (!found)
    status = cb_wisdom_insert(&wisdom->list, place, &entry);
  else if ((other = row_of(&wisdom->list.items[place], problem)) != NULL)
    *algorithm = other;
  else
    wisdom->list.items[place] = entry;
  cb_wisdom_unlock();
  return status;
}

cnnblas_status cnnblas_wisdom_create(cnnblas_wisdom **out)
{
  if (!out) return cb_fail(CNNBLAS_INVALID_ARGUMENT, "wisdom is NULL");
  cnnblas_wisdom *wisdom = cb_alloc_zeroed(sizeof *wisdom);
  if (!wisdom) return cb_fail_memory(sizeof *wisdom, "a wisdom");
  *out = wisdom;
  return CNNBLAS_OK;
}

void cnnblas_wisdom_destroy(cnnblas_wisdom *wisdom)
{
  if (!wisdom) return;
  cb_free(wisdom->list.items);
  cb_free(wisdom);
}

size_t cnnblas_wisdom_count(const cnnblas_wisdom *wisdom)
{
  if (!wisdom) return 0;
  cb_wisdom_lock();
  size_t count = wisdom->list.count;
  cb_wisdom_unlock();
  return count;
}
