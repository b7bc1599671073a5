/* Folders of pictures; see class_folders.h. */
#include "data/class_folders.h"
#include "io/pixels.h"
#include "io/system.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static bool is_folder(const char *path)
{
  struct stat s;
  return !stat(path, &s) && S_ISDIR(s.st_mode);
}

static bool is_picture(const char *path)
{
  static const char *const endings[] = {".png", ".jpg", ".jpeg", ".pgm", ".ppm"};
  const char *point = strrchr(path, '.');
  struct stat s;
  for (size_t i = 0; point && i < sizeof endings / sizeof *endings; i++)
    if (!strcasecmp(point, endings[i])) return !stat(path, &s) && S_ISREG(s.st_mode);
  return false;
}

static bool is_other_file(const char *path)
{
  struct stat s;
  return !is_picture(path) && !stat(path, &s) && S_ISREG(s.st_mode);
}

static int by_bytes(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder that begin with no point, sorted; of folders, of pictures or of other files. */
static io_status list(const char *folder, bool (*wanted)(const char *path), class_names *names, io_error *error)
{
  DIR *open = opendir(folder);
  if (!open) return io_fail(error, IO_BAD_INPUT, "%s: %s", folder, strerror(errno));
  io_status status = IO_OK;
  for (struct dirent *each; !status && (each = readdir(open));) {
    char path[DATASET_PATH];
    if (each->d_name[0] == '.') continue;
    if (snprintf(path, sizeof path, "%s/%s", folder, each->d_name) >= DATASET_PATH)
      status = io_fail(error, IO_BAD_INPUT, "%s/%.40s: the name is too long", folder, each->d_name);
    else if (wanted(path) && !classes_add(names, each->d_name))
      status = io_fail_memory(error, path, strlen(path), "its name");
  }
  closedir(open);
  if (!status && names->count) qsort(names->names, (size_t)names->count, sizeof *names->names, by_bytes);
  return status;
}

/* The folder whose folders are the classes of a half; false if there is none. */
static bool find_half(const char *folder, dataset_half half, char path[DATASET_PATH])
{
  static const char *const names[][2] = {[DATASET_TRAIN] = {"train", "train"}, [DATASET_TEST] = {"test", "val"}};
  for (int i = 0; i < 2; i++)
    if (snprintf(path, DATASET_PATH, "%s/%s", folder, names[half][i]) < DATASET_PATH && is_folder(path)) return true;
  return half == DATASET_TRAIN && snprintf(path, DATASET_PATH, "%s", folder) < DATASET_PATH && is_folder(path);
}

bool class_folders_are_here(const char *folder, dataset_half half)
{
  char path[DATASET_PATH];
  class_names names = {0};
  io_error error;
  bool here = find_half(folder, half, path) && !list(path, is_folder, &names, &error) && names.count > 0;
  classes_free(&names);
  return here;
}

static io_status add_label(dataset *d, int64_t *room, int32_t label, const char *path, io_error *error)
{
  if (d->count == *room) {
    int64_t more = *room ? 2 * *room : 256;
    int32_t *labels = io_resize(d->labels, (size_t)more * sizeof *labels);
    if (!labels) return io_fail_memory(error, path, (size_t)more * sizeof *labels, "the labels");
    d->labels = labels;
    *room = more;
  }
  d->labels[d->count++] = label;
  return IO_OK;
}

/* Adds the pictures of a class's folder. */
static io_status add_class(dataset *d, const char *folder, int32_t label, int64_t *room, io_error *error)
{
  class_names names = {0};
  io_status status = list(folder, is_picture, &names, error);
  for (int64_t i = 0; i < names.count && !status; i++) {
    char path[DATASET_PATH];
    if (snprintf(path, sizeof path, "%s/%s", folder, names.names[i]) >= DATASET_PATH)
      status = io_fail(error, IO_BAD_INPUT, "%s: the name is too long", folder);
    else if (picture_files_add(d->files, path))
      status = add_label(d, room, label, path, error);
    else
      status = io_fail_memory(error, path, strlen(path), "its name");
  }
  if (!status && !names.count)
    status = io_fail(error, IO_BAD_INPUT, "%s: no picture in this class's folder: no PNG, JPEG, PGM or PPM", folder);
  classes_free(&names);
  if (!status) status = list(folder, is_other_file, &names, error);
  d->skipped += names.count;
  classes_free(&names);
  return status;
}

static io_status add_classes(dataset *d, const char *top, const class_names *known, io_error *error)
{
  class_names found = {0};
  int64_t room = 0;
  io_status status = list(top, is_folder, &found, error);
  const class_names *names = known && known->count ? known : &found;
  if (!status && !classes_copy(&d->classes, names, names->count))
    status = io_fail_memory(error, top, 64, "its classes");
  for (int64_t i = 0; i < found.count && !status; i++) {
    char path[DATASET_PATH];
    int64_t label = names == &found ? i : classes_find(names, found.names[i]);
    if (snprintf(path, sizeof path, "%s/%s", top, found.names[i]) >= DATASET_PATH)
      status = io_fail(error, IO_BAD_INPUT, "%s: the name is too long", top);
    else if (label < 0)
      status = io_fail(error, IO_BAD_INPUT, "%s: the folder \"%s\" is none of the %lld classes that were trained", top,
                       found.names[i], (long long)names->count);
    else if (strlen(found.names[i]) > CLASSES_MOST_NAME || i >= CLASSES_MOST)
      status = io_fail(error, IO_BAD_INPUT, "%s: at most %d classes, with names of at most %d bytes", top,
                       (int)CLASSES_MOST, (int)CLASSES_MOST_NAME);
    else
      status = add_class(d, path, (int32_t)label, &room, error);
  }
  classes_free(&found);
  return status;
}

io_status class_folders_read(const char *folder, dataset_half half, const dataset_form *form, dataset *data,
                             io_error *error)
{
  char top[DATASET_PATH];
  if (!form->c || !form->size[0] || !form->size[1] || form->size[2])
    return io_fail(error, IO_BAD_INPUT,
                   "%s: pictures come in any size: --input CxHxW, or INPUT CxHxW in --net, says what the network takes",
                   folder);
  if (form->c != 1 && form->c != 3)
    return io_fail(error, IO_BAD_INPUT, "%s: pictures have 1 or 3 channels; the network takes %lld", folder,
                   (long long)form->c);
  if (!find_half(folder, half, top)) return io_fail(error, IO_BAD_INPUT, "%s: no folder of pictures in it", folder);
  if (form->size[0] > PICTURE_MOST_SIDE || form->size[1] > PICTURE_MOST_SIDE)
    return io_fail(error, IO_BAD_INPUT, "%s: pictures of %lld x %lld; sides are at most %d", folder,
                   (long long)form->size[0], (long long)form->size[1], PICTURE_MOST_SIDE);
  dataset d = {.c = form->c, .size = {form->size[0], form->size[1]}};
  d.pixels = d.c * d.size[0] * d.size[1];
  snprintf(d.images_path, sizeof d.images_path, "%s", top);
  snprintf(d.labels_path, sizeof d.labels_path, "%s", top);
  d.files = io_alloc_zeroed(1, sizeof *d.files);
  io_status status = d.files ? add_classes(&d, top, form->classes, error) : io_fail_memory(error, top, 64, "its list");
  if (!status && !d.count) status = io_fail(error, IO_BAD_INPUT, "%s: no pictures in it", top);
  if (status) {
    dataset_free(&d);
    return status;
  }
  d.images = (idx_array){.type = IDX_U8, .rank = 4, .size = {d.count, d.c, d.size[0], d.size[1]}};
  d.images.elements = d.count * d.pixels;
  picture_files_shape(d.files, d.c, d.size[0], d.size[1]);
  dataset_find_largest(&d);
  *data = d;
  return IO_OK;
}
