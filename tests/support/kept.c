/* A few results, the oldest of which makes room for the next; see kept.h. */
#include "support/kept.h"
#include <stdlib.h>
#include <string.h>

enum { MOST = 32, MOST_BYTES = 1 << 20 /* of a result with its inputs */ };

typedef struct {
  problem p;
  cnnblas_conv_direction direction;
  int64_t n, count, terms;
  size_t first_bytes, second_bytes;
  char *bytes; /* both inputs, then the oracle's arrays */
} result;

static result results[MOST];
static int next;

/* The oracle's arrays and their bytes. */
enum { ARRAYS = 5 };

static void arrays_of(const oracle *o, void *array[ARRAYS], size_t bytes[ARRAYS])
{
  const size_t count = (size_t)o->count;
  void *const all[ARRAYS] = {o->value, o->magnitude, o->norm, o->far_norm, o->either};
  const size_t sizes[ARRAYS] = {count * sizeof *o->value, count * sizeof *o->magnitude, count * sizeof *o->norm,
                                count * sizeof *o->far_norm, count * sizeof *o->either};
  memcpy(array, all, sizeof all);
  memcpy(bytes, sizes, sizeof sizes);
}

static bool is(const result *r, const problem *p, cnnblas_conv_direction direction, int64_t n,
               const kept_inputs *inputs)
{
  return r->bytes && r->direction == direction && r->n == n && r->first_bytes == inputs->first_bytes &&
         r->second_bytes == inputs->second_bytes && memcmp(&r->p, p, sizeof *p) == 0 &&
         memcmp(r->bytes, inputs->first, inputs->first_bytes) == 0 &&
         memcmp(r->bytes + r->first_bytes, inputs->second, inputs->second_bytes) == 0;
}

bool kept_find(oracle *o, const problem *p, cnnblas_conv_direction direction, int64_t n, const kept_inputs *inputs)
{
  for (int i = 0; i < MOST; i++) {
    const result *r = &results[i];
    if (!is(r, p, direction, n, inputs) || r->count != o->count) continue;
    const char *from = r->bytes + r->first_bytes + r->second_bytes;
    void *array[ARRAYS];
    size_t bytes[ARRAYS];
    arrays_of(o, array, bytes);
    for (int a = 0; a < ARRAYS; from += bytes[a++]) memcpy(array[a], from, bytes[a]);
    o->terms = r->terms;
    return true;
  }
  return false;
}

void kept_add(const oracle *o, const problem *p, cnnblas_conv_direction direction, int64_t n, const kept_inputs *inputs)
{
  void *array[ARRAYS];
  size_t bytes[ARRAYS], all = inputs->first_bytes + inputs->second_bytes;
  arrays_of(o, array, bytes);
  for (int a = 0; a < ARRAYS; a++) all += bytes[a];
  if (all > MOST_BYTES) return;
  result *r = &results[next];
  next = (next + 1) % MOST;
  free(r->bytes);
  *r = (result){.p = *p,
                .direction = direction,
                .n = n,
                .count = o->count,
                .terms = o->terms,
                .first_bytes = inputs->first_bytes,
                .second_bytes = inputs->second_bytes,
                .bytes = malloc(all + 1)};
  assert_non_null(r->bytes);
  memcpy(&r->p, p, sizeof *p); /* its padding too, which is compared */
  char *to = r->bytes;
  memcpy(to, inputs->first, inputs->first_bytes), to += inputs->first_bytes;
  memcpy(to, inputs->second, inputs->second_bytes), to += inputs->second_bytes;
  for (int a = 0; a < ARRAYS; to += bytes[a++]) memcpy(to, array[a], bytes[a]);
}
