/* What went wrong with a file: an exit status and a sentence that begins with the file's name. */
#ifndef TOOLS_IO_ERROR_H
#define TOOLS_IO_ERROR_H

#include <stddef.h>

/* The values are the command's exit statuses. */
typedef enum {
  IO_OK = 0,
  IO_BAD_INPUT = 3, /* the file is missing, unreadable, or not what it should be */
  IO_NO_ROOM = 4    /* out of memory, or a file could not be written */
} io_status;

typedef struct {
  char text[1024];
} io_error;

/* Writes the sentence and returns status. */
io_status io_fail(io_error *error, io_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* IO_NO_ROOM: "NAME: out of memory: BYTES bytes for WHAT". */
io_status io_fail_memory(io_error *error, const char *name, size_t bytes, const char *what);

#endif
