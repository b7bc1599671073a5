/*
 * Wisdom files: the input as it is, and the input as the lines between a right head and a right end, since few inputs would
 * hit upon the hash of their own bytes. What is accepted is the same after saving and loading.
 */
#define _GNU_SOURCE
#include "fuzz.h"
#include <cnnblas/conv.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A file in memory, by a path that can be opened. */
static int file = -1;
static char path[64];

static void put(const void *bytes, size_t size)
{
  CHECK(ftruncate(file, 0) == 0 && pwrite(file, bytes, size, 0) == (ssize_t)size, "the file in memory");
}

static void load(const void *bytes, size_t size)
{
  cnnblas_wisdom *wisdom = NULL, *again = NULL;
  char saved[64];
  CHECK(cnnblas_wisdom_create(&wisdom) == CNNBLAS_OK && cnnblas_wisdom_create(&again) == CNNBLAS_OK, "no memory");
  put(bytes, size);
  if (cnnblas_wisdom_load(wisdom, path) != CNNBLAS_OK) {
    CHECK(cnnblas_wisdom_count(wisdom) == 0 && cnnblas_last_error()[0], "an error without a message, or half a file");
  } else {
    snprintf(saved, sizeof saved, "/tmp/fuzz_wisdom.%ld", (long)getpid());
    CHECK(cnnblas_wisdom_save(wisdom, saved) == CNNBLAS_OK, "%s", cnnblas_last_error());
    CHECK(cnnblas_wisdom_load(again, saved) == CNNBLAS_OK, "%s", cnnblas_last_error());
    CHECK(cnnblas_wisdom_count(wisdom) == cnnblas_wisdom_count(again), "%zu, then %zu", cnnblas_wisdom_count(wisdom),
          cnnblas_wisdom_count(again));
    unlink(saved);
  }
  cnnblas_wisdom_destroy(wisdom);
  cnnblas_wisdom_destroy(again);
}

/* The head of this machine's files: what an empty one has before its last line. */
static size_t head(char *text, size_t room)
{
  char saved[64];
  cnnblas_wisdom *wisdom = NULL;
  snprintf(saved, sizeof saved, "/tmp/fuzz_wisdom.%ld", (long)getpid());
  CHECK(cnnblas_wisdom_create(&wisdom) == CNNBLAS_OK && cnnblas_wisdom_save(wisdom, saved) == CNNBLAS_OK, "%s",
        cnnblas_last_error());
  cnnblas_wisdom_destroy(wisdom);
  FILE *f = fopen(saved, "r");
  CHECK(f, "%s", saved);
  size_t size = fread(text, 1, room - 1, f);
  fclose(f);
  unlink(saved);
  text[size] = 0;
  char *end = strstr(text, "\nend ");
  CHECK(end, "no end in %s", text);
  return (size_t)(end + 1 - text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static char text[8192];
  static size_t begin;
  if (file < 0) {
    file = memfd_create("wisdom", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    begin = head(text, sizeof text);
  }
  load(data, size);
  if (begin + size + 64 > sizeof text) return 0;
  memcpy(text + begin, data, size);
  uint64_t hash = 14695981039346656037u;
  size_t used = begin + size, lines = 0;
  for (size_t i = begin; i < used; i++) lines += text[i] == '\n';
  for (size_t i = 0; i < used; i++) hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
  used += (size_t)snprintf(text + used, sizeof text - used, "end %zu %016" PRIx64 "\n", lines, hash);
  load(text, used);
  return 0;
}
