/* Failing memory and file calls; see faults.h. */
#include "faults.h"
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

static faults_kind armed;
static long left, live, most_bytes;
static bool fired;
static size_t total;

void faults_arm(faults_kind kind, long k)
{
  armed = kind;
  left = k;
  fired = false;
}

bool faults_disarm(void)
{
  armed = FAULTS_NONE;
  return fired;
}

void faults_trickle(long bytes)
{
  most_bytes = bytes;
}

long faults_live(void)
{
  return live;
}

size_t faults_total(void)
{
  size_t bytes = total;
  total = 0;
  return bytes;
}

static bool fails(faults_kind kind, int error)
{
  if (kind != armed || --left != 0) return false;
  fired = true;
  errno = error;
  return true;
}

void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes)
{
  total += bytes;
  void *memory = fails(FAULTS_MEMORY, ENOMEM) ? NULL : __real_malloc(bytes);
  live += memory != NULL;
  return memory;
}

void *__real_realloc(void *memory, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes)
{
  void *more = fails(FAULTS_MEMORY, ENOMEM) ? NULL : __real_realloc(memory, bytes);
  live += more && !memory;
  return more;
}

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
  live -= memory != NULL;
  __real_free(memory);
}

static size_t cut(size_t count)
{
  return most_bytes && count > (size_t)most_bytes ? (size_t)most_bytes : count;
}

ssize_t __real_read(int fd, void *bytes, size_t count);
ssize_t __wrap_read(int fd, void *bytes, size_t count);
ssize_t __wrap_read(int fd, void *bytes, size_t count)
{
  return fails(FAULTS_FILES, EIO) ? -1 : __real_read(fd, bytes, cut(count));
}

ssize_t __real_write(int fd, const void *bytes, size_t count);
ssize_t __wrap_write(int fd, const void *bytes, size_t count);
ssize_t __wrap_write(int fd, const void *bytes, size_t count)
{
  return fails(FAULTS_FILES, ENOSPC) ? -1 : __real_write(fd, bytes, cut(count));
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
  return fails(FAULTS_FILES, EIO) ? -1 : __real_fsync(fd);
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
  int closed = __real_close(fd); /* a close that fails has closed */
  return fails(FAULTS_FILES, EIO) ? -1 : closed;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
  return fails(FAULTS_FILES, EIO) ? -1 : __real_rename(from, to);
}

/* open and its 64-bit name, which is the one called where off_t has been asked to be 64 bits. */
#define WRAP_OPEN(name)                                                                                                \
  int __real_##name(const char *path, int flags, ...);                                                                 \
  int __wrap_##name(const char *path, int flags, ...);                                                                 \
  int __wrap_##name(const char *path, int flags, ...)                                                                  \
  {                                                                                                                    \
    va_list args;                                                                                                      \
    va_start(args, flags);                                                                                             \
    mode_t mode = (mode_t)va_arg(args, int);                                                                           \
    va_end(args);                                                                                                      \
    return fails(FAULTS_FILES, EIO) ? -1 : __real_##name(path, flags, mode);                                           \
  }
WRAP_OPEN(open)
WRAP_OPEN(open64)
