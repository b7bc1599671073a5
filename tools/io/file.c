/* Whole files; see file.h. */
#define _GNU_SOURCE
#include "io/file.h"
#include "base/replace.h"
#include "io/system.h"
#include <errno.h>
#include <fcntl.h>
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

enum { SHOWN = 200 /* characters of a path: the reason must fit behind it */ };

static io_status cannot_write(const char *path, const char *what, io_error *error)
{
  int reason = errno;
  bool whole = strlen(path) <= SHOWN;
  return io_fail(error, IO_NO_ROOM, "%.*s%s: cannot %s: %s", SHOWN, path, whole ? "" : "...", what, strerror(reason));
}

static io_status write_parts(int fd, const char *path, const io_part *parts, size_t count, io_error *error)
{
  for (size_t i = 0; i < count; i++)
    for (size_t done = 0; done < parts[i].count;) {
      ssize_t put = io_write(fd, (const char *)parts[i].bytes + done, parts[i].count - done);
      if (put <= 0) return cannot_write(path, "write", error);
      done += (size_t)put;
    }
  return IO_OK;
}

/* What the replacement says of its failure. */
static io_status cannot_replace(const cb_replacement *r, const char *path, io_error *error)
{
  if (r->doing) return cannot_write(path, r->doing, error);
  return io_fail(error, IO_NO_ROOM, "%s: not a regular file: it will not be replaced", path);
}

io_status io_can_replace(const char *path, io_error *error)
{
  cb_replacement r;
  return cb_replace_check(&r, path, false) ? cannot_replace(&r, path, error) : IO_OK;
}

io_status io_replace_file(const char *path, const io_part *parts, size_t count, io_error *error)
{
  cb_replacement r;
  if (cb_replace_begin(&r, path, false)) return cannot_replace(&r, path, error);
  io_status status = write_parts(r.fd, path, parts, count, error);
  if (cb_replace_end(&r, !status) && !status) status = cannot_replace(&r, path, error);
  return status;
}
