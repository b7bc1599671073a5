/* Pictures in files; see picture_files.h. */
#include "data/picture_files.h"
#include "io/file.h"
#include "io/picture.h"
#include "io/picture_fit.h"
#include "io/system.h"
#include <math.h>
#include <string.h>

static const int64_t most_held = (int64_t)2 << 30;

bool picture_files_add(picture_files *f, const char *path)
{
  if (f->count == f->room) {
    int64_t room = f->room ? 2 * f->room : 256;
    char **paths = io_resize(f->paths, (size_t)room * sizeof *paths);
    if (!paths) return false;
    f->paths = paths;
    f->room = room;
  }
  size_t bytes = strlen(path) + 1;
  char *copy = io_alloc(bytes);
  if (!copy) return false;
  memcpy(copy, path, bytes);
  f->paths[f->count++] = copy;
  return true;
}

void picture_files_shape(picture_files *f, int64_t c, int64_t h, int64_t w)
{
  int64_t bytes;
  f->c = c;
  f->h = h;
  f->w = w;
  if (__builtin_mul_overflow(c * h * w, f->count, &bytes) || bytes > most_held) return;
  f->held = io_alloc((size_t)bytes);
  f->read = io_alloc_zeroed((size_t)f->count, 1);
  if (f->held && f->read) return;
  io_free(f->held); /* they are read in every epoch */
  io_free(f->read);
  f->held = f->read = NULL;
}

static io_status read_picture(const picture_files *f, const char *path, uint8_t *out, io_error *error)
{
  io_buffer file = {0};
  picture p = {0};
  io_status status = io_read_file(path, PICTURE_MOST_FILE, &file, error);
  if (!status) status = picture_parse(path, file.bytes, file.count, f->c, &p, error);
  io_buffer_free(&file);
  if (!status) status = picture_fit(path, &p, f->h, f->w, &p, error);
  for (int64_t i = 0; i < f->c * f->h * f->w && !status; i++) out[i] = (uint8_t)lrintf(255 * p.pixels[i]);
  picture_free(&p);
  return status;
}

io_status picture_files_get(picture_files *f, int64_t index, uint8_t *out, io_error *error)
{
  size_t bytes = (size_t)(f->c * f->h * f->w);
  if (f->read && f->read[index]) {
    memcpy(out, f->held + (size_t)index * bytes, bytes);
    return IO_OK;
  }
  io_status status = read_picture(f, f->paths[index], out, error);
  if (status || !f->read) return status;
  memcpy(f->held + (size_t)index * bytes, out, bytes);
  f->read[index] = 1;
  f->read_count++;
  return IO_OK;
}

bool picture_files_are_held(const picture_files *f)
{
  return f->read_count == f->count;
}

void picture_files_free(picture_files *f)
{
  for (int64_t i = 0; i < f->count; i++) io_free(f->paths[i]);
  io_free(f->paths);
  io_free(f->held);
  io_free(f->read);
  *f = (picture_files){0};
}
