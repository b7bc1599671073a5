/* The names of classes; see classes.h. */
#include "data/classes.h"
#include "io/file.h"
#include "io/system.h"
#include <string.h>

bool classes_add(class_names *c, const char *name)
{
  if (c->count == c->room) {
    int64_t room = c->room ? 2 * c->room : 16;
    char **names = io_resize(c->names, (size_t)room * sizeof *names);
    if (!names) return false;
    c->names = names;
    c->room = room;
  }
  size_t bytes = strlen(name) + 1;
  char *copy = io_alloc(bytes);
  if (!copy) return false;
  memcpy(copy, name, bytes);
  c->names[c->count++] = copy;
  return true;
}

bool classes_copy(class_names *to, const class_names *from, int64_t most)
{
  *to = (class_names){0};
  for (int64_t i = 0; i < from->count && i < most; i++)
    if (!classes_add(to, from->names[i])) {
      classes_free(to);
      return false;
    }
  return true;
}

int64_t classes_find(const class_names *c, const char *name)
{
  for (int64_t i = 0; i < c->count; i++)
    if (!strcmp(c->names[i], name)) return i;
  return -1;
}

const char *classes_name(const class_names *c, int64_t label)
{
  return label >= 0 && label < c->count ? c->names[label] : NULL;
}

void classes_free(class_names *c)
{
  for (int64_t i = 0; i < c->count; i++) io_free(c->names[i]);
  io_free(c->names);
  *c = (class_names){0};
}

static io_status add_line(const char *path, const char *line, class_names *c, io_error *error)
{
  long long number = (long long)c->count + 1;
  if (!*line) return io_fail(error, IO_BAD_INPUT, "%s: line %lld is empty; each has the name of a class", path, number);
  if (strlen(line) > CLASSES_MOST_NAME)
    return io_fail(error, IO_BAD_INPUT, "%s: line %lld: a class's name has at most %d bytes", path, number,
                   CLASSES_MOST_NAME);
  if (number > CLASSES_MOST)
    return io_fail(error, IO_BAD_INPUT, "%s: line %lld: there are at most %d classes", path, number, CLASSES_MOST);
  if (classes_find(c, line) >= 0)
    return io_fail(error, IO_BAD_INPUT, "%s: line %lld: the class \"%s\" comes twice", path, number, line);
  return classes_add(c, line) ? IO_OK : io_fail_memory(error, path, strlen(line) + 1, "a class's name");
}

io_status classes_read(const char *path, class_names *classes, io_error *error)
{
  enum { MOST = 1 << 20, LINE = CLASSES_MOST_NAME + 2 };
  io_buffer file = {0};
  class_names c = {0};
  io_status status = io_read_file(path, MOST, &file, error);
  size_t end = file.count;
  while (end && (file.bytes[end - 1] == '\n' || file.bytes[end - 1] == '\r')) end--;
  for (size_t at = 0; at < end && !status;) {
    char line[LINE];
    size_t length = 0;
    for (; at < end && file.bytes[at] != '\n'; at++)
      if (length < LINE - 1 && file.bytes[at] != '\r') line[length++] = (char)file.bytes[at];
    line[length] = 0;
    at++;
    status = add_line(path, line, &c, error);
  }
  io_buffer_free(&file);
  if (status)
    classes_free(&c);
  else
    *classes = c;
  return status;
}
