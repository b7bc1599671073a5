/*
 * Safetensors files: named arrays and a map of strings.
 *
 *   8 bytes    N, the header's length, little-endian; at most 100 MB
 *   N bytes    JSON: {"__metadata__": {"key": "text"}, "NAME": {"dtype": "F32", "shape": [8, 1, 5, 5],
 *              "data_offsets": [0, 800]}, ...}, blanks behind it; offsets count from the header's end
 *   the rest   the arrays, little-endian, without overlaps and holes
 *
 * The reader takes nothing on trust: the file's every byte belongs to the header or to one array whose shape and type
 * ask for exactly these bytes.
 */
#ifndef TOOLS_IO_SAFETENSORS_H
#define TOOLS_IO_SAFETENSORS_H

#include "io/error.h"
#include "io/file.h"
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { ST_MOST_AXES = 8, ST_MOST_HEADER = 100000000 };

typedef struct {
  const char *name;
  const char *dtype; /* "F32", "F64", ... */
  int rank;
  int64_t shape[ST_MOST_AXES];
  size_t begin; /* of the data, from the header's end; st_write sets it itself */
  size_t bytes;
  const void *data; /* any alignment */
} st_tensor;

typedef struct {
  io_buffer file; /* empty after st_parse */
  json_t *header; /* the names and texts live here */
  st_tensor *tensors;
  size_t count; /* in the order of their data */
} st_file;

/* Reads a file; st_free gives it back. */
io_status st_read(const char *path, st_file *file, io_error *error);

/* The same from memory that outlives the result; name is for messages. */
io_status st_parse(const char *name, const uint8_t *bytes, size_t count, st_file *file, io_error *error);

/* Safe on a zeroed file and twice. */
void st_free(st_file *file);

/* NULL if there is no such key. */
const char *st_metadata(const st_file *file, const char *key);
const st_tensor *st_find(const st_file *file, const char *name);

/* Bytes of one element of a dtype, 0 for an unknown name. */
size_t st_element(const char *dtype);

/*
 * Writes a file in one piece (io_replace_file).
 *
 * tensors   in the order that their data will have; 8-byte types come first or alone, so that all are aligned
 * metadata  a JSON object of strings, or NULL; stays the caller's
 */
io_status st_write(const char *path, const st_tensor *tensors, size_t count, json_t *metadata, io_error *error);

#endif
