/* The names of a data set's classes, in the order of their labels. */
#ifndef TOOLS_DATA_CLASSES_H
#define TOOLS_DATA_CLASSES_H

#include "io/error.h"
#include <stdbool.h>
#include <stdint.h>

enum { CLASSES_MOST = 1 << 16, CLASSES_MOST_NAME = 255 /* bytes */ };

/* Zeroed: no names, labels are numbers. */
typedef struct {
  char **names; /* [count], room for more */
  int64_t count, room;
} class_names;

/* Copies a name to the end; false without memory. */
bool classes_add(class_names *classes, const char *name);

/* Copies the first names, at most so many; false without memory. */
bool classes_copy(class_names *to, const class_names *from, int64_t most);

/* The label of a name, -1 if it is none. */
int64_t classes_find(const class_names *classes, const char *name);

/* The label's name; NULL if it has none. */
const char *classes_name(const class_names *classes, int64_t label);

/* A text file of one name a line: IO_BAD_INPUT for an empty line between names, one too long, or a name that comes twice. */
io_status classes_read(const char *path, class_names *classes, io_error *error);

/* Safe on a zeroed list and twice. */
void classes_free(class_names *classes);

#endif
