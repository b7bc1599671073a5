/* Memory and file calls; see system.h. */
#define _GNU_SOURCE
#include "io/system.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *io_alloc(size_t bytes)
{
  return malloc(bytes ? bytes : 1);
}

void *io_alloc_zeroed(size_t count, size_t size)
{
  size_t bytes;
  void *memory = __builtin_mul_overflow(count, size, &bytes) ? NULL : io_alloc(bytes);
  if (memory) memset(memory, 0, bytes);
  return memory;
}

void *io_resize(void *memory, size_t bytes)
{
  return realloc(memory, bytes ? bytes : 1);
}

void io_free(void *memory)
{
  free(memory);
}

static _Thread_local bool json_lacked;
static _Thread_local size_t json_left = SIZE_MAX;

static void *json_alloc(size_t bytes)
{
  void *memory = bytes <= json_left ? io_alloc(bytes) : NULL;
  if (!memory) {
    json_lacked = true;
  } else if (json_left != SIZE_MAX) {
    size_t took = malloc_usable_size(memory);
    json_left -= took < json_left ? took : json_left;
  }
  return memory;
}

static void json_release(void *memory)
{
  if (json_left != SIZE_MAX) json_left += malloc_usable_size(memory);
  io_free(memory);
}

void io_use_json(void)
{
  json_set_alloc_funcs(json_alloc, json_release);
}

void io_json_limit(size_t bytes)
{
  json_left = bytes;
}

void io_json_begin(void)
{
  json_lacked = false;
}

bool io_json_lacked_memory(void)
{
  return json_lacked;
}

int io_open(const char *path, int flags, mode_t mode)
{
  int fd;
  do fd = open(path, flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

ssize_t io_read(int fd, void *bytes, size_t count)
{
  ssize_t got;
  do got = read(fd, bytes, count);
  while (got < 0 && errno == EINTR);
  return got;
}

ssize_t io_write(int fd, const void *bytes, size_t count)
{
  ssize_t put;
  do put = write(fd, bytes, count);
  while (put < 0 && errno == EINTR);
  return put;
}

int io_close(int fd)
{
  return close(fd);
}
