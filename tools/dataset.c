/* Labelled images; see dataset.h. */
#include "dataset.h"
#include "io/system.h"
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

void dataset_free(dataset *data)
{
  idx_free(&data->images);
  if (data->files) picture_files_free(data->files);
  io_free(data->files);
  io_free(data->labels);
  classes_free(&data->classes);
  *data = (dataset){0};
}

int64_t dataset_batch(const dataset *data, int64_t batch)
{
  return batch < data->count ? batch : data->count;
}

void dataset_find_largest(dataset *d)
{
  d->largest_label = d->labels[0];
  d->largest_at = 0;
  for (int64_t i = 1; i < d->count; i++)
    if (d->labels[i] > d->largest_label) {
      d->largest_label = d->labels[i];
      d->largest_at = i;
    }
}

bool dataset_reads_files(const dataset *d)
{
  return d->files && !picture_files_are_held(d->files);
}

/* Room for one image that has to be read; NULL also where none is needed. */
static io_status make_room(const dataset *d, uint8_t **room, io_error *error)
{
  *room = d->files ? io_alloc((size_t)d->pixels) : NULL;
  if (!d->files || *room) return IO_OK;
  return io_fail_memory(error, d->images_path, (size_t)d->pixels, "an image");
}

/* Where an image's bytes or floats lie; room: for one that is read. */
static io_status find_pixels(const dataset *d, int64_t image, uint8_t *room, const void **pixels, io_error *error)
{
  size_t element = d->images.type == IDX_U8 ? 1 : sizeof(float);
  if (!d->files) {
    *pixels = (const char *)d->images.values + (size_t)(image * d->pixels) * element;
    return IO_OK;
  }
  *pixels = room;
  return picture_files_get(d->files, image, room, error);
}

io_status dataset_norm(const dataset *d, const int64_t *images, int64_t count, input_norm *norm, io_error *error)
{
  norm_sums sums;
  uint8_t *room;
  norm_begin(&sums, d->c);
  io_status status = make_room(d, &room, error);
  for (int64_t i = 0; i < count && !status; i++) {
    const void *pixels;
    status = find_pixels(d, images ? images[i] : i, room, &pixels, error);
    if (!status) norm_add(&sums, d->images.type == IDX_U8, pixels, d->pixels);
  }
  io_free(room);
  if (!status) *norm = norm_end(&sums);
  if (!status && d->files) norm->white = 255; /* whatever is the brightest pixel among them */
  return status;
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
  uLong sum = 0;
  if (!d->files) sum = crc32_z(0, d->images.values, (size_t)d->images.elements * element);
  for (int64_t i = 0; d->files && i < d->count; i++) { /* a folder may be moved: the class's folder and the file */
    const char *path = d->files->paths[i], *at = path + strlen(path);
    for (int slashes = 0; at > path && slashes < 2; at--) slashes += at[-1] == '/';
    sum = crc32_z(sum, (const Bytef *)at, strlen(at));
  }
  return (uint32_t)crc32_z(sum, (const Bytef *)d->labels, (size_t)d->count * sizeof *d->labels);
}

uint64_t dataset_checksum_of_files(const dataset *d)
{
  uLong sizes = 0;
  for (int64_t i = 0; d->files && i < d->count; i++) {
    struct stat found;
    int64_t bytes = stat(d->files->paths[i], &found) ? -1 : (int64_t)found.st_size;
    sizes = crc32_z(sizes, (const Bytef *)&bytes, sizeof bytes);
  }
  return (uint64_t)sizes << 32 | dataset_checksum(d);
}

io_status dataset_gather(const dataset *d, const dataset_part *part, const input_norm *norm, cnnblas_dtype dtype,
                         void *out, int32_t *labels, io_error *error)
{
  const augment_shape shape = {.c = d->c, .h = d->size[0], .w = d->size[1]};
  const size_t bytes = (size_t)d->pixels * (dtype == CNNBLAS_F64 ? sizeof(double) : sizeof(float));
  uint8_t *room;
  io_status status = make_room(d, &room, error);
  for (int64_t i = 0; i < part->count && !status; i++) {
    int64_t image = part->numbers ? part->numbers[i] : part->first + i;
    const void *pixels;
    augment_draw draw = {0};
    status = find_pixels(d, image, room, &pixels, error);
    if (status) break;
    if (part->augment) draw = augment_drawn(part->augment, part->seed, part->epoch, image, shape.h, shape.w);
    augment_image(&draw, &shape, norm, d->images.type == IDX_U8, pixels, dtype, (char *)out + (size_t)i * bytes);
    if (labels) labels[i] = d->labels[image];
  }
  io_free(room);
  return status;
}
