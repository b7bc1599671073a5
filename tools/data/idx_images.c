/* Images in IDX files; see idx_images.h. */
#include "data/idx_images.h"
#include "io/system.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* folder/PREFIX-idxN-ubyte with N of `axes`, also spelt PREFIX.idxN-ubyte, plain or .gz: the first that is there. */
static io_status find_file(const char *folder, const char *prefix, const char *axes, char *path, size_t bytes,
                           io_error *error)
{
  static const char *const ends[] = {"", ".gz"};
  for (const char *axis = axes; *axis; axis++)
    for (int dot = 0; dot < 2; dot++)
      for (int end = 0; end < 2; end++) {
        int length = snprintf(path, bytes, "%s/%s%cidx%c-ubyte%s", folder, prefix, dot ? '.' : '-', *axis, ends[end]);
        if (length >= (int)bytes) return io_fail(error, IO_BAD_INPUT, "%s: the name is too long", folder);
        if (!access(path, F_OK)) return IO_OK;
      }
  return io_fail(error, IO_BAD_INPUT, "%s: no file %s-idx%c-ubyte in it, plain or .gz", folder, prefix, axes[0]);
}

/* Pixels of another type than bytes become f32, in place of the array. */
static io_status to_float(const char *path, idx_array *a, io_error *error)
{
  if (a->type == IDX_U8 || a->type == IDX_F32) return IO_OK;
  float *values = io_alloc_zeroed((size_t)a->elements, sizeof *values);
  if (!values) return io_fail_memory(error, path, (size_t)a->elements * sizeof *values, "its pixels");
  for (int64_t i = 0; i < a->elements; i++) values[i] = (float)idx_value(a, i);
  io_free(a->values);
  a->values = values;
  a->type = IDX_F32;
  return IO_OK;
}

static io_status check_finite(const char *path, const dataset *d, io_error *error)
{
  for (int64_t i = 0; d->images.type == IDX_F32 && i < d->images.elements; i++)
    if (!isfinite(((const float *)d->images.values)[i]))
      return io_fail(error, IO_BAD_INPUT, "%s: pixel %lld of image %lld is not finite", path,
                     (long long)(i % d->pixels), (long long)(i / d->pixels));
  return IO_OK;
}

/* Rows become columns: out[j][i] of size [w][h] = in[i][j], of each channel. Elements are bytes or floats. */
static io_status transpose(const char *path, dataset *d, io_error *error)
{
  size_t element = d->images.type == IDX_U8 ? 1 : sizeof(float), plane = (size_t)(d->size[0] * d->size[1]) * element;
  int64_t h = d->size[0], w = d->size[1];
  char *copy = io_alloc(plane);
  if (!copy) return io_fail_memory(error, path, plane, "an image");
  for (int64_t image = 0; image < d->count * d->c; image++) {
    char *at = (char *)d->images.values + (size_t)image * plane;
    memcpy(copy, at, plane);
    for (int64_t i = 0; i < h; i++)
      for (int64_t j = 0; j < w; j++)
        memcpy(at + (size_t)(j * h + i) * element, copy + (size_t)(i * w + j) * element, element);
  }
  io_free(copy);
  d->size[0] = w;
  d->size[1] = h;
  return IO_OK;
}

bool idx_images_look_nhwc(const idx_array *a)
{
  int64_t last = a->size[3];
  return a->rank == 4 && a->size[1] == a->size[2] && a->size[1] > 4 && (last == 1 || last == 3 || last == 4);
}

io_status idx_images_read_file(const char *path, const dataset_form *form, dataset *data, io_error *error)
{
  dataset d = {0};
  io_status status = idx_read(path, &d.images, error);
  if (status) return status;
  const idx_array *a = &d.images;
  snprintf(d.images_path, sizeof d.images_path, "%s", path);
  if (a->rank != 3 && a->rank != 4)
    status = io_fail(error, IO_BAD_INPUT, "%s: %d axes; images have 3 (n, h, w) or 4 (n, c, h, w)", path, a->rank);
  else if (!a->elements)
    status = io_fail(error, IO_BAD_INPUT, "%s: no pixels", path);
  else if (idx_images_look_nhwc(a))
    status = io_fail(error, IO_BAD_INPUT,
                     "%s: its axes %lld x %lld x %lld x %lld look like n, h, w, c; they must be n, c, h, w (numpy: "
                     "images.transpose(0, 3, 1, 2))",
                     path, (long long)a->size[0], (long long)a->size[1], (long long)a->size[2], (long long)a->size[3]);
  int last = a->rank - 1;
  d.count = a->size[0];
  d.c = a->rank == 4 ? a->size[1] : 1;
  d.size[0] = status ? 0 : a->size[last - 1];
  d.size[1] = status ? 0 : a->size[last];
  d.pixels = d.c * d.size[0] * d.size[1];
  if (!status) status = to_float(path, &d.images, error);
  if (!status) status = check_finite(path, &d, error);
  if (!status && form->transpose) status = transpose(path, &d, error);
  if (status)
    dataset_free(&d);
  else
    *data = d;
  return status;
}

static io_status take_labels(const idx_array *a, int64_t offset, dataset *d, io_error *error)
{
  const char *path = d->labels_path;
  if (a->rank != 1 || a->type == IDX_F32 || a->type == IDX_F64)
    return io_fail(error, IO_BAD_INPUT, "%s: labels are whole numbers along 1 axis; this has %d axes of type 0x%02x",
                   path, a->rank, a->type);
  if (a->size[0] != d->count)
    return io_fail(error, IO_BAD_INPUT, "%s: %lld labels, but %s has %lld images", path, (long long)a->size[0],
                   d->images_path, (long long)d->count);
  d->labels = io_alloc_zeroed((size_t)d->count, sizeof *d->labels);
  if (!d->labels) return io_fail_memory(error, path, (size_t)d->count * sizeof *d->labels, "the labels");
  for (int64_t i = 0; i < d->count; i++) {
    int64_t label = (int64_t)idx_value(a, i);
    if (label < offset)
      return io_fail(error, IO_BAD_INPUT, "%s: label %lld is %lld; it must be at least %lld", path, (long long)i,
                     (long long)label, (long long)offset);
    d->labels[i] = (int32_t)(label - offset);
  }
  dataset_find_largest(d);
  return IO_OK;
}

static const char *prefix_of(dataset_half half)
{
  return half == DATASET_TRAIN ? "train" : "t10k";
}

bool idx_images_are_here(const char *folder, dataset_half half)
{
  char images[32], path[DATASET_PATH];
  io_error error;
  snprintf(images, sizeof images, "%s-images", prefix_of(half));
  return !find_file(folder, images, "34", path, sizeof path, &error);
}

/* Fewer names than labels leave the rest without; that the labels are right is said elsewhere. */
static io_status read_names(const char *folder, dataset *d, io_error *error)
{
  char path[DATASET_PATH];
  int length = snprintf(path, sizeof path, "%s/classes.txt", folder);
  return length < DATASET_PATH && !access(path, F_OK) ? classes_read(path, &d->classes, error) : IO_OK;
}

io_status idx_images_read(const char *folder, dataset_half half, const dataset_form *form, dataset *data,
                          io_error *error)
{
  const char *prefix = prefix_of(half);
  char images[32], labels[32], path[sizeof data->images_path];
  dataset d = {0};
  idx_array a = {0};
  snprintf(images, sizeof images, "%s-images", prefix);
  snprintf(labels, sizeof labels, "%s-labels", prefix);
  io_status status = find_file(folder, images, "34", path, sizeof path, error);
  if (!status) status = idx_images_read_file(path, form, &d, error);
  if (!status) status = find_file(folder, labels, "1", d.labels_path, sizeof d.labels_path, error);
  if (!status) status = idx_read(d.labels_path, &a, error);
  if (!status) status = take_labels(&a, form->label_offset, &d, error);
  idx_free(&a);
  if (!status) status = read_names(folder, &d, error);
  if (status)
    dataset_free(&d);
  else
    *data = d;
  return status;
}
