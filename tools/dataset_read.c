/* Where labelled images come from; see dataset_read.h. */
#include "dataset_read.h"
#include "data/cifar.h"
#include "data/class_folders.h"
#include "data/digits.h"
#include "data/idx_images.h"
#include "io/system.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

io_status dataset_recognise(const char *folder, dataset_half half, dataset_kind *kind, io_error *error)
{
  struct stat s;
  if (idx_images_are_here(folder, half))
    *kind = DATASET_IDX;
  else if (cifar_is_here(folder, half))
    *kind = DATASET_CIFAR;
  else if (class_folders_are_here(folder, half))
    *kind = DATASET_PICTURES;
  else if (stat(folder, &s))
    return io_fail(error, IO_BAD_INPUT, "%s: %s", folder, strerror(errno));
  else if (!S_ISDIR(s.st_mode))
    return io_fail(error, IO_BAD_INPUT, "%s: %s", folder, strerror(ENOTDIR));
  else
    return io_fail(
        error, IO_BAD_INPUT,
        "%s: no %s images in it: neither %s-images-idx3-ubyte (or idx4), plain or .gz, nor %s, nor folders of "
        "pictures, one a class",
        folder, half == DATASET_TRAIN ? "training" : "test", half == DATASET_TRAIN ? "train" : "t10k",
        half == DATASET_TRAIN ? "data_batch_1.bin" : "test_batch.bin");
  return IO_OK;
}

bool dataset_has_test(const char *folder)
{
  dataset_kind kind;
  io_error error;
  return !dataset_recognise(folder, DATASET_TEST, &kind, &error);
}

io_status dataset_read(const char *folder, dataset_half half, const dataset_form *form, dataset *data, io_error *error)
{
  dataset_kind kind;
  io_status status = dataset_recognise(folder, half, &kind, error);
  if (status) return status;
  if (kind == DATASET_IDX) return idx_images_read(folder, half, form, data, error);
  if (kind == DATASET_CIFAR) return cifar_read(folder, half, data, error);
  return class_folders_read(folder, half, form, data, error);
}

io_status dataset_draw(dataset_half half, dataset *data, io_error *error)
{
  enum { TRAIN = 8000, TEST = 2000, SEED = 1 };
  int64_t count = half == DATASET_TRAIN ? TRAIN : TEST, pixels = DIGITS_SIZE * DIGITS_SIZE;
  dataset d = {.count = count, .c = 1, .size = {DIGITS_SIZE, DIGITS_SIZE}, .pixels = pixels};
  d.images = (idx_array){.type = IDX_F32, .rank = 3, .size = {count, DIGITS_SIZE, DIGITS_SIZE, 1}};
  d.images.elements = count * pixels;
  d.images.values = io_alloc_zeroed((size_t)(count * pixels), sizeof(float));
  d.labels = io_alloc_zeroed((size_t)count, sizeof *d.labels);
  snprintf(d.images_path, sizeof d.images_path, "drawn digits");
  snprintf(d.labels_path, sizeof d.labels_path, "drawn digits");
  if (!d.images.values || !d.labels) {
    dataset_free(&d);
    return io_fail_memory(error, "drawn digits", (size_t)(count * pixels) * sizeof(float), "their pixels");
  }
  digits_draw(SEED, half == DATASET_TRAIN ? 0 : TRAIN, count, NULL, DIGITS_SIZE, d.images.values, d.labels);
  dataset_find_largest(&d);
  *data = d;
  return IO_OK;
}
