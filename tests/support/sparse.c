/* Mapping what is not there; see sparse.h. */
#define _GNU_SOURCE
#include "support/sparse.h"
#include "support/harness.h"
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PIECE = 64 << 20, PAGE = 4096, KEPT_PAGES = 3 };

static bool map(sparse *s, int64_t elements)
{
  uint64_t bytes = ((uint64_t)elements * sizeof(float) + PIECE - 1) / PIECE * PIECE;
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  *s = (sparse){memory, elements, bytes};
  return true;
}

bool sparse_input(sparse *s, int64_t elements)
{
  return map(s, elements);
}

bool sparse_output(sparse *s, int64_t elements)
{
  if (!map(s, elements)) return false;
  int file = memfd_create("sparse_output", 0);
  bool good = file >= 0 && ftruncate(file, PIECE) == 0;
  for (uint64_t at = 0; at < s->bytes && good; at += PIECE)
    good = mmap((char *)s->data + at, PIECE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED;
  if (file >= 0) close(file);
  if (!good) sparse_free(s);
  return good;
}

void sparse_keep(sparse *s, int64_t element)
{
  int64_t page = element * (int64_t)sizeof(float) / PAGE - KEPT_PAGES / 2;
  for (int64_t i = page < 0 ? 0 : page; i < page + KEPT_PAGES && i < (int64_t)(s->bytes / PAGE); i++) {
    float *at = (float *)(void *)((char *)s->data + i * PAGE);
    void *own = mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    assert_ptr_equal(own, at);
    for (int64_t j = 0; j < PAGE / (int64_t)sizeof(float); j++) at[j] = NAN;
  }
}

void sparse_free(sparse *s)
{
  if (s->data) munmap(s->data, s->bytes);
  memset(s, 0, sizeof *s);
}
