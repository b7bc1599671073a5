/*
 * IDX files, MNIST's format: two zero bytes, a type, the number of axes, the axes' sizes (big-endian, 32 bits each),
 * then the elements (big-endian, the last axis fastest). Plain or gzipped.
 */
#ifndef TOOLS_IO_IDX_H
#define TOOLS_IO_IDX_H

#include "io/error.h"
#include <stddef.h>
#include <stdint.h>

typedef enum { IDX_U8 = 0x08, IDX_I8 = 0x09, IDX_I16 = 0x0b, IDX_I32 = 0x0c, IDX_F32 = 0x0d, IDX_F64 = 0x0e } idx_type;

enum { IDX_MOST_AXES = 4 };

typedef struct {
  idx_type type;
  int rank;                    /* 1 to IDX_MOST_AXES */
  int64_t size[IDX_MOST_AXES]; /* the first rank entries; the rest 1 */
  int64_t elements;            /* their product */
  void *values;                /* [elements] of the type, in this machine's byte order */
} idx_array;

/* Reads a file; idx_free gives the memory back. */
io_status idx_read(const char *path, idx_array *array, io_error *error);

/* The same from memory; name is for messages. */
io_status idx_parse(const char *name, const uint8_t *bytes, size_t count, idx_array *array, io_error *error);

/* Type and sizes alone, nothing else unpacked: values is NULL. */
io_status idx_parse_head(const char *name, const uint8_t *bytes, size_t count, idx_array *array, io_error *error);

/* Safe on a zeroed array and twice. */
void idx_free(idx_array *array);

/* Element i as a number. */
double idx_value(const idx_array *array, int64_t i);

#endif
