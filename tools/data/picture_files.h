/* Pictures in files, each read and brought to one size when it is asked for, and held where there is room for all. */
#ifndef TOOLS_DATA_PICTURE_FILES_H
#define TOOLS_DATA_PICTURE_FILES_H

#include "io/error.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  char **paths; /* [count], room for more */
  int64_t count, room;
  int64_t c, h, w;      /* of each, once it is read; c is 1 or 3 */
  uint8_t *held, *read; /* [count][c][h][w]; [count] 1 where it is in held; NULL where there is no room */
  int64_t read_count;
} picture_files;

/* Copies a path to the end; false without memory. */
bool picture_files_add(picture_files *files, const char *path);

/* To be called once, after the last path. Pictures are held if all of them take at most 2 GiB. */
void picture_files_shape(picture_files *files, int64_t c, int64_t h, int64_t w);

/* One picture's bytes [c][h][w], 0 black to 255 white. For one thread at a time. */
io_status picture_files_get(picture_files *files, int64_t index, uint8_t *out, io_error *error);

/* Whether no file will be read again. */
bool picture_files_are_held(const picture_files *files);

/* Safe on a zeroed list and twice. */
void picture_files_free(picture_files *files);

#endif
