/* Bytes in memory, plain or gzipped, read from the front: what is decoded is asked for piece by piece, so that a size
   read from the first bytes can be judged before memory is taken for the rest. */
#ifndef TOOLS_IO_SOURCE_H
#define TOOLS_IO_SOURCE_H

#include "io/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

typedef struct {
  const char *name; /* for messages */
  const uint8_t *bytes;
  size_t count, at; /* of the plain or compressed bytes; at: plain only */
  bool gzip;
  z_stream stream;
} io_source;

/* Recognises gzip by its first two bytes. bytes and name stay the caller's and must outlive the source. */
io_status io_source_open(io_source *source, const char *name, const uint8_t *bytes, size_t count, io_error *error);

/* Frees what decoding holds; the source must have been opened. */
void io_source_close(io_source *source);

/* Exactly count decoded bytes, or IO_BAD_INPUT: "NAME: ends within WHAT". */
io_status io_source_read(io_source *source, void *out, size_t count, const char *what, io_error *error);

/* No more bytes can follow than this; a lie in a header is caught before memory is taken for it. */
size_t io_source_bound(const io_source *source);

/* IO_BAD_INPUT unless everything has been read (for gzip: also the checksum behind it was right). */
io_status io_source_end(io_source *source, io_error *error);

#endif
