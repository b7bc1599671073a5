/* Whole files: read into memory, and replaced as a whole. */
#ifndef TOOLS_IO_FILE_H
#define TOOLS_IO_FILE_H

#include "io/error.h"
#include <stddef.h>
#include <stdint.h>

/* The largest file that is read at all. */
#define IO_MOST_BYTES ((size_t)16 << 30)

typedef struct {
  uint8_t *bytes;
  size_t count;
} io_buffer;

/* Reads the file, pipes too; io_buffer_free gives the memory back. IO_BAD_INPUT also for more than `most` bytes. */
io_status io_read_file(const char *path, size_t most, io_buffer *buffer, io_error *error);

/* Safe on a zeroed buffer and twice. */
void io_buffer_free(io_buffer *buffer);

typedef struct {
  const void *bytes;
  size_t count;
} io_part;

/* Makes the file hold the parts one after the other, or leaves it as it was, as lib/base/replace.h says; what is not a
   regular file is refused. IO_NO_ROOM on any failure. */
io_status io_replace_file(const char *path, const io_part *parts, size_t count, io_error *error);

/* What can be said before hours of work: that a file can be made beside it, and that the file itself, if there is one, is
   regular and may be written. */
io_status io_can_replace(const char *path, io_error *error);

#endif
