/* CIFAR-10's binary files; see cifar.h. */
#include "data/cifar.h"
#include "io/file.h"
#include "io/system.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 32, PIXELS = 3 * SIDE * SIDE, RECORD = 1 + PIXELS, BATCHES = 5, CLASSES = 10, MOST_RECORDS = 1 << 20 };

/* The file's path; false if it is not there. Batch 0 is the test batch. */
static bool find(const char *folder, int batch, char path[DATASET_PATH])
{
  int length = batch ? snprintf(path, DATASET_PATH, "%s/data_batch_%d.bin", folder, batch)
                     : snprintf(path, DATASET_PATH, "%s/test_batch.bin", folder);
  return length < DATASET_PATH && !access(path, F_OK);
}

static bool is_wanted(dataset_half half, int batch)
{
  return (half == DATASET_TRAIN) == (batch > 0);
}

bool cifar_is_here(const char *folder, dataset_half half)
{
  char path[DATASET_PATH];
  for (int batch = 0; batch <= BATCHES; batch++)
    if (is_wanted(half, batch) && find(folder, batch, path)) return true;
  return false;
}

/* Adds a file's records behind those that are there. */
static io_status add_records(dataset *d, const char *path, const io_buffer *file, io_error *error)
{
  int64_t count = (int64_t)(file->count / RECORD), all = d->count + count;
  if (!count || file->count % RECORD)
    return io_fail(error, IO_BAD_INPUT, "%s: %zu bytes; a label and 3x32x32 pixels an image make a multiple of %d",
                   path, file->count, RECORD);
  uint8_t *pixels = io_resize(d->images.values, (size_t)all * PIXELS);
  if (pixels) d->images.values = pixels;
  int32_t *labels = pixels ? io_resize(d->labels, (size_t)all * sizeof *labels) : NULL;
  if (!labels) return io_fail_memory(error, path, (size_t)all * PIXELS, "its pixels");
  d->labels = labels;
  for (int64_t i = 0; i < count; i++) {
    const uint8_t *record = file->bytes + i * RECORD;
    if (record[0] >= CLASSES)
      return io_fail(error, IO_BAD_INPUT, "%s: image %lld: label %d; CIFAR-10's are 0 to %d", path, (long long)i,
                     record[0], CLASSES - 1);
    labels[d->count + i] = record[0];
    memcpy(pixels + (d->count + i) * PIXELS, record + 1, PIXELS);
  }
  d->count = all;
  return IO_OK;
}

static io_status read_names(const char *folder, dataset *d, io_error *error)
{
  char path[DATASET_PATH];
  int length = snprintf(path, sizeof path, "%s/batches.meta.txt", folder);
  if (length >= DATASET_PATH || access(path, F_OK)) return IO_OK;
  io_status status = classes_read(path, &d->classes, error);
  if (status || d->classes.count == CLASSES) return status;
  return io_fail(error, IO_BAD_INPUT, "%s: %lld names; CIFAR-10 has %d classes", path, (long long)d->classes.count,
                 CLASSES);
}

io_status cifar_read(const char *folder, dataset_half half, dataset *data, io_error *error)
{
  dataset d = {.c = 3, .size = {SIDE, SIDE}, .pixels = PIXELS};
  char path[DATASET_PATH];
  io_status status = read_names(folder, &d, error);
  for (int batch = 0; batch <= BATCHES && !status; batch++) {
    io_buffer file = {0};
    if (!is_wanted(half, batch) || !find(folder, batch, path)) continue;
    snprintf(d.images_path, sizeof d.images_path, "%s", path);
    status = io_read_file(path, (size_t)MOST_RECORDS * RECORD, &file, error);
    if (!status) status = add_records(&d, path, &file, error);
    io_buffer_free(&file);
  }
  if (!status && !d.count) status = io_fail(error, IO_BAD_INPUT, "%s: none of CIFAR-10's files is in it", folder);
  memcpy(d.labels_path, d.images_path, sizeof d.labels_path);
  d.images = (idx_array){.type = IDX_U8, .rank = 4, .size = {d.count, 3, SIDE, SIDE}, .values = d.images.values};
  d.images.elements = d.count * PIXELS;
  if (!status) dataset_find_largest(&d);
  if (status)
    dataset_free(&d);
  else
    *data = d;
  return status;
}
