/* Whole files; see file.h. */
#define _GNU_SOURCE
#include "io/file.h"
#include "io/system.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void io_buffer_free(io_buffer *buffer)
{
  io_free(buffer->bytes);
  *buffer = (io_buffer){0};
}

/* The regular file's size and one, so that its end is seen without growing; some pages for anything else. */
static size_t first_capacity(int fd, size_t most)
{
  struct stat s;
  if (fstat(fd, &s) || !S_ISREG(s.st_mode) || s.st_size < 0 || (uintmax_t)s.st_size >= most) return 65536;
  return (size_t)s.st_size + 1;
}

static io_status read_all(int fd, const char *path, size_t most, io_buffer *b, io_error *error)
{
  size_t capacity = first_capacity(fd, most);
  if (!(b->bytes = io_alloc(capacity))) return io_fail_memory(error, path, capacity, "the file");
  for (;;) {
    if (b->count == capacity) {
      if (capacity > SIZE_MAX / 2) return io_fail_memory(error, path, SIZE_MAX, "the file");
      uint8_t *more = io_resize(b->bytes, capacity * 2);
      if (!more) return io_fail_memory(error, path, capacity * 2, "the file");
      b->bytes = more;
      capacity *= 2;
    }
    ssize_t got = io_read(fd, b->bytes + b->count, capacity - b->count);
    if (got < 0) return io_fail(error, IO_BAD_INPUT, "%s: %s", path, strerror(errno));
    if (got == 0) return IO_OK;
    b->count += (size_t)got;
    if (b->count > most) return io_fail(error, IO_BAD_INPUT, "%s: more than %zu bytes", path, most);
  }
}

io_status io_read_file(const char *path, size_t most, io_buffer *buffer, io_error *error)
{
  io_buffer b = {0};
  int fd = io_open(path, O_RDONLY, 0);
  if (fd < 0) return io_fail(error, IO_BAD_INPUT, "%s: %s", path, strerror(errno));
  io_status status = read_all(fd, path, most, &b, error);
  io_close(fd);
  if (status)
    io_buffer_free(&b);
  else
    *buffer = b;
  return status;
}

/* ---- replacing ---- */

static io_status cannot_write(const char *path, const char *what, io_error *error)
{
  return io_fail(error, IO_NO_ROOM, "%s: cannot %s: %s", path, what, strerror(errno));
}

static io_status write_parts(int fd, const char *path, const io_part *parts, size_t count, io_error *error)
{
  for (size_t i = 0; i < count; i++)
    for (size_t done = 0; done < parts[i].count;) {
      ssize_t put = io_write(fd, (const char *)parts[i].bytes + done, parts[i].count - done);
      if (put <= 0) return cannot_write(path, "write", error);
      done += (size_t)put;
    }
  return io_fsync(fd) ? cannot_write(path, "sync", error) : IO_OK;
}

/* The path up to its last slash, "." without one. */
static void folder_of(const char *path, char *folder, size_t bytes)
{
  const char *slash = strrchr(path, '/');
  int length = !slash || slash == path ? 1 : (int)(slash - path);
  snprintf(folder, bytes, "%.*s", length, slash ? path : ".");
}

/* The new name itself is on disk only when its folder is. */
static io_status sync_folder(const char *path, io_error *error)
{
  char folder[PATH_MAX];
  folder_of(path, folder, sizeof folder);
  int fd = io_open(folder, O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) return cannot_write(path, "open its folder to sync", error);
  int failed = io_fsync(fd);
  int reason = errno;
  io_close(fd);
  if (!failed || reason == EINVAL || reason == ENOTSUP) return IO_OK; /* some file systems cannot */
  errno = reason;
  return cannot_write(path, "sync its folder", error);
}

static io_status check_regular(const char *path, io_error *error)
{
  struct stat s;
  if (stat(path, &s) || S_ISREG(s.st_mode)) return IO_OK;
  return io_fail(error, IO_NO_ROOM, "%s: not a regular file: it will not be replaced", path);
}

io_status io_can_replace(const char *path, io_error *error)
{
  char folder[PATH_MAX];
  folder_of(path, folder, sizeof folder);
  if (access(folder, W_OK | X_OK)) return cannot_write(path, "create", error);
  return check_regular(path, error);
}

io_status io_replace_file(const char *path, const io_part *parts, size_t count, io_error *error)
{
  char beside[PATH_MAX];
  io_status regular = check_regular(path, error);
  if (regular) return regular;
  int length = snprintf(beside, sizeof beside, "%s.%ld.tmp", path, (long)getpid());
  if (length < 0 || length >= (int)sizeof beside) return io_fail(error, IO_NO_ROOM, "%s: the name is too long", path);
  int fd = io_open(beside, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (fd < 0 && errno == EEXIST && !io_unlink(beside)) /* left by a killed process of our number */
    fd = io_open(beside, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (fd < 0) return cannot_write(path, "create", error);
  io_status status = write_parts(fd, path, parts, count, error);
  if (io_close(fd) && !status) status = cannot_write(path, "close", error);
  if (!status && io_rename(beside, path)) status = cannot_write(path, "rename the finished file to it", error);
  if (status) {
    io_unlink(beside);
    return status;
  }
  return sync_folder(path, error);
}
