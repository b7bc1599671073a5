/* Labelled images in memory; see dataset.h. */
#include "dataset.h"
#include "data/digits.h"
#include "io/system.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

void dataset_free(dataset *data)
{
  idx_free(&data->images);
  io_free(data->labels);
  *data = (dataset){0};
}

int64_t dataset_batch(const dataset *data, int64_t batch)
{
  return batch < data->count ? batch : data->count;
}

/* ---- files ---- */

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

io_status dataset_read_images(const char *path, const dataset_form *form, dataset *data, io_error *error)
{
  dataset d = {0};
  io_status status = idx_read(path, &d.images, error);
  if (status) return status;
  const idx_array *a = &d.images;
  snprintf(d.images_path, sizeof d.images_path, "%s", path);
  if (a->rank != 3 && a->rank != 4)
    status = io_fail(error, IO_BAD_INPUT, "%s: %d axes; images have 3 (N H W) or 4 (N C H W)", path, a->rank);
  else if (!a->elements)
    status = io_fail(error, IO_BAD_INPUT, "%s: no pixels", path);
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

static void find_largest(dataset *d)
{
  d->largest_label = d->labels[0];
  for (int64_t i = 1; i < d->count; i++)
    if (d->labels[i] > d->largest_label) {
      d->largest_label = d->labels[i];
      d->largest_at = i;
    }
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
  find_largest(d);
  return IO_OK;
}

io_status dataset_read(const char *folder, dataset_half half, const dataset_form *form, dataset *data, io_error *error)
{
  const char *prefix = half == DATASET_TRAIN ? "train" : "t10k";
  char images[32], labels[32], path[sizeof data->images_path];
  dataset d = {0};
  idx_array a = {0};
  snprintf(images, sizeof images, "%s-images", prefix);
  snprintf(labels, sizeof labels, "%s-labels", prefix);
  io_status status = find_file(folder, images, "34", path, sizeof path, error);
  if (!status) status = dataset_read_images(path, form, &d, error);
  if (!status) status = find_file(folder, labels, "1", d.labels_path, sizeof d.labels_path, error);
  if (!status) status = idx_read(d.labels_path, &a, error);
  if (!status) status = take_labels(&a, form->label_offset, &d, error);
  idx_free(&a);
  if (status)
    dataset_free(&d);
  else
    *data = d;
  return status;
}

/* ---- drawn digits ---- */

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
  find_largest(&d);
  *data = d;
  return IO_OK;
}

/* ---- use ---- */

input_norm dataset_norm(const dataset *d)
{
  static const double deviation = 0.16;
  bool bytes = d->images.type == IDX_U8;
  int64_t count = d->images.elements;
  double sum = 0, squares = 0, largest = 0;
  for (int64_t image = 0; image < d->count; image++) { /* an image's sums first: less is rounded away */
    double s = 0, s2 = 0;
    for (int64_t i = image * d->pixels; i < (image + 1) * d->pixels; i++) {
      double v = bytes ? (double)((const uint8_t *)d->images.values)[i] : (double)((const float *)d->images.values)[i];
      s += v;
      s2 += v * v;
      largest = v > largest ? v : largest;
    }
    sum += s;
    squares += s2;
  }
  input_norm n = {.mean = sum / (double)count, .white = largest > 0 ? largest : 1};
  double variance = squares / (double)count - n.mean * n.mean;
  n.scale = variance > 1e-12 * n.mean * n.mean ? deviation / sqrt(variance) : 1;
  return n;
}

io_status dataset_check_labels(const dataset *d, int64_t classes, io_error *error)
{
  if (d->largest_label < classes) return IO_OK;
  return io_fail(error, IO_BAD_INPUT, "%s: label %lld is %d, but the network has %lld classes", d->labels_path,
                 (long long)d->largest_at, (int)d->largest_label, (long long)classes);
}

uint32_t dataset_checksum(const dataset *d)
{
  size_t element = d->images.type == IDX_U8 ? 1 : sizeof(float);
  uLong sum = crc32_z(0, d->images.values, (size_t)d->images.elements * element);
  return (uint32_t)crc32_z(sum, (const Bytef *)d->labels, (size_t)d->count * sizeof *d->labels);
}

#define GATHER(name, from, to)                                                                                         \
  static void name(const void *in, int64_t count, const input_norm *norm, void *out)                                   \
  {                                                                                                                    \
    const from *restrict x = in;                                                                                       \
    to *restrict y = out;                                                                                              \
    const to scale = (to)norm->scale, shift = (to)(-norm->mean * norm->scale);                                         \
    for (int64_t i = 0; i < count; i++) y[i] = (to)x[i] * scale + shift;                                               \
  }
GATHER(u8_to_f32, uint8_t, float)
GATHER(u8_to_f64, uint8_t, double)
GATHER(f32_to_f32, float, float)
GATHER(f32_to_f64, float, double)

void dataset_gather(const dataset *d, const int64_t *order, int64_t first, int64_t count, const input_norm *norm,
                    cnnblas_dtype dtype, void *out, int32_t *labels)
{
  bool bytes = d->images.type == IDX_U8, wide = dtype == CNNBLAS_F64;
  void (*convert)(const void *, int64_t, const input_norm *, void *) =
      bytes ? (wide ? u8_to_f64 : u8_to_f32) : (wide ? f32_to_f64 : f32_to_f32);
  size_t from = (size_t)d->pixels * (bytes ? 1 : sizeof(float));
  size_t to = (size_t)d->pixels * (wide ? sizeof(double) : sizeof(float));
  for (int64_t i = 0; i < count; i++) {
    int64_t image = order ? order[i] : first + i;
    convert((const char *)d->images.values + (size_t)image * from, d->pixels, norm, (char *)out + (size_t)i * to);
    if (labels) labels[i] = d->labels[image];
  }
}
