/* Numbers in a model's metadata, which holds texts only. */
#ifndef TOOLS_MODEL_METADATA_H
#define TOOLS_MODEL_METADATA_H

#include "io/safetensors.h"
#include "train_settings.h"

/* Adds key = the formatted text; returns 0, or -1 without memory. metadata may be NULL: -1. */
int metadata_set(json_t *metadata, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* IO_BAD_INPUT with the key and the value where it is missing or out of its range. */
io_status metadata_integer(const char *name, const st_file *file, const char *key, int64_t least, int64_t most,
                           int64_t *value, io_error *error);
io_status metadata_number(const char *name, const st_file *file, const char *key, double least, double below,
                          double *value, io_error *error);
/* One of the names: its place. */
io_status metadata_choice(const char *name, const st_file *file, const char *key, const char *const *names, int *value,
                          io_error *error);

/* IO_BAD_INPUT: the key's value is not what it should be. */
io_status metadata_bad(const char *name, const st_file *file, const char *key, const char *wanted, io_error *error);

#endif
